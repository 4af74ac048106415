"""Notices about the roles that users get (SEC-2)."""

from contracts.two_people import EXTRA_PERMISSIONS, extras_of, watching
from invoicing_site.models import Notice


def notify_of_role(membership, by, *, changed=False) -> None:
    """Notify the user, the user who set the role, and the users who supervise roles in the legal entity.

    These are its administrators. If the role can post, set up or override limits, its accountants and
    auditors are notified too.
    """
    user, entity, role = membership.user, membership.entity, membership.get_role_display()
    permissions = " and ".join(EXTRA_PERMISSIONS[name] for name in sorted(extras_of(membership)))
    if changed:
        extra = f"the permission {permissions}" if permissions else "no extra permission"
        text = f"{by} changed the role of {user} in {entity}: it is {role} now, with {extra}."
    else:
        extra = f", and the permission {permissions}" if permissions else ""
        text = f"{by} gave {user} the role {role} in {entity}{extra}."
    people = {membership.user_id, by.pk, *watching(membership)}
    Notice.objects.bulk_create(Notice(user_id=pk, text=text[:500]) for pk in sorted(people))
