"""Importing entries from a file (IMP-1): all rows or none, and never the same row twice.

For a large file, `ask` requests the import and a worker runs it (`carry_out`).
"""

import contextlib
import datetime
import logging
from collections.abc import Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from actuals.importing import (
    as_before,
    looked_at,
    media_type_of,
    nobody,
    opened,
    projects_within,
    reason_of,
    refusal_of,
)
from actuals.importing.catalogue import KINDS
from actuals.importing.comparing import CHANGEABLE
from actuals.importing.mapping import Mapping
from actuals.importing.planning import Preview, long_days
from actuals.models import NAMED, Entry, EntryImport
from actuals.pricing import fix_pricing
from contracts.models import Project, Resource, may
from invoicing_site.floor import audit, files, formatting, jobs, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import LockingQuerySet, in_chunks, write_rows
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent

logger = logging.getLogger(__name__)

_Status = EntryImport.Status
_ATTEMPTS = 3
CHUNK = 2000


@dataclass(frozen=True)
class ImportResult:
    """The result of importing a file.

    `entry_import` is the import that has its entries: this one, or an earlier one of the same file.
    """

    entry_import: EntryImport | None
    preview: Preview
    added: int
    already_there: int
    changed: int = 0

    @property
    def was_imported_before(self) -> bool:
        """Whether this same file was imported earlier."""
        return self.preview.earlier is not None


def import_entries(
    file: bytes | BinaryIO,
    entity,
    mapping: Mapping | None = None,
    *,
    by,
    name: str = "",
    on: datetime.date | None = None,
    submit: bool = False,
    within: Set[int] | None = None,
) -> ImportResult:
    """Add the new rows of a file as draft entries, or as submitted ones: all rows or none (IMP-1).

    NotImported if any row has an error. A row is known by its external id, or by its content if it has none.
    A known row adds nothing, and changes its entry only if the choice says so and the entry is a draft. A
    file that was imported before is read with the same mapping, so that only rows without an entry are added:
    those that were left out, and now have another answer. The file is stored with the import.
    """
    content, name = opened(file, name)
    return _imported(
        lambda: looked_at(content, name, entity, mapping, on, within),
        lambda seen: _take_in(content, seen, entity, mapping or Mapping(), by=by, submit=submit),
    )


@transaction.atomic
def ask(file, entity, mapping: Mapping, *, by, rows: int, submit: bool, name: str = "") -> EntryImport:
    """Request the import of a stored file by a worker; `name` is its current name.

    If the same user has already requested the same import of the file and it is not finished, that import is
    returned. Any other request for the file is refused meanwhile.
    """
    asked, is_new = EntryImport.objects.at_work().get_or_create(
        entity=entity,
        file=file,
        defaults={
            "status": _Status.QUEUED,
            "format": mapping.format or EntryImport.Format.LEDGERLINE,
            "mapping": mapping.as_json() | _named(name, file),
            "rows": rows,
            "added": 0,
            "submits": submit,
            "imported_by": by,
        },
    )
    if is_new:
        jobs.enqueue_on_commit(
            "import_entries", by=by, entity=entity, about=asked, subject=asked.name, asked=asked.pk
        )
    elif (asked.imported_by, asked.submits, Mapping.kept(asked.mapping)) != (by, submit, mapping):
        raise _already_requested(asked, name or file.name, mapping, by)
    return asked


def _named(name, file) -> dict:
    """The current name of the file, if it was stored under another name before.

    To be added to the mapping.
    """
    name = Path(name).name
    return {NAMED: name[:255]} if name and name != file.name else {}


def _already_requested(asked, name, mapping, by) -> Refused:
    """The refusal of a file that is being imported with other settings or for another user."""
    if not EntryImport.objects.visible_to(by).filter(pk=asked.pk).exists():
        return Refused("IMPORT-AT-WORK-HIDDEN")
    at = timezone.localtime(asked.imported_at)
    is_same = Mapping.kept(asked.mapping) == mapping
    if asked.submits:
        how = _("to be submitted") if is_same else _("to be submitted, with other columns or answers")
    else:
        how = _("as drafts") if is_same else _("as drafts, with other columns or answers")
    return Refused(
        "IMPORT-AT-WORK",
        file=name,
        who=_("you") if asked.imported_by == by else asked.imported_by or _("the system"),
        day=at.date(),
        time=formatting.time(at),
        how=how,
    )


