"""Editing drafts: quantity, price, billing type, adding by hand, removing."""

from datetime import date
from decimal import Decimal

import pytest

from backlog.models import BacklogItem
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from proforma import operations
from proforma.edits import edited
from proforma.models import LineDetail
from tests import factories, locks

pytestmark = pytest.mark.django_db

MARCH_10, MARCH_31, APRIL_1 = date(2025, 3, 10), date(2025, 3, 31), date(2025, 4, 1)
JANUARY_15, JANUARY_31, MARCH_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 3, 1)
FEBRUARY_1, FEBRUARY_15 = date(2025, 2, 1), date(2025, 2, 15)


def draft(contract):
    (proforma,) = operations.create_proformas([contract], cutoff=MARCH_31, on=APRIL_1, by=None)
    return proforma


def details_of(proforma):
    return list(LineDetail.objects.on_proforma(proforma).order_by("pk"))


def figures(*details):
    rows = LineDetail.objects.filter(pk__in=[detail.pk for detail in details]).order_by("pk")
    return [(f"{d.quantity:f}", f"{d.price:f}", f"{d.amount:f}", d.billing_type) for d in rows]


@pytest.fixture
def detail(contract, ready):
    ready(contract, "10", "1000")
    return details_of(draft(contract))[0]


def edit(*details, company, **changes):
    return operations.edit_details(details, by=company.manager, **changes)


def test_a_quantity_is_edited(company, detail):
    """PRO-3"""
    edit(detail, company=company, quantity=Decimal("7.25"))
    assert figures(detail) == [("7.2500", "1000.000000", "7250.0000", "chargeable")]


def test_a_price_is_edited(company, detail):
    """PRO-3"""
    edit(detail, company=company, price=Decimal("800.005"))
    assert figures(detail) == [("10.0000", "800.005000", "8000.0500", "chargeable")]


def test_an_edited_amount_is_rounded_once(company, detail):
    """PRO-3, MON-2: 3.3333 × 133.335 = 444.4455555, rounded up."""
    edit(detail, company=company, quantity=Decimal("3.3333"), price=Decimal("133.335"))
    assert figures(detail) == [("3.3333", "133.335000", "444.4500", "chargeable")]


@pytest.mark.parametrize("billing_type", ["non_chargeable", "complimentary"])
def test_another_billing_type_keeps_the_amount_and_does_not_count_in_totals(company, detail, billing_type):
    """PRO-3: only chargeable details count."""
    edit(detail, company=company, billing_type=billing_type)
    assert figures(detail) == [("10.0000", "1000.000000", "10000.0000", billing_type)]
    assert not LineDetail.objects.chargeable().exists()


def test_descriptions_and_tax_groups_are_edited(company, detail):
    """PRO-3"""
    tax = factories.ItemTaxGroupFactory(entity=company.entity, code="REDUCED")
    abroad = factories.BillingTaxGroupFactory(entity=company.entity, code="EU")
    edit(
        detail,
        company=company,
        description="Design",
        internal_description="Was cheap",
        item_tax_group=tax,
        billing_tax_group=abroad,
    )
    detail.refresh_from_db()
    assert (detail.description, detail.internal_description) == ("Design", "Was cheap")
    assert (detail.item_tax_group, detail.billing_tax_group) == (tax, abroad)
    assert figures(detail) == [("10.0000", "1000.000000", "10000.0000", "chargeable")]


def test_several_details_are_edited_at_once(company, contract, ready):
    """PRO-3"""
    for hours in ("1", "2", "3"):
        ready(contract, hours, "100")
    details = details_of(draft(contract))
    edit(*details, company=company, price=Decimal(150))
    assert [amount for _, _, amount, _ in figures(*details)] == ["150.0000", "300.0000", "450.0000"]
    event = AuditEvent.objects.get(action="proforma.edit_details")
    assert [row["amount"] for row in event.detail["before"]] == ["100.0000", "200.0000", "300.0000"]
    assert [row["amount"] for row in event.detail["after"]] == ["150.00", "300.00", "450.00"]


def test_a_rounding_share_gets_its_own_amount_again_when_edited_back(company, contract, ready):
    """PRO-3, MON-9: 2.5004 h at 133.33 is 333.38; this share has 333.39."""
    ready(contract, "2.5004", "133.33", amount=Decimal("333.39"), is_rounding_share=True)
    (detail,) = details_of(draft(contract))
    assert figures(detail) == [("2.5004", "133.330000", "333.3900", "chargeable")]
    edit(detail, company=company, quantity=Decimal(2))
    assert figures(detail) == [("2.0000", "133.330000", "266.6600", "chargeable")]
    edit(detail, company=company, quantity=Decimal("2.5004"))
    assert figures(detail) == [("2.5004", "133.330000", "333.3900", "chargeable")]
    assert not edited(LineDetail.objects.all()).exists()


