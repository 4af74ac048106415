"""Proforma invoices with their lines and details, and the invoice runs that create them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from actuals.models import Actual, Batch, BillingType
from backlog.models import BacklogItem
from contracts.models import (
    BillingTaxGroup,
    BillTo,
    Category,
    ContractCustomer,
    ContractLine,
    Customer,
    ItemTaxGroup,
    LegalEntity,
    Product,
    Project,
    ProjectContract,
    PurchaseOrder,
    ReachQuerySet,
    Resource,
    Role,
    ScheduleEntry,
    Task,
    TransactionClass,
    managed_contracts,
)
from invoicing_site.floor import formatting, guards, searching, wording
from invoicing_site.floor.fields import AmountField, CurrencyField, PriceField, QuantityField
from invoicing_site.floor.moves import GONE, STAYS, THE_PROGRAM, Move, Moves
from invoicing_site.floor.queues import Queued
from invoicing_site.floor.reasons import ReasonField


class RunQuerySet(ReachQuerySet):
    view_permission = "run.view"

    def of_manager(self, user):
        """Runs that the user started, or that processed one of their contracts."""
        looked_at = RunContract.objects.filter(contract__in=managed_contracts(user)).values("run")
        return Q(started_by=user) | Q(pk__in=looked_at)


class InvoiceRun(models.Model):
    """One run of the periodic process, or a preview of one (RUN-2, RUN-4)."""

    class Kind(models.TextChoices):
        RUN = "run", "run"
        PREVIEW = "preview", "preview"

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "schedule"
        MANUAL = "manual", "by hand"
        COMMAND = "command", "command line"

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        FINISHED = "finished", "finished"
        STOPPED = "stopped", "stopped"

    MOVES = Moves(
        Move(Status.RUNNING, "carry_out", Status.FINISHED, THE_PROGRAM),
        Move(Status.FINISHED, "execute_preview", STAYS, "run.start"),
        done={"carry_out": _("finished"), "execute_preview": _("carried out")},
    )

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="invoice_runs"
    )
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.RUN)
    trigger = models.CharField(max_length=8, choices=Trigger)
    as_of = models.DateField()
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    due = models.PositiveIntegerField("contracts to process", default=0)
    digest = models.CharField(
        "plan hash", max_length=64, blank=True, help_text="Hash of the data that the plan is based on"
    )
    executes = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="executed_by",
        help_text="The preview that this run carries out",
    )
    contracts = models.ManyToManyField(ProjectContract, blank=True, related_name="+")
    customers = models.ManyToManyField(Customer, blank=True, related_name="+")
    projects = models.ManyToManyField(Project, blank=True, related_name="+")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                name="finished_run_has_an_end", condition=~Q(status="finished") | Q(finished_at__isnull=False)
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk} as of {formatting.day(self.as_of)}"

    def get_absolute_url(self):
        return reverse("run", args=[self.pk])


class RunContractQuerySet(ReachQuerySet):
    entity_path = "run__entity"
    view_permission = "run.view"

    def of_manager(self, user):
        return Q(contract__in=managed_contracts(user))


class RunContract(models.Model):
    """The outcome of one contract in one run, or its planned outcome in a preview."""

    class Outcome(models.TextChoices):
        CREATED = "created", "proforma created"
        NOTHING_READY = "nothing", "nothing ready"
        FAILED = "failed", "failed"

    run = models.ForeignKey(InvoiceRun, models.CASCADE, related_name="run_contracts")
    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=7, choices=Outcome)
    reason = ReasonField()
    digest = models.CharField(
        "plan hash", max_length=64, blank=True, help_text="Hash of the data that the preview is based on"
    )
    done_at = models.DateTimeField(default=timezone.now)

    objects = RunContractQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "contract"], name="run_contract_once")]

    def __str__(self):
        return f"contract {self.contract_id}: {self.get_outcome_display()}"

    def get_outcome_display(self):
        """The outcome in words; a preview creates nothing."""
        if self.outcome == self.Outcome.CREATED and self.run.kind == InvoiceRun.Kind.PREVIEW:
            return "proforma would be created"
        return self.Outcome(self.outcome).label


class RunPlanLine(models.Model):
    """A line of a stored plan: one planned proforma, or one reason why work is left out (RUN-4)."""

    run_contract = models.ForeignKey(RunContract, models.CASCADE, related_name="plan_lines")
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="+")
    run_date = models.DateField()
    purchase_order = models.ForeignKey(
        PurchaseOrder, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    is_outside_scope = models.BooleanField(
        "outside the scope of tax", default=False, help_text="Tax category O"
    )
    code = models.CharField(
        max_length=40, blank=True, help_text="Why the row is left out; empty if it is included"
    )
    items = models.PositiveIntegerField()
    amount = AmountField()
    previous_amount = AmountField(null=True, blank=True)
    currency = CurrencyField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "run_contract",
                "contract_customer",
                "run_date",
                Coalesce("purchase_order", 0),
                "is_outside_scope",
                "code",
                name="plan_line_once",
            )
        ]

    def __str__(self):
        return wording.counted(self.items, "item")


class ProformaQuerySet(ReachQuerySet):
    view_permission = "proforma.view"

    def of_manager(self, user):
        return Q(contract__in=managed_contracts(user))

    def open(self):
        """Drafts and those in review: they can still be edited."""
        return self.exclude(status=ProformaInvoice.Status.CONFIRMED)

    def confirmed(self):
        return self.filter(status=ProformaInvoice.Status.CONFIRMED)


def was_returned():
    """The condition that a proforma was returned: its billed sales are reversed, not corrected (PRP-6)."""
    credits_ = DetailActual.objects.filter(
        detail__line__proforma=models.OuterRef("pk"), part=DetailActual.Part.CREDIT
    )
    return Q(models.Exists(credits_), kind=ProformaInvoice.Kind.INVOICE)


class ProformaInvoice(BillTo):
    """The project manager's document for one contract customer; frozen once it is confirmed (PRO-5)."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", "invoice"
        CORRECTION = "correction", "correction"

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        IN_REVIEW = "review", "in review"
        CONFIRMED = "confirmed", "confirmed"

    MOVES = Moves(
        Move((Status.DRAFT, Status.IN_REVIEW), "edit", STAYS, "proforma.edit"),
        Move((Status.DRAFT, Status.IN_REVIEW), "delete_draft", GONE, "proforma.edit"),
        Move(Status.DRAFT, "submit_for_review", Status.IN_REVIEW, "proforma.edit"),
        Move(Status.IN_REVIEW, "return_to_draft", Status.DRAFT, "proforma.edit"),
        Move((Status.DRAFT, Status.IN_REVIEW), "confirm", Status.CONFIRMED, "proforma.confirm"),
        Move(Status.CONFIRMED, "return_proforma", STAYS, "proposal.edit"),
        done={
            "edit": _("changed"),
            "delete_draft": _("deleted"),
            "submit_for_review": _("submitted for review"),
            "return_to_draft": _("returned to draft"),
            "confirm": _("confirmed"),
            "return_proforma": _("returned"),
        },
        refusals={Status.CONFIRMED: "PROFORMA-CONFIRMED", ("confirm", Status.CONFIRMED): "NOT-ALLOWED-NOW"},
    )

    class ConfirmJob(models.TextChoices):
        SCHEDULED = "scheduled", "scheduled"
        PROCESSING = "processing", "processing"
        COMPLETE = "complete", "complete"
        FAILED = "failed", "failed"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="proformas"
    )
    number = models.CharField(max_length=40)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.INVOICE)
    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="proformas")
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="proformas")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="proformas")
    currency = CurrencyField()
    run = models.ForeignKey(InvoiceRun, models.PROTECT, null=True, blank=True, related_name="proformas")
    run_date = models.DateField(null=True, blank=True)
    cutoff = models.DateField(help_text="Work up to this date is included")
    accounting_date = models.DateField()
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    order_reference = models.CharField("order number", max_length=60, blank=True)
    purchase_order = models.ForeignKey(PurchaseOrder, models.PROTECT, null=True, blank=True, related_name="+")
    is_outside_scope = models.BooleanField("outside the scope of tax", default=False)
    # The bill-to party at the time it was copied, to find later changes.
    copied_party = models.JSONField(default=dict, blank=True)
    description = models.CharField(max_length=500, blank=True)
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The confirmed proforma that this one corrects",
    )
    returned_from = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="returned_as",
        help_text="The returned proforma that this one was created from",
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    confirm_job = models.CharField("background confirm", max_length=10, choices=ConfirmJob, blank=True)
    confirm_error = ReasonField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    batch = models.OneToOneField(
        Batch, models.PROTECT, null=True, blank=True, help_text="The batch of actuals that confirming created"
    )

    objects = ProformaQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="proforma_number_once"),
            models.CheckConstraint(
                name="confirmed_proforma_says_when",
                condition=~Q(status="confirmed") | Q(confirmed_at__isnull=False, batch__isnull=False),
            ),
            models.CheckConstraint(
                name="correction_names_what_it_corrects",
                condition=Q(kind="invoice", corrects=None) | Q(kind="correction", corrects__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_returned_is_an_invoice",
                condition=Q(returned_from=None) | Q(kind="invoice"),
            ),
            models.UniqueConstraint(
                fields=["corrects"], condition=~Q(status="confirmed"), name="one_open_correction"
            ),
        ]
        indexes = [
            models.Index(
                fields=["contract", "contract_customer"],
                condition=Q(status__in=["draft", "review"]),
                name="proforma_open",
            )
        ]

    def __str__(self):
        return f"proforma {self.number}"

    def get_absolute_url(self):
        return reverse("proforma", args=[self.pk])

    @property
    def buyer_name(self):
        """The name of the buyer that its invoice prints."""
        return self.bill_to_name or self.customer.name


