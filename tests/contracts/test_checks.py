"""The reasons why a contract can't be confirmed."""

import datetime
from decimal import Decimal

import pytest

from contracts.checks import contract_problems
from contracts.operations import check_contract
from invoicing_site.floor.errors import Refused
from tests import factories
from tests.factories import (
    ContractRevisionFactory,
    MilestoneFactory,
    ProjectFactory,
    TaskFactory,
)


@pytest.fixture
def it(db):
    return factories.company(books=False, customers=3)


def problems(contract, **fields):
    return [(reason.code, reason.sentence) for reason in contract_problems(contract, **fields)]


def codes(contract, **fields):
    return [code for code, _ in problems(contract, **fields)]


def split(it, *percents, **fields):
    return factories.contract(it, customers=list(zip(it.customers, percents, strict=False)), **fields)


def test_a_valid_contract_is_not_refused(it):
    """CON-1, CON-4"""
    other = ProjectFactory(entity=it.entity)
    contract = split(it, "33.33", "33.33", "33.34", lines=[{}, {"method": "fixed", "project": other}])

    assert problems(contract) == []
    check_contract(contract)


@pytest.mark.parametrize(
    ("percents", "total"), [((50, 49), "99"), (("66.67", "33.34"), "100.01"), ((0, 99), "99")]
)
def test_splits_that_do_not_add_up_to_100_are_refused(it, percents, total):
    """CON-1"""
    contract = split(it, *percents)

    assert problems(contract) == [
        ("SPLIT-SUM", f"Contract {contract}: the billing splits add up to {total} %, not 100 %."),
        ("SPLIT-SUM", f"Line 1 Line 1: the billing splits add up to {total} %, not 100 %."),
    ]


def test_exactly_one_customer_takes_the_rounding(it):
    """CON-1"""
    contract = split(it, 50, 50)
    contract.customers.update(is_rounding=False)
    contract.lines.get().customers.update(is_rounding=False)

    assert codes(contract) == ["ROUNDING-ONE", "ROUNDING-ONE"]


def test_a_customer_with_zero_percent_does_not_take_the_rounding(it):
    """CON-1"""
    contract = split(it, 100, 0)

    assert codes(contract) == ["ROUNDING-NO-SHARE", "ROUNDING-NO-SHARE"]
    assert f"{it.customers[1]} takes the rounding but has a split of 0 %" in problems(contract)[0][1]


def test_a_customer_with_zero_percent_is_valid(it):
    """CON-1"""
    assert problems(split(it, 0, 100)) == []


def test_a_primary_customer_is_needed(it):
    """CON-1"""
    contract = split(it, 100)
    contract.customers.update(is_primary=False)

    assert codes(contract) == ["NO-PRIMARY"]


def test_a_contract_and_each_line_need_customers(it):
    """CON-1"""
    contract = split(it, 100, lines=[{"customers": []}])
    assert problems(contract) == [
        ("LINE-NO-CUSTOMER", "Line 1 Line 1 has no customers. Add those of the contract.")
    ]
    contract.customers.all().delete()
    assert codes(contract) == ["CONTRACT-NO-CUSTOMER", "LINE-NO-CUSTOMER"]


def test_a_lines_splits_are_its_own(it):
    """CON-1"""
    a, b, _ = it.customers
    contract = split(it, 50, 50, lines=[{"customers": [(a, 100)]}])
    assert problems(contract) == []

    contract = split(it, 50, 50, lines=[{"customers": [(a, 60), (b, 30)]}])
    assert problems(contract) == [
        ("SPLIT-SUM", "Line 1 Line 1: the billing splits add up to 90 %, not 100 %.")
    ]


def test_customers_of_other_contracts_and_companies_are_refused(it):
    """CON-1"""
    contract = split(it, 100)
    contract.lines.get().customers.update(contract_customer=split(it, 100).customers.get())
    assert codes(contract) == ["CUSTOMER-OTHER-CONTRACT"]

    contract = split(it, 100)
    contract.customers.update(customer=factories.CustomerFactory())
    assert codes(contract) == ["CUSTOMER-OTHER-ENTITY"]


def test_milestones_must_add_up_and_the_difference_is_named(it):
    """CON-4"""
    line = {"method": "fixed", "contract_amount": Decimal(10000), "milestones": ["4000", "4749.50"]}
    contract = split(it, 100, lines=[line])

    with pytest.raises(Refused) as refusal:
        check_contract(contract)

    assert refusal.value.code == "MILESTONES-MISSING"
    assert refusal.value.message == (
        "Line 1 Line 1: the milestones add up to 8,749.50 NOK and the contract amount is 10,000.00 NOK: "
        "1,250.50 NOK is missing."
    )


def test_milestones_that_add_up_to_more_are_refused(it):
    """CON-4"""
    contract = split(it, 100, method="fixed", lines=[{"milestones": ["10000", "0.01"]}])

    assert "0.01 NOK is too much." in problems(contract)[0][1]


def test_a_fixed_price_line_without_milestones_is_refused(it):
    """CON-4"""
    contract = split(it, 100, method="fixed", lines=[{"milestones": []}])

    assert "add up to 0.00 NOK" in problems(contract)[0][1]


