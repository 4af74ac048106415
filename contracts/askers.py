"""Whether who asked for something still may when a worker does it, later than their page looked (SEC-1)."""

from contracts.models.entity import LegalEntity
from contracts.models.reach import may
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User

NO_LONGER = "MAY-NO-LONGER"


def demand_still(user, permission: str, row, *, to: str):
    """Refused where the user may not do that with the row, or in the legal entity, any more.

    What was read of their roles before counts for nothing. The system itself, None, may. `to` says what it
    is, such as “post proforma PF-2026-000001”.
    """
    if user is None:
        return
    user = User.objects.get(pk=user.pk)
    if isinstance(row, LegalEntity):
        still = may(user, permission, row)
    else:
        still = type(row).objects.reachable(user, permission).filter(pk=row.pk).exists()
    if not still:
        raise Refused(
            f"{user} asked for this and may no longer {to}, so it was not done. "
            "Somebody who may has to do it.",
            code=NO_LONGER,
        )