class ProformaSchedule(models.Model):
    """A schedule entry that a proforma completes; it can have several, for several lines."""

    proforma = models.ForeignKey(ProformaInvoice, models.CASCADE, related_name="schedule_entries")
    entry = models.ForeignKey(ScheduleEntry, models.PROTECT, related_name="proformas")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proforma", "entry"], name="proforma_schedule_once")]

    def __str__(self):
        return f"schedule entry {self.entry_id}"


class ProformaLine(models.Model):
    """One contract line on a proforma (or the retainers, which have none)."""

    proforma = models.ForeignKey(ProformaInvoice, models.CASCADE, related_name="lines")
    contract_line = models.ForeignKey(
        ContractLine, models.PROTECT, null=True, blank=True, related_name="proforma_lines"
    )
    number = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["proforma", "number"]
        constraints = [
            models.UniqueConstraint(fields=["proforma", "number"], name="proforma_line_number_once"),
            models.UniqueConstraint(fields=["proforma", "contract_line"], name="proforma_contract_line_once"),
        ]

    def __str__(self):
        return f"line {self.number}"


class DetailQuerySet(ReachQuerySet):
    entity_path = "line__proforma__entity"
    view_permission = "proforma.view"

    def of_manager(self, user):
        return Q(line__proforma__contract__in=managed_contracts(user))

    def on_proforma(self, proforma):
        return self.filter(line__proforma=proforma)

    def chargeable(self):
        """Only these add up (PRO-3)."""
        return self.filter(billing_type=BillingType.CHARGEABLE)

    def by_hand(self):
        """Details without an entry, added on the proforma."""
        return self.filter(added_by__isnull=False)


