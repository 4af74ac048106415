"""Which rows a user can access: by role, legal entity, project and contract (SEC-1).

A permission is named after an operation, and users get it through their roles. Accountants, auditors and
administrators can access all rows of their entities. Project managers can access the rows of contracts that
they manage, or that have a line on a project that they manage. Members can access their own rows.
"""

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Q

from contracts.models.entity import Membership
from invoicing_site.floor.querysets import LockingQuerySet

_Role = Membership.Role
MEMBER, MANAGER, ACCOUNTANT = _Role.MEMBER, _Role.MANAGER, _Role.ACCOUNTANT
ADMINISTRATOR, AUDITOR = _Role.ADMINISTRATOR, _Role.AUDITOR

# The roles with each permission. A name is a noun and a verb; `visible_to` checks the permission `view`.
PERMISSIONS = {
    "entry.view": {MEMBER, MANAGER, ACCOUNTANT, AUDITOR},
    "entry.write": {MEMBER},
    "entry.approve": {MANAGER},
    "entry.import": {MANAGER, ACCOUNTANT},
    "project.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "customer.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "contract.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "contract.confirm": {MANAGER},
    "actual.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "backlog.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "backlog.mark": {MANAGER},
    "run.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "run.start": {MANAGER},
    "proforma.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "proforma.create": {MANAGER},
    "proforma.edit": {MANAGER},
    "proforma.confirm": {MANAGER, ACCOUNTANT},
    "journal.view": {ACCOUNTANT, AUDITOR},
    "journal.edit": {ACCOUNTANT},
    "journal.post": {ACCOUNTANT},
    "proposal.view": {ACCOUNTANT, AUDITOR},
    "proposal.edit": {ACCOUNTANT},
    "proposal.approve": {ACCOUNTANT},
    "proposal.post": {ACCOUNTANT},
    "invoice.view": {MANAGER, ACCOUNTANT, AUDITOR},
    "voucher.view": {ACCOUNTANT, AUDITOR},
    "report.view": {ACCOUNTANT, AUDITOR},
    "period.view": {ACCOUNTANT, AUDITOR},
    "period.close": {ACCOUNTANT},
    "audit.view": {AUDITOR},
    "setup.change": {ADMINISTRATOR},
}

# Extra permissions of single memberships, in addition to their role.
_EXTRAS = ("sees_costs", "overrides_limits")

_WHOLE_ENTITY = {ACCOUNTANT, AUDITOR, ADMINISTRATOR}


def roles_of(user) -> dict[int, set[str]]:
    """The user's roles by legal entity, read once for each user object, and so once for each request."""
    if not hasattr(user, "_roles"):
        user._roles, user._extras = {}, {}
        if user.is_active:
            held = Membership.objects.filter(user=user).order_by("pk")
            for entity, role, *extras in held.values_list("entity", "role", *_EXTRAS):
                user._roles.setdefault(entity, set()).add(role)
                given = {name for name, has_it in zip(_EXTRAS, extras, strict=True) if has_it}
                user._extras.setdefault(entity, set()).update(given)
    return user._roles


def entities_with(user, permission: str, among=frozenset(_Role)) -> list[int]:
    """The ids of the legal entities where a role of the user (one of `among`) grants the permission."""
    granting = PERMISSIONS[permission] & set(among)
    return [entity for entity, roles in roles_of(user).items() if roles & granting]


def may(user, permission: str, entity=None) -> bool:
    """Whether a role of the user grants the permission in the entity; without an entity, in any of them.

    It says nothing about rows: managers and members have the permission for their own rows only, see
    `reachable`.
    """
    found = entities_with(user, permission)
    return bool(found) if entity is None else entity.pk in found


def sees_costs(user, entity) -> bool:
    """Whether the user may see cost rates, costs and margins in the entity.

    Accountants and auditors may; project managers only if their membership says so.
    """
    if roles_of(user).get(entity.pk, set()) & {ACCOUNTANT, AUDITOR}:
        return True
    return _has_extra(user, "sees_costs", entity)


def overrides_limits(user, entity) -> bool:
    """Whether the user may confirm over a limit, in an entity where the user may confirm (PRO-6)."""
    return _has_extra(user, "overrides_limits", entity)


def _has_extra(user, name, entity):
    roles_of(user)
    return name in user._extras.get(entity.pk, set())


class ReachQuerySet(LockingQuerySet):
    """Rows that know who may see them, and who may run which operation on them.

    A subclass defines the path to the row's entity, and which rows are a manager's or a member's own rows.
    """

    entity_path = "entity"
    view_permission = ""

    def visible_to(self, user):
        """The rows that the user may see; pages treat all other rows as missing (SEC-1)."""
        return self.reachable(user, self.view_permission)

    def reachable(self, user, permission: str):
        """The rows for which the user has the permission."""
        reached = Q(**{f"{self.entity_path}__in": entities_with(user, permission, _WHOLE_ENTITY)})
        for role, own in ((MANAGER, self.of_manager), (MEMBER, self.of_member)):
            entities = entities_with(user, permission, {role})
            if entities and (rows := own(user)) is not None:
                reached |= Q(**{f"{self.entity_path}__in": entities}) & rows
        return self.filter(reached)

    def require(self, user, permission: str, pk):
        """The row, if the user has the permission for it.

        PermissionDenied if the user may only see it, DoesNotExist if not even that.
        """
        visible = self.visible_to(user)
        if permission == self.view_permission:
            return visible.get(pk=pk)
        try:
            return visible.reachable(user, permission).get(pk=pk)
        except ObjectDoesNotExist:
            # DoesNotExist if the user may not see the row, or if it was deleted meanwhile.
            row = visible.get(pk=pk)
            raise PermissionDenied(f"Your roles don't let you do this with {row}.") from None

    def of_manager(self, user) -> Q | None:
        """A project manager's own rows; none unless a subclass defines them."""
        return None

    def of_member(self, user) -> Q | None:
        """A project member's own rows; none unless a subclass defines them."""
        return None


class EntityQuerySet(ReachQuerySet):
    """Rows for roles that are responsible for a whole entity."""

    view_permission = "report.view"
