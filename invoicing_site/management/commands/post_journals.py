from invoicing_site.commands import EntityCommand
from ledger.operations.journals import post_journals, take_up_actuals


class Command(EntityCommand):
    help = "Takes all actuals of a legal entity up into integration journals, and posts these."

    def act(self, entity, by, on, options):
        taken = take_up_actuals(entity, on=on, by=by)
        posted = post_journals(entity, by=by, on=on)
        return {
            "entity": entity.code,
            "on": on,
            "taken_up": taken.lines,
            "left_out": [{"actual": actual, "reason": sentence} for actual, sentence in taken.left_out],
            "journals": [
                {
                    "number": result.journal.number,
                    "status": result.journal.status,
                    "posted": result.posted,
                    "in_error": result.in_error,
                    "remainder": result.remainder and result.remainder.number,
                    "errors": _errors(result),
                    "refused": result.refused,
                }
                for result in posted
            ],
        }

    def told(self, answer):
        yield f"{answer['taken_up']} actuals taken up, {len(answer['left_out'])} left out."
        for row in answer["left_out"]:
            yield f"  actual {row['actual']}: {row['reason']}"
        for journal in answer["journals"]:
            if journal["refused"]:
                yield f"journal {journal['number']} is not posted: {journal['refused']}"
                continue
            where = f", in journal {journal['remainder']}" if journal["remainder"] else ""
            yield (
                f"journal {journal['number']}: {journal['posted']} lines posted, "
                f"{journal['in_error']} in error{where}."
            )
            yield from (f"  {error}" for error in journal["errors"])
        if not answer["journals"]:
            yield "There is no journal to post."


def _errors(result):
    """Each different reason once."""
    if result.remainder is None:
        return []
    return sorted(set(result.remainder.lines.exclude(error="").values_list("error", flat=True)))
