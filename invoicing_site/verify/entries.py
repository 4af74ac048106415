"""Entries compared with their actuals: one set while approved, with the same values."""

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery

from actuals.models import Actual, Batch, Entry
from contracts.models import LegalEntity
from invoicing_site.floor.querysets import lacks
from invoicing_site.verify.finding import CHUNK, Finding, where

_Status = Entry.Status
_APPROVED = (_Status.APPROVED, _Status.RECALL)
# The fields that an actual copies from its entry; the quantity applies to the cost only.
_COPIED = (
    "date",
    "project",
    "task",
    "resource",
    "category",
    "product",
    "unit",
    "transaction_class",
)


def entries(entity: LegalEntity):
    """ENTRY: an approved entry has one live cost and one set of sales; other entries have no live actuals.

    Actuals that are not reversed are live. Sales that confirming reversed also count, because they are
    billed.
    """
    for key, problem in _problems(entity):
        yield Finding("ENTRY", entity.code, str(key), where(Entry, key), f"Entry {key} {problem}.")


def _problems(entity):
    facts = Actual.objects.filter(entity=entity, entry__isnull=False, reverses=None)
    live = facts.filter(lacks(Actual, "reversed_by"))
    costs = live.filter(type=Actual.Type.COST)
    yield from _made_twice(facts, costs)
    mine = Entry.objects.filter(entity=entity)
    # The actuals of a corrected entry belong to the entry that corrects it (APP-6).
    without = mine.filter(
        ~Exists(costs.filter(entry=OuterRef("pk"))), lacks(Entry, "corrected_by"), status__in=_APPROVED
    )
    for key in without.order_by("pk").values_list("pk", flat=True):
        yield key, "is approved but has no valid cost actual"
    idle = mine.filter(Exists(live.filter(entry=OuterRef("pk")))).exclude(status__in=_APPROVED)
    for row in idle.order_by("pk"):
        yield row.pk, f"is {row.get_status_display()}, but has valid actuals"
    yield from _decided_by_another(mine)
    yield from _unlike(live)


def _decided_by_another(mine):
    """Compare the approver on the entry, which can be changed, with that of the batch, which can't."""
    made = Actual.objects.filter(
        entry=OuterRef("pk"), type=Actual.Type.COST, batch__action=Batch.Action.APPROVE
    )
    approved = mine.filter(Exists(made), status__in=_APPROVED)
    approved = approved.annotate(approver=Subquery(made.order_by("-pk").values("batch__by")[:1]))
    unlike = approved.exclude(Q(decided_by=F("approver")) | Q(decided_by__isnull=True, approver__isnull=True))
    for key in unlike.order_by("pk").values_list("pk", flat=True):
        yield key, "was approved by somebody other than the entry shows"


def _made_twice(facts, costs):
    counted = costs.order_by("entry").values("entry").annotate(n=Count("pk"))
    for key, count in counted.filter(n__gt=1).values_list("entry", "n"):
        yield key, f"has {count} valid cost actuals"
    # Billed once, unless it was returned and its approval then canceled (APP-5, PRP-6).
    canceled = Exists(
        Actual.objects.filter(replaces=OuterRef("pk"), reversed_by__batch__action=Batch.Action.CANCEL)
    )
    billed = Q(reversed_by__detail_actual__isnull=False) & ~canceled
    sales = facts.filter(
        lacks(Actual, "reversed_by") | billed,
        lacks(Actual, "detail_actual"),
        type=Actual.Type.UNBILLED_SALES,
        replaces=None,
    )
    by_share = ("entry", "contract_customer", "billing_type")
    shares = sales.order_by(*by_share).values(*by_share).annotate(n=Count("pk"))
    twice = set(shares.filter(n__gt=1).values_list("entry", flat=True))
    whole = sales.order_by("entry").values("entry")
    whole = whole.annotate(contracts=Count("contract", distinct=True), costs=Count("cost", distinct=True))
    twice |= set(whole.filter(Q(contracts__gt=1) | Q(costs__gt=1)).values_list("entry", flat=True))
    for key in sorted(twice):
        yield key, "has more than one set of sales"


def _unlike(live):
    """Compare in Python, because in SQL NULL is not equal to NULL."""
    # Confirming copies values from the draft, and the replacement of a share can have a new date.
    rows = live.filter(lacks(Actual, "detail_actual"), replaces=None).exclude(
        batch__action=Batch.Action.CORRECT
    )
    rows = rows.order_by("pk").values_list(
        "pk",
        "type",
        "entry",
        "quantity",
        "entry__quantity",
        *_COPIED,
        *(f"entry__{name}" for name in _COPIED),
    )
    half = len(_COPIED)
    for key, kind, entry, quantity, entered, *values in rows.iterator(chunk_size=CHUNK):
        pairs = zip(_COPIED, values[:half], values[half:], strict=True)
        unlike = [name for name, own, should in pairs if own != should]
        if kind == Actual.Type.COST and quantity != entered:
            unlike.insert(0, "quantity")
        if unlike:
            names = ", ".join(name.replace("_", " ") for name in unlike)
            yield entry, f"and its actual {key} differ: {names}"
