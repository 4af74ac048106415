"""Admin of audit events (SEC-3). Users are in contracts/admin, with their memberships."""

import json

from django.contrib import admin
from django.utils.html import format_html

from invoicing_site.admin.base import LookupAdmin
from invoicing_site.floor.audit_words import in_words
from invoicing_site.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(LookupAdmin):
    has_one_entity = False
    list_display = ["at", "by", "what", "subject_text", "entity"]
    list_filter = ["at"]
    search_fields = ["action", "subject_text", "by__username", "entity"]
    fields = ["at", "by", "entity", "what", "action", "subject_type", "subject_id", "subject_text", "content"]
    readonly_fields = ["what", "content"]

    def within(self, rows, entities):
        return rows.filter(entity__in=entities.codes)

    def lookup_allowed(self, lookup, value, request=None):
        return lookup in {"subject_type", "subject_id"} or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Action", ordering="action")
    def what(self, event):
        return in_words(event.action)

    @admin.display(description="Before and after")
    def content(self, event):
        text = json.dumps(event.detail, indent=2, ensure_ascii=False)
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', text)
