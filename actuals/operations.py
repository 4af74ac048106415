"""The verbs of what happened: entries are handed in and taken back, facts are recorded and reversed.

Approving, which makes facts out of entries, is a verb of `backlog`. Submitting and recalling hold the
projects of the entries and lock the entries, so whoever approves locks one or the other and reads afterwards.
"""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from actuals.models import Actual, Batch, Entry
from contracts.models import Membership, Project
from invoicing_site import audit, money
from invoicing_site.errors import Refused
from invoicing_site.querysets import in_chunks, write_rows

_CHUNK = 5000
_Status = Entry.Status


@transaction.atomic
def submit(entries: Iterable[Entry], *, by) -> list[Entry]:
    """Hand drafts, or rejected entries once more, in for approval; all of them or none (APP-1).

    Allowed to whom the entry belongs, to who typed it in, to the project's managers and to the entity's
    accountants; `by` None is the system itself. Refused on a closed project and for a resource of another
    company. A former rejection leaves the entry and stays in the audit log.
    """
    entries = _locked(entries)
    if not entries:
        return []
    _in_status(entries, {_Status.DRAFT, _Status.REJECTED}, "only drafts and rejected entries are submitted")
    _may_submit(entries, by)
    for entry in entries:
        if not entry.project.is_open:
            raise Refused(
                f"{_name(entry)} cannot be submitted: project {entry.project} is closed for entries. "
                "Open the project, or move the entry to another one.",
                code="PROJECT-CLOSED",
            )
        if entry.resource and entry.resource.entity_id != entry.entity_id:
            raise Refused(
                f"{_name(entry)} cannot be submitted: {entry.resource} works for another company. "
                "Choose a resource of the company that owns the project.",
                code="OTHER-ENTITY",
            )
    _update(
        entries,
        status=_Status.SUBMITTED,
        submitted_at=timezone.now(),
        submitted_by=by,
        decided_at=None,
        decided_by=None,
        decision_comment="",
    )
    _tell("actuals.submit", entries, by)
    return entries


@transaction.atomic
def recall(entries: Iterable[Entry], *, by) -> list[Entry]:
    """Take one's own submitted entries back into draft before anybody approved them; all or none (APP-1).

    An approved entry is taken back by a recall request, which its approver answers (APP-5).
    """
    entries = _locked(entries)
    if not entries:
        return []
    _in_status(entries, {_Status.SUBMITTED}, "only submitted entries are recalled")
    for entry in entries:
        if by is not None and not _owns(by, entry):
            raise Refused(f"{_name(entry)} is not yours: only its owner can recall it.", code="NOT-OWN")
    _update(entries, status=_Status.DRAFT, submitted_at=None, submitted_by=None)
    _tell("actuals.recall", entries, by)
    return entries


def open_batch(entity, action: str, *, on, by) -> Batch:
    """The row under which one action records its actuals; `on` is the entity's day of the action.

    Belongs in the action's own transaction. The action itself writes the audit event.
    """
    return Batch.objects.create(entity=entity, action=Batch.Action(action), on=on, by=by)


@transaction.atomic
def record(actuals: Iterable[Actual], *, batch: Batch) -> list[Actual]:
    """Insert new facts for good, under the batch and its entity, and return them in the same order (ACT-1).

    They may refer to each other as instances before they have keys. Where no accounting date is given it is
    the transaction date. Amounts come in whole minor units of their currency.
    """
    actuals = list(actuals)
    for actual in actuals:
        assert actual.amount == money.rounded(actual.amount, actual.currency), "An amount was not rounded."
        actual.batch = batch
        actual.entity_id = batch.entity_id
        if actual.accounting_date is None:
            actual.accounting_date = actual.date
    return write_rows(Actual, actuals)


@transaction.atomic
def reverse(actuals: Iterable[Actual], *, batch: Batch, booked_by: str | None = None) -> list[Actual]:
    """Record the exact opposite of each fact, dated as `negated` says, and return them in the same order.

    Refused when one of them was reversed before or is a reversal itself, also when somebody else is doing it
    at this moment: a fact is reversed at most once.
    """
    actuals = list(actuals)
    assert len({actual.pk for actual in actuals}) == len(actuals), "A fact stands twice in one selection."
    for actual in actuals:
        if actual.reverses_id:
            raise Refused(
                f"Actual {actual.pk} is the reversal of actual {actual.reverses_id} and cannot be reversed.",
                code="IS-REVERSAL",
            )
    reversals = [negated(actual, batch, booked_by) for actual in actuals]
    try:
        with transaction.atomic():
            return record(reversals, batch=batch)
    except IntegrityError:
        _say_which_is_reversed(actuals)
        raise


def negated(actual: Actual, batch: Batch, booked_by: str | None = None) -> Actual:
    """The unsaved reversal of one fact: quantity and amount negated, all else as it was.

    Its accounting date is the day of the action (JRN-7). It is booked by what booked the original unless
    another is named.
    """
    assert actual.entity_id == batch.entity_id, "A batch belongs to one company."
    values = {name: getattr(actual, name) for name in _SAME}
    return Actual(
        **values,
        batch=batch,
        accounting_date=batch.on,
        quantity=-actual.quantity,
        amount=-actual.amount,
        booked_by=booked_by or actual.booked_by,
        reverses=actual,
    )


# `replaces` is left out: what is undone stands in for nothing.
_OWN = {"id", "batch", "accounting_date", "quantity", "amount", "booked_by", "reverses", "replaces"}
_SAME = [field.attname for field in Actual._meta.concrete_fields if field.name not in _OWN]


def _say_which_is_reversed(actuals):
    for chunk in in_chunks(actuals, _CHUNK):
        twice = (
            Actual.objects.filter(reverses__in=[actual.pk for actual in chunk])
            .order_by("reverses")
            .values_list("reverses", "pk")
        )
        if found := twice.first():
            raise Refused(
                f"Actual {found[0]} is already reversed, by actual {found[1]}.", code="ALREADY-REVERSED"
            )


def _locked(entries) -> list[Entry]:
    """The entries read again under their locks, in the order of their keys; their projects are held."""
    entries = list(entries)
    keys = sorted({entry.pk for entry in entries})
    Project.objects.filter(pk__in={entry.project_id for entry in entries}).held()
    found = []
    for chunk in in_chunks(keys, _CHUNK):
        rows = Entry.objects.filter(pk__in=chunk).select_related("project", "resource", "entity")
        found += rows.locked()
    if len(found) < len(keys):
        raise Refused("One of the chosen entries no longer exists: look at the list again.", code="GONE")
    if len({entry.entity_id for entry in found}) > 1:
        raise Refused(
            "The chosen entries belong to several companies: choose those of one company at a time.",
            code="OTHER-ENTITY",
        )
    return found


def _in_status(entries, allowed, rule):
    wrong = [entry for entry in entries if entry.status not in allowed]
    if wrong:
        others = f", and {len(wrong) - 1} more of the chosen are not open either" if len(wrong) > 1 else ""
        raise Refused(
            f"{_name(wrong[0])} is {wrong[0].get_status_display()}{others}: {rule}.", code="WRONG-STATUS"
        )


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
            raise Refused(
                f"{_name(entry)} is not yours: its owner, a project manager or an accountant submits it.",
                code="NOT-OWN",
            )


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


def _name(entry) -> str:
    return f"The {entry}"