class LineDetail(models.Model):
    """One backlog item on one proforma, with the quantity and price that will be billed.

    The unique link is the claim (PRO-8). A detail added by hand has no item until confirm.
    """

    class CreditedPart(models.TextChoices):
        BILL_AGAIN = "again", "bill again"
        GIVEN_UP = "given_up", "not bill again"

    line = models.ForeignKey(ProformaLine, models.CASCADE, related_name="details")
    backlog_item = models.OneToOneField(
        BacklogItem, models.PROTECT, null=True, blank=True, related_name="detail"
    )
    corrects = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrected_by",
        help_text="The detail that this one corrects",
    )
    credited_part = models.CharField(
        max_length=8, choices=CreditedPart, blank=True, help_text="What happens to the credited part"
    )
    credit_reason = models.CharField(max_length=300, blank=True)
    transaction_class = models.CharField(max_length=10, choices=TransactionClass)
    date = models.DateField()
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, db_index=False)
    task = models.ForeignKey(Task, models.PROTECT, null=True, blank=True, db_index=False)
    resource = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, db_index=False)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, db_index=False)
    quantity = QuantityField()
    unit = models.CharField(max_length=10, blank=True)
    price = PriceField()
    amount = AmountField()
    billing_type = models.CharField(max_length=14, choices=BillingType, default=BillingType.CHARGEABLE)
    billing_tax_group = models.ForeignKey(
        BillingTaxGroup, models.PROTECT, null=True, blank=True, db_index=False
    )
    item_tax_group = models.ForeignKey(ItemTaxGroup, models.PROTECT, null=True, blank=True, db_index=False)
    description = models.CharField(max_length=500, blank=True)
    internal_description = models.CharField(max_length=500, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = DetailQuerySet.as_manager()

    class Meta:
        verbose_name = "proforma detail"
        constraints = [
            models.CheckConstraint(
                name="detail_credited_part_belongs_to_a_correction",
                condition=Q(credited_part="") | Q(corrects__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "date"], condition=Q(added_by__isnull=False), name="detail_by_hand"
            )
        ]

    def __str__(self):
        return f"detail {self.pk}"


class DetailActual(models.Model):
    """An actual that confirming created for a detail, and its part of that detail (PRO-5)."""

    class Part(models.TextChoices):
        REVERSAL = "reversal", "reversal of the original"
        UNBILLED = "unbilled", "unbilled sales for the billed part"
        UNBILLED_REVERSAL = "unbilled_reversal", "its reversal"
        BILLED = "billed", "billed sales"
        REST = "rest", "non-chargeable rest"
        REST_REVERSAL = "rest_reversal", "reversal of the rest"
        REST_BILLED = "rest_billed", "billed sales of the rest"
        CREDIT = "credit", "reversal of the billed sales"
        REST_CREDIT = "rest_credit", "reversal of the billed rest"
        AGAIN = "again", "unbilled sales to be billed again"
        GIVEN_UP = "given_up", "the part that is not billed again"
        BALANCE = "balance", "retainer balance"

    detail = models.ForeignKey(LineDetail, models.PROTECT, related_name="detail_actuals")
    actual = models.OneToOneField(Actual, models.PROTECT, related_name="detail_actual")
    part = models.CharField(max_length=17, choices=Part)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["detail", "part"], name="detail_part_once")]
        indexes = [models.Index(fields=["detail"], condition=Q(part="credit"), name="detail_credited")]

    def __str__(self):
        return self.get_part_display()


