"""Two users save the same rows: the later save is refused, and overwrites nothing.

The other user saves between the check of the form and the lock of the operation, so a comparison by the form
alone would be too early.
"""

import datetime
import re

import pytest
from django.urls import reverse

from actuals import operations as actuals
from backlog.views import approvals
from contracts.models import LegalEntity
from ledger.invoicing.operations import proposals, sections
from ledger.invoicing.sections import for_each_contract_line, stamp_of
from ledger.invoicing.views import lines as line_views
from ledger.invoicing.views import proposals as proposal_views
from ledger.journal import views as journal_views
from ledger.journal.operations import journals
from ledger.models import JournalLine
from proforma import operations as proformas
from proforma.models import LineDetail
from proforma.views import drafts
from tests import factories
from tests.approving import terms
from tests.ledger.billing import MARCH_10, MARCH_31, drafted, proposed, work

pytestmark = pytest.mark.django_db

OTHERS = "written by the other one"


@pytest.fixture
def it(monkeypatch):
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)
    it = factories.company()
    it.contract = factories.contract(it, confirmed=True)
    return it


def a_header(it):
    draft = drafted(it, work(it, it.contract))
    shown = {
        "name": "Mine",
        "bill_to_name": "Acme",
        "cutoff": "2025-03-31",
        "accounting_date": "2025-03-31",
        "country": "NO",
    }
    return {
        "by": it.manager,
        "url": reverse("edit_proforma", args=[draft.pk]),
        "view": drafts.EditHeader,
        "mine": shown,
        "others": lambda: proformas.edit_header(draft, by=it.manager, description=OTHERS),
        "now": lambda: type(draft).objects.get(pk=draft.pk).description,
    }


def a_detail(it):
    draft = drafted(it, work(it, it.contract))
    detail = LineDetail.objects.on_proforma(draft).get()
    mine = {"quantity": "7", "price": "100", "billing_type": "chargeable", "description": "Mine"}
    mine |= {"billing_tax_group": it.billing_tax_group.pk, "item_tax_group": it.item_tax_group.pk}
    return {
        "by": it.manager,
        "url": reverse("edit_detail", args=[detail.pk]),
        "view": drafts.EditDetail,
        "mine": mine,
        "others": lambda: proformas.edit_details([detail], by=it.manager, description=OTHERS),
        "now": lambda: LineDetail.objects.get(pk=detail.pk).description,
    }


def details(it):
    case = a_detail(it)
    draft = LineDetail.objects.get().line.proforma
    mine = {"pk": LineDetail.objects.get().pk, "change": "1", "description": "Mine"}
    return case | {"url": reverse("edit_details", args=[draft.pk]), "view": drafts.EditDetails, "mine": mine}


def a_proposal(it):
    proposal = proposed(it, work(it, it.contract))
    return {
        "by": it.accountant,
        "url": reverse("edit_proposal", args=[proposal.pk]),
        "view": proposal_views.EditProposal,
        "mine": {"delivery": proposal.delivery, "header_text": "Mine"},
        "others": lambda: proposals.edit_header(proposal, by=it.accountant, header_text=OTHERS),
        "now": lambda: type(proposal).objects.get(pk=proposal.pk).header_text,
    }


def _chosen(line, of):
    return {"pk": line.pk, "filter": of, "_answered": "1"}


def proposal_lines(it):
    proposal = proposed(it, work(it, it.contract))
    line = proposal.lines.get()
    abroad = factories.BillingTaxGroupFactory(entity=it.entity, code="ABROAD")
    third = factories.BillingTaxGroupFactory(entity=it.entity, code="THIRD")
    return {
        "by": it.accountant,
        "url": reverse("edit_proposal_lines"),
        "view": line_views.EditProposalLines,
        "mine": _chosen(line, f"proposal={proposal.pk}") | {"billing_tax_group": third.pk},
        "others": lambda: proposals.edit_lines([line], by=it.accountant, billing_tax_group=abroad),
        "now": lambda: OTHERS if type(line).objects.get(pk=line.pk).billing_tax_group == abroad else "mine",
    }


def _sectioned(it):
    proposal = proposed(it, work(it, it.contract), work(it, it.contract))

    def title_them():
        row = proposal.sections.get()
        layout = {"number": 1, "title": OTHERS, "mode": "detail", "summary_by": ""}
        seen = stamp_of(proposal)
        sections.edit_sections(proposal, {row.pk: layout}, seen=seen, by=it.accountant)

    proposals.format_sections(proposal, for_each_contract_line(proposal), by=it.accountant)
    return proposal, {
        "by": it.accountant,
        "others": title_them,
        "now": lambda: proposal.sections.order_by("number").first().title,
    }


