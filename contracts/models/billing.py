"""When a contract bills: frequencies, schedules, milestones, retainers."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contracts.models.agreement import ContractCustomer, ContractLine, ProjectContract
from contracts.models.entity import Coded, LegalEntity
from contracts.models.permissions import ReachQuerySet
from contracts.models.work import Task, managed_contracts
from invoicing_site.floor import formatting
from invoicing_site.floor.fields import AmountField
from invoicing_site.floor.moves import GONE, Move, Moves
from invoicing_site.floor.querysets import LockingQuerySet
from invoicing_site.floor.reasons import ReasonField


class InvoiceFrequency(Coded):
    """How often invoices are created (SCH-1). The rhythm decides which fields are used."""

    class Rhythm(models.TextChoices):
        WEEKLY = "weekly", "every N weeks, on a weekday"
        MONTHLY = "monthly", "every N months, on certain days"
        WEEKDAY = "weekday", "every N months, on a weekday such as the first Monday"

    rhythm = models.CharField("pattern", max_length=7, choices=Rhythm)
    every = models.PositiveSmallIntegerField(
        "interval", default=1, help_text="N, the number of weeks or months"
    )
    days = models.CharField(
        max_length=60, blank=True, help_text="Days of the month, such as 1,16; 31 is the last day"
    )
    weekday = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 is Monday, 6 is Sunday")
    nth = models.SmallIntegerField(
        "which weekday of the month", null=True, blank=True, help_text="1 to 4; −1 is the last"
    )
    cutoff_on_run_day = models.BooleanField(
        "cutoff on the run day",
        default=False,
        help_text=(
            "If ticked, a run includes work of the run day, such as the 31st; otherwise work up to the day "
            "before. Existing schedules change only when they are planned again"
        ),
    )

    class Meta(Coded.Meta):
        default_related_name = "frequencies"
        verbose_name_plural = "invoice frequencies"
        constraints = [
            *Coded.Meta.constraints,
            models.CheckConstraint(
                name="frequency_moves_on",
                condition=Q(every__gte=1),
                violation_error_message="Enter 1 or more: 1 means every week or month.",
            ),
            models.CheckConstraint(
                name="frequency_says_its_days",
                condition=Q(rhythm="weekly", weekday__lte=6)
                | (Q(rhythm="monthly") & ~Q(days=""))
                | Q(rhythm="weekday", weekday__lte=6, nth__in=[-1, 1, 2, 3, 4]),
                violation_error_message=(
                    "Enter the days: a weekday, days of the month, or a weekday and which one of the month."
                ),
            ),
        ]

    def clean(self):
        days = re.split(r"\s*,\s*", self.days.strip()) if self.days.strip() else []
        if not all(re.fullmatch(r"\d{1,2}", day) and 1 <= int(day) <= 31 for day in days):
            raise ValidationError({"days": "Enter days of the month from 1 to 31, such as 1,16."})

    @property
    def day_numbers(self):
        """The days of the month as numbers, in order."""
        return sorted({int(day) for day in self.days.split(",") if day.strip()})


class ScheduleEntry(models.Model):
    """A day on which a contract line is invoiced, with work up to the cutoff."""

    class Status(models.TextChoices):
        NOT_RUN = "not_run", "not run"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    MOVES = Moves(
        Move(Status.NOT_RUN, "generate_schedule", GONE, "setup.change"),
        Move((Status.NOT_RUN, Status.FAILED), "run_invoicing", Status.SUCCEEDED, "run.start"),
        Move((Status.NOT_RUN, Status.FAILED), "run_invoicing", Status.FAILED, "run.start"),
        done={"generate_schedule": _("planned again"), "run_invoicing": _("run")},
    )
    # A failed entry stays pending and is tried again until it succeeds (RUN-2).
    STILL_DUE = tuple(MOVES.starts("run_invoicing"))

    line = models.ForeignKey(ContractLine, models.PROTECT, related_name="schedule")
    run_date = models.DateField()
    cutoff = models.DateField("transaction cutoff")
    status = models.CharField(max_length=9, choices=Status, default=Status.NOT_RUN)
    ran_at = models.DateTimeField(null=True, blank=True)
    result = ReasonField()

    class Meta:
        ordering = ["line", "run_date"]
        verbose_name_plural = "schedule entries"
        constraints = [
            models.UniqueConstraint(
                fields=["line", "run_date"],
                name="schedule_run_date_once",
                violation_error_message="The line already has an invoice run on this date.",
            )
        ]
        indexes = [
            models.Index(
                fields=["run_date"], condition=Q(status__in=["not_run", "failed"]), name="schedule_due"
            )
        ]

    def __str__(self):
        return formatting.day(self.run_date)


class MilestoneQuerySet(ReachQuerySet):
    view_permission = "contract.view"
    entity_path = "line__contract__entity"

    def of_manager(self, user):
        return Q(line__contract__in=managed_contracts(user))


class Milestone(models.Model):
    """A fixed-price milestone; its parts are billed, one or more for each customer (MIL-1)."""

    class Status(models.TextChoices):
        NOT_STARTED = "not_started", "not started"
        IN_PROGRESS = "in_progress", "in progress"
        COMPLETED = "completed", "completed"

    line = models.ForeignKey(ContractLine, models.PROTECT, related_name="milestones")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    date = models.DateField()
    amount = AmountField(in_currency="line__contract__currency")
    task = models.ForeignKey(Task, models.PROTECT, null=True, blank=True, db_index=False)
    status = models.CharField(max_length=11, choices=Status, default=Status.NOT_STARTED)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ["line", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "number"],
                name="milestone_number_once",
                violation_error_message="Another milestone of this line already has this number.",
            ),
            models.CheckConstraint(
                name="milestone_has_an_amount",
                condition=~Q(amount=0),
                violation_error_message="The amount of a milestone can't be 0.",
            ),
        ]

    def __str__(self):
        return self.name


class MilestonePart(models.Model):
    """One customer's share of a milestone, or a part split off that share for progress billing (MIL-2).

    The amount of a part never changes. Splitting a part creates two new parts that refer to it, and cancels
    its backlog item.
    """

    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="parts")
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="milestone_parts")
    amount = AmountField()
    split_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="split_into")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["milestone", "contract_customer"],
                condition=Q(split_from=None),
                name="milestone_part_once_a_customer",
            ),
        ]

    def __str__(self):
        return f"part {self.pk}"


class RetainerSchedule(models.Model):
    """A series of retainers with regular due dates, for one contract customer (RET-1)."""

    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="retainer_schedules")
    name = models.CharField(max_length=200)
    total = AmountField(in_currency="contract_customer__contract__currency")
    frequency = models.ForeignKey(InvoiceFrequency, models.PROTECT, db_index=False)
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)
    count = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="retainer_schedule_ends",
                condition=Q(ends__isnull=False) | Q(count__isnull=False),
                violation_error_message="Enter the last date or the number of the retainers.",
            )
        ]

    def __str__(self):
        return self.name


class Retainer(models.Model):
    """An advance invoiced to one contract customer; it can be used only after it was invoiced (RET-1)."""

    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="retainers")
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="retainers")
    schedule = models.ForeignKey(
        RetainerSchedule, models.PROTECT, null=True, blank=True, related_name="retainers", db_index=False
    )
    kind = models.CharField(max_length=7, choices=LegalEntity.RetainerKind)
    name = models.CharField(max_length=200)
    date = models.DateField()
    amount = AmountField(in_currency="contract__currency")

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="retainer_has_an_amount",
                condition=Q(amount__gt=0),
                violation_error_message="The amount of a retainer must be more than 0.",
            ),
        ]

    def __str__(self):
        return self.name
