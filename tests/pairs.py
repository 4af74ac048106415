"""Two users work on one document: for each pair of verbs, the requests that they send at the same moment.

Each function creates a document and returns the two requests as (who, URL name, key, data).
"""

import datetime
import itertools

from django.core.files.uploadedfile import SimpleUploadedFile

from actuals.weeks import RowKey
from backlog import operations as backlog
from backlog.models import BacklogItem
from contracts.models import ContractLine
from ledger.invoicing.operations import approvals, proposals
from ledger.journal.operations import journals
from ledger.models import FiscalPeriod, IntegrationJournal
from proforma.models import LineDetail
from tests import factories
from tests.approving import as_listed, terms
from tests.ledger.billing import MARCH_10, MARCH_31, confirmed, drafted, proposed, work

PAIRS = {}
_numbers = itertools.count()


class Document:
    """The requests for one kind of document, by verb; the document is created again for each pair."""

    def __init__(self, build):
        self.build = build

    def meet(self, *meetings):
        for meeting in meetings:
            left, right = meeting.split(" × ")
            name = f"{self.build.__name__.replace('_', ' ')}: {meeting}"

            def requests(it, left=left, right=right):
                verbs = self.build(it)
                return verbs[left], verbs[right]

            PAIRS[name] = requests


def _contract(it, **fields):
    return factories.contract(it, confirmed=True, **fields)


def _waiting(it):
    return work(it, _contract(it), status=BacklogItem.Status.NOT_READY)


@Document
def draft(it):
    contract = _contract(it)
    one = drafted(it, work(it, contract), work(it, contract))
    work(it, contract)  # for refresh
    first, second = LineDetail.objects.on_proforma(one).order_by("pk")
    both = [second.pk, first.pk]
    shown = {"quantity": "7", "price": "100", "billing_type": "chargeable", "description": "Mine"}
    shown |= {"billing_tax_group": it.billing_tax_group.pk, "item_tax_group": it.item_tax_group.pk}
    header = {"name": "Mine", "bill_to_name": "Acme", "country": "NO"}
    header |= {"cutoff": "2025-03-31", "accounting_date": "2025-03-31"}
    by_hand = {"contract_line": contract.lines.get().pk, "transaction_class": "time", "date": "2025-03-10"}
    by_hand |= {"quantity": "1", "price": "100", "billing_type": "chargeable"}
    return {
        "confirm": ("manager", "confirm_proforma", one.pk, {}),
        "delete": ("manager", "delete_proforma", one.pk, {}),
        "edit detail": ("manager", "edit_detail", first.pk, shown),
        "edit other detail": ("manager", "edit_detail", second.pk, shown),
        "edit details": (
            "manager",
            "edit_details",
            one.pk,
            {"pk": both, "change": "1"} | shown,
        ),
        "remove details": ("manager", "remove_details", one.pk, {"pk": [first.pk]}),
        "edit header": ("manager", "edit_proforma", one.pk, header),
        "add detail": ("manager", "add_detail", one.pk, by_hand),
        "refresh": ("manager", "refresh_proforma", one.pk, {}),
        "submit": ("manager", "submit_proforma", one.pk, {}),
        "confirm many": ("accountant", "confirm_proformas", None, {"pk": [one.pk]}),
    }


draft.meet(
    "confirm × confirm",
    "confirm × delete",
    "confirm × edit detail",
    "confirm × edit header",
    "confirm × add detail",
    "confirm × confirm many",
    "delete × refresh",
    "delete × confirm many",
    "edit detail × edit detail",
    "edit details × edit other detail",
    "refresh × refresh",
)


@Document
def open_proposal(it):
    contract = _contract(it)
    one = proposed(it, work(it, contract), work(it, contract))
    lines = [line.pk for line in one.lines.order_by("pk")]
    chosen = {"pk": lines, "filter": f"proposal={one.pk}", "_answered": "1"}
    return {
        "return": ("accountant", "return_proposal", one.pk, {"comment": "Wrong."}),
        "refill": ("accountant", "refill_proposal", one.pk, {}),
        "post": ("accountant", "post_proposal", one.pk, {}),
        "edit header": ("accountant", "edit_proposal", one.pk, {"delivery": "", "header_text": "Mine"}),
        "edit lines": (
            "accountant",
            "edit_proposal_lines",
            None,
            chosen | {"item_tax_group": it.item_tax_group.pk},
        ),
        "sections": ("accountant", "sections_for_lines", one.pk, {}),
        "one section": ("accountant", "one_section", one.pk, {}),
        "submit": ("accountant", "submit_proposal", one.pk, {"comment": ""}),
    }


open_proposal.meet(
    "return × refill",
    "return × post",
    "return × return",
    "return × sections",
    "post × post",
    "post × refill",
    "post × edit header",
    "refill × edit lines",
    "refill × sections",
    "sections × one section",
)


