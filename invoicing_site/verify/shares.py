"""Actuals and shares before posting: reversals, splits, backlog items, limits."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum

from actuals.models import Actual, BillingType, Entry
from backlog.models import BacklogItem
from backlog.not_to_exceed import Level, LimitBook
from contracts.models import (
    ContractCustomer,
    ContractLine,
    LegalEntity,
    LineCustomer,
    Milestone,
    ProjectContract,
    TransactionClass,
)
from invoicing_site.floor import money
from invoicing_site.floor.querysets import ExactSum, lacks, totals
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from proforma.models import DetailActual, LimitOverride, ProformaInvoice

_Status = BacklogItem.Status
_UNBILLED = Actual.Type.UNBILLED_SALES
_NEGATED = ("quantity", "amount")
_OWN = {*_NEGATED, "id", "batch", "accounting_date", "booked_by", "reverses", "replaces"}
_SAME = tuple(field.name for field in Actual._meta.concrete_fields if field.name not in _OWN)


def reversals(entity: LegalEntity):
    """REVERSAL: a reversing actual is its negated original, with the same price, date and so on."""
    rows = (
        Actual.objects.filter(entity=entity, reverses__isnull=False)
        .order_by("pk")
        .values_list(
            "pk",
            "reverses",
            *_NEGATED,
            *_SAME,
            *(f"reverses__{name}" for name in (*_NEGATED, *_SAME)),
        )
    )
    half, negated = len(_NEGATED) + len(_SAME), len(_NEGATED)
    # Compare in Python, because in SQL NULL is not equal to NULL.
    for key, original, *values in rows.iterator(chunk_size=CHUNK):
        own, was = values[:half], values[half:]
        if own[negated:] == was[negated:] and own[:negated] == [-value for value in was[:negated]]:
            continue
        yield Finding(
            "REVERSAL",
            entity.code,
            str(key),
            where(Actual, key),
            f"Actual {key} does not mirror actual {original}, which it reverses.",
        )
    twice = Actual.objects.filter(entity=entity, reverses__reverses__isnull=False)
    for key in twice.values_list("pk", flat=True):
        yield Finding(
            "REVERSAL",
            entity.code,
            str(key),
            where(Actual, key),
            f"Actual {key} reverses a reversal.",
        )


def splits(entity: LegalEntity):
    """SPLIT: the shares of an entry, and the parts of a milestone, add up to the whole (MON-3, MON-9)."""
    by = ("entry", "batch", "cost", "billing_type")
    shares = Actual.objects.filter(
        lacks(Actual, "detail_actual"),
        entity=entity,
        type=_UNBILLED,
        entry__isnull=False,
        split__isnull=False,
        reverses=None,
        replaces=None,
    )
    groups = (
        shares.order_by(*by)
        .values(*by)
        .annotate(
            percent=Sum("split"),
            whole=ExactSum("quantity"),
            total=ExactSum("amount"),
            lowest=Min("price"),
            highest=Max("price"),
            currency=Max("currency"),
            n=Count("pk"),
        )
    )
    for row in groups.iterator(chunk_size=CHUNK):
        entry = row["entry"]
        problem = ""
        # SQLite adds percentages as floats; splits have at most six decimals.
        percent = money.rounded_percent(Decimal(row["percent"]))
        if percent != 100:
            problem = f"add up to {amount(percent)} %"
        elif row["lowest"] == row["highest"]:
            should = money.priced(row["whole"], row["lowest"], row["currency"])
            if row["total"] != should:
                problem = f"add up to {amount(row['total'])} instead of {amount(should, row['currency'])}"
        if problem:
            yield Finding(
                "SPLIT",
                entity.code,
                str(entry),
                where(Entry, entry),
                f"The {row['n']} {BillingType(row['billing_type']).label} shares of entry {entry} {problem}.",
            )
    yield from _quantities(entity, shares)
    yield from _milestones(entity)


def _quantities(entity, shares):
    """All shares of time and material, chargeable or not, add up to the delivered or the approved quantity.

    The entry has the approved quantity of a valid approval. If the approval was canceled, its cost is
    reversed and only the actuals have that quantity: it is the delivered one or more.
    """
    delivered = (
        shares.filter(transaction_class__in=[TransactionClass.TIME, TransactionClass.MATERIAL])
        .order_by("cost")
        .values("cost", "cost__quantity", "cost__reversed_by", "entry", "entry__billable_quantity")
        .annotate(whole=ExactSum("quantity"))
    )
    for row in delivered.exclude(whole=F("cost__quantity")).iterator(chunk_size=CHUNK):
        whole, should = row["whole"], row["cost__quantity"]
        is_canceled = row["cost__reversed_by"] is not None
        if whole > should and (is_canceled or whole == row["entry__billable_quantity"]):
            continue
        yield Finding(
            "SPLIT",
            entity.code,
            str(row["entry"]),
            where(Entry, row["entry"]),
            f"The shares of entry {row['entry']} add up to {amount(whole)} instead of {amount(should)}.",
        )


def _milestones(entity):
    rows = Milestone.objects.filter(line__contract__entity=entity, parts__isnull=False).annotate(
        shared=ExactSum("parts__amount", filter=Q(parts__split_from=None))
    )
    for row in rows.exclude(shared=F("amount")):
        yield Finding(
            "SPLIT",
            entity.code,
            row.name,
            where(Milestone, row.pk),
            f"The parts of milestone “{row.name}” add up to {amount(row.shared)} instead of "
            f"{amount(row.amount)}.",
        )


# Returned to the project manager: a new actual replaces the reversed one (PRP-6).
_STANDS_AGAIN = Exists(
    Actual.objects.filter(
        lacks(Actual, "reversed_by"), replaces=OuterRef("actual"), detail_actual__part=DetailActual.Part.AGAIN
    )
)


def backlog(entity: LegalEntity):
    """BACKLOG: an item agrees with its source, and its status with its claim (PRO-8)."""
    items = BacklogItem.objects.filter(contract__entity=entity)
    unlike_fact = items.filter(actual__isnull=False).exclude(
        amount=F("actual__amount"),
        currency=F("actual__currency"),
        date=F("actual__date"),
        contract=F("actual__contract"),
        contract_customer=F("actual__contract_customer"),
    )
    unlike_part = items.filter(milestone_part__isnull=False).exclude(
        amount=F("milestone_part__amount"),
        contract_line=F("milestone_part__milestone__line"),
        contract_customer=F("milestone_part__contract_customer"),
    )
    unclaimed = lacks(BacklogItem, "detail")
    claimed = Q(~unclaimed)
    confirmed = Q(detail__line__proforma__status=ProformaInvoice.Status.CONFIRMED)
    open_fact = Q(status__in=[_Status.NOT_READY, _Status.READY])
    for rows, problem in (
        (unlike_fact, "differs from its actual"),
        (unlike_part, "differs from its milestone part"),
        (items.filter(open_fact & claimed), "is open, but a proforma claims it"),
        (items.filter(claimed, status=_Status.CANCELED), "is canceled, but a proforma claims it"),
        (
            items.filter(unclaimed, status=_Status.CREATED),
            "is on a draft by its status, but no proforma claims it",
        ),
        (
            items.filter(confirmed, status=_Status.CREATED),
            "is on a draft by its status, but the proforma that claims it is confirmed",
        ),
        (
            items.filter(claimed, status=_Status.POSTED).exclude(confirmed),
            "is on a confirmed proforma by its status, but the proforma that claims it is a draft",
        ),
        (
            items.filter(unclaimed, status=_Status.POSTED).exclude(actual__batch__action="cutover"),
            "is on a confirmed proforma by its status, but no proforma claims it",
        ),
        (
            items.filter(open_fact, actual__reversed_by__isnull=False).exclude(_STANDS_AGAIN),
            "is open, but its actual was reversed",
        ),
        (
            items.filter(
                lacks(Actual, "reversed_by", of="actual"), status=_Status.CANCELED, actual__isnull=False
            ),
            "is canceled, but its actual is valid",
        ),
    ):
        for key in rows.values_list("pk", flat=True):
            yield Finding(
                "BACKLOG", entity.code, str(key), where(BacklogItem, key), f"Backlog item {key} {problem}."
            )
    without = Actual.objects.filter(
        lacks(Actual, "detail_actual"),
        lacks(Actual, "backlog_item"),
        entity=entity,
        type=_UNBILLED,
        entry__isnull=False,
        reverses=None,
    )
    for key in without.values_list("pk", flat=True):
        yield Finding(
            "BACKLOG",
            entity.code,
            str(key),
            where(Actual, key),
            f"Actual {key} can be billed but has no backlog item.",
        )


def limits(entity: LegalEntity):
    """LIMIT: committed plus invoiced is within every limit, except recorded overrides (NTE-1, PRO-6)."""
    books = _limit_books(entity)
    if not books:
        return
    committed = BacklogItem.objects.filter(
        contract__in=books,
        limit_status=BacklogItem.LimitStatus.COMMITTED,
        status__in=[_Status.NOT_READY, _Status.READY, _Status.CREATED],
        amount__gt=0,  # a negative share frees its amount only when it is billed
    )
    billed = Actual.objects.filter(
        contract__in=books, type=Actual.Type.BILLED_SALES, billing_type=BillingType.CHARGEABLE
    ).exclude(transaction_class__in=[TransactionClass.RETAINER, TransactionClass.TAX])
    where_it_counts = ("contract_id", "contract_customer_id", "contract_line_id")
    for rows, kind in ((committed, "actual__transaction_class"), (billed, "transaction_class")):
        for (contract, customer, line, what), total in totals(rows, by=(*where_it_counts, kind)).items():
            books[contract].commit(total, customer, line, is_milestone=what == TransactionClass.MILESTONE)
    overridden = defaultdict(Decimal)
    overrides = LimitOverride.objects.filter(proforma__contract__in=books)
    for contract, level, over in overrides.values_list("proforma__contract", "level", "over"):
        overridden[contract, level] = max(overridden[contract, level], over)
    codes = dict(ProjectContract.objects.filter(pk__in=books).values_list("pk", "code"))
    for contract, book in books.items():
        for key, limit in book.limits.items():
            over = book.used[key] - limit
            if over > overridden[contract, key[0]]:
                yield Finding(
                    "LIMIT",
                    entity.code,
                    codes[contract],
                    where(ProjectContract, contract),
                    f"Contract {codes[contract]} has used {amount(book.used[key])} of the limit of "
                    f"{amount(limit)} of the {Level(key[0]).label}, {amount(over)} too much.",
                )


def _limit_books(entity):
    """The limits of all contracts that have any, with nothing used yet."""
    limits = defaultdict(dict)
    mine = {"contract__entity": entity}
    for contract, limit in ProjectContract.objects.filter(entity=entity, limit__isnull=False).values_list(
        "pk", "limit"
    ):
        limits[contract][Level.CONTRACT,] = limit
    for model, level in ((ContractCustomer, Level.CUSTOMER), (ContractLine, Level.LINE)):
        rows = model.objects.filter(limit__isnull=False, **mine)
        for contract, key, limit in rows.values_list("contract", "pk", "limit"):
            limits[contract][level, key] = limit
    rows = LineCustomer.objects.filter(line__contract__entity=entity, limit__isnull=False)
    for contract, line, customer, limit in rows.values_list(
        "line__contract", "line", "contract_customer", "limit"
    ):
        limits[contract][Level.LINE_CUSTOMER, line, customer] = limit
    return {contract: LimitBook(found, defaultdict(Decimal)) for contract, found in limits.items()}
