"""Log records as JSON lines, for the collector of whoever runs this in production."""

import json
import logging
from datetime import UTC, datetime


class FaultsOfClients(logging.Filter):
    """A wrong Host header or a form that is too large is the client's fault: a warning, not an error of ours.

    Django logs them as errors. Anybody can send such a request, and an operator is woken by errors.
    """

    def filter(self, record):
        if record.name.startswith("django.security.") and record.levelno == logging.ERROR:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class JsonLines(logging.Formatter):
    """One object a line; a traceback stays inside its object, so that no line stands alone."""

    def format(self, record):
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "thread": record.threadName,
        }
        if status := getattr(record, "status_code", None):
            line["status"] = status
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