def test_edited_details_are_listed(company, contract, ready):
    """PRO-3"""
    for _ in range(5):
        ready(contract, "2", "100")
    plain, by_quantity, by_price, by_type, described = details_of(draft(contract))
    edit(by_quantity, company=company, quantity=Decimal(1))
    edit(by_price, company=company, price=Decimal(90))
    edit(by_type, company=company, billing_type="complimentary")
    edit(described, company=company, description="Other words")
    added = by_hand(company, plain.line.proforma, contract)
    assert list(edited(LineDetail.objects.all()).order_by("pk")) == [
        by_quantity,
        by_price,
        by_type,
        described,
        added,
    ]
    assert list(LineDetail.objects.by_hand()) == [added]


@pytest.mark.parametrize("change", [{"quantity": Decimal(2)}, {"price": Decimal(500)}])
def test_the_amount_of_a_milestone_cannot_be_edited(company, milestone, change):
    """PRO-3"""
    contract = factories.contract(company, method="fixed", confirmed=True)
    milestone(contract.lines.get(), number=2)
    (detail,) = details_of(draft(contract))
    with pytest.raises(Refused, match="is a milestone. Its amount is agreed"):
        edit(detail, company=company, **change)
    edit(detail, company=company, billing_type="non_chargeable", description="Phase one")
    assert figures(detail) == [("1.0000", "10000.000000", "10000.0000", "non_chargeable")]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"quantity": Decimal(-1)}, "quantity below zero can.t be billed"),
        ({"price": Decimal("-0.01")}, "price below zero"),
        ({"billing_type": "free"}, "“free” is not a billing type"),
        ({"quantity": Decimal("1.00001")}, "and 4 after it"),
        ({"price": Decimal("1.0000001")}, "and 6 after it"),
        ({"quantity": Decimal("1e11")}, "at most 11 digits before"),
        ({"quantity": Decimal("NaN")}, "is not a number for the field"),
        ({"quantity": Decimal("24.0001")}, "24.0001 hours are more than 10 Mar 2025 has"),
        ({"description": "x" * 501}, "501 characters"),
        ({"description": "a\0b"}, r"a control character \(U\+0000\)"),
    ],
)
def test_invalid_numbers_are_refused(company, detail, change, sentence):
    """PRO-3"""
    with pytest.raises(Refused, match=sentence):
        edit(detail, company=company, **change)
    assert figures(detail) == [("10.0000", "1000.000000", "10000.0000", "chargeable")]


def test_one_detail_that_cannot_be_edited_leaves_all_unchanged(company, contract, detail, milestone):
    """PRO-3"""
    fixed = factories.contract(company, method="fixed", confirmed=True)
    milestone(fixed.lines.get(), number=2)
    (other,) = details_of(draft(fixed))
    with pytest.raises(Refused):
        edit(detail, other, company=company, quantity=Decimal(1))
    assert figures(detail) == [("10.0000", "1000.000000", "10000.0000", "chargeable")]


def test_a_confirmed_proforma_cannot_be_edited(company, contract, detail):
    """PRO-5"""
    operations.confirm(detail.line.proforma, by=company.manager, on=APRIL_1)
    for action in (
        lambda: edit(detail, company=company, quantity=Decimal(1)),
        lambda: edit(detail, company=company, description="Other words"),
        lambda: operations.remove_details([detail], by=company.manager),
        lambda: operations.refresh(detail.line.proforma, by=company.manager),
        lambda: by_hand(company, detail.line.proforma, contract),
    ):
        with pytest.raises(Refused, match="is confirmed and can't be changed any more") as refused:
            action()
        assert refused.value.code == "PROFORMA-CONFIRMED"


def test_a_detail_is_removed(company, contract, ready):
    """PRO-3: its item is ready again, and an empty line is deleted."""
    items = [ready(contract), ready(contract)]
    proforma = draft(contract)
    first, second = details_of(proforma)
    assert operations.remove_details([first], by=company.manager) == 1
    assert [BacklogItem.objects.get(pk=item.pk).status for item in items] == ["ready", "created"]
    assert (details_of(proforma), proforma.lines.count()) == ([second], 1)
    operations.remove_details([second], by=company.manager)
    assert (details_of(proforma), proforma.lines.count()) == ([], 0)
    with pytest.raises(Refused, match="no longer exists"):
        operations.remove_details([second], by=company.manager)


def by_hand(company, proforma, contract, **fields):
    defaults = {
        "contract_line": contract.lines.first(),
        "transaction_class": "fee",
        "category": company.fee,
        "date": MARCH_10,
        "quantity": Decimal(2),
        "price": Decimal("750.50"),
    }
    return operations.add_detail(proforma, by=company.manager, **{**defaults, **fields})


