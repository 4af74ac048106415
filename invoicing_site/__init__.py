"""The site: its floor is what every app may use, its roof is what brings the apps together."""

from invoicing_site.celery import app as celery_app

__all__ = ["celery_app"]
