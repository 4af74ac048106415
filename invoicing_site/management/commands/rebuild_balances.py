from django.core.management.base import BaseCommand, CommandError

from contracts.models import LegalEntity
from invoicing_site.floor.wording import counted
from ledger.books.operations import rebuild_balances


class Command(BaseCommand):
    help = (
        "Correct stored balances that differ from their entries and transactions. Postings wait until this "
        "is done."
    )

    def add_arguments(self, parser):
        parser.add_argument("--entity", metavar="CODE", help="only this legal entity")

    def handle(self, *, entity, **options):
        entities = LegalEntity.objects.order_by("pk")
        if entity:
            entities = entities.filter(code=entity)
            if not entities:
                raise CommandError(f"There is no legal entity {entity}.")
        for one in entities:
            self.stdout.write(f"{one.code}: {counted(rebuild_balances(one), 'balance')} corrected.")
