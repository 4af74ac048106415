"""Pages for posting proposals: one at once, several after their checks (PST-1, PRP-5)."""

import secrets

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from invoicing_site.floor import formatting, jobs
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.wording import counted
from invoicing_site.screens import Answer, BulkOperation, Operation, Page
from invoicing_site.screens.lists import address_of_chosen, keys_of
from invoicing_site.screens.operations import refuse, show_answer
from ledger.invoicing.operations import posting
from ledger.invoicing.remedies import with_remedies
from ledger.invoicing.views.proposals import Proposals, with_net
from ledger.models import InvoiceProposal

# More invoices than this are posted in the background, because their PDFs are created too.
AT_ONCE = 10
# The number of proposals that are checked before posting; the others are checked when they are posted.
LOOKED_AT = 100
_REMEMBERED = 10
_KEY = "proposals_chosen"
_Status = InvoiceProposal.Status


class PostProposal(Operation):
    """Post one proposal and open its invoice."""

    model, permission = InvoiceProposal, "proposal.post"

    def operate(self, proposal):
        self.invoice = posting.post(proposal, by=self.request.user, on=proposal.entity.today())
        return Answer(f"The {proposal} is posted as {self.invoice}.")

    def success_url(self, proposal):
        invoice = getattr(self, "invoice", None)
        return invoice.get_absolute_url() if invoice else proposal.get_absolute_url()


def _remember(request, keys) -> str:
    """Store the keys in the session, under a random word that is part of the address of the next page."""
    word = secrets.token_hex(6)
    kept = dict(list(request.session.get(_KEY, {}).items())[1 - _REMEMBERED :])
    request.session[_KEY] = kept | {word: keys}
    return word


class _OfRemembered(Page):
    """A page about proposals that were selected earlier in this session, if the reader still may see them."""

    permission = "proposal.post"

    def chosen(self):
        keys = self.request.session.get(_KEY, {}).get(self.kwargs["word"])
        if keys is None:
            raise Http404("This selection has expired. Go back to the list and select again.")
        rows = InvoiceProposal.objects.reachable(self.request.user, "proposal.post").filter(pk__in=keys)
        return with_net(rows).order_by("pk")


class CheckProposals(BulkOperation):
    """From the list to the page with the checks of the selected proposals."""

    screen, list_url, permission = Proposals, "proposals", "proposal.post"

    def operate(self, rows):
        keys = list(rows.exclude(status=_Status.POSTED).order_by("pk").values_list("pk", flat=True)[:1000])
        if not keys:
            raise Refused("SELECTION-POSTED")
        return HttpResponseRedirect(reverse("proposal_checks", args=[_remember(self.request, keys)]))


class ProposalChecks(_OfRemembered):
    """The results of the checks of each selected proposal, before anything is posted (PRP-5)."""

    template_name = "ledger/proposal_checks.html"
    title = "Check before posting"

    def get_context_data(self, **context):
        rows = self.chosen().select_related("entity", "proforma__customer")
        shown, total = list(rows[:LOOKED_AT]), rows.count()
        on = self.request.entity.today()
        outcomes = posting.look_at_all(shown, by=self.request.user, on=on)
        looked = [
            (outcome, with_remedies(outcome.found, outcome.proposal, self.request)) for outcome in outcomes
        ]
        looked.sort(key=lambda row: row[0].refusal is None)
        fine = [outcome.proposal.pk for outcome in outcomes if not outcome.refusal and not outcome.invoice]
        unseen = list(rows.values_list("pk", flat=True)[LOOKED_AT:])
        sums = {}
        for outcome in outcomes:
            if outcome.plan and not outcome.refusal:
                invoice = outcome.plan.invoice
                sums[invoice.currency] = sums.get(invoice.currency, 0) + invoice.total
        amounts = " and ".join(formatting.currency_first(sum_, code) for code, sum_ in sorted(sums.items()))
        keys = fine + unseen
        unknown = (
            f" ({formatting.count(len(unseen))} of them are checked while they are posted)" if unseen else ""
        )
        return super().get_context_data(
            looked=looked,
            fine=len(keys),
            keys=",".join(str(key) for key in keys),
            total=total,
            unseen=len(unseen),
            question=f"Post {counted(len(keys), 'invoice')}, {amounts}{unknown}? This can't be undone.",
            **context,
        )


class PostProposals(_OfRemembered):
    """Post those that passed, several in the background; each in its own transaction."""

    http_method_names = ["post"]

    def post(self, request, word):
        chosen = set(keys_of(request.POST.get("keys", "").split(",")))
        keys = [pk for pk in self.chosen().values_list("pk", flat=True) if pk in chosen]
        if not keys:
            refuse(request, Refused("NONE-POSTABLE"))
            return HttpResponseRedirect(reverse("proposal_checks", args=[word]))
        url = reverse("proposals_posting", args=[_remember(request, keys)])
        rows = posting.announce(InvoiceProposal.objects.filter(pk__in=keys))
        on = request.entity.today()
        if len(keys) > AT_ONCE and any(row.status != _Status.POSTED for row in rows):
            job = jobs.enqueue_on_commit(
                "post_invoices",
                by=request.user,
                entity=request.entity,
                subject=counted(len(keys), "invoice proposal"),
                total=len(keys),
                proposals=keys,
                on=on.isoformat(),
            )
            return HttpResponseRedirect(job.get_absolute_url())
        show_answer(request, _answer_to(posting.post_all(rows, by=request.user, on=on)))
        return HttpResponseRedirect(url)


def _answer_to(outcomes):
    """The number of posted invoices, and the reasons of the others."""
    posted = sum(outcome.invoice is not None and not outcome.was_posted_already for outcome in outcomes)
    refused = [outcome.proposal for outcome in outcomes if outcome.refusal]
    before = posting.posted_before(outcomes)
    text = f"{counted(posted, 'invoice')} posted." if posted or not before else "Nothing was posted."
    left = {"refused, see below": len(refused)} if refused else {}
    return Answer(f"{text} {before}".rstrip(), left=left, link=_address_of(refused))


def _address_of(refused):
    """The list of these proposals only; empty for none."""
    keys = [proposal.pk for proposal in refused]
    return address_of_chosen("proposals", InvoiceProposal.objects.filter(pk__in=keys)) if keys else ""


def posted_rows(rows) -> dict:
    """The state of each proposal, and the list of refused ones; for the pages of a posting."""
    rows = list(with_net(rows).select_related("invoice", "proforma__customer").order_by("pk"))
    refused = [row for row in rows if row.status != _Status.POSTED and row.last_error]
    return {"rows": rows, "refused_url": _address_of(refused)}


class Posted(_OfRemembered):
    """The result of each proposal that was posted at once."""

    title = "Posting invoices"
    template_name = "ledger/proposal_posting.html"

    def get_context_data(self, **context):
        return super().get_context_data(**posted_rows(self.chosen()), **context)