def carry_out(asked: EntryImport, report=nobody) -> EntryImport | None:
    """Import the file of a request: all rows, or none, with the reason stored on the import.

    None if another worker has already done it. `report(step, done, total)` is called inside the transaction.
    """
    if not EntryImport.objects.at_work().filter(pk=asked.pk).update(status=_Status.RUNNING):
        return None
    asked = EntryImport.objects.select_related("file", "entity", "imported_by").get(pk=asked.pk)
    entity, mapping = asked.entity, Mapping.kept(asked.mapping)
    try:
        _still_may(asked.imported_by, entity)
        within = projects_within(asked.imported_by, entity)
        checked = partial(report, "checked")
        content = files.read(asked.file)
        result = _imported(
            lambda: looked_at(content, asked.name, entity, mapping, None, within, checked),
            lambda seen: _fill(asked, seen, partial(report, "written")),
        )
        is_done = result is not None
    except Exception as problem:
        if not isinstance(problem, Refused):
            logger.exception("%s stopped.", asked)
        is_done = _end(asked, _Status.FAILED, reason_of(problem))
    if not is_done:
        return None
    asked.refresh_from_db()
    return asked


def _still_may(by, entity):
    """Refused if the user has lost the permission since the request."""
    if by is not None and not may(by, "entry.import", entity):
        raise Refused("IMPORT-RIGHTS", person=by, entity=entity)


def give_up(asked: EntryImport):
    """Mark an import as failed after its worker failed too often; the file can be imported again."""
    _end(asked, _Status.FAILED, Reason("IMPORT-GAVE-UP"))


def _end(asked, status, message) -> bool:
    """End an import that saved nothing; False if another worker has already ended it."""
    values = {"status": status, "message": message, "imported_at": timezone.now()}
    return bool(EntryImport.objects.at_work().filter(pk=asked.pk).update(**values))


class FullDay(Refused):
    """A day would have more than 24 hours, with hours that were entered since the file was checked."""


class ChangedMeanwhile(Refused):
    """A draft has changed since its row was compared with it."""


def _imported(look, write):
    """Check and write; repeat both if the data changed in between."""

    def attempt():
        seen = look()
        if seen.errors:
            raise refusal_of(seen)
        # `retry_once` must not repeat only the writing: `seen` has objects that a failed attempt changed.
        with transaction.Operation():
            return write(seen)

    for _attempt in range(_ATTEMPTS - 1):
        with contextlib.suppress(IntegrityError, FullDay, ChangedMeanwhile):
            # Another user imported or created the same rows at this moment; a new preview finds them.
            return transaction.retry_once(attempt)
    return transaction.retry_once(attempt)


def _take_in(content, seen: Preview, entity, mapping, *, by, submit) -> ImportResult:
    file = files.store(content, name=seen.name, media_type=media_type_of(content), by=by)
    finished = EntryImport.objects.filter(entity=entity, file=file, status=_Status.FINISHED)
    if not (seen.to_add or seen.to_change) and (earlier := seen.earlier or finished.first()):
        return ImportResult(earlier, seen, 0, seen.already_there)
    source = EntryImport.objects.create(
        entity=entity,
        file=file,
        format=seen.mapping.format,
        mapping=_kept(seen, mapping) | _named(seen.name, file),
        rows=seen.total,
        added=len(seen.to_add),
        message=_outcome(seen),
        submits=submit,
        imported_by=by,
    )
    return _write(seen, source, nobody)


def _fill(asked, seen: Preview, report) -> ImportResult | None:
    """Write the entries of a requested import, under its lock; None if another worker has done it."""
    source = EntryImport.objects.at_work().filter(pk=asked.pk).locked().first()
    if source is None:
        return None
    source.rows, source.added, source.format = seen.total, len(seen.to_add), seen.mapping.format
    source.mapping = _kept(seen, Mapping.kept(source.mapping)) | _named(seen.name, asked.file)
    source.status, source.imported_at = _Status.FINISHED, timezone.now()
    source.message = _outcome(seen)
    names = ["rows", "added", "format", "mapping", "status", "message", "imported_at"]
    source.save(update_fields=names)
    source.entity, source.imported_by, source.file = asked.entity, asked.imported_by, asked.file
    return _write(seen, source, report)


def _outcome(seen) -> Reason | None:
    """What an import did other than adding entries, or that it did nothing."""
    if n := len(seen.to_change):
        return Reason("IMPORT-DRAFTS-CHANGED", count=n)
    return None if seen.to_add else Reason("IMPORT-NOTHING-NEW")


