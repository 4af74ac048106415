"""Confirming creates actuals, once, and freezes the proforma."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from actuals.models import Actual, Batch, PriceDecision
from backlog.models import BacklogItem
from backlog.operations import settle
from contracts.models import Milestone
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from proforma import operations
from proforma.models import DetailActual, LineDetail, ProformaInvoice
from tests import factories

pytestmark = pytest.mark.django_db

MARCH_10, MARCH_31, APRIL_1, APRIL_2 = (
    date(2025, 3, 10),
    date(2025, 3, 31),
    date(2025, 4, 1),
    date(2025, 4, 2),
)


@factories.remembered
def draft(contract):
    return operations.create_proformas([contract], cutoff=MARCH_31, on=APRIL_1, by=None)[0]


def details_of(proforma):
    return list(LineDetail.objects.on_proforma(proforma).order_by("pk"))


def confirm(proforma, company, **fields):
    return operations.confirm(proforma, by=company.manager, **{"on": APRIL_2, **fields})


def facts(detail):
    """(part, type, quantity, price, amount, billing type, booked by) of a detail's actuals, in order."""
    rows = DetailActual.objects.filter(detail=detail).select_related("actual").order_by("actual")
    return [
        (
            row.part,
            row.actual.type,
            f"{row.actual.quantity:.2f}",
            f"{row.actual.price:.2f}",
            f"{row.actual.amount:.2f}",
            row.actual.billing_type,
            row.actual.booked_by,
        )
        for row in rows
    ]


def actual(detail, part):
    return Actual.objects.get(detail_actual__detail=detail, detail_actual__part=part)


def net_of_unbilled():
    """Amount and quantity of all unbilled sales: the originals and those that confirming created."""
    unbilled = Actual.objects.filter(type="unbilled")
    return sum(a.amount for a in unbilled), sum(a.quantity for a in unbilled)


def test_unedited_work_is_reversed_and_billed(company, contract, ready):
    """PRO-5: confirming sets the status of the item, not posting."""
    item = ready(contract, "7.5", "133.33", amount=Decimal("999.98"), description="Design of the bridge")
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    proforma = confirm(proforma, company)

    assert facts(detail) == [
        ("reversal", "unbilled", "-7.50", "133.33", "-999.98", "chargeable", "nothing"),
        ("billed", "billed", "7.50", "133.33", "999.98", "chargeable", "invoice"),
    ]
    original, reversal, billed = item.actual, actual(detail, "reversal"), actual(detail, "billed")
    assert (reversal.reverses, billed.reverses, billed.replaces) == (original, None, original)
    for made in (reversal, billed):
        assert (made.date, made.accounting_date) == (MARCH_10, APRIL_2)
        assert (made.batch, made.contract_customer) == (proforma.batch, original.contract_customer)
        assert (made.project, made.task, made.resource, made.role, made.category) == (
            company.project,
            company.task,
            company.resource,
            company.role,
            company.time,
        )
        assert (made.unit, made.currency, made.contract_line) == ("h", "NOK", contract.lines.get())
        assert (made.description, made.split) == ("Design of the bridge", Decimal(100))
    item.refresh_from_db()
    assert item.status == "posted"
    assert net_of_unbilled() == (0, 0)


def test_confirming_records_user_time_and_batch(company, contract, ready):
    """PRO-5, JRN-7"""
    ready(contract)
    proforma = confirm(draft(contract), company)
    proforma.refresh_from_db()
    assert (proforma.status, proforma.confirmed_by) == ("confirmed", company.manager)
    assert proforma.confirmed_at is not None
    assert (proforma.batch.action, proforma.batch.on, proforma.batch.by) == (
        "proforma",
        APRIL_2,
        company.manager,
    )
    assert proforma.batch.actuals.count() == 2
    event = AuditEvent.objects.get(action="proforma.confirm")
    assert (event.subject_id, event.by, event.detail["actuals"]) == (str(proforma.pk), company.manager, 2)


def test_a_lowered_quantity_leaves_a_non_chargeable_rest(company, contract, ready):
    """PRO-5: 10 h × 1,000 billed as 7 h."""
    item = ready(contract, "10", "1000")
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    operations.edit_details([detail], by=company.manager, quantity=Decimal(7))
    confirm(proforma, company)
    assert facts(detail) == [
        ("reversal", "unbilled", "-10.00", "1000.00", "-10000.00", "chargeable", "nothing"),
        ("unbilled", "unbilled", "7.00", "1000.00", "7000.00", "chargeable", "nothing"),
        ("unbilled_reversal", "unbilled", "-7.00", "1000.00", "-7000.00", "chargeable", "nothing"),
        ("billed", "billed", "7.00", "1000.00", "7000.00", "chargeable", "invoice"),
        ("rest", "unbilled", "3.00", "1000.00", "3000.00", "non_chargeable", "nothing"),
        ("rest_reversal", "unbilled", "-3.00", "1000.00", "-3000.00", "non_chargeable", "nothing"),
        ("rest_billed", "billed", "3.00", "1000.00", "3000.00", "non_chargeable", "invoice"),
    ]
    assert actual(detail, "unbilled_reversal").reverses == actual(detail, "unbilled")
    assert actual(detail, "rest_reversal").reverses == actual(detail, "rest")
    replaced = Actual.objects.filter(replaces=item.actual).order_by("pk")
    assert [a.detail_actual.part for a in replaced] == ["unbilled", "billed", "rest", "rest_billed"]
    assert net_of_unbilled() == (0, 0)


