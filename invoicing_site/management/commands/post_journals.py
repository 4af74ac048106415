import datetime
import json

from django.core.management.base import BaseCommand, CommandError

from contracts.models import LegalEntity
from invoicing_site.errors import Refused
from invoicing_site.models import User
from ledger.operations.journals import post_journals, take_up_actuals


class Command(BaseCommand):
    help = "Takes all actuals of a legal entity up into integration journals, and posts these."

    def add_arguments(self, parser):
        parser.add_argument("--entity", required=True, metavar="CODE", help="the legal entity")
        parser.add_argument(
            "--on", type=datetime.date.fromisoformat, metavar="DATE", help="default: the entity's today"
        )
        parser.add_argument("--by", metavar="USER", help="who posts; default: the system itself")
        parser.add_argument("--json", action="store_true", help="say what was done as one JSON object")

    def handle(self, *, entity, on, by, **options):
        entity = _found(LegalEntity, "legal entity", code=entity)
        by = _found(User, "user", username=by) if by else None
        on = on or entity.today()
        try:
            taken = take_up_actuals(entity, on=on, by=by)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        posted = post_journals(entity, by=by, on=on)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(entity, on, taken, posted)))
        else:
            self._tell(taken, posted)

    def _tell(self, taken, posted):
        self.stdout.write(f"{taken.lines} actuals taken up, {len(taken.left_out)} left out.")
        for actual, sentence in taken.left_out:
            self.stdout.write(f"  actual {actual}: {sentence}")
        for result in posted:
            if result.refused:
                self.stdout.write(f"{result.journal} is not posted: {result.refused}")
                continue
            where = f", in {result.remainder}" if result.remainder else ""
            self.stdout.write(
                f"{result.journal}: {result.posted} lines posted, {result.in_error} in error{where}."
            )
            for error in _errors(result):
                self.stdout.write(f"  {error}")
        if not posted:
            self.stdout.write("There is no journal to post.")


def _found(model, what, **by):
    try:
        return model.objects.get(**by)
    except model.DoesNotExist:
        (value,) = by.values()
        raise CommandError(f"There is no {what} “{value}”.") from None


def _errors(result):
    """Each different reason once."""
    if result.remainder is None:
        return []
    return sorted(set(result.remainder.lines.exclude(error="").values_list("error", flat=True)))


def _as_json(entity, on, taken, posted):
    return {
        "entity": entity.code,
        "on": on.isoformat(),
        "taken_up": taken.lines,
        "left_out": [{"actual": actual, "reason": sentence} for actual, sentence in taken.left_out],
        "journals": [
            {
                "number": result.journal.number,
                "status": result.journal.status,
                "posted": result.posted,
                "in_error": result.in_error,
                "remainder": result.remainder and result.remainder.number,
                "errors": _errors(result),
                "refused": result.refused,
            }
            for result in posted
        ],
    }
