"""Which rows already have an entry, and which rows differ from an entry that was imported before (IMP-1)."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from actuals.importing.mapping import Mapping
from actuals.importing.rows import STORED, Problem, Row
from actuals.models import BillingType, Entry
from invoicing_site.floor import formatting
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.floor.reasons import Reason

_CHUNK = 5000
_STATE = ("status", "billing_type", "imported_billing")
_MADE_UP = "content-"
# An entry can differ from a row in these fields and still be the same work.
CHANGEABLE = ("quantity", "description", "internal_comment", "imported_billing")
# The names of these fields in messages.
_LABELS = {
    "imported_billing": "billing",
    "transaction_class": "class",
    "internal_comment": "comment",
    "cost_currency": "currency",
    "cost_net": "amount",
    "cost_tax": "tax",
    "cost_tax_deductible": "deductible tax",
    "sales_price": "price",
}


_Status = Entry.Status
_BILLING = {
    "": "billable",
    Entry.ImportedBilling.COST_ONLY: "cost only",
    Entry.ImportedBilling.NON_CHARGEABLE: "non-chargeable",
}
_APPROVED = (_Status.APPROVED, _Status.RECALL)
# What a user can do if an import can't change the entry: for changed billing, and for hours and text.
_BILLING_WAYS = {
    _Status.SUBMITTED: "Submitted: the approver can choose the billing type.",
    _Status.REJECTED: "Rejected: the approver can choose the billing type after it is submitted again.",
    **dict.fromkeys(_APPROVED, "Approved: cancel its approval to choose another billing type."),
}
_WAYS = {
    _Status.SUBMITTED: "Submitted: an import can change it after its owner recalls it.",
    _Status.REJECTED: "Rejected: its owner can change it and submit it again.",
    **dict.fromkeys(
        _APPROVED,
        "Approved: an import can change it after its approval is canceled and it is recalled.",
    ),
}


@dataclass(frozen=True)
class Changed:
    """A row that differs from an imported entry in hours, text or imported billing only."""

    row: Row
    entry_id: int
    quantity: Decimal
    description: str
    imported_billing: str
    status: str
    differing: tuple[str, ...] = ()  # if the row has the id of the entry

    @property
    def can_change(self) -> bool:
        """Whether an import may change the entry: it has the row's id, is a draft, its project is open."""
        return self.row.is_there and self.status == _Status.DRAFT and self.row.project.is_open

    @property
    def way(self) -> str:
        """What the user can do about it."""
        if not self.row.is_there:
            return "The row has no id, so it may be other work. Add it, or ask the owner to change the entry."
        if self.can_change:
            return "The import changes it." if self.row.before else "Draft: an import can change it."
        if self.status == _Status.DRAFT:
            return "Its project is closed for entries: an import can change it after the project is opened."
        ways = _BILLING_WAYS if self.differing == ("imported_billing",) else _WAYS
        return ways[self.status]

    @property
    def billing(self) -> tuple[str, str]:
        """The imported billing of the entry and of the row, if they differ."""
        same = self.imported_billing == self.row.imported_billing
        return ("", "") if same else (_BILLING[self.imported_billing], _BILLING[self.row.imported_billing])

    def as_json(self) -> dict:
        return {
            "row": self.row.number,
            "entry": self.entry_id,
            "was": formatting.typed(self.quantity),
            "is": formatting.typed(self.row.quantity),
            "billing_was": self.billing[0],
            "billing_is": self.billing[1],
            "status": self.status,
            "way": self.way,
        }


