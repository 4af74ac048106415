"""Which operation is allowed in which status of a document: one table per model, `MOVES`.

Operations check it, pages use it to offer buttons, and `docs/moves.md` is generated from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason, placeholders

# Instead of a next status.
STAYS = "(stays)"
GONE = "(deleted)"
# Instead of a permission.
THE_PROGRAM = "(the system)"


@dataclass(frozen=True)
class Move:
    """One row: the status, the operation, the next status and the required permission.

    `start` is one status or several; the verb is the name of the operation.
    """

    start: Any
    verb: str
    end: str
    who: str


class Moves:
    """The table of one model, a row for each status in which a move starts.

    `done` has the past participle of each verb for sentences ("confirmed"). A verb that is not allowed is
    refused with NOT-ALLOWED-NOW, or with the code in `refusals` for the pair of verb and status, for the
    verb, or for the status. Its template can use `row`, `status`, `done` and `starts`; if it uses other
    values, the operation itself refuses with it.
    """

    def __init__(self, *rows: Move, done: Mapping[str, Any], refusals: Mapping[Any, str] | None = None):
        self.rows = tuple(
            Move(str(start), row.verb, str(start if row.end == STAYS else row.end), row.who)
            for row in rows
            for start in ([row.start] if isinstance(row.start, str) else row.start)
        )
        self.done, self.refusals = done, refusals or {}
        self._starts: dict[str, list[str]] = {}
        for row in self.rows:
            self._starts.setdefault(row.verb, []).append(row.start)
        self._starts = {verb: list(dict.fromkeys(starts)) for verb, starts in self._starts.items()}
        assert {row.verb for row in self.rows} == set(done), "Each verb has its words, and no other."

    @property
    def verbs(self) -> list[str]:
        return list(self._starts)

    def starts(self, verb: str) -> list[str]:
        """The statuses in which the verb is allowed."""
        return self._starts[verb]

    def ends(self, verb: str, start: str) -> list[str]:
        """The possible next statuses of the verb in that status."""
        return [row.end for row in self.rows if (row.start, row.verb) == (start, verb)]

    def only(self, verb: str) -> tuple[str, str]:
        """The status before and after a verb that has one row."""
        (row,) = (row for row in self.rows if row.verb == verb)
        return row.start, row.end

    def of(self, status: str) -> dict[str, str]:
        """The verbs that are allowed in the status, each with its permission."""
        return {row.verb: row.who for row in self.rows if row.start == status}

    def permission(self, verb: str) -> str:
        """The required permission."""
        return next(row.who for row in self.rows if row.verb == verb)

    def refusal(self, verb: str, status: str) -> str:
        """The code with which the verb is refused in that status."""
        keys = (verb, status), verb, status
        return next((self.refusals[key] for key in keys if key in self.refusals), "NOT-ALLOWED-NOW")


def allows(row: models.Model, verb: str) -> bool:
    """Whether the document's status allows the verb."""
    return row.status in row.MOVES.starts(verb)


def offered(row: models.Model, may) -> set[str]:
    """The verbs that its status and `may(permission)` allow."""
    verbs = row.MOVES.of(row.status)
    permissions = {who: may(who) for who in set(verbs.values()) - {THE_PROGRAM}}
    return {verb for verb, who in verbs.items() if permissions.get(who)}


def refuse_unless(row: models.Model, verb: str, *, name: str = "") -> None:
    """Refused unless the document's status allows the verb; `name` is its name in the sentence."""
    if not allows(row, verb):
        raise Refused.because(reason(row, verb, name=name))


def reason(row: models.Model, verb: str, *, name: str = "") -> Reason:
    """The reason why the document's status does not allow the verb."""
    labels = dict(row._meta.get_field("status").choices)
    code = row.MOVES.refusal(verb, row.status)
    params = {
        "row": name or row,
        "status": labels[row.status],
        "done": row.MOVES.done[verb],
        "starts": [labels[start] for start in row.MOVES.starts(verb)],
    }
    return Reason(code, **{each: params[each] for each in placeholders(code)})


def documents() -> Iterable[type[models.Model]]:
    """All models with a table of moves."""
    return [model for model in apps.get_models() if hasattr(model, "MOVES")]
