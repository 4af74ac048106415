"""The pages for the format of an invoice proposal: its dates, and its printed sections."""

import datetime

import pytest
from django.urls import reverse

from contracts.models import LegalEntity
from ledger.invoicing.operations.proposals import edit_header
from ledger.models import ProposalLayout
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_last_of_march(monkeypatch):
    """Every day is 31 March 2025."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)


@pytest.fixture
@factories.remembered
def proposal(no1):
    """An open proposal with two lines, 1,000 and 500."""
    contract = factories.contract(no1, confirmed=True)
    return proposed(no1, work(no1, contract), work(no1, contract, hours="5"))


@pytest.fixture
def accountant(client, no1):
    """The client, signed in as the accountant."""
    client.force_login(no1.accountant)
    return client


def posted(accountant, name, *args, **data):
    return accountant.post(reverse(name, args=args), data, follow=True)


def words(response):
    return response.content.decode()


def chosen(accountant, name, proposal, **data):
    return posted(accountant, name, filter=f"proposal={proposal.pk}", **data)


def test_lines_are_moved_to_a_new_section_and_back(accountant, proposal):
    """PRP-3: every line is in exactly one section; an empty section is deleted."""
    first, second = proposal.lines.order_by("number")
    old = proposal.sections.get()

    chosen(
        accountant,
        "move_proposal_lines",
        proposal,
        pk=second.pk,
        _answered="1",
        section="new",
        title="Travel",
    )
    assert [(row.title, row.lines.get()) for row in proposal.sections.order_by("number")] == [
        (old.title, first),
        ("Travel", second),
    ]

    chosen(accountant, "move_proposal_lines", proposal, pk=second.pk, _answered="1", section=old.pk)
    assert proposal.sections.get().lines.count() == 2


def test_sections_change_place_title_and_mode(accountant, proposal):
    """PRP-3: amounts never change."""
    second = proposal.lines.get(number=2)
    chosen(
        accountant,
        "move_proposal_lines",
        proposal,
        pk=second.pk,
        _answered="1",
        section="new",
        title="Travel",
    )
    keys = list(proposal.sections.order_by("number").values_list("pk", flat=True))
    data = {
        "sections": f"{keys[0]},{keys[1]}",
        "seen": seen(accountant, proposal),
        "section-TOTAL_FORMS": "2",
        "section-INITIAL_FORMS": "2",
        "section-0-number": "2",
        "section-0-title": "Work",
        "section-0-mode": "role",
        "section-1-number": "1",
        "section-1-title": "On the road",
        "section-1-mode": "",
    }

    wrong = words(posted(accountant, "proposal_sections", proposal.pk, **{**data, "section-0-number": "x"}))
    assert "Enter a whole number" in wrong
    assert "On the road" in wrong

    assert "The sections are formatted." in words(
        posted(accountant, "proposal_sections", proposal.pk, **data)
    )
    found = [
        (row.title, row.mode, row.summary_by, row.lines.get().amount)
        for row in proposal.sections.order_by("number")
    ]
    assert found == [("On the road", "detail", "", 500), ("Work", "summary", "role", 1000)]

    posted(accountant, "sections_for_lines", proposal.pk)
    assert proposal.sections.get().lines.count() == 2


def test_sections_that_changed_are_shown_again(accountant, proposal):
    """PRP-3"""
    data = {"sections": "0", "section-TOTAL_FORMS": "1", "section-INITIAL_FORMS": "1"}

    text = words(posted(accountant, "proposal_sections", proposal.pk, **data))

    assert "were changed in the meantime" in text


def seen(accountant, proposal):
    """The stamp of the sections, from the hidden field of the page."""
    return accountant.get(reverse("proposal_sections", args=[proposal.pk])).context["seen"]


def test_two_users_do_not_overwrite_each_others_sections_unseen(accountant, proposal):
    """PRP-3: the form keeps the input and shows the other change; submitting again saves."""
    (section,) = proposal.sections.all()
    was = seen(accountant, proposal)
    forms = {
        "sections": section.pk,
        "section-TOTAL_FORMS": "1",
        "section-INITIAL_FORMS": "1",
        "section-0-number": "1",
        "section-0-mode": "",
    }
    mine, theirs = forms | {"section-0-title": "Mine"}, forms | {"section-0-title": "Theirs"}
    posted(accountant, "proposal_sections", proposal.pk, **theirs, seen=was)

    late = posted(accountant, "proposal_sections", proposal.pk, **mine, seen=was)

    assert "Somebody changed this while you were typing." in words(late)
    assert "Now: place 1, “Theirs”, line by line" in words(late)
    assert 'value="Mine"' in words(late)
    assert proposal.sections.get().title == "Theirs"

    posted(accountant, "proposal_sections", proposal.pk, **mine, seen=late.context["seen"])
    assert proposal.sections.get().title == "Mine"


def test_the_totals_are_those_of_the_selected_invoice_date(accountant, no1):
    """PRP-5 PRP-8 PST-4: EUR 1,000 at the exchange rate of 20 March, due 30 days later.

    The tax rate is that of the work of 10 March in both cases.
    """
    march_20, march_25 = datetime.date(2025, 3, 20), datetime.date(2025, 3, 25)
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=11, valid_from=datetime.date(2025, 3, 1)
    )
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=12, valid_from=march_25)
    no1.books.tax_codes["OUT25"].rates.create(valid_from=march_25, percent=30)
    no1.customer.payment_term = factories.PaymentTermFactory(entity=no1.entity, days=30)
    no1.customer.save()
    proposal = proposed(no1, work(no1, factories.contract(no1, currency="EUR", confirmed=True)))

    today = words(accountant.get(proposal.get_absolute_url()))
    edit_header(proposal, by=no1.accountant, invoice_date=march_20)
    chosen = words(accountant.get(proposal.get_absolute_url()))

    assert "Totals as they would be posted, dated 31 Mar 2025" in today
    assert ("1,250.00" in today, "15,000.00" in today, "30 Apr 2025" in today) == (True, True, True)
    assert "Totals as they would be posted, dated 20 Mar 2025" in chosen
    assert ("1,250.00" in chosen, "13,750.00" in chosen, "19 Apr 2025" in chosen) == (True, True, True)
    assert ("15,000.00" in chosen, "31 Mar 2025</h2>" in chosen) == (False, False)


def test_a_layout_is_saved_as_default_and_used_from_then_on(accountant, no1, proposal):
    """PRP-3: the contract's layout comes before the company's."""
    posted(accountant, "one_section", proposal.pk)
    data = {"scope": "company"}
    answer = words(posted(accountant, "save_layout", proposal.pk, **data))
    assert "The layout is now the default for the whole legal entity." in answer
    (section,) = proposal.sections.all()
    section.mode, section.summary_by = "summary", "month"
    section.save()
    posted(accountant, "save_layout", proposal.pk, scope="contract")
    posted(accountant, "save_layout", proposal.pk, scope="contract")

    assert [
        (bool(row.contract), row.mode, row.summary_by, row.section_for_each_line)
        for row in ProposalLayout.objects.order_by("pk")
    ] == [(False, "detail", "", False), (True, "summary", "month", False)]
    same = proposed(no1, work(no1, proposal.proforma.contract))
    other = proposed(no1, work(no1, factories.contract(no1, confirmed=True)))
    assert [(row.title, row.mode, row.summary_by) for row in same.sections.all()] == [
        ("", "summary", "month")
    ]
    assert [(row.title, row.mode, row.summary_by) for row in other.sections.all()] == [("", "detail", "")]