def test_a_lowered_price_leaves_a_rest_of_no_hours(company, contract, ready):
    """PRO-5: 10 h × 1,000 → 10 h × 800 gives 8,000 and a rest of 0 h, 2,000."""
    ready(contract, "10", "1000")
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    operations.edit_details([detail], by=company.manager, price=Decimal(800))
    confirm(proforma, company)
    assert [(part, quantity, amount) for part, _, quantity, _, amount, *_ in facts(detail)] == [
        ("reversal", "-10.00", "-10000.00"),
        ("unbilled", "10.00", "8000.00"),
        ("unbilled_reversal", "-10.00", "-8000.00"),
        ("billed", "10.00", "8000.00"),
        ("rest", "0.00", "2000.00"),
        ("rest_reversal", "0.00", "-2000.00"),
        ("rest_billed", "0.00", "2000.00"),
    ]
    assert net_of_unbilled() == (0, 0)


def test_fewer_hours_at_a_higher_price_leave_no_rest(company, contract, ready):
    """PRO-5: 10 h × 1,000 → 7 h × 1,500 gives 10,500 and no rest."""
    ready(contract, "10", "1000")
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    operations.edit_details([detail], by=company.manager, quantity=Decimal(7), price=Decimal(1500))
    confirm(proforma, company)
    assert [(part, quantity, amount) for part, _, quantity, _, amount, *_ in facts(detail)] == [
        ("reversal", "-10.00", "-10000.00"),
        ("unbilled", "7.00", "10500.00"),
        ("unbilled_reversal", "-7.00", "-10500.00"),
        ("billed", "7.00", "10500.00"),
    ]


def test_raised_hours_are_billed_completely(company, contract, ready):
    """PRO-5: the same without a rest."""
    ready(contract, "10", "1000")
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    operations.edit_details([detail], by=company.manager, quantity=Decimal(12))
    confirm(proforma, company)
    assert [(part, quantity, amount) for part, _, quantity, _, amount, *_ in facts(detail)] == [
        ("reversal", "-10.00", "-10000.00"),
        ("unbilled", "12.00", "12000.00"),
        ("unbilled_reversal", "-12.00", "-12000.00"),
        ("billed", "12.00", "12000.00"),
    ]


def test_a_changed_billing_type_is_billed_as_the_new_type(company, contract, ready):
    """PRO-5"""
    ready(contract, "10", "1000")
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    operations.edit_details([detail], by=company.manager, billing_type="complimentary")
    confirm(proforma, company)
    assert [(part, amount, billing_type) for part, _, _, _, amount, billing_type, _ in facts(detail)] == [
        ("reversal", "-10000.00", "chargeable"),
        ("unbilled", "10000.00", "complimentary"),
        ("unbilled_reversal", "-10000.00", "complimentary"),
        ("billed", "10000.00", "complimentary"),
    ]


def test_a_rounding_share_is_billed_at_its_own_amount(company, contract, ready):
    """PRO-5, MON-9: 2.5004 h × 133.33 would be 333.38; this share has 333.39."""
    ready(contract, "2.5004", "133.33", amount=Decimal("333.39"), is_rounding_share=True)
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    confirm(proforma, company)
    billed = actual(detail, "billed")
    assert (billed.amount, billed.is_rounding_share) == (Decimal("333.39"), True)


def test_an_edited_detail_is_not_a_rounding_share(company, contract, ready):
    """PRO-5, MON-9"""
    ready(contract, "2.5004", "133.33", amount=Decimal("333.39"), is_rounding_share=True)
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    operations.edit_details([detail], by=company.manager, quantity=Decimal(2))
    confirm(proforma, company)
    parts = ("reversal", "unbilled", "billed", "rest")
    assert [actual(detail, part).is_rounding_share for part in parts] == [True, False, False, False]


