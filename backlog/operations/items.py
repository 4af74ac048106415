"""Operations on backlog items: users mark them ready; documents reserve, release and settle them."""

from typing import NamedTuple

from django.db.models import Count, Q
from django.utils import timezone

from backlog import obstacles
from backlog.models import BacklogAction, BacklogActionItem, BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.obstacles import LeftAlone, Step
from backlog.operations.milestone_status import update_milestones
from contracts.models import ProjectContract
from invoicing_site.floor import audit, checked, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import in_chunks, write_rows

Status = BacklogItem.Status
LimitStatus = BacklogItem.LimitStatus

# The number of rows in one transaction of a large action.
CHUNK = 5000


class Marked(NamedTuple):
    """The result of a bulk action: the recorded action, and the number of unchanged rows by reason.

    An action that changed nothing is not recorded, because there is nothing to undo or to audit.
    """

    action: BacklogAction | None
    left: list[LeftAlone]

    @property
    def changed(self) -> int:
        return self.action.changed if self.action else 0

    @property
    def reasons(self) -> dict[str, int]:
        """The number of unchanged rows, by reason as text."""
        return obstacles.in_words(self.left)

    @property
    def codes(self) -> dict[str, int]:
        """The number of unchanged rows, by the code of the reason."""
        return obstacles.by_code(self.left)


def mark_ready(items, *, by) -> Marked:
    """Mark the items ready to invoice, as one recorded action (BKL-2).

    Rows that can't be marked are not changed and are counted by reason: over a limit, with its level and the
    excess (NTE-2), not tested against a limit that is set (NTE-3), without a price (PRC-6), on hold, or in
    another status than not ready.
    """
    return _marked(items, BacklogAction.Action.READY, by=by)


def mark_not_ready(items, *, by) -> Marked:
    """Set ready items back to not ready, as one recorded action (BKL-2)."""
    return _marked(items, BacklogAction.Action.NOT_READY, by=by)


def hold(items, *, until, reason, by) -> Marked:
    """Put the items on hold until a day, with a reason, as one recorded action (BKL-5).

    Rows that are already on hold or on an invoice are not changed and are counted by reason.
    """
    if not reason.strip():
        raise Refused("HOLD-REASON")
    checked.words(reason, BacklogItem, "hold_reason")
    values = {"hold_until": until, "hold_reason": reason.strip(), "held_by": by}
    return _marked(items, BacklogAction.Action.HOLD, by=by, values=values)


def release_hold(items, *, by) -> Marked:
    """Release the hold of the items, as one recorded action; their dates and reasons are deleted (BKL-5)."""
    return _marked(items, BacklogAction.Action.RELEASE, by=by, values=_NO_HOLD)


@transaction.atomic
def undo(action, *, by) -> int:
    """Undo a recorded marking or hold; returns the number of items that were restored.

    Items that are on an invoice meanwhile do not change, nor do those that a later action changed, unless
    that was undone. Items that were marked not ready become ready only if they can be marked ready now. A
    released hold can't be undone, because its date was deleted; put the items on hold again.
    """
    action = BacklogAction.objects.locked().get(pk=action.pk)
    if action.undone_at:
        raise Refused("ALREADY-UNDONE", action=action)
    if action.action not in _UNDOING:
        raise Refused("CANNOT-UNDO", action=action)
    back, after = _UNDOING[action.action]
    contracts = BacklogItem.objects.filter(pk__in=action.items.values("item")).values("contract")
    _lock_contracts(contracts)
    mine = BacklogItem.objects.filter(after, pk__in=action.items.values("item"))
    mine = mine.exclude(pk__in=_changed_after(action))
    if action.action == BacklogAction.Action.NOT_READY:
        mine = obstacles.free(mine, Step.MARK, on=action.entity.today())
    undone = mine.update(**back)
    update_milestones(action.items.values("item"))
    action.undone_at, action.undone_by = timezone.now(), by
    action.save(update_fields=["undone_at", "undone_by"])
    audit.record("backlog.undo", action, by=by, entity=action.entity.code, undone=undone)
    return undone


def _changed_after(action):
    """The items that a later action of the same sort changed and that was not undone."""
    sort = next(sort for sort in _SORTS if action.action in sort)
    later = BacklogAction.objects.filter(
        entity=action.entity_id, action__in=sort, pk__gt=action.pk, undone_at=None
    )
    return BacklogActionItem.objects.filter(action__in=later).values("item")


