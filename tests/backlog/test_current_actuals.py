"""What became of approved work: what approvers see once it is on a draft, confirmed, posted or returned."""

import csv
from datetime import date
from decimal import Decimal
from html import unescape
from io import StringIO

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import approve, confirm_contract, mark_ready
from ledger.invoicing.operations import posting, proposals
from ledger.invoicing.operations.returns import return_proposal
from ledger.journal.operations import journals
from proforma import operations as proformas
from proforma.models import LineDetail
from tests import factories
from tests.factories import DAY

MARCH_31 = date(2025, 3, 31)


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company), by=company.manager)


@pytest.fixture
def manager(client, company):
    client.force_login(company.manager)
    return client


@pytest.fixture
@factories.remembered
def entry(company, contract):
    """8 h × 200 of 10 March, approved and journalled."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    journals.add_to_journals(company.entity, on=MARCH_31, by=company.accountant)
    journals.post_journals(company.entity, by=company.accountant, on=MARCH_31)
    return entry


def drafted(company, contract):
    mark_ready(BacklogItem.objects.open(), by=company.manager)
    (proforma,) = proformas.create_proformas([contract], cutoff=MARCH_31, on=MARCH_31, by=company.manager)
    return proforma


def confirmed(company, proforma):
    return proposals.create_proposal(proformas.confirm(proforma, by=company.manager, on=MARCH_31))


def posted(company, proposal):
    proposals.fill_lines(proposal)
    return posting.post(proposal, by=company.accountant, on=MARCH_31)


def listed(client):
    """The row of the list's file, by heading."""
    answer = client.get(reverse("approved"), {"_export": "csv"})
    (row,) = csv.DictReader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    return {name: row[name] for name in ("Sales", "Currency", "Proforma", "Invoice", "Backlog")}


def link(row):
    return f'<a class="nowrap" href="{row.get_absolute_url()}">{row.number}</a>'


def refusal_of(client, entry):
    """The message after canceling the approval."""
    answer = client.post(reverse("cancel_approval", args=[entry.pk]))
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_open_work_can_be_canceled(manager, entry):
    """APP-5"""
    assert listed(manager) == {
        "Sales": "1600.00",
        "Currency": "NOK",
        "Proforma": "",
        "Invoice": "",
        "Backlog": "not ready",
    }
    page = manager.get(reverse("approval", args=[entry.pk])).text
    assert "Cancel approval" in page
    assert "A cost only" not in page


def test_confirmed_work_shows_its_proforma_and_what_it_is_billed_at(manager, company, contract, entry):
    """APP-5 PRO-5: 8 h edited to 6 h on the draft: 1,200 are billed, 400 are not charged."""
    proforma = drafted(company, contract)
    detail = LineDetail.objects.get(line__proforma=proforma)
    proformas.edit_details([detail], quantity=Decimal(6), by=company.manager)
    confirmed(company, proforma)

    assert listed(manager) == {
        "Sales": "1200.00",
        "Currency": "NOK",
        "Proforma": proforma.number,
        "Invoice": "",
        "Backlog": "on a confirmed proforma",
    }
    rows = manager.get(reverse("approved")).text
    assert link(proforma) in rows
    page = manager.get(reverse("approval", args=[entry.pk])).text
    for shown in ("1,200.00", "400.00", "On a confirmed proforma", link(proforma)):
        assert shown in page
    assert "A cost only" not in page
    assert "Cancel approval" not in page
    sentence = (
        f"8 h of 10 Mar 2025 is on proforma {proforma.number}, which is confirmed, so its approval "
        "can't be canceled. Until it is posted, an accountant can return it. Then remove the "
        "entry from the new draft and cancel its approval."
    )
    assert sentence in unescape(page)
    assert sentence in unescape(refusal_of(manager, entry))


def test_posted_work_shows_its_invoice_and_no_action_that_would_be_refused(manager, company, contract, entry):
    """APP-5 PST-3: posted invoices are not returned, so no return is offered."""
    proforma = drafted(company, contract)
    invoice = posted(company, confirmed(company, proforma))

    assert listed(manager) == {
        "Sales": "1600.00",
        "Currency": "NOK",
        "Proforma": proforma.number,
        "Invoice": "INV-2025-000001",
        "Backlog": "on a confirmed proforma",
    }
    assert link(invoice) in manager.get(reverse("approved")).text
    page = manager.get(reverse("approval", args=[entry.pk])).text
    assert link(invoice) in page
    assert "Cancel approval" not in page
    assert "return" not in page.partition('class="notice"')[2].partition("</div>")[0]
    refusal = refusal_of(manager, entry)
    assert (
        "is billed on invoice INV-2025-000001 of 31 Mar 2025, so its approval can&#x27;t be canceled."
        in refusal
    )
    assert "return" not in refusal


def test_returned_work_is_on_its_new_draft(manager, company, contract, entry):
    """APP-5 PRP-6: the new draft claims it; off the draft, its approval can be canceled."""
    proposal = confirmed(company, drafted(company, contract))
    draft = return_proposal(proposal, by=company.accountant, reason="Too early.", on=MARCH_31)
    assert listed(manager) == {
        "Sales": "1600.00",
        "Currency": "NOK",
        "Proforma": draft.number,
        "Invoice": "",
        "Backlog": "on a draft proforma",
    }
    page = manager.get(reverse("approval", args=[entry.pk])).text
    assert f"is on draft proforma {draft.number}. Remove it from the draft" in page
    assert "Cancel approval" not in page

    proformas.remove_details(LineDetail.objects.filter(line__proforma=draft), by=company.manager)
    assert listed(manager)["Backlog"] == "ready to invoice"
    assert "Cancel approval" in manager.get(reverse("approval", args=[entry.pk])).text
    assert "The approval is canceled" in unescape(refusal_of(manager, entry))


def test_work_that_is_billed_after_a_return_shows_its_second_proforma(manager, company, contract, entry):
    """APP-5 PRP-6"""
    proposal = confirmed(company, drafted(company, contract))
    draft = return_proposal(proposal, by=company.accountant, reason="Too early.", on=MARCH_31)
    invoice = posted(company, confirmed(company, draft))
    assert listed(manager) == {
        "Sales": "1600.00",
        "Currency": "NOK",
        "Proforma": draft.number,
        "Invoice": invoice.number,
        "Backlog": "on a confirmed proforma",
    }


def test_work_without_a_contract_line_is_a_cost_only(manager, company):
    """APP-4: nothing is billed for it, also for users who can see its cost."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    assert listed(manager)["Backlog"] == "cost only"
    address = reverse("approval", args=[entry.pk])
    assert "Cost only: there is nothing to bill." in manager.get(address).text
    company.manager.memberships.update(sees_costs=True)
    assert "Cost only: there is nothing to bill." in manager.get(address).text


def test_an_entry_that_is_submitted_again_shows_its_canceled_approval(manager, company, entry):
    """APP-5: nothing is decided on it any more."""
    manager.post(reverse("cancel_approval", args=[entry.pk]))
    page = manager.get(reverse("approval", args=[entry.pk])).text
    assert "<dt>Approval canceled</dt>" in page
    assert "<dt>Decided</dt>" not in page
