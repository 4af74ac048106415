"""A customer's order numbers have one name on every page, and clear errors (CON-9, CON-12)."""

from decimal import Decimal

import pytest
from django.contrib.admin import site
from django.contrib.admin.templatetags.admin_list import result_headers
from django.core.exceptions import ValidationError
from django.urls import reverse

from contracts.models import ContractLine, ProjectContract, PurchaseOrder
from invoicing_site.admin.base import LookupAdmin, LookupInline
from invoicing_site.floor.fields import AmountField
from ledger.invoicing.operations.posting import post
from tests import factories
from tests.invoicing_site.test_admin import posted, signed_in
from tests.ledger.billing import MARCH_31, drafted, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def no1():
    return factories.company()


@pytest.fixture
def contract(no1):
    return factories.contract(no1, confirmed=True)


@pytest.fixture
@factories.remembered
def order(contract):
    return factories.PurchaseOrderFactory(contract_customer=contract.customers.get(), number="4711")


def shown(client, user, address):
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_page_calls_it_an_order_number(no1, contract, order, client):
    """CON-9"""
    draft = drafted(no1, work(no1, contract))
    pages = [
        (no1.manager, draft.get_absolute_url()),
        (no1.manager, reverse("edit_proforma", args=[draft.pk])),
    ]
    pages += [(no1.manager, contract.get_absolute_url())]
    pages = [shown(client, *page) for page in pages]
    proposal = proposed(no1, work(no1, contract))
    pages.append(shown(client, no1.accountant, proposal.get_absolute_url()))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    pages.append(shown(client, no1.accountant, invoice.get_absolute_url()))
    for page in pages:
        assert "urchase order" not in page
        assert "Order number" in page


def test_the_list_has_columns_for_contract_and_customer(no1, order):
    """CON-9: like every other column of a related row."""
    administrator = signed_in(no1.administrator)
    page = administrator.get(reverse("admin:contracts_purchaseorder_changelist"))
    assert "Contract customer" not in page.content.decode()
    headings = [str(each["text"]) for each in result_headers(page.context["cl"])]
    assert headings[1:4] == ["number", "Contract", "Customer"]


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_order_number_with_amount_zero_is_refused(no1, order, amount):
    """CON-12: an empty amount means no limit."""
    answer = posted(
        signed_in(no1.administrator), PurchaseOrder, "change", order.pk, fields={"amount": amount}
    )
    text = answer.content.decode()
    assert "An order amount must be more than 0. Leave it empty for no limit." in text
    assert "empty: no limit" in text
    assert "no end" not in text


# Amounts with the decimals of their currency


def test_an_order_is_for_an_amount_that_its_currency_has(no1, order):
    """MON-1 CON-12: kroner have no half øre."""
    administrator = signed_in(no1.administrator)
    answer = posted(administrator, PurchaseOrder, "change", order.pk, fields={"amount": "6000.005"})
    assert "6,000.005 has more decimals than NOK allows." in answer.content.decode()
    answer = posted(administrator, PurchaseOrder, "change", order.pk, fields={"amount": "6000.050"})
    assert answer.status_code == 302
    order.refresh_from_db()
    assert str(order.amount) == "6000.0500"


def test_every_amount_in_the_administration_has_a_currency():
    """MON-1: the entered amount is checked, on the page of a row and on that of its parent."""
    typed = [
        each
        for admin in site._registry.values()
        for each in (admin, *(inline(admin.model, site) for inline in admin.inlines))
        if not isinstance(each, LookupAdmin | LookupInline)
    ]
    unknown = {
        f"{each.model.__name__}.{field.name}"
        for each in typed
        for field in each.model._meta.concrete_fields
        if isinstance(field, AmountField) and not field.in_currency
    }
    assert unknown == set()


@pytest.mark.parametrize(
    ("currency", "limit", "is_fine"),
    [("NOK", "500.001", False), ("JPY", "500.5", False), ("JPY", "500.0", True), ("BHD", "500.001", True)],
)
def test_the_currency_can_be_typed_together_with_the_amount(no1, currency, limit, is_fine):
    """MON-1: a new contract is not saved yet."""
    new = ProjectContract(entity=no1.entity, code="NEW", name="New", currency=currency, limit=Decimal(limit))
    if is_fine:
        new.full_clean()
        return
    with pytest.raises(ValidationError) as wrong:
        new.full_clean()
    assert wrong.value.message_dict == {"limit": [f"{limit} has more decimals than {currency} allows."]}


def test_lines_and_milestones_that_are_new_have_the_contracts_currency(no1):
    """MON-1 CON-4"""
    line = factories.contract(no1, method="fixed").lines.get()
    administrator = signed_in(no1.administrator)
    fields = {"contract_amount": "10000.001", "milestones-0-amount": "9999.999"}
    page = posted(administrator, ContractLine, "change", line.pk, fields=fields).content.decode()
    assert "10,000.001 has more decimals than NOK allows." in page
    assert "9,999.999 has more decimals than NOK allows." in page
