"""Order numbers of customers: which order work uses, and what is left of it (CON-12, PRO-1)."""

from datetime import date
from decimal import Decimal

import pytest

from actuals.models import Actual
from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from proforma import operations
from proforma.inputs import pending
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine, RunPlanLine
from proforma.operations import (
    add_detail,
    add_items,
    confirm,
    create_for_items,
    create_proformas,
    edit_details,
    edit_header,
    preview_invoicing,
    refresh,
    remove_details,
    return_proforma,
    run_invoicing,
)
from proforma.orders import Order, Shortage, load_orders, order_of, outside_order, shortages
from proforma.plans import ContractInputs, Due, plan_by_hand, plan_chosen, plan_contract
from tests import factories
from tests.proforma.test_plans import ALFA, BETA, share

D = Decimal
MAR_1, MAR_2, MAR_3, MAR_31 = (date(2025, 3, day) for day in (1, 2, 3, 31))
APR_1 = date(2025, 4, 1)


def order(pk, amount=None, used="0", *, start=None, end=None, customer=ALFA):
    amount = None if amount is None else D(amount)
    return Order(pk, 1, customer, f"PO-{pk}", start, end, amount, D(used))


def planned(shares, orders):
    """The items of each proforma by its order, in the order of the plan; by hand, by run, and selected."""
    inputs = ContractInputs(1, shares, [], [Due(5, 10, APR_1, MAR_31)], orders)
    found = [
        [(plan.order and plan.order.pk, [taken.pk for taken in plan.shares]) for plan in plans]
        for plans in (
            plan_by_hand(inputs, cutoff=MAR_31).proformas,
            plan_contract(inputs, as_of=APR_1).proformas,
            plan_chosen(shares, orders),
        )
    ]
    assert found[0] == found[1] == found[2], "By hand, by the run and chosen, all the same."
    return found[0]


# Pure functions


def test_the_rest_of_an_order_is_used_by_whole_rows_by_date():
    """CON-12, W8: 10,000 net, 9,000 used; 800 of 2 March fits, 800 of 3 March doesn't."""
    orders = [order(7, "10000", "9000")]
    rows = [share(1, MAR_2, "800"), share(2, MAR_3, "800")]
    assert planned(rows, orders) == [(7, [1]), (None, [2])]
    assert planned(rows[::-1], orders) == [(7, [1]), (None, [2])], "in whatever order they come"


def test_a_row_cut_in_two_fills_an_order():
    """CON-12, W8: 1 h and 3 h × 200 where 200 is left after the first row."""
    orders = [order(7, "10000", "9000")]
    rows = [share(1, MAR_2, "800"), share(2, MAR_3, "200"), share(3, MAR_3, "600")]
    assert planned(rows, orders) == [(7, [1, 2]), (None, [3])]


def test_a_row_is_never_split_automatically():
    """CON-12, W8: one row of 8 h × 200 = 1,600 does not fit, so it uses nothing."""
    assert planned([share(1, MAR_2, "1600")], [order(7, "10000", "9000")]) == [(None, [1])]


def test_a_later_smaller_row_can_use_the_rest_of_an_order():
    """CON-12"""
    rows = [share(1, MAR_2, "1600"), share(2, MAR_3, "900")]
    assert planned(rows, [order(7, "10000", "9000")]) == [(7, [2]), (None, [1])]


def test_the_order_that_ends_first_is_used_first():
    """CON-12: an order without an end is used last."""
    orders = [order(1, "500"), order(2, "500", end=date(2025, 6, 30)), order(3, "500", end=MAR_31)]
    rows = [share(pk, MAR_2, "500") for pk in (11, 12, 13, 14)]
    assert planned(rows, orders) == [(3, [11]), (2, [12]), (1, [13]), (None, [14])]


def test_an_order_is_valid_by_the_day_of_the_work():
    """CON-12"""
    orders = [order(1, end=MAR_2), order(2, start=MAR_3)]
    rows = [share(1, MAR_1), share(2, MAR_2), share(3, MAR_3)]
    assert planned(rows, orders) == [(1, [1, 2]), (2, [3])]
    assert planned(rows, [order(2, start=MAR_3)]) == [(2, [3]), (None, [1, 2])]


def test_each_customer_has_its_own_orders():
    """CON-12"""
    rows = [share(1, MAR_2), share(2, MAR_2, customer=BETA)]
    assert planned(rows, [order(7, "1000")]) == [(7, [1]), (None, [2])]