def test_work_is_added_by_hand(company, contract, detail):
    """PRO-3"""
    added = by_hand(company, detail.line.proforma, contract, description="License")
    added.refresh_from_db()
    assert figures(added) == [("2.0000", "750.500000", "1501.0000", "chargeable")]
    assert (added.line, added.backlog_item, added.added_by) == (detail.line, None, company.manager)
    assert (added.project, added.category, added.description) == (company.project, company.fee, "License")
    assert (added.billing_tax_group, added.item_tax_group) == (
        company.billing_tax_group,
        company.item_tax_group,
    )
    edit(added, company=company, quantity=Decimal(3))
    assert figures(added) == [("3.0000", "750.500000", "2251.5000", "chargeable")]


def test_a_missing_line_is_added_at_the_end(company, ready):
    """PRO-3"""
    contract = factories.contract(
        company, confirmed=True, lines=[{}, {"project": factories.ProjectFactory(entity=company.entity)}]
    )
    first, second = contract.lines.order_by("number")
    ready(contract, line=second, task=None)
    proforma = draft(contract)
    by_hand(company, proforma, contract, contract_line=first)
    assert list(proforma.lines.order_by("number").values_list("number", "contract_line")) == [
        (1, second.pk),
        (2, first.pk),
    ]


def test_invalid_work_cannot_be_added_by_hand(company, contract, detail):
    """PRO-3"""
    proforma = detail.line.proforma
    other = factories.contract(company, confirmed=True)
    no_fees = factories.contract_line(
        contract, project=factories.ProjectFactory(entity=company.entity), includes_fee=False
    )
    task = factories.TaskFactory(project=factories.ProjectFactory(entity=company.entity))
    stranger = factories.company(code="SE1", books=False)
    for fields, code in [
        ({"contract_line": other.lines.get()}, "LINE-OTHER-CONTRACT"),
        ({"contract_line": no_fees}, "LINE-EXCLUDES-CLASS"),
        ({"transaction_class": "milestone"}, "NOT-BY-HAND"),
        ({"category": None}, "CATEGORY-MISSING"),
        ({"transaction_class": "material"}, "PRODUCT-MISSING"),
        ({"task": task}, "TASK-OF-OTHER-PROJECT"),
        ({"project": task.project}, "LINE-OTHER-PROJECT"),
        ({"category": company.travel}, "CATEGORY-OTHER-CLASS"),
        ({"project": stranger.project}, "OF-OTHER-ENTITY"),
        ({"category": stranger.fee}, "OF-OTHER-ENTITY"),
        ({"resource": stranger.resource}, "OF-OTHER-ENTITY"),
        ({"quantity": Decimal(0)}, "DETAIL-QUANTITY-ZERO"),
        ({"quantity": Decimal(-1)}, "QUANTITY-NEGATIVE"),
        ({"quantity": Decimal(99999999999), "price": Decimal(1)}, "QUANTITY-TOO-LARGE"),
        ({"quantity": Decimal(1000001)}, "QUANTITY-TOO-LARGE"),
        ({"quantity": Decimal(1), "price": Decimal("1000000000000.01")}, "DETAIL-TOO-LARGE"),
    ]:
        with pytest.raises(Refused) as refused:
            by_hand(company, proforma, contract, **fields)
        assert refused.value.code == code
    assert LineDetail.objects.count() == 1


def test_a_tax_group_of_another_company_is_refused(company, detail):
    """PRO-3 SEC-1"""
    stranger = factories.company(code="SE1", books=False)
    with pytest.raises(Refused, match="belongs to another legal entity"):
        edit(detail, company=company, item_tax_group=stranger.item_tax_group)


def test_a_draft_of_a_run_includes_milestones_up_to_the_day_of_the_run(company, due, ready, milestone):
    """PRO-3, RUN-1: its hours end on 31 January, the day of the run is 1 March."""
    project = factories.ProjectFactory(entity=company.entity)
    contract = factories.contract(
        company, confirmed=True, lines=[{}, {"method": "fixed", "project": project}]
    )
    hours, fixed = contract.lines.order_by("number")
    due(hours, FEBRUARY_1, JANUARY_31)
    ready(contract, line=hours, day=JANUARY_15)
    (draft,) = operations.run_invoicing(company.entity, as_of=MARCH_1).proformas.all()
    late = ready(contract, line=hours, day=FEBRUARY_15)
    (reached,) = milestone(fixed, day=FEBRUARY_15, number=2)

    added = operations.refresh(draft, by=company.manager)

    assert [detail.backlog_item_id for detail in added] == [reached.pk]
    assert BacklogItem.objects.get(pk=late.pk).status == "ready"


def test_every_change_of_a_draft_locks_its_contract_first(company, contract, ready, monkeypatch):
    """PRO-8: the lock is requested on every database, so two claims of the same work wait for each other."""
    ready(contract)
    asked = locks.asked(monkeypatch)
    (draft,) = operations.create_proformas([contract], cutoff=MARCH_31, on=MARCH_31, by=company.manager)
    assert asked[0] == "ProjectContract locked"

    for change in (operations.refresh, operations.confirm):
        asked.clear()
        change(draft, by=company.manager)
        assert asked[:2] == ["ProjectContract locked", "ProformaInvoice locked"]
