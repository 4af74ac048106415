"""The set-up of the books: periods, accounts, dimensions, profiles."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from contracts.models import (
    Category,
    Coded,
    ContractLine,
    EntityQuerySet,
    LegalEntity,
    Project,
    ProjectContract,
    ProjectGroup,
    ReachQuerySet,
    TransactionClass,
)
from invoicing_site.floor import formatting, guards
from invoicing_site.floor.moves import Move, Moves


class FiscalYearQuerySet(ReachQuerySet):
    view_permission = "period.view"


class FiscalYear(models.Model):
    """A year of the books, divided into periods; named after the calendar year in which it ends."""

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="fiscal_years"
    )
    name = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField(help_text="Replaces {year} in document numbers")
    starts = models.DateField()
    ends = models.DateField()

    objects = FiscalYearQuerySet.as_manager()

    class Meta:
        ordering = ["entity", "starts"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "year"],
                name="fiscal_year_once",
                violation_error_message="This legal entity already has this fiscal year.",
            ),
            models.CheckConstraint(
                name="fiscal_year_dates_in_order",
                condition=Q(starts__lt=F("ends")),
                violation_error_message="A fiscal year must end after its first day.",
            ),
        ]

    def __str__(self):
        return self.name


class PeriodQuerySet(ReachQuerySet):
    view_permission = "period.view"


class FiscalPeriod(models.Model):
    """A fiscal period: open for posting, on hold, or closed (PST-6). Always the first lock."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        ON_HOLD = "hold", "on hold"
        CLOSED = "closed", "closed"

    MOVES = Moves(
        Move((Status.OPEN, Status.ON_HOLD), "close_period", Status.CLOSED, "period.close"),
        Move(Status.OPEN, "put_on_hold", Status.ON_HOLD, "period.close"),
        Move((Status.ON_HOLD, Status.CLOSED), "reopen_period", Status.OPEN, "period.close"),
        done={"close_period": _("closed"), "put_on_hold": _("put on hold"), "reopen_period": _("reopened")},
        refusals={
            "close_period": "PERIOD-STATUS",
            "put_on_hold": "PERIOD-STATUS",
            "reopen_period": "PERIOD-STATUS",
            ("put_on_hold", Status.CLOSED): "PERIOD-NOT-OPEN",
        },
    )

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="fiscal_periods"
    )
    year = models.ForeignKey(FiscalYear, models.PROTECT, related_name="periods")
    number = models.PositiveSmallIntegerField()
    starts = models.DateField()
    ends = models.DateField()
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        ordering = ["entity", "starts"]
        constraints = [
            models.UniqueConstraint(
                fields=["year", "number"],
                name="fiscal_period_number_once",
                violation_error_message="Another period of this year already has this number.",
            ),
            models.UniqueConstraint(
                fields=["entity", "starts"],
                name="fiscal_period_start_once",
                violation_error_message="Another period already starts on this date.",
            ),
            models.UniqueConstraint(
                fields=["entity", "ends"],
                name="fiscal_period_end_once",
                violation_error_message="Another period already ends on this date.",
            ),
            models.CheckConstraint(
                name="fiscal_period_dates_in_order",
                condition=Q(starts__lte=F("ends")),
                violation_error_message="A period must end on or after its first day.",
            ),
        ]

    def __str__(self):
        return formatting.month(self.starts)


