"""The rule that the person who confirmed a proforma does not post its invoice (SEC-2)."""

from contracts.two_people import who_else_posts
from invoicing_site.floor.reasons import Reason
from ledger.models import ProposalDecision


def left_to_others(proforma, entity, by) -> Reason | None:
    """Why `by` may not post the invoice of a proforma that they confirmed; None if they may (SEC-2).

    If a command or the schedule posts it (`by` is None), the second person is the one who approved it.
    """
    if not entity.separate_confirm_and_post:
        return None
    if by is None:
        return _without_a_second_person(proforma, entity)
    if proforma.confirmed_by_id != by.pk:
        return None
    return Reason("CONFIRMED-BY-YOU", proforma=proforma, who=who_else_posts(entity, by))


def _without_a_second_person(proforma, entity) -> Reason | None:
    decisions = ProposalDecision.objects.filter(proposal__proforma=proforma).order_by("-pk")
    approval = decisions.select_related("by").first()
    if approval is None or approval.step != ProposalDecision.Step.APPROVED:
        return Reason("NOBODY-APPROVED", entity=entity, proforma=proforma)
    if approval.by_id == proforma.confirmed_by_id:
        return Reason("SAME-PERSON-APPROVED", entity=entity, proforma=proforma, user=approval.by)
    return None
