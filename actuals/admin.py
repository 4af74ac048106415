"""Read-only admin of entries and actuals."""

from django.contrib import admin

from actuals.models import Actual, Batch, Entry, EntryImport, PriceDecision
from invoicing_site.admin.base import LookupAdmin
from invoicing_site.admin.columns import amount, chip, through


@admin.register(Entry)
class EntryAdmin(LookupAdmin):
    list_display = [
        "date",
        "transaction_class",
        "project",
        "task",
        "resource",
        "quantity",
        "unit",
        "description",
        chip("status", draft="", submitted="info", approved="success", rejected="danger", recall="warning"),
        "entity",
    ]
    list_filter = ["status", "transaction_class", "date"]
    search_fields = ["external_id", "description", "project__code", "resource__name"]
    ordering = ["-date", "-pk"]


@admin.register(EntryImport)
class EntryImportAdmin(LookupAdmin):
    list_display = [
        "imported_at",
        "format",
        "file",
        "rows",
        "added",
        chip("status", queued="", running="warning", finished="success", failed="danger"),
        "imported_by",
        "entity",
    ]
    list_filter = ["format", "status"]
    search_fields = ["file__name"]
    ordering = ["-pk"]


@admin.register(Batch)
class BatchAdmin(LookupAdmin):
    list_display = ["id", "action", "on", "at", "by", "entity"]
    list_filter = ["action", "on"]
    search_fields = ["by__username"]
    ordering = ["-pk"]


@admin.register(PriceDecision)
class PriceDecisionAdmin(LookupAdmin):
    entity_path = "batch__entity"
    list_display = ["id", "batch", "kind", "price_list", "base_price", "markup", "price", "is_missing"]
    list_filter = ["kind", "is_missing"]
    search_fields = ["price_list__code", "reasoning"]
    ordering = ["-pk"]


@admin.register(Actual)
class ActualAdmin(LookupAdmin):
    list_display = [
        "id",
        "date",
        "type",
        "transaction_class",
        "project",
        "contract",
        through("contract_customer__customer", "Customer"),
        "quantity",
        amount("amount"),
        chip("billing_type", chargeable="success", non_chargeable="warning", complimentary="info"),
        "entity",
    ]
    list_filter = ["type", "transaction_class", "billing_type", "booked_by", "date"]
    search_fields = ["entry__external_id", "project__code", "contract__code", "description"]
    ordering = ["-pk"]
