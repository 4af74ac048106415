"""Who did what and when (SEC-3). Users stand with their memberships in contracts/admin."""

import json

from django.contrib import admin
from django.utils.html import format_html

from invoicing_site.admin_base import LookupAdmin
from invoicing_site.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(LookupAdmin):
    has_one_entity = False
    list_display = ["at", "by", "action", "subject_text", "entity"]
    list_filter = ["at"]
    search_fields = ["action", "subject_text", "by__username", "entity"]
    fields = ["at", "by", "entity", "action", "subject_type", "subject_id", "subject_text", "told"]
    readonly_fields = ["told"]

    def within(self, rows, entities):
        return rows.filter(entity__in=entities.codes)

    def lookup_allowed(self, lookup, value, request=None):
        return lookup in {"subject_type", "subject_id"} or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Before and after")
    def told(self, event):
        text = json.dumps(event.detail, indent=2, ensure_ascii=False)
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', text)
