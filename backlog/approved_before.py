"""Approved work without a contract line, and which of it a draft contract would cover (CON-6)."""

from typing import NamedTuple

from django.db.models import Count

from actuals.models import Actual, Entry
from backlog.valuation import (
    covering,
    outside_of,
)
from contracts.chargeability import Coverage
from invoicing_site.floor.querysets import lacks


def newly_covered(contract):
    """The costs without a line, each with the contract's line that covers it now, in order of the work."""
    uncovered = _uncovered(contract).select_related("entry__resource", "price_decision")
    uncovered = uncovered.order_by("date", "pk")
    coverage = Coverage.load(contract.entity, contract.lines.values_list("project_id", flat=True))
    found = ((cost, _covered(coverage, cost.entry, contract)) for cost in uncovered)
    return [(cost, covered) for cost, covered in found if covered]


def _covered(coverage, entry, contract):
    """The line of the contract that covers an approved entry, with the approver's billing type; or None."""
    covered = covering(coverage, entry, entry.billing_type)
    return covered if covered and covered.line.contract_id == contract.pk else None


def _uncovered(contract):
    """The costs of approved entries on the contract's projects that no line covers."""
    return Actual.objects.filter(
        lacks(Actual, "reversed_by"),
        type=Actual.Type.COST,
        project__in=contract.lines.values("project"),
        entry__status__in=[Entry.Status.APPROVED, Entry.Status.RECALL],
        reverses=None,
        contract_line=None,
    )


# The values that decide whether a line covers an approved entry.
_WORK = ("transaction_class", "project_id", "task_id", "date", "imported_billing", "billing_type")


class ApprovedBefore(NamedTuple):
    """The numbers of entries approved before a contract is confirmed, by what confirming does with them."""

    covered: int
    outside: int  # a line covers such work, but not on that day (CON-12)


def approved_before(contract) -> ApprovedBefore:
    """The entries that confirming the draft would cover, and those outside its dates; two queries."""
    coverage, covered, outside = Coverage.of_contract(contract), 0, 0
    work = [f"entry__{name}" for name in _WORK]
    for *values, n in _uncovered(contract).order_by().values_list(*work).annotate(n=Count("pk")):
        entry = Entry(**dict(zip(_WORK, values, strict=True)))
        if _covered(coverage, entry, contract):
            covered += n
        elif outside_of(coverage, entry):
            outside += n
    return ApprovedBefore(covered, outside)
