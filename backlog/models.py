"""The backlog: delivered or due work that is not invoiced yet, and the actions on it."""

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from actuals import naming
from actuals.models import Actual, Batch, BillingType, Entry
from contracts.models import (
    Category,
    ContractCustomer,
    ContractLine,
    LegalEntity,
    MilestonePart,
    Project,
    ProjectContract,
    ReachQuerySet,
    Resource,
    Retainer,
    Role,
    Task,
    managed_contracts,
)
from invoicing_site.floor import formatting, guards
from invoicing_site.floor.fields import AmountField, CurrencyField, PercentField
from invoicing_site.floor.moves import STAYS, Move, Moves
from invoicing_site.floor.querysets import LockingQuerySet

# Milestone parts and retainers have no actual; they are always chargeable.
_CHARGEABLE = Q(actual=None) | Q(actual__billing_type=BillingType.CHARGEABLE)


class BacklogQuerySet(ReachQuerySet):
    entity_path = "contract__entity"
    view_permission = "backlog.view"

    def of_manager(self, user):
        return Q(contract__in=managed_contracts(user))

    def open(self):
        """Items that are neither on an invoice nor canceled."""
        return self.filter(status__in=["not_ready", "ready"])

    def ready(self):
        return self.filter(status=BacklogItem.Status.READY)

    def chargeable(self):
        """Only chargeable items count in totals (PRO-3)."""
        return self.filter(_CHARGEABLE)

    def of_lines(self):
        """Work and milestones. Retainers, and the deductions of paid retainers, belong to no line."""
        return self.filter(contract_line__isnull=False)

    def with_counted(self):
        """Each with `counted`, its part of a total: its amount if it is chargeable, else 0 (PRO-3).

        For totals of rows with any billing type; `counted` can be used in any aggregate.
        """
        counted = Case(When(_CHARGEABLE, then=F("amount")), default=Value(0), output_field=AmountField())
        return self.annotate(counted=counted)

    def on_contract(self, contract):
        return self.filter(contract=contract)

    def dated_until(self, day):
        return self.filter(date__lte=day)


