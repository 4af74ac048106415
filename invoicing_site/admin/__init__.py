"""Shared parts of the Django admin. Django finds the audit trail's admin page through this package."""

from invoicing_site.admin import audit_events

__all__ = ["audit_events"]
