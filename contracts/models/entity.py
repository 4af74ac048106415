"""The legal entity and what it lends to everything else: members, terms, tax groups, rates, numbers."""

import re
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from invoicing_site.fields import CurrencyField, RateField
from invoicing_site.models import StoredFile
from invoicing_site.querysets import LockingQuerySet


def valid_time_zone(name):
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone such as Europe/Oslo.")


class LegalEntity(models.Model):
    """A company that owns contracts, books and invoice numbers, with the parameters of its process."""

    class JournalGrouping(models.TextChoices):
        DAY = "day", "day"
        MONTH = "month", "month"
        YEAR = "year", "year"
        ALL = "all", "all in one"

    class TaxGroupSource(models.TextChoices):
        PROJECT = "project", "project"
        CONTRACT = "contract", "contract"
        CUSTOMER = "customer", "customer"
        SEARCH = "search", "search project, then contract, then customer"

    class ClosedPeriod(models.TextChoices):
        MOVE = "move", "move to the first day of the next open period"
        ERROR = "error", "keep the line back with an error"

    class RetainerKind(models.TextChoices):
        ADVANCE = "advance", "advance invoice"
        REQUEST = "request", "payment request"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    currency = CurrencyField("accounting currency")
    country = models.CharField(max_length=2, default="NO", help_text="ISO 3166 code")
    time_zone = models.CharField(max_length=60, default="Europe/Oslo", validators=[valid_time_zone])
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    fiscal_year_start_month = models.PositiveSmallIntegerField(default=1)

    # Who the seller is on every document.
    street = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    organisation_number = models.CharField(max_length=40, blank=True)
    vat_number = models.CharField("VAT number", max_length=40, blank=True)
    in_company_register = models.BooleanField(
        default=False, help_text="Limited company: “Foretaksregisteret” on Norwegian documents"
    )
    electronic_address_scheme = models.CharField(max_length=4, blank=True, help_text="ICD, such as 0192")
    electronic_address = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    website = models.URLField(blank=True)
    bank_account = models.CharField(max_length=40, blank=True)
    iban = models.CharField("IBAN", max_length=40, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    logo = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, db_index=False)
    accent_colour = models.CharField(max_length=7, default="#1f5fbf")

    # Parameters (domain, sections 4 to 9).
    journal_grouping = models.CharField(
        max_length=5, choices=JournalGrouping, default=JournalGrouping.MONTH, help_text="JRN-1"
    )
    journal_max_lines = models.PositiveIntegerField(default=5000)
    tax_group_source = models.CharField(
        max_length=8, choices=TaxGroupSource, default=TaxGroupSource.SEARCH, help_text="JRN-3"
    )
    closed_period = models.CharField(
        max_length=5, choices=ClosedPeriod, default=ClosedPeriod.ERROR, help_text="JRN-2"
    )
    milestone_item_tax_group = models.ForeignKey(
        "contracts.ItemTaxGroup", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    allow_own_approval = models.BooleanField(default=False, help_text="APP-2")
    require_proposal_approval = models.BooleanField(default=False, help_text="PRP-4")
    posts_journals_by_clock = models.BooleanField(
        "journals are posted by the clock", default=False, help_text="Else an accountant posts them"
    )
    posts_invoices_by_clock = models.BooleanField(
        "invoices are posted by the clock", default=False, help_text="Else an accountant posts them (PST-1)"
    )
    separate_confirm_and_post = models.BooleanField(default=False, help_text="SEC-2")
    retainer_kind = models.CharField(
        max_length=7, choices=RetainerKind, default=RetainerKind.REQUEST, help_text="RET-4"
    )
    require_order_reference = models.BooleanField(default=False, help_text="The check PO-REQUIRED")

    class Meta:
        verbose_name_plural = "legal entities"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="entity_fiscal_year_starts_in_a_month",
                condition=Q(fiscal_year_start_month__gte=1, fiscal_year_start_month__lte=12),
            ),
            models.CheckConstraint(name="entity_journal_holds_lines", condition=Q(journal_max_lines__gte=1)),
        ]

    def __str__(self):
        return self.name

    def today(self):
        """The day it is where this company keeps its books (MON-6)."""
        return timezone.localdate(timezone=zoneinfo.ZoneInfo(self.time_zone))

    def fiscal_year(self, day):
        """The year in which the fiscal year of that day ends: what {year} shows in a number (MON-7)."""
        begins_later = self.fiscal_year_start_month > 1
        return day.year + 1 if begins_later and day.month >= self.fiscal_year_start_month else day.year


class Membership(models.Model):
    """What one person is in one legal entity."""

    class Role(models.TextChoices):
        MEMBER = "member", "project member"
        MANAGER = "manager", "project manager"
        ACCOUNTANT = "accountant", "project accountant"
        ADMINISTRATOR = "administrator", "billing administrator"
        AUDITOR = "auditor", "auditor"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    entity = models.ForeignKey(LegalEntity, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "entity", "role"], name="membership_once")]
        permissions = [("view_costs", "Can see cost rates, costs and margins")]

    def __str__(self):
        return self.get_role_display()