class BacklogItem(models.Model):
    """One share of billable work: an unbilled sales actual, a milestone part, or a retainer.

    Only this row changes on the way to the invoice. Its amount, currency and date are copies from its source,
    which never changes. At most one line detail ever claims it (PRO-8).
    """

    class Status(models.TextChoices):
        NOT_READY = "not_ready", "not ready"
        READY = "ready", "ready to invoice"
        CREATED = "created", "on a draft proforma"
        POSTED = "posted", "on a confirmed proforma"
        CANCELED = "canceled", "canceled"

    MOVES = Moves(
        Move(Status.NOT_READY, "mark_ready", Status.READY, "backlog.mark"),
        Move(Status.READY, "mark_not_ready", Status.NOT_READY, "backlog.mark"),
        Move((Status.NOT_READY, Status.READY), "hold", STAYS, "backlog.mark"),
        Move((Status.NOT_READY, Status.READY), "release_hold", STAYS, "backlog.mark"),
        Move(Status.NOT_READY, "evaluate", STAYS, "backlog.mark"),
        Move(Status.NOT_READY, "split_off", Status.READY, "backlog.mark"),
        Move(Status.NOT_READY, "split_off", Status.CANCELED, "backlog.mark"),
        Move((Status.NOT_READY, Status.READY), "cancel", Status.CANCELED, "entry.approve"),
        Move(Status.READY, "reserve", Status.CREATED, "proforma.create"),
        Move(Status.CREATED, "release", Status.READY, "proforma.edit"),
        Move(Status.CREATED, "settle", Status.POSTED, "proforma.confirm"),
        Move(Status.POSTED, "claim_again", Status.CREATED, "proposal.edit"),
        done={
            "mark_ready": _("marked ready"),
            "mark_not_ready": _("marked not ready"),
            "hold": _("put on hold"),
            "release_hold": _("taken off hold"),
            "evaluate": _("tested against its limits"),
            "split_off": _("billed in part"),
            "cancel": _("canceled"),
            "reserve": _("added to a draft"),
            "release": _("removed from a draft"),
            "settle": _("billed"),
            "claim_again": _("returned to a draft"),
        },
        refusals={
            Status.NOT_READY: "ALREADY-NOT-READY",
            Status.READY: "ALREADY-READY",
            Status.CREATED: "ON-DRAFT",
            Status.POSTED: "IS-BILLED",
            Status.CANCELED: "IS-CANCELED",
            "split_off": "NOT-ALLOWED-NOW",
            "cancel": "CLAIM-GONE",
            "reserve": "CLAIM-GONE",
            "release": "CLAIM-GONE",
            "settle": "CLAIM-GONE",
            "claim_again": "CLAIM-GONE",
        },
    )

    class LimitStatus(models.TextChoices):
        NOT_EVALUATED = "not_evaluated", "not tested"
        COMMITTED = "committed", "committed"
        FAILED = "failed", "failed"
        NOT_APPLICABLE = "na", "not applicable"

    class LimitLevel(models.TextChoices):
        LINE_CUSTOMER = "line_customer", "customer's share of a line"
        LINE = "line", "contract line"
        CUSTOMER = "customer", "contract customer"
        CONTRACT = "contract", "contract"

    actual = models.OneToOneField(Actual, models.PROTECT, null=True, blank=True, related_name="backlog_item")
    milestone_part = models.OneToOneField(
        MilestonePart, models.PROTECT, null=True, blank=True, related_name="backlog_item"
    )
    retainer = models.OneToOneField(
        Retainer, models.PROTECT, null=True, blank=True, related_name="backlog_item"
    )
    contract = models.ForeignKey(ProjectContract, models.PROTECT, db_index=False)
    contract_line = models.ForeignKey(
        ContractLine, models.PROTECT, null=True, blank=True, related_name="backlog_items"
    )
    contract_customer = models.ForeignKey(
        ContractCustomer, models.PROTECT, related_name="backlog_items", db_index=False
    )
    date = models.DateField()
    amount = AmountField()
    currency = CurrencyField()
    status = models.CharField(max_length=9, choices=Status, default=Status.NOT_READY)
    needs_price = models.BooleanField(default=False, help_text="No price was found, so it can't be billed")
    limit_status = models.CharField(
        max_length=13,
        choices=LimitStatus,
        default=LimitStatus.NOT_APPLICABLE,
        verbose_name="not-to-exceed status",
    )
    limit_level = models.CharField(max_length=13, choices=LimitLevel, blank=True)
    limit_over = AmountField("over the limit by", null=True, blank=True)
    hold_until = models.DateField(null=True, blank=True)
    hold_reason = models.CharField(max_length=300, blank=True)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    description = models.CharField(max_length=500, blank=True, help_text="Description for the customer")
    internal_description = models.CharField(max_length=500, blank=True)

    objects = BacklogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="backlog_item_has_one_source",
                condition=Q(actual__isnull=False, milestone_part=None, retainer=None)
                | Q(actual=None, milestone_part__isnull=False, retainer=None)
                | Q(actual=None, milestone_part=None, retainer__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_billed_is_within_its_limit",
                condition=~Q(status__in=["ready", "created"]) | ~Q(limit_status="failed"),
                violation_error_message="Items over a limit can't be marked ready.",
            ),
            models.CheckConstraint(
                name="failed_limit_names_its_level",
                condition=~Q(limit_status="failed") | (~Q(limit_level="") & Q(limit_over__gt=0)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["contract", "contract_customer", "date"],
                condition=Q(status__in=["not_ready", "ready"]),
                name="backlog_open",
            ),
            models.Index(
                fields=["date", "id"],
                condition=Q(status__in=["not_ready", "ready"]),
                name="backlog_open_by_day",
            ),
            models.Index(
                fields=["contract", "limit_status"],
                condition=Q(limit_status="committed"),
                name="backlog_committed",
            ),
        ]

    def __str__(self):
        return f"backlog item {self.pk}"

    @property
    def title(self):
        """Its description, or else that of its source."""
        if self.description:
            return self.description
        if self.actual:
            return naming.title_of(self.actual)
        return self.milestone_part.milestone.name if self.milestone_part else self.retainer.name


