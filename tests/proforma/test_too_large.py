"""A proforma is not too large for an invoice, in its currency and in the books (APP-10, MON-1)."""

from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import mark_not_ready, split_off
from invoicing_site.floor.errors import Refused
from proforma import operations
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice
from tests import factories

pytestmark = pytest.mark.django_db

JAN_31, FEB_1, END = date(2025, 1, 31), date(2025, 2, 1), date(2025, 3, 31)
OVER = r"100,000,000,001,000.00 NOK is too large. The largest possible amount is 100,000,000,000,000"


def draft(*items, company):
    (proforma,) = operations.create_for_items(items, on=END, by=company.manager)
    return proforma


def by_hand(proforma, company, quantity="1", price="1000", **fields):
    return operations.add_detail(
        proforma,
        by=company.manager,
        contract_line=proforma.contract.lines.get(),
        transaction_class="material",
        product=company.product,
        date=END,
        quantity=Decimal(quantity),
        price=Decimal(price),
        **fields,
    )


@pytest.fixture
def most(ready, contract):
    """20 h at 5,000,000,000,000: the maximum of one invoice."""
    return ready(contract, "20", "5000000000000")


def test_work_that_is_too_large_for_one_invoice_is_refused(company, contract, ready, most):
    """PRO-1 MON-1: nothing is claimed; the maximum alone is accepted."""
    little = ready(contract, "1", "1000")
    for create in (
        lambda: operations.create_for_items([most, little], on=END, by=company.manager),
        lambda: operations.create_proformas([contract], cutoff=END, on=END, by=company.manager),
    ):
        with pytest.raises(
            Refused, match=f"The ready work is too much for one invoice. {OVER}. Create"
        ) as caught:
            create()
        assert caught.value.code == "READY-TOO-LARGE"
    assert BacklogItem.objects.ready().count() == 2
    assert operations.create_for_items([most], on=END, by=company.manager)


def test_nothing_is_added_over_the_maximum(company, contract, ready, most):
    """PRO-3 MON-1: by refreshing, by hand or from pending items; a non-chargeable row adds nothing."""
    proforma = draft(most, company=company)
    little, given = ready(contract, "1", "1000"), ready(contract, "1", "1000", billing_type="non_chargeable")
    for add in (
        lambda: operations.refresh(proforma, by=company.manager),
        lambda: operations.add_items(proforma, [little], by=company.manager),
        lambda: by_hand(proforma, company),
    ):
        with pytest.raises(
            Refused, match=f"The total of proforma {proforma.number} is too large. {OVER}. Lower"
        ):
            add()
    assert BacklogItem.objects.ready().count() == 2
    operations.add_items(proforma, [given], by=company.manager)
    by_hand(proforma, company, billing_type="complimentary")
    assert LineDetail.objects.on_proforma(proforma).count() == 3


def test_no_edit_exceeds_the_maximum(company, contract, most):
    """PRO-3 MON-1: one edit makes it chargeable, another raises its price; also 200 details at once."""
    proforma = draft(most, company=company)
    little = by_hand(proforma, company, price="0", billing_type="chargeable")
    given = by_hand(proforma, company, billing_type="non_chargeable")
    for changed, changes in ((little, {"price": Decimal(1000)}), (given, {"billing_type": "chargeable"})):
        with pytest.raises(Refused, match=OVER):
            operations.edit_details([changed], by=company.manager, **changes)
    operations.edit_details([little], by=company.manager, description="Cable")

    other = draft(factories.ready_item(company, contract), company=company)
    many = [by_hand(other, company) for _ in range(200)]
    with pytest.raises(Refused, match="200,000,000,000,000.00 NOK is too large"):
        operations.edit_details(many, by=company.manager, price=Decimal(1_000_000_000_000))
    assert {detail.amount for detail in LineDetail.objects.filter(pk__in=[each.pk for each in many])} == {
        Decimal(1000)
    }


def test_a_proforma_that_is_too_large_cannot_be_confirmed(company, contract, most):
    """PRO-5 MON-1: for any reason."""
    proforma = draft(most, company=company)
    little = by_hand(proforma, company, price="0")
    LineDetail.objects.filter(pk=little.pk).update(price=Decimal(1000), amount=Decimal(1000))
    with pytest.raises(Refused, match=OVER):
        operations.confirm(proforma, by=company.manager, on=END)
    proforma.refresh_from_db()
    assert proforma.status == "draft"
    operations.remove_details([little], by=company.manager)
    assert operations.confirm(proforma, by=company.manager, on=END).status == "confirmed"


