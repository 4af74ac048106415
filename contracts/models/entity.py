"""The legal entity and its records: members, payment terms, tax groups, exchange rates, base classes."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from contracts import code_lists
from contracts.identifiers import require_valid_numbers
from invoicing_site.floor import formatting
from invoicing_site.floor.fields import CurrencyField, RateField
from invoicing_site.floor.querysets import LockingQuerySet
from invoicing_site.models import StoredFile


def valid_time_zone(name):
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone such as Europe/Oslo.")


class PaymentReferenceKind(models.TextChoices):
    """The kind of reference that a payer is asked to quote (DOC-5)."""

    NUMBER = "number", "invoice number"
    KID_MOD_10 = "kid10", "KID, mod 10"
    KID_MOD_11 = "kid11", "KID, mod 11"
    RF = "rf", "RF creditor reference"


class KidContent(models.TextChoices):
    """What the digits of a KID, the Norwegian payment reference, contain before the check digit (DOC-5)."""

    INVOICE = "invoice", "invoice number"
    CUSTOMER_AND_INVOICE = "both", "customer number and invoice number"


KID_LENGTHS = [MinValueValidator(3), MaxValueValidator(25)]


class ElectronicAddressSchemeField(models.CharField):
    """The scheme of an electronic address, by its code in the list EAS."""

    def __init__(self, *args, **kwargs):
        kwargs |= {"max_length": 4, "choices": code_lists.choices(code_lists.ELECTRONIC_ADDRESS_SCHEMES)}
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        for given in ("max_length", "choices"):
            kwargs.pop(given, None)
        return name, path, args, kwargs


def address_has_a_scheme(name):
    """The constraint that an electronic address has a scheme, and a scheme an address."""
    return models.CheckConstraint(
        name=name,
        condition=Q(electronic_address="", electronic_address_scheme="")
        | ~Q(electronic_address="") & ~Q(electronic_address_scheme=""),
        violation_error_message="Enter an electronic address together with its scheme.",
    )


class LegalEntity(models.Model):
    """A legal entity: the owner of contracts, books and invoice numbers, with its parameters."""

    class JournalGrouping(models.TextChoices):
        DAY = "day", "day"
        MONTH = "month", "month"
        YEAR = "year", "year"
        ALL = "all", "one journal for all"

    class TaxGroupSource(models.TextChoices):
        PROJECT = "project", "project"
        CONTRACT = "contract", "contract"
        CUSTOMER = "customer", "customer"
        SEARCH = "search", "project, then contract, then customer"

    class ClosedPeriod(models.TextChoices):
        MOVE = "move", "move to the first day of the next open period"
        ERROR = "error", "report an error on the line"

    class RetainerKind(models.TextChoices):
        ADVANCE = "advance", "advance invoice"
        REQUEST = "request", "payment request"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    currency = CurrencyField("accounting currency")
    country = models.CharField(max_length=2, default="NO", help_text="Two letters (ISO 3166), such as NO")
    time_zone = models.CharField(max_length=60, default="Europe/Oslo", validators=[valid_time_zone])
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    fiscal_year_start_month = models.PositiveSmallIntegerField(default=1)

    # The seller's data on every document.
    street = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    organization_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField("VAT number", max_length=40, blank=True)
    in_company_register = models.BooleanField(
        default=False, help_text="For limited companies: Norwegian documents show “Foretaksregisteret”"
    )
    electronic_address_scheme = ElectronicAddressSchemeField(blank=True)
    electronic_address = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    bank_account = models.CharField(max_length=40, blank=True)
    iban = models.CharField("IBAN", max_length=40, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    payment_reference_kind = models.CharField(
        "payment reference",
        max_length=6,
        choices=PaymentReferenceKind,
        default=PaymentReferenceKind.NUMBER,
        help_text="The reference that customers use when they pay; a KID needs an agreement with the bank",
    )
    kid_length = models.PositiveSmallIntegerField(
        "KID length",
        null=True,
        blank=True,
        validators=KID_LENGTHS,
        help_text="Total number of digits, 3 to 25, as agreed with the bank; if empty: as many as needed",
    )
    kid_holds = models.CharField("KID content", max_length=7, choices=KidContent, default=KidContent.INVOICE)
    logo = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, db_index=False)
    accent_color = models.CharField(max_length=7, default="#1f5fbf")

    # Parameters (domain, sections 4 to 9).
    journal_grouping = models.CharField(
        max_length=5,
        choices=JournalGrouping,
        default=JournalGrouping.MONTH,
        help_text="Which actuals are in one journal: those of a day, a month, a year, or all",
    )
    journal_max_lines = models.PositiveIntegerField(default=5000)
    tax_group_source = models.CharField(
        max_length=8,
        choices=TaxGroupSource,
        default=TaxGroupSource.SEARCH,
        help_text="Where the billing tax group of a line comes from",
    )
    closed_period = models.CharField(
        max_length=5,
        choices=ClosedPeriod,
        default=ClosedPeriod.ERROR,
        help_text="What happens to a journal line that is dated in a closed period",
    )
    milestone_item_tax_group = models.ForeignKey(
        "contracts.ItemTaxGroup",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="The item tax group of milestones; without it, invoices with milestones can't be posted",
    )
    allow_own_approval = models.BooleanField(
        default=False,
        help_text=(
            "Project managers may approve their own work, and work that they recorded, imported or submitted"
        ),
    )
    require_proposal_approval = models.BooleanField(
        default=False,
        help_text="An invoice proposal must be approved by a second person before it is posted",
    )
    posts_journals_by_clock = models.BooleanField(
        "post journals automatically", default=False, help_text="If not ticked, an accountant posts them"
    )
    posts_invoices_by_clock = models.BooleanField(
        "post invoices automatically",
        default=False,
        help_text=(
            "If not ticked, an accountant posts them. With “separate confirm and post”, an invoice is "
            "posted automatically only if a person other than the one who confirmed has approved it"
        ),
    )
    separate_confirm_and_post = models.BooleanField(
        default=False, help_text="The person who confirmed a proforma may not post its invoice"
    )
    require_order_reference = models.BooleanField(
        default=False, help_text="An invoice without a customer's order number can't be posted"
    )
    invoices_in_advance = models.BooleanField(
        default=False,
        help_text="Work and milestones dated after the invoice date can be invoiced; users get a warning",
    )

    objects = LockingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "legal entities"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="entity_fiscal_year_starts_in_a_month",
                condition=Q(fiscal_year_start_month__gte=1, fiscal_year_start_month__lte=12),
                violation_error_message="Enter the start month of the fiscal year, 1 to 12.",
            ),
            models.CheckConstraint(
                name="entity_journal_holds_lines",
                condition=Q(journal_max_lines__gte=1),
                violation_error_message="A journal must have room for at least one line.",
            ),
            address_has_a_scheme("entity_electronic_address_has_a_scheme"),
            models.CheckConstraint(
                name="entity_clock_needs_an_approver",
                condition=Q(posts_invoices_by_clock=False)
                | Q(separate_confirm_and_post=False)
                | Q(require_proposal_approval=True),
                violation_error_message="With automatic posting and “separate confirm and post”, also tick "
                "“require proposal approval”: the approver is the second person.",
            ),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        require_valid_numbers(self)

    def today(self):
        """The current date in the legal entity's time zone (MON-6)."""
        return timezone.localdate(timezone=zoneinfo.ZoneInfo(self.time_zone))

    def fiscal_year(self, day):
        """The year in which the fiscal year of that day ends: the value of {year} in a number (MON-7)."""
        begins_later = self.fiscal_year_start_month > 1
        return day.year + 1 if begins_later and day.month >= self.fiscal_year_start_month else day.year


