from invoicing_site.commands import EntityCommand
from ledger.blockers import blocked_by
from ledger.models import InvoiceProposal
from ledger.operations import proposals


class Command(EntityCommand):
    help = "Takes confirmed proformas up as invoice proposals, and fills in the lines that no journal blocks."

    def act(self, entity, by, on, options):
        taken = proposals.take_up_all(entity)
        filled = proposals.fill_unblocked(entity)
        blocked = InvoiceProposal.objects.filter(
            entity=entity, status=InvoiceProposal.Status.BLOCKED
        ).order_by("pk")
        return {
            "entity": entity.code,
            "taken_up": [proposal.number for proposal in taken],
            "filled": [
                proposal.number
                for proposal in [*taken, *filled]
                if proposal.status == InvoiceProposal.Status.OPEN
            ],
            "blocked": {proposal.number: blocked_by(proposal).sentence for proposal in blocked},
        }

    def told(self, answer):
        yield f"{len(answer['taken_up'])} proformas taken up, {len(answer['filled'])} proposals filled in."
        yield from answer["blocked"].values()