class Account(models.Model):
    """An account of the general ledger, with its SAF-T codes (EXP-2)."""

    class Kind(models.TextChoices):
        ASSET = "asset", "asset"
        LIABILITY = "liability", "liability"
        EQUITY = "equity", "equity"
        REVENUE = "revenue", "revenue"
        EXPENSE = "expense", "expense"

    class Control(models.TextChoices):
        NONE = "", "—"
        CUSTOMER = "customer", "customer subledger"
        WIP_SALES = "wip_sales", "project subledger: WIP sales value"
        WIP_COST = "wip_cost", "project subledger: WIP cost value"
        ON_ACCOUNT = "on_account", "project subledger: WIP invoiced on account"
        DISBURSEMENT = "disbursement", "project subledger: disbursements"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="accounts"
    )
    number = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=9, choices=Kind)
    control = models.CharField("control account of", max_length=12, choices=Control, blank=True, default="")
    is_active = models.BooleanField("active", default=True)

    objects = EntityQuerySet.as_manager()

    # Reports and existing postings depend on these fields.
    SETTLED = ("entity", "number", "kind", "control")

    class Meta:
        ordering = ["entity", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "number"],
                name="account_number_once",
                violation_error_message="Another account of this legal entity already has this number.",
            )
        ]

    def __str__(self):
        return f"{self.number} {self.name}"

    def get_absolute_url(self):
        return reverse("account", args=[self.pk])

    def clean(self):
        """Refuse changes that would change reports of existing postings; see `why_fixed`."""
        stored = Account.objects.filter(pk=self.pk).first()
        changed = stored and [name for name in self.SETTLED if getattr(stored, name) != getattr(self, name)]
        if changed and (sentence := stored.why_fixed()):
            raise ValidationError(sentence)

    def why_fixed(self):
        """The reason why kind, control, number and legal entity can't change.

        Empty before the first posting.
        """
        if not self.entries.exists():
            return ""
        return (
            f"Account {self} has postings, so its number, its kind and what it controls can't change. "
            f"Add another account and choose it in the posting accounts."
        )


class Dimension(Coded):
    """A dimension for analyzing the books, such as department."""

    class Meta(Coded.Meta):
        default_related_name = "dimensions"


class DimensionValue(models.Model):
    """One value of a dimension."""

    dimension = models.ForeignKey(Dimension, models.PROTECT, related_name="values")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "code"],
                name="dimension_value_once",
                violation_error_message="Another value of this dimension already has this code.",
            )
        ]

    def __str__(self):
        return f"{self.code} {self.name}"


class DimensionSet(models.Model):
    """A combination of dimension values, stored once; lines link to it."""

    entity = models.ForeignKey(LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="+")
    key = models.CharField(max_length=300, help_text="Identifies the combination of dimension values")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "key"], name="dimension_set_once")]

    def __str__(self):
        return self.key


class DimensionSetValue(models.Model):
    """One value of a combination, for reports by dimension."""

    set = models.ForeignKey(DimensionSet, models.PROTECT, related_name="values")
    dimension = models.ForeignKey(Dimension, models.PROTECT, related_name="+")
    value = models.ForeignKey(DimensionValue, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["set", "dimension"], name="dimension_once_in_a_set")]

    def __str__(self):
        return f"{self.value_id}"


class DefaultDimension(models.Model):
    """The default value of a project, or for milestones of a contract line (JRN-3)."""

    project = models.ForeignKey(
        Project, models.CASCADE, null=True, blank=True, related_name="default_dimensions"
    )
    contract_line = models.ForeignKey(
        ContractLine, models.CASCADE, null=True, blank=True, related_name="default_dimensions"
    )
    dimension = models.ForeignKey(Dimension, models.PROTECT, related_name="+")
    value = models.ForeignKey(DimensionValue, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="default_dimension_has_one_owner",
                condition=Q(project__isnull=False, contract_line=None)
                | Q(project=None, contract_line__isnull=False),
                violation_error_message="A default dimension belongs to one project or to one contract line.",
            ),
            models.UniqueConstraint(
                fields=["project", "dimension"],
                name="project_dimension_once",
                violation_error_message="The project already has a value for this dimension.",
            ),
            models.UniqueConstraint(
                fields=["contract_line", "dimension"],
                name="line_dimension_once",
                violation_error_message="The contract line already has a value for this dimension.",
            ),
        ]

    def __str__(self):
        return f"{self.value_id}"


