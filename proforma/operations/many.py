"""Actions on several drafts, or for several contracts, each in a transaction of its own."""

from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing_site.floor import moves
from invoicing_site.floor.errors import Refused
from proforma.models import ProformaInvoice
from proforma.operations.proformas import create_proformas, delete_draft, submit_for_review


@dataclass
class Done:
    """What an action on several did, and for what it was refused, in the order in which they came."""

    done: list = field(default_factory=list)
    refused: dict[models.Model, str] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """How many were refused for which reason."""
        counts: dict[str, int] = {}
        for reason in self.refused.values():
            counts[reason] = counts.get(reason, 0) + 1
        return counts


def create_for_each(contracts, *, cutoff, on, by) -> Done:
    """The drafts of each contract; one that can't be invoiced says why, and stops none of the others."""
    if not contracts:
        raise Refused("No contract is selected.")
    answer = Done()
    for contract in contracts:
        try:
            answer.done += create_proformas([contract], cutoff=cutoff, on=on, by=by)
        except Refused as refusal:
            answer.refused[contract] = refusal.message
    return answer


def submit_many(proformas, *, by) -> Done:
    """Hand in for review each that is a draft with something on it."""
    return _each(submit_for_review, "submit_for_review", proformas, by)


def delete_many(proformas, *, by) -> Done:
    """Delete each that is not confirmed; what they bill goes back to ready."""
    return _each(delete_draft, "delete_draft", proformas, by)


def _each(operation, verb, proformas, by):
    answer = Done()
    for proforma in ProformaInvoice.objects.filter(pk__in=[each.pk for each in proformas]).order_by("pk"):
        try:
            operation(proforma, by=by)
        except Refused as refusal:
            answer.refused[proforma] = _reason(proforma, verb, refusal)
        else:
            answer.done.append(proforma)
    return answer


def _reason(proforma, verb, refusal):
    """Why it was left alone, in words that go on from a count and do not name the one."""
    now = ProformaInvoice.objects.filter(pk=proforma.pk).first()
    if now is not None and not moves.allows(now, verb):
        return now.get_status_display()
    return str(_WORDS[refusal.code]) if refusal.code in _WORDS else refusal.message


_WORDS = {"PROFORMA-EMPTY": _("empty: add details, or delete it")}
