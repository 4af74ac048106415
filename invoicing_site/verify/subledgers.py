"""Control accounts against their subledgers, work in progress against invoices, settlements."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q

from contracts.models import Customer, LegalEntity, Project
from invoicing_site.querysets import ExactSum, in_chunks, totals
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from ledger.models import (
    Account,
    CustomerInvoice,
    CustomerTransaction,
    ProjectTransaction,
    Settlement,
    Voucher,
)
from ledger.reports import compared

_Control = Account.Control
_Kind = ProjectTransaction.Kind


def customers(entity: LegalEntity):
    """CONTROL: what customers owe by the ledger and by their subledger, each customer and currency."""
    yield from _compared(entity, Customer, _Control.CUSTOMER, "customer", "the customer control accounts")


def projects(entity: LegalEntity):
    """CONTROL: WIP sales value and WIP cost value by the ledger and by the project subledger."""
    for control in (_Control.WIP_SALES, _Control.WIP_COST):
        yield from _compared(entity, Project, control, "project", f"the accounts of the {control.label}")


def _compared(entity, model, control, what, accounts):
    names = {row.pk: str(row) for row in model.objects.filter(entity=entity)}
    for row in compared(entity, control):
        if row.agrees:
            continue
        key = row.key
        if key is None:
            sentence = f"Entries of {amount(row.ledger, row.currency)} on {accounts} name no {what}."
        else:
            sides, unit = (row.ledger, row.subledger), row.currency
            if row.ledger == row.subledger:
                sides, unit = (row.accounting_ledger, row.accounting_subledger), entity.currency
            sentence = (
                f"{what.capitalize()} {names.get(key, key)} has {amount(sides[0], unit)} on {accounts} "
                f"and {amount(sides[1], unit)} in the {what} subledger."
            )
        yield Finding("CONTROL", entity.code, names.get(key, ""), where(model, key) if key else "", sentence)


def work_in_progress(entity: LegalEntity):
    """WIP: what was accrued stands until its invoice is posted, and is gone from then on (invariant 4)."""
    accrued = ProjectTransaction.objects.filter(
        voucher__entity=entity, kind=_Kind.ACCRUED, actual__isnull=False
    )
    # By way of the proforma: work that was not charged has no line of its own (PST-10).
    posted = CustomerInvoice.objects.filter(
        proposal__proforma__lines__details__backlog_item__actual=OuterRef("actual")
    )
    rows = (
        accrued.annotate(is_invoiced=Exists(posted))
        .order_by("actual")
        .values("actual", "is_invoiced")
        .annotate(
            journal=ExactSum("accounting_amount", filter=Q(voucher__kind=Voucher.Kind.JOURNAL)),
            invoice=ExactSum("accounting_amount", filter=Q(voucher__kind=Voucher.Kind.INVOICE)),
        )
    )
    own = entity.currency
    for row in rows.exclude(is_invoiced=True, journal=-F("invoice")).exclude(is_invoiced=False, invoice=0):
        stands = row["journal"] + row["invoice"]
        key = f"actuals.actual:{row['actual']}"
        if row["is_invoiced"] and stands:
            sentence = (
                f"Actual {row['actual']} is on a posted invoice, and {amount(stands, own)} of its accrual "
                f"of {amount(row['journal'], own)} still stands."
            )
        elif not row["is_invoiced"] and row["invoice"]:
            sentence = (
                f"Of the accrual of actual {row['actual']} {amount(-row['invoice'], own)} was reversed by an "
                "invoice, and it is on no posted invoice."
            )
        else:
            continue
        yield Finding("WIP", entity.code, str(row["actual"]), key, sentence)


def settlements(entity: LegalEntity):
    """SETTLED: what is set off is one customer's, in one currency, and never more than there is."""
    rows = Settlement.objects.filter(debit__voucher__entity=entity)
    strangers = rows.exclude(debit__customer=F("credit__customer"), debit__currency=F("credit__currency"))
    for key in strangers.values_list("pk", flat=True):
        yield Finding(
            "SETTLED",
            entity.code,
            "",
            where(Settlement, key),
            f"Settlement {key} sets off transactions of different customers or currencies.",
        )
    settled = defaultdict(Decimal)
    for side, sign in (("debit", 1), ("credit", -1)):
        for key, total in totals(rows, by=side).items():
            settled[key] += sign * total
    by_key = CustomerTransaction.objects.in_bulk
    for row in (row for keys in in_chunks(settled, CHUNK) for row in by_key(keys).values()):
        taken = settled[row.pk]
        if abs(taken) > abs(row.amount) or taken * row.amount < 0:
            yield Finding(
                "SETTLED",
                entity.code,
                row.document_number,
                where(CustomerTransaction, row.pk),
                f"Of {row} of {amount(row.amount, row.currency)} {amount(taken, row.currency)} is set off.",
            )
