from django.core.management.base import BaseCommand

from invoicing_site.floor import seals
from invoicing_site.models import Seal


class Command(BaseCommand):
    help = "Seals what may not change any more, as the clock does, and prints the newest seal."

    def handle(self, **options):
        made = seals.seal_all()
        newest = Seal.objects.first()
        if newest is None:
            self.stdout.write("There is nothing to seal yet.")
            return
        if not made:
            self.stdout.write("Nothing new to seal; the newest seal is:")
        self.stdout.write(seals.in_words(newest), ending="")
