"""Nobody overwrites what they never saw: a form carries the stamp of what it showed, the operation compares.

The operation compares under the row's lock. A form that compares by itself, to say what changed, may find
nothing and be overtaken before the operation begins.
"""

import hashlib

from invoicing_site.floor.errors import Refused

CHANGED = "CHANGED"


def stamp(rows, *columns: str) -> str:
    """These columns of these rows, in short: it changes when one of them does and when rows come or go."""
    found = sorted((row.pk, *(_read(row, name) for name in columns)) for row in rows)
    return hashlib.sha256(repr(found).encode()).hexdigest()[:20]


def refuse_changed(seen: str, now: str) -> None:
    """Refused (CHANGED) unless what was seen is what there is; who saw nothing, such as a command, passes."""
    if seen and seen != now:
        raise Refused("CHANGED")


def _read(row, name):
    return str(getattr(row, row._meta.get_field(name).attname))
