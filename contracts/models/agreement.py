"""The project contract: its customers, its lines, the work that each line covers, and how it is billed."""

import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from contracts.identifiers import require_valid_numbers
from contracts.models.entity import (
    BillingTaxGroup,
    Coded,
    ElectronicAddressSchemeField,
    OrganizationalUnit,
    PaymentTerm,
    address_has_a_scheme,
)
from contracts.models.permissions import ReachQuerySet
from contracts.models.work import Category, Customer, Project, Role, Task, managed_contracts
from invoicing_site.floor import searching
from invoicing_site.floor.fields import AmountField, CurrencyField, PercentField, RateField
from invoicing_site.floor.moves import STAYS, Move, Moves


class ContractQuerySet(ReachQuerySet):
    view_permission = "contract.view"

    def of_manager(self, user):
        return Q(pk__in=managed_contracts(user))

    def confirmed(self):
        return self.filter(status=ProjectContract.Status.CONFIRMED)


class ProjectContract(Coded):
    """A project contract, a draft until it is confirmed.

    Its row is the lock for everything billed under it.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        CONFIRMED = "confirmed", "confirmed"
        CLOSED = "closed", "closed"

    MOVES = Moves(
        Move(Status.DRAFT, "apply_default_price_lists", STAYS, "setup.change"),
        Move(Status.DRAFT, "generate_milestones", STAYS, "setup.change"),
        Move((Status.DRAFT, Status.CONFIRMED), "generate_schedule", STAYS, "setup.change"),
        Move(Status.DRAFT, "confirm_contract", Status.CONFIRMED, "contract.confirm"),
        Move(Status.CONFIRMED, "create_proformas", STAYS, "proforma.create"),
        done={
            "apply_default_price_lists": _("given the default price lists"),
            "generate_milestones": _("given milestones"),
            "generate_schedule": _("given a schedule"),
            "confirm_contract": _("confirmed"),
            "create_proformas": _("invoiced"),
        },
        refusals={
            "apply_default_price_lists": "PRICE-LISTS-FIXED",
            "generate_milestones": "MILESTONES-FIXED",
            "generate_schedule": "CONTRACT-CLOSED",
            "create_proformas": "CONTRACT-NOT-CONFIRMED",
        },
    )

    currency = CurrencyField()
    unit = models.ForeignKey(
        OrganizationalUnit, models.PROTECT, null=True, blank=True, verbose_name="contracting unit"
    )
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    managers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="managed_contracts")
    starts = models.DateField(null=True, blank=True)
    ends = models.DateField("requested end", null=True, blank=True)
    limit = AmountField("not-to-exceed limit", null=True, blank=True, in_currency="currency")
    fixed_exchange_rate = RateField(
        null=True,
        blank=True,
        help_text=(
            "Units of the accounting currency for one unit of the contract's currency; converts net sales "
            "amounts only"
        ),
    )
    billing_tax_group = models.ForeignKey(
        BillingTaxGroup, models.PROTECT, null=True, blank=True, db_index=False
    )
    place_of_delivery = models.CharField(
        max_length=200,
        blank=True,
        help_text="Printed on invoices; if empty: the buyer's city",
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as_lost = models.BooleanField(default=False)

    objects = ContractQuerySet.as_manager()

    class Meta(Coded.Meta):
        default_related_name = "contracts"
        verbose_name = "contract"
        constraints = [
            *Coded.Meta.constraints,
            models.CheckConstraint(
                name="contract_confirmed_has_a_time",
                condition=Q(status="draft") | Q(confirmed_at__isnull=False) | Q(closed_as_lost=True),
                violation_error_message="A confirmed contract needs the time of confirmation.",
            ),
            models.CheckConstraint(
                name="contract_limit_is_positive",
                condition=Q(limit__gt=0) | Q(limit=None),
                violation_error_message="A limit must be more than 0. Leave it empty for no limit.",
            ),
        ]

    def __str__(self):
        return f"{self.code} {self.name}"

    def get_absolute_url(self):
        return reverse("contract", args=[self.pk])


class ContractRevision(models.Model):
    """A dated amendment of a confirmed contract; it has no effect before it is confirmed (CON-10)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        CONFIRMED = "confirmed", "confirmed"

    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="revisions")
    number = models.PositiveSmallIntegerField()
    effective_on = models.DateField()
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "number"],
                name="revision_number_once",
                violation_error_message="Another revision of this contract already has this number.",
            )
        ]

    def __str__(self):
        return f"revision {self.number}"


