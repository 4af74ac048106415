"""The billing hub: contracts and their lines, with the next action for each (BKL-3)."""

from collections import defaultdict

from django.db.models import Count
from django.http import Http404
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import mark_ready
from contracts.models import ProjectContract, TransactionClass
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum, totals
from invoicing_site.floor.wording import counted
from invoicing_site.screens import Answer, ListScreen, Operation
from proforma.filters import HubFilter
from proforma.models import ProformaInvoice
from proforma.performance import contract_performance
from proforma.tables import ContractTable


class Hub(ListScreen):
    """Confirmed contracts in pages, each with its lines."""

    model = ProjectContract
    permission = "backlog.view"
    title = "Billing hub"
    lead = "Contracts and their lines: not ready, ready, on drafts and billed."
    filterset_class = HubFilter
    table_class = ContractTable
    results_template = "proforma/hub_results.html"
    noun = ("contract", "contracts")
    has_totals = True
    empty_title = "No contracts here"
    empty_text = "No confirmed contract matches. Remove a filter, or confirm a contract first."

    @classmethod
    def rows(cls, request):
        return super().rows(request).confirmed().order_by("code")

    def get_queryset(self):
        return self.rows(self.request).prefetch_related("customers__customer")

    def page_size(self):
        size = self.request.GET.get("_size", "")
        return int(size) if size in ("50", "100") else 25

    def summed(self, rows):
        """The open amount of all contracts of the filter."""
        items = BacklogItem.objects.open().chargeable().of_lines()
        items = items.filter(contract__in=rows.order_by().values("pk"))
        if not self.adds_up(items):
            return {}
        sums = items.order_by().values("currency").annotate(n=Count("pk"), sum=ExactSum("amount"))
        return {"sums": list(sums.order_by("currency")), "totals_label": "Open"}

    def get_context_data(self, **context):
        context = super().get_context_data(**context)
        contracts = [row.record for row in context["table"].paginated_rows]
        context["blocks"] = _blocks(contracts, self.request.user)
        return context


def _blocks(contracts, user):
    """Each contract with its performance, its drafts, and the user's permissions for it."""
    drafts = defaultdict(list)
    for draft in ProformaInvoice.objects.open().filter(contract__in=contracts).order_by("pk"):
        drafts[draft.contract_id].append(draft)
    mine = {
        permission: set(
            ProjectContract.objects.reachable(user, permission)
            .filter(pk__in=[contract.pk for contract in contracts])
            .values_list("pk", flat=True)
        )
        for permission in ("backlog.mark", "proforma.create")
    }
    advances = _available_retainers(contracts)
    return [
        {
            "contract": found.contract,
            "performance": found,
            "drafts": drafts[found.contract.pk],
            "retainer": advances.get(found.contract.pk, 0),
            "may_mark": found.contract.pk in mine["backlog.mark"],
            "may_create": found.contract.pk in mine["proforma.create"],
        }
        for found in contract_performance(contracts)
    ]


def _available_retainers(contracts):
    """The retainers that customers paid in advance and no invoice has used, by contract.

    The balance of a retainer is an open item of class retainer, created when the retainer is billed.
    """
    balances = BacklogItem.objects.open().filter(
        contract__in=contracts, actual__transaction_class=TransactionClass.RETAINER
    )
    return {contract: abs(sum_) for contract, sum_ in totals(balances, by="contract").items()}


class MarkContract(Operation):
    """Mark all items of the contract, or of one of its lines, ready to invoice."""

    model, permission = ProjectContract, "backlog.mark"

    def operate(self, contract):
        items = self.items(contract).filter(status=BacklogItem.Status.NOT_READY)
        if not items.exists():
            raise self.nothing(contract)
        marked = mark_ready(items, by=self.request.user)
        n = marked.changed
        undo = reverse("undo_marking", args=[marked.action.pk]) if n else ""
        found = f"{counted(n, 'item')} of" if n else "No item of"
        text = f"{found} {self.name_of(contract)} marked ready to invoice."
        link = f"{reverse('backlog')}?contract={contract.pk}&status=not_ready"
        return Answer(text, left=marked.reasons, link=link, undo=undo)

    def items(self, contract):
        return BacklogItem.objects.reachable(self.request.user, self.permission).on_contract(contract)

    def nothing(self, contract):
        """The refusal if there is nothing to mark."""
        return Refused("NOTHING-TO-MARK-ON-CONTRACT", contract=contract.code)

    def name_of(self, contract):
        return f"contract {contract.code}"

    def success_url(self, contract):
        return reverse("hub")


class MarkLine(MarkContract):
    def items(self, contract):
        self.line = contract.lines.filter(pk=self.kwargs["line"]).first()
        if self.line is None:
            raise Http404("There is no such line on this contract.")
        return super().items(contract).filter(contract_line=self.line)

    def nothing(self, contract):
        return Refused("NOTHING-TO-MARK-ON-LINE", line=self.line, contract=contract.code)

    def name_of(self, contract):
        return f"line {self.line} of contract {contract.code}"
