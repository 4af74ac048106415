"""The pages of invoice proposals: access, refusals, content."""

import datetime
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import LegalEntity
from invoicing_site.models import Notice
from ledger.invoicing.operations.approvals import submit_proposal
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.invoicing.views import posting
from ledger.journal.operations import journals
from ledger.models import CustomerInvoice, Dimension, IntegrationJournal, InvoiceProposal
from tests import factories
from tests.background import do_jobs, post_invoices
from tests.ledger.billing import MARCH_31, confirmed, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_last_of_march(monkeypatch):
    """Every day is 31 March 2025."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)


@pytest.fixture
@factories.remembered
def proposal(no1, contract):
    """An open proposal with two lines, 1,000 and 500, whose tax groups have no codes."""
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


OF_ONE = ["", "lines/", "preview/"]


@pytest.mark.parametrize(
    ("role", "status"),
    [("accountant", 200), ("auditor", 200), ("manager", 403), ("member", 403), ("administrator", 403)],
)
def test_who_can_see_proposals(client, no1, proposal, role, status):
    """SEC-1"""
    client.force_login(getattr(no1, role))

    assert client.get("/proposals/").status_code == status
    of_one = 404 if status == 403 else 200
    assert [client.get(f"/proposals/{proposal.pk}/{rest}").status_code for rest in OF_ONE] == [of_one] * 3


@pytest.mark.parametrize(
    "name",
    [
        "create_proposals",
        "fill_proposals",
        "check_proposals",
        "approve_proposals",
        "edit_proposal_lines",
        "move_proposal_lines",
    ],
)
def test_an_auditor_cannot_change_several(client, no1, proposal, name):
    """SEC-1"""
    client.force_login(no1.auditor)

    assert client.post(reverse(name), {"pk": proposal.pk}).status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "edit_proposal",
        "fill_proposal",
        "refill_proposal",
        "proposal_sections",
        "sections_for_lines",
        "one_section",
        "submit_proposal",
        "approve_proposal",
        "reject_proposal",
        "request_change",
        "post_proposal",
        "reset_approval",
    ],
)
def test_who_can_change_a_proposal(client, no1, proposal, name):
    """SEC-1: an auditor can't, and proposals of another company are not found."""
    url = reverse(name, args=[proposal.pk])
    client.force_login(no1.auditor)
    assert client.post(url).status_code == 403
    client.force_login(factories.company("SE1", books=False).accountant)
    assert client.post(url).status_code == 404
    assert InvoiceProposal.objects.get().status == "open"


def test_an_auditor_sees_no_buttons(client, no1, proposal):
    """SEC-1"""
    client.force_login(no1.auditor)

    text = words(client.get(f"/proposals/{proposal.pk}/"))

    assert "Edit header" not in text
    assert f"/proposals/{proposal.pk}/post/" not in text


# The list


def test_the_list_shows_net_amounts_and_blockers(accountant, no1, contract, proposal):
    """PRP-1"""
    blocked = create_proposal(confirmed(no1, work(no1, contract, hours="3")))
    text = words(accountant.get("/proposals/"))
    assert "1,500.00" in text
    assert "300.00" in text
    assert "1,800.00" in text
    assert "1 actual not in a journal" in text

    journals.add_to_journals(no1.entity, on=MARCH_31, by=None)
    draft = IntegrationJournal.objects.get(status="draft")
    text = words(accountant.get("/proposals/?blocked=yes"))
    assert f'<a href="/journals/{draft.pk}/">{draft.number}</a>' in text
    assert accountant.get("/proposals/?open=1&blocked=no").context["object_list"].get() == proposal
    assert accountant.get(f"/proposals/?q={blocked.number}").context["object_list"].get() == blocked


