"""Contracts with their value, billed amount and remaining amount (CON-8)."""

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.urls import reverse

from backlog.approved_before import approved_before
from backlog.models import BacklogItem
from backlog.operations import confirm_contract
from contracts.models import (
    ContractCustomer,
    ContractPriceList,
    LineCustomer,
    Milestone,
    ProjectContract,
    ScheduleEntry,
)
from invoicing_site.floor import moves
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens import DetailScreen, ListScreen, Operation
from proforma.filters import ContractFilter
from proforma.models import ProformaInvoice
from proforma.orders import load_orders
from proforma.performance import contract_performance
from proforma.tables import ContractTable
from proforma.views.proformas import with_net

# The contract's page shows at most this many rows of a kind, and links to the others.
SHOWN = 12


class Contracts(ListScreen):
    """The contracts that the user sees, with their amounts."""

    model = ProjectContract
    permission = "contract.view"
    title = "Contracts"
    lead = "The value of each contract, the billed amount and the remaining amount."
    filterset_class = ContractFilter
    table_class = ContractTable
    noun = ("contract", "contracts")
    has_totals = True
    empty_title = "No contracts"
    empty_text = "Nothing matches. Remove a filter, or ask an administrator to set up a contract."

    def get_queryset(self):
        return self.rows(self.request).order_by("code").prefetch_related("customers__customer")

    def summed(self, rows):
        """The ready amount of all contracts of the filter."""
        ready = BacklogItem.objects.ready().chargeable().of_lines()
        ready = ready.filter(contract__in=rows.order_by().values("pk"))
        if not self.adds_up(ready):
            return {}
        sums = ready.order_by().values("currency").annotate(n=Count("pk"), sum=ExactSum("amount"))
        return {"sums": list(sums.order_by("currency")), "totals_label": "Ready to invoice"}


class Contract(DetailScreen):
    """One contract: amounts, lines, customers, milestones, schedule, price lists and proformas."""

    model = ProjectContract
    permission = "contract.view"
    template_name = "proforma/contract.html"

    def rows(self):
        return ProjectContract.objects.select_related("entity", "unit", "billing_tax_group", "confirmed_by")

    def get_context_data(self, **context):
        contract, user = self.row, self.request.user
        is_draft = moves.allows(contract, "confirm_contract")
        offered = moves.offered(contract, self.may)
        proformas = with_net(ProformaInvoice.objects.visible_to(user).filter(contract=contract))
        schedule = ScheduleEntry.objects.filter(line__contract=contract, status__in=ScheduleEntry.STILL_DUE)
        milestones = Milestone.objects.visible_to(user).filter(line__contract=contract)
        line_customers = LineCustomer.objects.select_related("line").order_by("line__number")
        customers = ContractCustomer.objects.filter(contract=contract).select_related(
            "customer", "payment_term", "customer__payment_term"
        )
        customers = list(customers.prefetch_related(Prefetch("line_customers", line_customers)))
        orders = load_orders([contract.pk])
        for customer in customers:
            customer.orders = [order for order in orders if order.contract_customer_id == customer.pk]
        return super().get_context_data(
            performance=contract_performance([contract])[0],
            managers=list(contract.managers.all()),
            customers=customers,
            milestones=milestones.select_related("line").order_by("date", "number")[:100],
            schedule=schedule.select_related("line").order_by("run_date", "line__number")[:SHOWN],
            price_lists=ContractPriceList.objects.filter(contract=contract).select_related("price_list"),
            proformas=proformas.select_related("customer", "proposal__invoice").order_by("-pk")[:SHOWN],
            today=contract.entity.today(),
            may_confirm="confirm_contract" in offered,
            before=approved_before(contract) if is_draft else None,
            may_create="create_proformas" in offered,
            how_to_invoice=_how_to_invoice(contract, "create_proformas" in offered),
            may_set_up=user.is_staff and self.request.may("setup.change", contract.entity),
            **context,
        )

    def may(self, permission):
        """Whether the user has the permission for this contract."""
        contracts = ProjectContract.objects.reachable(self.request.user, permission)
        return contracts.filter(pk=self.row.pk).exists()


def _how_to_invoice(contract, may_create):
    """The next step toward its first invoice, for this user."""
    if contract.status == ProjectContract.Status.DRAFT:
        return "It is a draft. Once a project manager has confirmed it, its work can be invoiced."
    if contract.status == ProjectContract.Status.CLOSED:
        return "It is closed. Nothing more is invoiced under it."
    if may_create:
        return "Mark work or milestones ready to invoice, then create a proforma for them."
    return "A project manager marks work ready to invoice and creates proformas for it."


class ConfirmContract(Operation):
    """Confirm a draft contract."""

    model, permission = ProjectContract, "contract.confirm"
    done = "Contract {} is confirmed. Work that its lines cover can be billed now."

    def operate(self, contract):
        contract = confirm_contract(contract, by=self.request.user)
        untaxed = contract.entity.milestone_item_tax_group_id is None
        if untaxed and Milestone.objects.filter(line__contract=contract).exists():
            messages.warning(
                self.request,
                f"{contract.entity} has no item tax group for milestones. The milestones of {contract} can't "
                f"be invoiced until an administrator sets one for the legal entity.",
            )

    def success_url(self, contract):
        return reverse("contract", args=[contract.pk])
