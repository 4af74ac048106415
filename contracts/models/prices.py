"""Price lists: the cost and the sales price of work, by date (PRC-1 to PRC-6)."""

import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from contracts.models.agreement import ProjectContract
from contracts.models.entity import Coded, LegalEntity, OrganizationalUnit
from contracts.models.work import Category, Customer, Product, Role
from invoicing_site.floor import formatting
from invoicing_site.floor.fields import CurrencyField, PercentField, PriceField


class PriceList(Coded):
    """Prices of one kind in one currency for a range of dates.

    Its owner is the entity (a standard list), a customer or a contract, or for costs an organizational unit.
    The ranges of one owner do not overlap for one kind and currency.
    """

    class Kind(models.TextChoices):
        SALES = "sales", "sales"
        COST = "cost", "cost"

    kind = models.CharField(max_length=5, choices=Kind)
    currency = CurrencyField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="price_lists")
    contract = models.ForeignKey(
        ProjectContract, models.PROTECT, null=True, blank=True, related_name="own_price_lists"
    )
    unit = models.ForeignKey(
        OrganizationalUnit, models.PROTECT, null=True, blank=True, related_name="price_lists"
    )

    class Meta(Coded.Meta):
        default_related_name = "price_lists"
        constraints = [
            *Coded.Meta.constraints,
            models.CheckConstraint(
                name="price_list_dates_in_order",
                condition=Q(valid_to=None) | Q(valid_from__lte=F("valid_to")),
                violation_error_message="A price list must end on or after its first day.",
            ),
            models.CheckConstraint(
                name="price_list_has_one_owner",
                condition=Q(customer=None, contract=None)
                | Q(customer=None, unit=None)
                | Q(contract=None, unit=None),
                violation_error_message="A price list can belong to only one customer, contract or unit.",
            ),
        ]

    def clean(self):
        """Refuse an owner of the wrong kind, and dates that overlap another list of the owner (PRC-1)."""
        if self.kind == self.Kind.COST and (self.customer_id or self.contract_id):
            raise ValidationError("A cost price list belongs to the legal entity or to one of its units.")
        if self.kind == self.Kind.SALES and self.unit_id:
            raise ValidationError("A sales price list belongs to the legal entity, a customer or a contract.")
        if self.valid_from is None:
            return  # the field has its own error message
        others = PriceList.objects.filter(entity=self.entity_id, kind=self.kind, currency=self.currency)
        for other in others.exclude(pk=self.pk):
            if self.overlaps(other):
                until = formatting.day(other.valid_to) if other.valid_to else "further notice"
                raise ValidationError(
                    f"Price list “{other}” of the same owner is valid from "
                    f"{formatting.day(other.valid_from)} until {until}. End one before the other starts."
                )

    def overlaps(self, other):
        """Whether both have the same owner, kind and currency, and a common day."""
        forever = datetime.date.max
        return self._owner() == other._owner() and max(self.valid_from, other.valid_from) <= min(
            self.valid_to or forever, other.valid_to or forever
        )

    def _owner(self):
        owner = self.customer_id, self.contract_id, self.unit_id
        return self.entity_id, self.kind, self.currency, *owner


def _not_negative(name):
    """The constraint that a price is 0 or more. For a credit, the quantity is negative."""
    return models.CheckConstraint(
        name=name,
        condition=Q(price__gte=0) | Q(price=None),
        violation_error_message="A price must be 0 or more.",
    )


def _leaves_a_price(name, field):
    """The constraint that a markup is -100 % or more."""
    return models.CheckConstraint(
        name=name,
        condition=Q((f"{field}__gte", -100)) | Q((field, None)),
        violation_error_message="A markup must be −100 %% or more.",
    )


