"""Is it alive? Answered before anything else: load balancers ask by address and without TLS or a login."""

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import JsonResponse

logger = logging.getLogger(__name__)


def health(get_response):
    """Middleware for /health/: 200 while the database answers, 503 when it doesn't.

    It names the kind of database and of broker, never their addresses: those may hold passwords.
    """

    def middleware(request):
        if request.path_info != "/health/":
            return get_response(request)
        alive = _database_answers()
        answer = {
            "database": "up" if alive else "down",
            "vendor": connection.vendor,
            "broker": settings.CELERY_BROKER_URL.partition(":")[0],
        }
        return JsonResponse(answer, status=200 if alive else 503, headers={"Cache-Control": "no-store"})

    return middleware


def _database_answers():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("The database does not answer.")
        return False
    return True
