"""Entries before approval: created, changed, submitted, recalled, deleted (APP-1)."""

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
# What its owner decides about an entry; the rest is made by what happens to it.
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
    """A new draft of one's own: hours, an expense or material, on an open project of one's company."""
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
    _judge(entry)
    entry.save(force_insert=True)
    audit.record("actuals.enter", entry, by=by, entity=entry.entity.code, **_content(entry))
    return entry


@transaction.atomic
def amend(entry: Entry, *, by, seen: str, **fields) -> Entry:
    """Change one's own draft or rejected entry; refused when it is not what was `seen` (its stamp) any more.

    A rejected entry that is changed becomes a draft, so that it goes in again with the others; the comment
    stays on it until then.
    """
    if entry.resource:
        own_resource(entry.resource, by)
    project, *_ = _held([fields.get("project", entry.project), entry.project])
    (entry,) = _locked([entry])
    _refuse_unless([entry], "amend")
    _demand_own([entry], by)
    if stamp(entry) != seen:
        raise Refused("ENTRY-CHANGED", entry=named(entry))
    before = _content(entry)
    for name, value in {**fields, "project": project}.items():
        setattr(entry, name, value)
    _judge(entry)
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
    """Remove one's own drafts and rejected entries, all of them or none; the audit log keeps them."""
    entries = _locked(entries)
    if not entries:
        return 0
    _refuse_unless(entries, "delete")
    _demand_own(entries, by)
    demand_no_facts(entries)
    kept = [{"entry": entry.pk, **_content(entry)} for entry in entries]
    entity = entries[0].entity.code
    for chunk in in_chunks(entries, _CHUNK):
        Entry.objects.filter(pk__in=[entry.pk for entry in chunk]).delete()
    audit.record("actuals.delete", None, by=by, entity=entity, deleted=kept)
    return len(entries)


def stamp(entry: Entry) -> str:
    """A word that changes when anything does that its owner decides."""
    words = "\x1f".join([entry.status, *map(str, _content(entry).values())])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def own_resource(resource: Resource, by) -> Resource:
    """The resource under its lock, which guards its days; refused when it is not the person's own."""
    resource = LockingQuerySet(Resource).filter(pk=resource.pk).locked().get()
    if resource.user_id is None or resource.user_id != by.pk:
        raise Refused("OTHER-PERSON", resource=resource)
    return resource


def demand_no_facts(entries):
    """An entry whose approval was canceled stays: the facts that were reversed refer to it (ACT-1)."""
    for chunk in in_chunks(entries, _CHUNK):
        fact = Actual.objects.filter(entry__in=[entry.pk for entry in chunk]).first()
        if fact:
            raise Refused("ENTRY-WAS-APPROVED", entry=str(fact.entry_id))


def _held(projects):
    """The projects as they are now, in the order given, held so that nobody closes them meanwhile."""
    found = {row.pk: row for row in Project.objects.filter(pk__in={each.pk for each in projects}).held()}
    return [found[each.pk] for each in projects]


def _judge(entry):
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
    days.demand_worked(entry.date, entry.entity.today())
    for name in ("quantity", "cost_net", "cost_tax", "cost_tax_deductible"):
        if (value := getattr(entry, name)) is not None:
            checked.figure(value, Entry, name)
    if entry.quantity <= 0:
        raise Refused("QUANTITY-ZERO")
    if reason := bounds.quantity_too_large(entry.quantity):
        raise Refused.because(reason)
    if entry.transaction_class == Entry.Class.TIME:
        _judge_hours(entry)
    if entry.transaction_class == Entry.Class.EXPENSE:
        _judge_costs(entry)


def _judge_hours(entry):
    """No day is longer than 24 hours; what was rejected does not count, unless it goes in again."""
    others = hours_of_days([entry]).exclude(pk=entry.pk)
    _demand_short(entry.date, total(others, "quantity") + entry.quantity)


def _demand_short(day, hours):
    if hours > HOURS_A_DAY:
        raise Refused("LONG-DAY", day=day, hours=hours)


def hours_of_days(entries):
    """The hours that count on the days of these entries, for their resources."""
    return Entry.objects.filter(
        resource__in={entry.resource_id for entry in entries},
        date__in={entry.date for entry in entries},
        transaction_class=Entry.Class.TIME,
    ).exclude(status=_Status.REJECTED)


def _judge_costs(entry):
    if entry.cost_currency and (reason := currencies.trouble(entry.cost_currency)):
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


def _demand_own(entries, by):
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
    """Hand drafts, or rejected entries once more, in for approval; all of them or none (APP-1).

    Allowed to whom the entry belongs, to who typed it in, to the project's managers and to the entity's
    accountants; `by` None is the system itself. Refused on a closed project and for a resource of another
    company, and when a day would have more than 24 hours. A former rejection leaves the entry
    and stays in the audit log. From now on the entry is priced by the role, unit and company that count on
    its day, whatever becomes of its resource later (APP-9).
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
    _judge_days(entries)
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
    """Take one's own submitted entries back into draft before anybody approved them; all or none (APP-1).

    An approved entry is taken back by a recall request, which its approver answers (APP-5).
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
    """The entries read again under their locks, in the order of their keys; their projects are held."""
    entries = list(entries)
    keys = sorted({entry.pk for entry in entries})
    # Hours that come back into a day are counted under the lock that guards it.
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
    """Refused, naming the first, unless the status of each allows the verb."""
    for entry in entries:
        moves.refuse_unless(entry, verb, name=named(entry))


def _judge_days(entries):
    """No day is longer than 24 hours. What was rejected counts again."""
    worked = [entry for entry in entries if entry.transaction_class == Entry.Class.TIME]
    hours: dict[tuple, Decimal] = {}
    for chunk in in_chunks(worked, _CHUNK):
        hours |= totals(hours_of_days(chunk), by=("resource", "date"), field="quantity")
    for entry in worked:
        place = entry.resource_id, entry.date
        if entry.status == _Status.REJECTED:
            hours[place] = hours.get(place, Decimal(0)) + entry.quantity
        _demand_short(entry.date, hours[place])


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
    """Whose work it is, or who typed it in for somebody without a login."""
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
