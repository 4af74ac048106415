"""Is it alive? Answered before anything else: load balancers ask by address and without TLS or a login."""

import logging
import tempfile
import time

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.http import JsonResponse
from django.utils import timezone

logger = logging.getLogger(__name__)

# Each try writes, and anybody may ask: one try serves all questions of these seconds.
_SECONDS = 5
_last = {"at": None, "found": {}}


def health(get_response):
    """Middleware for /health/: 200 while database and data folder can be written to, otherwise 503.

    It names the kind of database and of broker, never their addresses: those may hold passwords.
    """

    def middleware(request):
        if request.path_info != "/health/":
            return get_response(request)
        now = time.monotonic()
        if _last["at"] is None or now - _last["at"] >= _SECONDS:
            _last["found"] = {"database": _database(), "files": _files()}
            _last["at"] = now
        found = _last["found"]
        answer = found | {
            "vendor": connection.vendor,
            "broker": settings.CELERY_BROKER_URL.partition(":")[0],
        }
        alive = set(found.values()) == {"up"}
        return JsonResponse(answer, status=200 if alive else 503, headers={"Cache-Control": "no-store"})

    return middleware


def _database():
    """up, read-only (a full disk, or a standby that took over), or down."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("The database does not answer.")
        return "down"
    if connection.vendor == "sqlite":
        return "up"  # its file lies in the data folder; a write here would wait for the one writer at work
    try:
        # As a sign-in does, but always the same row; a key this short opens no session.
        Session.objects.update_or_create(session_key="health", defaults={"expire_date": timezone.now()})
    except DatabaseError:
        logger.exception("The database can't be written to.")
        return "read-only"
    return "up"


def _files():
    """up, or read-only: documents and receipts are kept there."""
    try:
        with tempfile.TemporaryFile(dir=settings.DATA) as file:
            file.write(b"\0" * 65536)
            file.flush()
    except OSError:
        logger.exception("The data folder can't be written to.")
        return "read-only"
    return "up"
