"""The steps of the billing run: the product's operation and the hand-written SQL of each."""

from collections.abc import Callable
from typing import NamedTuple

from actuals.models import Entry
from backlog.models import BacklogItem
from backlog.operations import approve_many, mark_ready
from benchmarks import by_hand, by_hand_ledger
from benchmarks.company import APPROVED_ON, BILLED_ON, World
from ledger.invoicing.operations.posting import post_many
from ledger.invoicing.operations.proposals import create_proposals
from ledger.journal.operations.journals import add_to_journals, post_journals
from ledger.models import InvoiceProposal
from proforma.models import ProformaInvoice
from proforma.operations import confirm, run_invoicing


class Step(NamedTuple):
    """One step: its name, the operation of the product, and the hand-written SQL."""

    name: str
    ours: Callable[[World], None]
    by_hand: Callable[[by_hand.Hand], None]


def _approve(world):
    submitted = Entry.objects.filter(entity=world.entity, status=Entry.Status.SUBMITTED)
    approve_many(submitted, by=world.company.manager, on=APPROVED_ON)


def _mark_ready(world):
    mark_ready(BacklogItem.objects.open().filter(contract__entity=world.entity), by=world.company.manager)


def _invoice(world):
    run_invoicing(world.entity, as_of=BILLED_ON, by=world.company.manager)


def _confirm(world):
    for proforma in ProformaInvoice.objects.open().filter(entity=world.entity).order_by("pk"):
        confirm(proforma, by=world.company.manager, on=BILLED_ON)


def _add_to_journals(world):
    add_to_journals(world.entity, on=BILLED_ON, by=world.company.accountant)


def _post_journals(world):
    post_journals(world.entity, on=BILLED_ON, by=world.company.accountant)


def _propose(world):
    create_proposals(world.entity)


def _post_invoices(world):
    proposals = InvoiceProposal.objects.filter(entity=world.entity, status=InvoiceProposal.Status.OPEN)
    post_many(proposals, on=BILLED_ON, by=world.company.accountant)


STEPS = [
    Step("approve the submitted entries", _approve, by_hand.approve),
    Step("mark the backlog ready", _mark_ready, by_hand.mark_ready),
    Step("run invoicing", _invoice, by_hand.run_invoicing),
    Step("confirm the proformas", _confirm, by_hand.confirm),
    Step("add the actuals to integration journals", _add_to_journals, by_hand_ledger.add_to_journals),
    Step("post the integration journals", _post_journals, by_hand_ledger.post_journals),
    Step("propose the invoices", _propose, by_hand_ledger.propose),
    Step("post the invoices", _post_invoices, by_hand_ledger.post_invoices),
]
