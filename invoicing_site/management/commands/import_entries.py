import datetime
import json
from pathlib import Path

from django.core.management.base import CommandError

from actuals import importing
from actuals.importing.rows import placed
from actuals.importing.totals import Totals
from actuals.models import EntryImport
from actuals.operations import imports
from invoicing_site.floor import formatting, wording
from invoicing_site.floor.formatting import count
from invoicing_site.management.base import EntityCommand

_SHOWN = 50


class Command(EntityCommand):
    help = "Import time, expense, material and fee entries from a CSV or XLSX file: all rows or none."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--preview", action="store_true", help="show the result and write nothing")
        parser.add_argument("--submit", action="store_true", help="submit the new entries for approval")
        parser.add_argument(
            "--format",
            choices=EntryImport.Format.values,
            default="",
            help="the program that wrote the file; default: recognized by its headings",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="the column of a field; “A|B” is the first column that is not empty, “A+B” is both",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="a value for every row without one",
        )
        parser.add_argument("--date-format", default="", help="such as DD.MM.YYYY; default: ISO dates")
        parser.add_argument(
            "--zone", default="", help="time zone of times without one, such as UTC or Europe/Oslo"
        )
        parser.add_argument("--decimal", default="", choices=[",", "."], help="the decimal sign")
        parser.add_argument("--sheet", default="", help="sheet of a workbook; default: the first one")
        parser.add_argument(
            "--create",
            default="",
            metavar="KINDS",
            help=f"create missing records: {','.join(importing.CREATABLE)}",
        )
        parser.add_argument(
            "--time-category",
            default="",
            metavar="CODE",
            help="category of time without one; default: the one of the week page",
        )
        parser.add_argument(
            "--item-tax-group", default="", help="item tax group of new categories and products"
        )
        for name, choice in importing.CHOICES.items():
            default = f"; default: {choice.default}" if choice.default else "; required"
            parser.add_argument(
                importing.option_of(name),
                choices=list(choice.answers),
                default="",
                help=f"rows: {choice.rows[:1].lower()}{choice.rows[1:]}{default}",
            )

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
            zone=options["zone"],
            time_category=options["time_category"],
            answers={name: options[name] for name in importing.CHOICES if options[name]},
        )
        try:
            file = options["file"].open("rb")
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}.") from None
        with file:
            if options["preview"]:
                seen = importing.preview(file, entity, mapping, on=on)
                if seen.errors:
                    self._fail(seen, "Nothing is imported while there are errors.", options)
                return seen.as_json() | {"approval": importing.who_approves(seen.to_add, entity, by)}
            try:
                result = imports.import_entries(file, entity, mapping, by=by, on=on, submit=options["submit"])
            except importing.NotImported as refusal:
                self._fail(refusal.preview, str(refusal), options)
        seen = result.preview
        approval = importing.who_approves(seen.to_add if result.added else [], entity, by)
        done = {"import": result.entry_import.pk, "added": result.added, "submitted": options["submit"]}
        return seen.as_json() | {"approval": approval} | done

    def _fail(self, seen, sentence, options):
        """Print all errors to standard output, like a successful result, then fail."""
        if options["json"]:
            self.stdout.write(json.dumps(seen.as_json(), ensure_ascii=False, indent=2))
        else:
            answer = seen.as_json()
            for line in (*_list("Warning", answer["warnings"]), *_list("Error", answer["errors"])):
                self.stdout.write(line)
            if answer["rows"]:
                self.stdout.write(_counts(answer))
            for line in _totals(answer):
                self.stdout.write(line)
            for name, found in seen.found.items():
                choice = importing.CHOICES[name]
                offered = found.answers or choice.answers
                words = " or ".join(each for each in offered if each != choice.default)
                self.stdout.write(f"{choice.rows}: {found.in_words()}; {importing.option_of(name)} {words}.")
        raise CommandError(sentence)

    def lines(self, answer):
        yield from _list("Warning", answer["warnings"])
        for sentence in answer["approval"]:
            yield f"Warning: {sentence}"
        is_done = "import" in answer
        said = "" if is_done else "would be "
        if answer["format"] != EntryImport.Format.LEDGERLINE:
            yield f"Read as {EntryImport.Format(answer['format']).label} writes it."
        for kind, codes in answer["to_create"].items():
            yield f"New {kind} {said}created: {count(len(codes))}."
        as_drafts = importing.as_drafts(answer["to_add"])
        as_what = f" {'and submitted' if answer['submitted'] else as_drafts}" if is_done else ""
        yield (
            f"{count(answer['to_add'])} of {wording.counted(answer['rows'], 'row')} {said}added{as_what}, "
            f"{wording.counted(answer['already_there'], 'was', 'were')} imported before."
        )
        if n := answer["to_change"]:
            yield f"{wording.counted(n, 'draft')} {said}changed."
        for name, rows in answer["left_out"].items():
            yield f"Left out: {count(rows)}, {importing.CHOICES[name].rows.lower()}."
        if unnamed := answer["time_without_category"]:
            yield unnamed["said"]
        if not is_done:
            yield from _totals(answer)


def _counts(answer):
    """The rows by result, each counted once."""
    parts = [
        f"{count(answer['to_add'])} new",
        f"{count(answer['already_there'])} imported before",
    ]
    parts += [f"{count(answer['to_change'])} to change"] if answer["to_change"] else []
    for name, rows in answer["left_out"].items():
        parts.append(f"{count(rows)} left out ({importing.CHOICES[name].rows.lower()})")
    words = {"open": "to be decided", "taken_for_totals": "totals rows", "wrong": "with errors"}
    parts += [f"{count(answer[name])} {said}" for name, said in words.items() if answer[name]]
    return f"Of {wording.counted(answer['rows'], 'row')}: {', '.join(parts)}."


def _totals(answer):
    """The totals of the file, to compare with the report of the other program."""
    for each in answer["changed"][:_SHOWN]:
        now, before = (", ".join(filter(None, [each[k], each[f"billing_{k}"]])) for k in ("is", "was"))
        yield f"Changed: row {each['row']} has {now}; entry {each['entry']} {before}. {each['way']}"
    totals, new = answer["totals"], answer["totals_to_add"]
    if totals["rows"]:
        first, last = (
            day and formatting.day(datetime.date.fromisoformat(day))
            for day in (totals["first_day"], totals["last_day"])
        )
        days = f", {first} to {last}" if first else ""
        yield f"In the file{days}: {_sum(totals)}. New: {_sum(new)}."
        for name, each in totals["people"].items():
            yield f"  {name}: {_sum(each)}."
        if unread := Totals(unread=totals["unread_rows"]).about_unread():
            yield unread


def _sum(found):
    parts = [f"{found['hours']} h"] if found["hours"] != "0" else []
    parts += [f"{amount} {currency}" for currency, amount in found["amounts"].items()]
    return f"{wording.counted(found['rows'], 'row')}, " + (", ".join(parts) or "no hours")


def _list(title, problems):
    for problem in problems[:_SHOWN]:
        yield f"{title}: {placed(problem['row'], problem['field'], problem['message'])}"
    if len(problems) > _SHOWN:
        yield f"… and {count(len(problems) - _SHOWN)} more ({title.lower()}); --json has them all."


def _pairs(texts):
    pairs = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"“{text}” must have the form field=value.")
        pairs[name.strip()] = value.strip()
    return pairs
