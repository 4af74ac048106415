from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from invoicing_site.demo import PASSWORD, USERS, load
from invoicing_site.floor.errors import Refused
from invoicing_site.screens import remedies


class Command(BaseCommand):
    help = (
        "Load the demo company, with a year of invented work, into an empty database. "
        "Print the number of created records and the user names."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser):
        parser.add_argument(
            "--small", action="store_true", help="only a few weeks, with fewer contracts and hours, for tests"
        )

    def handle(self, *, small, **_):
        if settings.PRODUCTION:
            raise CommandError("The demo company can't be loaded in production.")
        self.stdout.write(
            "Loading the demo data: two companies with a year of work. This takes about a minute."
        )
        self.stdout.flush()
        try:
            made = load(small=small)
        except Refused as refusal:
            raise CommandError(remedies.in_plain_text(refusal)) from refusal
        self.stdout.write("Created " + ", ".join(f"{count} {name}" for name, count in made.items()) + ".")
        self.stdout.write("The invoice documents are created in the background.")
        self.stdout.write(f"Sign in as {', '.join(USERS)}; the password of each is {PASSWORD}")