def test_proposals_are_created_and_filled_in_by_button(accountant, no1, contract):
    """PRO-7 PRP-1"""
    confirmed(no1, work(no1, contract))

    assert "1 proposal created." in words(posted(accountant, "create_proposals"))
    assert "1 still waiting for journals" in words(posted(accountant, "fill_proposals"))
    journals.add_to_journals(no1.entity, on=MARCH_31, by=None)
    journals.post_journals(no1.entity, by=None, on=MARCH_31)
    assert "1 proposal filled in." in words(posted(accountant, "fill_proposals"))


# One proposal


def test_the_page_names_what_it_waits_for(accountant, no1, contract):
    """PRP-1"""
    blocked = create_proposal(confirmed(no1, work(no1, contract)))

    text = words(accountant.get(f"/proposals/{blocked.pk}/"))

    assert text.count("waits for 1 actual") == 2  # in the section, and among the checks
    assert "is in no journal" in text


def test_checks_link_to_their_remedies(accountant, no1, proposal):
    """PRP-5 PRP-8: the sentence, and the page where it can be fixed."""
    InvoiceProposal.objects.update(invoice_date=datetime.date(2025, 4, 2))

    text = words(accountant.get(f"/proposals/{proposal.pk}/"))

    assert "The invoice date 2 Apr 2025 is in the future" in text
    assert f'<a href="/proposals/{proposal.pk}/edit/">Change the dates</a>' in text
    assert f"/proposals/{proposal.pk}/post/" not in text


def test_totals_are_shown_before_posting(accountant, proposal):
    """PRP-5"""
    response = accountant.get(f"/proposals/{proposal.pk}/")
    totals = response.context["totals"]

    assert (totals.net, totals.total) == (1500, totals.tax + 1500)
    assert "Post 2 lines, NOK" in words(response)
    assert "This can&#x27;t be undone." in words(response)


def test_posting_opens_the_invoice(accountant, proposal):
    """PST-1"""
    response = accountant.post(f"/proposals/{proposal.pk}/post/")

    invoice = CustomerInvoice.objects.get()
    assert response.url == invoice.get_absolute_url()
    assert invoice.number in words(accountant.get(f"/proposals/{proposal.pk}/"))
    assert "is already posted as" in words(accountant.post(f"/proposals/{proposal.pk}/post/", follow=True))


def test_the_user_who_confirmed_cannot_post(accountant, client, no1, proposal, monkeypatch):
    """SEC-2: a sentence names the users who can; there is no button, and it is not called ready."""
    LegalEntity.objects.update(separate_confirm_and_post=True)
    factories.MembershipFactory(user=no1.manager, entity=no1.entity, role="accountant")
    client.force_login(no1.manager)
    monkeypatch.setattr(
        "ledger.invoicing.checks.examine", lambda facts: SimpleNamespace(results=[], plan=None)
    )

    text = words(client.get(f"/proposals/{proposal.pk}/"))
    assert "Ready to post" not in text
    assert "All checks passed. You confirmed" in text
    assert (
        "so somebody else has to post its invoice. In this legal entity, these people may post it: "
        f"{no1.accountant}." in text
    )
    assert f"/proposals/{proposal.pk}/post/" not in text
    assert "somebody else has to post" in words(posted(client, "post_proposal", proposal.pk))
    assert InvoiceProposal.objects.get().status == "open"


def header(**changes):
    return {"delivery": "mail", "header_text": "", "footer_text": "", **changes}


def test_the_header_is_edited(accountant, no1, proposal):
    """PRP-2"""
    department = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    sales = department.values.create(code="S", name="Sales")
    data = header(invoice_date="2025-03-30", footer_text="Thanks")

    posted(accountant, "edit_proposal", proposal.pk, **data, **{f"dimension_{department.pk}": sales.pk})

    proposal = InvoiceProposal.objects.get()
    assert (proposal.invoice_date, proposal.due_date) == (datetime.date(2025, 3, 30), None)
    assert proposal.footer_text == "Thanks"
    assert [row.value for row in proposal.dimensions.values.all()] == [sales]


