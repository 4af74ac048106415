"""Proformas created by hand: the included work, the copied header, and releasing the work again."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from backlog.models import BacklogItem
from contracts.models import PurchaseOrder, Retainer
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from proforma import inputs, operations
from proforma.models import LineDetail, ProformaInvoice, ProformaLine
from tests import factories

pytestmark = pytest.mark.django_db

MARCH_10, MARCH_31, APRIL_1 = date(2025, 3, 10), date(2025, 3, 31), date(2025, 4, 1)


def create(*contracts, cutoff=MARCH_31, by=None):
    return operations.create_proformas(contracts, cutoff=cutoff, on=APRIL_1, by=by)


def statuses(*items):
    return [BacklogItem.objects.get(pk=item.pk).status for item in items]


def details_of(proforma):
    return list(LineDetail.objects.on_proforma(proforma).order_by("pk"))


def test_a_proforma_includes_ready_work_up_to_the_cutoff(company, contract, ready):
    """PRO-1"""
    taken = ready(contract, "7.5", "133.33", day=MARCH_31, amount=Decimal("999.98"))
    later = ready(contract, day=APRIL_1)
    waiting = ready(contract, status="not_ready")
    (proforma,) = create(contract, by=company.manager)

    assert statuses(taken, later, waiting) == ["created", "ready", "not_ready"]
    (detail,) = details_of(proforma)
    assert (detail.backlog_item, detail.quantity, detail.price, detail.amount) == (
        taken,
        Decimal("7.5"),
        Decimal("133.33"),
        Decimal("999.98"),
    )
    assert (detail.transaction_class, detail.date, detail.unit) == ("time", MARCH_31, "h")
    assert (detail.project, detail.task, detail.resource) == (company.project, company.task, company.resource)
    assert (detail.role, detail.category) == (company.role, company.time)
    assert (detail.billing_tax_group, detail.item_tax_group) == (
        company.billing_tax_group,
        company.item_tax_group,
    )
    line = detail.line
    assert (line.contract_line, line.number, line.description) == (
        contract.lines.get(),
        1,
        contract.lines.get().name,
    )
    assert (proforma.number, proforma.status, proforma.cutoff) == ("PRO-2025-000001", "draft", MARCH_31)
    assert (proforma.run_date, proforma.accounting_date) == (None, APRIL_1)
    assert (proforma.created_by, proforma.contract_customer) == (company.manager, contract.customers.get())


def test_there_is_one_proforma_per_contract_customer_and_one_line_per_contract_line(company, ready):
    """PRO-1"""
    first, second = company.customers
    contract = factories.contract(
        company,
        confirmed=True,
        customers=[(first, 50), (second, 50)],
        lines=[{}, {"project": factories.ProjectFactory(entity=company.entity)}],
    )
    shares = list(contract.customers.order_by("pk"))
    one, two = contract.lines.order_by("number")
    for line, share in [(one, shares[0]), (two, shares[0]), (two, shares[0]), (two, shares[1])]:
        ready(contract, line=line, customer=share, task=None)
    proformas = create(contract)
    assert [p.contract_customer for p in proformas] == shares
    assert [p.number for p in proformas] == ["PRO-2025-000001", "PRO-2025-000002"]
    lines = ProformaLine.objects.order_by("proforma", "number")
    assert [(line.proforma, line.number, line.contract_line, line.details.count()) for line in lines] == [
        (proformas[0], 1, one, 1),
        (proformas[0], 2, two, 2),
        (proformas[1], 1, two, 1),
    ]


def test_proformas_are_created_for_several_contracts_at_once(company, contract, ready):
    """PRO-1: a contract without ready work is skipped."""
    other, empty = factories.contract(company, confirmed=True), factories.contract(company, confirmed=True)
    ready(contract)
    ready(other)
    proformas = create(other, empty, contract, by=company.manager)
    assert [p.contract for p in proformas] == [contract, other]
    event = AuditEvent.objects.get(action="proforma.create")
    assert (event.by, event.detail["proformas"]) == (company.manager, ["PRO-2025-000001", "PRO-2025-000002"])


def test_a_milestone_is_a_detail_with_its_amount(company, milestone):
    """PRO-1"""
    contract = factories.contract(company, method="fixed", confirmed=True)
    line = contract.lines.get()
    (item,) = milestone(line, "10000", number=2)
    (proforma,) = create(contract)
    (detail,) = details_of(proforma)
    assert (detail.transaction_class, detail.quantity, detail.price, detail.amount) == (
        "milestone",
        Decimal(1),
        Decimal(10000),
        Decimal(10000),
    )
    assert (detail.backlog_item, detail.project) == (item, company.project)
    assert detail.description == item.milestone_part.milestone.name
    assert detail.item_tax_group == company.entity.milestone_item_tax_group


def test_nothing_to_invoice_is_refused_with_the_reason(company, contract, ready):
    """PRO-1"""
    with pytest.raises(Refused, match="up to 31 Mar 2025: Nothing was ready to invoice\\.") as refused:
        create(contract)
    assert (refused.value.code, [each.code for each in refused.value.params["why"]]) == (
        "CONTRACT-NOTHING",
        ["NOTHING-READY"],
    )
    ready(contract, status="not_ready")
    ready(contract, status="not_ready", needs_price=True)
    with pytest.raises(
        Refused, match="1 item is left out: without a price. 1 item is left out: not marked ready"
    ):
        create(contract)
    assert not ProformaInvoice.objects.exists()


@pytest.mark.parametrize("status", ["draft", "closed"])
def test_only_a_confirmed_contract_can_be_invoiced(company, contract, ready, status):
    """CON-7"""
    ready(contract)
    contract.status = status
    contract.save()
    with pytest.raises(Refused, match="Only a confirmed contract can be invoiced"):
        create(contract)


def test_a_proforma_of_selected_rows_has_no_others(company, shared_contract, ready):
    """PRO-1"""
    first, second = shared_contract.customers.order_by("pk")
    chosen = [
        ready(shared_contract, customer=first, day=MARCH_10),
        ready(shared_contract, customer=first, day=APRIL_1),
        ready(shared_contract, customer=second, day=MARCH_10),
    ]
    other = ready(shared_contract, customer=second)
    proformas = operations.create_for_items(chosen, on=APRIL_1, by=None)
    assert [(p.contract_customer, p.cutoff, len(details_of(p))) for p in proformas] == [
        (first, APRIL_1, 2),
        (second, MARCH_10, 1),
    ]
    assert statuses(*chosen, other) == ["created", "created", "created", "ready"]


def test_selected_rows_are_included_all_or_none(company, contract, ready):
    """PRO-1"""
    good, taken = ready(contract), ready(contract, status="created")
    with pytest.raises(Refused, match="1 row has changed") as refused:
        operations.create_for_items([good, taken], on=APRIL_1, by=None)
    assert refused.value.code == "CLAIM-GONE"
    assert statuses(good, taken) == ["ready", "created"]


def test_items_on_hold_are_not_billed(company, contract, ready):
    """PRO-1, BKL-5"""
    held = ready(contract)
    BacklogItem.objects.update(hold_until=date(2025, 4, 2), hold_reason="Asked for a new order number")
    with pytest.raises(Refused, match="1 item is left out: on hold"):
        create(contract)
    with pytest.raises(Refused, match="1 selected row is on hold until 2 Apr 2025"):
        operations.create_for_items([held], on=APRIL_1, by=None)
    BacklogItem.objects.update(hold_until=APRIL_1)
    assert len(create(contract)) == 1


def test_a_retainer_is_refused_with_a_sentence(company, contract, ready):
    retainer = Retainer.objects.create(
        contract=contract,
        contract_customer=contract.customers.get(),
        kind="request",
        name="Advance for spring",
        date=MARCH_10,
        amount=Decimal(5000),
    )
    item = factories.BacklogItemFactory(
        actual=None,
        retainer=retainer,
        contract=contract,
        contract_line=None,
        contract_customer=contract.customers.get(),
        date=MARCH_10,
        amount=Decimal(5000),
        currency="NOK",
    )
    with pytest.raises(Refused, match="“Advance for spring” is a retainer"):
        operations.create_for_items([item], on=APRIL_1, by=None)
    with pytest.raises(
        Refused, match="left out: a retainer, which this version does not put on proforma invoices"
    ):
        create(contract)
    work = ready(contract)
    (proforma,) = create(contract)
    assert [d.backlog_item for d in details_of(proforma)] == [work]


def test_the_header_copies_the_contract_customer_first_and_then_the_customer(company, contract, ready):
    """PRO-2, CON-9"""
    share = contract.customers.get()
    ready(contract)
    (plain,) = create(contract)
    customer = company.customer
    assert (plain.bill_to_name, plain.street, plain.postal_code, plain.city, plain.country) == (
        customer.name,
        "Storgata 1",
        "0155",
        "Oslo",
        "NO",
    )
    assert (plain.payment_term, plain.customer) == (company.payment_term, customer)

    term = factories.PaymentTermFactory(entity=company.entity, days=14)
    share.bill_to_name, share.contact_name, share.buyer_reference = "Accounts payable", "Kari", "K-77"
    share.street, share.city, share.payment_term = "Bryggen 2", "Bergen", term
    share.save()
    ready(contract)
    (special,) = create(contract)
    # The address is copied as a whole, never as a mix of two.
    assert (special.bill_to_name, special.street, special.postal_code, special.city) == (
        "Accounts payable",
        "Bryggen 2",
        "",
        "Bergen",
    )
    assert (special.contact_name, special.buyer_reference, special.payment_term) == ("Kari", "K-77", term)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2025, 3, 9), "ALWAYS"),
        (date(2025, 3, 10), "SPRING"),
        (date(2025, 3, 20), "LATE"),
        (date(2025, 3, 31), "LATE"),
        (date(2025, 4, 1), "SPRING"),
    ],
)
def test_the_order_number_is_the_valid_one_that_ends_first(company, contract, ready, day, expected):
    """PRO-2, CON-12"""
    share = contract.customers.get()
    for number, valid_from, valid_to in [
        ("ALWAYS", None, None),
        ("SPRING", date(2025, 3, 10), date(2025, 6, 30)),
        ("LATE", date(2025, 3, 20), date(2025, 3, 31)),
    ]:
        PurchaseOrder.objects.create(
            contract_customer=share, number=number, valid_from=valid_from, valid_to=valid_to
        )
    ready(contract, day=day)
    (proforma,) = create(contract, cutoff=date(2025, 4, 30))
    assert proforma.order_reference == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [("project", "P"), ("contract", "C"), ("customer", "DOMESTIC"), ("search", "P")],
)
def test_the_tax_group_comes_from_the_source_of_the_entity(company, contract, ready, source, expected):
    """JRN-3: the search starts with the project."""
    for row, code in ((company.project, "P"), (contract, "C")):
        row.billing_tax_group = factories.BillingTaxGroupFactory(entity=company.entity, code=code)
        row.save()
    company.entity.tax_group_source = source
    company.entity.save()
    ready(contract)
    (proforma,) = create(contract)
    assert details_of(proforma)[0].billing_tax_group.code == expected


def test_deleting_a_draft_releases_its_items(company, contract, ready):
    """PRO-4"""
    items = [ready(contract) for _ in range(3)]
    (proforma,) = create(contract)
    operations.add_detail(
        proforma,
        by=company.manager,
        contract_line=contract.lines.get(),
        transaction_class="fee",
        category=company.fee,
        date=MARCH_10,
        quantity=Decimal(1),
        price=Decimal(500),
    )
    assert operations.delete_draft(proforma, by=company.manager) == 3
    assert statuses(*items) == ["ready", "ready", "ready"]
    assert not ProformaInvoice.objects.exists()
    assert not LineDetail.objects.exists()
    event = AuditEvent.objects.get(action="proforma.delete_draft")
    assert (event.subject_text, event.detail["released"]) == ("proforma PRO-2025-000001", 3)
    assert len(create(contract)) == 1  # they can be invoiced again


def test_a_confirmed_proforma_cannot_be_deleted(company, contract, ready):
    """PRO-4, PRO-5"""
    item = ready(contract)
    (proforma,) = create(contract)
    operations.confirm(proforma, by=company.manager, on=APRIL_1)
    with pytest.raises(Refused, match="is confirmed and can't be deleted any more"):
        operations.delete_draft(proforma, by=company.manager)
    assert statuses(item) == ["posted"]
    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        LineDetail.objects.on_proforma(proforma)._raw_delete("default")


def test_an_item_is_on_at_most_one_detail(company, contract, ready):
    """PRO-8: the database refuses it too, not only the operation."""
    item = ready(contract)
    (proforma,) = create(contract)
    (detail,) = details_of(proforma)
    with pytest.raises(IntegrityError), transaction.atomic():
        LineDetail.objects.create(
            line=detail.line,
            backlog_item=item,
            transaction_class="time",
            date=MARCH_10,
            quantity=Decimal(1),
            price=Decimal(200),
            amount=Decimal(200),
        )


def test_refresh_adds_work_that_became_ready_up_to_the_cutoff(company, shared_contract, ready):
    """PRO-3"""
    first, second = shared_contract.customers.order_by("pk")
    ready(shared_contract, customer=first)
    (proforma,) = create(shared_contract)
    late = ready(shared_contract, customer=first, day=MARCH_31)
    others = [
        ready(shared_contract, customer=first, day=APRIL_1),
        ready(shared_contract, customer=first, status="not_ready"),
        ready(shared_contract, customer=second),
    ]
    assert list(inputs.pending(proforma).order_by("pk")) == [late, others[0]]
    (added,) = operations.refresh(proforma, by=company.manager)
    assert (added.backlog_item, added.line) == (late, proforma.lines.get())
    assert statuses(late, *others) == ["created", "ready", "not_ready", "ready"]
    assert operations.refresh(proforma, by=company.manager) == []


def test_pending_rows_of_any_date_can_be_added(company, shared_contract, ready):
    """PRO-3"""
    first, second = shared_contract.customers.order_by("pk")
    ready(shared_contract, customer=first)
    (proforma,) = create(shared_contract)
    later = ready(shared_contract, customer=first, day=APRIL_1)
    (added,) = operations.add_items(proforma, [later], by=company.manager)
    assert added.backlog_item == later
    stranger = ready(shared_contract, customer=second)
    with pytest.raises(Refused, match="1 selected row is for a different customer"):
        operations.add_items(proforma, [stranger], by=company.manager)
    assert statuses(later, stranger) == ["created", "ready"]


def test_a_draft_is_submitted_for_review_and_returned(company, contract, ready):
    ready(contract)
    (proforma,) = create(contract)
    assert operations.submit_for_review(proforma, by=company.manager).status == "review"
    with pytest.raises(
        Refused, match="is in review and can't be submitted for review. Statuses that allow this: draft"
    ):
        operations.submit_for_review(proforma, by=company.manager)
    operations.edit_details(details_of(proforma), by=company.manager, quantity=Decimal("0.5"))
    assert operations.return_to_draft(proforma, by=company.manager).status == "draft"
    operations.remove_details(details_of(proforma), by=company.manager)
    with pytest.raises(Refused, match="is empty"):
        operations.submit_for_review(proforma, by=company.manager)


def test_creating_and_deleting_take_as_many_queries_for_many_rows_as_for_few(company, contract, ready):
    def queries(action):
        with CaptureQueriesContext(connection) as captured:
            result = action()
        return len(captured), result

    counts = []
    for rows in (1, 2, 12):  # the first one creates the counters
        for _ in range(rows):
            ready(contract)
        made, (proforma,) = queries(lambda: create(contract))
        deleted, _ = queries(lambda p=proforma: operations.delete_draft(p, by=None))
        counts.append((made, deleted))
        BacklogItem.objects.update(status="canceled")
    assert counts[1] == counts[2]
