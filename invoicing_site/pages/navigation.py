"""The navigation in the page header, by the permissions of the reader."""

from typing import NamedTuple

from django.urls import reverse

from invoicing_site.models import Notice


class Place(NamedTuple):
    """One link of the navigation: its label, its page, the key after g, and its permission."""

    label: str
    view: str
    key: str
    permission: str


PLACES = [
    Place("Time", "week", "t", "entry.write"),
    Place("Expenses", "expenses", "e", "entry.write"),
    Place("My entries", "entries", "m", "entry.write"),
    Place("Approvals", "approvals", "a", "entry.approve"),
    Place("Contracts", "contracts", "c", "contract.view"),
    Place("Backlog", "backlog", "b", "backlog.view"),
    Place("Milestones", "milestones", "k", "backlog.view"),
    Place("Billing hub", "hub", "u", "backlog.view"),
    Place("Proformas", "proformas", "p", "proforma.view"),
    Place("Runs", "runs", "r", "run.view"),
    Place("Projects", "projects", "d", "project.view"),
    Place("Journals", "journals", "j", "journal.view"),
    Place("Proposals", "proposals", "o", "proposal.view"),
    Place("Invoices", "invoices", "i", "invoice.view"),
    Place("Reports", "reports", "s", "report.view"),
    Place("Import", "imports", "x", "entry.import"),
    Place("Audit trail", "audit_trail", "l", "audit.view"),
]
# Accountants and auditors reach these through their own pages, so that their navigation stays short.
_LESS_FOR = dict.fromkeys(("accountant", "auditor"), {"milestones", "hub", "runs", "projects"})


def places(request):
    """The links for this reader, each with a flag for the current part of the site."""
    if not request.roles:
        return []
    spared = set.intersection(*(_LESS_FOR.get(role, set()) for role in request.roles))
    found = []
    for place in PLACES:
        if place.view in spared or not request.may(place.permission):
            continue
        url = reverse(place.view)
        found.append(
            {"label": place.label, "url": url, "key": place.key, "current": request.path.startswith(url)}
        )
    return found


def frame(request):
    """The reader's data for base.html: links, unread notices."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    return {
        "nav": places(request),
        "unread": Notice.objects.filter(user=request.user, read_at=None).count(),
    }
