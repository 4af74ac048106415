from invoicing_site.commands import EntityCommand
from ledger.models import CustomerInvoice, InvoiceProposal
from ledger.operations.posting import post_many


class Command(EntityCommand):
    help = "Posts all invoice proposals of a legal entity that are open, or approved where it wants that."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--number", action="append", help="a proposal's number; by default all")

    def act(self, entity, by, on, options):
        proposals = InvoiceProposal.objects.filter(entity=entity)
        if options["number"]:
            proposals = proposals.filter(number__in=options["number"])
        else:
            proposals = proposals.postable()
        posted, refused = [], []
        for proposal, outcome in post_many(proposals, by=by, on=on):
            if isinstance(outcome, CustomerInvoice):
                posted.append(
                    {
                        "proposal": proposal.number,
                        "invoice": outcome.number,
                        "kind": outcome.kind,
                        "currency": outcome.currency,
                        "total": outcome.total,
                    }
                )
            else:
                refused.append({"proposal": proposal.number, "code": outcome.code, "reason": outcome.message})
        return {"entity": entity.code, "on": on, "posted": posted, "refused": refused}

    def told(self, answer):
        yield f"{len(answer['posted'])} posted, {len(answer['refused'])} refused."
        for row in answer["posted"]:
            yield f"{row['proposal']} is {row['invoice']}, {row['currency']} {row['total']:,.2f}."
        for row in answer["refused"]:
            yield f"{row['proposal']} is not posted: {row['reason']}"
