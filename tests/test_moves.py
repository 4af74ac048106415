"""The tables of moves: in each status an operation does what its table says, or is refused."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.urls import get_resolver
from django.utils import timezone

from actuals import operations as entries
from actuals.models import Entry
from backlog import operations as backlog
from backlog.models import BacklogItem
from contracts import operations as contracts
from contracts.models import ProjectContract, ScheduleEntry
from contracts.models.permissions import PERMISSIONS
from invoicing_site.floor import moves
from invoicing_site.floor.errors import Refused
from ledger.closing import operations as closing
from ledger.invoicing.operations import approvals, posting, proposals, returns
from ledger.invoicing.sections import SectionFormat
from ledger.journal.operations import journals, lines
from ledger.models import FiscalPeriod, IntegrationJournal, InvoiceProposal
from proforma import operations as proformas
from proforma.models import InvoiceRun, ProformaInvoice
from tests import factories
from tests.ledger import billing, journal_samples
from tests.moves_page import page

ROOT = Path(__file__).resolve().parent.parent
MARCH_31 = billing.MARCH_31


@pytest.fixture
def no1():
    it = factories.company()
    it.entity.allow_own_approval = True
    it.entity.save()
    return it


@pytest.fixture
def contract(no1):
    return factories.contract(no1, confirmed=True)


class Left(Exception):
    """An action on many rows did not change the row, for the reason with this code."""

    def __init__(self, code):
        self.code = code


def marked(answer):
    if not answer.changed:
        (code,) = answer.codes
        raise Left(code)


# Rows in each status; created by operations if the database has more than the status.


def entry(no1, contract, status):
    return factories.time_entry(no1, status=status)


def agreement(no1, contract, status):
    ProjectContract.objects.filter(pk=contract.pk).update(
        status="closed"
    )  # otherwise both cover the same work
    it = factories.contract(no1, price_lists=[], lines=[{"method": "fixed", "milestones": []}])
    it.starts, it.ends = datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)
    it.save()
    if status != "draft":
        it.status, it.confirmed_at, it.confirmed_by = status, timezone.now(), no1.manager
        it.save()
    return it


def schedule_entry(no1, contract, status):
    line = contract.lines.get()
    return ScheduleEntry.objects.create(
        line=line, run_date=datetime.date(2025, 4, 1), cutoff=MARCH_31, status=status
    )


def item(no1, contract, status):
    return factories.ready_item(no1, contract, status=status, date=billing.MARCH_10)


def run(no1, contract, status):
    it = proformas.preview_invoicing(no1.entity, as_of=MARCH_31, by=no1.manager)
    InvoiceRun.objects.filter(pk=it.pk).update(status=status)
    it.refresh_from_db()
    return it


def proforma(no1, contract, status):
    draft = billing.drafted(no1, billing.work(no1, contract))
    if status == "review":
        return proformas.submit_for_review(draft, by=no1.manager)
    return proformas.confirm(draft, by=no1.manager, on=MARCH_31) if status == "confirmed" else draft


def proposal(no1, contract, status):
    if status == "blocked":
        journal_samples.use_profile(no1, "ACCRUE")
        it = proposals.create_proposal(billing.confirmed(no1, billing.work(no1, contract)))
        assert it.status == "blocked"
        return it
    it = billing.proposed(no1, billing.work(no1, contract))
    if status in ("submitted", "approved"):
        it = approvals.submit_proposal(it, by=no1.accountant)
    if status == "approved":
        it = approvals.approve_proposal(it, by=no1.administrator)
    if status == "posted":
        it = posting.post(it, by=no1.accountant, on=MARCH_31).proposal
    if status == "returned":
        returns.return_proposal(it, by=no1.accountant, reason="Wrong", on=MARCH_31)
        it.refresh_from_db()
    return it


def journal(no1, contract, status):
    journal_samples.cost(no1, contract.lines.get())
    journal_samples.add_all(no1)
    it = IntegrationJournal.objects.get()
    if status == "posted":
        return journals.post_journal(it, by=no1.accountant, on=MARCH_31).journal
    IntegrationJournal.objects.filter(pk=it.pk).update(status=status)
    it.refresh_from_db()
    return it


def period(no1, contract, status):
    it = FiscalPeriod.objects.get(entity=no1.entity, starts="2025-03-01")
    FiscalPeriod.objects.filter(pk=it.pk).update(status=status)
    it.refresh_from_db()
    return it


def fill_again(it, no1):
    billing.book_journals(no1)
    it.refresh_from_db()
    return proposals.fill_lines(it, by=no1.accountant)


def generate_milestones(it, no1):
    monthly = factories.InvoiceFrequencyFactory(entity=no1.entity)
    contracts.generate_milestones(it.lines.get(), count=1, frequency=monthly, by=no1.administrator)


def generate_schedule(it, no1):
    line = it.lines.get()
    line.frequency = factories.InvoiceFrequencyFactory(entity=no1.entity)
    line.billing_starts = it.starts
    line.save()
    contracts.generate_schedule(line, by=no1.administrator)


def confirm_contract(it, no1):
    generate = it.lines.get()
    if it.status == "draft":
        factories.MilestoneFactory(line=generate, amount=generate.contract_amount)
    backlog.confirm_contract(it, by=no1.manager)


def create_proformas(it, no1):
    milestone_item = billing.milestone(it)
    BacklogItem.objects.filter(pk=milestone_item.pk).update(status="ready")
    proformas.create_for_items([milestone_item], on=MARCH_31, by=no1.manager)


def split_off(it, no1):
    head = factories.MilestoneFactory(line=factories.contract_line(it.contract, number=9, method="fixed"))
    part = factories.MilestonePartFactory(
        milestone=head, contract_customer=it.contract.customers.get(), amount=Decimal(1000)
    )
    it = factories.BacklogItemFactory(
        actual=None,
        milestone_part=part,
        contract=it.contract,
        contract_line=head.line,
        contract_customer=part.contract_customer,
        date=head.date,
        amount=part.amount,
        currency=it.contract.currency,
        status=it.status,
    )
    backlog.split_off(it, amount=Decimal(1000), by=no1.manager)


def amend(it, no1):
    entries.amend(it, by=no1.member, seen=entries.stamp(it), description="Other words")


def edit_section(it, no1):
    lines_ = list(it.lines.all())
    proposals.format_sections(it, [SectionFormat(lines_)], by=no1.accountant)


def move_lines(it, no1):
    lines.edit_journal_lines(it.lines.all(), by=no1.accountant, accounting_date=billing.MARCH_10)


DRIVES = {
    Entry: (
        entry,
        {
            "amend": amend,
            "delete": lambda it, no1: entries.delete([it], by=no1.member),
            "submit": lambda it, no1: entries.submit([it], by=no1.member),
            "recall": lambda it, no1: entries.recall([it], by=no1.member),
            "approve": lambda it, no1: backlog.approve([it], by=no1.manager),
            "reject": lambda it, no1: backlog.reject([it], by=no1.manager, comment="Wrong"),
            "cancel_approval": lambda it, no1: backlog.cancel_approval([it], by=no1.manager),
        },
    ),
    ProjectContract: (
        agreement,
        {
            "apply_default_price_lists": lambda it, no1: contracts.apply_default_price_lists(it),
            "generate_milestones": generate_milestones,
            "generate_schedule": generate_schedule,
            "confirm_contract": confirm_contract,
            "create_proformas": create_proformas,
        },
    ),
    BacklogItem: (
        item,
        {
            "mark_ready": lambda it, no1: marked(backlog.mark_ready([it], by=no1.manager)),
            "mark_not_ready": lambda it, no1: marked(backlog.mark_not_ready([it], by=no1.manager)),
            "hold": lambda it, no1: marked(
                backlog.hold([it], until=datetime.date(2099, 1, 1), reason="Waits", by=no1.manager)
            ),
            "release_hold": lambda it, no1: marked(backlog.release_hold([held(it)], by=no1.manager)),
            "evaluate": lambda it, no1: evaluated(backlog.evaluate([it], by=no1.manager)),
            "split_off": split_off,
            "cancel": lambda it, no1: backlog.cancel([it]),
            "reserve": lambda it, no1: backlog.reserve([it], contract=it.contract),
            "release": lambda it, no1: backlog.release([it]),
            "settle": lambda it, no1: backlog.settle([it]),
            "claim_again": lambda it, no1: backlog.claim_again([it], contract=it.contract),
        },
    ),
    InvoiceRun: (
        run,
        {
            "carry_out": lambda it, no1: proformas.carry_out(it),
            "execute_preview": lambda it, no1: proformas.execute_preview(it, by=no1.manager),
        },
    ),
    ProformaInvoice: (
        proforma,
        {
            "edit": lambda it, no1: proformas.edit_header(it, by=no1.manager, name="Spring"),
            "delete_draft": lambda it, no1: proformas.delete_draft(it, by=no1.manager),
            "submit_for_review": lambda it, no1: proformas.submit_for_review(it, by=no1.manager),
            "return_to_draft": lambda it, no1: proformas.return_to_draft(it, by=no1.manager),
            "confirm": lambda it, no1: proformas.confirm(it, by=no1.manager, on=MARCH_31),
            "return_proforma": lambda it, no1: proformas.return_proforma(it, by=no1.accountant, on=MARCH_31),
        },
    ),
    InvoiceProposal: (
        proposal,
        {
            "fill_lines": fill_again,
            "edit_header": lambda it, no1: proposals.edit_header(it, by=no1.accountant, footer_text="Thanks"),
            "edit_lines": edit_section,
            "submit_proposal": lambda it, no1: approvals.submit_proposal(it, by=no1.accountant),
            "approve_proposal": lambda it, no1: approvals.approve_proposal(it, by=no1.manager),
            "reject_proposal": lambda it, no1: approvals.reject_proposal(it, by=no1.manager, comment="No"),
            "request_change": lambda it, no1: approvals.request_change(it, by=no1.manager, comment="No"),
            "reset_approval": lambda it, no1: approvals.reset_approval(it, by=no1.manager, comment="No"),
            "post": lambda it, no1: posting.post(it, by=no1.accountant, on=MARCH_31),
            "return_proposal": lambda it, no1: returns.return_proposal(
                it, by=no1.accountant, reason="Wrong", on=MARCH_31
            ),
        },
    ),
    IntegrationJournal: (
        journal,
        {
            "edit_journal_lines": move_lines,
            "post_journal": lambda it, no1: journals.post_journal(it, by=no1.accountant, on=MARCH_31),
            "back_to_draft": lambda it, no1: journals.back_to_draft(it, by=no1.accountant),
        },
    ),
    FiscalPeriod: (
        period,
        {
            "close_period": lambda it, no1: closing.close_period(it, by=no1.accountant),
            "put_on_hold": lambda it, no1: closing.put_on_hold(it, by=no1.accountant),
            "reopen_period": lambda it, no1: closing.reopen_period(it, by=no1.accountant),
        },
    ),
}
# Operations that select their rows themselves skip the others, and can be repeated.
PASSES_OVER = {(InvoiceRun, "carry_out"), (InvoiceProposal, "fill_lines")}


def held(it):
    if it.status in ("not_ready", "ready"):
        BacklogItem.objects.filter(pk=it.pk).update(hold_until="2099-01-01", hold_reason="Waits")
    return it


def evaluated(answer):
    for each in answer.left:
        raise Left(each.code)


PAIRS = [
    pytest.param(model, status, verb, id=f"{model.__name__}-{status}-{verb}")
    for model, (_, verbs) in DRIVES.items()
    for status in model._meta.get_field("status").choices
    for status in status[:1]
    for verb in verbs
]


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "status", "verb"), PAIRS)
def test_each_operation_does_what_its_table_says_in_each_status(no1, contract, model, status, verb):
    make, verbs = DRIVES[model]
    row = make(no1, contract, status)
    assert row.status == status
    is_allowed = moves.allows(row, verb)
    if not is_allowed and (model, verb) not in PASSES_OVER:
        with pytest.raises((Refused, Left)) as refused:
            verbs[verb](row, no1)
        assert refused.value.code == model.MOVES.refusal(verb, status)
        row.refresh_from_db()
        assert row.status == status
        return
    verbs[verb](row, no1)
    after = model.objects.filter(pk=row.pk).values_list("status", flat=True).first() or moves.GONE
    ends = model.MOVES.ends(verb, status) if is_allowed else [status]
    assert verb == "split_off" or after in ends  # the slice is an item of its own


@pytest.mark.django_db
@pytest.mark.parametrize("status", ScheduleEntry.Status.values)
def test_a_schedule_entry_moves_as_its_table_says(no1, contract, status):
    """RUN-2 SCH-1: the run and the plan select their entries themselves."""
    row = schedule_entry(no1, contract, status)
    factories.ready_item(no1, contract, date=billing.MARCH_10)
    proformas.run_invoicing(no1.entity, as_of=datetime.date(2025, 4, 1), by=no1.manager)
    was_run = bool(row.proformas.exists())
    assert was_run == moves.allows(row, "run_invoicing")
    row.refresh_from_db()
    assert row.status == "succeeded"


def test_every_document_with_a_table_is_tested():
    assert set(moves.documents()) == {*DRIVES, ScheduleEntry}
    for model, (_, verbs) in DRIVES.items():
        assert set(verbs) == set(model.MOVES.verbs), model


@pytest.mark.parametrize("model", moves.documents(), ids=lambda model: model.__name__)
def test_a_table_names_existing_statuses_permissions_and_codes(model):
    statuses = set(model._meta.get_field("status").choices)
    names = {value for value, _ in statuses}
    for row in model.MOVES.rows:
        assert row.start in names
        assert row.end in names | {moves.GONE}
        assert row.who in {*PERMISSIONS, moves.THE_PROGRAM}
    for key in model.MOVES.refusals:
        verb, status = key if isinstance(key, tuple) else (key, key)
        assert verb in model.MOVES.verbs or status in names


# The address that runs the operation.
ADDRESSES = {
    "submit_entry": (Entry, "submit"),
    "recall_entry": (Entry, "recall"),
    "delete_entry": (Entry, "delete"),
    "edit_entry": (Entry, "amend"),
    "approve_entries": (Entry, "approve"),
    "reject_entry": (Entry, "reject"),
    "cancel_approval": (Entry, "cancel_approval"),
    "confirm_contract": (ProjectContract, "confirm_contract"),
    "new_proforma": (ProjectContract, "create_proformas"),
    "mark_ready": (BacklogItem, "mark_ready"),
    "mark_not_ready": (BacklogItem, "mark_not_ready"),
    "hold_items": (BacklogItem, "hold"),
    "release_holds": (BacklogItem, "release_hold"),
    "evaluate_items": (BacklogItem, "evaluate"),
    "execute_preview": (InvoiceRun, "execute_preview"),
    "edit_proforma": (ProformaInvoice, "edit"),
    "delete_proforma": (ProformaInvoice, "delete_draft"),
    "submit_proforma": (ProformaInvoice, "submit_for_review"),
    "return_proforma": (ProformaInvoice, "return_to_draft"),
    "confirm_proforma": (ProformaInvoice, "confirm"),
    "fill_proposal": (InvoiceProposal, "fill_lines"),
    "edit_proposal": (InvoiceProposal, "edit_header"),
    "refill_proposal": (InvoiceProposal, "edit_lines"),
    "submit_proposal": (InvoiceProposal, "submit_proposal"),
    "approve_proposal": (InvoiceProposal, "approve_proposal"),
    "reject_proposal": (InvoiceProposal, "reject_proposal"),
    "request_change": (InvoiceProposal, "request_change"),
    "post_proposal": (InvoiceProposal, "post"),
    "return_proposal": (InvoiceProposal, "return_proposal"),
    "edit_journal_lines": (IntegrationJournal, "edit_journal_lines"),
    "post_journal": (IntegrationJournal, "post_journal"),
    "back_to_draft": (IntegrationJournal, "back_to_draft"),
    "close_period": (FiscalPeriod, "close_period"),
    "hold_period": (FiscalPeriod, "put_on_hold"),
    "reopen_period": (FiscalPeriod, "reopen_period"),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_asks_for_the_permission_of_its_move(name):
    model, verb = ADDRESSES[name]
    (pattern,) = [each for each in patterns() if each.name == name]
    assert pattern.callback.view_class.permission == model.MOVES.permission(verb)


def patterns(resolver=None):
    for each in (resolver or get_resolver()).url_patterns:
        if hasattr(each, "url_patterns"):
            yield from patterns(each)
        else:
            yield each


def test_the_page_of_moves_agrees_with_the_tables():
    assert (ROOT / "docs" / "moves.md").read_text() == page(), "python -m tests.moves_page > docs/moves.md"
