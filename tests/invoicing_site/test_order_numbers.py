"""A customer's order numbers have one name on every page, and say what is wrong with them (CON-9, CON-12)."""

import pytest
from django.contrib.admin.templatetags.admin_list import result_headers
from django.urls import reverse

from contracts.models import PurchaseOrder
from ledger.operations.posting import post
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


def test_the_list_is_headed_by_contract_and_customer(no1, order):
    """CON-9: and so is every other column that is reached over another row"""
    administrator = signed_in(no1.administrator)
    page = administrator.get(reverse("admin:contracts_purchaseorder_changelist"))
    assert "Contract customer" not in page.content.decode()
    headings = [str(each["text"]) for each in result_headers(page.context["cl"])]
    assert headings[1:4] == ["number", "Contract", "Customer"]


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_order_number_for_nothing_is_refused(no1, order, amount):
    """CON-12: an empty amount is no limit"""
    answer = posted(
        signed_in(no1.administrator), PurchaseOrder, "change", order.pk, fields={"amount": amount}
    )
    text = answer.content.decode()
    assert "An order number is for more than 0. Leave the amount empty for no limit." in text
    assert "empty: no limit" in text
    assert "no end" not in text
