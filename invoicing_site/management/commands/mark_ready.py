from backlog import operations
from backlog.models import BacklogItem
from contracts.models import ProjectContract
from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, day


class Command(EntityCommand):
    help = "Mark the billing backlog up to a date ready to invoice, both time and material and milestones."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("--until", type=day, help="items dated up to this date; default: all")
        parser.add_argument("--contract", action="append", help="code of a contract; can be repeated")

    def act(self, entity, by, on, options):
        items = BacklogItem.objects.filter(contract__entity=entity, status=BacklogItem.Status.NOT_READY)
        if options["until"]:
            items = items.dated_until(options["until"])
        contracts = self.chosen(ProjectContract.objects.filter(entity=entity), "code", options["contract"])
        items = items.filter(contract__in=contracts)
        if not items.exists():
            return {"ready": 0, "left": {}}
        marked = operations.mark_ready(items, by=by)
        return {"ready": marked.changed, "left": marked.reasons}

    def lines(self, answer):
        yield f"{counted(answer['ready'], 'item is', 'items are')} ready to invoice."
        for reason, count in answer["left"].items():
            yield f"{count} not changed: {reason}."
