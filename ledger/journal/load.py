"""Loads the data for adding actuals to journals and for posting lines, in a fixed number of queries."""

from django.db.models import Exists, OuterRef

from actuals.models import Actual, Batch
from contracts.models import (
    Category,
    ContractCustomer,
    ContractLine,
    Product,
    Project,
    ProjectContract,
    Resource,
)
from contracts.rates import Rates
from ledger.books.periods import PeriodBook
from ledger.journal.plan import AddingFacts, Booked, PostingFacts, Waiting
from ledger.models import DimensionSet, JournalLine, LedgerEntry, ProjectTransaction, Voucher
from ledger.setup.accounts import AccountBook, ProfileBook
from ledger.setup.dimensions import DefaultDimensions

# Batches that undo a mistake; all other batches that reverse an actual change terms or estimates (JRN-7).
_ERRORS = (Batch.Action.CANCEL, Batch.Action.CORRECT)


def waiting_actuals(keys) -> list[Waiting]:
    """The data for the lines of these actuals, in key order."""
    rows = Actual.objects.filter(pk__in=keys).order_by("pk").values_list(*Waiting._fields)
    return list(map(Waiting._make, rows))


def adding_facts(entity, actuals) -> AddingFacts:
    """The data that `plan.new_line` needs for these actuals."""

    def keys(name):
        return {key for actual in actuals if (key := getattr(actual, name)) is not None}

    behind = booked_behind(actuals)
    others = JournalLine.objects.filter(actual__in=set(behind.values())).select_related("actual")
    others = list(others.annotate(is_posted=Exists(Voucher.objects.filter(journal_line=OuterRef("pk")))))
    projects = keys("project_id")
    errors = Batch.objects.filter(pk__in=keys("batch_id"), action__in=_ERRORS)
    return AddingFacts(
        entity=entity,
        periods=PeriodBook.load(entity),
        rates=Rates.load(entity, currencies=keys("currency")),
        dimensions=DefaultDimensions.load(entity, projects, keys("contract_line_id")),
        project_tax_groups=_tax_groups(Project, projects),
        contracts=ProjectContract.objects.in_bulk(keys("contract_id")),
        customer_tax_groups=_tax_groups(
            ContractCustomer, keys("contract_customer_id"), "customer__billing_tax_group"
        ),
        category_tax_groups=_tax_groups(Category, keys("category_id"), "item_tax_group"),
        product_tax_groups=_tax_groups(Product, keys("product_id"), "item_tax_group"),
        lines={line.actual_id: line for line in others},
        currencies={line.actual_id: line.actual.currency for line in others},
        behind=behind,
        posted={line.actual_id for line in others if line.is_posted},
        errors=set(errors.values_list("pk", flat=True)),
    )


def _tax_groups(model, keys, name="billing_tax_group"):
    return dict(model.objects.filter(pk__in=keys).values_list("pk", name))


def booked_behind(actuals) -> dict[int, int]:
    """For each actual that reverses or replaces another: the nearest one in the chain that a journal books.

    After a return, a reversed actual replaces an original that is booked, and is not booked itself. One query
    for each step of the chain; the chain has one step for each replacement that no journal booked.
    """
    first = {actual.pk: actual.reverses_id or actual.replaces_id for actual in actuals}
    found, step = {}, {key: up for key, up in first.items() if up}
    while step:
        rows = Actual.objects.filter(pk__in=set(step.values()))
        facts = {pk: (booked_by, up) for pk, booked_by, up in rows.values_list("pk", "booked_by", "replaces")}
        further = {}
        for key, up in step.items():
            booked_by, next_up = facts[up]
            if booked_by == Actual.BookedBy.JOURNAL:
                found[key] = up
            elif next_up:
                further[key] = next_up
        step = further
    return found


def posting_facts(entity, periods, lines) -> PostingFacts:
    """The data for posting these lines of one journal; the caller holds the periods."""
    actuals = [line.actual for line in lines]

    def keys(name):
        return {key for actual in actuals if (key := getattr(actual, name)) is not None}

    resources = Resource.objects.filter(pk__in=keys("resource_id"))
    behind = booked_behind(actuals)
    booked, journals = _originals(set(behind.values()), lines[0].journal_id)
    return PostingFacts(
        entity=entity,
        periods=periods,
        accounts=AccountBook.load(entity),
        profiles=ProfileBook.load(entity),
        projects=Project.objects.in_bulk(keys("project_id")),
        contracts=ProjectContract.objects.in_bulk(keys("contract_id")),
        contract_lines=ContractLine.objects.in_bulk(keys("contract_line_id")),
        categories=Category.objects.in_bulk(keys("category_id")),
        resources=dict(resources.values_list("pk", "name")),
        dimensions=DimensionSet.objects.in_bulk({line.dimensions_id for line in lines} - {None}),
        behind=behind,
        journals=journals,
        booked=booked,
    )


def _originals(keys, journal_id) -> tuple[dict[int, Booked], dict[int, str]]:
    """The vouchers posted for these actuals, and the journal numbers of those in another unposted journal."""
    if not keys:
        return {}, {}
    vouchers = {
        voucher.journal_line.actual_id: voucher
        for voucher in Voucher.objects.filter(journal_line__actual__in=keys).select_related("journal_line")
    }
    booked = {actual: Booked(voucher, [], []) for actual, voucher in vouchers.items()}
    by_voucher = {original.voucher.pk: original for original in booked.values()}
    entries = LedgerEntry.objects.filter(voucher__in=by_voucher).order_by("voucher", "number")
    for entry in entries.select_related("account", "dimensions", "project"):
        by_voucher[entry.voucher_id].entries.append(entry)
    for row in ProjectTransaction.objects.filter(voucher__in=by_voucher).order_by("pk"):
        by_voucher[row.voucher_id].project_transactions.append(row)
    elsewhere = JournalLine.objects.unposted().filter(actual__in=keys).exclude(journal=journal_id)
    return booked, dict(elsewhere.values_list("actual", "journal__number"))
