"""Checks in a worker that the requester still has the permission for a request (SEC-1)."""

from collections.abc import Iterable

from contracts.models.entity import LegalEntity
from contracts.models.permissions import may
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User

NO_LONGER = "MAY-NO-LONGER"


def recheck_permission(user, permission: str, row):
    """Refused if the user no longer has the permission for the row.

    The row may be a legal entity. The roles are read again from the database. None, the system itself, may do
    everything.
    """
    if user is None:
        return
    user = User.objects.get(pk=user.pk)
    if isinstance(row, LegalEntity):
        still = may(user, permission, row)
    else:
        still = type(row).objects.reachable(user, permission).filter(pk=row.pk).exists()
    if not still:
        raise Refused("MAY-NO-LONGER", user=user, permission=permission, row=row)


def no_longer_for(user, permission: str, rows: Iterable) -> set[int]:
    """The keys of the rows, all of one model, for which the user no longer has the permission."""
    keys = {row.pk: type(row) for row in rows}
    if user is None or not keys:
        return set()
    user = User.objects.get(pk=user.pk)
    (model,) = set(keys.values())
    return keys.keys() - set(
        model.objects.reachable(user, permission).filter(pk__in=keys).values_list("pk", flat=True)
    )


def recheck_permission_in(user, permission: str, entity: str):
    """The same for the legal entity with this code; called before a job begins."""
    recheck_permission(user, permission, LegalEntity.objects.get(code=entity))
