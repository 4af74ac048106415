"""Customers, and the work done for them: projects, tasks, roles, categories, products and resources."""

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from contracts import code_lists
from contracts.identifiers import require_valid_numbers
from contracts.models.entity import (
    KID_LENGTHS,
    BillingTaxGroup,
    Coded,
    ElectronicAddressSchemeField,
    ItemTaxGroup,
    KidContent,
    LegalEntity,
    OrganizationalUnit,
    PaymentReferenceKind,
    PaymentTerm,
    address_has_a_scheme,
)
from contracts.models.permissions import ReachQuerySet
from invoicing_site.floor import formatting, searching
from invoicing_site.floor.fields import CurrencyField


class TransactionClass(models.TextChoices):
    TIME = "time", "time"
    EXPENSE = "expense", "expense"
    MATERIAL = "material", "material"
    FEE = "fee", "fee"
    MILESTONE = "milestone", "milestone"
    RETAINER = "retainer", "retainer"
    TAX = "tax", "tax"


def managed_contracts(user):
    """The keys of the project manager's own contracts.

    The user manages the contract, or a project that one of its lines bills.
    """
    own = apps.get_model("contracts", "ProjectContract").managers.through.objects.filter(user=user)
    lines = apps.get_model("contracts", "ContractLine").objects.filter(project__in=managed_projects(user))
    return own.order_by().values("projectcontract").union(lines.order_by().values("contract"))


class CustomerQuerySet(ReachQuerySet):
    view_permission = "customer.view"

    def of_manager(self, user):
        return Q(contract_customers__contract__in=managed_contracts(user))

    def reachable(self, user, permission):
        # A customer of several contracts would be returned several times.
        found = super().reachable(user, permission)
        return self.filter(pk__in=found.values("pk"))


class Customer(models.Model):
    """A customer: the party that is billed."""

    class Delivery(models.TextChoices):
        MAIL = "mail", "mail"
        E_INVOICE = "einvoice", "e-invoice"
        BOTH = "both", "mail and e-invoice"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="customers"
    )
    number = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    currency = CurrencyField()
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    payment_term = models.ForeignKey(PaymentTerm, models.PROTECT, null=True, blank=True, db_index=False)
    billing_tax_group = models.ForeignKey(
        BillingTaxGroup, models.PROTECT, null=True, blank=True, db_index=False
    )
    organization_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField("VAT number", max_length=40, blank=True)
    electronic_address_scheme = ElectronicAddressSchemeField(blank=True)
    electronic_address = models.CharField(max_length=100, blank=True)
    delivery = models.CharField(max_length=8, choices=Delivery, default=Delivery.MAIL)
    contact_name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    street = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, default="NO")
    buyer_reference = models.CharField(max_length=100, blank=True)
    payment_reference_kind = models.CharField(
        "payment reference",
        max_length=6,
        choices=PaymentReferenceKind,
        blank=True,
        help_text="If empty: the setting of the legal entity",
    )
    kid_length = models.PositiveSmallIntegerField(
        "KID length",
        null=True,
        blank=True,
        validators=KID_LENGTHS,
        help_text="If empty: the setting of the legal entity",
    )
    kid_holds = models.CharField(
        "KID content",
        max_length=7,
        choices=KidContent,
        blank=True,
        help_text="If empty: the setting of the legal entity",
    )

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "number"],
                name="customer_number_once",
                violation_error_message="Another customer of this legal entity already has this number.",
            ),
            address_has_a_scheme("customer_electronic_address_has_a_scheme"),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("customer", args=[self.pk])

    def clean(self):
        require_valid_numbers(self)


class CustomerContact(models.Model):
    """A contact person at a customer, with an address."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200)
    email = models.EmailField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "email"],
                name="customer_contact_once",
                violation_error_message="This customer already has a contact with this address.",
            )
        ]

    def __str__(self):
        return self.name


class ProjectGroup(Coded):
    """Projects that are posted to the same accounts."""

    class Meta(Coded.Meta):
        default_related_name = "project_groups"


def managers_of(model, entity):
    """The users who manage rows of the model, contracts or projects, in the entity."""
    own = {f"{model._meta.model_name}__entity": entity}
    managing = model.managers.through.objects.filter(user=OuterRef("pk"), **own)
    return model.managers.field.related_model.objects.filter(Exists(managing))


def managed_projects(user):
    """The keys of the projects of which a project manager approves the entries."""
    return Project.managers.through.objects.filter(user=user).values("project")


class ProjectQuerySet(ReachQuerySet):
    view_permission = "project.view"

    def of_manager(self, user):
        return Q(pk__in=managed_projects(user)) | Q(pk__in=_projects_of(managed_contracts(user)))

    def open_for_entries(self):
        return self.filter(is_open=True)


def _projects_of(contracts):
    lines = apps.get_model("contracts", "ContractLine").objects
    return lines.filter(contract__in=contracts).values("project")


class Project(Coded):
    """A project: work on tasks, with a project manager."""

    group = models.ForeignKey(ProjectGroup, models.PROTECT, null=True, blank=True)
    billing_tax_group = models.ForeignKey(
        BillingTaxGroup, models.PROTECT, null=True, blank=True, db_index=False
    )
    managers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="managed_projects")
    starts = models.DateField(null=True, blank=True)
    ends = models.DateField(null=True, blank=True)
    is_open = models.BooleanField("open for entries", default=True)

    objects = ProjectQuerySet.as_manager()

    class Meta(Coded.Meta):
        default_related_name = "projects"

    def __str__(self):
        return f"{self.code} {self.name}"

    def get_absolute_url(self):
        return reverse("project", args=[self.pk])


class Task(models.Model):
    """A task of a project; tasks form a tree."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="tasks")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["project", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "code"],
                name="task_code_once",
                violation_error_message="Another task of this project already has this code.",
            )
        ]

    def __str__(self):
        return f"{self.code} {self.name}"


