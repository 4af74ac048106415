"""Read-only admin of invoice runs and proforma invoices."""

from django.contrib import admin

from invoicing_site.admin.base import LookupAdmin, LookupInline
from invoicing_site.admin.columns import amount, chip, sentence
from proforma.models import (
    InvoiceRun,
    LimitOverride,
    LineDetail,
    ProformaInvoice,
    ProformaLine,
    RunContract,
)


class RunContractInline(LookupInline):
    model = RunContract
    fields = ["contract", "outcome", "why", "done_at"]
    readonly_fields = ["why"]
    why = staticmethod(sentence("reason"))

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contract").order_by("pk")


@admin.register(InvoiceRun)
class InvoiceRunAdmin(LookupAdmin):
    list_display = [
        "id",
        "kind",
        "trigger",
        "as_of",
        chip("status", running="warning", finished="success"),
        "due",
        "started_at",
        "started_by",
        "finished_at",
        "entity",
    ]
    list_filter = ["kind", "trigger", "status"]
    search_fields = ["started_by__username"]
    inlines = [RunContractInline]
    exclude = ["contracts", "customers", "projects"]


class ProformaLineInline(LookupInline):
    model = ProformaLine
    fields = ["number", "contract_line", "description"]
    show_change_link, hide_title = True, False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contract_line")


@admin.register(ProformaInvoice)
class ProformaInvoiceAdmin(LookupAdmin):
    list_display = [
        "number",
        "contract",
        "customer",
        "currency",
        "cutoff",
        chip("status", draft="info", review="warning", confirmed="success"),
        "created_at",
        "confirmed_at",
        "entity",
    ]
    list_filter = ["status", "kind", "confirm_job"]
    search_fields = ["number", "name", "contract__code", "customer__name"]
    inlines = [ProformaLineInline]
    ordering = ["-pk"]


class LineDetailInline(LookupInline):
    model = LineDetail
    fields = [
        "date",
        "transaction_class",
        "resource",
        "description",
        "quantity",
        "price",
        "billed",
        "billing_type",
    ]
    readonly_fields = ["billed"]
    ordering = ["date", "pk"]
    billed = staticmethod(amount("amount", currency="line__proforma__currency"))

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("line__proforma", "resource")


@admin.register(ProformaLine)
class ProformaLineAdmin(LookupAdmin):
    on_index = False
    entity_path = "proforma__entity"
    list_display = ["proforma", "number", "contract_line", "description"]
    search_fields = ["proforma__number", "description"]
    inlines = [LineDetailInline]
    ordering = ["-pk"]


@admin.register(LineDetail)
class LineDetailAdmin(LookupAdmin):
    entity_path = "line__proforma__entity"
    list_display = [
        "id",
        "line__proforma",
        "date",
        "transaction_class",
        "description",
        "quantity",
        "price",
        amount("amount", currency="line__proforma__currency"),
        chip("billing_type", chargeable="success", non_chargeable="warning", complimentary="info"),
    ]
    list_filter = ["transaction_class", "billing_type"]
    search_fields = ["line__proforma__number", "description"]
    ordering = ["-pk"]


@admin.register(LimitOverride)
class LimitOverrideAdmin(LookupAdmin):
    entity_path = "proforma__entity"
    list_display = ["proforma", "level", "limit", "over", "by", "at", "reason"]
    list_filter = ["level"]
    search_fields = ["proforma__number", "reason"]
    ordering = ["-pk"]