def test_uncharged_work_is_added_and_uses_no_order():
    """CON-12: the order is full, and the uncharged work stays with the other work."""
    rows = [
        share(1, MAR_1, "500", billing_type="complimentary"),
        share(2, MAR_2, "100"),
        share(3, MAR_3, "700", billing_type="non_chargeable"),
    ]
    assert planned(rows, [order(7, "100")]) == [(7, [1, 2, 3])]
    assert planned(rows, [order(7, "99")]) == [(None, [1, 2, 3])]


def test_work_outside_the_scope_of_tax_gets_a_separate_proforma():
    """PRO-1: one more proforma if there is also work of category O."""
    rows = [share(1, MAR_2), share(2, MAR_2, is_outside_scope=True), share(3, MAR_3)]
    assert planned(rows, []) == [(None, [1, 3]), (None, [2])]
    assert planned(rows[1:2], []) == [(None, [2])]


def test_complimentary_work_outside_the_scope_of_tax_has_a_category_too():
    """PRO-1: complimentary work is printed; non-chargeable work is not, and can be on any proforma."""
    rows = [
        share(1, MAR_2),
        share(2, MAR_2, is_outside_scope=True, billing_type="complimentary"),
        share(3, MAR_2, is_outside_scope=True, billing_type="non_chargeable"),
    ]
    assert planned(rows, []) == [(None, [1]), (None, [2, 3])]
    assert planned([rows[0], rows[2]], []) == [(None, [1, 3])]


# On the database


@pytest.fixture
def no1(db):
    return factories.company(sales_price=200)


@pytest.fixture
def contract(no1):
    return factories.contract(no1, confirmed=True)


def purchase_order(contract, number="4711", amount="10000", **fields):
    return factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(),
        number=number,
        amount=None if amount is None else D(amount),
        **fields,
    )


def ready(no1, contract, day, hours="4", price="200"):
    return factories.ready_item(no1, contract, quantity=D(hours), price=D(price), date=day)


def used_up(no1, contract):
    """W8: 9,000 used, 7,000 of it confirmed and 2,000 on a draft."""
    (first,) = create_for_items([ready(no1, contract, MAR_1, "35")], on=MAR_1, by=no1.manager)
    confirm(first, by=no1.manager, on=MAR_1)
    (second,) = create_for_items([ready(no1, contract, MAR_1, "10")], on=MAR_1, by=no1.manager)
    return first, second


def left(contract):
    return [order.left for order in load_orders([contract.pk])]


def shown(proformas):
    return [(p.order_reference, p.purchase_order_id is not None, net(p)) for p in proformas]


def net(proforma):
    details = LineDetail.objects.on_proforma(proforma)
    return sum(details.values_list("amount", flat=True), D(0))


def test_the_used_amount_includes_drafts_confirmed_and_posted(no1, contract):
    """CON-12, W8"""
    purchase_order(contract)
    used_up(no1, contract)
    assert left(contract) == [D("1000.00")]


def test_the_amounts_of_an_order(no1, contract):
    """CON-12, W8: the second row is on a separate draft, with the shortage."""
    purchase_order(contract)
    used_up(no1, contract)
    ready(no1, contract, MAR_2), ready(no1, contract, MAR_3)
    fits, rest = create_proformas([contract], cutoff=MAR_31, on=MAR_31, by=no1.manager)
    assert shown([fits, rest]) == [("4711", True, D("800.00")), ("", False, D("800.00"))]
    assert left(contract) == [D("200.00")]
    assert shortages(fits) == []
    (shortage,) = shortages(rest)
    assert (
        shortage.reason.sentence
        == "Order 4711 has 200.00 NOK left of 10,000.00 NOK, which is 600.00 NOK too little."
    )


def test_a_row_that_is_too_large_uses_nothing_of_the_order(no1, contract):
    """CON-12, W8: 8 h × 200 = 1,600 where 1,000 is left."""
    purchase_order(contract)
    used_up(no1, contract)
    (whole,) = create_for_items([ready(no1, contract, MAR_2, "8")], on=MAR_31, by=no1.manager)
    assert shown([whole]) == [("", False, D("1600.00"))]
    assert [s.reason.sentence for s in shortages(whole)] == [
        "Order 4711 has 1,000.00 NOK left of 10,000.00 NOK, which is 600.00 NOK too little."
    ]


def test_a_return_frees_the_amount_and_its_draft_uses_it_again(no1, contract):
    """CON-12 PRP-6"""
    purchase_order(contract)
    first, _ = used_up(no1, contract)
    draft = return_proforma(first, by=no1.accountant, on=MAR_31)
    assert (draft.order_reference, draft.purchase_order_id) == ("4711", first.purchase_order_id)
    assert left(contract) == [D("1000.00")]
    details = LineDetail.objects.on_proforma(draft)
    remove_details(details, by=no1.manager)
    assert left(contract) == [D("8000.00")]