class Role(Coded):
    """A role in which a resource works; it decides the price of time."""

    is_chargeable = models.BooleanField("chargeable", default=True)

    class Meta(Coded.Meta):
        default_related_name = "roles"


class Category(Coded):
    """The kind of an entry of time, an expense or a fee; it decides the item tax group."""

    class Class(models.TextChoices):
        TIME = "time", "time"
        EXPENSE = "expense", "expense"
        FEE = "fee", "fee"

    transaction_class = models.CharField(max_length=10, choices=Class)
    code = models.CharField(max_length=60)
    is_chargeable = models.BooleanField("chargeable", default=True)
    is_disbursement = models.BooleanField(
        "disbursement", default=False, help_text="Paid on behalf of the customer: no revenue and no tax"
    )
    item_tax_group = models.ForeignKey(ItemTaxGroup, models.PROTECT, null=True, blank=True, db_index=False)

    class Meta(Coded.Meta):
        default_related_name = "categories"
        verbose_name_plural = "categories"
        ordering = ["transaction_class", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "transaction_class", "code"],
                name="category_code_once",
                violation_error_message=(
                    "Another category of this class and legal entity already has this code."
                ),
            )
        ]


class MeasureUnit(models.Model):
    """The code of a legal entity's unit in electronic invoices (UNECE Recommendation 20)."""

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="measure_units"
    )
    unit = models.CharField(max_length=10, help_text="As used in prices and entries, such as km")
    code = models.CharField("UNECE code", max_length=3, choices=code_lists.choices(code_lists.UNITS))

    class Meta:
        verbose_name = "unit of measure"
        verbose_name_plural = "units of measure"
        ordering = ["unit"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "unit"],
                name="measure_unit_once",
                violation_error_message="This legal entity already has a code for this unit.",
            )
        ]

    def __str__(self):
        return self.unit


class Product(Coded):
    """A product that can be used as material."""

    code = models.CharField(max_length=60)
    unit = models.CharField(max_length=10, default="each")
    item_tax_group = models.ForeignKey(ItemTaxGroup, models.PROTECT, null=True, blank=True, db_index=False)

    class Meta(Coded.Meta):
        default_related_name = "products"


class Resource(Coded):
    """A person who does the work; linked to a user if the person has a login."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="resources"
    )
    role = models.ForeignKey(
        Role, models.PROTECT, null=True, blank=True, help_text="Applies until the first position below begins"
    )
    unit = models.ForeignKey(
        OrganizationalUnit,
        models.PROTECT,
        null=True,
        blank=True,
        help_text="Applies until the first position below begins",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta(Coded.Meta):
        default_related_name = "resources"
        constraints = [
            *Coded.Meta.constraints,
            models.UniqueConstraint(
                fields=["entity", "user"],
                name="resource_user_once",
                violation_error_message="This user is already a resource of this legal entity.",
            ),
        ]


class ResourcePosition(models.Model):
    """The role and unit of a resource from a day on: a promotion or a transfer (APP-9).

    The latest one on or before the day of the work applies. Before the first one, the values of the resource
    itself apply.
    """

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="positions")
    valid_from = models.DateField()
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True, db_index=False)
    unit = models.ForeignKey(OrganizationalUnit, models.PROTECT, null=True, blank=True, db_index=False)

    class Meta:
        verbose_name = "position"
        ordering = ["resource", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "valid_from"],
                name="resource_position_once_a_day",
                violation_error_message="This resource already has a position from this date.",
            )
        ]

    def __str__(self):
        return f"{self.role or 'no role'} from {formatting.day(self.valid_from)}"


searching.declare(Customer, "number", "name", "organization_number", "city")
searching.declare(Project, "code", "name")
searching.declare(Task, "name")
searching.declare(Resource, "code", "name")
