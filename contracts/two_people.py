"""Two people for one invoice, where a company wants that: who confirmed it does not post it (SEC-2)."""

from contracts.models.reach import PERMISSIONS, may
from invoicing_site.models import User

_NAMED = 5


def before_confirming(entity, by, *, several=False) -> str:
    """What somebody who may post should know before they confirm; empty where they may still post."""
    if not entity.separate_confirm_and_post or not may(by, "proposal.post", entity):
        return ""
    what = "their invoices" if several else "its invoice"
    return (
        f"You'll not be able to post {what} yourself: somebody else with the accountant's role has to. "
        f"{who_else_posts(entity, by)}"
    )


def who_else_posts(entity, user) -> str:
    """Who of the company may post what the user confirmed, as a sentence."""
    others = User.objects.filter(
        is_active=True, memberships__entity=entity, memberships__role__in=PERMISSIONS["proposal.post"]
    )
    others = others.exclude(pk=user.pk).distinct().order_by("first_name", "last_name", "username")
    names = [str(each) for each in others]
    if not names:
        return "In this company nobody else has that role."
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"In this company that is: {', '.join(names[:_NAMED])}{more}."
