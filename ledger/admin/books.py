"""Read-only admin of journals, proposals, vouchers, subledgers, invoices and files."""

from django.contrib import admin
from django.db.models import Q

from actuals.models import Entry, EntryImport
from contracts.models import LegalEntity
from invoicing_site.admin.base import LookupAdmin, LookupInline
from invoicing_site.admin.columns import amount, chip, through
from invoicing_site.models import StoredFile
from ledger.models import (
    CustomerInvoice,
    CustomerTransaction,
    Delivery,
    Document,
    IntegrationJournal,
    InvoiceLine,
    InvoiceProposal,
    InvoiceTax,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    ProposalDecision,
    ProposalLine,
    Voucher,
)


@admin.register(IntegrationJournal)
class IntegrationJournalAdmin(LookupAdmin):
    list_display = [
        "number",
        "period",
        chip("status", draft="info", processing="warning", posted="success", error="danger"),
        "created_at",
        "posted_at",
        "posted_by",
        "entity",
    ]
    list_filter = ["status"]
    search_fields = ["number", "period"]
    ordering = ["-pk"]


@admin.register(JournalLine)
class JournalLineAdmin(LookupAdmin):
    entity_path = "journal__entity"
    list_display = [
        "id",
        "journal",
        "actual",
        "accounting_date",
        "exchange_rate",
        amount("accounting_amount", currency="journal__entity__currency"),
        "billing_tax_group",
        "item_tax_group",
        "error",
    ]
    list_select_related = ["journal__entity"]
    list_filter = ["accounting_date"]
    search_fields = ["journal__number", "actual__project__code"]
    ordering = ["-pk"]


class ProposalLineInline(LookupInline):
    model = ProposalLine
    fields = ["number", "section", "detail", "billing_tax_group", "item_tax_group", "amount", "differs"]

    def get_queryset(self, request):
        links = ["section", "detail", "billing_tax_group", "item_tax_group"]
        return super().get_queryset(request).select_related(*links)


class ProposalDecisionInline(LookupInline):
    model = ProposalDecision
    fields = ["step", "at", "by", "comment"]
    ordering = ["pk"]


@admin.register(InvoiceProposal)
class InvoiceProposalAdmin(LookupAdmin):
    list_display = [
        "number",
        through("contract_customer__customer", "Customer"),
        chip(
            "status",
            blocked="warning",
            open="info",
            submitted="info",
            approved="success",
            posted="success",
            returned="danger",
        ),
        "invoice_date",
        "due_date",
        "delivery",
        "last_error",
        "entity",
    ]
    list_filter = ["status", "delivery"]
    search_fields = ["number", "contract_customer__customer__name", "contract_customer__contract__code"]
    inlines = [ProposalLineInline, ProposalDecisionInline]
    ordering = ["-pk"]


class LedgerEntryInline(LookupInline):
    model = LedgerEntry
    fields = ["number", "account", "owed", "given", "rate", "accounting_debit", "accounting_credit", "text"]
    readonly_fields = ["owed", "given"]
    ordering = ["number"]
    owed = staticmethod(amount("debit"))
    given = staticmethod(amount("credit"))

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("account")


class CustomerTransactionInline(LookupInline):
    model = CustomerTransaction
    fields = ["customer", "kind", "document_number", "date", "due_date", "amount", "currency"]