class RolePrice(models.Model):
    """The price of one unit, usually an hour, of a role; an empty dimension means any (PRC-6)."""

    price_list = models.ForeignKey(PriceList, models.CASCADE, related_name="role_prices")
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True)
    company = models.ForeignKey(
        LegalEntity, models.PROTECT, null=True, blank=True, verbose_name="resourcing company"
    )
    unit = models.ForeignKey(
        OrganizationalUnit, models.PROTECT, null=True, blank=True, verbose_name="resourcing unit"
    )
    price = PriceField()

    class Meta:
        constraints = [
            # An empty dimension is compared too, on both databases.
            models.UniqueConstraint(
                "price_list",
                Coalesce("role", 0),
                Coalesce("company", 0),
                Coalesce("unit", 0),
                name="role_price_once",
                violation_error_message="The list already has a price for this role, company and unit.",
            ),
            _not_negative("role_price_is_not_negative"),
        ]

    def __str__(self):
        return formatting.number(self.price)


class RolePriceOverride(models.Model):
    """A price in place of a role price until the next override, for all or for one customer or contract."""

    role_price = models.ForeignKey(RolePrice, models.CASCADE, related_name="overrides")
    valid_from = models.DateField()
    price = PriceField()
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True)
    contract = models.ForeignKey(ProjectContract, models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="price_override_has_one_scope",
                condition=Q(customer=None) | Q(contract=None),
                violation_error_message="An override is for one customer, one contract or all.",
            ),
            models.UniqueConstraint(
                "role_price",
                "valid_from",
                Coalesce("customer", 0),
                Coalesce("contract", 0),
                name="price_override_once_a_day",
                violation_error_message="There is already an override from this date.",
            ),
            _not_negative("price_override_is_not_negative"),
        ]

    def __str__(self):
        return f"{formatting.number(self.price)} from {formatting.day(self.valid_from)}"


class PriceMarkup(models.Model):
    """A percentage added to the price of a category (overtime) or a role; several markups add up (PRC-4)."""

    price_list = models.ForeignKey(PriceList, models.CASCADE, related_name="markups")
    name = models.CharField(max_length=100)
    category = models.ForeignKey(Category, models.PROTECT, null=True, blank=True)
    role = models.ForeignKey(Role, models.PROTECT, null=True, blank=True)
    percent = PercentField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "name"],
                name="price_markup_name_once",
                violation_error_message="Another markup of this list already has this name.",
            ),
            _leaves_a_price("price_markup_leaves_a_price", "percent"),
        ]

    def __str__(self):
        return f"{self.name} {formatting.number(self.percent)} %"


class CategoryPrice(models.Model):
    """How an expense or a fee is priced (PRC-3)."""

    class Method(models.TextChoices):
        PER_UNIT = "unit", "price per unit"
        AT_COST = "cost", "at cost"
        MARKUP = "markup", "markup % over cost"

    price_list = models.ForeignKey(PriceList, models.CASCADE, related_name="category_prices")
    category = models.ForeignKey(Category, models.PROTECT)
    unit = models.CharField(max_length=10, default="each")
    method = models.CharField(max_length=6, choices=Method)
    price = PriceField(null=True, blank=True)
    markup = PercentField("markup %", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "category", "unit"],
                name="category_price_once",
                violation_error_message="The list already has a price for this category and unit.",
            ),
            models.CheckConstraint(
                name="category_price_fits_its_method",
                condition=Q(method="unit", price__isnull=False)
                | Q(method="cost")
                | Q(method="markup", markup__isnull=False),
                violation_error_message="Enter the unit price or the markup that the method needs.",
            ),
            _not_negative("category_price_is_not_negative"),
            _leaves_a_price("category_markup_leaves_a_price", "markup"),
        ]

    def __str__(self):
        return self.get_method_display()


class ProductPrice(models.Model):
    """The price of a product by unit (PRC-3)."""

    price_list = models.ForeignKey(PriceList, models.CASCADE, related_name="product_prices")
    product = models.ForeignKey(Product, models.PROTECT)
    unit = models.CharField(max_length=10, default="each")
    price = PriceField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "product", "unit"],
                name="product_price_once",
                violation_error_message="The list already has a price for this product and unit.",
            ),
            _not_negative("product_price_is_not_negative"),
        ]

    def __str__(self):
        return formatting.number(self.price)
