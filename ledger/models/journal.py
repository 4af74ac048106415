"""The integration journal: the accountant's list of actuals to post (JRN-1 to JRN-7)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from actuals.models import Actual, BillingType
from contracts.models import BillingTaxGroup, ItemTaxGroup, LegalEntity, ReachQuerySet
from invoicing_site.floor import guards, searching
from invoicing_site.floor.fields import AmountField, RateField
from invoicing_site.floor.moves import STAYS, Move, Moves
from invoicing_site.floor.querysets import lacks
from invoicing_site.floor.reasons import ReasonField
from ledger.models.setup import DimensionSet


class JournalQuerySet(ReachQuerySet):
    view_permission = "journal.view"


class IntegrationJournal(models.Model):
    """Journal lines that are reviewed and posted together."""

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        PROCESSING = "processing", "processing"
        POSTED = "posted", "posted"
        ERROR = "error", "error"

    MOVES = Moves(
        Move((Status.DRAFT, Status.ERROR), "edit_journal_lines", STAYS, "journal.edit"),
        Move(Status.DRAFT, "post_journal", Status.PROCESSING, "journal.post"),
        Move((Status.DRAFT, Status.PROCESSING), "post_journal", Status.POSTED, "journal.post"),
        Move((Status.DRAFT, Status.PROCESSING), "post_journal", Status.ERROR, "journal.post"),
        Move(Status.ERROR, "back_to_draft", Status.DRAFT, "journal.edit"),
        done={
            "edit_journal_lines": _("changed"),
            "post_journal": _("posted"),
            "back_to_draft": _("sent back to draft"),
        },
        refusals={
            ("post_journal", Status.POSTED): "JOURNAL-POSTED",
            ("post_journal", Status.ERROR): "JOURNAL-IN-ERROR",
            "back_to_draft": "JOURNAL-NOT-IN-ERROR",
            "edit_journal_lines": "JOURNAL-FIXED",
        },
    )

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="journals"
    )
    number = models.CharField(max_length=40)
    period = models.CharField(max_length=10, help_text="The day, month or year of the lines, or “all”")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    original = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="remainders",
        help_text="The journal that the lines in error were moved from",
    )
    created_at = models.DateTimeField(default=timezone.now)
    posted_at = models.DateTimeField(null=True, blank=True)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = JournalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="journal_number_once"),
            models.CheckConstraint(
                name="posted_journal_says_when", condition=~Q(status="posted") | Q(posted_at__isnull=False)
            ),
        ]

    def __str__(self):
        return f"journal {self.number}"

    def get_absolute_url(self):
        return reverse("journal", args=[self.pk])


class JournalLineQuerySet(ReachQuerySet):
    entity_path = "journal__entity"
    view_permission = "journal.view"

    def unposted(self):
        return self.filter(lacks(JournalLine, "voucher"))

    def posted(self):
        return self.exclude(lacks(JournalLine, "voucher"))

    def in_error(self):
        """Lines that the last posting refused, each with its `error`."""
        return self.filter(error__isnull=False)

    def taxed_otherwise(self):
        """Sales whose billing tax group is neither their customer's nor that of their contract or project.

        That can be right, but should be checked: it decides whether the customer is charged tax.
        """
        return self.filter(TAXED_OTHERWISE)

    def without_tax_group(self):
        """Sales that an invoice will show and that lack a tax group: without one it can't be posted."""
        sales = self.filter(actual__type=Actual.Type.UNBILLED_SALES, actual__reverses=None)
        shown = sales.exclude(actual__billing_type=BillingType.NON_CHARGEABLE)
        return shown.filter(Q(billing_tax_group=None) | Q(item_tax_group=None))


def _not_that_of(path):
    return ~Q(billing_tax_group=F(f"actual__{path}__billing_tax_group"))


TAXED_OTHERWISE = (
    Q(billing_tax_group__isnull=False, actual__contract_customer__customer__billing_tax_group__isnull=False)
    & _not_that_of("contract_customer__customer")
    & _not_that_of("contract")
    & _not_that_of("project")
)


class JournalLine(models.Model):
    """One actual to post. Its voucher links to it, so it is posted at most once."""

    journal = models.ForeignKey(IntegrationJournal, models.PROTECT, related_name="lines")
    actual = models.OneToOneField(Actual, models.PROTECT, related_name="journal_line")
    accounting_date = models.DateField()
    exchange_rate = RateField()
    accounting_amount = AmountField()
    billing_tax_group = models.ForeignKey(
        BillingTaxGroup, models.PROTECT, null=True, blank=True, db_index=False
    )
    item_tax_group = models.ForeignKey(ItemTaxGroup, models.PROTECT, null=True, blank=True, db_index=False)
    dimensions = models.ForeignKey(DimensionSet, models.PROTECT, null=True, blank=True, db_index=False)
    line_property = models.CharField(
        max_length=14, blank=True, help_text="Set from the billing type of the actual"
    )
    error = ReasonField()

    objects = JournalLineQuerySet.as_manager()

    def __str__(self):
        return f"journal line {self.pk}"


guards.frozen(IntegrationJournal, when="OLD.status = 'posted'")
_POSTED = "EXISTS (SELECT 1 FROM ledger_voucher v WHERE v.journal_line_id = OLD.id)"
guards.frozen(JournalLine, when=_POSTED, sealed_with="voucher")
searching.declare(IntegrationJournal, "number")
