"""The tax estimate of a draft, on its page (PRO-2)."""

from decimal import Decimal

import pytest

from invoicing_site.floor.errors import Refused
from ledger.invoicing.estimates import estimate
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import edit_lines
from ledger.invoicing.operations.returns import return_proposal
from ledger.models import InvoiceTax
from tests.ledger.billing import MARCH_31, drafted, edited, proposed, work

pytestmark = pytest.mark.django_db


def test_the_estimate_equals_the_tax_of_the_invoice(no1, contract):
    """PRO-2 MON-4: three times 33.33 is 99.99; 25 % of it, rounded once, is 25.00, not three times 8.33"""
    draft = drafted(no1, *(work(no1, contract, hours="1", price="33.33") for _ in range(3)))
    found = estimate(draft)
    assert (found.net, found.tax, found.total) == (Decimal("99.99"), Decimal("25.00"), Decimal("124.99"))

    post(
        proposed(no1, *(work(no1, contract, hours="1", price="33.33") for _ in range(3))),
        by=None,
        on=MARCH_31,
    )
    assert InvoiceTax.objects.get().tax == Decimal("25.00")


def test_only_chargeable_work_is_taxed(no1, contract):
    """PRO-2 PRO-3"""
    paid, given = work(no1, contract, hours="1", price="100"), work(no1, contract, hours="1", price="60")
    draft = drafted(no1, paid, given)
    edited(no1, draft, given, billing_type="complimentary")
    assert (estimate(draft).net, estimate(draft).tax) == (100, 25)


def test_the_page_of_a_draft_shows_it(client, no1, contract):
    """PRO-2"""
    client.force_login(no1.manager)
    page = client.get(
        drafted(no1, work(no1, contract, hours="2", price="500")).get_absolute_url()
    ).content.decode()
    assert "estimated tax" in page
    assert "250.00" in page
    assert "1,250.00" in page
    assert "(estimate: the accountant sets the tax)" in page


def test_without_a_tax_code_the_estimate_is_missing_and_not_zero(client, no1, contract):
    """PRO-2 TAX-MISSING"""
    no1.customer.billing_tax_group = None
    no1.customer.save()
    draft = drafted(no1, work(no1, contract))
    draft.lines.get().details.update(billing_tax_group=None)
    found = estimate(draft)
    assert (found.tax, found.total) == (None, None)
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert "There is no billing tax group, so the tax of Company NO1 can&#x27;t be calculated" in page
    assert "estimated total" not in page


_UNKNOWN = (
    "There is no tax estimate. There is no item tax group, so the tax of Company NO1 can't be calculated."
)
_ON_PAGE = _UNKNOWN.replace("'", "&#x27;")


def _without_item_group(no1, contract, **fields):
    no1.time.item_tax_group = None
    no1.time.save()
    return work(no1, contract, **fields)


def test_the_advice_differs_for_editors_and_readers_of_a_draft(client, no1, contract):
    """PRO-2 MON-8: accountants have no “Edit” on a draft."""
    draft = drafted(no1, _without_item_group(no1, contract))
    ways = {
        no1.manager: "Choose one with “Edit” at the detail. Or set it up for the category.",
        no1.accountant: "The project manager can choose one at the detail. Or set it up for the category.",
    }
    for person, way in ways.items():
        client.force_login(person)
        assert f"{_ON_PAGE} {way}" in client.get(draft.get_absolute_url()).content.decode()


def test_for_a_confirmed_proforma_the_line_of_the_proposal_is_named(client, no1, contract):
    """PRO-2 MON-8: the proforma can't be edited any more, and the named solution works."""
    proposal = proposed(no1, _without_item_group(no1, contract))
    client.force_login(no1.manager)
    page = client.get(proposal.proforma.get_absolute_url()).content.decode()
    assert (
        f"{_ON_PAGE} An accountant can choose one on the line of the invoice proposal. Or set it up for the "
        "category."
    ) in page
    assert "with “Edit”" not in page

    edit_lines(proposal.lines.all(), by=no1.accountant, item_tax_group=no1.item_tax_group)
    assert post(proposal, by=no1.accountant, on=MARCH_31).tax == 250  # 25 % of 1,000


def test_no_category_is_named_for_work_without_one(no1, contract):
    """PRO-2 MON-8 TAX-MISSING: neither on the draft nor on the line of the proposal."""
    draft = drafted(no1, _without_item_group(no1, contract, category=None))
    assert str(estimate(draft).why_not) == f"{_UNKNOWN} The project manager can choose one at the detail."

    proposal = proposed(no1, _without_item_group(no1, contract, category=None))
    with pytest.raises(Refused) as refusal:
        post(proposal, by=no1.accountant, on=MARCH_31)
    assert refusal.value.message == (
        "Line 1: There is no item tax group, so the tax of Company NO1 can't be calculated. Choose one on "
        "the line."
    )


def test_a_returned_proforma_has_no_estimate(client, no1, contract):
    """PRO-2 PRP-6: it bills nothing."""
    proposal = proposed(no1, work(no1, contract))
    return_proposal(proposal, by=no1.accountant, reason="Wrong hours")
    client.force_login(no1.manager)
    assert "estimate" not in client.get(proposal.proforma.get_absolute_url()).content.decode()
