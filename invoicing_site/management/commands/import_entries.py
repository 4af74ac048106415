import json
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from actuals import importing
from actuals.models import EntryImport
from contracts.models import LegalEntity
from invoicing_site.errors import Refused

_SHOWN = 50


class Command(BaseCommand):
    help = "Imports time, expense, material and fee entries from a CSV or XLSX file: all rows or none."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--entity", required=True, help="code of the legal entity")
        parser.add_argument("--preview", action="store_true", help="say what would happen, and write nothing")
        parser.add_argument("--submit", action="store_true", help="hand the new entries in for approval")
        parser.add_argument("--by", metavar="USER", help="name of the user who does this")
        parser.add_argument(
            "--format",
            choices=EntryImport.Format.values,
            default=EntryImport.Format.LEDGERLINE,
            help="which program wrote the file",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="the column of a field; “A|B” is the first that holds anything, “A+B” is both",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="a value for every row that has none",
        )
        parser.add_argument("--date-format", default="", help="such as DD.MM.YYYY; without it ISO dates")
        parser.add_argument("--decimal", default="", choices=[",", "."], help="the sign before decimals")
        parser.add_argument("--sheet", default="", help="of a workbook; without it the first")
        parser.add_argument(
            "--create",
            default="",
            metavar="KINDS",
            help=f"make what is missing: {','.join(importing.CREATABLE)}",
        )
        parser.add_argument("--item-tax-group", default="", help="of the categories and products it makes")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *, file, entity, by, submit, **options):
        entity = _found(LegalEntity, "legal entity", code=entity)
        by = _found(get_user_model(), "user", username=by) if by else None
        mapping = importing.Mapping(
            format=options["format"],
            columns=_pairs(options["map"]),
            constants=_pairs(options["set"]),
            date_format=options["date_format"],
            decimal=options["decimal"],
            sheet=options["sheet"],
            create=tuple(kind.strip() for kind in options["create"].split(",") if kind.strip()),
            item_tax_group=options["item_tax_group"],
        )
        answer = self._answer_json if options["json"] else self._answer
        try:
            stream = file.open("rb")
        except OSError as trouble:
            raise CommandError(f"{file} cannot be read: {trouble.strerror}.") from None
        with stream:
            if options["preview"]:
                seen = importing.preview(stream, entity, mapping)
                answer(seen)
                if seen.errors:
                    raise CommandError("With these errors nothing would be imported.")
                return
            try:
                result = importing.import_entries(stream, entity, mapping, by=by, submit=submit)
            except importing.NotImported as refusal:
                answer(refusal.preview)
                raise CommandError(str(refusal)) from None
            except Refused as refusal:
                raise CommandError(str(refusal)) from None
        answer(result.preview, result, submit)

    def _answer_json(self, seen, result=None, submit=False):
        answer = seen.as_json()
        if result:
            answer |= {"import": result.entry_import.pk, "added": result.added, "submitted": submit}
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2))

    def _answer(self, seen, result=None, submit=False):
        self._list("Warning", seen.warnings)
        self._list("Error", seen.errors)
        if result and result.was_imported_before:
            return
        said = "" if result else "would be "
        for kind, things in seen.to_create.items():
            self.stdout.write(f"{len(things):,} {kind} {said}made.")
        added = f"{result.added if result else len(seen.to_add):,} of {seen.total:,} rows {said}added"
        as_what = (" and submitted" if submit else " as drafts") if result else ""
        self.stdout.write(f"{added}{as_what}, {seen.already_there:,} are there already.")

    def _list(self, title, problems):
        for problem in problems[:_SHOWN]:
            self.stdout.write(f"{title}: {problem}")
        if len(problems) > _SHOWN:
            self.stdout.write(
                f"… and {len(problems) - _SHOWN:,} more ({title.lower()}); --json has them all."
            )


def _found(model, what, **key):
    try:
        return model.objects.get(**key)
    except model.DoesNotExist:
        (value,) = key.values()
        raise CommandError(f"There is no {what} “{value}”.") from None


def _pairs(texts):
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"“{text}” should read field=… .")
        pairs[name.strip()] = value.strip()
    return pairs