class BillTo(models.Model):
    """To whom and how an invoice is sent: on the contract, and copied from there to a proforma (CON-9)."""

    bill_to_name = models.CharField(max_length=200, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    street = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    organization_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField("VAT number", max_length=40, blank=True)
    electronic_address_scheme = ElectronicAddressSchemeField(blank=True)
    electronic_address = models.CharField(max_length=100, blank=True)
    payment_term = models.ForeignKey(PaymentTerm, models.PROTECT, null=True, blank=True, db_index=False)
    buyer_reference = models.CharField(max_length=100, blank=True)

    class Meta:
        abstract = True


class ContractCustomer(BillTo):
    """A customer of a contract, with its share of the billing and its billing address (CON-1, CON-9)."""

    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="customers")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contract_customers")
    is_primary = models.BooleanField("primary", default=False)
    split = PercentField("billing split %")
    is_rounding = models.BooleanField("takes the rounding", default=False)
    limit = AmountField("not-to-exceed limit", null=True, blank=True, in_currency="contract__currency")

    class Meta:
        ordering = ["contract", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "customer"],
                name="contract_customer_once",
                violation_error_message="This customer is already on the contract.",
            ),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(is_primary=True),
                name="contract_one_primary_customer",
                violation_error_message="A contract can have only one primary customer.",
            ),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(is_rounding=True),
                name="contract_one_rounding_customer",
                violation_error_message="Only one customer can take the rounding of a contract.",
            ),
            models.CheckConstraint(
                name="contract_customer_split_is_a_share",
                condition=Q(split__gte=0, split__lte=100),
                violation_error_message="A billing split must be between 0 and 100 %%.",
            ),
            models.CheckConstraint(
                name="numbers_of_a_bill_to_have_a_name",
                condition=~Q(bill_to_name="")
                | Q(organization_number="", vat_number="", electronic_address=""),
                violation_error_message=("Numbers and an electronic address need a bill-to name."),
            ),
            address_has_a_scheme("bill_to_electronic_address_has_a_scheme"),
        ]

    def __str__(self):
        return f"contract customer {self.pk}"

    def clean(self):
        require_valid_numbers(self, country=self.customer.country if self.customer_id else "")