# The status before a marking, and after it.
_MARKINGS = {
    BacklogAction.Action.READY: BacklogItem.MOVES.only("mark_ready"),
    BacklogAction.Action.NOT_READY: BacklogItem.MOVES.only("mark_not_ready"),
}
# Actions that change the same columns of an item.
_SORTS = (set(_MARKINGS), {BacklogAction.Action.HOLD, BacklogAction.Action.RELEASE})
_NO_HOLD = {"hold_until": None, "hold_reason": "", "held_by": None}
_OPEN = Q(status__in=BacklogItem.MOVES.starts("hold"))
# The values that undoing an action restores, and the condition that an item is as the action left it.
_UNDOING: dict[str, tuple[dict, Q]] = {
    BacklogAction.Action.READY: ({"status": Status.NOT_READY}, Q(status=Status.READY)),
    BacklogAction.Action.NOT_READY: ({"status": Status.READY}, Q(status=Status.NOT_READY)),
    BacklogAction.Action.HOLD: (_NO_HOLD, _OPEN & Q(hold_until__isnull=False)),
}


def _marked(items, kind, *, by, values=None):
    pks = list(items.order_by("pk").values_list("pk", flat=True)) if hasattr(items, "order_by") else None
    pks = sorted(item.pk for item in items) if pks is None else pks
    if not pks:
        raise Refused("NOTHING-SELECTED")
    entity = BacklogItem.objects.select_related("contract__entity").get(pk=pks[0]).contract.entity
    strangers = BacklogItem.objects.exclude(contract__entity=entity)
    if any(strangers.filter(pk__in=chunk).exists() for chunk in in_chunks(pks, CHUNK)):
        raise Refused("ROWS-SEVERAL-ENTITIES")
    action = None
    changed = 0
    left: list = []
    for chunk in in_chunks(pks, CHUNK):
        action, done, alone = _mark_chunk(chunk, kind, action, entity, by=by, values=values)
        changed += done
        left = obstacles.together([*left, *alone])
    if action is None:
        return Marked(None, left)
    action.changed, action.unchanged = changed, sum(each.n for each in left)
    detail = {name: str(value) for name, value in (values or {}).items() if name != "held_by"}
    _write_down(action, by=by, entity=entity.code, changed=changed, left=obstacles.by_code(left), **detail)
    return Marked(action, left)


@transaction.atomic
def _write_down(action, **detail):
    action.save(update_fields=["changed", "unchanged"])
    audit.record(_audited(action.action), action, **detail)


def _audited(kind):
    return f"backlog.mark_{kind}" if kind in _MARKINGS else f"backlog.{kind}"


@transaction.atomic
def _mark_chunk(pks, kind, action, entity, *, by, values):
    """Mark one chunk and commit it; `changed` has the number of marked items, even after an interruption."""
    if action is not None:
        # The same order of locks as in `undo`: the action, then its contracts.
        action = BacklogAction.objects.locked().get(pk=action.pk)
        if action.undone_at:
            raise Refused("UNDONE-MEANWHILE", action=action)
    chosen = BacklogItem.objects.filter(pk__in=pks)
    _lock_contracts(chosen.values("contract"))
    possible = _possible(chosen, kind, entity.today())
    taken = list(possible.values_list("pk", flat=True))
    rest = chosen.exclude(pk__in=taken)
    if not taken:
        return action, 0, _why_not(rest, kind, entity.today())
    action = action or BacklogAction.objects.create(entity=entity, action=kind, by=by)
    write_rows(BacklogActionItem, [BacklogActionItem(action=action, item_id=pk) for pk in taken])
    values = values or {"status": _MARKINGS[kind][1]}
    BacklogItem.objects.filter(pk__in=taken).update(**values)
    if kind in _MARKINGS:
        update_milestones(taken)
    action.changed += len(taken)
    action.save(update_fields=["changed"])
    return action, len(taken), _why_not(rest, kind, entity.today())


def _possible(chosen, kind, today):
    if kind == BacklogAction.Action.HOLD:
        return chosen.filter(_OPEN).exclude(obstacles.BY_CODE["ON-HOLD"].condition(today))
    if kind == BacklogAction.Action.RELEASE:
        return chosen.filter(_OPEN, hold_until__isnull=False)
    possible = chosen.filter(status=_MARKINGS[kind][0])
    return obstacles.free(possible, Step.MARK, on=today) if kind == BacklogAction.Action.READY else possible