def test_a_price_from_a_price_list_links_to_it_and_an_edited_one_does_not(company, contract, ready):
    """PRO-5, ACT-2"""
    batch = Batch.objects.create(entity=company.entity, action="approve", on=MARCH_10)
    found = PriceDecision.objects.create(batch=batch, kind="sales", price=Decimal(1000))
    for _ in range(2):
        ready(contract, "10", "1000", price_decision=found)
    proforma = draft(contract)
    by_quantity, by_price = details_of(proforma)
    operations.edit_details([by_quantity], by=company.manager, quantity=Decimal(7))
    operations.edit_details([by_price], by=company.manager, price=Decimal(800))
    confirm(proforma, company)
    assert actual(by_quantity, "billed").price_decision == found
    assert actual(by_price, "billed").price_decision is None
    assert actual(by_price, "rest").price_decision == found  # the rest has the price of the original


def test_a_closed_contract_bills_nothing(company, contract, ready):
    """CON-7"""
    ready(contract)
    proforma = draft(contract)
    contract.status = "closed"
    contract.save()
    with pytest.raises(Refused, match="Only a confirmed contract can be invoiced"):
        confirm(proforma, company)


def test_work_added_by_hand_gets_its_item_when_it_is_confirmed(company, contract, ready):
    """PRO-5, PRO-8"""
    ready(contract)
    proforma = draft(contract)
    added = operations.add_detail(
        proforma,
        by=company.manager,
        contract_line=contract.lines.get(),
        transaction_class="material",
        product=company.product,
        date=MARCH_31,
        quantity=Decimal(3),
        price=Decimal("80.50"),
        unit="each",
        description="Cable",
    )
    confirm(proforma, company)
    assert facts(added) == [
        ("unbilled", "unbilled", "3.00", "80.50", "241.50", "chargeable", "nothing"),
        ("unbilled_reversal", "unbilled", "-3.00", "80.50", "-241.50", "chargeable", "nothing"),
        ("billed", "billed", "3.00", "80.50", "241.50", "chargeable", "invoice"),
    ]
    item = BacklogItem.objects.get(detail=added)
    assert (item.actual, item.status, item.amount) == (actual(added, "unbilled"), "posted", Decimal("241.5"))
    assert item.actual.reversed_by == actual(added, "unbilled_reversal")
    billed = actual(added, "billed")
    assert (billed.transaction_class, billed.product, billed.description) == (
        "material",
        company.product,
        "Cable",
    )
    assert (billed.contract_customer, billed.date) == (contract.customers.get(), MARCH_31)


def test_work_added_by_hand_on_a_fixed_price_line_is_billed_only(company, milestone):
    """PRO-5"""
    contract = factories.contract(company, method="fixed", confirmed=True)
    milestone(contract.lines.get(), number=2)
    proforma = draft(contract)
    added = operations.add_detail(
        proforma,
        by=company.manager,
        contract_line=contract.lines.get(),
        transaction_class="fee",
        category=company.fee,
        date=MARCH_31,
        quantity=Decimal(1),
        price=Decimal(500),
    )
    confirm(proforma, company)
    assert facts(added) == [("billed", "billed", "1.00", "500.00", "500.00", "chargeable", "invoice")]
    item = BacklogItem.objects.get(detail=added)
    assert (item.actual, item.status) == (actual(added, "billed"), "posted")


def test_a_milestone_is_billed_only(company, milestone):
    """PRO-5"""
    contract = factories.contract(company, method="fixed", confirmed=True)
    (item,) = milestone(contract.lines.get(), "40000", number=2)
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    confirm(proforma, company)
    assert facts(detail) == [("billed", "billed", "1.00", "40000.00", "40000.00", "chargeable", "invoice")]
    billed = actual(detail, "billed")
    assert (billed.milestone_part, billed.transaction_class) == (item.milestone_part, "milestone")
    assert (billed.date, billed.project) == (MARCH_10, company.project)
    item.refresh_from_db()
    assert item.status == "posted"


def test_a_milestone_is_completed_when_its_last_part_is_billed(company, milestone):
    """MIL-1, PRO-5"""
    first, second = company.customers
    contract = factories.contract(
        company, method="fixed", confirmed=True, customers=[(first, 60), (second, 40)]
    )
    line = contract.lines.get()
    milestone(line, "10000", number=2, parts=["6000", "4000"])
    milestone(line, "500", number=3, parts=["300", "200"])
    one, other = operations.create_proformas([contract], cutoff=MARCH_31, on=APRIL_1, by=None)

    def heads():
        return list(
            Milestone.objects.filter(number__gt=1).order_by("number").values_list("status", flat=True)
        )

    assert heads() == ["in_progress", "in_progress"]  # on drafts
    confirm(one, company)
    assert heads() == ["in_progress", "in_progress"]
    confirm(other, company)
    assert heads() == ["completed", "completed"]


