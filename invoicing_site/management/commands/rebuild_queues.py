from dataclasses import asdict

from invoicing_site.management.base import EntityCommand
from ledger.queues.operations import rebuild_queues


class Command(EntityCommand):
    help = "Correct the queues of rows that wait for their next step, if verify_ledger has reported QUEUE."

    def act(self, entity, by, on, options):
        return {
            "entity": entity.code,
            "queues": [asdict(rebuilt) for rebuilt in rebuild_queues(entity, by=by)],
        }

    def lines(self, answer):
        for row in answer["queues"]:
            yield f"Queue {row['queue']}: {row['added']} added, {row['removed']} removed."
