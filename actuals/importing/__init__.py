"""Reading entries from CSV and XLSX files (IMP-1), in our own format or as exported by other programs.

`preview` returns what an import would do, with every error by row. `actuals.operations.imports` imports the
file.

The steps from bytes to entries: `tables` (header and cells; `workbook` reads XLSX in a separate process),
`programs` and `mapping` (which column is which field), `values` (dates, numbers), `catalogue` (codes and
names), `reading` (one row), `comparing` (existing and changed entries), `choices` and `totals`, `planning`
(all steps together).
"""

import datetime
import hashlib
import logging
import zoneinfo
from collections.abc import Set
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone

from actuals.importing import tables
from actuals.importing.approvers import who_approves
from actuals.importing.choices import CHOICES, option_of
from actuals.importing.mapping import CREATABLE, Mapping
from actuals.importing.planning import Preview, plan
from actuals.importing.programs import ALL_HEADINGS, FIELDS, FORMATS, recognized
from actuals.importing.rows import Problem
from actuals.models import EntryImport
from contracts.models import Membership, managed_projects, roles_of
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

__all__ = [
    "ALL_HEADINGS",
    "CHOICES",
    "CREATABLE",
    "FIELDS",
    "FORMATS",
    "Mapping",
    "NotImported",
    "Preview",
    "Problem",
    "as_drafts",
    "media_type_of",
    "option_of",
    "preview",
    "projects_within",
    "recognized",
    "who_approves",
]

logger = logging.getLogger(__name__)

_CSV, _XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NotImported(Refused):
    """Nothing was imported because the file or some of its rows have errors; `preview` has them all."""

    def __init__(self, code, /, *, preview: Preview | None = None, **params):
        super().__init__(code, **params)
        self.preview = preview


def nobody(*progress):
    """Ignore the progress."""


def preview(
    file: bytes | BinaryIO,
    entity,
    mapping: Mapping | None = None,
    *,
    name: str = "",
    on: datetime.date | None = None,
    within: Set[int] | None = None,
) -> Preview:
    """What an import would add and create, with every error and warning by row; writes nothing.

    Content never raises an exception: a file that can't be read at all gives an error without a row. `on` is
    the legal entity's current date, `within` the keys of the projects for which the user may import (None:
    all).
    """
    content, name = opened(file, name)
    try:
        return looked_at(content, name, entity, mapping, on, within)
    except Refused as refusal:
        return Preview(name, errors=[Problem(None, "", refusal.reason)])


def projects_within(user, entity) -> set[int] | None:
    """The keys of the projects for which the user may import rows; None means all of the legal entity."""
    if user is None or Membership.Role.ACCOUNTANT in roles_of(user).get(entity.pk, ()):
        return None
    return set(managed_projects(user).values_list("project", flat=True))


def media_type_of(content: bytes) -> str:
    """The media type of the content, CSV or XLSX, by its first bytes."""
    return _XLSX if tables.is_workbook(content) else _CSV


def opened(file, name) -> tuple[bytes, str]:
    """The bytes, at most one more than the limit, and the name of the file."""
    if isinstance(file, bytes):
        return file, name or "entries"
    return file.read(tables.MOST_BYTES + 1), name or Path(getattr(file, "name", None) or "entries").name


def reason_of(problem: Exception) -> Reason:
    """Why an import failed: the reason of a refusal, or an internal error."""
    if isinstance(problem, Refused):
        return problem.reason
    return Reason("IMPORT-INTERNAL-ERROR", error=type(problem).__name__)


def looked_at(content, name, entity, mapping, on, within=None, report=nobody) -> Preview:
    mapping = (mapping or Mapping()).checked()
    if mapping.create and within is not None:
        raise Refused("IMPORT-CREATES")
    before = EntryImport.objects.filter(entity=entity, file__sha256=hashlib.sha256(content).hexdigest())
    # If all its entries have been deleted, the file is imported again.
    earlier = next((each for each in before.order_by("pk") if each.entries.exists()), None)
    if earlier:
        _require_reach(earlier, within)
        mapping = as_before(earlier, mapping)
    table = tables.read_table(content, known=mapping.headings(), sheet=mapping.sheet, name=name)
    mapping = mapping.settled(table)
    own = set(before.values_list("pk", flat=True)) if earlier else ()
    on = on or entity.today()
    seen = plan(table, entity, mapping, name=name, on=on, own=own, within=within, report=report)
    if earlier:
        seen.earlier = earlier
        seen.warnings.insert(0, Problem(None, "", _note(seen, entity)))
    return seen


def _require_reach(earlier, within):
    """Refused if an entry of the earlier import is on a project that the user does not manage (SEC-1)."""
    if within is not None and not within.issuperset(
        earlier.entries.order_by().values_list("project", flat=True).distinct()
    ):
        raise Refused("IMPORT-REACH")


def as_before(earlier, mapping) -> Mapping:
    """The mapping of the earlier import, so that rows match their entries, with the choices of this one."""
    kept = Mapping.kept(earlier.mapping)
    constants = dict(kept.constants)
    if "project" in mapping.constants:
        constants.setdefault("project", mapping.constants["project"])  # only rows that had none
    now = {name: getattr(mapping, name) for name in ("create", "item_tax_group", "answers", "time_category")}
    return replace(kept, format=earlier.format, constants=constants, **now).checked()


def _note(seen, entity) -> Reason:
    """A warning that the file was imported before."""
    day = timezone.localdate(seen.earlier.imported_at, zoneinfo.ZoneInfo(entity.time_zone))
    if not seen.to_add:
        return Reason("FILE-IMPORTED-BEFORE", day=day)
    return Reason("FILE-IMPORTED-IN-PART", day=day)


def refusal_of(seen: Preview) -> NotImported:
    """The refusal of a file with errors: the first error, and the number of rows with errors."""
    first = seen.errors[0]
    if not first.row:
        return NotImported("IMPORT-FILE-ERROR", why=first.reason, preview=seen)
    about = {"wrong": seen.wrong, "rows": seen.total, "file": seen.name}
    about |= {"row": str(first.row), "why": first.reason}
    if not first.field:
        return NotImported("IMPORT-ROW-ERRORS", **about, preview=seen)
    return NotImported("IMPORT-ERRORS", **about, field=first.field, preview=seen)


def as_drafts(n: int) -> str:
    """“as a draft” or “as drafts”, for entries that are imported without submitting."""
    return "as a draft" if n == 1 else "as drafts"
