"""Log records as JSON lines, for a log collector in production."""

import json
import logging
from datetime import UTC, datetime


class FaultsOfClients(logging.Filter):
    """Log a wrong Host header or a too large form as a warning, because it is an error of the client.

    Django logs them as errors. Anybody can send such requests, and errors alert the operator.
    """

    def filter(self, record):
        if record.name.startswith("django.security.") and record.levelno == logging.ERROR:
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class JsonLines(logging.Formatter):
    """One object per line, including the traceback."""

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