def test_a_credit_frees_the_amount_of_its_order(no1, contract):
    """CON-12, W8: a credit of 500 billed under the order frees 500."""
    number = purchase_order(contract, valid_to=MAR_1)
    first, _ = used_up(no1, contract)
    billed = Actual.objects.get(detail_actual__detail__line__proforma=first, type="billed")
    correction = ProformaInvoice.objects.get(pk=first.pk)
    correction.pk, correction.number, correction.status = None, "C-1", "draft"
    correction.kind, correction.corrects = "correction", first
    correction.batch = correction.confirmed_at = correction.confirmed_by = None
    correction.save()
    line = ProformaLine.objects.create(proforma=correction, number=1, contract_line=contract.lines.get())
    detail = LineDetail.objects.get(line__proforma=first)
    detail.pk, detail.line, detail.backlog_item, detail.amount = None, line, None, D(0)
    detail.save()
    credit = Actual.objects.get(pk=billed.pk)
    credit.pk, credit.quantity, credit.amount = None, D("-2.5"), D("-500.00")
    credit.save()
    DetailActual.objects.create(detail=detail, actual=credit, part="billed")
    assert correction.purchase_order_id == number.pk
    assert left(contract) == [D("1500.00")], "also of an order that has ended"


def test_a_run_its_preview_and_the_button_create_the_same(no1, contract):
    """RUN-4 PRO-1: one proforma for each order."""
    first = purchase_order(contract, "A-1", "800", valid_to=MAR_31)
    purchase_order(contract, "B-2", None)
    ready(no1, contract, MAR_2), ready(no1, contract, MAR_3)
    factories.ScheduleEntryFactory(line=contract.lines.get(), run_date=APR_1, cutoff=MAR_31)
    preview = preview_invoicing(no1.entity, as_of=APR_1, by=no1.manager)
    lines = RunPlanLine.objects.filter(run_contract__run=preview).order_by("pk")
    assert [(str(line.purchase_order), line.amount) for line in lines] == [
        ("A-1", D("800")),
        ("B-2", D("800")),
    ]
    run = run_invoicing(no1.entity, as_of=APR_1, by=no1.manager)
    made = run.proformas.order_by("pk")
    assert shown(made) == [("A-1", True, D("800.00")), ("B-2", True, D("800.00"))]
    assert made[0].purchase_order == first


def test_a_stored_plan_is_refused_after_an_order_changed(no1, contract):
    """RUN-4"""
    number = purchase_order(contract, amount="800")
    ready(no1, contract, MAR_2)
    factories.ScheduleEntryFactory(line=contract.lines.get(), run_date=APR_1, cutoff=MAR_31)
    preview = preview_invoicing(no1.entity, as_of=APR_1, by=no1.manager)
    number.amount = D("700")
    number.save()
    with pytest.raises(Refused) as refused:
        operations.execute_preview(preview, by=no1.manager)
    assert refused.value.code == "PREVIEW-CHANGED"


def test_a_raised_price_is_checked_again(no1, contract):
    """CON-12: 4 h × 200 of 800 use up the order; at 250 it is 200 too much."""
    purchase_order(contract, amount="800")
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    assert shortages(draft) == []
    edit_details(LineDetail.objects.on_proforma(draft), by=no1.manager, price=D("250"))
    assert [s.reason.sentence for s in shortages(draft)] == [
        "Order 4711 is for 800.00 NOK. Proformas under it come to 1,000.00 NOK, which is 200.00 NOK too much."
    ]


def test_a_detail_added_by_hand_is_checked_too(no1, contract):
    """CON-12"""
    purchase_order(contract, amount="1000", valid_to=MAR_3)
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)

    def add(day):
        add_detail(
            draft,
            by=no1.manager,
            contract_line=contract.lines.get(),
            transaction_class="time",
            date=day,
            quantity=D(2),
            price=D(150),
        )

    add(MAR_3)
    assert [s.missing for s in shortages(draft)] == [D("100.00")]
    with pytest.raises(Refused, match="Order 4711 is valid until 3 Mar 2025, and 31 Mar 2025 is later"):
        add(MAR_31)