class Profile(Coded):
    """A cost and revenue profile: where amounts are posted, and whether revenue is accrued (JRN-5)."""

    class Cost(models.TextChoices):
        BALANCE = "balance", "balance"
        PROFIT_AND_LOSS = "pl", "profit and loss"
        NEVER = "never", "never"

    class OnAccount(models.TextChoices):
        BALANCE = "balance", "balance"
        PROFIT_AND_LOSS = "pl", "profit and loss"

    cost = models.CharField("cost posts to", max_length=7, choices=Cost, default=Cost.PROFIT_AND_LOSS)
    accrue_time = models.BooleanField("accrue revenue of time", default=False)
    accrue_expense = models.BooleanField("accrue revenue of expenses", default=False)
    accrue_material = models.BooleanField("accrue revenue of material", default=False)
    accrue_fee = models.BooleanField("accrue revenue of fees", default=False)
    on_account = models.CharField(
        "on-account invoices post to", max_length=7, choices=OnAccount, default=OnAccount.BALANCE
    )

    class Meta(Coded.Meta):
        default_related_name = "profiles"
        constraints = [
            *Coded.Meta.constraints,
            models.CheckConstraint(
                name="accruing_needs_cost_in_profit_and_loss",
                condition=Q(cost="pl")
                | Q(accrue_time=False, accrue_expense=False, accrue_material=False, accrue_fee=False),
                violation_error_message="Accruing revenue needs cost that posts to profit and loss.",
            ),
        ]

    def accrues(self, transaction_class):
        """Whether unbilled sales of that class are accrued."""
        return getattr(self, f"accrue_{transaction_class}", False)


class ProfileAssignment(models.Model):
    """Where a profile applies: a project, a contract, a project group, or (all empty) the whole entity."""

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="profile_assignments"
    )
    profile = models.ForeignKey(Profile, models.PROTECT, related_name="assignments")
    project = models.OneToOneField(
        Project, models.CASCADE, null=True, blank=True, related_name="profile_assignment"
    )
    contract = models.OneToOneField(
        ProjectContract, models.CASCADE, null=True, blank=True, related_name="profile_assignment"
    )
    group = models.OneToOneField(
        ProjectGroup, models.CASCADE, null=True, blank=True, related_name="profile_assignment"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="profile_counts_for_one_thing",
                condition=Q(project=None, contract=None)
                | Q(project=None, group=None)
                | Q(contract=None, group=None),
                violation_error_message="A profile is for one project, one contract or one project group.",
            ),
            models.UniqueConstraint(
                fields=["entity"],
                condition=Q(project=None, contract=None, group=None),
                name="one_profile_for_the_rest",
                violation_error_message="This legal entity already has a default profile.",
            ),
        ]

    def __str__(self):
        return f"profile {self.profile_id}"


class PostingAccount(models.Model):
    """The account for a purpose; empty fields mean any, and the most specific row is used."""

    class Purpose(models.TextChoices):
        PROJECT_COST = "project_cost", "project cost"
        PAYROLL_ALLOCATION = "payroll", "payroll allocation"
        COST_OFFSET = "cost_offset", "offset of expenses and materials"
        WIP_COST = "wip_cost", "WIP cost value"
        WIP_SALES = "wip_sales", "WIP sales value"
        ACCRUED_REVENUE = "accrued", "accrued revenue"
        INVOICED_REVENUE = "revenue", "invoiced revenue"
        ON_ACCOUNT_WIP = "on_account_wip", "WIP invoiced on account"
        ON_ACCOUNT_REVENUE = "on_account_revenue", "invoiced on account, revenue"
        CUSTOMER = "customer", "customer balance"
        ADVANCES = "advances", "customer advances"
        ROUNDING = "rounding", "rounding of conversion"
        EXCHANGE_GAIN = "gain", "exchange gain"
        EXCHANGE_LOSS = "loss", "exchange loss"
        WRITE_OFF = "write_off", "write-off"
        BAD_DEBT = "bad_debt", "bad debt"
        BANK = "bank", "bank"
        DISBURSEMENT = "disbursement", "disbursements for customers"
        CONTRACT_VARIANCE = "variance", "contract variance"
        LOSS_PROVISION = "provision", "provision for expected losses"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="posting_accounts"
    )
    purpose = models.CharField(max_length=18, choices=Purpose)
    profile = models.ForeignKey(Profile, models.CASCADE, null=True, blank=True)
    transaction_class = models.CharField(max_length=10, choices=TransactionClass, blank=True)
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "entity",
                "purpose",
                Coalesce("profile", 0),
                "transaction_class",
                Coalesce("category", 0),
                name="posting_account_once",
                violation_error_message="There is already an account for exactly this case.",
            )
        ]

    def __str__(self):
        return self.get_purpose_display()


# Postings link to a set by its key only, so its values must not change.
guards.insert_only(DimensionSet)
guards.insert_only(DimensionSetValue)
