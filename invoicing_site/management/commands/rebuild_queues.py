from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand
from ledger.journal.operations.queue import rebuild_queue


class Command(EntityCommand):
    help = "Correct the queue of actuals that wait for a journal, if verify_ledger has reported QUEUE."

    def act(self, entity, by, on, options):
        added, removed = rebuild_queue(entity, by=by)
        return {"entity": entity.code, "journal": {"added": added, "removed": removed}}

    def lines(self, answer):
        added, removed = answer["journal"].values()
        yield f"Queue for journals: {counted(added, 'actual')} added, {removed} removed."