def test_if_an_order_is_required_nothing_is_confirmed_without_enough_left(no1, contract):
    """CON-12: PO-AMOUNT is an error then, else a warning."""
    purchase_order(contract, amount="700")
    items = [ready(no1, contract, MAR_2), ready(no1, contract, MAR_3)]
    (first,) = create_for_items(items[:1], on=MAR_31, by=no1.manager)
    confirm(first, by=no1.manager, on=MAR_31)
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    (second,) = create_for_items(items[1:], on=MAR_31, by=no1.manager)
    with pytest.raises(Refused) as refused:
        confirm(second, by=no1.manager, on=MAR_31)
    assert refused.value.code == "ORDER-AMOUNT-TO-CONFIRM"
    assert refused.value.message.startswith(
        "Order 4711 has 700.00 NOK left of 700.00 NOK, which is 100.00 NOK too little."
    )
    assert ProformaInvoice.objects.get(pk=second.pk).status == "draft"


def test_refresh_adds_what_fits_under_the_order_of_the_draft(no1, contract):
    """CON-12"""
    purchase_order(contract, amount="1000")
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    edit_header(draft, by=no1.manager, cutoff=MAR_31)
    small, large = ready(no1, contract, MAR_3, "1"), ready(no1, contract, MAR_3, "5")
    (added,) = refresh(draft, by=no1.manager)
    assert added.backlog_item_id == small.pk
    assert list(pending(draft)) == [large]


def test_pending_work_of_other_dates_is_not_added_to_an_order(no1, contract):
    """CON-12"""
    purchase_order(contract, valid_to=MAR_2)
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    with pytest.raises(Refused) as refused:
        add_items(draft, [ready(no1, contract, MAR_3)], by=no1.manager)
    assert refused.value.code == "ORDER-DATES-OF-ITEMS"


def test_another_order_number_in_the_header_is_used_from_then_on(no1, contract):
    """PRO-2 CON-12"""
    first, second = purchase_order(contract, "A-1", "900"), purchase_order(contract, "B-2", "1000")
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    assert draft.purchase_order == first
    draft = edit_header(draft, by=no1.manager, order_reference="B-2")
    assert draft.purchase_order == second
    assert left(contract) == [D("900"), D("200.00")]
    draft = edit_header(draft, by=no1.manager, order_reference="by telephone")
    assert (draft.order_reference, draft.purchase_order) == ("by telephone", None)
    assert left(contract) == [D("900"), D("1000")]


def test_an_order_of_other_dates_is_refused_in_the_header(no1, contract):
    """CON-12"""
    purchase_order(contract, "OLD", valid_to=date(2025, 1, 31))
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    sentence = "Order OLD is valid until 31 Jan 2025, and 2 Mar 2025 is later"
    with pytest.raises(Refused, match=sentence) as refused:
        edit_header(draft, by=no1.manager, order_reference="OLD")
    assert refused.value.code == "ORDER-DATES-IN-HEADER"
    assert ProformaInvoice.objects.get(pk=draft.pk).order_reference == ""


def test_shortened_dates_of_an_order_are_checked_when_confirming(no1, contract):
    """CON-12: refused if an order is required."""
    order = purchase_order(contract)
    items = [ready(no1, contract, MAR_2), ready(no1, contract, MAR_3)]
    drafts = [create_for_items([item], on=MAR_31, by=no1.manager)[0] for item in items]
    order.valid_to = MAR_1
    order.save()
    assert confirm(drafts[0], by=no1.manager, on=MAR_31).status == "confirmed"
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    with pytest.raises(Refused, match="Order 4711 is valid until 1 Mar 2025, and 3 Mar") as refused:
        confirm(drafts[1], by=no1.manager, on=MAR_31)
    assert refused.value.code == "ORDER-DATES-TO-CONFIRM"


def test_a_renamed_order_keeps_its_proformas(no1, contract):
    """CON-12: 4 h × 200 of 1,000 leave 200, under any name."""
    order = purchase_order(contract, "PO-1", "1000")
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    order.number = "PO-9"
    order.save()
    draft = edit_header(draft, by=no1.manager, name="March", order_reference="PO-1")
    assert (draft.name, draft.purchase_order) == ("March", order)
    assert left(contract) == [D("200.00")]


