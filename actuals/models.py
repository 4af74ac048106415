"""What happened: entries that users make, and the immutable actuals that follow from them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contracts.models import (
    Category,
    CategoryPrice,
    ContractCustomer,
    ContractLine,
    LegalEntity,
    MilestonePart,
    OrganizationalUnit,
    PriceList,
    Product,
    ProductPrice,
    Project,
    ProjectContract,
    ReachQuerySet,
    Resource,
    Retainer,
    Role,
    RolePrice,
    RolePriceOverride,
    Task,
    TransactionClass,
    managed_contracts,
    managed_projects,
)
from invoicing_site.floor import formatting, guards, seals, searching
from invoicing_site.floor.fields import AmountField, CurrencyField, PercentField, PriceField, QuantityField
from invoicing_site.floor.moves import GONE, Move, Moves
from invoicing_site.floor.queues import Queued
from invoicing_site.floor.reasons import ReasonField
from invoicing_site.models import StoredFile


class BillingType(models.TextChoices):
    CHARGEABLE = "chargeable", "chargeable"
    NON_CHARGEABLE = "non_chargeable", "non-chargeable"
    COMPLIMENTARY = "complimentary", "complimentary"


# Below this key the mapping of an import stores the name of the file, if it was stored under another name.
NAMED = "file_name"


class ImportQuerySet(ReachQuerySet):
    view_permission = "entry.import"

    def of_manager(self, user):
        return Q(imported_by=user)

    def at_work(self):
        """Requested, and neither finished nor failed."""
        return self.filter(status__in=[EntryImport.Status.QUEUED, EntryImport.Status.RUNNING])


class EntryImport(models.Model):
    """One file of entries: imported completely, or not at all if it failed (IMP-1)."""

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running", "running"
        FINISHED = "finished", "imported"
        FAILED = "failed", "failed"

    class Format(models.TextChoices):
        LEDGERLINE = "ledgerline", "Ledgerline"
        KIMAI = "kimai", "Kimai"
        HARVEST = "harvest", "Harvest"
        TOGGL = "toggl", "Toggl Track"
        CLOCKIFY = "clockify", "Clockify"
        SOLIDTIME = "solidtime", "Solidtime"
        JIRA = "jira", "Jira / Tempo"
        DYNAMICS = "dynamics", "Dynamics 365"
        ODOO = "odoo", "Odoo"
        EVERHOUR = "everhour", "Everhour"
        HARVEST_EXPENSES = "harvest_expenses", "Harvest expenses"
        EXPENSIFY = "expensify", "Expensify"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="entry_imports"
    )
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", db_index=False)
    format = models.CharField(max_length=20, choices=Format, default=Format.LEDGERLINE)
    mapping = models.JSONField(default=dict, blank=True, help_text="The column of the file for each field")
    rows = models.PositiveIntegerField(help_text="Rows in the file")
    added = models.PositiveIntegerField(help_text="New entries")
    status = models.CharField(max_length=8, choices=Status, default=Status.FINISHED)
    message = ReasonField(help_text="Why the import failed or added no entries")
    submits = models.BooleanField(default=False, help_text="The new entries are submitted for approval")
    imported_at = models.DateTimeField(
        default=timezone.now, help_text="While the import runs: the time of the request"
    )
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = "import"
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "file"],
                condition=Q(status__in=["queued", "running"]),
                name="import_of_a_file_runs_once",
            ),
        ]

    def __str__(self):
        return f"import {self.pk}"

    def get_absolute_url(self):
        return reverse("import", args=[self.pk])

    @property
    def name(self) -> str:
        """The name of the file at this import; the bytes are stored once, under their first name."""
        return self.mapping.get(NAMED) or self.file.name

    @property
    def is_at_work(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


# Fields that distinguish entries of the same day with the same hours.
NAMED_BY = ("project", "task", "category", "product")


class EntryQuerySet(ReachQuerySet):
    view_permission = "entry.view"

    def of_manager(self, user):
        return Q(project__in=managed_projects(user))

    def of_member(self, user):
        # Their keys, because PostgreSQL uses no index for a subquery in an alternative.
        own = list(Resource.objects.filter(user=user).values_list("pk", flat=True))
        return Q(resource__in=own) | Q(resource=None, created_by=user)

    def submitted(self):
        """Entries that wait for an approver."""
        return self.filter(status=Entry.Status.SUBMITTED)


class Entry(models.Model):
    """Time, an expense, material or a fee as a user entered it, to be approved (APP-1)."""

    class Class(models.TextChoices):
        TIME = "time", "time"
        EXPENSE = "expense", "expense"
        MATERIAL = "material", "material"
        FEE = "fee", "fee"

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        SUBMITTED = "submitted", "submitted"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"
        RECALL = "recall", "recall requested"

    MOVES = Moves(
        Move((Status.DRAFT, Status.REJECTED), "amend", Status.DRAFT, "entry.write"),
        Move((Status.DRAFT, Status.REJECTED), "delete", GONE, "entry.write"),
        Move((Status.DRAFT, Status.REJECTED), "submit", Status.SUBMITTED, "entry.write"),
        Move(Status.SUBMITTED, "recall", Status.DRAFT, "entry.write"),
        Move(Status.SUBMITTED, "approve", Status.APPROVED, "entry.approve"),
        Move(Status.SUBMITTED, "reject", Status.REJECTED, "entry.approve"),
        Move(Status.APPROVED, "cancel_approval", Status.SUBMITTED, "entry.approve"),
        Move(Status.RECALL, "cancel_approval", Status.DRAFT, "entry.approve"),
        done={
            "amend": _("changed"),
            "delete": _("deleted"),
            "submit": _("submitted"),
            "recall": _("recalled"),
            "approve": _("approved"),
            "reject": _("rejected"),
            "cancel_approval": _("reopened"),
        },
    )

    class ImportedBilling(models.TextChoices):
        NON_CHARGEABLE = "non_chargeable", "non-chargeable"
        COST_ONLY = "cost_only", "cost only, invoiced elsewhere"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="entries"
    )
    transaction_class = models.CharField(max_length=10, choices=Class, default=Class.TIME)
    date = models.DateField()
    project = models.ForeignKey(Project, models.PROTECT, related_name="entries")
    task = models.ForeignKey(Task, models.PROTECT, null=True, blank=True, db_index=False)
    resource = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, related_name="entries")
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, db_index=False)
    quantity = QuantityField(help_text="Hours for time")
    unit = models.CharField(max_length=10, default="h")
    description = models.CharField(max_length=500, blank=True)
    internal_comment = models.CharField(max_length=500, blank=True)

    # The values that price it, set when it is submitted, and again when it is submitted again (APP-9).
    priced_role = models.ForeignKey(
        Role, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    priced_unit = models.ForeignKey(
        OrganizationalUnit, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    priced_company = models.ForeignKey(
        LegalEntity, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    # Expenses, material and fees have a cost or a price of their own (APP-8).
    cost_currency = CurrencyField(blank=True)
    cost_net = AmountField("net cost", null=True, blank=True, help_text="Without tax, for the whole entry")
    cost_tax = AmountField("tax", null=True, blank=True)
    cost_tax_deductible = AmountField("deductible tax", null=True, blank=True)
    sales_price = PriceField(null=True, blank=True, help_text="For fees: the agreed unit price")
    receipt = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    external_program = models.CharField(
        max_length=20, blank=True, help_text="The program that the external id comes from"
    )
    external_id = models.CharField(max_length=100, blank=True)
    source = models.ForeignKey(
        EntryImport, models.PROTECT, null=True, blank=True, related_name="entries", db_index=False
    )
    corrects = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrected_by",
        help_text="The entry that this entry replaces",
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decision_comment = models.CharField(max_length=500, blank=True)
    billable_quantity = QuantityField(
        null=True,
        blank=True,
        help_text="The quantity that was approved for billing; empty: the whole quantity",
    )
    billing_type = models.CharField(
        max_length=14,
        choices=BillingType,
        blank=True,
        help_text="Set by the approver; empty: according to the contract line",
    )
    imported_billing = models.CharField(
        "imported billing",
        max_length=14,
        choices=ImportedBilling,
        blank=True,
        help_text="As imported from the other program; the approver can choose another billing type",
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "external_program", "external_id"],
                condition=~Q(external_id=""),
                name="entry_external_id_once",
            ),
            models.CheckConstraint(name="entry_has_a_quantity", condition=~Q(quantity=0)),
            models.CheckConstraint(
                name="entry_names_what_it_is",
                condition=Q(transaction_class="time", resource__isnull=False)
                | Q(transaction_class="material", product__isnull=False)
                | Q(transaction_class__in=["expense", "fee"], category__isnull=False),
                violation_error_message=(
                    "Time needs a resource, material needs a product, and expenses and fees need a category."
                ),
            ),
            models.CheckConstraint(
                name="entry_is_priced_from_submitting_on",
                condition=Q(status__in=["draft", "rejected"])
                | Q(resource=None)
                | Q(priced_company__isnull=False),
            ),
            models.CheckConstraint(
                name="entry_decision_has_a_time",
                condition=Q(status__in=["draft", "submitted"]) | Q(decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["project", "status", "date"], name="entry_by_project"),
            models.Index(fields=["resource", "date"], name="entry_by_week"),
            models.Index(
                fields=["entity", "date", "id"], condition=Q(status="submitted"), name="entry_submitted"
            ),
            models.Index(
                fields=["entity", "date"],
                condition=Q(status__in=["draft", "submitted", "recall"]),
                name="entry_open",
            ),
            models.Index(
                fields=["entity", "decided_at", "id"],
                condition=Q(status__in=["approved", "recall"]),
                name="entry_approved",
            ),
        ]

    def __str__(self):
        return f"{self.get_transaction_class_display()} entry {self.pk} of {formatting.day(self.date)}"

    def get_absolute_url(self):
        return reverse("entry", args=[self.pk])


class Batch(models.Model):
    """One action that created actuals: which one, by whom, when, and its accounting date (JRN-7)."""

    class Action(models.TextChoices):
        APPROVE = "approve", "approved"
        CANCEL = "cancel", "approval canceled"
        CORRECT = "correct", "corrected"
        CONFIRM_CONTRACT = "contract", "contract confirmed"
        CONFIRM_PROFORMA = "proforma", "proforma confirmed"
        ADJUST = "adjust", "adjusted"
        CUTOVER = "cutover", "brought in at cutover"

    entity = models.ForeignKey(LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="+")
    action = models.CharField(max_length=8, choices=Action)
    on = models.DateField("date", help_text="The date of the action in the time zone of the legal entity")
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

    class Meta:
        verbose_name_plural = "batches"

    def __str__(self):
        return f"{self.get_action_display()} on {formatting.day(self.on)}"


class PriceDecision(models.Model):
    """How a price was found: the selected row, its values, and the rows that did not apply (PRC-5, ACT-2).

    Shared by all actuals of one batch that were priced alike.
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="price_decisions")
    kind = models.CharField(max_length=5, choices=PriceList.Kind)
    price_list = models.ForeignKey(PriceList, models.PROTECT, null=True, blank=True, db_index=False)
    role_price = models.ForeignKey(RolePrice, models.PROTECT, null=True, blank=True, db_index=False)
    override = models.ForeignKey(RolePriceOverride, models.PROTECT, null=True, blank=True, db_index=False)
    category_price = models.ForeignKey(CategoryPrice, models.PROTECT, null=True, blank=True, db_index=False)
    product_price = models.ForeignKey(ProductPrice, models.PROTECT, null=True, blank=True, db_index=False)
    base_price = PriceField(default=0)
    markup = PercentField("markups %", default=0)
    price = PriceField()
    is_missing = models.BooleanField(
        "price missing", default=False, help_text="No price was found, so the price is 0"
    )
    reasoning = models.TextField(
        blank=True,
        help_text="One line for each price that was checked, with the reason why it was used or not",
    )

    def __str__(self):
        return f"{self.price}"


