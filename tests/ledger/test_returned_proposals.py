"""Proposals returned to the project manager: nothing is lost or posted, all work can be billed (PRP-6)."""

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from actuals.models import Actual
from backlog.aging import aging
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval, mark_ready
from contracts.models import LegalEntity
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, Notice, User
from invoicing_site.verify import findings
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.invoicing.operations.returns import return_proposal
from ledger.models import CustomerInvoice, InvoiceProposal, LedgerEntry, Voucher
from proforma import operations as proformas
from proforma.models import LimitOverride, LineDetail, ProformaInvoice
from proforma.returned import continued_by
from tests import factories
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    accrue,
    book_journals,
    confirmed,
    cr,
    dr,
    drafted,
    edited,
    entries_of,
    milestone,
    proposed,
    work,
)

pytestmark = pytest.mark.django_db

APRIL_10 = datetime.date(2025, 4, 10)


@pytest.fixture(autouse=True)
def _the_last_of_march(monkeypatch):
    """Every day is 31 March 2025."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)


@pytest.fixture
@factories.remembered
def contract(no1):
    contract = factories.contract(no1, confirmed=True)
    accrue(no1, contract)
    return contract


@factories.remembered
def returned(no1, proposal, reason="Two hours belong to another project."):
    return return_proposal(proposal, by=no1.accountant, reason=reason, on=MARCH_31)


def billed_again(no1, draft):
    proforma = proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    return post(create_proposal(proforma), by=no1.accountant, on=MARCH_31)


def net_of(kind):
    return sum(Actual.objects.filter(type=kind).values_list("amount", flat=True))


def left_on(account):
    rows = LedgerEntry.objects.filter(account__number=account)
    return sum(row.accounting_debit - row.accounting_credit for row in rows)


def test_the_work_is_on_a_new_draft_and_nothing_is_billed(no1, contract):
    """PRP-6 and section 13, 1 and 2: 10 h × 100 are unbilled again; no document, no voucher."""
    item = work(no1, contract)
    proposal = proposed(no1, item)
    vouchers = Voucher.objects.count()

    draft = returned(no1, proposal)

    proposal.refresh_from_db()
    item.refresh_from_db()
    assert (proposal.status, proposal.return_reason) == ("returned", "Two hours belong to another project.")
    assert (draft.status, draft.number != proposal.number) == ("draft", True)
    detail = LineDetail.objects.get(line__proforma=draft)
    assert (detail.backlog_item, detail.quantity, detail.amount) == (item, 10, 1000)
    assert item.status == BacklogItem.Status.CREATED
    assert (net_of("billed"), net_of("unbilled")) == (0, 1000)
    assert Voucher.objects.count() == vouchers
    assert not CustomerInvoice.objects.exists()
    assert findings() == []


def test_the_new_draft_is_confirmed_and_posted_as_usual(no1, contract):
    """PRP-6 PST-10: returned twice, billed at 7 h; the accrual of 1,000 is reversed once."""
    item = work(no1, contract)
    draft = returned(no1, proposed(no1, item))
    again = returned(no1, create_proposal(proformas.confirm(draft, by=no1.manager, on=MARCH_31)))
    edited(no1, again, item, quantity=Decimal(7))

    invoice = billed_again(no1, again)

    assert sorted(entries_of(invoice.voucher)) == sorted(
        [dr("1500", 875), cr("3000", 700), cr("2700", 175), dr("3080", 1000), cr("1530", 1000)]
    )
    assert (left_on("1530"), left_on("3080")) == (0, 0)
    assert invoice.number == "INV-2025-000001"
    assert (net_of("unbilled"), net_of("billed")) == (0, 1000)
    assert findings() == []


def test_edits_and_details_added_by_hand_are_on_the_new_draft(no1, contract):
    """PRP-6: 10 h lowered to 8 h, and a fee of 400 by hand."""
    item = work(no1, contract)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, quantity=Decimal(8))
    proformas.add_detail(
        proforma,
        by=no1.manager,
        contract_line=contract.lines.get(),
        transaction_class="fee",
        date=MARCH_10,
        quantity=Decimal(1),
        price=Decimal(400),
        category=no1.fee,
    )
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    draft = returned(no1, proposed(no1, proforma=proforma))

    assert [
        (detail.quantity, detail.amount, detail.backlog_item, bool(detail.added_by))
        for detail in LineDetail.objects.filter(line__proforma=draft).order_by("pk")
    ] == [(8, 800, item, False), (1, 400, None, True)]
    assert net_of("billed") == 0
    assert findings() == []
    invoice = billed_again(no1, draft)
    assert (invoice.net, invoice.total) == (1200, 1500)
    assert findings() == []


def test_a_milestone_can_be_billed_again(no1):
    """PRP-6 MIL-1: it is completed when its last part is billed."""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    item = milestone(contract, "5000")
    proposal = proposed(no1, item)

    draft = returned(no1, proposal)

    head = item.milestone_part.milestone
    head.refresh_from_db()
    assert head.status == head.Status.IN_PROGRESS
    assert billed_again(no1, draft).net == 5000
    head.refresh_from_db()
    assert head.status == head.Status.COMPLETED
    assert findings() == []


def test_the_draft_can_be_deleted_and_its_work_billed_by_another(no1, contract):
    """PRP-6 PRO-4"""
    item = work(no1, contract)
    draft = returned(no1, proposed(no1, item))
    proformas.delete_draft(draft, by=no1.manager)
    item.refresh_from_db()
    assert item.status == BacklogItem.Status.READY
    assert findings() == []

    invoice = post(proposed(no1, item), by=no1.accountant, on=MARCH_31)

    assert (invoice.net, left_on("1530")) == (1000, 0)
    assert findings() == []


def test_a_proposal_that_waits_for_its_journal_can_be_returned_too(no1, contract):
    """PRP-1 PRP-6: the next one waits for the same journal."""
    proposal = create_proposal(confirmed(no1, work(no1, contract)))
    draft = returned(no1, proposal)

    waiting = create_proposal(proformas.confirm(draft, by=no1.manager, on=MARCH_31))
    assert waiting.status == InvoiceProposal.Status.BLOCKED

    book_journals(no1)
    invoice = post(create_proposal(waiting.proforma), by=no1.accountant, on=MARCH_31)
    assert (invoice.net, left_on("1530")) == (1000, 0)
    assert findings() == []


def test_when_a_return_is_refused(no1, contract):
    """PRP-6: without a reason, twice, and after posting."""
    proposal = proposed(no1, work(no1, contract))
    with pytest.raises(Refused, match="Enter a reason"):
        returned(no1, proposal, reason=" ")
    returned(no1, proposal)
    with pytest.raises(Refused) as refused:
        returned(no1, proposal)
    assert refused.value.code == "NOT-ALLOWED-NOW"
    with pytest.raises(Refused, match="was returned to the project manager: “Two hours"):
        post(proposal, by=no1.accountant, on=MARCH_31)

    invoice = post(proposed(no1, work(no1, contract)), by=no1.accountant, on=MARCH_31)
    drafts = ProformaInvoice.objects.count()
    with pytest.raises(Refused, match="is already posted as INV-2025-000001, so it can't be returned"):
        returned(no1, invoice.proposal)
    assert ProformaInvoice.objects.count() == drafts
    assert findings() == []


def test_managers_are_notified_and_the_event_names_the_user(no1, contract):
    """PRP-6 SEC-3"""
    contract.managers.add(no1.manager)
    proposal = proposed(no1, work(no1, contract))

    draft = returned(no1, proposal)

    (notice,) = Notice.objects.filter(user=no1.manager, is_problem=True)
    assert notice.text == (
        f"{str(proposal)[:1].upper()}{str(proposal)[1:]} was returned to you. Its work is on draft "
        f"{draft.number}. Reason: Two hours belong to another project."
    )
    assert notice.url == draft.get_absolute_url()
    assert not Notice.objects.filter(user=no1.accountant).exists()
    event = AuditEvent.objects.get(action="ledger.return_proposal")
    assert (event.by, event.detail["before"], event.detail["after"]["status"]) == (
        no1.accountant,
        {"status": "open"},
        "returned",
    )


def test_the_page_asks_for_the_reason(client, no1, contract):
    """PRP-6"""
    proposal = proposed(no1, work(no1, contract))
    client.force_login(no1.accountant)
    url = reverse("return_proposal", args=[proposal.pk])
    assert f'href="{url}"' in client.get(proposal.get_absolute_url()).content.decode()

    missing = client.post(url, {"comment": ""})
    assert "This field is required" in missing.content.decode()
    answer = client.post(url, {"comment": "Wrong price."}, follow=True).content.decode()

    draft = ProformaInvoice.objects.get(status="draft")
    assert f"is returned: its work is on draft {draft.number}." in answer
    assert "Returned to the project manager: Wrong price." in answer
    assert "Ready to post" not in answer
    assert f'href="{url}"' not in answer


@factories.remembered
def canceled_after_return(no1, on=APRIL_10):
    """8 h × 200 of 10 March, accrued, confirmed, returned, its draft deleted, its approval canceled."""
    entry = factories.time_entry(no1, hours="8", date=MARCH_10)
    approve([entry], by=no1.manager, on=MARCH_31)
    mark_ready(BacklogItem.objects.all(), by=no1.manager)
    draft = returned(no1, proposed(no1, BacklogItem.objects.get()))
    proformas.delete_draft(draft, by=no1.manager)
    cancel_approval([entry], by=no1.manager, on=on)
    entry.refresh_from_db()
    return entry


def test_an_approval_is_canceled_after_a_return_and_the_journal_reverses_its_accrual(no1, contract):
    """APP-5 PRP-6 JRN-7: Dr accrued revenue, Cr WIP 1,600; Dr payroll allocation, Cr cost 800; only once."""
    entry = canceled_after_return(no1)
    assert entry.status == "submitted"
    book_journals(no1, on=APRIL_10)
    book_journals(no1, on=APRIL_10)

    vouchers = list(Voucher.objects.filter(date=APRIL_10).order_by("pk"))
    assert sorted(map(entries_of, vouchers)) == sorted(
        [[cr("4300", 800), dr("5090", 800)], [cr("1530", 1600), dr("3080", 1600)]]
    )
    assert [left_on(account) for account in ("1530", "3080", "4300", "5090")] == [0, 0, 0, 0]
    assert {voucher.reverses.date for voucher in vouchers} == {MARCH_10}
    assert net_of("cost") == net_of("unbilled") == net_of("billed") == 0
    assert {item.status for item in BacklogItem.objects.all()} == {"canceled"}
    assert not list(findings(no1.entity))


def test_an_approval_cannot_be_canceled_while_the_draft_exists(no1, contract):
    """APP-5: the message names the document; for a confirmed one it names the return."""
    entry = factories.time_entry(no1, hours="8", date=MARCH_10)
    approve([entry], by=no1.manager, on=MARCH_31)
    mark_ready(BacklogItem.objects.all(), by=no1.manager)
    proposal = proposed(no1, BacklogItem.objects.get())
    with pytest.raises(Refused, match="is confirmed, so its approval can't be canceled"):
        cancel_approval([entry], by=no1.manager, on=MARCH_31)
    draft = returned(no1, proposal)
    with pytest.raises(Refused, match=f"is on draft {draft}. Remove it from the draft"):
        cancel_approval([entry], by=no1.manager, on=MARCH_31)


def test_work_that_was_returned_twice_is_reversed_once(no1, contract):
    """APP-5 PRP-6"""
    entry = factories.time_entry(no1, hours="8", date=MARCH_10)
    approve([entry], by=no1.manager, on=MARCH_31)
    mark_ready(BacklogItem.objects.all(), by=no1.manager)
    draft = returned(no1, proposed(no1, BacklogItem.objects.get()))
    proforma = proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    draft = returned(no1, proposed(no1, proforma=proforma))
    proformas.delete_draft(draft, by=no1.manager)
    cancel_approval([entry], by=no1.manager, on=APRIL_10)
    book_journals(no1, on=APRIL_10)
    assert [left_on(account) for account in ("1530", "3080", "4300", "5090")] == [0, 0, 0, 0]
    assert not list(findings(no1.entity))


def test_after_that_the_approver_can_approve_another_quantity(no1, contract):
    """APP-5: of 8 h 6 are billed the second time: 1,200 accrued, 400 not charged."""
    entry = canceled_after_return(no1, on=MARCH_31)
    decisions = {entry.pk: Decision(billable_quantity=Decimal(6))}
    approve([entry], by=no1.manager, on=MARCH_31, decisions=decisions)
    book_journals(no1, on=MARCH_31)
    assert (left_on("1530"), left_on("4300")) == (Decimal(1200), Decimal(800))
    mark_ready(BacklogItem.objects.open(), by=no1.manager)
    items = BacklogItem.objects.ready()
    assert sorted(items.values_list("amount", flat=True)) == [Decimal(400), Decimal(1200)]
    post(proposed(no1, *items, on=MARCH_31), by=no1.accountant, on=MARCH_31)
    assert (left_on("1530"), left_on("3000")) == (Decimal(0), Decimal(-1200))
    assert not list(findings(no1.entity))


@factories.remembered
def approved(no1, hours, on=MARCH_31):
    """Hours at 200 on 10 March, approved and marked ready if their limit allows it."""
    entry = factories.time_entry(no1, hours=hours, date=MARCH_10)
    approve([entry], by=no1.manager, on=on)
    mark_ready(BacklogItem.objects.filter(actual__entry=entry), by=no1.manager)
    return BacklogItem.objects.get(actual__entry=entry)


def returned_with_its_rest_given_away(no1):
    """Limit 1,000: 5 h × 200 were billed at 4 h, another hour used the rest, and the 4 h were returned."""
    factories.contract(no1, confirmed=True, limit=Decimal(1000))
    five = approved(no1, "5")
    proforma = drafted(no1, five)
    edited(no1, proforma, five, quantity=Decimal(4))
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)
    proposal = proposed(no1, proforma=proforma)
    one = approved(no1, "1")
    assert one.limit_status == "committed"
    draft = returned(no1, proposal)
    five.refresh_from_db()
    return draft, five, one


def test_an_amount_that_others_used_meanwhile_is_not_billed_over_the_limit(no1):
    """PRP-6 PRO-6 NTE-1 and section 13, 6: 4 h and 1 h are the 1,000; a fifth hour exceeds it by 200."""
    draft, five, one = returned_with_its_rest_given_away(no1)
    assert (five.status, five.limit_status, one.limit_status) == ("created", "not_evaluated", "committed")
    assert findings() == []

    edited(no1, draft, five, quantity=Decimal(5))
    with pytest.raises(Refused, match="exceeds the limit of 1,000.00 NOK of the contract by 200.00"):
        proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    edited(no1, draft, five, quantity=Decimal(4))
    proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    confirmed(no1, one)

    charged = Actual.objects.filter(type="billed", billing_type="chargeable").values_list("amount", flat=True)
    assert sum(charged) == 1000  # 800 were reversed in between
    assert findings() == []


@pytest.mark.parametrize("five_first", [True, False])
def test_a_limit_is_kept_if_the_draft_is_deleted(no1, five_first):
    """PRP-6 PRO-4 PRO-6: 5 h × 200 billed again with the other hour is refused, in either order."""
    draft, five, one = returned_with_its_rest_given_away(no1)
    proformas.delete_draft(draft, by=no1.manager)
    assert findings() == []
    afresh = drafted(no1, BacklogItem.objects.get(pk=five.pk))
    if not five_first:
        confirmed(no1, one)

    with pytest.raises(Refused, match="exceeds the limit of 1,000.00 NOK of the contract by 200.00"):
        proformas.confirm(afresh, by=no1.manager, on=MARCH_31)

    assert net_of("billed") == (0 if five_first else 200)
    assert findings() == []


def test_exceeding_the_limit_after_a_return_is_recorded(no1):
    """PRP-6 PRO-6: a user who can override limits lets the fifth hour exceed it by 200."""
    draft, five, one = returned_with_its_rest_given_away(no1)
    edited(no1, draft, five, quantity=Decimal(5))
    no1.manager.memberships.update(overrides_limits=True)
    chief = User.objects.get(pk=no1.manager.pk)
    proformas.confirm(draft, by=chief, on=MARCH_31, override_reason="Agreed by mail.")
    confirmed(no1, one)

    (override,) = LimitOverride.objects.all()
    assert (override.limit, override.over, override.reason) == (1000, 200, "Agreed by mail.")
    assert net_of("billed") == 1200
    assert findings() == []


def test_items_that_still_fit_stay_committed(no1):
    """PRP-6 NTE-1: of 1,000, 800 were returned, so only 200 are left for others."""
    factories.contract(no1, confirmed=True, limit=Decimal(1000))
    four = approved(no1, "4")
    draft = returned(no1, proposed(no1, four))
    four.refresh_from_db()
    assert four.limit_status == "committed"

    two = approved(no1, "2")

    assert (two.status, two.limit_status, two.limit_over) == ("not_ready", "failed", 200)
    proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    assert findings() == []


def test_returned_work_is_unbilled_again_and_ages(client, no1, contract):
    """BKL-4 PRP-6: approved on 10 March, billed from 20 to 24 March, and unbilled again from then."""
    item = approved(no1, "5", on=MARCH_10)
    on = {day: datetime.date(2025, 3, day) for day in range(1, 32)}
    proforma = proformas.confirm(drafted(no1, item, on=on[20]), by=no1.manager, on=on[20])
    draft = return_proposal(create_proposal(proforma), by=no1.accountant, reason="Too early.", on=on[25])
    items = BacklogItem.objects.all()

    def unbilled(*days):
        return [[row.total for row in aging(items, by="contract", on=on[day])] for day in days]

    assert unbilled(9, 10, 19, 20, 24, 25, 26, 31) == [[], [1000], [1000], [], [], [1000], [1000], [1000]]
    client.force_login(no1.accountant)
    page = client.get(reverse("aging"), {"on": "2025-03-26"}).content.decode()
    assert "1,000.00" in page

    edited(no1, draft, item, quantity=Decimal(3))
    again = proformas.confirm(draft, by=no1.manager, on=on[29])
    assert unbilled(19, 20, 26, 28, 29, 31) == [[1000], [], [1000], [1000], [], []]
    return_proposal(create_proposal(again), by=no1.accountant, reason="Once more.", on=on[30])
    assert unbilled(19, 24, 26, 29, 30, 31) == [[1000], [], [1000], [], [1000], [1000]]


def test_a_returned_proforma_is_not_in_totals(client, no1, contract):
    """PRP-6: with 1,000 returned and 1,000 on the new draft, the total of the list is 1,000."""
    proposal = proposed(no1, work(no1, contract))
    draft = returned(no1, proposal)
    client.force_login(no1.manager)

    page = client.get(reverse("proformas")).content.decode()
    assert '<span class="chip open">Returned</span>' in page
    assert "2,000.00" not in page
    assert 'chip done">Confirmed' not in page
    (row,) = client.get(reverse("proformas"), {"status": "returned"}).context["table"].data
    assert (row.pk, row.net, row.counted) == (proposal.proforma_id, 1000, None)
    assert not client.get(reverse("proformas"), {"status": "confirmed"}).context["table"].data
    file = b"".join(client.get(reverse("proformas"), {"_export": "csv"}).streaming_content).decode()
    assert file.count("1000.00") == 1
    assert ",NOK,returned," in file

    page = client.get(proposal.proforma.get_absolute_url()).content.decode()
    assert "It was returned to the project manager. Nothing is billed on it. Its work is on" in page
    assert f'href="{draft.get_absolute_url()}"' in page
    page = client.get(contract.get_absolute_url()).content.decode()
    assert "<dt>Last confirmed proforma</dt><dd>–</dd>" in page
    assert '<span class="chip open">Returned</span>' in page

    proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    page = client.get(contract.get_absolute_url()).content.decode()
    assert "<dt>Last confirmed proforma</dt><dd>31 Mar 2025</dd>" in page
    (row,) = client.get(reverse("proformas"), {"status": "confirmed"}).context["table"].data
    assert (row.pk, row.counted) == (draft.pk, 1000)


def test_the_page_of_a_returned_proposal_names_the_draft_with_its_work(client, no1, contract):
    """PRP-6: and no draft after it was deleted."""
    proposal = proposed(no1, work(no1, contract))
    draft = return_proposal(proposal, reason="Too many hours", by=no1.accountant)
    client.force_login(no1.accountant)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert f'Its work is on <a href="{draft.get_absolute_url()}">proforma {draft.number}</a>.' in page
    proformas.delete_draft(draft, by=no1.manager)
    page = client.get(proposal.get_absolute_url()).content.decode()
    assert "None of its work is on a proforma. No invoice will be issued for this proposal." in page
    assert "Its work is on" not in page


def test_work_by_hand_is_found_after_two_returns(client, no1, contract):
    """PRP-6: it has no claim, and the first draft was returned too."""
    draft = drafted(no1, work(no1, contract))
    by_hand = proformas.add_detail(
        draft,
        by=no1.manager,
        contract_line=contract.lines.get(),
        transaction_class="time",
        date=MARCH_10,
        quantity=Decimal(1),
        price=Decimal(100),
    )
    proformas.remove_details(LineDetail.objects.exclude(pk=by_hand.pk), by=no1.manager)
    first = proformas.confirm(draft, by=no1.manager, on=MARCH_31)
    second = return_proposal(create_proposal(first), reason="Wrong", by=no1.accountant)
    assert list(continued_by(first)) == [second]
    proformas.confirm(second, by=no1.manager, on=MARCH_31)
    third = return_proposal(create_proposal(second), reason="Again", by=no1.accountant)
    assert list(continued_by(first)) == [third]
    proformas.delete_draft(third, by=no1.manager)
    assert list(continued_by(first)) == []


def test_the_page_of_a_returned_milestone_names_its_draft(client, no1):
    """PRP-6 MIL-1"""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    proposal = proposed(no1, milestone(contract, "5000"))
    draft = returned(no1, proposal)
    client.force_login(no1.manager)
    page = client.get(proposal.proforma.get_absolute_url()).content.decode()
    assert f'<a href="{draft.get_absolute_url()}">proforma {draft.number}</a>' in page


def test_the_draft_and_its_origin_show_the_reason(client, no1, contract):
    """PRP-6: each names the other and the reason; other drafts show nothing."""
    proposal = proposed(no1, work(no1, contract))
    draft = returned(no1, proposal, reason="Wrong order number.")
    own = drafted(no1, work(no1, contract))
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    origin = proposal.proforma
    link = f'<a href="{origin.get_absolute_url()}">proforma {origin.number}</a>'
    assert f"Recreated from {link}, returned on " in page
    assert "31 Mar 2025" in page
    assert f" by {no1.accountant}: Wrong order number." in page
    assert "The reason: Wrong order number." in client.get(origin.get_absolute_url()).content.decode()
    assert "Recreated from" not in client.get(own.get_absolute_url()).content.decode()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_returning_and_posting_at_once_only_one_succeeds(monkeypatch):
    """PRP-6 PST-1"""
    monkeypatch.setattr("ledger.document.operations.draw", lambda invoice: None)
    no1 = factories.company()
    contract = factories.contract(no1, confirmed=True)
    for _ in range(4):
        proposal = proposed(no1, work(no1, contract))
        barrier = threading.Barrier(2)

        def run(action, barrier=barrier):
            try:
                barrier.wait(20)
                return action()
            except Refused as refusal:
                return refusal
            finally:
                connection.close()

        actions = (
            lambda proposal=proposal: post(proposal, by=no1.accountant, on=MARCH_31),
            lambda proposal=proposal: returned(no1, proposal),
        )
        with ThreadPoolExecutor(2) as threads:
            done = [future.result(60) for future in [threads.submit(run, action) for action in actions]]

        assert sum(isinstance(each, Refused) for each in done) == 1
        proposal.refresh_from_db()
        assert proposal.status == ("returned" if isinstance(done[0], Refused) else "posted")
    assert findings() == []