def test_a_new_invoice_date_recalculates_the_due_date(accountant, proposal):
    """PRP-2: the due date in the form is not kept by itself."""
    posted(
        accountant, "edit_proposal", proposal.pk, **header(invoice_date="2025-03-20", due_date="2025-04-01")
    )
    assert InvoiceProposal.objects.get().due_date == datetime.date(2025, 4, 1)

    posted(
        accountant, "edit_proposal", proposal.pk, **header(invoice_date="2025-03-21", due_date="2025-04-01")
    )
    assert InvoiceProposal.objects.get().due_date is None


def test_input_stays_after_a_refused_header(accountant, proposal):
    """PRP-2"""
    wrong = header(invoice_date="2025-03-20", due_date="2025-03-01", footer_text="Kept")

    text = words(posted(accountant, "edit_proposal", proposal.pk, **wrong))

    assert "The due date 1 Mar 2025 is before the invoice date 20 Mar 2025." in text
    assert "Kept" in text
    assert InvoiceProposal.objects.get().footer_text == ""


def test_only_our_own_pages_can_frame_the_preview(accountant, proposal, monkeypatch):
    """PRP-3"""
    monkeypatch.setattr("ledger.document.drawing.preview", lambda *args: b"%PDF-1.7")

    response = accountant.get(f"/proposals/{proposal.pk}/preview.pdf")

    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("inline")
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["Content-Security-Policy"] == "frame-ancestors 'self'"
    download = accountant.get(f"/proposals/{proposal.pk}/preview.pdf?download")
    assert download["Content-Disposition"].startswith("attachment")
    assert (
        "frame-ancestors 'none'"
        in accountant.get(f"/proposals/{proposal.pk}/preview/")["Content-Security-Policy"]
    )


# Lines and sections


def chosen(accountant, name, proposal, **data):
    return posted(accountant, name, filter=f"proposal={proposal.pk}", **data)


def test_tax_groups_of_selected_lines_are_edited(accountant, no1, proposal):
    """PRP-2"""
    group = factories.ItemTaxGroupFactory(entity=no1.entity, code="REDUCED")
    line = proposal.lines.first()

    assert "Tax groups of 1 line" in words(chosen(accountant, "edit_proposal_lines", proposal, pk=line.pk))
    text = words(
        chosen(
            accountant, "edit_proposal_lines", proposal, pk=line.pk, _answered="1", item_tax_group=group.pk
        )
    )

    assert "1 line changed." in text
    assert [row.item_tax_group.code for row in proposal.lines.order_by("number")] == ["REDUCED", "SERVICES"]
    assert [row.amount for row in proposal.lines.order_by("number")] == [1000, 500]
    found = accountant.get(f"/proposals/{proposal.pk}/lines/?differs=yes").context["object_list"]
    assert list(found) == [line]


def test_filling_in_again_discards_edits(accountant, no1, proposal):
    """PRP-2"""
    group = factories.ItemTaxGroupFactory(entity=no1.entity, code="REDUCED")
    proposal.lines.update(item_tax_group=group)

    assert "filled in again" in words(posted(accountant, "refill_proposal", proposal.pk))
    assert {row.item_tax_group.code for row in proposal.lines.all()} == {"SERVICES"}


# Approval


@pytest.fixture
@factories.remembered
def other(no1):
    """A second accountant."""
    user = factories.UserFactory(username="second.accountant")
    factories.MembershipFactory(user=user, entity=no1.entity, role="accountant")
    return user


def test_a_proposal_passes_through_approval(accountant, client, no1, proposal, other):
    """PRP-4"""
    LegalEntity.objects.update(require_proposal_approval=True)
    assert "Submit for approval" in words(accountant.get(f"/proposals/{proposal.pk}/"))
    posted(accountant, "submit_proposal", proposal.pk, comment="Please")
    assert "You submitted" in words(posted(accountant, "approve_proposal", proposal.pk))
    assert "1 submitted by you" in words(posted(accountant, "approve_proposals", pk=proposal.pk))

    client.force_login(other)
    assert "This field is required" in words(posted(client, "reject_proposal", proposal.pk, comment=" "))
    posted(client, "request_change", proposal.pk, comment="Another day")
    assert InvoiceProposal.objects.get().status == "open"
    assert "Another day" in words(client.get(f"/proposals/{proposal.pk}/"))

    submit_proposal(proposal, by=no1.accountant)
    assert "1 proposal approved." in words(posted(client, "approve_proposals", pk=proposal.pk))
    assert InvoiceProposal.objects.get().status == "approved"


