from django.core.management import CommandError

from invoicing_site.floor.formatting import currency_first
from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, in_json
from invoicing_site.screens import remedies
from ledger.invoicing.operations.posting import look_at_all, post_all
from ledger.models import InvoiceProposal


class Command(EntityCommand):
    help = (
        "Post all open invoice proposals of a legal entity, or the approved ones if it requires approval. "
        "The exit code is 1 if one is refused."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--number", action="append", help="number of a proposal; default: all")
        parser.add_argument("--check", action="store_true", help="check and post nothing")

    def handle(self, *args, **options):
        self.refused = 0
        super().handle(*args, **options)
        if self.refused:
            raise CommandError(f"{counted(self.refused, 'proposal is', 'proposals are')} refused.")

    def act(self, entity, by, on, options):
        proposals = InvoiceProposal.objects.filter(entity=entity)
        if options["number"]:
            proposals = self.chosen(proposals, "number", options["number"])
        else:
            proposals = proposals.postable()
        outcomes = (look_at_all if options["check"] else post_all)(proposals, by=by, on=on)
        answer = {
            "entity": entity.code,
            "on": on,
            "checked": [],
            "posted": [],
            "posted_already": [],
            "refused": [],
        }
        for outcome in outcomes:
            kind, row = _row(outcome)
            answer[kind].append({"proposal": outcome.proposal.number, **row, **_warnings(outcome)})
        self.refused = len(answer["refused"])
        return answer

    def lines(self, answer):
        counts = [f"{len(answer['posted'])} posted", f"{len(answer['refused'])} refused"]
        if answer["checked"]:
            counts.insert(0, f"{len(answer['checked'])} can be posted")
        if answer["posted_already"]:
            counts.insert(1, f"{len(answer['posted_already'])} already posted")
        yield f"{', '.join(counts)}."
        for row in answer["checked"]:
            yield f"{row['proposal']} can be posted, {currency_first(row['total'], row['currency'])}."
            yield from _warnings_of(row)
        for row in answer["posted"]:
            yield f"{row['proposal']} is {row['invoice']}, {currency_first(row['total'], row['currency'])}."
            yield from _warnings_of(row)
        for row in answer["posted_already"]:
            yield f"{row['proposal']} is already posted as {row['invoice']}."
        for row in answer["refused"]:
            yield f"{row['proposal']} is not posted: {row['text']}"
            yield from _warnings_of(row)


def _row(outcome):
    if outcome.refusal:
        return "refused", in_json(outcome.refusal.reason) | {"text": remedies.in_plain_text(outcome.refusal)}
    if outcome.was_posted_already:
        return "posted_already", {"invoice": outcome.invoice.number}
    if outcome.invoice:
        return "posted", {"invoice": outcome.invoice.number, **_sums(outcome.invoice)}
    return "checked", _sums(outcome.plan.invoice)


def _sums(invoice):
    return {"kind": invoice.kind, "currency": invoice.currency, "total": invoice.total}


def _warnings(outcome):
    return {"warnings": [{"check": found.code, **in_json(found.reason)} for found in outcome.warnings]}


def _warnings_of(row):
    return (f"  warning {warning['check']}: {warning['reason']}" for warning in row["warnings"])
