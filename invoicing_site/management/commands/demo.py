from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from invoicing_site.demo import PASSWORD, USERS, load
from invoicing_site.floor.errors import Refused
from invoicing_site.screens import remedies


class Command(BaseCommand):
    help = (
        "Loads the demo company, with a year of invented work, into an empty database. "
        "Prints what it made and who can sign in."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser):
        parser.add_argument(
            "--small", action="store_true", help="a few weeks, with fewer contracts and hours, for tests"
        )

    def handle(self, *, small, **_):
        if settings.PRODUCTION:
            raise CommandError("This is a production database: it gets no demo company.")
        self.stdout.write("Loading the demo company: two companies and a year of their work, about a minute.")
        self.stdout.flush()
        try:
            made = load(small=small)
        except Refused as refusal:
            raise CommandError(remedies.in_plain_text(refusal)) from refusal
        self.stdout.write("Made " + ", ".join(f"{count} {name}" for name, count in made.items()) + ".")
        self.stdout.write("The documents of the invoices are drawn by and by.")
        self.stdout.write(f"Sign in as {', '.join(USERS)}; the password of each is {PASSWORD}")