def moved_lines(it):
    proposal, case = _sectioned(it)
    mine = _chosen(proposal.lines.first(), f"proposal={proposal.pk}") | {"section": "new", "title": "Mine"}
    url = reverse("move_proposal_lines")
    return case | {"url": url, "view": line_views.MoveProposalLines, "mine": mine}


def one_section(it):
    proposal, case = _sectioned(it)
    url, page = reverse("one_section", args=[proposal.pk]), reverse("proposal_sections", args=[proposal.pk])
    return case | {"url": url, "page": page, "view": line_views.OneSection, "mine": {}}


def sections_for_lines(it):
    case = one_section(it)
    return case | {"url": case["url"].replace("/one/", "/for-lines/"), "view": line_views.SectionsForLines}


def journal_lines(it):
    work(it, it.contract)
    journals.add_to_journals(it.entity, on=MARCH_31, by=it.accountant)
    line = JournalLine.objects.get()
    others_day = MARCH_10 + datetime.timedelta(days=1)
    return {
        "by": it.accountant,
        "url": reverse("edit_journal_lines"),
        "view": journal_views.EditJournalLines,
        "mine": _chosen(line, f"journal={line.journal_id}") | {"accounting_date": "2025-03-20"},
        "others": lambda: journals.edit_journal_lines([line], by=it.accountant, accounting_date=others_day),
        "now": lambda: OTHERS if JournalLine.objects.get().accounting_date == others_day else "mine",
    }


def an_approval(it):
    entry = factories.time_entry(it, hours="8", date=MARCH_10)

    def change():
        actuals.recall([entry], by=it.member)
        seen = actuals.stamp(type(entry).objects.get(pk=entry.pk))
        actuals.amend_and_submit(entry, by=it.member, seen=seen, quantity=entry.quantity + 1)

    return {
        "by": it.manager,
        "url": reverse("approval", args=[entry.pk]),
        "view": approvals.Approval,
        "mine": {"billable_quantity": "6", "terms": terms([entry], by=it.manager)},
        "others": change,
        "now": lambda: OTHERS if type(entry).objects.get(pk=entry.pk).status == "submitted" else "approved",
        "message": "The entry was changed after you opened it.",
    }


CASES = [
    a_header,
    a_detail,
    details,
    a_proposal,
    proposal_lines,
    moved_lines,
    one_section,
    sections_for_lines,
    journal_lines,
    an_approval,
]


def seen_on(page):
    """The stamp in a form of the page."""
    tag = re.search(r'<input[^>]*name="seen"[^>]*>', page)
    return re.search(r'value="([^"]+)"', tag[0])[1]


@pytest.mark.parametrize("case", CASES)
def test_the_later_save_is_refused_and_overwrites_nothing(case, it, client, monkeypatch):
    """PRO-3 PRP-2 PRP-3 JRN-2 APP-3"""
    case = case(it)
    client.force_login(case["by"])
    choice = {name: value for name, value in case["mine"].items() if name in ("pk", "filter")}
    drawn = client.post(case["url"], choice) if choice else client.get(case.get("page", case["url"]))
    seen = seen_on(drawn.content.decode())
    operate, overtaken = case["view"].operate, []

    def overtake(view, form):
        if not overtaken:
            overtaken.append(case["others"]())
        return operate(view, form)

    monkeypatch.setattr(case["view"], "operate", overtake)
    answer = client.post(case["url"], case["mine"] | {"seen": seen}, follow=True)

    page = answer.content.decode()
    assert overtaken
    assert case.get("message", "Somebody changed") in page
    assert case["now"]() == OTHERS
    # The second submission is accepted: the user has now seen the changes of the others.
    if 'name="seen"' not in page:
        page = client.get(case["page"]).content.decode()
    answer = client.post(case["url"], case["mine"] | {"seen": seen_on(page)}, follow=True)
    assert "Somebody changed" not in answer.content.decode()


def test_an_entry_that_was_submitted_again_meanwhile_is_not_approved_with_the_list(it, client, monkeypatch):
    """APP-3"""
    case = an_approval(it)
    client.force_login(it.manager)
    context = client.get(reverse("approvals")).context
    entry = case["url"].strip("/").split("/")[-1]
    listed = {"pk": entry, "drawn": context["drawn"], "terms": context["terms"]}
    operate = approvals.operations.approve_many

    def overtake(*args, **kwargs):
        case["others"]()
        return operate(*args, **kwargs)

    monkeypatch.setattr(approvals.operations, "approve_many", overtake)
    answer = client.post(reverse("approve_entries"), listed, follow=True)
    assert "was submitted again after you opened the page. Check it again." in answer.content.decode()
    assert case["now"]() == OTHERS
