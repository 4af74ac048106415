"""Not-to-exceed limits: what is used of each, and whether an amount still fits (NTE-1, CON-5).

Used at a level = committed chargeable unbilled sales not yet billed + chargeable billed sales net of
credits. Milestones count for the contract customer and the contract; tax and retainers never count.
Under the contract's lock nothing else can take what the book says is left (NTE-4).
"""

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from actuals.models import Actual, BillingType
from backlog.models import BacklogItem
from contracts.models import ContractCustomer, LineCustomer, TransactionClass
from invoicing_site.querysets import totals

LimitStatus = BacklogItem.LimitStatus
Level = BacklogItem.LimitLevel

_NEVER_COUNT = [TransactionClass.RETAINER, TransactionClass.TAX]


class Verdict(NamedTuple):
    """What a test says: of a failed one the level that lacks most, its limit, and the amount over."""

    status: LimitStatus
    level: str = ""
    limit: Decimal | None = None
    over: Decimal | None = None

    @property
    def failed(self):
        return self.status == LimitStatus.FAILED


class LimitBook:
    """The limits of one contract and what is used of them now, in the contract's currency."""

    def __init__(self, limits, used):
        self.limits = limits
        self.used = used

    @classmethod
    def load(cls, contract):
        limits = _limits_of(contract)
        book = cls(limits, defaultdict(Decimal))
        if limits:
            for (customer, line, kind), amount in _used(contract).items():
                book.commit(amount, customer, line, is_milestone=kind == TransactionClass.MILESTONE)
        return book

    def test(self, amount, contract_customer_id, line_id, *, is_milestone=False) -> Verdict:
        """Whether so much more fits under every limit that is set."""
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
        """Count the amount as used at each level it stands under."""
        for key in _keys(contract_customer_id, line_id, is_milestone):
            self.used[key] += amount

    def left(self, level, *ids):
        """What is left of one limit; None where none is set."""
        key = (level, *ids)
        return self.limits[key] - self.used[key] if key in self.limits else None


def _keys(contract_customer_id, line_id, is_milestone):
    if not is_milestone:
        yield Level.LINE_CUSTOMER, line_id, contract_customer_id
        yield Level.LINE, line_id
    yield Level.CUSTOMER, contract_customer_id
    yield (Level.CONTRACT,)


def _limits_of(contract):
    limits = {}
    if contract.limit is not None:
        limits[(Level.CONTRACT,)] = contract.limit
    for customer in ContractCustomer.objects.filter(contract=contract, limit__isnull=False):
        limits[Level.CUSTOMER, customer.pk] = customer.limit
    for line in contract.lines.filter(limit__isnull=False):
        limits[Level.LINE, line.pk] = line.limit
    for share in LineCustomer.objects.filter(line__contract=contract, limit__isnull=False):
        limits[Level.LINE_CUSTOMER, share.line_id, share.contract_customer_id] = share.limit
    return limits


def _used(contract):
    """Amounts by contract customer, contract line and transaction class."""
    used = defaultdict(Decimal)
    # A negative share makes room only once it is billed: until then it may still be taken back.
    committed = BacklogItem.objects.filter(
        contract=contract,
        limit_status=LimitStatus.COMMITTED,
        status__in=["not_ready", "ready", "created"],
        amount__gt=0,
    )
    by = ("contract_customer_id", "contract_line_id", "actual__transaction_class")
    for key, amount in totals(committed, by=by).items():
        used[key] += amount
    billed = Actual.objects.filter(
        contract=contract, type=Actual.Type.BILLED_SALES, billing_type=BillingType.CHARGEABLE
    ).exclude(transaction_class__in=_NEVER_COUNT)
    for key, amount in totals(
        billed, by=("contract_customer_id", "contract_line_id", "transaction_class")
    ).items():
        used[key] += amount
    return used
