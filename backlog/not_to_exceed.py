"""Not-to-exceed limits: the used amount of each, and whether another amount fits (NTE-1, CON-5).

The used amount at a level is the committed chargeable unbilled sales that are not billed yet, plus the
chargeable billed sales net of credits. Milestones count for the contract customer and the contract; tax and
retainers never count. Under the contract's lock, no other transaction can use the amount that the book shows
as left (NTE-4).
"""

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from actuals.models import Actual, BillingType
from backlog.models import BacklogItem
from contracts.models import ContractCustomer, ContractLine, LineCustomer, TransactionClass
from invoicing_site.floor.querysets import totals

LimitStatus = BacklogItem.LimitStatus
Level = BacklogItem.LimitLevel

_NEVER_COUNT = [TransactionClass.RETAINER, TransactionClass.TAX]


class Verdict(NamedTuple):
    """The result of a test; if it failed, the level with the largest excess, its limit, and the excess."""

    status: LimitStatus
    level: str = ""
    limit: Decimal | None = None
    over: Decimal | None = None

    @property
    def failed(self):
        return self.status == LimitStatus.FAILED


class LimitBook:
    """The limits of one contract and their used amounts now, in the contract's currency."""

    def __init__(self, limits, used):
        self.limits = limits
        self.used = used

    @classmethod
    def load(cls, contract):
        return cls.load_many([contract])[contract.pk]

    @classmethod
    def load_many(cls, contracts):
        """The books of several contracts by contract key; as many queries as for one."""
        books = {pk: cls(limits, defaultdict(Decimal)) for pk, limits in _limits_of(contracts).items()}
        limited = [pk for pk, book in books.items() if book.limits]
        for (contract, customer, line, kind), amount in _used(limited).items():
            is_milestone = kind == TransactionClass.MILESTONE
            books[contract].commit(amount, customer, line, is_milestone=is_milestone)
        return books

    def copy(self):
        """A copy of the book, to try amounts without changing the original."""
        return LimitBook(self.limits, defaultdict(Decimal, self.used))

    def test(self, amount, contract_customer_id, line_id, *, is_milestone=False) -> Verdict:
        """Whether the additional amount fits within every limit that is set."""
        worst = None
        keys = [key for key in _keys(contract_customer_id, line_id, is_milestone) if key in self.limits]
        for key in keys:
            over = self.used[key] + amount - self.limits[key]
            if over > 0 and (worst is None or over > worst.over):
                worst = Verdict(LimitStatus.FAILED, key[0], self.limits[key], over)
        if worst:
            return worst
        return Verdict(LimitStatus.COMMITTED if keys else LimitStatus.NOT_APPLICABLE)

    def commit(self, amount, contract_customer_id, line_id, *, is_milestone=False):
        """Add the amount to the used amount of each level that it belongs to."""
        for key in _keys(contract_customer_id, line_id, is_milestone):
            self.used[key] += amount

    def test_item(self, item):
        """Test an item of chargeable work, store the result on it, and use the amount if it fits."""
        where = item.contract_customer_id, item.contract_line_id
        verdict = self.test(item.amount, *where)
        item.limit_status = verdict.status
        item.limit_level, item.limit_over = (verdict.level, verdict.over) if verdict.failed else ("", None)
        # A negative share frees its amount only when it is billed.
        if verdict.status == LimitStatus.COMMITTED and item.amount > 0:
            self.commit(item.amount, *where)

    def left(self, level, *ids):
        """The unused amount of one limit; None if no limit is set."""
        key = (level, *ids)
        return self.limits[key] - self.used[key] if key in self.limits else None


def _keys(contract_customer_id, line_id, is_milestone):
    if not is_milestone:
        yield Level.LINE_CUSTOMER, line_id, contract_customer_id
        yield Level.LINE, line_id
    yield Level.CUSTOMER, contract_customer_id
    yield (Level.CONTRACT,)


def _limits_of(contracts):
    limits = {contract.pk: {} for contract in contracts}
    for contract in contracts:
        if contract.limit is not None:
            limits[contract.pk][(Level.CONTRACT,)] = contract.limit
    for customer in ContractCustomer.objects.filter(contract__in=limits, limit__isnull=False):
        limits[customer.contract_id][Level.CUSTOMER, customer.pk] = customer.limit
    for line in ContractLine.objects.filter(contract__in=limits, limit__isnull=False):
        limits[line.contract_id][Level.LINE, line.pk] = line.limit
    shares = LineCustomer.objects.filter(line__contract__in=limits, limit__isnull=False)
    for share in shares.select_related("line"):
        level = Level.LINE_CUSTOMER, share.line_id, share.contract_customer_id
        limits[share.line.contract_id][level] = share.limit
    return limits


def _used(contracts):
    """Amounts by contract, contract customer, contract line and transaction class."""
    used = defaultdict(Decimal)
    if not contracts:
        return used
    # A negative share frees its amount only when it is billed, because until then it can be canceled.
    committed = BacklogItem.objects.filter(
        contract__in=contracts,
        limit_status=LimitStatus.COMMITTED,
        status__in=["not_ready", "ready", "created"],
        amount__gt=0,
    )
    by = ("contract_id", "contract_customer_id", "contract_line_id", "actual__transaction_class")
    for key, amount in totals(committed, by=by).items():
        used[key] += amount
    billed = Actual.objects.filter(
        contract__in=contracts, type=Actual.Type.BILLED_SALES, billing_type=BillingType.CHARGEABLE
    ).exclude(transaction_class__in=_NEVER_COUNT)
    by = ("contract_id", "contract_customer_id", "contract_line_id", "transaction_class")
    for key, amount in totals(billed, by=by).items():
        used[key] += amount
    return used
