"""Read-only admin of the backlog and its actions."""

from django.contrib import admin

from backlog.models import Adjustment, BacklogAction, BacklogItem, CorrectionJournal, CorrectionLine
from invoicing_site.admin.base import LookupAdmin, LookupInline
from invoicing_site.admin.columns import amount, chip, through


@admin.register(BacklogItem)
class BacklogItemAdmin(LookupAdmin):
    entity_path = "contract__entity"
    list_display = [
        "id",
        "date",
        "contract",
        "contract_line",
        through("contract_customer__customer", "Customer"),
        amount("amount"),
        chip("status", not_ready="info", ready="success", created="warning", posted="success", canceled=""),
        chip(
            "limit_status",
            "Not-to-exceed status",
            not_evaluated="warning",
            committed="success",
            failed="danger",
            na="",
        ),
        "hold_until",
    ]
    list_filter = ["status", "limit_status", "needs_price", "date"]
    search_fields = ["contract__code", "description", "actual__entry__external_id"]
    ordering = ["-pk"]


@admin.register(BacklogAction)
class BacklogActionAdmin(LookupAdmin):
    list_display = ["action", "at", "by", "changed", "unchanged", "undone_at", "entity"]
    list_filter = ["action"]
    search_fields = ["by__username"]
    ordering = ["-pk"]


@admin.register(Adjustment)
class AdjustmentAdmin(LookupAdmin):
    entity_path = "batch__entity"
    list_display = ["kind", "item", amount("amount", currency="item__currency"), "percent", "reason"]
    list_filter = ["kind"]
    search_fields = ["reason", "item__contract__code"]
    ordering = ["-pk"]


class CorrectionLineInline(LookupInline):
    model = CorrectionLine
    fields = ["entry", "date", "project", "task", "resource", "role", "category"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related(*self.fields[:1], *self.fields[2:])


@admin.register(CorrectionJournal)
class CorrectionJournalAdmin(LookupAdmin):
    list_display = [
        "number",
        "reason",
        chip("status", draft="info", posted="success"),
        "created_at",
        "entity",
    ]
    list_filter = ["status"]
    search_fields = ["number", "reason"]
    inlines = [CorrectionLineInline]
    ordering = ["-pk"]
