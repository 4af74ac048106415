import dataclasses
import json
import re
import sys
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from contracts.models import LegalEntity
from invoicing_site.floor import formatting
from invoicing_site.floor.wording import counted
from invoicing_site.models import Seal
from invoicing_site.verify import look, seals

_NOT_VERIFIED = (
    "Verified: the guards, number sequences and queues, vouchers after seal {number} of {day} with the "
    "stored balances of their fiscal periods, and seals and sealed rows after it. Not verified: older "
    "vouchers and rows, documents, subledgers, and whether rows agree with each other. Run verify_ledger "
    "without --since-seal for these."
)


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
        parser.add_argument("--jobs", type=int, default=1, metavar="N", help="the number of processes")
        parser.add_argument(
            "--since-seal",
            metavar="NUMBER",
            help="only what was added after this seal, or after the “last” one",
        )

    def handle(self, *, entity, seal, jobs, since_seal, **options):
        if entity:
            code, entity = entity, LegalEntity.objects.filter(code=entity).first()
            if entity is None:
                raise CommandError(f"There is no legal entity {code}.")
        if jobs < 1 or (jobs > 1 and connection.vendor != "postgresql"):
            raise CommandError("--jobs takes a number from 1, and on SQLite only 1.")
        since = _seal(since_seal) if since_seal else None
        found = []
        try:
            for finding in chain(_compared(seal), look(entity or None, since=since, jobs=jobs)):
                found.append(finding)
                if not options["json"]:
                    said = [finding.code, finding.entity, finding.sentence]
                    self.stdout.write(" ".join(filter(None, said)))
        except BrokenProcessPool:
            raise CommandError(
                "Not everything was verified: the system ended one of the processes, perhaps because memory "
                "was low. Start again with fewer jobs.",
                returncode=2,
            ) from None
        if since:
            self.stderr.write(_NOT_VERIFIED.format(number=since.number, day=formatting.day(since.at)))
        if options["json"]:
            answer = [dataclasses.asdict(finding) for finding in found]
            self.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False))
        elif found:
            self.stdout.write(f"{counted(len(found), 'finding')}.")
        else:
            what = f"Everything after seal {since.number}" if since else "Everything"
            self.stdout.write(f"{what} is as it was posted.")
        if found:
            sys.exit(1)


def _seal(number):
    seals = Seal.objects.order_by("number")
    seal = (
        seals.last()
        if number == "last"
        else seals.filter(number=int(number) if re.fullmatch("[0-9]{1,9}", number) else 0).first()
    )
    if seal is None:
        raise CommandError(f"There is no seal {number}.")
    return seal


def _compared(path):
    if not path:
        return ()
    try:
        return list(seals.compared(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} can't be read as a seal: {error}") from error