def test_waiting_approvals_are_linked_from_the_home_page_and_the_list(client, no1, proposal):
    """PRP-4: from the home of accountants and administrators, and from the list."""
    LegalEntity.objects.update(require_proposal_approval=True)
    submit_proposal(proposal, by=no1.accountant)
    client.force_login(no1.accountant)
    link = '<a class="btn" href="/proposals/stuck/">1 proposal waits</a>'
    assert link in client.get("/proposals/").content.decode()
    for user in (no1.accountant, no1.administrator):
        client.force_login(user)
        tiles = [tile for part in client.get("/").context["parts"] for tile in part.tiles]
        assert [tile.count for tile in tiles if tile.url == "/proposals/stuck/"] == [1]
        assert proposal.number in words(client.get("/proposals/stuck/"))


def test_an_administrator_resets_a_stuck_approval(client, no1, proposal):
    """PRP-4"""
    LegalEntity.objects.update(require_proposal_approval=True)
    submit_proposal(proposal, by=no1.accountant)
    client.force_login(no1.accountant)
    assert "Reset the approval</a>" not in words(client.get("/proposals/stuck/"))
    assert client.post(f"/proposals/{proposal.pk}/reset/", {"comment": "x"}).status_code == 403

    client.force_login(no1.administrator)
    assert proposal.number in words(client.get("/proposals/stuck/"))
    posted(client, "reset_approval", proposal.pk, comment="The approver has left")

    assert InvoiceProposal.objects.get().status == "open"


# Many at once


def checked(accountant, *proposals):
    return posted(accountant, "check_proposals", pk=[each.pk for each in proposals])


def test_many_are_checked_before_they_are_posted(accountant, no1, contract, proposal):
    """PRP-5: checking posts nothing."""
    late = proposed(no1, work(no1, contract))
    InvoiceProposal.objects.filter(pk=late.pk).update(invoice_date=datetime.date(2025, 4, 2))

    response = checked(accountant, proposal, late)

    assert "1 of 2 can be posted." in words(response)
    assert "is in the future" in words(response)
    assert "Post 1 invoice" in words(response)
    assert not CustomerInvoice.objects.exists()


def test_proposals_without_errors_are_posted_with_a_status_for_each(accountant, no1, contract, proposal):
    """PST-1"""
    second = proposed(no1, work(no1, contract))
    response = checked(accountant, proposal, second)
    InvoiceProposal.objects.filter(pk=second.pk).update(invoice_date=datetime.date(2025, 4, 2))

    answer = posted(accountant, "post_proposals", response.context["word"], keys=response.context["keys"])

    assert "1 invoice posted." in words(answer)
    assert CustomerInvoice.objects.get().number in words(answer)
    assert "is in the future" in words(answer)
    assert "hx-trigger" not in words(answer).split('id="posting"')[1].split(">")[0]
    assert f'<a href="{reverse("proposals")}?rows={second.pk}">Show these rows</a>' in words(answer)


def test_the_page_of_the_posting_links_to_refused_proposals(accountant, no1, contract, proposal):
    """PST-1: also of a posting in the background, which shows the same page."""
    second = proposed(no1, work(no1, contract))
    response = checked(accountant, proposal, second)
    word, keys = response.context["word"], response.context["keys"]
    InvoiceProposal.objects.filter(pk=second.pk).update(invoice_date=datetime.date(2025, 4, 2))
    page = posted(accountant, "post_proposals", word, keys=keys).redirect_chain[-1][0]

    leads_to = accountant.get(page).context["refused_url"]

    assert f'<a href="{leads_to}">Show refused proposals in the list</a>' in words(accountant.get(page))
    shown = accountant.get(leads_to).context["object_list"]
    assert [row.pk for row in shown] == [second.pk]