def test_a_part_that_was_split_does_not_count(company, milestone):
    """MIL-2: its item is canceled, and the slices replace it."""
    contract = factories.contract(company, method="fixed", confirmed=True)
    line = contract.lines.get()
    milestone(line, number=2, status="canceled")
    head = Milestone.objects.get(number=2)
    whole = head.parts.get()
    slices = []
    for amount, status in (("7000", "ready"), ("3000", "not_ready")):
        part = head.parts.create(
            contract_customer=whole.contract_customer, amount=Decimal(amount), split_from=whole
        )
        slices.append(
            factories.BacklogItemFactory(
                actual=None,
                milestone_part=part,
                contract=contract,
                contract_line=line,
                contract_customer=whole.contract_customer,
                date=MARCH_10,
                amount=Decimal(amount),
                currency="NOK",
                status=status,
            )
        )
    confirm(draft(contract), company)
    head.refresh_from_db()
    assert head.status == "in_progress"
    BacklogItem.objects.filter(pk=slices[1].pk).update(status="ready")
    confirm(draft(contract), company)
    head.refresh_from_db()
    assert head.status == "completed"


def test_a_proforma_is_confirmed_once(company, contract, ready):
    """PRO-5"""
    ready(contract)
    proforma = draft(contract)
    confirm(proforma, company)
    with pytest.raises(
        Refused, match="is confirmed and can't be confirmed. Statuses that allow this: draft and in review"
    ):
        confirm(proforma, company)
    assert Actual.objects.filter(type="billed").count() == 1


def test_a_proforma_in_review_can_be_confirmed(company, contract, ready):
    ready(contract)
    proforma = operations.submit_for_review(draft(contract), by=company.manager)
    assert confirm(proforma, company).status == "confirmed"


def test_an_empty_proforma_cannot_be_confirmed(company, contract, ready):
    """PRO-5"""
    ready(contract)
    proforma = draft(contract)
    operations.remove_details(details_of(proforma), by=company.manager)
    with pytest.raises(Refused, match="is empty"):
        confirm(proforma, company)


def test_the_day_of_the_action_is_the_entitys_today_by_default(company, contract, ready):
    """MON-6"""
    ready(contract)
    proforma = operations.confirm(draft(contract), by=company.manager)
    assert proforma.batch.on == company.entity.today()


def test_a_failure_leaves_no_rows(company, contract, ready, monkeypatch):
    """PRO-5: one transaction."""
    item = ready(contract)
    proforma = draft(contract)

    def fail_at_the_end(*args, **kwargs):
        settle(*args, **kwargs)
        raise RuntimeError("The power went")

    monkeypatch.setattr("proforma.operations.confirmations.settle", fail_at_the_end)
    with pytest.raises(RuntimeError):
        confirm(proforma, company)
    item.refresh_from_db()
    proforma.refresh_from_db()
    assert (item.status, proforma.status) == ("created", "draft")
    assert Actual.objects.filter(type="billed").count() == 0
    assert DetailActual.objects.count() == 0


def test_a_confirmed_proforma_is_frozen_by_the_database(company, contract, ready):
    """PRO-5, ACT-1"""
    ready(contract)
    proforma = draft(contract)
    (detail,) = details_of(proforma)
    confirm(proforma, company)
    for rows, change in (
        (ProformaInvoice.objects.filter(pk=proforma.pk), {"status": "draft"}),
        (LineDetail.objects.filter(pk=detail.pk), {"quantity": Decimal(2)}),
        (DetailActual.objects.filter(detail=detail), {"part": "credit"}),
    ):
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            rows.update(**change)


def test_the_accountant_is_notified_after_commit(
    company, contract, ready, monkeypatch, django_capture_on_commit_callbacks
):
    """PRO-7"""
    sent = []
    monkeypatch.setattr("invoicing_site.floor.jobs._send", lambda job: sent.append((job.kind, job.params)))
    ready(contract)
    with django_capture_on_commit_callbacks(execute=True):
        proforma = confirm(draft(contract), company)
        assert sent == []
    assert sent == [("propose", {"proforma": proforma.pk})]


def test_confirming_takes_as_many_queries_for_many_details_as_for_few(company, contract, ready):
    """PRO-5: unedited, edited and added by hand alike."""

    def queries(rows):
        for _ in range(rows):
            ready(contract, "10", "1000")
        proforma = draft(contract)
        details = details_of(proforma)
        operations.edit_details(details[: rows // 2], by=company.manager, quantity=Decimal(7))
        for _ in range(rows // 2):
            operations.add_detail(
                proforma,
                by=company.manager,
                contract_line=contract.lines.get(),
                transaction_class="fee",
                category=company.fee,
                date=MARCH_10,
                quantity=Decimal(1),
                price=Decimal(1),
            )
        with CaptureQueriesContext(connection) as captured:
            confirm(proforma, company)
        return [query["sql"] for query in captured if not query["sql"].startswith("INSERT")]

    # SQLite inserts a limited number of parameters at once.
    _, few, many = queries(2), queries(2), queries(10)  # the first one creates the counters
    assert len(few) == len(many), "\n".join(many)
