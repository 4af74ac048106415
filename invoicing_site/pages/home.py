"""The home page: the work of each role with counts and amounts; each tile opens a list."""

import datetime
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef
from django.urls import reverse
from django.views.generic import TemplateView

from actuals.models import ActualToJournal, Entry
from backlog.models import BacklogItem
from contracts.models import Milestone, ProjectContract
from invoicing_site.floor.querysets import ExactSum
from ledger.models import FiscalPeriod, IntegrationJournal, InvoiceProposal
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunContract


@dataclass
class Tile:
    """One kind of open work: the count, the amount per currency, and the address of its list."""

    title: str
    url: str
    count: int
    hint: str = ""
    amounts: dict = field(default_factory=dict)
    urgent: bool = False
    unit: str = ""


@dataclass
class Part:
    """The work of one role."""

    title: str
    tiles: list


def counted(rows, amount="amount", currency="currency"):
    """The number of rows and their total per currency, in one query."""
    found = rows.order_by(currency).values_list(currency).annotate(n=Count("pk"), sum=ExactSum(amount))
    return added_up(found)


def added_up(found):
    """The number of rows and their total per currency, from currencies with a number and a total each."""
    count, sums = 0, {}
    for currency, n, amount in found:
        count += n
        sums[currency] = sums.get(currency, 0) + amount
    return count, sums


class Home(TemplateView):
    """The work list for all roles of the reader in the selected legal entity."""

    template_name = "home/home.html"

    def get_context_data(self, **context):
        request = self.request
        parts = [make(request) for role, make in _PARTS.items() if role in request.roles]
        return super().get_context_data(
            title=f"Welcome, {request.user.first_name or request.user.username}",
            parts=parts,
            **context,
        )


def _member(request):
    mine = Entry.objects.reachable(request.user, "entry.write").filter(entity=request.entity)
    n = dict(mine.values_list("status").annotate(n=Count("pk")).values_list("status", "n"))
    status = Entry.Status
    entries = reverse("entries")
    return Part(
        "My time and expenses",
        [
            Tile("This week", reverse("week"), 0, "Enter your hours", unit="week"),
            Tile("Drafts to submit", f"{entries}?status=draft", n.get(status.DRAFT, 0), "Not submitted yet"),
            Tile(
                "Rejected",
                f"{entries}?status=rejected",
                n.get(status.REJECTED, 0),
                "Correct and submit again",
                urgent=True,
            ),
            Tile("Waiting for approval", f"{entries}?status=submitted", n.get(status.SUBMITTED, 0)),
        ],
    )


def _manager(request):
    user, entity = request.user, request.entity
    entries = Entry.objects.reachable(user, "entry.approve").filter(entity=entity).submitted()
    items = BacklogItem.objects.reachable(user, "backlog.mark").filter(contract__entity=entity)
    work = items.filter(actual__isnull=False).with_counted()  # milestones have their own list
    found = work.open().order_by("currency").values_list("currency", "status", "limit_status")
    found = list(found.annotate(n=Count("pk"), sum=ExactSum("counted")))
    (waiting, waiting_sums), (ready, ready_sums), (failed, failed_sums) = (
        added_up((currency, n, amount) for currency, *state, n, amount in found if is_shown(*state))
        for is_shown in (
            lambda status, limit: status == "not_ready" and limit != "failed",
            lambda status, limit: status == "ready",
            lambda status, limit: limit == "failed",
        )
    )
    reached, reached_sums = counted(items.ready().filter(milestone_part__isnull=False))
    proformas = ProformaInvoice.objects.reachable(user, "proforma.edit").filter(entity=entity)
    drafts, draft_sums = counted(
        LineDetail.objects.chargeable().filter(line__proforma__in=proformas.open().values("pk")),
        currency="line__proforma__currency",
    )
    contracts = ProjectContract.objects.reachable(user, "contract.confirm").filter(entity=entity)
    milestones = Milestone.objects.reachable(user, "backlog.mark").filter(
        line__contract__entity=entity, line__contract__status="confirmed", date__lte=entity.today()
    )
    due, due_sums = counted(milestones.exclude(status="completed"), currency="line__contract__currency")
    backlog = reverse("backlog")
    return Part(
        "Project management",
        [
            Tile("Entries to approve", reverse("approvals"), entries.count(), urgent=True),
            Tile(
                "Backlog to review",
                f"{backlog}?status=not_ready&limit_status=committed&limit_status=na&limit_status=not_evaluated",
                waiting,
                "Mark completed work as ready",
                waiting_sums,
            ),
            Tile("Ready to invoice", f"{backlog}?status=ready", ready, "Create proformas", ready_sums),
            Tile(
                "Milestones ready",
                f"{reverse('milestones')}?status=ready",
                reached,
                "Create proformas",
                reached_sums,
            ),
            Tile("Over a limit", f"{backlog}?limit_status=failed", failed, "", failed_sums, urgent=True),
            Tile("Milestones due", f"{reverse('milestones')}?due=1", due, "", due_sums),
            Tile(
                "Proformas to confirm",
                f"{reverse('proformas')}?status=draft&status=review",
                proformas.open().count(),
                "",
                draft_sums,
            ),
            Tile(
                "Contracts in draft",
                f"{reverse('contracts')}?status=draft",
                contracts.filter(status="draft").count(),
            ),
        ],
    )


