"""The text of a milestone on the invoice if it is billed in parts."""

import datetime
from decimal import Decimal

import pytest

from backlog import operations
from backlog.models import BacklogItem
from invoicing_site.verify import findings
from ledger.document import drawing, shown
from ledger.invoicing.operations.posting import post
from proforma import operations as proformas
from tests import factories
from tests.ledger.billing import MARCH_10, MARCH_31, drafted, edited, proposed

pytestmark = pytest.mark.django_db

APRIL_10 = datetime.date(2025, 4, 10)


@pytest.fixture
@factories.remembered
def dear(no1):
    """A second customer, with documents in Norwegian."""
    return factories.CustomerFactory(
        entity=no1.entity, language="nb", billing_tax_group=no1.customer.billing_tax_group
    )


@factories.remembered
def shares(no1, *customers, planned=MARCH_10):
    """The waiting part of each customer of a milestone of 160,000, split 70 and 30 if there are two."""
    percents = (70, 30) if len(customers) == 2 else (100,)
    contract = factories.contract(
        no1,
        customers=list(zip(customers, percents, strict=True)),
        lines=[
            {
                "method": "fixed",
                "contract_amount": Decimal(160000),
                "milestones": [{"name": "Cold chain 4", "amount": Decimal(160000), "date": planned}],
            }
        ],
    )
    operations.confirm_contract(contract, by=no1.manager)
    return BacklogItem.objects.filter(contract=contract).order_by("pk")


@factories.remembered
def billed(no1, item):
    return post(proposed(no1, item), by=no1.accountant, on=MARCH_31)


@factories.remembered
def ready(no1, item):
    operations.mark_ready(BacklogItem.objects.filter(pk=item.pk), by=no1.manager)
    return BacklogItem.objects.get(pk=item.pk)


def test_a_customers_share_names_the_whole_amount(no1, dear):
    """MIL-1 DOC-1: 112,000 and 48,000 of 160,000, each in its customer's language"""
    first, second = shares(no1, no1.customer, dear)

    line = billed(no1, ready(no1, first)).lines.get()
    assert (line.description, line.net) == ("Cold chain 4 (part of 160,000.00)", 112000)

    invoice = billed(no1, ready(no1, second))
    assert invoice.lines.get().description == "Cold chain 4 (del av 160\xa0000,00)"
    assert "Cold chain 4 (del av 160\xa0000,00)" in drawing.html(shown.content_of(invoice))


def test_a_slice_names_the_customers_whole_share(no1, dear):
    """MIL-2 DOC-1: 33,333.34 of the 48,000 of this customer, then the rest."""
    _, item = shares(no1, no1.customer, dear)
    cut = operations.split_off(item, amount=Decimal("33333.34"), by=no1.manager)

    line = billed(no1, BacklogItem.objects.get(pk=cut.ready.pk)).lines.get()
    assert (line.description, line.net) == ("Cold chain 4 (del av 48\xa0000,00)", Decimal("33333.34"))

    rest = billed(no1, ready(no1, cut.rest)).lines.get()
    assert (rest.description, rest.net) == ("Cold chain 4 (del av 48\xa0000,00)", Decimal("14666.66"))
    assert findings() == []


def test_a_milestone_that_is_billed_at_once_has_only_its_name(no1):
    (item,) = shares(no1, no1.customer)

    assert billed(no1, ready(no1, item)).lines.get().description == "Cold chain 4"


def test_the_added_text_fits_even_after_a_long_description(no1, dear):
    """PST-3: a line has room for 500 characters; "(part of 160,000.00)" and a space take 21 of them."""
    first, _ = shares(no1, no1.customer, dear)
    item = ready(no1, first)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, description="x" * 500)
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    invoice = post(proposed(no1, proforma=proforma), by=no1.accountant, on=MARCH_31)

    assert invoice.lines.get().description == "x" * 479 + " (part of 160,000.00)"
    assert findings() == []


def test_a_milestone_billed_before_its_planned_day_was_delivered_before_it(no1):
    """DOC-4: planned for 10 April, billed on 31 March by a company that invoices in advance."""
    type(no1.entity).objects.update(invoices_in_advance=True)
    (item,) = shares(no1, no1.customer, planned=APRIL_10)

    assert billed(no1, ready(no1, item)).lines.get().date == MARCH_31
    assert findings() == []