@pytest.mark.parametrize("typed", ["po-1", "PO-1 ", " Po-1"])
def test_a_number_is_found_ignoring_case(no1, contract, typed):
    """CON-12"""
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    order = purchase_order(contract, "PO-1", "1000")
    draft = edit_header(draft, by=no1.manager, order_reference=typed)
    assert (draft.order_reference, draft.purchase_order) == ("PO-1", order)
    assert left(contract) == [D("200.00")]


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_an_order_that_is_entered_later_includes_proformas_with_its_number(no1, contract, is_confirmed):
    """CON-12: 800 of 1,000 leave 200, too little for the next 800."""
    (first,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    first = edit_header(first, by=no1.manager, order_reference="po-1")
    if is_confirmed:
        first = confirm(first, by=no1.manager, on=MAR_31)
    order = purchase_order(contract, "PO-1", "1000", valid_to=MAR_1)
    other = purchase_order(contract, "PO-2", "1000", valid_to=MAR_1)
    assert left(contract) == [D("200.00"), D("1000")]
    assert order_of(first).pk == order.pk
    assert outside_order(first) == Reason("ORDER-VALID-UNTIL", order="PO-1", last=MAR_1, day=MAR_2)
    order.valid_to = other.valid_to = None
    order.amount = D(700)
    order.save()
    assert [(s.number, s.missing) for s in shortages(first)] == [("PO-1", D("100.00"))]
    (second,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    assert second.purchase_order is None


def test_work_outside_the_scope_of_tax_is_billed_separately(no1, contract):
    """PRO-1: by hand too; pending rows are not mixed in."""
    outside = factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="expense",
        code="PUBLIC",
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )
    fee = factories.ready_item(
        no1, contract, date=MAR_2, transaction_class="expense", category=outside, task=None, role=None
    )
    hours = ready(no1, contract, MAR_2)
    inside, apart = create_for_items([fee, hours], on=MAR_31, by=no1.manager)
    assert [(p.is_outside_scope, net(p)) for p in (inside, apart)] == [
        (False, D("800.00")),
        (True, fee.amount),
    ]
    with pytest.raises(Refused) as refused:
        add_items(apart, [ready(no1, contract, MAR_3)], by=no1.manager)
    assert refused.value.code == "SCOPE-MIXED-ITEMS"
    edit_header(apart, by=no1.manager, cutoff=MAR_31)
    assert refresh(apart, by=no1.manager) == []


def test_a_detail_added_by_hand_does_not_mix_scopes_of_tax(no1, contract):
    """PRO-1: an empty draft gets the scope of the first detail."""
    outside = factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="fee",
        code="PUBLIC",
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    fee = {
        "contract_line": contract.lines.get(),
        "transaction_class": "fee",
        "category": outside,
        "date": MAR_2,
        "quantity": D(1),
        "price": D(100),
    }
    with pytest.raises(Refused) as refused:
        add_detail(draft, by=no1.manager, **fee)
    assert refused.value.code == "SCOPE-MIXED-ADDED"
    remove_details(LineDetail.objects.on_proforma(draft), by=no1.manager)
    add_detail(draft, by=no1.manager, **fee)
    draft.refresh_from_db()
    assert draft.is_outside_scope


def test_a_draft_without_an_order_names_one_with_enough_left(no1, contract, client):
    """CON-11 CON-12: an order was raised after the draft was created; a link leads to the field."""
    number = purchase_order(contract, amount="700")
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert "Order 4711 has 700.00 NOK left of 700.00 NOK, which is 100.00 NOK too little." in page
    assert "covers its amount" not in page
    number.amount = D("800")
    number.save()
    page = client.get(draft.get_absolute_url()).content.decode()
    assert "order 4711 covers its amount" in page
    draft = edit_header(draft, by=no1.manager, order_reference="4711")
    assert draft.purchase_order == number
    assert "covers its amount" not in client.get(draft.get_absolute_url()).content.decode()


def test_an_electronic_address_is_entered_with_its_scheme(no1, contract):
    """CON-9"""
    (draft,) = create_for_items([ready(no1, contract, MAR_2)], on=MAR_31, by=no1.manager)
    with pytest.raises(Refused, match="together with its scheme"):
        edit_header(draft, by=no1.manager, electronic_address="974760673")
    draft = edit_header(
        draft, by=no1.manager, electronic_address="974760673", electronic_address_scheme="0192"
    )
    assert draft.electronic_address == "974760673"


@pytest.mark.parametrize(
    ("currency", "used", "sentence"),
    [
        ("JPY", None, "Order PO-1 has 100 JPY left of 1,000 JPY, which is 50 JPY too little."),
        ("NOK", None, "Order PO-1 has 100.00 NOK left of 1,000.00 NOK, which is 50.00 NOK too little."),
        (
            "KWD",
            Decimal("1050"),
            "Order PO-1 is for 1,000.000 KWD. Proformas under it come to 1,050.000 KWD, which is 50.000 KWD "
            "too much.",
        ),
    ],
)
def test_a_shortage_has_the_decimals_of_its_currency(currency, used, sentence):
    """MON-1, CON-12"""
    shortage = Shortage("PO-1", Decimal("1000"), Decimal("100"), Decimal("50"), 1, currency, used)
    assert shortage.reason.sentence == sentence
