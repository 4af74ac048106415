"""The project invoice proposal: the accountant's document between proforma and posted invoice."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contracts.models import (
    BillingTaxGroup,
    ContractCustomer,
    Customer,
    ItemTaxGroup,
    LegalEntity,
    ProjectContract,
    ReachQuerySet,
)
from invoicing_site.floor import guards, searching
from invoicing_site.floor.fields import AmountField
from invoicing_site.floor.moves import STAYS, Move, Moves
from invoicing_site.floor.reasons import ReasonField
from ledger.models.setup import DimensionSet
from proforma.models import LineDetail, ProformaInvoice


class SectionMode(models.TextChoices):
    DETAIL = "detail", "line by line"
    SUMMARY = "summary", "summed up"


class SummaryBy(models.TextChoices):
    ROLE = "role", "role"
    TASK = "task", "task"
    CATEGORY = "category", "category"
    WEEK = "week", "week"
    MONTH = "month", "month"


class ProposalLayout(models.Model):
    """The default layout for an entity, a customer or a contract; the most specific one is used (PRP-3)."""

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="layouts"
    )
    customer = models.OneToOneField(Customer, models.CASCADE, null=True, blank=True, related_name="layout")
    contract = models.OneToOneField(
        ProjectContract, models.CASCADE, null=True, blank=True, related_name="layout"
    )
    mode = models.CharField("printed as", max_length=7, choices=SectionMode, default=SectionMode.DETAIL)
    summary_by = models.CharField("summed up by", max_length=8, choices=SummaryBy, blank=True)
    section_for_each_line = models.BooleanField("a section for each contract line", default=True)
    with_annex = models.BooleanField("annex of time entries", default=False)

    class Meta:
        verbose_name = "invoice layout"
        constraints = [
            models.CheckConstraint(
                name="layout_counts_for_one_thing",
                condition=Q(customer=None) | Q(contract=None),
                violation_error_message="A layout is for one customer, one contract or all others.",
            ),
            models.UniqueConstraint(
                fields=["entity"],
                condition=Q(customer=None, contract=None),
                name="one_layout_for_the_rest",
                violation_error_message="This legal entity already has a default layout.",
            ),
        ]

    def __str__(self):
        return self.get_mode_display()


class ProposalQuerySet(ReachQuerySet):
    view_permission = "proposal.view"

    def unsettled(self):
        """Proposals that are neither posted nor returned to the project manager."""
        return self.exclude(status__in=[InvoiceProposal.Status.POSTED, InvoiceProposal.Status.RETURNED])

    def stuck(self):
        """Proposals that wait for journals, for an approval, or for posting after one."""
        waiting = (InvoiceProposal.Status.BLOCKED, *InvoiceProposal.IN_APPROVAL)
        return self.filter(status__in=waiting)

    def postable(self):
        """Proposals that are filled in, and approved if their entity requires it."""
        return self.filter(
            Q(status=InvoiceProposal.Status.APPROVED)
            | Q(status=InvoiceProposal.Status.OPEN, entity__require_proposal_approval=False)
        )


class InvoiceProposal(models.Model):
    """The invoice proposal of one confirmed proforma, with the same number (PRP-1)."""

    class Status(models.TextChoices):
        BLOCKED = "blocked", "waiting for journals"
        OPEN = "open", "open"
        SUBMITTED = "submitted", "submitted for approval"
        APPROVED = "approved", "approved"
        POSTED = "posted", "posted"
        RETURNED = "returned", "returned to the project manager"

    MOVES = Moves(
        Move(Status.BLOCKED, "fill_lines", Status.OPEN, "proposal.edit"),
        Move((Status.BLOCKED, Status.OPEN), "edit_header", STAYS, "proposal.edit"),
        Move(Status.OPEN, "edit_lines", STAYS, "proposal.edit"),
        Move(Status.OPEN, "submit_proposal", Status.SUBMITTED, "proposal.edit"),
        Move(Status.SUBMITTED, "approve_proposal", Status.APPROVED, "proposal.approve"),
        Move(Status.SUBMITTED, "reject_proposal", Status.OPEN, "proposal.approve"),
        Move(Status.SUBMITTED, "request_change", Status.OPEN, "proposal.approve"),
        Move((Status.SUBMITTED, Status.APPROVED), "reset_approval", Status.OPEN, "setup.change"),
        Move((Status.OPEN, Status.APPROVED), "post", Status.POSTED, "proposal.post"),
        Move(
            (Status.BLOCKED, Status.OPEN, Status.SUBMITTED, Status.APPROVED),
            "return_proposal",
            Status.RETURNED,
            "proposal.edit",
        ),
        done={
            "fill_lines": _("filled in"),
            "edit_header": _("changed"),
            "edit_lines": _("changed"),
            "submit_proposal": _("submitted for approval"),
            "approve_proposal": _("approved"),
            "reject_proposal": _("rejected"),
            "request_change": _("sent back for a change"),
            "reset_approval": _("reset"),
            "post": _("posted"),
            "return_proposal": _("returned"),
        },
        refusals={
            Status.SUBMITTED: "PROPOSAL-SUBMITTED",
            Status.APPROVED: "PROPOSAL-APPROVED",
            ("edit_lines", Status.BLOCKED): "PROPOSAL-BLOCKED",
            ("submit_proposal", Status.BLOCKED): "PROPOSAL-BLOCKED",
            ("post", Status.BLOCKED): "PROPOSAL-BLOCKED",
            ("post", Status.SUBMITTED): "APPROVAL-PENDING",
            ("post", Status.POSTED): "ALREADY-POSTED",
            ("post", Status.RETURNED): "PROPOSAL-RETURNED",
            ("return_proposal", Status.POSTED): "POSTED-NOT-RETURNED",
        },
    )

    # An administrator can reset these; then they are open again.
    IN_APPROVAL = tuple(MOVES.starts("reset_approval"))

    proforma = models.OneToOneField(ProformaInvoice, models.PROTECT, related_name="proposal")
    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="proposals"
    )
    number = models.CharField(max_length=40)
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="proposals")
    status = models.CharField(max_length=9, choices=Status, default=Status.BLOCKED)
    invoice_date = models.DateField(null=True, blank=True, help_text="Empty: the posting date")
    due_date = models.DateField(null=True, blank=True, help_text="Empty: calculated from the payment terms")
    accounting_date = models.DateField(null=True, blank=True, help_text="Empty: the invoice date")
    delivery = models.CharField(max_length=8, choices=Customer.Delivery, default=Customer.Delivery.MAIL)
    dimensions = models.ForeignKey(DimensionSet, models.PROTECT, null=True, blank=True, db_index=False)
    place_of_delivery = models.CharField(max_length=200, blank=True)
    header_text = models.TextField(blank=True)
    footer_text = models.TextField(blank=True)
    with_annex = models.BooleanField("annex of time entries", default=False)
    return_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_error = ReasonField(help_text="Why the last posting was refused")

    objects = ProposalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="proposal_number_once"),
            models.CheckConstraint(
                name="returned_proposal_says_why", condition=~Q(status="returned") | ~Q(return_reason="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["entity", "status"],
                condition=Q(status__in=["blocked", "open", "submitted", "approved"]),
                name="proposal_unposted",
            )
        ]

    def __str__(self):
        return f"proposal {self.number}"

    def get_absolute_url(self):
        return reverse("proposal", args=[self.pk])


class ProposalSection(models.Model):
    """A titled part of the printed invoice; every line is in exactly one."""

    proposal = models.ForeignKey(InvoiceProposal, models.CASCADE, related_name="sections")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200, blank=True)
    mode = models.CharField("printed as", max_length=7, choices=SectionMode, default=SectionMode.DETAIL)
    summary_by = models.CharField("summed up by", max_length=8, choices=SummaryBy, blank=True)

    class Meta:
        ordering = ["proposal", "number"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="section_number_once"),
            models.CheckConstraint(
                name="summary_says_by_what", condition=Q(mode="detail") | ~Q(summary_by="")
            ),
        ]

    def __str__(self):
        return self.title


class ProposalLineQuerySet(ReachQuerySet):
    entity_path = "proposal__entity"
    view_permission = "proposal.view"


class ProposalLine(models.Model):
    """One line detail to be invoiced, with its tax groups, dimensions and amount."""

    proposal = models.ForeignKey(InvoiceProposal, models.PROTECT, related_name="lines")
    section = models.ForeignKey(ProposalSection, models.PROTECT, related_name="lines")
    detail = models.OneToOneField(LineDetail, models.PROTECT, related_name="proposal_line")
    number = models.PositiveIntegerField()
    billing_tax_group = models.ForeignKey(
        BillingTaxGroup, models.PROTECT, null=True, blank=True, db_index=False
    )
    item_tax_group = models.ForeignKey(ItemTaxGroup, models.PROTECT, null=True, blank=True, db_index=False)
    dimensions = models.ForeignKey(DimensionSet, models.PROTECT, null=True, blank=True, db_index=False)
    amount = AmountField(help_text="Net; 0 if the line is not charged")
    differs = models.BooleanField(
        "tax groups differ",
        default=False,
        help_text="The tax groups of the line differ from those of the proforma",
    )

    objects = ProposalLineQuerySet.as_manager()

    class Meta:
        ordering = ["proposal", "number"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="proposal_line_number_once")
        ]

    def __str__(self):
        return f"line {self.number}"


class ProposalDecision(models.Model):
    """One step of a proposal's approval (PRP-4)."""

    class Step(models.TextChoices):
        SUBMITTED = "submitted", "submitted"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        CHANGE_REQUESTED = "change", "change requested"
        RESET = "reset", "reset"

    proposal = models.ForeignKey(InvoiceProposal, models.PROTECT, related_name="decisions")
    step = models.CharField(max_length=9, choices=Step)
    at = models.DateTimeField("time", default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="user", related_name="+", db_index=False
    )
    comment = models.CharField(max_length=500, blank=True)

    def __str__(self):
        return self.get_step_display()


_PROPOSAL_POSTED = (
    "EXISTS (SELECT 1 FROM ledger_invoiceproposal p WHERE p.id = OLD.proposal_id AND p.status = 'posted')"
)
guards.frozen(InvoiceProposal, when="OLD.status = 'posted'")
guards.frozen(ProposalSection, when=_PROPOSAL_POSTED, sealed_with="proposal")
guards.frozen(ProposalLine, when=_PROPOSAL_POSTED, sealed_with="proposal")
guards.insert_only(ProposalDecision)
searching.declare(InvoiceProposal, "number")