@Document
def blocked_proposal(it):
    one = proposals.create_proposal(confirmed(it, work(it, _contract(it))))
    journals.add_to_journals(it.entity, on=MARCH_31, by=it.accountant)
    journal = IntegrationJournal.objects.filter(status="draft").order_by("-pk").first()
    return {
        "return": ("accountant", "return_proposal", one.pk, {"comment": "Wrong."}),
        "post journal": ("accountant", "post_journal", journal.pk, {}),
        "create": ("accountant", "create_proposals", None, {}),
        "fill": ("accountant", "fill_proposals", None, {}),
    }


blocked_proposal.meet("return × post journal", "return × create", "post journal × fill")


@Document
def submitted_proposal(it):
    one = proposed(it, work(it, _contract(it)))
    approvals.submit_proposal(one, by=it.administrator)
    return {
        "approve": ("accountant", "approve_proposals", None, {"pk": [one.pk]}),
        "reject": ("accountant", "reject_proposal", one.pk, {"comment": "No."}),
        "request change": ("accountant", "request_change", one.pk, {"comment": "Change."}),
        "return": ("accountant", "return_proposal", one.pk, {"comment": "Wrong."}),
    }


submitted_proposal.meet("approve × reject", "approve × request change", "approve × return")


@Document
def journal(it):
    work(it, _contract(it))
    journals.add_to_journals(it.entity, on=MARCH_31, by=it.accountant)
    one = IntegrationJournal.objects.filter(status="draft").order_by("-pk").first()
    work(it, _contract(it))  # to add
    lines = list(one.lines.order_by("pk").values_list("pk", flat=True))
    chosen = {"pk": lines, "filter": f"journal={one.pk}", "_answered": "1", "accounting_date": "2025-03-20"}
    period = FiscalPeriod.objects.get(entity=it.entity, starts="2025-03-01")
    FiscalPeriod.objects.filter(pk=period.pk).update(status="open")
    return {
        "post": ("accountant", "post_journal", one.pk, {}),
        "edit lines": ("accountant", "edit_journal_lines", None, chosen),
        "add to journals": ("accountant", "add_to_journals", None, {}),
        "close period": ("accountant", "close_period", period.pk, {}),
        "hold period": ("accountant", "hold_period", period.pk, {}),
    }


journal.meet(
    "post × post",
    "post × edit lines",
    "post × add to journals",
    "edit lines × edit lines",
    "close period × post",
    "close period × edit lines",
    "close period × hold period",
)


@Document
def journal_in_error(it):
    requests = journal.build(it)
    key = requests["post"][2]
    IntegrationJournal.objects.filter(pk=key).update(status="error")
    return requests | {"put back": ("accountant", "back_to_draft", key, {})}


journal_in_error.meet("put back × edit lines", "put back × post")


@Document
def period(it):
    requests = journal.build(it)
    key = requests["close period"][2]
    one = proposed(it, work(it, _contract(it)))
    return requests | {
        "post invoice": ("accountant", "post_proposal", one.pk, {}),
        "reopen": ("accountant", "reopen_period", key, {}),
        "return": ("accountant", "return_proposal", one.pk, {"comment": "Wrong."}),
    }


period.meet("close period × post invoice", "post invoice × post")


@Document
def backlog_item(it):
    item = _waiting(it)
    line = ContractLine.objects.get(pk=item.contract_line_id)
    factories.ScheduleEntryFactory(line=line, run_date=MARCH_31, cutoff=MARCH_10)
    contract = {"contracts": [item.contract_id]}
    return {
        "mark ready": ("manager", "mark_ready", None, {"pk": [item.pk]}),
        "mark not ready": ("manager", "mark_not_ready", None, {"pk": [item.pk]}),
        "hold": ("manager", "hold_items", None, {"pk": [item.pk], "_answered": "1"} | _HOLD),
        "run": ("manager", "new_run", None, {"as_of": "2025-03-31"} | contract),
        "create": ("manager", "new_proforma", None, {"cutoff": "2025-03-31"} | contract),
    }


_HOLD = {"until": "2025-06-01", "reason": "Later"}
backlog_item.meet("mark ready × run", "mark ready × mark ready", "hold × mark ready", "mark ready × create")


@Document
def ready_item(it):
    requests = backlog_item.build(it)
    key = requests["mark ready"][3]["pk"][0]
    action = backlog.mark_ready(BacklogItem.objects.filter(pk=key), by=it.manager).action
    return requests | {
        "undo": ("manager", "undo_marking", action.pk, {}),
        "from backlog": ("manager", "create_from_backlog", None, {"pk": [key]}),
    }


ready_item.meet(
    "run × run",
    "hold × run",
    "mark not ready × run",
    "undo × run",
    "from backlog × create",
)


