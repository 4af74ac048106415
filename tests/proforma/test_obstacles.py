"""Why an item can't be billed: the table agrees with itself and with marking, drafts and runs."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest

from backlog import obstacles
from backlog.models import BacklogItem
from backlog.obstacles import Step
from backlog.operations import mark_ready
from contracts.models import LegalEntity, ScheduleEntry
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import placeholders
from proforma import operations
from proforma.inputs import load_inputs
from tests import factories

pytestmark = pytest.mark.django_db

DAY, CUTOFF = date(2025, 3, 10), date(2025, 3, 31)
STATUSES = ("not_ready", "ready", "created", "posted", "canceled")
LIMITS = (
    {},
    {"limit_status": "not_evaluated"},
    {"limit_status": "failed", "limit_level": "contract", "limit_over": Decimal(5)},
)
PRICES = ({}, {"needs_price": True})
CODES = [each.code for each in obstacles.TABLE]


def contracts_of(company):
    """One contract of each kind: plain, with a limit at each level, with an order, draft, closed."""
    found = []
    for limited in (None, "contract", "line", "customer", "share"):
        contract = factories.contract(company, confirmed=True)
        holders = {
            "contract": contract,
            "line": contract.lines.get(),
            "customer": contract.customers.get(),
            "share": contract.lines.get().customers.get(),
        }
        if limited:
            holders[limited].limit = Decimal(100000)
            holders[limited].save()
        found.append(contract)
    ordered = factories.contract(company, confirmed=True)
    factories.PurchaseOrderFactory(contract_customer=ordered.customers.get(), valid_to=DAY)
    expired = factories.contract(company, confirmed=True)
    factories.PurchaseOrderFactory(
        contract_customer=expired.customers.get(), valid_to=DAY - timedelta(days=1)
    )
    closed = factories.contract(company, confirmed=True)
    closed.status = "closed"
    closed.save()
    return [*found, ordered, expired, factories.contract(company), closed]


def schedule(contract):
    line = contract.lines.get()
    ScheduleEntry.objects.create(line=line, run_date=CUTOFF + timedelta(days=1), cutoff=CUTOFF)


def states(today):
    """Every state of an item that the database allows."""
    holds = (
        {},
        {"hold_until": today, "hold_reason": "Waits"},
        {"hold_until": today + timedelta(days=1), "hold_reason": ""},
    )
    for status, limit, price, hold in product(STATUSES, LIMITS, PRICES, holds):
        if limit.get("limit_status") == "failed" and status in ("ready", "created"):
            continue  # what_is_billed_is_within_its_limit
        yield {"status": status, **limit, **price, **hold}


def retainer(contract, **fields):
    advance = factories.RetainerFactory(contract_customer=contract.customers.get())
    return factories.BacklogItemFactory(
        actual=None,
        retainer=advance,
        contract=contract,
        contract_line=None,
        contract_customer=advance.contract_customer,
        date=DAY,
        amount=advance.amount,
        currency=contract.currency,
        **fields,
    )


@pytest.fixture
def items(company, ready, milestone):
    """Work in every state, some milestones and retainers, on contracts of each kind, half with a schedule."""
    today = company.entity.today()
    plain, *others = contracts_of(company)
    for contract in (plain, *others[::2]):
        schedule(contract)

    def make(contract, state, **fields):
        item = ready(contract, day=DAY, needs_price=state.get("needs_price", False), **fields)
        BacklogItem.objects.filter(pk=item.pk).update(**state)

    for state in states(today):
        make(plain, state)
    for number, state in enumerate(states(today)):
        kind = ("chargeable", "non_chargeable", "complimentary")[number % 3]
        make(others[number % len(others)], state, billing_type=kind)
    for number, status in enumerate(STATUSES, 1):
        milestone(plain.lines.get(), status=status, day=DAY, number=number)
        retainer(plain, status=status)
        retainer(others[0], status=status, hold_until=today + timedelta(days=1), hold_reason="Waits")
    return BacklogItem.objects.all()


@pytest.mark.parametrize("orders_required", [False, True])
def test_each_condition_gives_the_same_answer_for_rows_and_for_loaded_items(company, items, orders_required):
    """BKL-4: every obstacle applies to some items of the test and not to others."""
    LegalEntity.objects.update(require_order_reference=orders_required)
    today = company.entity.today()
    loaded = list(obstacles.loaded(items))
    for row in obstacles.TABLE:
        found = set(items.filter(row.condition(today)).values_list("pk", flat=True))
        assert found == {item.pk for item in loaded if row.holds(item, today)}, row.code
        if row.code != "ORDER-MISSING" or orders_required:
            assert 0 < len(found) < len(loaded), row.code
    for step in Step:
        first = dict(obstacles.with_obstacle(items, step, on=today).values_list("pk", "obstacle"))
        rows = {item.pk: obstacles.first_of(item, step, on=today) for item in loaded}
        assert first == {pk: row.code if row else "" for pk, row in rows.items()}
        free = set(obstacles.free(items, step, on=today).values_list("pk", flat=True))
        assert free == {pk for pk, row in rows.items() if row is None}
        counts = Counter(row.code for row in rows.values() if row)
        assert obstacles.counted(items, step, on=today) == counts
        assert list(obstacles.counted(items, step, on=today)) == [code for code in CODES if counts[code]]


def by_first(items, step, today):
    """The items by the code of their first obstacle, empty for those without one."""
    found = {}
    for item in obstacles.loaded(items):
        row = obstacles.first_of(item, step, on=today)
        found.setdefault(row.code if row else "", []).append(item)
    return found


def test_marking_refuses_exactly_the_items_with_an_obstacle(company, items):
    """BKL-2"""
    today = company.entity.today()
    groups = by_first(items.exclude(status="ready"), Step.MARK, today)
    free = groups.pop("")
    for code, group in groups.items():
        marked = mark_ready(group, by=company.manager)
        assert (marked.changed, marked.codes) == (0, {code: len(group)})
    marked = mark_ready(items.exclude(status="ready"), by=company.manager)
    assert marked.changed == len(free) > 0
    assert {item.pk for item in free} <= set(items.filter(status="ready").values_list("pk", flat=True))
    assert set(groups) == {
        *("IS-CANCELED", "IS-BILLED", "ON-DRAFT", "CONTRACT-NOT-CONFIRMED"),
        *("OVER-LIMIT", "NOT-EVALUATED", "NO-PRICE", "ON-HOLD"),
    }


# Another user was faster with the items that were ready when they were selected.
TAKEN = {"IS-CANCELED", "IS-BILLED", "ON-DRAFT", "NOT-READY"}
CHOSEN = dict.fromkeys(TAKEN, "CLAIM-GONE") | {
    "ON-HOLD": "CHOSEN-ON-HOLD",
    "IS-RETAINER": "CHOSEN-RETAINER",
    "CONTRACT-NOT-CONFIRMED": "CONTRACT-NOT-CONFIRMED",
}


def test_a_draft_refuses_exactly_the_items_with_an_obstacle(company, items):
    """PRO-1"""
    today = company.entity.today()
    groups = by_first(items.filter(status__in=["ready", "created", "posted"]), Step.DRAFT, today)
    free = groups.pop("")
    for code, group in groups.items():
        if code in TAKEN:  # an unconfirmed contract is refused before, for all selected items
            group = [item for item in group if item.contract.status == "confirmed"]
        with pytest.raises(Refused) as refused:
            operations.create_for_items(group, on=today, by=company.manager)
        assert refused.value.code == CHOSEN.get(code, "CHOSEN-BLOCKED")
        if refused.value.code == "CHOSEN-BLOCKED":
            assert str(refused.value.params["obstacle"].english) == str(obstacles.BY_CODE[code].label)
    operations.create_for_items(free, on=today, by=company.manager)
    assert set(items.filter(detail__isnull=False)) == set(free)
    assert {*groups, "NO-PRICE", "IS-RETAINER", "ON-HOLD", "CONTRACT-NOT-CONFIRMED"} == set(groups)


def test_a_run_leaves_out_exactly_the_items_with_an_obstacle(company, items):
    """RUN-1 RUN-4: work that can't be invoiced alone may wait."""
    today = company.entity.today()
    contracts = set(items.values_list("contract", flat=True))
    scheduled = set(ScheduleEntry.objects.values_list("line", flat=True))
    open_ones = items.filter(status__in=["not_ready", "ready"])
    groups = by_first(open_ones, Step.RUN, today)
    inputs = load_inputs(contracts, as_of=today).values()
    assert {share.pk for each in inputs for share in each.shares} == {item.pk for item in groups[""]}
    left = Counter()
    for each in inputs:
        for group in each.waiting:
            left[group.code] += group.items
    assert left == {code: len(group) for code, group in groups.items() if code}

    operations.run_invoicing(company.entity, as_of=today, by=company.manager)
    claimed = set(items.filter(detail__isnull=False))
    assert claimed == {
        item for item in groups[""] if item.milestone_part_id or item.contract_line_id in scheduled
    }
    assert claimed


def test_the_table_has_a_sentence_for_each_code(company, items):
    """BKL-4"""
    LegalEntity.objects.update(require_order_reference=True)
    today = company.entity.today()
    said = {}
    for item in obstacles.loaded(items):
        for row in obstacles.TABLE:
            if row.holds(item, today):
                reason = row.reason(item)
                assert (reason.code, set(reason.params)) == (row.code, placeholders(row.code))
                said[row.code] = reason.sentence
    assert set(said) == set(CODES)
    assert len(set(said.values())) == len(CODES)
