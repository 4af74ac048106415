"""Operations on entries before approval: create, change, submit, recall, delete (APP-1)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.utils import timezone

from actuals.models import Actual, Entry
from actuals.naming import named
from actuals.oddities import HOURS_A_DAY
from actuals.pricing import fix_pricing
from contracts.models import Membership, Project, Resource
from invoicing_site.floor import (
    audit,
    bounds,
    checked,
    currencies,
    days,
    moves,
    transaction,
)
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import LockingQuerySet, in_chunks, total, totals

_CHUNK = 5000
_Status = Entry.Status
# The fields that the owner of an entry sets; all others are set by operations.
_CONTENT = (
    "date",
    "project",
    "task",
    "role",
    "category",
    "product",
    "quantity",
    "unit",
    "description",
    "cost_currency",
    "cost_net",
    "cost_tax",
    "cost_tax_deductible",
    "receipt",
)


@transaction.atomic
def enter(resource: Resource, transaction_class: str, *, by, **fields) -> Entry:
    """Create a draft of the user's own work: hours, an expense or material, on an open project."""
    resource = own_resource(resource, by)
    (project,) = _held([fields["project"]])
    if not resource.is_active:
        raise Refused("RESOURCE-INACTIVE", resource=resource)
    entry = Entry(
        entity_id=resource.entity_id,
        resource=resource,
        transaction_class=transaction_class,
        created_by=by,
        **{**fields, "project": project},
    )
    _check(entry)
    entry.save(force_insert=True)
    audit.record("actuals.enter", entry, by=by, entity=entry.entity.code, **_content(entry))
    return entry


@transaction.atomic
def amend(entry: Entry, *, by, seen: str, **fields) -> Entry:
    """Change the user's own draft or rejected entry; refused if it differs from what was `seen` (its stamp).

    A rejected entry that is changed becomes a draft, so that it is submitted with the others. The comment of
    the rejection stays until then.
    """
    if entry.resource:
        own_resource(entry.resource, by)
    project, *_ = _held([fields.get("project", entry.project), entry.project])
    (entry,) = _locked([entry])
    _refuse_unless([entry], "amend")
    _require_own([entry], by)
    if stamp(entry) != seen:
        raise Refused("ENTRY-CHANGED", entry=named(entry))
    before = _content(entry)
    for name, value in {**fields, "project": project}.items():
        setattr(entry, name, value)
    _check(entry)
    after = _content(entry)
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if changed:
        entry.status = _Status.DRAFT
    entry.save(update_fields=[*fields.keys() | {"project", "status"}])
    audit.record("actuals.amend", entry, by=by, entity=entry.entity.code, changed=changed)
    return entry


@transaction.atomic
def enter_and_submit(resource: Resource, transaction_class: str, *, by, **fields) -> Entry:
    """Enter and submit an entry in one transaction."""
    return submit([enter(resource, transaction_class, by=by, **fields)], by=by)[0]


@transaction.atomic
def amend_and_submit(entry: Entry, *, by, seen: str, **fields) -> Entry:
    """Change and submit an entry in one transaction."""
    return submit([amend(entry, by=by, seen=seen, **fields)], by=by)[0]


@transaction.atomic
def delete(entries: Iterable[Entry], *, by) -> int:
    """Delete the user's own drafts and rejected entries, all or none; the audit log keeps their content."""
    entries = _locked(entries)
    if not entries:
        return 0
    _refuse_unless(entries, "delete")
    _require_own(entries, by)
    require_never_approved(entries)
    kept = [{"entry": entry.pk, **_content(entry)} for entry in entries]
    entity = entries[0].entity.code
    for chunk in in_chunks(entries, _CHUNK):
        Entry.objects.filter(pk__in=[entry.pk for entry in chunk]).delete()
    audit.record("actuals.delete", None, by=by, entity=entity, deleted=kept)
    return len(entries)


def stamp(entry: Entry) -> str:
    """A hash that changes with any field that the owner sets."""
    words = "\x1f".join([entry.status, *map(str, _content(entry).values())])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def own_resource(resource: Resource, by) -> Resource:
    """The resource, locked, which also locks its days; refused if it is not the user's own."""
    resource = LockingQuerySet(Resource).filter(pk=resource.pk).locked().get()
    if resource.user_id is None or resource.user_id != by.pk:
        raise Refused("OTHER-PERSON", resource=resource)
    return resource


def require_never_approved(entries):
    """Refused for an entry with a canceled approval, because its reversed actuals refer to it (ACT-1)."""
    for chunk in in_chunks(entries, _CHUNK):
        fact = Actual.objects.filter(entry__in=[entry.pk for entry in chunk]).first()
        if fact:
            raise Refused("ENTRY-WAS-APPROVED", entry=str(fact.entry_id))