@pytest.mark.parametrize(("agreed", "rate"), [(None, "11.6"), (12, "12")])
def test_the_accounting_currency_is_checked_if_a_rate_is_known(company, ready, agreed, rate):
    """MON-5 MON-1: 10,000,000,000,000 EUR are 116,000,000,000,000 NOK, or 120,000,000,000,000 as agreed."""
    contract = factories.contract(company, currency="EUR", confirmed=True, fixed_exchange_rate=agreed)
    proforma = draft(ready(contract, "10", "1000000000000"), company=company)
    factories.ExchangeRateFactory(
        entity=company.entity, currency="EUR", valid_from=date(2025, 1, 1), rate=Decimal("11.60")
    )
    books = {"11.6": "116,000,000,000,000.00", "12": "120,000,000,000,000.00"}[rate]
    said = f"10,000,000,000,000.00 EUR at a rate of {rate} is {books} NOK, which is too large"
    with pytest.raises(Refused, match=said):
        operations.confirm(proforma, by=company.manager, on=END)
    operations.edit_details(
        LineDetail.objects.on_proforma(proforma), by=company.manager, price=Decimal(80_000_000_000)
    )
    assert operations.confirm(proforma, by=company.manager, on=END).status == "confirmed"


def test_a_run_names_the_failed_contract_and_invoices_the_others(company, contract, ready, most, due):
    """RUN-2 RUN-4 MON-1"""
    project = factories.ProjectFactory(entity=company.entity)
    other = factories.contract(company, lines=[{"project": project}], confirmed=True)
    ready(contract, "1", "1000")
    ready(other, "1", "100")
    for each in (contract, other):
        due(each.lines.get(), date(2025, 4, 1), END)
    for start in (operations.preview_invoicing, operations.run_invoicing):
        found = start(company.entity, as_of=date(2025, 4, 1), by=company.manager)
        rows = found.run_contracts.order_by("contract")
        assert list(rows.values_list("outcome", flat=True)) == ["failed", "created"]
        assert rows[0].reason.code == "READY-TOO-LARGE"
        assert rows[0].reason.sentence.startswith(
            "The ready work is too much for one invoice. 100,000,000,001,000.00 NOK"
        )
    assert InvoiceRun.objects.count() == 2
    assert [proforma.contract for proforma in ProformaInvoice.objects.all()] == [other]


def test_a_milestone_that_is_too_large_is_billed_in_slices(company, ready, milestone):
    """MIL-2 MON-1: 1,000,000,000,001 is 1 too much for one detail."""
    contract = factories.contract(company, method="fixed", confirmed=True)
    (item,) = milestone(contract.lines.get(), "1000000000001", number=2)
    with pytest.raises(Refused, match="1,000,000,000,001.00 NOK is too large.* Mark it not ready"):
        operations.create_for_items([item], on=END, by=company.manager)
    proforma = draft(*milestone(contract.lines.get(), "1000", number=3), company=company)
    with pytest.raises(Refused, match="1,000,000,000,001.00 NOK is too large"):
        operations.add_items(proforma, [item], by=company.manager)

    mark_not_ready([item], by=company.manager)
    item.refresh_from_db()
    slices = split_off(item, amount=Decimal(1_000_000_000_000), by=company.manager)
    assert draft(slices.ready, company=company).lines.get().details.get().amount == Decimal(1_000_000_000_000)


def test_too_large_input_is_refused_and_kept_on_the_page(company, contract, ready, client):
    """PRO-3 APP-10: 99,999,999 × 9,999,999"""
    proforma = draft(ready(contract), company=company)
    client.force_login(company.manager)
    typed = {
        "contract_line": contract.lines.get().pk,
        "transaction_class": "material",
        "product": company.product.pk,
        "date": "2025-03-31",
        "quantity": "99999999",
        "price": "9999999",
        "billing_type": "chargeable",
    }
    page = client.post(reverse("add_detail", args=[proforma.pk]), typed)
    assert ("A quantity of 99,999,999 is too large. The largest possible quantity is 1,000,000.") in unescape(
        page.text
    )
    assert 'value="99999999"' in page.text
    page = client.post(reverse("add_detail", args=[proforma.pk]), typed | {"quantity": "999999"})
    assert (
        "9,999,989,000,001.00 NOK is too large. The largest possible amount is 1,000,000,000,000."
        in unescape(page.text)
    )
    assert LineDetail.objects.on_proforma(proforma).count() == 1
