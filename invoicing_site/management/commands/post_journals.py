from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, in_json
from ledger.journal.left_out import left_in_error
from ledger.journal.operations.journals import add_to_journals, post_journals


class Command(EntityCommand):
    help = "Add all waiting actuals of a legal entity to integration journals, and post these journals."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--retry", action="store_true", help="also post journals in error, after the cause is fixed"
        )

    def act(self, entity, by, on, options):
        added = add_to_journals(entity, on=on, by=by)
        posted = post_journals(entity, by=by, on=on, retry=options["retry"])
        return {
            "entity": entity.code,
            "on": on,
            "added": added.lines,
            "left_out": [{"actual": actual, **in_json(reason)} for actual, reason in added.left_out],
            "journals": [
                {
                    "number": result.journal.number,
                    "status": result.journal.status,
                    "posted": result.posted,
                    "in_error": result.in_error,
                    "remainder": result.remainder and result.remainder.number,
                    "refused": in_json(result.refused) if result.refused else None,
                }
                for result in posted
            ],
            "left_in_error": [
                {
                    "number": left.journal.number,
                    "lines": left.lines,
                    "errors": [in_json(error) for error in left.errors],
                }
                for left in left_in_error(entity)
            ],
        }

    def lines(self, answer):
        yield f"{counted(answer['added'], 'actual')} added to journals, {len(answer['left_out'])} left out."
        for row in answer["left_out"]:
            yield f"  actual {row['actual']}: {row['reason']}"
        for journal in answer["journals"]:
            if journal["refused"]:
                yield f"Journal {journal['number']} is not posted: {journal['refused']['reason']}"
                continue
            where = f", in journal {journal['remainder']}" if journal["remainder"] else ""
            yield (
                f"Journal {journal['number']}: {counted(journal['posted'], 'line')} posted, "
                f"{journal['in_error']} in error{where}."
            )
        if not answer["journals"]:
            yield "There is no journal to post."
        for left in answer["left_in_error"]:
            yield f"Journal {left['number']} is in error, {counted(left['lines'], 'line')}:"
            yield from (f"  {error['reason']}" for error in left["errors"])
        if answer["left_in_error"]:
            yield "Fix the cause, then run post_journals --retry."