def compare(
    rows, entity, mapping: Mapping, reader, own=(), within=None
) -> tuple[list[Changed], list[Problem]]:
    """Link rows to their existing entries, and find those that differ from their entry.

    A row differs from the entry with the same id either as a change (only in fields that can change) or as an
    error. A change is left out unless the entry can be changed and the choice says so. Ids are unique per
    program. If the entry comes from an import of this same file (`own`, the keys of those imports), the
    difference is an edit in Ledgerline, so the row only gets a warning. For an entry on a project outside
    `within`, nothing but the existence of the id is reported.
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
        names = ("external_program", "external_id", "pk", "source", *_STATE, *STORED)
        for program, external_id, key, source, status, billing_type, billing, *stored in entries.values_list(
            *names
        ):
            row = by_id.get((program, external_id))
            if row is None:
                continue
            row.entry_id = key
            theirs = dict(zip(STORED, stored, strict=True))
            if within is not None and theirs["project_id"] not in within:
                if program:
                    errors.append(_out_of_reach(row))
                else:  # moved to that project after it was imported
                    reader.odd(row.number, "", Reason("ENTRY-STAYS"))
                continue
            ours = dict(zip(STORED, row.content(), strict=True))
            if row.category is None:  # it has the default category, or one that a user selected
                ours["category_id"] = theirs["category_id"]
            differing = [name for name in STORED if ours[name] != theirs[name]]
            if differing and (not program or source in own):
                reader.odd(row.number, "", Reason("ENTRY-STAYS"))
                differing = []
            # The billing of a flagged row is unknown until its choice is answered. A repeated file never
            # changes it.
            is_known = source not in own and (not row.flag or mapping.answer(row.flag))
            if is_known and row.imported_billing != billing and not _is_decided(row, status, billing_type):
                differing.append("imported_billing")
            if not differing:
                continue
            if set(CHANGEABLE).issuperset(differing):
                here = theirs["quantity"], theirs["description"], billing, status
                each = Changed(row, key, *here, tuple(differing))
                changed.append(each)
                if each.can_change and mapping.answer("changed") == "change":
                    row.before = {name: {**theirs, "imported_billing": billing}[name] for name in differing}
                row.left_out = not row.before
            else:
                errors.append(_other_content(row, key, differing))
    return changed, errors


def _is_decided(row, status, billing_type) -> bool:
    """Whether the approver has already decided what the row requests."""
    said = BillingType.NON_CHARGEABLE if row.imported_billing else BillingType.CHARGEABLE
    return status in _APPROVED and billing_type == said


def _identify(rows):
    """Give rows without an id one that is calculated from their content and a counter of identical rows.

    So the same file, or a longer one with the same rows, finds its entries again, even if it is read as the
    file of another program.
    """
    times = defaultdict(int)
    for row in rows:
        if not row.external_id:
            identity = hashlib.sha256(row.identity().encode()).hexdigest()[:32]
            times[identity] += 1
            row.external_id = f"{_MADE_UP}{identity}-{times[identity]}"


def _other_content(row, key, differing) -> Problem:
    names = [_LABELS.get(name, name).removesuffix("_id") for name in differing]
    if row.external_program:
        reason = Reason("ID-OTHER-CONTENT", id=row.external_id, entry=str(key), fields=names)
        return Problem(row.number, "external_id", reason)
    return Problem(row.number, "", Reason("ROW-OTHER-CONTENT", entry=str(key), fields=names))


def _out_of_reach(row) -> Problem:
    return Problem(row.number, "external_id", Reason("ID-NOT-MANAGED", id=row.external_id))


def find_changed(rows, entity, mapping: Mapping) -> list[Changed]:
    """New rows without an id that differ from an imported entry in hours, text or imported billing only.

    Such an entry was imported from the same program and matches no row of this file exactly. The rows are
    left out unless the choice says otherwise.
    """
    likely = defaultdict(list)
    for row in rows:
        if row.is_new and not row.external_program and row.project.pk is not None:
            likely[_likeness(row)].append(row)
    if not likely:
        return []
    found = {row.entry_id for row in rows if row.is_there}
    dates = [row.date for same in likely.values() for row in same]
    names = ("pk", "quantity", "description", "imported_billing", "status", *_LIKE)
    before = defaultdict(list)
    for chunk in in_chunks({row.project.pk for same in likely.values() for row in same}, _CHUNK):
        entries = Entry.objects.filter(
            entity=entity,
            source__format=mapping.format,
            external_program="",
            project__in=chunk,
            date__range=(min(dates), max(dates)),
        )
        found_entries = entries.order_by("pk").values_list(*names)
        for key, quantity, description, billing, status, *likeness in found_entries:
            if key not in found and tuple(likeness) in likely:
                before[tuple(likeness)].append((key, quantity, description, billing, status))
    changed = []
    for likeness, entries in before.items():
        for row in likely[likeness]:
            row.left_out = mapping.answer("changed") != "add"
            nearest = max(entries, key=lambda each: (each[2] == row.description, each[1] == row.quantity))
            changed.append(Changed(row, *nearest))
    return sorted(changed, key=lambda each: each.row.number)


# Rows that are equal in these fields are the same work, even if hours and text differ.
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