def _held(projects):
    """The current projects, in the given order, with a shared lock, so that nobody closes them meanwhile."""
    found = {row.pk: row for row in Project.objects.filter(pk__in={each.pk for each in projects}).held()}
    return [found[each.pk] for each in projects]


def _check(entry):
    project = entry.project
    if project.entity_id != entry.entity_id or (entry.role and entry.role.entity_id != entry.entity_id):
        raise Refused("OF-OTHER-ENTITY", thing=project)
    if not project.is_open:
        raise Refused("PROJECT-CLOSED", project=project)
    if entry.task and entry.task.project_id != project.pk:
        raise Refused("TASK-OF-OTHER-PROJECT", task=entry.task, project=project)
    for thing in (entry.category, entry.product):
        if thing and thing.entity_id != entry.entity_id:
            raise Refused("OF-OTHER-ENTITY", thing=thing)
    if entry.category and entry.category.transaction_class != entry.transaction_class:
        kind = Entry.Class(entry.transaction_class)
        raise Refused("CATEGORY-OTHER-CLASS", category=entry.category, kind=kind)
    checked.words(entry.description, Entry, "description")
    days.require_work_day(entry.date, entry.entity.today())
    for name in ("quantity", "cost_net", "cost_tax", "cost_tax_deductible"):
        if (value := getattr(entry, name)) is not None:
            checked.figure(value, Entry, name)
    if entry.quantity <= 0:
        raise Refused("QUANTITY-ZERO")
    if reason := bounds.quantity_too_large(entry.quantity):
        raise Refused.because(reason)
    if entry.transaction_class == Entry.Class.TIME:
        _check_hours(entry)
    if entry.transaction_class == Entry.Class.EXPENSE:
        _check_costs(entry)


def _check_hours(entry):
    """Refused if a day would have more than 24 hours.

    Rejected entries do not count, unless they are submitted again.
    """
    others = hours_of_days([entry]).exclude(pk=entry.pk)
    _require_at_most_24_hours(entry.date, total(others, "quantity") + entry.quantity)


def _require_at_most_24_hours(day, hours):
    if hours > HOURS_A_DAY:
        raise Refused("LONG-DAY", day=day, hours=hours)


def hours_of_days(entries):
    """The hours that count on the days of these entries, by resource and day."""
    return Entry.objects.filter(
        resource__in={entry.resource_id for entry in entries},
        date__in={entry.date for entry in entries},
        transaction_class=Entry.Class.TIME,
    ).exclude(status=_Status.REJECTED)


def _check_costs(entry):
    if entry.cost_currency and (reason := currencies.problem(entry.cost_currency)):
        raise Refused.because(reason)
    net, tax, deductible = entry.cost_net, entry.cost_tax or Decimal(0), entry.cost_tax_deductible
    for value in (net, tax, deductible):
        if value is not None and value < 0:
            raise Refused("NEGATIVE-AMOUNT", amount=value)
        if value is not None and (reason := checked.too_fine(value, entry.cost_currency)):
            raise Refused.because(reason)
    if net is not None and (reason := bounds.amount_too_large(net + tax, entry.cost_currency)):
        raise Refused("EXPENSE-TOO-LARGE", why=reason)
    if tax and deductible is None:
        raise Refused("DEDUCTIBLE-MISSING")
    if deductible and deductible > tax:
        raise Refused("DEDUCTIBLE-OVER-TAX", deductible=deductible, tax=tax)


def _require_own(entries, by):
    for entry in entries:
        if not _owns(by, entry):
            raise Refused("NOT-YOURS-TO-CHANGE", entry=named(entry))


def _content(entry) -> dict:
    values = {}
    for name in _CONTENT:
        field = Entry._meta.get_field(name)
        value = getattr(entry, field.attname)  # type: ignore[union-attr]  # each is a column
        values[name] = str(value.normalize()) if isinstance(value, Decimal) else value and str(value)
    return values