class ProjectTransactionInline(LookupInline):
    model = ProjectTransaction
    fields = ["project", "kind", "transaction_class", "date", "quantity", "amount", "currency"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("project")


@admin.register(Voucher)
class VoucherAdmin(LookupAdmin):
    list_display = ["number", "kind", "date", "document_date", "period", "text", "posted_by", "entity"]
    list_filter = ["kind", "date"]
    search_fields = ["number", "text", "invoice__number"]
    inlines = [LedgerEntryInline, CustomerTransactionInline, ProjectTransactionInline]
    ordering = ["-pk"]
    fieldsets = [
        (None, {"fields": ["entity", ("number", "kind"), ("date", "document_date", "period"), "text"]}),
        ("Source", {"fields": [("journal_line", "reverses"), ("posted_at", "posted_by")]}),
        (
            "Chain",
            {
                "classes": ["collapse"],
                "fields": ["position", "hash_format", "claims_hash", "previous_hash", "hash"],
            },
        ),
    ]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LookupAdmin):
    entity_path = "voucher__entity"
    list_display = [
        "voucher",
        "voucher__date",
        "account",
        amount("debit"),
        amount("credit"),
        "project",
        "customer",
        "tax_code",
    ]
    list_filter = ["voucher__date", "voucher__kind"]
    search_fields = ["voucher__number", "account__number", "project__code", "customer__name"]
    ordering = ["-pk"]


@admin.register(CustomerTransaction)
class CustomerTransactionAdmin(LookupAdmin):
    entity_path = "voucher__entity"
    list_display = ["customer", "kind", "document_number", "date", "due_date", amount("amount"), "voucher"]
    list_filter = ["kind", "date"]
    search_fields = ["document_number", "customer__name", "customer__number", "reference"]
    ordering = ["-pk"]


@admin.register(ProjectTransaction)
class ProjectTransactionAdmin(LookupAdmin):
    entity_path = "voucher__entity"
    list_display = [
        "project",
        "kind",
        "transaction_class",
        "date",
        "quantity",
        amount("amount"),
        "in_balance",
        "voucher",
    ]
    list_filter = ["kind", "transaction_class", "date"]
    search_fields = ["project__code", "voucher__number"]
    ordering = ["-pk"]


class InvoiceLineInline(LookupInline):
    model = InvoiceLine
    fields = ["number", "section_title", "date", "description", "quantity", "unit", "price", "net", "tax"]


class InvoiceTaxInline(LookupInline):
    model = InvoiceTax
    fields = ["code", "name", "category", "percent", "base", "tax"]
    ordering = ["pk"]


class DocumentInline(LookupInline):
    model = Document
    fields = ["kind", "file", "drawn_at"]
    ordering = ["kind"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("file")


@admin.register(CustomerInvoice)
class CustomerInvoiceAdmin(LookupAdmin):
    list_display = [
        "number",
        chip("kind", invoice="success", credit_note="warning", request="info"),
        "customer",
        "invoice_date",
        "due_date",
        amount("net"),
        amount("tax"),
        amount("total"),
        "entity",
    ]
    list_filter = ["kind", "invoice_date"]
    search_fields = ["number", "buyer_name", "contract_code", "payment_reference", "order_reference"]
    inlines = [InvoiceLineInline, InvoiceTaxInline, DocumentInline]
    ordering = ["-pk"]


@admin.register(Delivery)
class DeliveryAdmin(LookupAdmin):
    entity_path = "invoice__entity"
    list_display = [
        "invoice",
        "channel",
        "recipient",
        chip("status", queued="info", sent="success", failed="danger"),
        "attempts",
        "sent_at",
    ]
    list_filter = ["status", "channel"]
    search_fields = ["invoice__number", "recipient"]
    ordering = ["-pk"]


@admin.register(StoredFile)
class StoredFileAdmin(LookupAdmin):
    """Files belong to no legal entity; access depends on the rows that refer to them."""

    has_one_entity = False
    list_display = ["name", "media_type", "size", "stored_at", "stored_by"]
    list_filter = ["media_type"]
    search_fields = ["name", "sha256"]
    ordering = ["-pk"]

    def within(self, rows, entities):
        ids = entities.ids
        return rows.filter(
            Q(pk__in=Document.objects.filter(invoice__entity__in=ids).values("file"))
            | Q(pk__in=Entry.objects.filter(entity__in=ids, receipt__isnull=False).values("receipt"))
            | Q(pk__in=EntryImport.objects.filter(entity__in=ids).values("file"))
            | Q(pk__in=LegalEntity.objects.filter(pk__in=ids, logo__isnull=False).values("logo"))
        )
