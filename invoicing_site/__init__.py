"""The site: `floor` is shared by all apps; `pages`, `explain`, `verify` and `demo` use all apps."""

from invoicing_site.celery import app as celery_app

__all__ = ["celery_app"]
