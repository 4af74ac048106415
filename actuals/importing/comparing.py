"""Which rows are here already, and which look like changes of entries that are (IMP-1)."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from actuals.importing.formats import Mapping
from actuals.importing.rows import STORED, Problem, Row
from actuals.models import Entry
from invoicing_site.querysets import in_chunks

_CHUNK = 5000
_MADE_UP = "content-"
# An entry may differ in these from a row and still be the same work.
_MAY_DIFFER = {"quantity", "description", "internal_comment", "billing_wish"}
# How people call what may differ.
_LABELS = {
    "billing_wish": "billing",
    "transaction_class": "class",
    "internal_comment": "comment",
    "cost_currency": "currency",
    "cost_net": "amount",
    "cost_tax": "tax",
    "cost_tax_deductible": "deductible tax",
    "sales_price": "price",
}


_STAYS = "Its entry was changed after it was imported, and stays as it is."
_BILLING = {"": "billed", Entry.Wish.COST_ONLY: "a cost only", Entry.Wish.NON_CHARGEABLE: "non-chargeable"}


@dataclass(frozen=True)
class Changed:
    """A row like an imported entry but for hours, text or what becomes of it."""

    row: Row
    entry_id: int
    quantity: Decimal
    description: str
    wish: str

    @property
    def billing(self) -> tuple[str, str]:
        """What becomes of it here and in the file, where that differs."""
        same = self.wish == self.row.billing_wish
        return ("", "") if same else (_BILLING[self.wish], _BILLING[self.row.billing_wish])

    def as_json(self) -> dict:
        return {
            "row": self.row.number,
            "entry": self.entry_id,
            "was": f"{self.quantity.normalize():f}",
            "is": f"{self.row.quantity.normalize():f}",
            "billing_was": self.billing[0],
            "billing_is": self.billing[1],
        }


def compare(
    rows, entity, mapping: Mapping, reader, own=(), within=None
) -> tuple[list[Changed], list[Problem]]:
    """Mark the rows whose entries exist; one with other content under the same id is changed, or an error.

    Ids count per program: the same id in two programs is two entries. What an import of this very file
    (`own`, their keys) made was changed here, and not in the file. Of an entry on a project out of reach
    (`within`) nothing is told but that it has the id.
    """
    _identify(rows)
    changed, errors = [], []
    for chunk in in_chunks(rows, _CHUNK):
        by_id = {(row.external_program, row.external_id): row for row in chunk}
        entries = Entry.objects.filter(
            entity=entity,
            external_program__in={program for program, _ in by_id},
            external_id__in={external_id for _, external_id in by_id},
        )
        names = ("external_program", "external_id", "pk", "source", "billing_wish", *STORED)
        for program, external_id, key, source, wish, *stored in entries.values_list(*names):
            row = by_id.get((program, external_id))
            if row is None:
                continue
            row.entry_id = key
            theirs = dict(zip(STORED, stored, strict=True))
            if within is not None and theirs["project_id"] not in within:
                if program:
                    errors.append(_out_of_reach(row))
                else:  # it was moved there after it was imported
                    reader.odd(row.number, "", _STAYS)
                continue
            ours = dict(zip(STORED, row.content(), strict=True))
            differing = [name for name in STORED if ours[name] != theirs[name]]
            if differing and (not program or source in own):
                reader.odd(row.number, "", _STAYS)
                differing = []
            # What an open question is about is not known yet, and this very file says what it said.
            is_known = source not in own and (not row.flag or mapping.answer(row.flag))
            if is_known and row.billing_wish != wish:
                differing.append("billing_wish")
            if not differing:
                continue
            if _MAY_DIFFER.issuperset(differing):
                changed.append(Changed(row, key, theirs["quantity"], theirs["description"], wish))
                row.left_out = mapping.answer("changed") == "skip"
            if not row.left_out:
                errors.append(_other_content(row, key, differing))
    return changed, errors


def _identify(rows):
    """Rows without an id of their own get one from their content and a count of those that are alike.

    So the same file, or a longer one with the same rows, finds its entries again, whatever program it is
    taken for.
    """
    times = defaultdict(int)
    for row in rows:
        if not row.external_id:
            identity = hashlib.sha256(row.identity().encode()).hexdigest()[:32]
            times[identity] += 1
            row.external_id = f"{_MADE_UP}{identity}-{times[identity]}"


def _other_content(row, key, differing) -> Problem:
    names = ", ".join(_LABELS.get(name, name).removesuffix("_id") for name in differing)
    known = row.external_program
    called = f"“{row.external_id}”" if known else "This row"
    remedy = ", or give the row an id of its own" if known else ""
    return Problem(
        row.number,
        "external_id" if known else "",
        f"{called} is entry {key} already, with other content ({names}). An import "
        f"changes no entry: change or correct that one{remedy}.",
    )


def _out_of_reach(row) -> Problem:
    return Problem(
        row.number,
        "external_id",
        f"“{row.external_id}” is work on a project that you don't manage: give the row an id of its own, or "
        "have an accountant import the file.",
    )


def find_changed(rows, entity, mapping: Mapping) -> list[Changed]:
    """New rows without an id that are like an imported entry but for hours or text.

    Such an entry came from the same program, and no row of this file is that very entry. What is changed is
    left out, unless the choice says otherwise.
    """
    likely = defaultdict(list)
    for row in rows:
        if row.is_new and not row.external_program and row.project.pk is not None:
            likely[_likeness(row)].append(row)
    if not likely:
        return []
    found = {row.entry_id for row in rows if row.is_there}
    dates = [row.date for same in likely.values() for row in same]
    names = ("pk", "quantity", "description", "billing_wish", *_LIKE)
    before = defaultdict(list)
    for chunk in in_chunks({row.project.pk for same in likely.values() for row in same}, _CHUNK):
        entries = Entry.objects.filter(
            entity=entity,
            source__format=mapping.format,
            external_program="",
            project__in=chunk,
            date__range=(min(dates), max(dates)),
        )
        for key, quantity, description, wish, *likeness in entries.order_by("pk").values_list(*names):
            if key not in found and tuple(likeness) in likely:
                before[tuple(likeness)].append((key, quantity, description, wish))
    changed = []
    for likeness, entries in before.items():
        for row in likely[likeness]:
            row.left_out = mapping.answer("changed") != "add"
            nearest = max(entries, key=lambda each: (each[2] == row.description, each[1] == row.quantity))
            changed.append(Changed(row, *nearest))
    return sorted(changed, key=lambda each: each.row.number)


# What makes the same work of two, beside hours and text.
_LIKE = (
    "transaction_class",
    "date",
    "project_id",
    "task_id",
    "resource_id",
    "product_id",
    "cost_currency",
    "cost_net",
)


def _likeness(row) -> tuple:
    content = dict(zip(STORED, row.content(), strict=True))
    return tuple(content[name] for name in _LIKE)