def _kept(seen, mapping) -> dict:
    """The mapping with which the file was read: that of the earlier import, if there is one."""
    return (as_before(seen.earlier, mapping) if seen.earlier else mapping).as_json()


def _write(seen: Preview, source: EntryImport, report) -> ImportResult:
    entity, by, submit, new = source.entity, source.imported_by, source.submits, seen.to_add
    written = [*new, *seen.to_change]
    _hold_days(written, entity, seen.within)
    _hold_open({row.project.pk for row in written if row.project.pk})
    changed = _change_drafts(seen.to_change)
    _write_new(seen.catalogue, by=by, source=source)
    now, person = timezone.now(), by and by.pk
    # Keys instead of instances make the creation of twelve thousand rows twice as fast.
    fields = {"entity_id": entity.pk, "source_id": source.pk, "created_at": now, "created_by_id": person}
    if submit:
        fields |= {"status": Entry.Status.SUBMITTED, "submitted_at": now, "submitted_by_id": person}
    for n, chunk in enumerate(in_chunks(new, CHUNK)):
        report(n * CHUNK, len(new))
        entries = [row.entry(**fields) for row in chunk]
        write_rows(Entry, fix_pricing(entries) if submit else entries)
    audit.record(
        "actuals.import",
        source,
        by=by,
        entity=entity.code,
        file=seen.name,
        sha256=source.file.sha256,
        rows=seen.total,
        added=len(new),
        changed=changed,
        already_there=seen.already_there,
        left_out=seen.left_out,
        answers=seen.mapping.answers,
        created={kind: len(made) for kind, made in seen.to_create.items()},
        submitted=submit,
    )
    return ImportResult(source, seen, len(new), seen.already_there, len(changed))


def _change_drafts(rows) -> list[dict]:
    """Change drafts to the content of their rows; ChangedMeanwhile if one has changed since it was read."""
    done = []
    for chunk in in_chunks(rows, CHUNK):
        drafts = Entry.objects.filter(pk__in=[row.entry_id for row in chunk], status=Entry.Status.DRAFT)
        entries = {entry.pk: entry for entry in drafts.locked()}
        for row in chunk:
            entry = entries.get(row.entry_id)
            if entry is None or any(getattr(entry, name) != was for name, was in row.before.items()):
                raise ChangedMeanwhile("IMPORT-ENTRY-CHANGED", entry=str(row.entry_id))
            after = {name: getattr(row, name) for name in row.before}
            for name, value in after.items():
                setattr(entry, name, value)
            done.append({"entry": entry.pk, "before": row.before, "after": after})
        Entry.objects.bulk_update(entries.values(), CHANGEABLE, batch_size=500)
    return done


def _hold_days(new, entity, within):
    """Refused if hours that were entered since the preview make a day longer than 24 hours (APP-10)."""
    people = {row.resource.pk for row in new if row.resource and row.resource.pk}
    for chunk in in_chunks(sorted(people), CHUNK):
        list(LockingQuerySet(Resource).filter(pk__in=chunk).order_by("pk").locked())
    for problem in long_days(new, entity, within):
        raise FullDay("IMPORT-LONG-DAY", why=problem.reason)


def _hold_open(projects):
    """Refused if a project was closed since the preview."""
    for project in Project.objects.filter(pk__in=projects).held():
        if not project.is_open:
            raise Refused("IMPORT-PROJECT-CLOSED", project=project)


def _write_new(catalogue, *, by, source):
    """Insert missing records, with an audit event for each; the importing user manages new projects."""
    for kind, model in KINDS.items():
        made = write_rows(model, catalogue.new[kind])
        write_rows(AuditEvent, [_creation(thing, kind, catalogue.entity, by, source) for thing in made])
    if by is not None:
        managers = Project.managers.through
        managers.objects.bulk_create(
            managers(project_id=project.pk, user_id=by.pk) for project in catalogue.new["project"]
        )


def _creation(thing, kind, entity, by, source) -> AuditEvent:
    return AuditEvent(
        action=f"contracts.create_{kind}",
        by=by,
        entity=entity.code,
        subject_type=thing._meta.label_lower,
        subject_id=str(thing.pk),
        subject_text=str(thing)[:300],
        detail={"code": thing.code, "import": source.pk},
    )
