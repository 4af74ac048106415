"""After any steps in any order the invariants hold (domain, section 13)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from actuals.models import Actual, Entry
from backlog.models import BacklogAction, BacklogItem
from backlog.operations import (
    Decision,
    approve,
    cancel_approval,
    confirm_contract,
    mark_not_ready,
    mark_ready,
    undo,
)
from contracts.operations import generate_schedule
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import total
from invoicing_site.verify import findings
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import CustomerInvoice, InvoiceProposal, ProfileAssignment
from proforma import operations as proformas
from proforma.models import LineDetail, ProformaInvoice
from tests import factories

START = date(2025, 1, 1)
HOURS = st.decimals("0.25", "12", places=2)
PRICES = st.decimals("0", "500", places=3)
LIMIT = Decimal(6000)


class Business(RuleBasedStateMachine):
    """One company, one contract with three customers, a limit and accrual, and steps in any order."""

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.company = it = factories.company(sales_price=Decimal("133.33"))
        ProfileAssignment.objects.filter(entity=it.entity, project=None).update(
            profile=it.books.profiles["ACCRUE"]
        )
        customers = [it.customer, factories.customer(it), factories.customer(it)]
        shares = list(zip(customers, ["33.33", "33.33", "33.34"], strict=True))
        lines = [{"frequency": factories.InvoiceFrequencyFactory(entity=it.entity), "billing_starts": START}]
        contract = factories.contract(
            it, customers=shares, limit=LIMIT, lines=lines, starts=START, ends=date(2025, 12, 31)
        )
        generate_schedule(contract.lines.get(), by=it.manager)
        self.contract = confirm_contract(contract, by=it.manager, on=START)
        self.day = START

    def teardown(self):
        try:
            assert findings(self.company.entity) == []
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def pick(self, rows, data):
        rows = list(rows.order_by("pk"))
        return data.draw(st.sampled_from(rows)) if rows else None

    @rule(hours=HOURS, days=st.integers(0, 20))
    def deliver(self, hours, days):
        self.day = min(self.day + timedelta(days=days), date(2025, 11, 30))
        factories.time_entry(self.company, hours, date=self.day)

    @rule(data=st.data(), billable=st.none() | HOURS, billing_type=st.none() | st.just("complimentary"))
    def approve(self, data, billable, billing_type):
        if entry := self.pick(Entry.objects.filter(status="submitted"), data):
            decision = Decision(billable_quantity=billable, billing_type=billing_type)
            approve([entry], by=self.company.manager, on=self.day, decisions={entry.pk: decision})

    @rule(data=st.data())
    def cancel_approval(self, data):
        if entry := self.pick(Entry.objects.filter(status="approved"), data):
            self.perhaps(cancel_approval, [entry], by=self.company.manager, on=self.day)

    @rule()
    def mark_everything_ready(self):
        self.perhaps(mark_ready, BacklogItem.objects.all(), by=self.company.manager)

    @rule(data=st.data())
    def mark_one_not_ready(self, data):
        if item := self.pick(BacklogItem.objects.ready(), data):
            mark_not_ready([item], by=self.company.manager)

    @rule(data=st.data())
    def undo(self, data):
        if action := self.pick(BacklogAction.objects.filter(undone_at=None), data):
            undo(action, by=self.company.manager)

    @rule()
    def draft(self):
        self.perhaps(
            proformas.create_proformas,
            [self.contract],
            cutoff=self.day,
            on=self.day,
            by=self.company.manager,
        )

    @rule()
    def run_twice(self):
        """RUN-2, and number 8: run twice equals run once."""
        run = {"as_of": self.day, "by": None, "trigger": "manual"}
        proformas.run_invoicing(self.company.entity, **run)
        made = ProformaInvoice.objects.count()
        again = proformas.run_invoicing(self.company.entity, **run)
        assert ProformaInvoice.objects.count() == made
        assert not again.run_contracts.filter(outcome="created").exists()

    @rule(data=st.data(), quantity=st.none() | HOURS, price=st.none() | PRICES)
    def edit(self, data, quantity, price):
        drafts = LineDetail.objects.filter(line__proforma__status="draft")
        if detail := self.pick(drafts, data):
            self.perhaps(
                proformas.edit_details, [detail], by=self.company.manager, quantity=quantity, price=price
            )

    @rule(data=st.data(), billing_type=st.sampled_from(["chargeable", "non_chargeable", "complimentary"]))
    def change_billing_type(self, data, billing_type):
        drafts = LineDetail.objects.filter(line__proforma__status="draft")
        if detail := self.pick(drafts, data):
            self.perhaps(proformas.edit_details, [detail], by=self.company.manager, billing_type=billing_type)

    @rule(data=st.data())
    def remove_detail(self, data):
        drafts = LineDetail.objects.filter(line__proforma__status="draft")
        if detail := self.pick(drafts, data):
            self.perhaps(proformas.remove_details, [detail], by=self.company.manager)

    @rule(data=st.data())
    def delete_draft(self, data):
        if proforma := self.pick(ProformaInvoice.objects.filter(status="draft"), data):
            proformas.delete_draft(proforma, by=self.company.manager)

    @rule(data=st.data())
    def confirm(self, data):
        if proforma := self.pick(ProformaInvoice.objects.exclude(status="confirmed"), data):
            self.perhaps(proformas.confirm, proforma, by=self.company.manager, on=self.day)

    @rule()
    def post_journals(self):
        journals.add_to_journals(self.company.entity, on=self.day, by=self.company.accountant)
        journals.post_journals(self.company.entity, by=self.company.accountant, on=self.day)

    @precondition(lambda self: ProformaInvoice.objects.filter(status="confirmed").exists())
    @rule(data=st.data())
    def post(self, data):
        confirmed = ProformaInvoice.objects.filter(status="confirmed").exclude(proposal__status="posted")
        if proforma := self.pick(confirmed, data):
            proposal = proposals.create_proposal(proforma)
            self.perhaps(proposals.fill_lines, proposal)
            self.perhaps(posting.post, proposal, by=self.company.accountant, on=self.day)

    def perhaps(self, operation, *args, **kwargs):
        """An operation may be refused; then nothing has changed."""
        try:
            with transaction.atomic():
                return operation(*args, **kwargs)
        except Refused:
            return None

    @invariant()
    def every_share_is_open_or_billed(self):
        """Number 1: delivered + written up = open + billed (written off is billed as non-chargeable)."""
        unbilled = Actual.objects.filter(type="unbilled", reverses=None, detail_actual=None)
        delivered = total(unbilled.exclude(backlog_item__status="canceled"))
        written_up = sum(
            max(Decimal(0), billed - detail.backlog_item.amount)
            for detail in LineDetail.objects.filter(line__proforma__status="confirmed")
            for billed in [total(Actual.objects.filter(detail_actual__detail=detail, type="billed"))]
        )
        billed = total(Actual.objects.filter(type="billed"))
        still_open = total(BacklogItem.objects.filter(status__in=["not_ready", "ready", "created"]))
        assert delivered + written_up == still_open + billed

    @invariant()
    def unbilled_sales_are_what_is_open(self):
        """Number 2: confirmed work nets to zero."""
        still_open = total(BacklogItem.objects.filter(status__in=["not_ready", "ready", "created"]))
        assert total(Actual.objects.filter(type="unbilled")) == still_open

    @invariant()
    def claims_and_states_agree(self):
        """Number 1: a share on a document has exactly one claim, and other shares have none."""
        claimed = set(LineDetail.objects.values_list("backlog_item_id", flat=True))
        on_documents = BacklogItem.objects.filter(status__in=["created", "posted"])
        assert claimed == set(on_documents.values_list("pk", flat=True))

    @invariant()
    def limits_hold(self):
        """Number 6"""
        committed = BacklogItem.objects.filter(
            limit_status="committed", status__in=["not_ready", "ready", "created"]
        )
        invoiced = Actual.objects.filter(type="billed", billing_type="chargeable")
        assert total(committed) + total(invoiced) <= LIMIT

    @invariant()
    def invoices_are_numbered_without_gap(self):
        """Number 5"""
        placed = CustomerInvoice.objects.order_by("pk").values_list("kind", "seq", "invoice_date")
        for kind in ("invoice", "credit_note"):
            mine = [(seq, day) for kind_, seq, day in placed if kind_ == kind]
            assert [seq for seq, _ in mine] == list(range(1, len(mine) + 1))
            assert [day for _, day in mine] == sorted(day for _, day in mine)

    @invariant()
    def a_posted_proposal_has_its_invoice(self):
        """PST-1"""
        assert InvoiceProposal.objects.filter(status="posted").count() == CustomerInvoice.objects.count()


@pytest.mark.django_db
def test_the_invariants_hold_after_any_sequence_of_steps(monkeypatch):
    """APP-3 BKL-2 PRO-3 PRO-4 PRO-5 PRO-8 RUN-2 NTE-1 PST-1 PST-10"""
    monkeypatch.setattr("ledger.document.operations.draw", lambda invoice: None)
    few = settings(settings.default, max_examples=settings.default.max_examples // 2, stateful_step_count=25)
    run_state_machine_as_test(Business, settings=few)
