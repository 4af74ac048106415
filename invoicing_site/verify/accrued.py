"""The balance of accruals: accounts, subledger and work that is still to be invoiced agree.

Section 13, invariant 4: the WIP sales value of time and material is what journals accrued and no posted
invoice has reversed. It equals the backlog plus confirmed and not posted originals, without actuals that are
not in a posted journal or not accrued, at the stored rates.
"""

from decimal import Decimal

from django.db.models import Case, Exists, F, OuterRef, Q, When

from actuals.models import Actual, Entry
from backlog.models import BacklogItem
from contracts.models import LegalEntity
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from ledger.models import Account, CustomerInvoice, JournalLine, LedgerEntry, ProjectTransaction
from proforma.models import ProformaInvoice

_ZERO = Decimal(0)
_Kind = ProjectTransaction.Kind
_Status = BacklogItem.Status
# The actuals of one share of an entry are one row, no matter how often it was approved, returned and
# canceled.
_ROW = ("actual__entry", "actual__contract_customer", "of_no_entry")
_OF_NO_ENTRY = Case(When(actual__entry=None, then=F("actual")))


def accrued(entity: LegalEntity):
    """ACCRUED: accruals equal the work that is still to be invoiced, row by row and on the accounts."""
    standing = _by_row(
        ProjectTransaction.objects.filter(voucher__entity=entity, kind=_Kind.ACCRUED, in_balance=True)
    )
    expected = _by_row(_still_to_be_invoiced(entity))
    for key in sorted(standing.keys() | expected.keys(), key=str):
        stands, should = standing.get(key, _ZERO), expected.get(key, _ZERO)
        if stands != should:
            yield _unlike(entity, key, stands, should)
    on_accounts, in_all = _on_accounts(entity), sum(standing.values(), _ZERO)
    if on_accounts != in_all:
        yield Finding(
            "ACCRUED",
            entity.code,
            "",
            "",
            f"The accounts of WIP sales value have {amount(on_accounts, entity.currency)} of time and "
            f"material, but {amount(in_all, entity.currency)} was accrued and not reversed.",
        )


def _by_row(rows) -> dict:
    found = (
        rows.order_by()
        .annotate(of_no_entry=_OF_NO_ENTRY)
        .values_list(*_ROW)
        .annotate(stands=ExactSum("accounting_amount"))
    )
    return {tuple(key): stands for *key, stands in found.iterator(chunk_size=CHUNK) if stands}


def _still_to_be_invoiced(entity):
    """The journal lines of accrued originals that are in the backlog or on an unposted document.

    The accrual of a canceled one stays until a journal has reversed it. A reversal that waits for a journal
    and has the amount of one that is reversed already belongs to a later approval of the same entry.
    """
    items = BacklogItem.objects.filter(actual=OuterRef("actual"))
    confirmed = items.filter(
        status=_Status.POSTED, detail__line__proforma__status=ProformaInvoice.Status.CONFIRMED
    )
    invoiced = CustomerInvoice.objects.filter(
        proposal__proforma__lines__details__backlog_item__actual=OuterRef("actual")
    )
    canceled = Actual.objects.filter(
        Q(entry=OuterRef("actual__entry"), contract_customer=OuterRef("actual__contract_customer"))
        | Q(reverses=OuterRef("actual")),
        type=Actual.Type.UNBILLED_SALES,
        booked_by=Actual.BookedBy.JOURNAL,
        reverses__isnull=False,
    )
    waits = canceled.filter(amount=-OuterRef("actual__amount")).exclude(
        pk__in=JournalLine.objects.posted().values("actual")
    )
    reversed_itself = Exists(JournalLine.objects.posted().filter(actual__reverses=OuterRef("actual")))
    not_accrued = ProjectTransaction.objects.filter(voucher=OuterRef("voucher"), kind=_Kind.UNBILLED)
    return (
        JournalLine.objects.posted()
        .filter(
            journal__entity=entity,
            actual__type=Actual.Type.UNBILLED_SALES,
            actual__reverses=None,
        )
        .filter(
            Exists(items.filter(status__in=[_Status.NOT_READY, _Status.READY, _Status.CREATED]))
            | Exists(confirmed) & ~Exists(invoiced)
            | Exists(items.filter(status=_Status.CANCELED)) & Exists(waits) & ~reversed_itself
        )
        .exclude(Exists(not_accrued))
    )


def _on_accounts(entity) -> Decimal:
    entries = LedgerEntry.objects.filter(
        voucher__entity=entity, account__control=Account.Control.WIP_SALES
    ).aggregate(debit=ExactSum("accounting_debit"), credit=ExactSum("accounting_credit"))
    recognized = ProjectTransaction.objects.filter(
        voucher__entity=entity, kind=_Kind.RECOGNIZED, in_balance=True
    ).aggregate(sum=ExactSum("accounting_amount"))
    return (entries["debit"] or _ZERO) - (entries["credit"] or _ZERO) - (recognized["sum"] or _ZERO)


def _unlike(entity, key, stands, should):
    entry, _, actual = key
    model, number, what = (Entry, entry, "Entry") if entry else (Actual, actual, "Actual")
    own = entity.currency
    return Finding(
        "ACCRUED",
        entity.code,
        str(number),
        where(model, number),
        f"{what} {number} has an accrual of {amount(stands, own)}, but "
        f"{amount(should, own)} of its journal lines is still to be invoiced.",
    )
