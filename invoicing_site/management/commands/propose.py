from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, in_json
from ledger.invoicing.blockers import blocked_by
from ledger.invoicing.operations import proposals
from ledger.journal.left_out import left_in_error
from ledger.models import InvoiceProposal

_Status = InvoiceProposal.Status


class Command(EntityCommand):
    help = "Create invoice proposals for confirmed proformas, and fill in the proposals that no longer wait."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--refill",
            action="append",
            metavar="NUMBER",
            help="fill in the lines of this open proposal again; edits of its lines are lost",
        )

    def act(self, entity, by, on, options):
        created = proposals.create_proposals(entity)
        filled = proposals.fill_unblocked(entity)
        refilled = []
        if options["refill"]:
            chosen = self.chosen(InvoiceProposal.objects.filter(entity=entity), "number", options["refill"])
            refilled = [proposals.refill_lines(proposal, by=by) for proposal in chosen.order_by("pk")]
        waiting = InvoiceProposal.objects.filter(entity=entity, status=_Status.BLOCKED).order_by("pk")
        blocked = [blocked_by(proposal) for proposal in waiting]
        return {
            "entity": entity.code,
            "created": [proposal.number for proposal in created],
            "filled": [
                proposal.number for proposal in [*created, *filled] if proposal.status == _Status.OPEN
            ],
            "refilled": [proposal.number for proposal in refilled],
            "blocked": {row.proposal.number: in_json(row.reason) for row in blocked},
            "left_out": _left_out(blocked),
            "left_in_error": _in_error(entity, blocked),
        }

    def lines(self, answer):
        yield f"{counted(len(answer['created']), 'proposal')} created, {len(answer['filled'])} filled in."
        if answer["refilled"]:
            yield f"Filled in again: {', '.join(answer['refilled'])}."
        yield from (row["reason"] for row in answer["blocked"].values())
        for row in answer["left_out"]:
            yield f"  actual {row['actual']}: {row['reason']}"
        for row in answer["left_in_error"]:
            yield from (f"  journal {row['number']}: {error['reason']}" for error in row["errors"])


def _left_out(blocked):
    """Why actuals that a proposal waits for could not be added to a journal."""
    actuals = {actual.pk: actual.to_journal.reason for row in blocked for actual in row.left_out}
    return [{"actual": key, **in_json(reason)} for key, reason in sorted(actuals.items()) if reason]


def _in_error(entity, blocked):
    waited_for = {journal.pk for blockers in blocked for journal in blockers.journals}
    return [
        {"number": left.journal.number, "errors": [in_json(error) for error in left.errors]}
        for left in left_in_error(entity)
        if left.journal.pk in waited_for
    ]
