from collections import defaultdict
from decimal import Decimal

from backlog.models import BacklogItem
from contracts.models import ProjectContract
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import totals
from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, day
from invoicing_site.management.wording import plain, spoken
from invoicing_site.screens import remedies
from proforma.models import LineDetail
from proforma.operations import create_proformas


class Command(EntityCommand):
    help = (
        "Create proformas of all work that is ready to invoice, regardless of the invoice schedule: for "
        "contracts without a schedule, and for work that was too late for it. Each contract has its own "
        "transaction."
    )

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--contract",
            action="append",
            default=[],
            metavar="CODE",
            help="only this contract; can be repeated; default: all confirmed contracts with ready work",
        )
        parser.add_argument(
            "--cutoff",
            type=day,
            metavar="DATE",
            help="work dated up to this date; default: the date of the action",
        )

    def act(self, entity, by, on, options):
        cutoff = options["cutoff"] or on
        contracts = ProjectContract.objects.filter(entity=entity).order_by("code")
        if options["contract"]:
            contracts = self.chosen(contracts, "code", options["contract"])
        else:
            ready = BacklogItem.objects.ready().dated_until(cutoff).values("contract")
            contracts = contracts.filter(pk__in=ready, status=ProjectContract.Status.CONFIRMED)
        created, refused = {}, []
        for contract in contracts:
            try:
                found = create_proformas([contract], cutoff=cutoff, on=on, by=by)
            except Refused as refusal:
                refused.append(
                    {
                        "contract": contract.code,
                        "code": refusal.code,
                        "reason": remedies.in_plain_text(refusal),
                    }
                )
            else:
                created |= {proforma.pk: proforma for proforma in found}
        return {
            "entity": entity.code,
            "on": on,
            "cutoff": cutoff,
            "created": self._rows(created),
            "refused": refused,
        }

    def _rows(self, created):
        nets = defaultdict(
            Decimal,
            totals(LineDetail.objects.chargeable().filter(line__proforma__in=created), by="line__proforma"),
        )
        return [
            {
                "proforma": proforma.number,
                "contract": proforma.contract.code,
                "customer": proforma.customer.number,
                "net": plain(nets[pk], proforma.currency),
                "currency": proforma.currency,
            }
            for pk, proforma in created.items()
        ]

    def lines(self, answer):
        yield f"{counted(len(answer['created']), 'proforma')} created with work up to {answer['cutoff']}."
        for row in answer["created"]:
            yield (
                f"{row['proforma']}: contract {row['contract']}, customer {row['customer']}, "
                f"{spoken(Decimal(row['net']), row['currency'])}."
            )
        for row in answer["refused"]:
            yield f"{row['contract']}: {row['reason']}"
        if not answer["created"] and not answer["refused"]:
            yield "Nothing is ready to invoice."