def _lock_contracts(pks):
    """Lock the contracts, which guards their items, limits and claims."""
    return list(ProjectContract.objects.locked().filter(pk__in=pks))


def _why_not(rest, kind, today) -> list[LeftAlone]:
    if kind not in _MARKINGS:
        left = _by_status(rest.exclude(_OPEN))
        if n := rest.filter(_OPEN).count():
            is_hold = kind == BacklogAction.Action.HOLD
            left.append(LeftAlone("ALREADY-ON-HOLD" if is_hold else "NOT-ON-HOLD", n))
        return left
    before = _MARKINGS[kind][0]
    left = _by_status(rest.exclude(status=before))
    if kind == BacklogAction.Action.READY:
        left += obstacles.why_not_ready(rest.filter(status=before), on=today)
    return left


def _by_status(items):
    counts = items.order_by().values_list("status").annotate(n=Count("pk"))
    return [LeftAlone(obstacles.BY_STATUS[status], n) for status, n in counts]


# Operations of documents. Their callers hold the contract's lock.


def reserve(items, *, contract) -> list[BacklogItem]:
    """Ready → on a draft proforma: a document claims the items, all or none.

    Refused with the number of items that are not ready any more, because another user claimed or unmarked
    them.
    """
    pks = [item.pk for item in items]
    mine = BacklogItem.objects.filter(pk__in=pks, contract=contract)
    _move(mine, len(pks), "reserve")
    return list(mine.order_by("pk"))


def release(items) -> int:
    """On a draft proforma → ready: the items were removed from a draft (PRO-4)."""
    pks = [item.pk for item in items]
    return _move(BacklogItem.objects.filter(pk__in=pks), len(pks), "release")


def settle(items) -> int:
    """On a draft proforma → on a confirmed proforma: the proforma with the items is confirmed (PRO-5)."""
    pks = [item.pk for item in items]
    return _move(BacklogItem.objects.filter(pk__in=pks), len(pks), "settle")


def claim_again(items, *, contract) -> int:
    """On a confirmed proforma → on a draft proforma: the proforma was returned and has a new draft (PRP-6).

    The counter-actuals are written before. The unbilled rest of an item was available to others meanwhile, so
    each item is tested again. An item that does not fit completely is not evaluated and commits nothing; its
    whole amount is tested when the draft is confirmed (NTE-1, PRO-6).
    """
    pks = [item.pk for item in items]
    verdicts = _tested_again(items, LimitBook.load(contract))
    for status, chosen in verdicts.items():
        for chunk in in_chunks(chosen, CHUNK):
            BacklogItem.objects.filter(pk__in=chunk).update(limit_status=status)
    return _move(BacklogItem.objects.filter(pk__in=pks), len(pks), "claim_again")


def _tested_again(items, book):
    """The keys of the items that fit their limits now, and of those that are not evaluated."""
    found: dict[str, list[int]] = {LimitStatus.COMMITTED: [], LimitStatus.NOT_EVALUATED: []}
    for item in sorted(items, key=lambda item: item.pk):
        # A negative share uses no amount, and frees its amount only when it is billed.
        if item.limit_status not in found or item.amount <= 0:
            continue
        what = item.amount, item.contract_customer_id, item.contract_line_id
        is_milestone = item.milestone_part_id is not None
        fits = not book.test(*what, is_milestone=is_milestone).failed
        found[LimitStatus.COMMITTED if fits else LimitStatus.NOT_EVALUATED].append(item.pk)
        if fits:
            book.commit(*what, is_milestone=is_milestone)
    return found


def cancel(items) -> int:
    """Not ready or ready → canceled: the actual of the item was reversed or replaced."""
    pks = [item.pk for item in items]
    open_ones = BacklogItem.objects.filter(pk__in=pks, status__in=BacklogItem.MOVES.starts("cancel"))
    canceled = open_ones.update(status=Status.CANCELED)
    update_milestones(pks)
    if canceled != len(pks):
        raise Refused("CLAIM-GONE", count=len(pks) - canceled)
    return canceled


def _move(items, count, verb):
    before, after = BacklogItem.MOVES.only(verb)
    moved = items.filter(status=before).update(status=after)
    update_milestones(items.values("pk"))
    if moved != count:
        raise Refused("CLAIM-GONE", count=count - moved)
    return moved
