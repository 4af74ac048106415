import dataclasses
import json
import sys
from itertools import chain
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from contracts.models import LegalEntity
from invoicing_site.floor.wording import counted
from invoicing_site.verify import look, seals


class Command(BaseCommand):
    help = (
        "Verify the ledger: chain, balances, numbers, subledgers, documents, claims, guards and seals. "
        "Print each finding, and end with exit code 1 if there is one."
    )

    def add_arguments(self, parser):
        parser.add_argument("--entity", metavar="CODE", help="only this legal entity")
        parser.add_argument("--json", action="store_true", help="print the findings as one JSON list")
        parser.add_argument(
            "--seal", metavar="FILE", help="a file with a seal that was kept outside the database"
        )

    def handle(self, *, entity, seal, **options):
        if entity:
            code, entity = entity, LegalEntity.objects.filter(code=entity).first()
            if entity is None:
                raise CommandError(f"There is no legal entity {code}.")
        found = []
        for finding in chain(_compared(seal), look(entity or None)):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(" ".join(filter(None, [finding.code, finding.entity, finding.sentence])))
        if options["json"]:
            answer = [dataclasses.asdict(finding) for finding in found]
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
        elif found:
            self.stdout.write(f"{counted(len(found), 'finding')}.")
        else:
            self.stdout.write("Everything is as it was posted.")
        if found:
            sys.exit(1)


def _compared(path):
    if not path:
        return ()
    try:
        return list(seals.compared(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} can't be read as a seal: {error}") from error
