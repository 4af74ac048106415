import json
from pathlib import Path

from django.core.management.base import CommandError

from actuals import importing
from actuals.models import EntryImport
from invoicing_site.commands import EntityCommand

_SHOWN = 50


class Command(EntityCommand):
    help = "Imports time, expense, material and fee entries from a CSV or XLSX file: all rows or none."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--preview", action="store_true", help="say what would happen, and write nothing")
        parser.add_argument("--submit", action="store_true", help="hand the new entries in for approval")
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

    def act(self, entity, by, on, options):
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
        try:
            file = options["file"].open("rb")
        except OSError as trouble:
            raise CommandError(f"{options['file']} cannot be read: {trouble.strerror}.") from None
        with file:
            if options["preview"]:
                seen = importing.preview(file, entity, mapping, on=on)
                if seen.errors:
                    self._fail(seen, "With these errors nothing would be imported.", options)
                return seen.as_json()
            try:
                result = importing.import_entries(
                    file, entity, mapping, by=by, on=on, submit=options["submit"]
                )
            except importing.NotImported as refusal:
                self._fail(refusal.preview, str(refusal), options)
        done = {"import": result.entry_import.pk, "added": result.added, "submitted": options["submit"]}
        return result.preview.as_json() | done

    def _fail(self, seen, sentence, options):
        """Every error first, on the output: the answer is no less wanted than that of a success."""
        if options["json"]:
            self.stdout.write(json.dumps(seen.as_json(), ensure_ascii=False, indent=2))
        else:
            answer = seen.as_json()
            for line in (*_list("Warning", answer["warnings"]), *_list("Error", answer["errors"])):
                self.stdout.write(line)
        raise CommandError(sentence)

    def told(self, answer):
        yield from _list("Warning", answer["warnings"])
        if answer["earlier_import"]:
            return
        is_done = "import" in answer
        said = "" if is_done else "would be "
        for kind, codes in answer["to_create"].items():
            yield f"New {kind} {said}made: {len(codes):,}."
        as_what = (" and submitted" if answer["submitted"] else " as drafts") if is_done else ""
        yield (
            f"{answer['to_add']:,} of {answer['rows']:,} rows {said}added{as_what}, "
            f"{answer['already_there']:,} are there already."
        )


def _list(title, problems):
    for problem in problems[:_SHOWN]:
        yield f"{title}: {importing.Problem(**problem)}"
    if len(problems) > _SHOWN:
        yield f"… and {len(problems) - _SHOWN:,} more ({title.lower()}); --json has them all."


def _pairs(texts):
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"“{text}” should read field=… .")
        pairs[name.strip()] = value.strip()
    return pairs