class BacklogActionQuerySet(ReachQuerySet):
    view_permission = "backlog.view"

    def of_manager(self, user):
        return Q(by=user)


class BacklogAction(models.Model):
    """One action on several backlog items, recorded so that it can be undone (BKL-2)."""

    class Action(models.TextChoices):
        READY = "ready", "marked ready"
        NOT_READY = "not_ready", "marked not ready"
        HOLD = "hold", "put on hold"
        RELEASE = "release", "taken off hold"
        EVALUATE = "evaluate", "limits evaluated"
        RESET = "reset", "limits reset"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="+", db_index=False
    )
    action = models.CharField(max_length=9, choices=Action)
    at = models.DateTimeField("time", default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="user",
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    selection = models.TextField(
        blank=True, help_text="The filter of the list, if all matching rows were selected"
    )
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = BacklogActionQuerySet.as_manager()

    def __str__(self):
        return f"{self.get_action_display()} {formatting.moment(self.at)}"


class BacklogActionItem(models.Model):
    """An item that an action changed."""

    action = models.ForeignKey(BacklogAction, models.CASCADE, related_name="items")
    item = models.ForeignKey(BacklogItem, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "item"], name="action_item_once")]

    def __str__(self):
        return f"item {self.item_id}"


class Adjustment(models.Model):
    """Why an unbilled share was replaced: written off or up, split, or priced again (BKL-5)."""

    class Kind(models.TextChoices):
        WRITE_OFF = "write_off", "write-off"
        WRITE_UP = "write_up", "write-up"
        SPLIT = "split", "split"
        REPRICE = "reprice", "repriced"

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="adjustments")
    item = models.OneToOneField(
        BacklogItem, models.PROTECT, related_name="adjustment", help_text="The backlog item that was replaced"
    )
    kind = models.CharField(max_length=9, choices=Kind)
    amount = AmountField(
        help_text="The amount that was written off or up or split off, or the change of the price"
    )
    percent = PercentField(null=True, blank=True)
    reason = models.CharField(max_length=500)

    def __str__(self):
        return self.get_kind_display()


class CorrectionJournal(models.Model):
    """Corrections of approved entries that are prepared, previewed and then posted together (APP-6)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        POSTED = "posted", "posted"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="correction_journals"
    )
    number = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=6, choices=Status, default=Status.DRAFT)
    batch = models.OneToOneField(Batch, models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "number"], name="correction_number_once")]

    def __str__(self):
        return self.number


class CorrectionLine(models.Model):
    """The corrected values of one approved entry; empty fields do not change."""

    journal = models.ForeignKey(CorrectionJournal, models.CASCADE, related_name="lines")
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    date = models.DateField(null=True, blank=True)
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, db_index=False)
    task = models.ForeignKey(Task, models.PROTECT, null=True, blank=True, db_index=False)
    resource = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, db_index=False)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["journal", "entry"], name="correction_line_once")]

    def __str__(self):
        return f"entry {self.entry_id}"


# Source and amount of a share never change, like its actual; only its status columns do.
_STATES = [
    "status",
    "limit_status",
    "limit_level",
    "limit_over",
    "hold_until",
    "hold_reason",
    "held_by",
    "description",
    "internal_description",
]
guards.frozen(BacklogItem, when="1 = 1", except_=_STATES)
guards.insert_only(Adjustment)
