"""Actions on several drafts, or for several contracts, each in a separate transaction."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing_site.floor import moves
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from proforma.models import ProformaInvoice
from proforma.operations.proformas import create_proformas, delete_draft, submit_for_review


@dataclass
class Result:
    """The rows that a bulk action changed or created, and those that it refused, in order."""

    done: list = field(default_factory=list)
    refused: dict[models.Model, Reason] = field(default_factory=dict)
    left: Counter[str] = field(
        default_factory=Counter
    )  # refused ones by a short reason, for a count before it


def create_for_each(contracts, *, cutoff, on, by) -> Result:
    """Create the drafts of each contract; a refused contract does not stop the others."""
    if not contracts:
        raise Refused("NO-CONTRACT-SELECTED")
    result = Result()
    for contract in contracts:
        try:
            result.done += create_proformas([contract], cutoff=cutoff, on=on, by=by)
        except Refused as refusal:
            result.refused[contract] = refusal.reason
    return result


def submit_many(proformas, *, by) -> Result:
    """Submit each draft that has details for review."""
    return _each(submit_for_review, "submit_for_review", proformas, by)


def delete_many(proformas, *, by) -> Result:
    """Delete each open proforma; its items are ready again."""
    return _each(delete_draft, "delete_draft", proformas, by)


def _each(operation, verb, proformas, by):
    result = Result()
    for proforma in ProformaInvoice.objects.filter(pk__in=[each.pk for each in proformas]).order_by("pk"):
        try:
            operation(proforma, by=by)
        except Refused as refusal:
            result.refused[proforma] = refusal.reason
            result.left[_short_reason(proforma, verb, refusal)] += 1
        else:
            result.done.append(proforma)
    return result


def _short_reason(proforma, verb, refusal):
    """The reason without the name of the proforma, to follow a count: 3 confirmed."""
    now = ProformaInvoice.objects.filter(pk=proforma.pk).first()
    if now is not None and not moves.allows(now, verb):
        return now.get_status_display()
    return str(_SHORT[refusal.code]) if refusal.code in _SHORT else refusal.message


_SHORT = {"PROFORMA-EMPTY": _("empty (add details, or delete it)")}
