"""Checks in a worker that the requester still has the permission for a request (SEC-1)."""

from contracts.models.entity import LegalEntity
from contracts.models.permissions import may
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User

NO_LONGER = "MAY-NO-LONGER"


def demand_still(user, permission: str, row):
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


def demand_still_in(user, permission: str, entity: str):
    """The same for the legal entity with this code; called before a job begins."""
    demand_still(user, permission, LegalEntity.objects.get(code=entity))
