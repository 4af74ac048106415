from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand
from ledger.journal.operations.queue import rebuild_queue


class Command(EntityCommand):
    help = "Mends the queues of what waits for its next step, after verify_ledger reported QUEUE."

    def act(self, entity, by, on, options):
        added, removed = rebuild_queue(entity, by=by)
        return {"entity": entity.code, "journal": {"added": added, "removed": removed}}

    def lines(self, answer):
        added, removed = answer["journal"].values()
        yield f"Queue for journals: {counted(added, 'actual')} added, {removed} removed."