class OrganizationalUnit(models.Model):
    """A part of a legal entity that makes contracts or lends resources; it owns cost price lists."""

    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="units")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "code"], name="unit_code_once")]

    def __str__(self):
        return self.name


class PaymentTerm(models.Model):
    """When an invoice is due (PRP-9)."""

    class Method(models.TextChoices):
        NET = "net", "net days"
        END_OF_MONTH = "eom", "end of month plus days"
        DAY_OF_MONTH = "dom", "fixed day of the month"
        IMMEDIATE = "now", "immediate"

    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="payment_terms")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    method = models.CharField(max_length=3, choices=Method, default=Method.NET)
    days = models.PositiveSmallIntegerField(default=0)
    day_of_month = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "code"], name="payment_term_code_once"),
            models.CheckConstraint(
                name="payment_term_names_its_day",
                condition=~Q(method="dom") | Q(day_of_month__gte=1, day_of_month__lte=31),
                violation_error_message="A term with a fixed day of the month needs that day (1 to 31).",
            ),
        ]

    def __str__(self):
        return self.name


class BillingTaxGroup(models.Model):
    """Who is taxed: one half of PST-4, given to customers, contracts and projects."""

    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="billing_tax_groups")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "code"], name="billing_tax_group_code_once")]

    def __str__(self):
        return self.code


class ItemTaxGroup(models.Model):
    """What is taxed: the other half of PST-4, given to categories, products and milestones."""

    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="item_tax_groups")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "code"], name="item_tax_group_code_once")]

    def __str__(self):
        return self.code


class ExchangeRate(models.Model):
    """What one unit of a currency cost in an entity's accounting currency, from a date on, by rate type."""

    class RateType(models.TextChoices):
        SPOT = "spot", "official"
        AVERAGE = "average", "average"
        BUDGET = "budget", "budget"

    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="exchange_rates")
    rate_type = models.CharField(max_length=7, choices=RateType, default=RateType.SPOT)
    currency = CurrencyField()
    valid_from = models.DateField()
    rate = RateField(help_text="Accounting currency for one unit of the currency")
    source = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "rate_type", "currency", "valid_from"], name="exchange_rate_once_a_day"
            ),
            models.CheckConstraint(name="exchange_rate_is_positive", condition=Q(rate__gt=0)),
        ]

    def __str__(self):
        return f"{self.currency} {self.rate} from {self.valid_from}"


class NumberSequence(models.Model):
    """How an entity numbers one kind of document (MON-7); for vouchers also the head of the hash chain."""

    class Kind(models.TextChoices):
        PROFORMA = "proforma", "proforma invoice"
        JOURNAL = "journal", "integration journal"
        INVOICE = "invoice", "customer invoice"
        CREDIT_NOTE = "credit_note", "credit note"
        PAYMENT_REQUEST = "request", "payment request"
        VOUCHER = "voucher", "voucher"
        CORRECTION = "correction", "correction journal"

    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="number_sequences")
    kind = models.CharField(max_length=11, choices=Kind)
    format = models.CharField(max_length=60, help_text="Such as INV-{year}-{seq:06}")
    in_date_order = models.BooleanField(
        default=False, help_text="Refuse a date before the last one (customer invoices and credit notes)"
    )
    chain_length = models.PositiveBigIntegerField(default=0, editable=False)
    chain_hash = models.CharField(max_length=64, blank=True, editable=False)

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entity", "kind"], name="number_sequence_once")]

    def __str__(self):
        return f"{self.get_kind_display()} {self.format}"

    def clean(self):
        fields = re.findall(r"\{(.*?)\}", self.format)
        if not all(re.fullmatch(r"year|seq(:0?\d{1,2})?", field) for field in fields):
            raise ValidationError({"format": "Between braces stand only {year} and {seq}, or {seq:06}."})
        if not any(field.startswith("seq") for field in fields) or "{" in re.sub(r"\{.*?\}", "", self.format):
            raise ValidationError({"format": "A number needs its {seq}, as in INV-{year}-{seq:06}."})

    @property
    def shows_year(self):
        """Whether it counts anew in each fiscal year."""
        return "{year}" in self.format


class SequenceCounter(models.Model):
    """The last number drawn of a sequence, in a fiscal year where the format shows it (else year 0)."""

    sequence = models.ForeignKey(NumberSequence, models.PROTECT, related_name="counters")
    year = models.PositiveSmallIntegerField(default=0)
    last = models.PositiveBigIntegerField(default=0)
    last_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sequence", "year"], name="sequence_counter_once_a_year"),
        ]

    def __str__(self):
        return f"{self.year}: {self.last}"
