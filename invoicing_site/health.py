"""Is it alive? For load balancers and containers, so without a login."""

import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import JsonResponse
from django.views.decorators.cache import never_cache

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
def health(request):
    """Names the kind of database and broker and never their addresses, which may hold passwords."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database = "up"
    except DatabaseError:
        logger.exception("The database does not answer.")
        database = "down"
    answer = {
        "database": database,
        "vendor": connection.vendor,
        "broker": settings.CELERY_BROKER_URL.partition(":")[0],
    }
    return JsonResponse(answer, status=200 if database == "up" else 503)
