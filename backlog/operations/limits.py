"""Testing work again that failed a limit, after the limit was raised or amounts became free."""

from collections import Counter
from typing import NamedTuple

from actuals.models import BillingType
from backlog import obstacles
from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.obstacles import LeftAlone
from contracts.models import ProjectContract
from invoicing_site.floor import audit, moves, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks

LimitStatus = BacklogItem.LimitStatus
_CHUNK = 5000


class Evaluated(NamedTuple):
    """The number of rows that fit their limits now, of those that don't, and of unchanged ones by reason."""

    fitting: int
    failed: int
    left: list[LeftAlone]

    @property
    def reasons(self) -> dict[str, int]:
        """The number of rows that did not fit or were not changed, by reason as text."""
        return obstacles.in_words(self.left)


@transaction.atomic
def evaluate(items, *, by) -> Evaluated:
    """Test the items against their contracts' limits again, the oldest work first (NTE-1, NTE-3).

    Not tested, but counted: items that are already committed, not chargeable, or not in the status not ready.
    Under the contracts' locks no other transaction can use the amounts that are left (NTE-4).
    """
    pks = [item.pk for item in items]
    if not pks:
        raise Refused("NOTHING-SELECTED")
    keys = {item.contract_id for item in items}
    contracts = list(ProjectContract.objects.locked().filter(pk__in=keys).select_related("entity"))
    books = LimitBook.load_many(contracts)
    chosen = [
        item
        for chunk in in_chunks(pks, _CHUNK)
        for item in BacklogItem.objects.filter(pk__in=chunk).select_related("actual")
    ]
    alone: Counter[str] = Counter()
    tested = []
    for item in sorted(chosen, key=lambda item: (item.date, item.pk)):
        if code := _left_alone(item):
            alone[code] += 1
        else:
            books[item.contract_id].test_item(item)
            tested.append(item)
    BacklogItem.objects.bulk_update(
        tested, ["limit_status", "limit_level", "limit_over"], batch_size=_CHUNK // 10
    )
    over = [item.pk for item in tested if item.limit_status == LimitStatus.FAILED]
    left = obstacles.over_limits(BacklogItem.objects.filter(pk__in=over))
    left += [LeftAlone(code, n) for code, n in alone.items()]
    counts = Counter(item.contract_id for item in tested)
    for contract in contracts:
        if n := counts[contract.pk]:
            audit.record("backlog.evaluate", contract, by=by, entity=contract.entity.code, tested=n)
    return Evaluated(len(tested) - len(over), len(over), left)


def _left_alone(item) -> str:
    if not moves.allows(item, "evaluate"):
        return obstacles.BY_STATUS[item.status]
    if item.actual is None or item.actual.billing_type != BillingType.CHARGEABLE:
        return "NOT-CHARGEABLE-WORK"
    return "WITHIN-ITS-LIMITS" if item.limit_status == LimitStatus.COMMITTED else ""