class MembershipQuerySet(LockingQuerySet):
    def administering(self):
        """Memberships of active users that allow them to set up the legal entity."""
        return self.filter(role=Membership.Role.ADMINISTRATOR, user__is_active=True, user__is_staff=True)

    def left_alone(self, *, but_for=()):
        """The legal entities whose only administrators are these memberships, except those in `but_for`."""
        losing = self.administering().exclude(entity__in=but_for).values("entity")
        staying = Membership.objects.administering().exclude(pk__in=self.values("pk")).values("entity")
        return LegalEntity.objects.filter(pk__in=losing).exclude(pk__in=staying)


def last_administrator(entities) -> str:
    """Why the last billing administrator of these legal entities can't be removed; empty if others remain."""
    names = ", ".join(str(entity) for entity in entities)
    return names and (
        f"The last billing administrator of {names} can't be removed. Give somebody else that role first."
    )


class Membership(models.Model):
    """The role of a user in one legal entity."""

    class Role(models.TextChoices):
        MEMBER = "member", "project member"
        MANAGER = "manager", "project manager"
        ACCOUNTANT = "accountant", "project accountant"
        ADMINISTRATOR = "administrator", "billing administrator"
        AUDITOR = "auditor", "auditor"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    entity = models.ForeignKey(
        LegalEntity, models.CASCADE, verbose_name="legal entity", related_name="memberships"
    )
    role = models.CharField(max_length=13, choices=Role)
    sees_costs = models.BooleanField(
        default=False,
        help_text="The person sees cost rates, costs and margins; accountants and auditors always see them",
    )
    overrides_limits = models.BooleanField(
        default=False, help_text="The person may confirm proformas over a not-to-exceed limit, with a reason"
    )

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "entity", "role"],
                name="membership_once",
                violation_error_message="This person already has this role in this legal entity.",
            )
        ]

    def __str__(self):
        return f"{self.user}, {self.get_role_display()} of {self.entity}"

    def clean(self):
        """Refuse another role for the legal entity's last billing administrator."""
        if self.pk is None or self.role == self.Role.ADMINISTRATOR:
            return
        if sentence := last_administrator(Membership.objects.filter(pk=self.pk).left_alone()):
            raise ValidationError({"role": sentence})


