"""Shared parts of the Django admin. Django finds the pages of the audit trail and of jobs through it."""

from invoicing_site.admin import audit_events, jobs

__all__ = ["audit_events", "jobs"]
