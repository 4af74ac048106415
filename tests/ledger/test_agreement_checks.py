"""Checks of the agreement with a customer, and that the solution that they name works (PRP-5)."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from contracts.models import ContractCustomer, Customer, LegalEntity
from invoicing_site.floor.reasons import Reason
from ledger.invoicing.checks import check
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import edit_lines
from ledger.invoicing.operations.returns import return_proposal
from proforma import operations as proformas
from proforma.models import LineDetail
from proforma.operations.headers import EDITABLE
from tests import factories
from tests.ledger.billing import MARCH_31, book_journals, drafted, proposed, work

pytestmark = pytest.mark.django_db


def found(proposal, code):
    results = [result for result in check(proposal, on=MARCH_31) if result.code == code]
    return [(result.severity, result.message) for result in results]


def outside(no1):
    return factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="expense",
        code="PUBLIC",
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )


# Orders


def test_an_order_that_is_too_small_is_a_warning_or_an_error(no1, contract):
    """CON-12 W8: 10 h × 100 under an order of 900, which was lowered after confirming."""
    order = factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number="4711", amount=Decimal(1000)
    )
    proposal = proposed(no1, work(no1, contract))
    assert found(proposal, "PO-AMOUNT") == []
    order.amount = Decimal(900)
    order.save()
    ((severity, sentence),) = found(proposal, "PO-AMOUNT")
    assert severity == "warning"
    assert sentence.startswith(
        "Order 4711 is for 900.00 NOK. Proformas under it come to 1,000.00 NOK, which is 100.00 NOK too much."
    )
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    assert found(proposal, "PO-AMOUNT") == [("error", sentence)]
    (result,) = [row for row in check(proposal, on=MARCH_31) if row.code == "PO-AMOUNT"]
    assert result.reason.code == "ORDER-SHORT"
    assert result.remedy == f"/admin/contracts/purchaseorder/{order.pk}/change/"


def test_work_without_an_order_is_not_billed_under_another_one(no1, contract):
    """CON-12: 10 h × 100; an order of 900 was entered after confirming."""
    proposal = proposed(no1, work(no1, contract))
    factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number="4711", amount=Decimal(900)
    )
    ((_, sentence),) = found(proposal, "PO-AMOUNT")
    assert sentence.startswith(
        "Order 4711 has 900.00 NOK left of 900.00 NOK, which is 100.00 NOK too little. An administrator"
    )
    assert sentence.endswith(
        f"return {proposal} to the project manager to bill less and enter the order number."
    )


def test_an_order_whose_dates_were_shortened_is_a_warning_or_an_error(no1, contract):
    """CON-12: checked again before posting."""
    order = factories.PurchaseOrderFactory(contract_customer=contract.customers.get(), number="4711")
    proposal = proposed(no1, work(no1, contract))
    assert found(proposal, "PO-DATES") == []
    order.valid_to = date(2025, 1, 31)
    order.save()
    ((severity, sentence),) = found(proposal, "PO-DATES")
    assert severity == "warning"
    assert sentence.startswith("Order 4711 is valid until 31 Jan 2025, and 10 Mar 2025 is later. An admin")
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    assert found(proposal, "PO-DATES") == [("error", sentence)]
    (result,) = [row for row in check(proposal, on=MARCH_31) if row.code == "PO-DATES"]
    assert result.remedy == f"/admin/contracts/purchaseorder/{order.pk}/change/"


def test_the_number_of_a_used_order_cannot_change(no1, contract, client):
    """CON-12: its dates and its amount can be changed."""
    order = factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number="4711", amount=Decimal(5000)
    )
    free = factories.PurchaseOrderFactory(contract_customer=contract.customers.get(), number="5000")
    proposal = proposed(no1, work(no1, contract))
    no1.administrator.is_staff = True
    no1.administrator.save()
    client.force_login(no1.administrator)

    def change(row, **fields):
        typed = {"number": row.number, "valid_from": "", "valid_to": "", "amount": "5000"} | fields
        return client.post(f"/admin/contracts/purchaseorder/{row.pk}/change/", typed)

    sentence = f"{proposal.proforma} bills under order 4711, so its number can"
    assert sentence in change(order, number="4712").content.decode()
    assert change(order, amount="6000").status_code == 302
    assert change(free, number="5001").status_code == 302
    order.refresh_from_db(), free.refresh_from_db()
    assert (order.number, order.amount, free.number) == ("4711", Decimal(6000), "5001")


def test_an_administrator_raises_the_order_of_a_confirmed_contract(no1, contract, client):
    """CON-11: the solution that PO-AMOUNT names."""
    order = factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number="4711", amount=Decimal(900)
    )
    no1.administrator.is_staff = True
    no1.administrator.save()
    client.force_login(no1.administrator)
    address = f"/admin/contracts/purchaseorder/{order.pk}/change/"
    answer = client.post(address, {"number": "4711", "valid_from": "", "valid_to": "", "amount": "1000"})
    assert answer.status_code == 302
    order.refresh_from_db()
    assert order.amount == 1000
    proposal = proposed(no1, work(no1, contract))
    assert found(proposal, "PO-AMOUNT") == []
    assert proposal.proforma.order_reference == "4711"


# Category O


def test_work_outside_the_scope_of_tax_is_never_on_an_invoice_with_other_work(no1, contract):
    """PRO-1 DOC-2: the ready work makes two drafts, and neither has a mixed invoice."""
    fee = work(no1, contract, "1", transaction_class="expense", category=outside(no1), role=None)
    hours = work(no1, contract)
    book_journals(no1)
    drafts = proformas.create_for_items([fee, hours], on=MARCH_31, by=no1.manager)
    assert len(drafts) == 2
    for draft in drafts:
        proposal = proposed(no1, proforma=proformas.confirm(draft, by=no1.manager, on=MARCH_31))
        invoice = post(proposal, by=no1.accountant, on=MARCH_31)
        assert invoice.taxes.count() == 1


def test_a_mixed_invoice_is_refused_and_its_work_is_billed_separately(no1, contract):
    """DOC-2: the accountant sets a group outside the scope on one line; the solution is a return."""
    first, second = work(no1, contract), work(no1, contract, "5")
    proposal = proposed(no1, first, second)
    line = proposal.lines.get(detail__backlog_item=second)
    edit_lines([line], by=no1.accountant, item_tax_group=no1.books.item_tax_groups["OUTSIDE"])
    ((severity, sentence),) = found(proposal, "TAX-SCOPE")
    assert severity == "error"
    assert sentence.startswith(
        f"1 line (line {line.number}) is outside the scope of tax and the others are not."
    )
    draft = return_proposal(proposal, by=no1.accountant, reason="Two tax treatments", on=MARCH_31)
    detail = LineDetail.objects.filter(line__proforma=draft, backlog_item=second)
    proformas.remove_details(detail, by=no1.manager)
    apart = proformas.create_for_items([second], on=MARCH_31, by=no1.manager)
    for each in (draft, *apart):
        alone = proposed(no1, proforma=proformas.confirm(each, by=no1.manager, on=MARCH_31))
        assert found(alone, "TAX-SCOPE") == []
        assert post(alone, by=no1.accountant, on=MARCH_31).number


# Parties


def test_a_changed_customer_is_named_with_the_changes(no1, contract):
    """CON-11"""
    Customer.objects.filter(pk=no1.customer.pk).update(name="Nordlys AS", organization_number="911111111")
    proposal = proposed(no1, work(no1, contract))
    assert found(proposal, "PARTY-CHANGED") == []
    Customer.objects.filter(pk=no1.customer.pk).update(name="Sørlys AS", organization_number="922222222")
    (result,) = [row for row in check(proposal, on=MARCH_31) if row.code == "PARTY-CHANGED"]
    assert (result.severity, result.reason.params) == (
        "warning",
        {
            "name": "Nordlys AS",
            "proforma": str(proposal.proforma),
            "changes": [
                Reason("PARTY-FIELD-CHANGED", field=_("name"), was="Nordlys AS", now="Sørlys AS"),
                Reason("PARTY-FIELD-CHANGED", field="organization number", was="911111111", now="922222222"),
            ],
            "proposal": str(proposal),
        },
    )
    draft = return_proposal(proposal, by=no1.accountant, reason="A new name", on=MARCH_31)
    draft = proformas.copy_party(draft, by=no1.manager)
    assert (draft.bill_to_name, draft.organization_number) == ("Sørlys AS", "922222222")
    again = proposed(no1, proforma=proformas.confirm(draft, by=no1.manager, on=MARCH_31))
    assert found(again, "PARTY-CHANGED") == []
    invoice = post(again, by=no1.accountant, on=MARCH_31)
    assert (invoice.buyer_name, invoice.buyer_organization_number) == ("Sørlys AS", "922222222")


def test_the_page_links_to_the_solution(no1, contract, client):
    """MON-8"""
    proposal = proposed(no1, work(no1, contract))
    Customer.objects.filter(pk=no1.customer.pk).update(name="Sørlys AS")
    client.force_login(no1.accountant)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert f'<a href="/proposals/{proposal.pk}/return/">Return it</a>' in page


def test_a_name_that_the_manager_edited_is_not_a_change_of_the_customer(no1, contract):
    """CON-11: the draft has the new name already."""
    draft = drafted(no1, work(no1, contract))
    Customer.objects.filter(pk=no1.customer.pk).update(name="Sørlys AS")
    proformas.edit_header(draft, by=no1.manager, bill_to_name="Sørlys AS")
    proposal = proposed(no1, proforma=proformas.confirm(draft, by=no1.manager, on=MARCH_31))
    assert found(proposal, "PARTY-CHANGED") == []
    assert found(proposal, "PARTY-NUMBERS") == []


def test_another_name_with_the_customers_numbers_is_named(no1, contract):
    """CON-9"""
    Customer.objects.filter(pk=no1.customer.pk).update(name="Nordlys AS", organization_number="911111111")
    draft = drafted(no1, work(no1, contract))
    proformas.edit_header(draft, by=no1.manager, bill_to_name="Lyskjeden Regnskap AS")
    proposal = proposed(no1, proforma=proformas.confirm(draft, by=no1.manager, on=MARCH_31))
    ((severity, sentence),) = found(proposal, "PARTY-NUMBERS")
    assert severity == "warning"
    assert sentence.startswith(
        "The bill-to name is Lyskjeden Regnskap AS, but the organization number 911111111 is that of "
        "Nordlys AS."
    )


def test_a_draft_shows_that_its_customer_has_changed_and_can_copy_the_new_details(no1, contract, client):
    """CON-11: drafts can copy the new values."""
    draft = drafted(no1, work(no1, contract))
    ContractCustomer.objects.filter(contract=contract).update(
        bill_to_name="Lyskjeden Regnskap AS", organization_number="933333333"
    )
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert "The customer has changed since this draft was created" in page
    assert "is now Lyskjeden Regnskap AS" in page
    client.post(f"/proformas/{draft.pk}/copy-party/")
    draft.refresh_from_db()
    assert (draft.bill_to_name, draft.organization_number) == ("Lyskjeden Regnskap AS", "933333333")
    assert "The customer has changed" not in client.get(draft.get_absolute_url()).content.decode()


def test_pages_show_the_rest_of_an_order(no1, contract, client):
    """CON-12: on the contract and in the header of the proforma."""
    factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number="4711", amount=Decimal(1500)
    )
    first, second = drafted(no1, work(no1, contract)), drafted(no1, work(no1, contract))
    client.force_login(no1.manager)
    contract_page = client.get(contract.get_absolute_url()).content.decode()
    assert "500.00" in contract_page
    assert "left of" in contract_page
    assert "left of" in client.get(first.get_absolute_url()).content.decode()
    page = client.get(second.get_absolute_url()).content.decode()
    assert "Order 4711 has 500.00 NOK left of 1,500.00 NOK, which is 500.00 NOK too little." in page


def test_numbers_of_a_bill_to_are_checked_where_they_are_entered(no1, contract, client):
    """CON-9 DOC-5: on the contract's customer, and in the header of a draft."""
    share = contract.customers.get()
    share.bill_to_name, share.organization_number = "Lyskjeden Regnskap AS", "933333333"
    with pytest.raises(ValidationError) as refused:
        share.full_clean()
    assert list(refused.value.message_dict) == ["organization_number"]
    draft = drafted(no1, work(no1, contract))
    client.force_login(no1.manager)
    head = {
        **{name: getattr(draft, name) for name in EDITABLE if name != "payment_term"},
        "cutoff": "2025-03-31",
        "accounting_date": "2025-03-31",
        "bill_to_name": "Lyskjeden Regnskap AS",
        "organization_number": "933333333",
    }
    page = client.post(f"/proformas/{draft.pk}/edit/", head).content.decode()
    assert "“933333333” is not a valid organization number in NO. Check its length and its digits." in page
    answer = client.post(f"/proformas/{draft.pk}/edit/", head | {"organization_number": "974760673"})
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.bill_to_name, draft.organization_number) == ("Lyskjeden Regnskap AS", "974760673")
