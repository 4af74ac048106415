"""Entries from CSV and XLSX files (IMP-1): our own format, and the exports of other programs.

`preview` says what an import would do, with every error by row. `import_entries` does it: all rows or none,
and never the same row twice. From bytes to entries: `tables` (header and cells), `formats` (which column is
what), `values` (dates, numbers), `catalogue` (codes and names), `rows` (one entry), `planning` (the whole).
"""

import datetime
import hashlib
import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.utils import timezone

from actuals.importing import tables
from actuals.importing.formats import CREATABLE, FIELDS, FORMATS, Mapping
from actuals.importing.planning import Preview, plan
from actuals.importing.rows import Problem
from actuals.models import Entry, EntryImport
from contracts.models import Project
from invoicing_site import audit, files
from invoicing_site.errors import Refused
from invoicing_site.querysets import in_chunks, write_rows

__all__ = [
    "CREATABLE",
    "FIELDS",
    "FORMATS",
    "ImportResult",
    "Mapping",
    "NotImported",
    "Preview",
    "Problem",
    "import_entries",
    "media_type_of",
    "preview",
]

_CHUNK = 5000
_ATTEMPTS = 3
_CSV, _XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NotImported(Refused):
    """Rows have errors, so nothing was imported; `preview` says which."""

    def __init__(self, message, *, code="", remedy="", preview: Preview | None = None):
        super().__init__(message, code=code, remedy=remedy)
        self.preview = preview


@dataclass(frozen=True)
class ImportResult:
    """What became of a file. `entry_import` holds its entries: this import, or an earlier one of the file."""

    entry_import: EntryImport | None
    preview: Preview
    added: int
    already_there: int

    @property
    def was_imported_before(self) -> bool:
        """Whether this very file was taken in earlier, so that nothing was even looked at."""
        return self.preview.earlier is not None


def preview(
    file: bytes | BinaryIO,
    entity,
    mapping: Mapping | None = None,
    *,
    name: str = "",
    on: datetime.date | None = None,
    within: Collection[int] | None = None,
) -> Preview:
    """What importing the file would add and create, and every error and warning by row; writes nothing.

    Never raises for what a file may hold: one that cannot be read at all is an error without a row. `on` is
    the entity's today; `within` the keys of the projects that whoever imports may enter work on (None: all).
    """
    content, name = _opened(file, name)
    try:
        return _looked_at(content, name, entity, mapping, on, within)
    except Refused as refusal:
        return Preview(name, errors=[Problem(None, "", str(refusal))])


def import_entries(
    file: bytes | BinaryIO,
    entity,
    mapping: Mapping | None = None,
    *,
    by,
    name: str = "",
    on: datetime.date | None = None,
    submit: bool = False,
    within: Collection[int] | None = None,
) -> ImportResult:
    """Add what is new in the file as draft entries, or as submitted ones: all rows or none (IMP-1).

    NotImported where any row has an error. A file whose entries are here already adds nothing; nor does a row
    whose external id, or content where it has none, is known. The file is kept with the import.
    """
    content, name = _opened(file, name)
    for attempt in range(_ATTEMPTS):
        seen = _looked_at(content, name, entity, mapping, on, within)
        if seen.errors:
            raise NotImported(_refusal(seen), code="IMPORT-ERRORS", preview=seen)
        if seen.earlier:
            return ImportResult(seen.earlier, seen, 0, seen.already_there)
        try:
            return _take_in(content, seen, entity, mapping or Mapping(), by=by, submit=submit)
        except IntegrityError:
            # Somebody imported or created the same at this moment: what was planned is there by now.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("The last attempt returns or raises.")


def media_type_of(content: bytes) -> str:
    """CSV, or a workbook, by its first bytes."""
    return _XLSX if tables.is_workbook(content) else _CSV


def _opened(file, name) -> tuple[bytes, str]:
    """The bytes, at most one more than are allowed, and what the file is called."""
    if isinstance(file, bytes):
        return file, name or "entries"
    return file.read(tables.MOST_BYTES + 1), name or Path(getattr(file, "name", None) or "entries").name


def _looked_at(content, name, entity, mapping, on, within=None) -> Preview:
    mapping = (mapping or Mapping()).checked()
    sha256 = hashlib.sha256(content).hexdigest()
    for earlier in EntryImport.objects.filter(entity=entity, file__sha256=sha256).order_by("pk"):
        # Where all its entries have been deleted since, the file may come in anew.
        if earlier.entries.exists():
            note = f"This very file was imported on {_day(earlier, entity)}: it adds nothing."
            return Preview(name, earlier.rows, warnings=[Problem(None, "", note)], earlier=earlier)
    table = tables.read_table(content, known=mapping.headings(), sheet=mapping.sheet)
    return plan(table, entity, mapping, name=name, on=on or entity.today(), within=within)


def _day(entry_import, entity) -> datetime.date:
    return timezone.localdate(entry_import.imported_at, zoneinfo.ZoneInfo(entity.time_zone))


def _refusal(seen: Preview) -> str:
    first = seen.errors[0]
    rows = len({problem.row for problem in seen.errors})
    return (
        f"{rows:,} of {seen.total:,} rows of {seen.name} cannot be imported, so none was. The first: {first}"
        if first.row
        else str(first)
    )


@transaction.atomic
def _take_in(content, seen: Preview, entity, mapping, *, by, submit) -> ImportResult:
    new = seen.to_add
    _hold_open({row.project.pk for row in new if row.project.pk})
    file = files.store(content, name=seen.name, media_type=media_type_of(content), by=by)
    earlier = EntryImport.objects.filter(entity=entity, file=file).first()
    if earlier and not new:
        return ImportResult(earlier, seen, 0, seen.already_there)
    source = EntryImport.objects.create(
        entity=entity,
        file=file,
        format=mapping.format,
        mapping=mapping.as_json(),
        rows=seen.total,
        added=len(new),
        imported_by=by,
    )
    seen.catalogue.write_new(by=by, source=source)
    now, person = timezone.now(), by and by.pk
    # Keys and not instances: setting up twelve thousand rows takes half the time.
    fields = {"entity_id": entity.pk, "source_id": source.pk, "created_at": now, "created_by_id": person}
    if submit:
        fields |= {"status": Entry.Status.SUBMITTED, "submitted_at": now, "submitted_by_id": person}
    for chunk in in_chunks(new, _CHUNK):
        write_rows(Entry, [row.entry(**fields) for row in chunk])
    audit.record(
        "actuals.import",
        source,
        by=by,
        entity=entity.code,
        file=seen.name,
        sha256=file.sha256,
        rows=seen.total,
        added=len(new),
        already_there=seen.already_there,
        created={kind: len(made) for kind, made in seen.to_create.items()},
        submitted=submit,
    )
    return ImportResult(source, seen, len(new), seen.already_there)


def _hold_open(projects):
    """A project may have been closed since the rows were judged."""
    for project in Project.objects.filter(pk__in=projects).held():
        if not project.is_open:
            raise Refused(
                f"Project {project} was closed for entries just now: open it, or choose another one.",
                code="PROJECT-CLOSED",
            )