@transaction.atomic
def submit(entries: Iterable[Entry], *, by) -> list[Entry]:
    """Submit drafts and rejected entries for approval; all or none (APP-1).

    Allowed for the entry's owner, for the user who created it, for the project's managers and for the legal
    entity's accountants; `by` None is the system itself. Refused on a closed project, for a resource of
    another legal entity, and if a day would have more than 24 hours. The stamps of an earlier rejection are
    cleared; the audit log keeps them. From now on the entry is priced by the role, unit and legal entity of
    the resource on its day, even if the resource changes later (APP-9).
    """
    entries = _locked(entries)
    if not entries:
        return []
    _refuse_unless(entries, "submit")
    _may_submit(entries, by)
    for entry in entries:
        if not entry.project.is_open:
            raise Refused("SUBMIT-PROJECT-CLOSED", entry=named(entry), project=entry.project)
        if entry.resource and entry.resource.entity_id != entry.entity_id:
            raise Refused("SUBMIT-OTHER-ENTITY", entry=named(entry), resource=entry.resource)
    _check_days(entries)
    submitted = {
        "status": _Status.SUBMITTED,
        "submitted_at": timezone.now(),
        "submitted_by": by,
        "decided_at": None,
        "decided_by": None,
        "decision_comment": "",
    }
    alike = defaultdict(list)
    for entry in fix_pricing(entries):
        alike[tuple(getattr(entry, name) for name in _PRICED_BY)].append(entry)
    for fixed, rows in alike.items():
        _update(rows, **submitted, **dict(zip(_PRICED_BY, fixed, strict=True)))
    _tell("actuals.submit", entries, by)
    return entries


_PRICED_BY = ("priced_role_id", "priced_unit_id", "priced_company_id")


@transaction.atomic
def recall(entries: Iterable[Entry], *, by) -> list[Entry]:
    """Return the user's own submitted entries to draft before they are approved; all or none (APP-1).

    An approved entry needs a recall request, which its approver answers (APP-5).
    """
    entries = _locked(entries)
    if not entries:
        return []
    _refuse_unless(entries, "recall")
    for entry in entries:
        if by is not None and not _owns(by, entry):
            raise Refused("NOT-YOURS-TO-RECALL", entry=named(entry))
    _update(entries, status=_Status.DRAFT, submitted_at=None, submitted_by=None)
    _tell("actuals.recall", entries, by)
    return entries


def _locked(entries) -> list[Entry]:
    """The entries, read again and locked in the order of their keys; their projects get a shared lock."""
    entries = list(entries)
    keys = sorted({entry.pk for entry in entries})
    # The days of the resource are locked before the hours on them are counted.
    back = {entry.resource_id for entry in entries if entry.status == _Status.REJECTED}
    list(LockingQuerySet(Resource).filter(pk__in=back).locked())
    Project.objects.filter(pk__in={entry.project_id for entry in entries}).held()
    found = []
    for chunk in in_chunks(keys, _CHUNK):
        rows = Entry.objects.filter(pk__in=chunk).select_related("project", "resource", "entity")
        found += rows.locked()
    if len(found) < len(keys):
        raise Refused("ENTRY-GONE")
    if len({entry.entity_id for entry in found}) > 1:
        raise Refused("ENTRIES-SEVERAL-ENTITIES")
    return found


def _refuse_unless(entries, verb):
    """Refused for the first entry with a status that does not allow the verb."""
    for entry in entries:
        moves.refuse_unless(entry, verb, name=named(entry))


def _check_days(entries):
    """Refused if a day would have more than 24 hours; rejected entries count again."""
    worked = [entry for entry in entries if entry.transaction_class == Entry.Class.TIME]
    hours: dict[tuple, Decimal] = {}
    for chunk in in_chunks(worked, _CHUNK):
        hours |= totals(hours_of_days(chunk), by=("resource", "date"), field="quantity")
    for entry in worked:
        place = entry.resource_id, entry.date
        if entry.status == _Status.REJECTED:
            hours[place] = hours.get(place, Decimal(0)) + entry.quantity
        _require_at_most_24_hours(entry.date, hours[place])


def _may_submit(entries, by):
    others = [entry for entry in entries if by is not None and not _owns(by, entry)]
    if not others:
        return
    roles = Membership.objects.filter(user=by, entity=entries[0].entity_id)
    if roles.filter(role=Membership.Role.ACCOUNTANT).exists():
        return
    managed = set(Project.objects.filter(managers=by).values_list("pk", flat=True))
    for entry in others:
        if entry.project_id not in managed:
            raise Refused("NOT-YOURS-TO-SUBMIT", entry=named(entry))


def _owns(user, entry) -> bool:
    """Whether the user did the work, or entered it for a resource without a login."""
    if entry.resource and entry.resource.user_id == user.pk:
        return True
    return entry.created_by_id == user.pk


def _update(entries, **values):
    for chunk in in_chunks(entries, _CHUNK):
        Entry.objects.filter(pk__in=[entry.pk for entry in chunk]).update(**values)
    for entry in entries:
        for name, value in values.items():
            setattr(entry, name, value)


def _tell(action, entries, by):
    subject = entries[0] if len(entries) == 1 else None
    keys = [entry.pk for entry in entries]
    audit.record(action, subject, by=by, entity=entries[0].entity.code, entries=keys)
