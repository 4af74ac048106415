import dataclasses
import json
import sys

from django.core.management.base import BaseCommand, CommandError

from contracts.models import LegalEntity
from invoicing_site.verify import look


class Command(BaseCommand):
    help = (
        "Verifies the ledger: chain, balances, numbers, subledgers, documents, claims and guards. "
        "Says what is wrong and where, and ends with exit code 1 when anything is."
    )

    def add_arguments(self, parser):
        parser.add_argument("--entity", metavar="CODE", help="only this legal entity")
        parser.add_argument("--json", action="store_true", help="the findings as one JSON list")

    def handle(self, *, entity, **options):
        if entity:
            code, entity = entity, LegalEntity.objects.filter(code=entity).first()
            if entity is None:
                raise CommandError(f"There is no legal entity {code}.")
        found = []
        for finding in look(entity or None):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(" ".join(filter(None, [finding.code, finding.entity, finding.sentence])))
        if options["json"]:
            answer = [dataclasses.asdict(finding) for finding in found]
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
        elif found:
            self.stdout.write(f"{len(found)} findings.")
        else:
            self.stdout.write("Everything is as it was posted.")
        if found:
            sys.exit(1)
