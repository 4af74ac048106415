"""How a legal entity numbers its documents (MON-7)."""

import re

from django.core.exceptions import ValidationError
from django.db import models

from contracts.models.entity import LegalEntity
from invoicing_site.floor.querysets import LockingQuerySet


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

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="number_sequences"
    )
    kind = models.CharField(max_length=11, choices=Kind)
    format = models.CharField(max_length=60, help_text="Such as INV-{year}-{seq:06}")
    chain_length = models.PositiveBigIntegerField(default=0, editable=False)
    chain_hash = models.CharField(max_length=64, blank=True, editable=False)

    # The numbers of these kinds always rise with the date of the document; a legal entity can't change that.
    IN_DATE_ORDER = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE})

    objects = LockingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "kind"],
                name="number_sequence_once",
                violation_error_message="This legal entity already has a sequence of this kind.",
            )
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.format}"

    def clean(self):
        fields = re.findall(r"\{(.*?)\}", self.format)
        if not all(re.fullmatch(r"year|seq(:0?\d{1,2})?", field) for field in fields):
            raise ValidationError({"format": "Only {year}, {seq} or {seq:06} can be in braces."})
        if not any(field.startswith("seq") for field in fields) or "{" in re.sub(r"\{.*?\}", "", self.format):
            raise ValidationError({"format": "A number format needs {seq}, as in INV-{year}-{seq:06}."})
        self._keep_numbers_apart()

    def _keep_numbers_apart(self):
        """Refuse a format that could repeat a number.

        It can be changed between fiscal years, and otherwise only if both formats contain {year}.
        """
        if self.pk is None:
            return
        stored = NumberSequence.objects.filter(pk=self.pk).exclude(format=self.format).first()
        last = stored and stored.last_number()
        if not stored or not last:
            return
        if not (stored.shows_year and self.shows_year):
            rule = "the format can be changed only if the old and the new one both have {year}"
            raise ValidationError({"format": f"Number {last} is already used: {rule}."})
        year = stored.entity.fiscal_year(stored.entity.today())
        if stored.counters.filter(year__gte=year, last__gt=0).exists():
            rule = (
                f"the format can be changed when the fiscal year {year + 1} begins, before its first number"
            )
            raise ValidationError({"format": f"Number {last} is already used: {rule}."})

    def last_number(self):
        """The last number that was drawn, as it is printed; empty if none was drawn."""
        counters = [each for each in self.counters.all() if each.last]  # uses prefetched counters
        last = max(counters, key=lambda each: each.year, default=None)
        return last and self.format.format(year=last.year, seq=last.last) or ""

    def next_number(self, day):
        """The next number for a document of that day; another transaction can draw it first."""
        year = self.entity.fiscal_year(day) if self.shows_year else 0
        last = next((each.last for each in self.counters.all() if each.year == year), 0)
        return self.format.format(year=year, seq=last + 1)

    @property
    def in_date_order(self):
        """Whether a date before the last one is refused."""
        return self.kind in self.IN_DATE_ORDER

    @property
    def shows_year(self):
        """Whether it starts at 1 again in each fiscal year."""
        return "{year}" in self.format


class SequenceCounter(models.Model):
    """The last number of a sequence, in a fiscal year if the format has {year}, else in year 0."""

    sequence = models.ForeignKey(NumberSequence, models.PROTECT, related_name="counters")
    year = models.PositiveSmallIntegerField(default=0)
    last = models.PositiveBigIntegerField(default=0)
    last_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sequence", "year"],
                name="sequence_counter_once_a_year",
                violation_error_message="A sequence has one counter per year.",
            ),
        ]

    def __str__(self):
        return f"{self.year}: {self.last}"
