from django.core.management.base import BaseCommand

from invoicing_site.floor import seals
from invoicing_site.models import Seal


class Command(BaseCommand):
    help = "Seal the rows that are final, as the scheduled task does, and print the newest seal."

    def handle(self, **options):
        made = seals.seal_all()
        newest = Seal.objects.first()
        if newest is None:
            self.stdout.write("There is nothing to seal yet.")
            return
        if not made:
            self.stdout.write("Nothing new to seal; the newest seal is:")
        self.stdout.write(seals.in_words(newest), ending="")