class PurchaseOrder(models.Model):
    """A customer's order number, with the dates and the amount for which it is valid (CON-9)."""

    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="purchase_orders")
    number = models.CharField(max_length=60)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    amount = AmountField(
        null=True,
        blank=True,
        in_currency="contract_customer__contract__currency",
        help_text="Net, in the contract's currency; if empty: no limit",
    )

    class Meta:
        verbose_name = "order number"
        ordering = ["contract_customer", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract_customer", "number"],
                name="purchase_order_once",
                violation_error_message="This customer already has this order number.",
            ),
            models.CheckConstraint(
                name="purchase_order_dates_in_order",
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_from__lte=F("valid_to")),
                violation_error_message="An order must end on or after its first day.",
            ),
            models.CheckConstraint(
                name="purchase_order_amount_is_positive",
                condition=Q(amount__gt=0) | Q(amount=None),
                violation_error_message="An order amount must be more than 0. Leave it empty for no limit.",
            ),
        ]

    def __str__(self):
        return self.number

    def is_valid_on(self, day: datetime.date) -> bool:
        """Whether the day is within its dates; an empty date means no limit (CON-12)."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class ContractPriceList(models.Model):
    """A sales price list that applies to a contract; lists without such a row do not apply (PRC-6)."""

    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="contract_price_lists")
    price_list = models.ForeignKey("contracts.PriceList", models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "price_list"],
                name="contract_price_list_once",
                violation_error_message="The contract already has this price list.",
            )
        ]

    def __str__(self):
        return f"price list {self.price_list_id}"


class ContractLine(models.Model):
    """A line of a contract: the billing method of a project or some tasks, and of some classes of work."""

    class BillingMethod(models.TextChoices):
        TIME_AND_MATERIAL = "tm", "time and material"
        FIXED_PRICE = "fixed", "fixed price"

    contract = models.ForeignKey(ProjectContract, models.PROTECT, related_name="lines")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    billing_method = models.CharField(max_length=5, choices=BillingMethod)
    project = models.ForeignKey(Project, models.PROTECT, related_name="contract_lines")
    entire_project = models.BooleanField(default=True)
    includes_time = models.BooleanField(
        default=True,
        help_text="For each project and task, only one confirmed line can cover a class of work on a date",
    )
    includes_expense = models.BooleanField(default=True)
    includes_material = models.BooleanField(default=True)
    includes_fee = models.BooleanField(default=True)
    starts = models.DateField(null=True, blank=True)
    ends = models.DateField(null=True, blank=True)
    contract_amount = AmountField(
        null=True,
        blank=True,
        in_currency="contract__currency",
        help_text="For a fixed price: the total of the milestones",
    )
    estimate = AmountField(
        null=True,
        blank=True,
        in_currency="contract__currency",
        help_text="For time and material: the expected amount",
    )
    limit = AmountField("not-to-exceed limit", null=True, blank=True, in_currency="contract__currency")
    frequency = models.ForeignKey(
        "contracts.InvoiceFrequency", models.PROTECT, null=True, blank=True, db_index=False
    )
    billing_starts = models.DateField(
        null=True,
        blank=True,
        help_text="The first possible invoice date; if empty: the start of the line or the contract",
    )
    revision = models.ForeignKey(
        ContractRevision, models.PROTECT, null=True, blank=True, related_name="lines", db_index=False
    )
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")

    class Meta:
        ordering = ["contract", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "number"],
                name="contract_line_number_once",
                violation_error_message="Another line of this contract already has this number.",
            ),
            models.CheckConstraint(
                name="fixed_price_line_has_an_amount",
                condition=~Q(billing_method="fixed") | Q(contract_amount__isnull=False),
                violation_error_message="A fixed-price line needs its contract amount.",
            ),
            models.CheckConstraint(
                name="contract_line_dates_in_order",
                condition=Q(starts=None) | Q(ends=None) | Q(starts__lte=F("ends")),
                violation_error_message="A contract line must end on or after its first day.",
            ),
            models.CheckConstraint(
                name="line_limit_is_positive",
                condition=Q(limit__gt=0) | Q(limit=None),
                violation_error_message="A limit must be more than 0. Leave it empty for no limit.",
            ),
        ]

    def __str__(self):
        return f"{self.number} {self.name}"

    def includes(self, transaction_class):
        """Whether this line covers entries of that class (CON-2)."""
        return getattr(self, f"includes_{transaction_class}")


class ContractLineTask(models.Model):
    """A task that a line on selected tasks covers, and whether work on it is chargeable (CON-3)."""

    line = models.ForeignKey(ContractLine, models.CASCADE, related_name="line_tasks")
    task = models.ForeignKey(Task, models.PROTECT, related_name="+")
    is_chargeable = models.BooleanField("chargeable", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "task"],
                name="line_task_once",
                violation_error_message="The line already has this task.",
            )
        ]

    def __str__(self):
        return f"task {self.task_id}"


class ContractLineRole(models.Model):
    """Whether a line charges work of a role; it overrides the setting of the role itself (CON-3)."""

    line = models.ForeignKey(ContractLine, models.CASCADE, related_name="line_roles")
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
    is_chargeable = models.BooleanField("chargeable", default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "role"],
                name="line_role_once",
                violation_error_message="The line already has this role.",
            )
        ]

    def __str__(self):
        return f"role {self.role_id}"


class ContractLineCategory(models.Model):
    """Whether a line charges work of a category; it overrides the setting of the category itself (CON-3)."""

    line = models.ForeignKey(ContractLine, models.CASCADE, related_name="line_categories")
    category = models.ForeignKey(Category, models.PROTECT, related_name="+")
    is_chargeable = models.BooleanField("chargeable", default=True)

    class Meta:
        verbose_name_plural = "contract line categories"
        constraints = [
            models.UniqueConstraint(
                fields=["line", "category"],
                name="line_category_once",
                violation_error_message="The line already has this category.",
            )
        ]

    def __str__(self):
        return f"category {self.category_id}"


class LineCustomer(models.Model):
    """A customer's share of one contract line; by default that of the contract, and may differ (CON-1)."""

    line = models.ForeignKey(ContractLine, models.PROTECT, related_name="customers")
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="line_customers")
    split = PercentField("billing split %")
    is_rounding = models.BooleanField("takes the rounding", default=False)
    limit = AmountField("not-to-exceed limit", null=True, blank=True, in_currency="line__contract__currency")

    class Meta:
        ordering = ["line", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "contract_customer"],
                name="line_customer_once",
                violation_error_message="This customer is already on the line.",
            ),
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(is_rounding=True),
                name="line_one_rounding_customer",
                violation_error_message="Only one customer can take the rounding of a line.",
            ),
            models.CheckConstraint(
                name="line_customer_split_is_a_share",
                condition=Q(split__gte=0, split__lte=100),
                violation_error_message="A billing split must be between 0 and 100 %%.",
            ),
        ]

    def __str__(self):
        return f"line customer {self.pk}"


searching.declare(ProjectContract, "code", "name")
