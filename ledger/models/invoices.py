"""The posted customer invoice: its stored content, and its documents (PST-3, DOC-1)."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from contracts.models import (
    ContractCustomer,
    Customer,
    LegalEntity,
    NumberSequence,
    PaymentReferenceKind,
    ReachQuerySet,
    managed_contracts,
)
from invoicing_site.floor import guards, searching
from invoicing_site.floor.fields import (
    AmountField,
    CurrencyField,
    PercentField,
    PriceField,
    QuantityField,
    RateField,
)
from invoicing_site.floor.queues import Queued
from invoicing_site.models import StoredFile
from ledger.models.proposals import InvoiceProposal, ProposalLine
from ledger.models.tax import TaxCode
from ledger.models.vouchers import Voucher


class InvoiceQuerySet(ReachQuerySet):
    view_permission = "invoice.view"

    def of_manager(self, user):
        return Q(contract_customer__contract__in=managed_contracts(user))


class CustomerInvoice(models.Model):
    """The legal document as it was issued. All that it shows is stored here."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", "invoice"
        CREDIT_NOTE = "credit_note", "credit note"
        PAYMENT_REQUEST = "request", "payment request"

    proposal = models.OneToOneField(InvoiceProposal, models.PROTECT, related_name="invoice")
    voucher = models.OneToOneField(Voucher, models.PROTECT, related_name="invoice")
    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="invoices"
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices")
    contract_customer = models.ForeignKey(ContractCustomer, models.PROTECT, related_name="invoices")
    kind = models.CharField(max_length=11, choices=Kind)
    type_code = models.CharField(
        "document type code",
        max_length=3,
        default="380",
        help_text="UNTDID 1001: 380 invoice, 381 credit note, 386 advance invoice",
    )
    sequence = models.ForeignKey(NumberSequence, models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField(
        help_text="The fiscal year of the number; 0 if numbers do not restart each year"
    )
    seq = models.PositiveBigIntegerField("position in the sequence")
    invoice_date = models.DateField()
    accounting_date = models.DateField()
    due_date = models.DateField()
    period_from = models.DateField(null=True, blank=True, help_text="The first day of the billed work")
    period_to = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=10)
    payment_reference = models.CharField(max_length=60, blank=True)
    payment_reference_kind = models.CharField(
        max_length=6, choices=PaymentReferenceKind, default=PaymentReferenceKind.NUMBER
    )
    order_reference = models.CharField(max_length=60, blank=True)
    buyer_reference = models.CharField(max_length=100, blank=True)
    contract_code = models.CharField(max_length=30, blank=True)
    contract_name = models.CharField(max_length=200, blank=True)
    payment_terms = models.CharField(max_length=200, blank=True)
    place_of_delivery = models.CharField(max_length=200, blank=True)
    header_text = models.TextField(blank=True)
    footer_text = models.TextField(blank=True)
    with_annex = models.BooleanField(default=False)

    seller_name = models.CharField(max_length=200)
    seller_street = models.CharField(max_length=200, blank=True)
    seller_postal_code = models.CharField(max_length=20, blank=True)
    seller_city = models.CharField(max_length=100, blank=True)
    seller_country = models.CharField(max_length=2)
    seller_organization_number = models.CharField(max_length=40, blank=True)
    seller_vat_number = models.CharField(max_length=40, blank=True)
    seller_in_company_register = models.BooleanField(default=False)
    seller_electronic_address_scheme = models.CharField(max_length=4, blank=True)
    seller_electronic_address = models.CharField(max_length=100, blank=True)
    seller_email = models.CharField(max_length=254, blank=True)
    seller_phone = models.CharField(max_length=40, blank=True)
    seller_website = models.CharField(max_length=200, blank=True)
    seller_bank_account = models.CharField(max_length=40, blank=True)
    seller_iban = models.CharField(max_length=40, blank=True)
    seller_bic = models.CharField(max_length=11, blank=True)
    seller_logo = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    seller_accent_color = models.CharField(max_length=7)

    buyer_number = models.CharField(max_length=20)
    buyer_name = models.CharField(max_length=200)
    buyer_contact = models.CharField(max_length=200, blank=True)
    buyer_street = models.CharField(max_length=200, blank=True)
    buyer_postal_code = models.CharField(max_length=20, blank=True)
    buyer_city = models.CharField(max_length=100, blank=True)
    buyer_country = models.CharField(max_length=2)
    buyer_organization_number = models.CharField(max_length=40, blank=True)
    buyer_vat_number = models.CharField(max_length=40, blank=True)
    buyer_electronic_address_scheme = models.CharField(max_length=4, blank=True)
    buyer_electronic_address = models.CharField(max_length=100, blank=True)
    delivery = models.CharField(max_length=8)

    currency = CurrencyField()
    accounting_currency = CurrencyField()
    rate = RateField(help_text="The official rate of the invoice date")
    net_rate = RateField(
        help_text="The rate of net amounts: the rate agreed in the contract, or the official rate"
    )
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    accounting_net = AmountField()
    accounting_tax = AmountField()
    accounting_total = AmountField()

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["entity", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="invoice_number_once"),
            models.UniqueConstraint(fields=["sequence", "year", "seq"], name="invoice_place_once"),
            models.CheckConstraint(name="invoice_year_and_place", condition=Q(seq__gte=1)),
        ]
        indexes = [
            models.Index(fields=["customer", "invoice_date"], name="invoice_by_customer"),
            models.Index(fields=["entity", "invoice_date", "id"], name="invoice_by_day"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.number}"

    def get_absolute_url(self):
        return reverse("invoice", args=[self.pk])

    @property
    def accounting_rounding(self):
        """The rounding difference of the total when net and tax are converted separately (PST-2)."""
        return self.accounting_total - self.accounting_net - self.accounting_tax


class InvoiceReference(models.Model):
    """An earlier invoice that this one corrects, or whose advance it applies (BG-3)."""

    invoice = models.ForeignKey(CustomerInvoice, models.PROTECT, related_name="references")
    original = models.ForeignKey(CustomerInvoice, models.PROTECT, related_name="referred_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "original"], name="invoice_reference_once")]

    def __str__(self):
        return f"{self.original_id}"


class InvoiceLine(models.Model):
    """A line as it is billed: texts, quantity, price, net amount, and its share of the tax."""

    invoice = models.ForeignKey(CustomerInvoice, models.PROTECT, related_name="lines")
    proposal_line = models.OneToOneField(ProposalLine, models.PROTECT, related_name="invoice_line")
    number = models.PositiveIntegerField()
    section = models.PositiveSmallIntegerField()
    section_title = models.CharField(max_length=200, blank=True)
    section_mode = models.CharField(max_length=7)
    summary = models.CharField(
        max_length=200,
        blank=True,
        help_text="The printed line that includes this line, if lines are summed up",
    )
    transaction_class = models.CharField(max_length=10)
    date = models.DateField()
    description = models.CharField(max_length=500, blank=True)
    project = models.CharField(max_length=240, blank=True)
    task = models.CharField(max_length=270, blank=True)
    resource = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=200, blank=True)
    billing_type = models.CharField(max_length=14)
    quantity = QuantityField()
    unit = models.CharField(max_length=10, blank=True)
    unit_code = models.CharField(max_length=3, blank=True, help_text="UNECE code; empty if the unit has none")
    price = PriceField()
    net = AmountField()
    tax = AmountField(default=0)
    tax_category = models.CharField(max_length=2, blank=True)
    tax_percent = PercentField(null=True, blank=True)

    class Meta:
        ordering = ["invoice", "number"]
        constraints = [models.UniqueConstraint(fields=["invoice", "number"], name="invoice_line_number_once")]

    def __str__(self):
        return f"line {self.number}"


class InvoiceTax(models.Model):
    """The tax of one code and rate on one invoice, in both currencies (MON-4)."""

    invoice = models.ForeignKey(CustomerInvoice, models.PROTECT, related_name="taxes")
    tax_code = models.ForeignKey(TaxCode, models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    category = models.CharField(max_length=2)
    percent = PercentField()
    legal_text = models.CharField(max_length=300, blank=True)
    exemption_code = models.CharField(max_length=20, blank=True, help_text="VATEX code")
    base = AmountField()
    tax = AmountField()
    accounting_base = AmountField()
    accounting_tax = AmountField()

    class Meta:
        verbose_name_plural = "invoice taxes"
        constraints = [
            models.UniqueConstraint(fields=["invoice", "tax_code", "percent"], name="invoice_tax_once")
        ]

    def __str__(self):
        return f"{self.code} {self.percent} %"


class Document(models.Model):
    """A file created once from a posted invoice; every download has the same bytes (DOC-1)."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        UBL = "ubl", "UBL"
        CII = "cii", "CII"

    invoice = models.ForeignKey(CustomerInvoice, models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=3, choices=Kind)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField("created at", default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "kind"], name="document_once")]

    def __str__(self):
        return self.get_kind_display()


class InvoiceToDocument(Queued):
    """A posted invoice that waits for its PDF (DOC-1)."""

    invoice = models.OneToOneField(
        CustomerInvoice, models.PROTECT, primary_key=True, related_name="to_document"
    )
    entity = models.ForeignKey(LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="+")

    class Meta:
        verbose_name = "invoice that waits for its document"
        verbose_name_plural = "invoices that wait for their documents"

    def __str__(self):
        return f"invoice {self.invoice_id}"


class Delivery(models.Model):
    """One sending of an invoice's documents, with its result (DOC-3)."""

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"

    class Channel(models.TextChoices):
        MAIL = "mail", "mail"
        E_INVOICE = "einvoice", "e-invoice"

    invoice = models.ForeignKey(CustomerInvoice, models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=Channel)
    recipient = models.CharField(max_length=254)
    status = models.CharField(max_length=6, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    message = models.CharField(max_length=500, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["queued_at"], condition=models.Q(status="queued"), name="delivery_queued")
        ]

    def __str__(self):
        return f"{self.channel} to {self.recipient}"


for _model in (CustomerInvoice, InvoiceReference, InvoiceLine, InvoiceTax, Document):
    guards.insert_only(_model)
guards.fixed(InvoiceToDocument, "invoice", "entity")
searching.declare(
    CustomerInvoice,
    "number",
    "buyer_name",
    "buyer_number",
    "contract_code",
    "contract_name",
    "order_reference",
    "payment_reference",
)