class ActualQuerySet(ReachQuerySet):
    view_permission = "actual.view"

    def of_manager(self, user):
        return Q(contract__in=managed_contracts(user)) | Q(contract=None, project__in=managed_projects(user))


class Actual(models.Model):
    """One immutable financial record. Inserted once, never updated or deleted (ACT-1).

    A sales actual is one customer's share. Values that change are in its backlog item.
    """

    class Type(models.TextChoices):
        COST = "cost", "cost"
        UNBILLED_SALES = "unbilled", "unbilled sales"
        BILLED_SALES = "billed", "billed sales"

    class BookedBy(models.TextChoices):
        JOURNAL = "journal", "integration journal"
        INVOICE = "invoice", "invoice"
        NOTHING = "nothing", "nothing"

    entity = models.ForeignKey(LegalEntity, models.PROTECT, verbose_name="legal entity", db_index=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="actuals")
    type = models.CharField(max_length=8, choices=Type)
    transaction_class = models.CharField(max_length=10, choices=TransactionClass)
    date = models.DateField("transaction date")
    accounting_date = models.DateField(
        help_text="The transaction date; for a reversal, the date of the action"
    )
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, related_name="actuals")
    task = models.ForeignKey(Task, models.PROTECT, null=True, blank=True, db_index=False)
    resource = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, db_index=False)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True, db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, db_index=False)
    contract = models.ForeignKey(ProjectContract, models.PROTECT, null=True, blank=True, db_index=False)
    contract_line = models.ForeignKey(
        ContractLine, models.PROTECT, null=True, blank=True, related_name="actuals", db_index=False
    )
    contract_customer = models.ForeignKey(
        ContractCustomer, models.PROTECT, null=True, blank=True, related_name="actuals"
    )
    split = PercentField("customer's share %", null=True, blank=True)
    is_rounding_share = models.BooleanField(
        "takes the rounding",
        default=False,
        help_text="This share takes the rounding of a split, so its amount can differ from quantity × price",
    )
    quantity = QuantityField()
    unit = models.CharField(max_length=10, blank=True)
    price = PriceField()
    amount = AmountField()
    currency = CurrencyField()
    billing_type = models.CharField(max_length=14, choices=BillingType, default=BillingType.CHARGEABLE)
    description = models.CharField(max_length=500, blank=True)
    booked_by = models.CharField(max_length=7, choices=BookedBy)
    price_decision = models.ForeignKey(
        PriceDecision, models.PROTECT, null=True, blank=True, related_name="actuals", db_index=False
    )

    # Its source, and its relations to other actuals.
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, blank=True, related_name="actuals")
    milestone_part = models.ForeignKey(
        MilestonePart, models.PROTECT, null=True, blank=True, related_name="actuals"
    )
    retainer = models.ForeignKey(Retainer, models.PROTECT, null=True, blank=True, related_name="actuals")
    cost = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sales",
        help_text="The cost of this sale",
    )
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")
    replaces = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        help_text="The actual that this one replaces, wholly or in part",
    )

    objects = ActualQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="sales_actual_is_a_customers_share",
                condition=Q(type="cost", contract_customer=None)
                | (~Q(type="cost") & Q(contract_customer__isnull=False, contract__isnull=False)),
            ),
            models.CheckConstraint(name="actual_does_not_reverse_itself", condition=~Q(reverses=F("id"))),
        ]
        indexes = [
            models.Index(fields=["contract_line", "type", "date"], name="actual_by_line"),
            models.Index(fields=["contract", "type", "transaction_class"], name="actual_by_contract"),
            models.Index(fields=["entity", "accounting_date"], name="actual_by_day"),
        ]

    def __str__(self):
        return f"{self.get_type_display()} {self.pk} of {formatting.day(self.date)}"


