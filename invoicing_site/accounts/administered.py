"""Which legal entities a user sees and sets up in the admin.

In the admin, a user's roles decide, not Django's permissions: administrators of a legal entity change its
set-up, its auditors can only read, a superuser sees everything (SEC-1).
"""

from dataclasses import dataclass

ADMINISTRATOR, AUDITOR = "administrator", "auditor"


@dataclass(frozen=True)
class Entities:
    """Some legal entities by id and by code, or all of them."""

    everything: bool = False
    ids: frozenset = frozenset()
    codes: frozenset = frozenset()

    def __bool__(self):
        return self.everything or bool(self.ids)


@dataclass(frozen=True)
class Reach:
    """The legal entities that a user sees in the admin, and those that the user sets up."""

    seen: Entities
    administered: Entities


def reach_of(request):
    """The reach of the request's user; read once per request."""
    if not hasattr(request, "_admin_reach"):
        request._admin_reach = _reach(request.user)
    return request._admin_reach


def forget_reach(request):
    """Read the reach again the next time it is needed."""
    for name in ("_admin_reach", "_admin_several", "_admin_entity"):
        vars(request).pop(name, None)


def _reach(user):
    if not user.is_active or not user.is_staff:
        return Reach(Entities(), Entities())
    if user.is_superuser:
        return Reach(Entities(everything=True), Entities(everything=True))
    rows = list(
        user.memberships.filter(role__in=[ADMINISTRATOR, AUDITOR]).values_list(
            "entity_id", "entity__code", "role"
        )
    )

    def those(*roles):
        chosen = [(pk, code) for pk, code, role in rows if role in roles]
        return Entities(ids=frozenset(pk for pk, _ in chosen), codes=frozenset(code for _, code in chosen))

    return Reach(those(ADMINISTRATOR, AUDITOR), those(ADMINISTRATOR))