class LimitOverride(models.Model):
    """A limit that was overridden when a proforma was confirmed; never deleted (PRO-6)."""

    proforma = models.ForeignKey(ProformaInvoice, models.PROTECT, related_name="limit_overrides")
    level = models.CharField(max_length=13, choices=BacklogItem.LimitLevel)
    limit = AmountField()
    over = AmountField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="user", related_name="+", db_index=False
    )
    at = models.DateTimeField("time", default=timezone.now)

    def __str__(self):
        return f"{self.over} over {self.limit}"


class ProformaToPropose(Queued):
    """A confirmed proforma that waits for its invoice proposal (PRO-7)."""

    proforma = models.OneToOneField(
        ProformaInvoice, models.PROTECT, primary_key=True, related_name="to_propose"
    )
    entity = models.ForeignKey(LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="+")

    class Meta:
        verbose_name = "proforma that waits for a proposal"
        verbose_name_plural = "proformas that wait for a proposal"

    def __str__(self):
        return f"proforma {self.proforma_id}"


_CONFIRMED = "OLD.status = 'confirmed'"
_LINE_CONFIRMED = (
    "EXISTS (SELECT 1 FROM proforma_proformainvoice p"
    " WHERE p.id = OLD.proforma_id AND p.status = 'confirmed')"
)
_DETAIL_CONFIRMED = (
    "EXISTS (SELECT 1 FROM proforma_proformaline l JOIN proforma_proformainvoice p ON p.id = l.proforma_id"
    " WHERE l.id = OLD.line_id AND p.status = 'confirmed')"
)
guards.frozen(ProformaInvoice, when=_CONFIRMED, except_=["confirm_job", "confirm_error"])
guards.frozen(ProformaLine, when=_LINE_CONFIRMED, sealed_with="proforma")
# Returning a proforma clears the claims of its details (PRP-6); verify_ledger finds any other missing claim.
guards.frozen(LineDetail, when=_DETAIL_CONFIRMED, except_=["backlog_item"], sealed_with="line__proforma")
guards.insert_only(DetailActual)
guards.insert_only(LimitOverride)
guards.fixed(ProformaToPropose, "proforma", "entity")
searching.declare(ProformaInvoice, "number", "name", "bill_to_name")