@Document
def milestone(it):
    contract = _contract(it, lines=[{"method": "fixed", "contract_amount": 1000, "milestones": []}])
    one = factories.MilestoneFactory(line=contract.lines.get(), amount=1000, date=MARCH_10)
    part = factories.MilestonePartFactory(milestone=one, contract_customer=contract.customers.get())
    item = BacklogItem.objects.create(
        milestone_part=part,
        contract=contract,
        contract_line=one.line,
        contract_customer=part.contract_customer,
        date=one.date,
        amount=one.amount,
        currency=contract.currency,
    )
    return {
        "split": ("manager", "bill_progress", item.pk, {"amount": "250", "percent": ""}),
        "mark ready": ("manager", "mark_milestones_ready", None, {"pk": [item.pk]}),
        "create": ("manager", "new_proforma", None, {"cutoff": "2025-03-31", "contracts": [contract.pk]}),
    }


milestone.meet("split × mark ready", "split × split")


@Document
def submitted_entry(it):
    one = factories.time_entry(it, "1", date=MARCH_10, project=_project(it))
    return {
        "approve": ("manager", "approve_entries", None, as_listed([one], by=it.manager)),
        "approve one": ("manager", "approval", one.pk, {"terms": terms([one], by=it.manager)}),
        "reject": ("manager", "reject_entry", one.pk, {"comment": "No."}),
        "recall": ("member", "recall_entry", one.pk, {}),
    }


submitted_entry.meet("approve × reject", "approve × recall")


def _project(it):
    project = factories.ProjectFactory(entity=it.entity)
    project.managers.add(it.manager)
    return project


@Document
def approved_entry(it):
    project = _project(it)
    _contract(it, lines=[{"project": project}])
    one = factories.time_entry(it, "1", date=MARCH_10, project=project)
    (item,) = backlog.approve([one], by=it.manager, on=MARCH_31).items
    return {
        "cancel": ("manager", "cancel_approval", one.pk, {}),
        "mark ready": ("manager", "mark_ready", None, {"pk": [item.pk]}),
        "hold": ("manager", "hold_items", None, {"pk": [item.pk], "_answered": "1"} | _HOLD),
        "add to journals": ("accountant", "add_to_journals", None, {}),
    }


approved_entry.meet("cancel × mark ready", "cancel × cancel", "cancel × add to journals")


@Document
def ready_entry(it):
    requests = approved_entry.build(it)
    key = requests["mark ready"][3]["pk"]
    backlog.mark_ready(BacklogItem.objects.filter(pk__in=key), by=it.manager)
    return requests | {"create": ("manager", "create_from_backlog", None, {"pk": key})}


ready_entry.meet("cancel × create")


@Document
def draft_contract(it):
    project = _project(it)
    one = factories.contract(it, lines=[{"project": project}])
    entry = factories.time_entry(it, "1", date=MARCH_10, project=project)
    return {
        "confirm": ("manager", "confirm_contract", one.pk, {}),
        "approve": ("manager", "approve_entries", None, as_listed([entry], by=it.manager)),
    }


draft_contract.meet("confirm × confirm", "confirm × approve")


@Document
def week(it):
    monday = datetime.date(2024, 1, 1) + datetime.timedelta(weeks=next(_numbers))
    key = str(RowKey(project=_project(it).pk, task=None, role=it.role.pk, category=it.time.pk))
    cells = {f"h-{key}-{n}": ("1" if n < 5 else "") for n in range(7)} | {
        f"b-{key}-{n}": "" for n in range(7)
    }
    typed = {"row": [key], f"d-{key}": "Mine", f"o-{key}": ""} | cells
    one = factories.time_entry(it, "1", date=monday, status="draft", project=_project(it))
    return {
        "save": ("member", "week", monday.isoformat(), typed | {"action": "save"}),
        "submit": ("member", "week", monday.isoformat(), typed | {"action": "submit"}),
        "submit entry": ("member", "submit_entry", one.pk, {}),
        "delete entry": ("member", "delete_entry", one.pk, {}),
    }


week.meet("save × submit", "save × save", "submit entry × delete entry")


@Document
def file(it):
    """The same rows in two files, in opposite order, by two people; both are at the preview."""
    head, n = "date,resource,project,hours,description,external_id", next(_numbers)
    rows = [f"2025-02-{day:02},ANNA,NO1-P1,0.1,Row {n},{n}-{day}" for day in range(1, 29)]
    for who, lines in (("manager", rows), ("accountant", rows[::-1])):
        client = it.clients[who]
        upload = SimpleUploadedFile(f"{who}-{n}.csv", "\n".join([head, *lines, ""]).encode())
        client.post("/import/new/", {"file": upload, "format": "ledgerline"})
        client.post("/import/columns/", {})
    return {
        "import": ("manager", "import_preview", None, {}),
        "import the same rows": ("accountant", "import_preview", None, {}),
    }


file.meet("import × import the same rows")