class Coded(models.Model):
    """A record of a legal entity with a code and a name; the code is unique in the legal entity."""

    entity = models.ForeignKey(LegalEntity, models.PROTECT, verbose_name="legal entity")
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=200)

    class Meta:
        abstract = True
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "code"],
                name="%(class)s_code_once",
                violation_error_message="Another record of this legal entity already has this code.",
            )
        ]

    def __str__(self):
        return self.name


class OrganizationalUnit(Coded):
    """A part of a legal entity that makes contracts or provides resources; it owns cost price lists."""

    class Meta(Coded.Meta):
        default_related_name = "units"


class PaymentTerm(Coded):
    """How the due date of an invoice is calculated (PRP-9)."""

    class Method(models.TextChoices):
        NET = "net", "net days"
        END_OF_MONTH = "eom", "end of month plus days"
        DAY_OF_MONTH = "dom", "fixed day of the month"
        IMMEDIATE = "now", "immediate"

    method = models.CharField(max_length=3, choices=Method, default=Method.NET)
    days = models.PositiveSmallIntegerField(default=0)
    day_of_month = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta(Coded.Meta):
        default_related_name = "payment_terms"
        constraints = [
            *Coded.Meta.constraints,
            models.CheckConstraint(
                name="payment_term_names_its_day",
                condition=~Q(method="dom") | Q(day_of_month__gte=1, day_of_month__lte=31),
                violation_error_message="A payment term with a fixed day needs that day (1 to 31).",
            ),
        ]


class BillingTaxGroup(Coded):
    """Who is taxed: with the item tax group it selects a tax code (PST-4)."""

    class Meta(Coded.Meta):
        default_related_name = "billing_tax_groups"

    def __str__(self):
        return self.code


class ItemTaxGroup(Coded):
    """What is taxed: with the billing tax group it selects a tax code (PST-4)."""

    class Meta(Coded.Meta):
        default_related_name = "item_tax_groups"

    def __str__(self):
        return self.code


class ExchangeRate(models.Model):
    """The price of one unit of a currency in the accounting currency, from a date on, by rate type."""

    class RateType(models.TextChoices):
        SPOT = "spot", "official"
        AVERAGE = "average", "average"
        BUDGET = "budget", "budget"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="exchange_rates"
    )
    rate_type = models.CharField(max_length=7, choices=RateType, default=RateType.SPOT)
    currency = CurrencyField()
    valid_from = models.DateField()
    rate = RateField(help_text="Units of the accounting currency for one unit of this currency")
    source = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "rate_type", "currency", "valid_from"],
                name="exchange_rate_once_a_day",
                violation_error_message="There is already a rate of this type and currency from this date.",
            ),
            models.CheckConstraint(
                name="exchange_rate_is_positive",
                condition=Q(rate__gt=0),
                violation_error_message="An exchange rate must be more than 0.",
            ),
        ]

    def __str__(self):
        return f"{self.currency} {formatting.number(self.rate)} from {formatting.day(self.valid_from)}"

    def clean(self):
        """Refuse a rate of the accounting currency, which is always 1."""
        if self.entity_id and self.currency == self.entity.currency:
            sentence = f"{self.currency} is {self.entity}'s own currency: it needs no rate."
            raise ValidationError({"currency": sentence})

    def neighbor(self):
        """The previous rate of the same currency and type, or else the next one; None without any other."""
        others = ExchangeRate.objects.filter(
            entity=self.entity_id, rate_type=self.rate_type, currency=self.currency
        ).exclude(pk=self.pk)
        before = others.filter(valid_from__lte=self.valid_from).order_by("-valid_from").first()
        return before or others.order_by("valid_from").first()
