"""Control accounts compared with subledgers, work in progress with invoices; settlements."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q

from actuals.models import Actual
from contracts.models import Customer, LegalEntity, Project
from invoicing_site.floor.querysets import ExactSum, in_chunks, lacks, totals
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from ledger.books.settling import closing_days
from ledger.invoicing.disbursements import disbursement_entries
from ledger.models import (
    Account,
    CustomerInvoice,
    CustomerTransaction,
    LedgerEntry,
    ProjectTransaction,
    Settlement,
    Voucher,
)
from ledger.reports import compared
from proforma.models import LineDetail

_Control = Account.Control
_Kind = ProjectTransaction.Kind


def customers(entity: LegalEntity):
    """CONTROL: the balance of customers in the ledger and in their subledger, by customer and currency."""
    yield from _compared(entity, Customer, _Control.CUSTOMER, "customer", "the customer control accounts")


def projects(entity: LegalEntity):
    """CONTROL: work in progress and disbursements in the ledger and in the project subledger."""
    for control in (_Control.WIP_SALES, _Control.WIP_COST, _Control.ON_ACCOUNT, _Control.DISBURSEMENT):
        yield from _compared(entity, Project, control, "project", f"the accounts of the {control.label}")


def _compared(entity, model, control, what, accounts):
    names = {row.pk: str(row) for row in model.objects.filter(entity=entity)}
    for row in compared(entity, control):
        if row.agrees:
            continue
        key = row.key
        if key is None:
            sentence = f"Entries of {amount(row.ledger, row.currency)} on {accounts} have no {what}."
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
    """WIP: an accrual stays until its invoice is posted and is then reversed (invariant 4)."""
    accrued = ProjectTransaction.objects.filter(
        voucher__entity=entity, kind=_Kind.ACCRUED, actual__isnull=False
    )
    # Join through the proforma: work that is not charged has no invoice line (PST-10).
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
                f"of {amount(row['journal'], own)} is not reversed."
            )
        elif not row["is_invoiced"] and row["invoice"]:
            sentence = (
                f"Actual {row['actual']} is on no posted invoice, but an invoice reversed "
                f"{amount(-row['invoice'], own)} of its accrual."
            )
        else:
            continue
        yield Finding("WIP", entity.code, str(row["actual"]), key, sentence)


def disbursements(entity: LegalEntity):
    """DISBURSEMENT: when all disbursements of a project are billed, their account has no balance (PST-10).

    Each project is checked as a whole, because an invoice clears many by one entry. Projects with
    disbursements that are not billed yet, or that were edited, credited or reversed, are skipped. In a
    project without booked disbursements, a credit balance is a finding.
    """
    booked = disbursement_entries().filter(voucher__entity=entity)
    costs = Actual.objects.filter(journal_line__voucher__entries__in=booked)
    accounts = Account.objects.filter(entity=entity, control=Account.Control.DISBURSEMENT)
    touched = LedgerEntry.objects.filter(account__in=accounts, voucher__kind=Voucher.Kind.INVOICE)
    with_cost = set(costs.values_list("project", flat=True))
    projects = with_cost | set(touched.exclude(project=None).values_list("project", flat=True))
    left = (
        LedgerEntry.objects.filter(
            voucher__entity=entity,
            voucher__kind__in=[Voucher.Kind.JOURNAL, Voucher.Kind.INVOICE],
            account__in={*booked.values_list("account", flat=True), *accounts.values_list("pk", flat=True)},
            project__in=projects - _with_unsettled_disbursements(entity, costs),
        )
        .order_by("project", "account__number", "currency")
        .values_list("project", "account", "currency")
        .annotate(
            *(ExactSum(side) for side in ("debit", "credit", "accounting_debit", "accounting_credit")),
        )
    )
    own = entity.currency
    # Subtracted here: SQLite would subtract floats.
    left = [
        (*place, debit - credit, accounting_debit - accounting_credit)
        for *place, debit, credit, accounting_debit, accounting_credit in left
    ]
    left = [row for row in left if (row[3] or row[4] if row[0] in with_cost else row[4] < 0)]
    projects = Project.objects.in_bulk({row[0] for row in left})
    accounts = Account.objects.in_bulk({row[1] for row in left})
    for project, account, currency, stands, in_books in left:
        what = amount(stands, currency) if stands else amount(in_books, own)
        yield Finding(
            "DISBURSEMENT",
            entity.code,
            projects[project].code,
            where(Project, project),
            f"All disbursements of project {projects[project]} are billed, but {what} of them is still on "
            f"account {accounts[account]}.",
        )


def _with_unsettled_disbursements(entity, costs) -> set:
    by_journal = Actual.BookedBy.JOURNAL
    live = costs.filter(lacks(Actual, "reversed_by"), reverses=None)
    sales = Actual.objects.filter(
        cost__in=live, type=Actual.Type.UNBILLED_SALES, booked_by=by_journal, reverses=None
    ).exclude(reversed_by__booked_by=by_journal)
    billed = sales.filter(
        lacks(LineDetail, "corrected_by", of="backlog_item__detail"),
        backlog_item__detail__line__proforma__proposal__invoice__isnull=False,
    )
    canceled = costs.filter(reversed_by__isnull=False)
    unsettled = (
        live.exclude(pk__in=sales.values("cost")),
        sales.exclude(pk__in=billed.values("pk")),
        canceled.filter(~Exists(Voucher.objects.filter(journal_line__actual__reverses=OuterRef("pk")))),
        canceled.filter(sales__backlog_item__detail__isnull=False),
        Actual.objects.filter(
            entity=entity, type=Actual.Type.BILLED_SALES, category__is_disbursement=True, cost=None
        ),
    )
    return {key for rows in unsettled for key in rows.values_list("project", flat=True)}


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
            f"Settlement {key} settles transactions of different customers or currencies.",
        )
    settled = defaultdict(Decimal)
    for side, sign in (("debit", 1), ("credit", -1)):
        for key, total in totals(rows, by=side).items():
            settled[key] += sign * total
    by_key = CustomerTransaction.objects.in_bulk
    yield from _closed(entity)
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


def _closed(entity):
    """A transaction is closed from the day from which its settlements add up to it, and otherwise open."""
    own = CustomerTransaction.objects.filter(voucher__entity=entity)
    stored = dict(own.exclude(closed_on=None).values_list("pk", "closed_on"))
    days = closing_days(own)
    wrong = [key for key in sorted({*stored, *days}) if stored.get(key) != days.get(key)]
    for row in (row for keys in in_chunks(wrong, CHUNK) for row in own.filter(pk__in=keys).order_by("pk")):
        yield Finding(
            "SETTLED",
            entity.code,
            row.document_number,
            where(CustomerTransaction, row.pk),
            f"{row} is stored as {_since(row.closed_on)}, but by its settlements it is "
            f"{_since(days.get(row.pk))}. The command rebuild_balances corrects it.",
        )


def _since(day):
    return f"closed since {day}" if day else "open"
