"""The page where the reader can fix the result of a check (MON-8)."""

from dataclasses import dataclass

from django.urls import reverse

from invoicing_site.screens.remedies import remedy_url, words_of
from ledger.invoicing.checks import CheckResult

_RETURN = {"PO-AMOUNT", "PO-DATES", "TAX-SCOPE", "PARTY-CHANGED", "PARTY-NUMBERS"}
_HEADER = {"FUTURE-DATE", "DUE-DATE", "NUM-ORDER", "DATE-BEFORE-WORK", "CREDIT-DATE"}


@dataclass(frozen=True)
class Found:
    """A result of a check with the address where it can be fixed; empty if the reader can't fix it."""

    result: CheckResult
    url: str
    words: str


def with_remedies(results, proposal, request) -> list[Found]:
    """Each result with its page; only administrators can open the administration."""
    return [Found(result, *_remedy(result, proposal, request)) for result in results]


def _remedy(result, proposal, request):
    if result.code in _HEADER and not result.remedy:
        return reverse("edit_proposal", args=[proposal.pk]), "Change the dates"
    if result.code == "BLOCKED":
        return reverse("journals") + "?status=draft&status=error", "Open the journals"
    if result.code == "TAX-DIFFERS":
        return reverse("proposal_lines", args=[proposal.pk]) + "?differs=yes", "Show these lines"
    if result.code == "TAX-MISSING" and not result.remedy:
        return reverse("proposal_lines", args=[proposal.pk]) + "?missing=yes", "Show these lines"
    if result.code.startswith("PERIOD"):
        return remedy_url("periods", request), "Open the periods"
    if result.code in _RETURN and not remedy_url(result.remedy, request):
        return reverse("return_proposal", args=[proposal.pk]), "Return it"
    url = remedy_url(result.remedy, request)
    return url, words_of(url)