def test_proposals_posted_in_another_tab_are_not_listed_as_posted_now(accountant, no1, contract, proposal):
    """PST-1: the page shows by whom and when, at once and in the background."""
    second = proposed(no1, work(no1, contract))
    response = checked(accountant, proposal, second)
    word, keys = response.context["word"], response.context["keys"]
    said = f"already posted by {no1.accountant}, the last one on"
    assert "2 invoices posted." in words(posted(accountant, "post_proposals", word, keys=keys))

    again = words(posted(accountant, "post_proposals", word, keys=keys))

    assert "Nothing was posted. 2 invoices were " + said in again
    assert "invoices posted." not in again
    assert CustomerInvoice.objects.count() == 2
    post_invoices(no1, proposal, second)
    assert f"0 of 2 invoices posted. 2 invoices were {said}" in Notice.objects.get().text


def test_proposals_posted_now_are_counted_apart_from_earlier_ones(accountant, no1, contract, proposal):
    """PST-1"""
    second = proposed(no1, work(no1, contract))
    response = checked(accountant, proposal, second)
    post(proposal, by=None, on=MARCH_31)

    answer = words(
        posted(accountant, "post_proposals", response.context["word"], keys=response.context["keys"])
    )

    assert "1 invoice posted. 1 invoice was already posted by the system on" in answer


def test_many_are_posted_in_the_background(accountant, no1, proposal, monkeypatch):
    """PST-1: with a page that shows the progress, and a notice."""
    monkeypatch.setattr(posting, "AT_ONCE", 0)
    response = checked(accountant, proposal)

    answer = posted(accountant, "post_proposals", response.context["word"], keys=response.context["keys"])
    assert "0 of 1 done." in words(answer)
    assert 'hx-trigger="every 1s"' in words(answer)

    do_jobs("post_invoices")
    url = answer.redirect_chain[-1][0]
    assert CustomerInvoice.objects.get().number in words(accountant.get(url, headers={"HX-Request": "true"}))
    notice = Notice.objects.get(user=no1.accountant)
    assert (notice.text, notice.url) == ("1 of 1 invoice posted.", url)


def test_a_selection_belongs_to_its_user(accountant, client, no1, proposal, other):
    """SEC-1"""
    response = checked(accountant, proposal)
    word = response.context["word"]

    assert "None of these proposals can be posted" in words(
        posted(accountant, "post_proposals", word, keys="999999")
    )
    client.force_login(other)
    assert client.get(f"/proposals/check/{word}/").status_code == 404


def test_queries_do_not_grow_with_rows(accountant, no1, contract, proposal):
    """Many rows take as many queries as one."""

    def queries(url):
        with CaptureQueriesContext(connection) as captured:
            assert accountant.get(url).status_code == 200
        return len(captured)

    create_proposal(confirmed(no1, work(no1, contract)))
    of_one = [queries(f"/proposals/{proposal.pk}/{rest}") for rest in ("", "lines/")]
    before = queries("/proposals/")
    large = proposed(no1, *[work(no1, contract) for _ in range(12)])
    for _ in range(4):
        proposed(no1, work(no1, contract))
        create_proposal(confirmed(no1, work(no1, contract)))

    assert queries("/proposals/") == before
    assert [queries(f"/proposals/{large.pk}/{rest}") for rest in ("", "lines/")] == of_one


def test_two_users_do_not_overwrite_each_others_header(accountant, proposal):
    """PRP-2"""
    address = reverse("edit_proposal", args=[proposal.pk])
    form = accountant.get(address).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"footer_text": "Thank you"}
    InvoiceProposal.objects.filter(pk=proposal.pk).update(header_text="Bridge")
    assert "Somebody changed this while you were typing." in words(accountant.post(address, typed))
    proposal.refresh_from_db()
    assert (proposal.header_text, proposal.footer_text) == ("Bridge", "")
