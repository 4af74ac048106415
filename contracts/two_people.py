"""Actions that need two people: posting what the user confirmed (SEC-2), and giving the user a role."""

from django.db.models import Exists, OuterRef

from contracts.models import Membership
from contracts.models.permissions import PERMISSIONS, may
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import User

_NAMED = 5
_WATCHED = {Membership.Role.ACCOUNTANT, Membership.Role.ADMINISTRATOR}
EXTRA_PERMISSIONS = {"sees_costs": "to see costs", "overrides_limits": "to override limits"}


def before_confirming(entity, by, *, several=False) -> str:
    """What a user who may post must know before confirming; empty if the user may also post."""
    if not entity.separate_confirm_and_post or not may(by, "proposal.post", entity):
        return ""
    what = "their invoices" if several else "its invoice"
    return (
        f"You will not be able to post {what} yourself. Another accountant has to post. "
        f"{who_else_posts(entity, by)}"
    )


def who_else_posts(entity, user) -> Reason:
    """The other users in the legal entity who may post what the user confirmed."""
    names = _names(_active_in(entity, PERMISSIONS["proposal.post"]).exclude(pk=user.pk))
    return Reason("OTHERS-POST", names=names) if names else Reason("NOBODY-ELSE-POSTS")


def _names(users) -> str:
    """The names of the first few, and the number of the others; empty if there are none."""
    names = [str(each) for each in users.order_by("first_name", "last_name", "username")]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _administrators(entity):
    return _active_in(entity, {Membership.Role.ADMINISTRATOR})


def _active_in(entity, roles):
    held = Membership.objects.filter(user=OuterRef("pk"), entity=entity, role__in=roles)
    return User.objects.filter(Exists(held), is_active=True)


def own_role(by, membership, before=None) -> str:
    """Why `by` can't give this membership; empty if `by` can.

    Users can't give themselves a role or an extra permission, but they can remove their own. Superusers can,
    because they set up the first legal entity; its administrators are notified.

    Args:
    by: the user who saves the membership.
    membership: the membership as it will be, saved or not.
    before: the stored membership, if it is changed.
    """
    if by.is_superuser or membership.user_id != by.pk:
        return ""
    whose = ("user_id", "entity_id", "role")
    kept = before and all(getattr(before, name) == getattr(membership, name) for name in whose)
    if kept and not extras_of(membership) - extras_of(before):
        return ""
    names = _names(_administrators(membership.entity).exclude(pk=by.pk))
    way = (
        f"You can ask: {names}."
        if names
        else "There is no other billing administrator yet. A superuser can give somebody this role."
    )
    return (
        f"You can't give yourself a role or a permission. Another billing administrator of "
        f"{membership.entity} has to do it. {way}"
    )


def extras_of(membership) -> set[str]:
    """The names of the extra permissions of a membership."""
    return {name for name in EXTRA_PERMISSIONS if getattr(membership, name)}


def watching(membership) -> set[int]:
    """The keys of the users who are notified when this membership is saved."""
    roles = {Membership.Role.ADMINISTRATOR}
    if membership.role in _WATCHED or extras_of(membership):
        roles |= {Membership.Role.ACCOUNTANT, Membership.Role.AUDITOR}
    people = User.objects.filter(
        is_active=True, memberships__entity=membership.entity_id, memberships__role__in=roles
    )
    return set(people.values_list("pk", flat=True))


def notified_of_roles(user) -> set[int]:
    """The keys of the users who are notified when a role of the user changes, in all legal entities.

    They are notified of a new account address too, because access to an account gives its roles.
    """
    return {pk for membership in user.memberships.all() for pk in watching(membership)}
