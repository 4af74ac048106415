"""Sales tax as it is set up: codes with their rates, and which of them a tax group has (PST-4)."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from contracts import code_lists
from contracts.models import BillingTaxGroup, Coded, ItemTaxGroup
from invoicing_site.floor import formatting
from invoicing_site.floor.fields import PercentField
from ledger.models.setup import Account


class TaxCode(Coded):
    """A sales tax, with the account where it is owed (PST-4)."""

    class Category(models.TextChoices):
        STANDARD = "S", "standard"
        REDUCED = "AA", "reduced"
        ZERO = "Z", "zero"
        EXEMPT = "E", "exempt"
        REVERSE_CHARGE = "AE", "reverse charge"
        OUTSIDE_SCOPE = "O", "outside scope"

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    category = models.CharField(max_length=2, choices=Category)
    legal_text = models.CharField(
        max_length=300, blank=True, help_text="Printed on the invoice if no tax is charged"
    )
    exemption_code = models.CharField(
        "exemption reason code",
        max_length=20,
        blank=True,
        choices=code_lists.choices(code_lists.EXEMPTION_REASONS),
        help_text="VATEX code, for electronic invoices without tax",
    )
    standard_code = models.CharField(
        "standard tax code", max_length=20, blank=True, help_text="Tax code of the SAF-T standard"
    )
    account = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Coded.Meta):
        default_related_name = "tax_codes"

    def __str__(self):
        return f"{self.code} {self.name}"

    def clean(self):
        """Refuse an exemption reason that its category can't have: electronic invoices would be rejected."""
        allowed = code_lists.REASONS_OF_CATEGORY.get(self.category, frozenset())
        if self.exemption_code and self.exemption_code not in allowed:
            name = self.get_category_display()
            fits = f"choose {' or '.join(sorted(allowed))}" if len(allowed) == 1 else "choose another"
            sentence = f"{self.exemption_code} is not a reason for category {self.category}, {name}: " + (
                f"{fits}, or leave it empty." if allowed else "leave it empty."
            )
            raise ValidationError({"exemption_code": sentence})


class TaxRate(models.Model):
    """The percentage of a tax code from a day on."""

    tax_code = models.ForeignKey(TaxCode, models.PROTECT, related_name="rates")
    valid_from = models.DateField()
    percent = PercentField()

    class Meta:
        ordering = ["tax_code", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["tax_code", "valid_from"],
                name="tax_rate_once_a_day",
                violation_error_message="The tax code already has a rate from this date.",
            ),
            models.CheckConstraint(
                name="tax_rate_is_a_share",
                condition=Q(percent__gte=0, percent__lte=100),
                violation_error_message="A tax rate must be between 0 and 100 %%.",
            ),
        ]

    def __str__(self):
        return f"{formatting.number(self.percent)} % from {formatting.day(self.valid_from)}"


class BillingTaxGroupCode(models.Model):
    """A tax code in a billing tax group; it applies where the item tax group has it too."""

    group = models.ForeignKey(BillingTaxGroup, models.CASCADE, related_name="codes")
    tax_code = models.ForeignKey(TaxCode, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "tax_code"],
                name="billing_tax_group_code",
                violation_error_message="The group already has this tax code.",
            )
        ]

    def __str__(self):
        return f"{self.tax_code_id}"


class ItemTaxGroupCode(models.Model):
    """A tax code in an item tax group; it applies where the billing tax group has it too."""

    group = models.ForeignKey(ItemTaxGroup, models.CASCADE, related_name="codes")
    tax_code = models.ForeignKey(TaxCode, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "tax_code"],
                name="item_tax_group_code",
                violation_error_message="The group already has this tax code.",
            )
        ]

    def __str__(self):
        return f"{self.tax_code_id}"
