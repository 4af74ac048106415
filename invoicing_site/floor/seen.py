"""Protection against overwriting unseen changes: a form sends a stamp of what it showed, to be compared.

The operation compares under the row's lock. A form can also compare, to show what changed, but somebody else
can still change the row before the operation starts.
"""

import hashlib

from invoicing_site.floor.errors import Refused

CHANGED = "CHANGED"


def stamp(rows, *columns: str) -> str:
    """A hash of these columns of these rows; it changes with any value and when rows are added or removed."""
    found = sorted((row.pk, *(_read(row, name) for name in columns)) for row in rows)
    return hashlib.sha256(repr(found).encode()).hexdigest()[:20]


def refuse_changed(seen: str, now: str) -> None:
    """Refused (CHANGED) if the rows differ from what was seen; commands, which saw nothing, pass None."""
    if seen and seen != now:
        raise Refused("CHANGED")


def _read(row, name):
    return str(getattr(row, row._meta.get_field(name).attname))