class ActualToJournal(Queued):
    """An actual that waits for its line in an integration journal (JRN-1)."""

    actual = models.OneToOneField(Actual, models.PROTECT, primary_key=True, related_name="to_journal")
    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="+", db_index=False
    )
    date = models.DateField("accounting date")

    class Meta:
        verbose_name = "actual that waits for a journal"
        verbose_name_plural = "actuals that wait for a journal"
        indexes = [models.Index(fields=["entity", "actual"], name="actual_to_journal")]

    def __str__(self):
        return f"actual {self.actual_id}"


# Actuals were created from the approved values; a correction is a separate entry (APP-6). Canceling an
# approval changes the decision together with the status, so the decision is sealed and not guarded.
_APPROVED = "OLD.status IN ('approved', 'recall')"
_DECISION = ["decided_at", "decided_by", "decision_comment", "billable_quantity", "billing_type"]
_TIMES_CANCELED = (
    "(SELECT count(DISTINCT b.id) FROM actuals_actual r JOIN actuals_batch b ON b.id = r.batch_id"
    " WHERE r.entry_id = OLD.id AND r.type = 'cost' AND r.reverses_id IS NOT NULL AND b.action = 'cancel')"
)
guards.frozen(Entry, when=_APPROVED, except_=["status", *_DECISION], unguarded=_TIMES_CANCELED)
seals.also(Entry, _DECISION, name="decision", when=_APPROVED, unguarded=_TIMES_CANCELED)
guards.insert_only(Batch)
guards.insert_only(PriceDecision)
guards.insert_only(Actual)
guards.fixed(ActualToJournal, "actual", "entity", "date")
searching.declare(Entry, "description", "external_id")
