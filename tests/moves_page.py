"""The page docs/moves.md, written from the tables of moves: python -m tests.moves_page > docs/moves.md"""

import os

INTRODUCTION = """# What can be done with a document

Each document has a status. The status decides what can be done with it, and the permission decides who can
do it; see [administrators](administrators.md) for the roles. Anything that is not listed here is refused.
This page is written from the tables in the code (`MOVES` of each model), and a test compares the two.
"""


def page():
    """The expected content of the page."""
    from invoicing_site.floor import moves

    parts = [INTRODUCTION]
    for model in moves.documents():
        labels = dict(model._meta.get_field("status").choices) | {moves.GONE: "deleted"}
        rows = [
            f"| {labels[row.start]} | {model.MOVES.done[row.verb]} (`{row.verb}`) | "
            f"{'the same' if row.end == row.start else labels[row.end]} | {who(row)} |"
            for row in model.MOVES.rows
        ]
        name = str(model._meta.verbose_name)
        head = [f"## {name[:1].upper()}{name[1:]}", "", "| status | can be | status after it | permission |"]
        parts.append("\n".join([*head, "| --- | --- | --- | --- |", *rows, ""]))
    return "\n".join(parts)


def who(row):
    return row.who if row.who.startswith("(") else f"`{row.who}`"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    print(page(), end="")  # noqa: T201