def test_a_milestone_of_half_a_cent_is_refused(it):
    """MON-1"""
    contract = split(it, 100, method="fixed", lines=[{"milestones": ["9999.995", "0.005"]}])

    assert codes(contract) == ["MILESTONE-DECIMALS", "MILESTONE-DECIMALS"]


def test_a_milestone_that_no_invoice_could_bill_is_refused(it):
    """APP-10 MON-1"""
    amounts = ["1000000000000", "1000000000000.01"]
    fields = {"milestones": amounts, "contract_amount": Decimal("2000000000000.01")}
    contract = split(it, 100, method="fixed", lines=[fields])

    ((code, sentence),) = problems(contract)
    assert code == "MILESTONE-TOO-LARGE"
    assert (
        "can't be billed. 1,000,000,000,000.01 NOK is too large. The largest possible amount is 1,000,"
    ) in sentence
    assert sentence.endswith("000. Split it into several.")


def test_a_time_and_material_line_with_milestones_is_refused(it):
    """CON-4"""
    contract = split(it, 100)
    MilestoneFactory(line=contract.lines.get(), number=1, amount=Decimal(5))

    assert codes(contract) == ["MILESTONES-UNBILLED"]


def test_lines_that_claim_the_same_work_are_refused_by_name(it):
    """CON-2"""
    other = split(it, 100, confirmed=True, code="PC-OLD", name="Frame", lines=[{"name": "Consulting"}])
    contract = split(it, 100, lines=[{"name": "Hours"}])

    assert problems(contract) == [
        (
            "LINES-COLLIDE-ELSEWHERE",
            f"Line 1 Hours covers work on project {it.project} that line 1 Consulting of contract "
            "PC-OLD Frame already covers. Remove a class, a task or some days from one of them.",
        )
    ]
    other.status = "closed"
    other.save()
    assert problems(contract) == []


def test_lines_of_the_same_contract_are_refused_too(it):
    """CON-2"""
    contract = split(it, 100, lines=[{"name": "A"}, {"name": "B"}])

    assert (
        "Line 1 A covers work on project NO1-P1 Bridge that line 2 B already covers."
        in problems(contract)[0][1]
    )


def test_selected_tasks_must_be_there_and_of_the_project(it):
    """CON-2"""
    assert codes(split(it, 100, lines=[{"entire_project": False}])) == ["NO-TASK"]

    foreign = TaskFactory(project=ProjectFactory(entity=it.entity))
    assert codes(split(it, 100, lines=[{"tasks": [foreign]}])) == ["TASK-OTHER-PROJECT"]


def test_a_project_of_another_company_is_refused(it):
    """CON-2"""
    assert codes(split(it, 100, lines=[{"project": ProjectFactory()}])) == ["PROJECT-OTHER-ENTITY"]


def test_price_lists_of_one_owner_on_the_same_days_are_refused(it):
    """PRC-1: lists can get past a form."""
    second = factories.PriceListFactory(
        entity=it.entity, valid_from=datetime.date(2025, 1, 1), name="Sales 2025"
    )
    contract = split(it, 100, price_lists=[it.sales_list, second])
    assert problems(contract) == [
        (
            "PRICE-LISTS-OVERLAP",
            f"Contract {contract}: the price lists “Sales” and “Sales 2025” are valid on the same days. "
            "End one before the other starts, or remove one.",
        )
    ]

    it.sales_list.valid_to = datetime.date(2024, 12, 31)
    it.sales_list.save()
    assert problems(contract) == []


def test_a_cost_list_on_a_contract_is_refused(it):
    """PRC-6"""
    assert codes(split(it, 100, price_lists=[it.cost_list])) == ["NOT-A-SALES-LIST"]


def test_all_reasons_are_given_at_once(it):
    """CON-1, CON-4"""
    contract = split(it, 50, 40, lines=[{"method": "fixed", "milestones": []}])

    with pytest.raises(Refused) as refusal:
        check_contract(contract)

    assert refusal.value.code == "SEVERAL-REASONS"
    reasons = refusal.value.params["reasons"]
    assert [reason.code for reason in reasons] == ["SPLIT-SUM", "SPLIT-SUM", "MILESTONES-MISSING"]
    assert "add up to 90 %" in refusal.value.message
    assert "10,000.00 NOK is missing." in refusal.value.message


def test_a_revisions_lines_are_checked_with_it_only(it):
    """CON-10"""
    contract = split(it, 100, confirmed=True)
    revision = ContractRevisionFactory(contract=contract)
    project = ProjectFactory(entity=it.entity)
    factories.contract_line(contract, method="fixed", project=project, revision=revision, milestones=[])

    assert codes(contract) == []
    assert codes(contract, revision=revision) == ["MILESTONES-MISSING"]


def test_the_check_takes_as_many_queries_for_ten_lines_as_for_one(it, django_assert_num_queries):
    lines = [{"method": "fixed", "project": ProjectFactory(entity=it.entity)} for _ in range(10)]
    contract = split(it, 50, 50, lines=lines)

    with django_assert_num_queries(11):
        assert contract_problems(contract) == []
