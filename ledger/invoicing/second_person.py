"""Who confirmed a proforma leaves posting its invoice to somebody else (SEC-2)."""

from contracts.two_people import who_else_posts
from ledger.models import (
    ProposalDecision,
)


def left_to_others(proforma, entity, by) -> str:
    """Why who confirmed the proforma may not post its invoice, and who may; else empty (SEC-2).

    Where nobody posts it, but the clock or a command, a second person is the one who approved it.
    """
    if not entity.separate_confirm_and_post:
        return ""
    if by is None:
        return _without_a_second_person(proforma, entity)
    if proforma.confirmed_by_id != by.pk:
        return ""
    return (
        f"You confirmed {proforma} yourself, so somebody else has to post its invoice. "
        f"{who_else_posts(entity, by)}"
    )


def _without_a_second_person(proforma, entity) -> str:
    decisions = ProposalDecision.objects.filter(proposal__proforma=proforma).order_by("-pk")
    approval = decisions.select_related("by").first()
    if approval is None or approval.step != ProposalDecision.Step.APPROVED:
        why = "nobody has approved its proposal"
    elif approval.by_id == proforma.confirmed_by_id:
        why = f"{approval.by}, who confirmed it, approved its proposal too"
    else:
        return ""
    return (
        f"At {entity} one person confirms and another posts. {proforma} can't be posted without a person: "
        f"{why}. Somebody else than who confirmed it has to post it."
    )
