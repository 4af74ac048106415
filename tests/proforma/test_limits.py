"""Not-to-exceed limits are tested again when a proforma is confirmed."""

from datetime import date
from decimal import Decimal

import pytest

from backlog.not_to_exceed import LimitBook
from contracts.models import LineCustomer
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User
from proforma import operations
from proforma.models import LimitOverride, LineDetail
from tests import factories

pytestmark = pytest.mark.django_db

MARCH_31, APRIL_1 = date(2025, 3, 31), date(2025, 4, 1)


def draft(contract):
    return operations.create_proformas([contract], cutoff=MARCH_31, on=APRIL_1, by=None)[0]


def details_of(proforma):
    return list(LineDetail.objects.on_proforma(proforma).order_by("pk"))


def limited(contract, amount):
    contract.limit = Decimal(amount)
    contract.save()
    return contract


@pytest.fixture
def committed(contract, ready):
    """Two details of 10 h × 1,000 within a contract limit of 20,000: both are committed."""
    limited(contract, 20000)
    for _ in range(2):
        ready(contract, "10", "1000", limit_status="committed")
    return draft(contract)


@pytest.fixture
def chief(company):
    """A user who can override limits."""
    user = company.accountant
    user.memberships.update(overrides_limits=True)
    return User.objects.get(pk=user.pk)


def confirm(proforma, by, **fields):
    return operations.confirm(proforma, by=by, on=APRIL_1, **fields)


def test_committed_work_can_be_billed(company, committed):
    """PRO-6: billing it is no increase, even if the limit is used up."""
    confirm(committed, company.manager)
    assert LimitBook.load(committed.contract).left("contract") == 0


def test_an_increase_over_the_limit_is_refused(company, committed):
    """PRO-6"""
    operations.edit_details(details_of(committed)[:1], by=company.manager, quantity=Decimal("10.5"))
    with pytest.raises(
        Refused, match=r"PRO-2025-000001 exceeds the limit of 20,000\.00 NOK of the contract by 500\.00"
    ) as refused:
        confirm(committed, company.manager)
    assert refused.value.code == "LIMIT-EXCEEDED"
    committed.refresh_from_db()
    assert committed.status == "draft"


def test_an_increase_can_use_the_decrease_of_another_detail(company, committed):
    """PRO-6"""
    first, second = details_of(committed)
    operations.edit_details([first], by=company.manager, quantity=Decimal(9))
    operations.edit_details([second], by=company.manager, quantity=Decimal(11))
    confirm(committed, company.manager)
    assert LimitBook.load(committed.contract).left("contract") == 0


def test_an_override_needs_a_reason_and_is_recorded(company, committed, chief):
    """PRO-6"""
    operations.edit_details(details_of(committed), by=company.manager, price=Decimal(1100))
    with pytest.raises(Refused, match="Enter a reason for confirming it anyway") as refused:
        confirm(committed, chief, override_reason="  ")
    assert refused.value.code == "OVERRIDE-REASON"
    confirm(committed, chief, override_reason="Agreed by mail of 28 March")
    override = LimitOverride.objects.get()
    assert (override.proforma, override.level, override.limit, override.over) == (
        committed,
        "contract",
        Decimal(20000),
        Decimal(2000),
    )
    assert (override.by, override.reason) == (chief, "Agreed by mail of 28 March")


def test_a_reason_without_permission_is_not_enough(company, committed):
    """PRO-6"""
    operations.edit_details(details_of(committed), by=company.manager, price=Decimal(1100))
    for by in (company.manager, None):
        with pytest.raises(Refused) as refused:
            confirm(committed, by, override_reason="Please")
        assert refused.value.code == "LIMIT-EXCEEDED"
    assert not LimitOverride.objects.exists()


def test_every_exceeded_level_is_recorded(company, contract, ready, chief):
    """PRO-6, CON-5"""
    line, share = contract.lines.get(), contract.customers.get()
    limited(contract, 12000)
    line.limit, share.limit = Decimal(11000), Decimal(30000)
    line.save()
    share.save()
    LineCustomer.objects.update(limit=Decimal(10000))
    ready(contract, "10", "1000", limit_status="committed")
    proforma = draft(contract)
    operations.edit_details(details_of(proforma), by=company.manager, quantity=Decimal(13))
    confirm(proforma, chief, override_reason="Agreed")
    rows = LimitOverride.objects.order_by("pk").values_list("level", "limit", "over")
    assert [(level, int(limit), int(over)) for level, limit, over in rows] == [
        ("line_customer", 10000, 3000),
        ("line", 11000, 2000),
        ("contract", 12000, 1000),
    ]


def test_work_added_by_hand_is_an_increase(company, committed, contract):
    """PRO-6"""
    operations.add_detail(
        committed,
        by=company.manager,
        contract_line=contract.lines.get(),
        transaction_class="fee",
        category=company.fee,
        date=MARCH_31,
        quantity=Decimal(1),
        price=Decimal("0.01"),
    )
    with pytest.raises(Refused, match=r"by 0\.01"):
        confirm(committed, company.manager)


def test_work_that_is_not_charged_uses_no_limit(company, contract, ready):
    """PRO-6, NTE-1"""
    limited(contract, 10000)
    ready(contract, "10", "1000", limit_status="committed")
    ready(contract, "50", "1000", billing_type="non_chargeable", limit_status="na")
    proforma = draft(contract)
    first, second = details_of(proforma)
    operations.edit_details([second], by=company.manager, billing_type="complimentary")
    confirm(proforma, company.manager)
    assert LimitBook.load(contract).left("contract") == 0


def test_charging_non_chargeable_work_is_an_increase(company, contract, ready):
    """PRO-6"""
    limited(contract, 10000)
    item = ready(contract, "11", "1000", billing_type="non_chargeable", limit_status="na")
    (proforma,) = operations.create_for_items([item], on=APRIL_1, by=company.manager)
    operations.edit_details(details_of(proforma), by=company.manager, billing_type="chargeable")
    with pytest.raises(Refused, match=r"by 1,000\.00"):
        confirm(proforma, company.manager)


def test_a_limit_lowered_below_the_committed_amount_allows_a_decrease(company, committed, contract):
    """PRO-6: only an increase is refused."""
    limited(contract, 5000)
    operations.edit_details(details_of(committed)[:1], by=company.manager, quantity=Decimal(9))
    confirm(committed, company.manager)
    assert LimitBook.load(contract).left("contract") == -14000


def test_a_milestone_counts_for_the_contract_and_not_for_its_line(company, milestone):
    """PRO-6, NTE-1"""
    contract = factories.contract(company, method="fixed", confirmed=True)
    line = contract.lines.get()
    line.limit = Decimal(1)
    line.save()
    milestone(line, "10000", number=2)
    proforma = draft(contract)
    limited(contract, 9000)
    with pytest.raises(Refused, match=r"of the contract by 1,000\.00"):
        confirm(proforma, company.manager)
    limited(contract, 10000)
    confirm(proforma, company.manager)
