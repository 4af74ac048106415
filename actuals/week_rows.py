"""Unsaved rows of the week page: read from the form, added, and stored in the session while empty."""

import datetime

from actuals import categories
from actuals.weeks import MOST_ROWS, RowKey, Typed, TypedRow, days_of
from contracts.models import Project, Role, Task
from invoicing_site.floor.errors import Refused
from invoicing_site.screens.lists import key_of

_EMPTY = "empty_week_rows"
_WEEKS_REMEMBERED = 4


def posted_rows(posted, monday: datetime.date) -> list[TypedRow]:
    """The rows of the submitted form, each once; invalid keys are ignored."""
    rows = {}
    for text in posted.getlist("row")[: MOST_ROWS * 2]:
        key = RowKey.read(text)
        if key is None or key in rows:
            continue
        cells = {
            day: Typed.read(posted[f"h-{key}-{n}"], posted.get(f"b-{key}-{n}", ""))
            for n, day in enumerate(days_of(monday))
            if f"h-{key}-{n}" in posted
        }
        rows[key] = TypedRow(key, cells, posted.get(f"d-{key}", "").strip(), posted.get(f"o-{key}", ""))
    return list(rows.values())


def chosen_keys(posted) -> dict[str, str]:
    """The selected values for a new row, as they were submitted."""
    keys = {name: posted.get(f"add_{name}", "") for name in ("project", "role", "category")}
    return keys | {"task": posted.get("task", "")}


def new_row(entity, keys: dict[str, str], rows: list[TypedRow]) -> TypedRow:
    """A new row for the selected values; refused if they can't be selected, or the row already exists."""
    project = one(Project.objects.filter(entity=entity).open_for_entries(), keys["project"])
    if project is None:
        raise Refused("ROW-NEEDS-PROJECT")
    task = one(Task.objects.filter(project=project), keys["task"])
    if keys["task"] and task is None:
        raise Refused("ROW-OTHER-TASK", project=project)
    role = one(Role.objects.filter(entity=entity), keys["role"])
    offered = categories.of_time(entity)
    category = one(offered, keys["category"]) or categories.default_of(offered)
    key = RowKey(project.pk, task and task.pk, role and role.pk, category and category.pk)
    if key in {row.key for row in rows}:
        raise Refused("ROW-EXISTS")
    return TypedRow(key)


def one(rows, key):
    """The row with the key from a form; None if there is none."""
    return rows.filter(pk=key_of(key)).first()


def remember(session, place: str, rows: list[TypedRow]) -> None:
    """Store the rows without hours in the session, for a few weeks; the database has no rows for them."""
    kept = dict(list(session.get(_EMPTY, {}).items())[1 - _WEEKS_REMEMBERED :])
    kept.pop(place, None)
    if empty := [row for row in rows if not any(cell.text for cell in row.cells.values())]:
        kept[place] = [[str(row.key), row.description] for row in empty]
    session[_EMPTY] = kept


def remembered(session, place: str):
    """The rows that `remember` kept for this place."""
    for text, words in session.get(_EMPTY, {}).get(place, ()):
        if key := RowKey.read(text):
            yield TypedRow(key, description=words, description_before="")