def _accountant(request):
    user, entity = request.user, request.entity
    journals = IntegrationJournal.objects.reachable(user, "journal.post").filter(entity=entity)
    n = dict(journals.order_by().values_list("status").annotate(n=Count("pk")))
    untaken = ActualToJournal.objects.filter(entity=entity).count()
    proposals = InvoiceProposal.objects.reachable(user, "proposal.post").filter(entity=entity)
    open_proposals = proposals.unsettled()
    waiting, sums = counted(
        LineDetail.objects.chargeable().filter(line__proforma__in=open_proposals.values("proforma")),
        currency="line__proforma__currency",
    )
    confirmable = ProformaInvoice.objects.reachable(user, "proforma.confirm").filter(entity=entity)
    past = FiscalPeriod.objects.filter(entity=entity, ends__lt=entity.today())
    late = past.exclude(status=FiscalPeriod.Status.CLOSED).count()
    lately = entity.today() - datetime.timedelta(days=7)
    runs = InvoiceRun.objects.filter(entity=entity, as_of__gte=lately)
    failed = runs.filter(Exists(RunContract.objects.filter(run=OuterRef("pk"), outcome="failed"))).count()
    return Part(
        "Accounting",
        [
            Tile("Actuals not in a journal", reverse("waiting_actuals"), untaken, "Add them to journals"),
            Tile("Journals to post", f"{reverse('journals')}?status=draft", n.get("draft", 0)),
            Tile(
                "Journals in error",
                f"{reverse('journals')}?status=error",
                n.get("error", 0),
                "Fix the cause, then return to draft",
                urgent=True,
            ),
            Tile(
                "Proposals to post",
                f"{reverse('proposals')}?open=1",
                open_proposals.count(),
                "",
                sums,
            ),
            Tile(
                "Waiting proposals",
                reverse("stuck_proposals"),
                proposals.stuck().count(),
                "Waiting for journals, approval or posting",
            ),
            Tile(
                "Proformas not confirmed",
                f"{reverse('proformas')}?status=draft&status=review",
                confirmable.open().count(),
            ),
            Tile("Periods to close", reverse("periods"), late, "Past periods that are still open"),
            Tile("Runs with failures", f"{reverse('runs')}?failed=1&since={lately}", failed, urgent=True),
        ],
    )


def _auditor(request):
    entity = request.entity
    return Part(
        "Audit",
        [
            Tile("Audit trail", reverse("audit_trail"), 0, "Who did what, and when", unit="page"),
            Tile("Trial balance", reverse("trial_balance"), 0, f"The books of {entity}", unit="page"),
            Tile("Vouchers", reverse("vouchers"), 0, "All posted vouchers with their entries", unit="page"),
            Tile("Invoices", reverse("invoices"), 0, "Issued invoices", unit="page"),
        ],
    )


def _administrator(request):
    proposals = InvoiceProposal.objects.reachable(request.user, "setup.change").filter(entity=request.entity)
    return Part(
        "Administration",
        [
            Tile(
                "Waiting proposals",
                reverse("stuck_proposals"),
                proposals.stuck().count(),
                "You can reset an approval that is stuck",
            ),
            Tile(
                "Set-up",
                reverse("admin:index"),
                0,
                "Billing methods, prices, tax, accounts, users",
                unit="page",
            ),
            Tile(
                "Contracts",
                reverse("admin:contracts_projectcontract_changelist"),
                0,
                "Contracts with lines and prices",
                unit="page",
            ),
            Tile(
                "Users and memberships",
                reverse("admin:invoicing_site_user_changelist"),
                0,
                "Who may do what",
                unit="page",
            ),
        ],
    )


_PARTS = {
    "member": _member,
    "manager": _manager,
    "accountant": _accountant,
    "auditor": _auditor,
    "administrator": _administrator,
}
