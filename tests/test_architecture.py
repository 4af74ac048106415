"""The directions of imports and foreign keys, read from the source and the models."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps

from contracts.models.permissions import PERMISSIONS
from invoicing_site.floor import jobs

ROOT = Path(__file__).resolve().parent.parent
ROW = ["contracts", "actuals", "backlog", "proforma", "ledger"]
SITE = "invoicing_site"
OURS = {*ROW, SITE}
# The folders of the site in order: the floor, shared folders that rooms import, and folders that import
# rooms.
FLOOR = {"floor"}
SHARED = {"models", "celery", "screens", "admin", "accounts", "templatetags"}
# Names the tasks of all rooms with their times, like urls.py names their pages.
TIMETABLE = {"celery"}
ROOF = {"pages", "explain", "verify", "demo", "management", "urls"}
# The parts of a room for pages; all other parts except operations only read or calculate.
SHOWN = {
    "views",
    "forms",
    "filters",
    "tables",
    "receivable_tables",
    "admin",
    "tasks",
    "urls",
    "apps",
    "templatetags",
}


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def tree(path):
    return ast.parse(path.read_text(), filename=str(path))


def imported(path):
    """The dotted names of everything that the file imports, anywhere in the file.

    Relative imports are resolved.
    """
    package = path.relative_to(ROOT).with_suffix("").parts
    package = package[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def place(path):
    """The app and the part of it a file belongs to: ("invoicing_site", "money")."""
    app, part, *_ = (*path.relative_to(ROOT).with_suffix("").parts, "__init__")
    return app, part


def forbidden(app, part, name):
    """Why a file must not import this name; empty if it can."""
    target, _, rest = name.partition(".")
    target_part = rest.split(".")[0]
    if target not in OURS:
        return ""
    if app == SITE:
        if target == SITE or part in ROOF:
            return ""
        return "only the roof sees the rooms"
    if target == SITE:
        return (
            "" if target_part in FLOOR | SHARED or not target_part else "the roof is not there for the rooms"
        )
    return "" if ROW.index(target) <= ROW.index(app) else "it stands to the right"


@pytest.mark.parametrize("folder", [*ROW, SITE])
def test_imports_point_left(folder):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}: {reason}"
        for path in sources(folder)
        for name in sorted(set(imported(path)))
        if (reason := forbidden(*place(path), name))
    ]
    assert wrong == []


def test_the_floor_imports_no_other_part_and_only_the_roof_imports_the_roof():
    wrong = []
    for path in sources(SITE):
        part = place(path)[1]
        for name in imported(path):
            site, _, rest = name.partition(".")
            target = rest.split(".")[0]
            from_floor = part in FLOOR and target in SHARED - {"models", "celery"} | ROOF
            if site == SITE and (from_floor or (part in SHARED and target in ROOF)):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_pure_modules_import_no_operation():
    """A preview, a check and posting share a plan; only operations write."""
    wrong = []
    for path in sources(*ROW):
        parts = set(path.relative_to(ROOT).with_suffix("").parts[1:])
        if parts & (SHOWN | {"operations"}):
            continue
        wrong += [
            f"{path.relative_to(ROOT)} imports {name}"
            for name in imported(path)
            if name.split(".")[0] in ROW and "operations" in name.split(".")
        ]
    assert wrong == []


PICTURES = (ROOT / "docs" / "architecture.md").read_text().split("```mermaid")[1:]


def arrows(picture, sign):
    """The pairs of names between which a picture has an arrow of this kind."""
    found = re.findall(rf"^ *(\w+)(?:\[[^]]*\])? {sign} (\w+)", picture.partition("```")[0], re.MULTILINE)
    return set(found)


def drawn_as(dotted):
    """The box of the picture that contains a module; empty if there is none."""
    app, part, *_ = (*dotted.split("."), "")
    if app == "ledger":
        return "roof" if part in {"admin", "tasks", "urls", "apps", "templatetags", ""} else part
    if app != SITE:
        return app if app in ROW else ""
    boxes = {"roof": ROOF, "shared": SHARED - {"models", "celery"}, "floor": FLOOR | {"models", "celery"}}
    return next((box for box, parts in boxes.items() if part in parts), "")


def reached(drawn):
    """Every pair of boxes that are connected by arrows, directly or through other boxes."""
    while further := {(a, d) for a, b in drawn for c, d in drawn if b == c} - drawn:
        drawn = drawn | further
    return drawn


def test_the_picture_of_the_parts_agrees_with_the_imports():
    drawn = arrows(PICTURES[0], "-->")
    imports = {}
    for path in sources(*ROW, SITE):
        dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in imported(path):
            pair = (drawn_as(dotted), drawn_as(name))
            if all(pair) and pair[0] != pair[1]:
                imports[pair] = f"{path.relative_to(ROOT)} imports {name}"
    allowed = reached(drawn)
    assert not [pair for pair in allowed if pair[0] == pair[1]], "the arrows go round in a circle"
    assert [why for pair, why in imports.items() if pair not in allowed] == []
    assert drawn - imports.keys() == set(), "these arrows have no import"


def test_the_picture_of_the_data_agrees_with_the_foreign_keys():
    once, many = set(), set()
    for model in apps.get_models():
        for field in model._meta.fields:
            if model._meta.app_label in ROW and field.is_relation:
                pair = (model.__name__, field.related_model.__name__)
                (once if field.unique else many).add(pair)
    assert arrows(PICTURES[1], "==>") - once == set()
    assert arrows(PICTURES[1], "-->") - many == set()


# Files other than operations that may write, each with its reason.
WRITERS = {
    "tasks.py": "a task stores what became of a row, or notifies",
    "admin": "Django admin saves its own forms",
    "ledger/setup/dimensions.py": "a set of dimension values is made when it is first used",
}
_WRITES = {"bulk_create", "bulk_update", "get_or_create", "update_or_create", "write_rows"}


def _writes(call):
    """Whether the call changes rows: with a queryset, an instance, `write_rows` or the audit log."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    on = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in _WRITES:
        return True
    if name == "save":
        return on != "super()"
    if name in {"update", "create"}:  # a dictionary takes a positional argument
        return bool(on and call.keywords and not call.args)
    if name == "delete":
        return bool(on and not call.args and on != "cache")
    return (on, name) == ("audit", "record")


def test_only_operations_write():
    """One operation locks, checks and writes, and its name says what it does."""
    wrong = []
    for path in sources(*ROW):
        place = path.relative_to(ROOT)
        if "operations" in place.with_suffix("").parts or {place.as_posix(), *place.parts} & set(WRITERS):
            continue
        wrong += [
            f"{place}:{node.lineno}: {ast.unparse(node.func)}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and _writes(node)
        ]
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "writes"),
    [
        ("Entry.objects.filter(pk=1).update(status='draft')", True),
        ("found.update(other)", False),
        ("entry.save(update_fields=['status'])", True),
        ("super().save()", False),
        ("audit.record('ledger.draw', invoice)", True),
        ("rows.delete()", True),
        ("cache.delete(key)", False),
        ("write_rows(Actual, rows)", True),
        ("operations.delete(entry, by=user)", False),
    ],
)
def test_writes_are_recognized(line, writes):
    assert _writes(ast.parse(line).body[0].value) is writes


def dotted_names(path):
    """The string literals of the file that may name a module: two or more words with dots between them."""
    for node in ast.walk(tree(path)):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if re.fullmatch(r"[a-z_]+(\.\w+)+", text):
            yield text


def is_module(name):
    """Whether the dotted name is that of one of our modules or of something in it: "ledger.tasks.sweep"."""
    *path, _ = parts = name.split(".")
    return any(
        (ROOT / Path(*found)).with_suffix(".py").exists() or (ROOT / Path(*found) / "__init__.py").exists()
        for found in (parts, path)
        if len(found) > 1
    )


@pytest.mark.parametrize("folder", [*ROW, SITE])
def test_no_string_names_a_module_to_the_right(folder):
    """A room reaches rooms to its right through signals and the names of jobs only."""
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(folder)
        if folder != SITE or place(path)[1] in FLOOR | SHARED - TIMETABLE
        for name in dotted_names(path)
        if is_module(name) and forbidden(*place(path), name)
    ]
    assert wrong == []


def test_every_kind_of_job_is_complete():
    """A handler, a title, and a permission that roles grant, or that of the program itself."""
    wrong = [
        name
        for name, kind in jobs.KINDS.items()
        if not (callable(kind.handler) and kind.title and kind.permission in {*PERMISSIONS, jobs.SYSTEM})
        or (kind.permission != jobs.SYSTEM and not (kind.says and kind.link))
    ]
    assert jobs.KINDS
    assert wrong == []


# View classes with more than 30 lines of methods. Lower the number when one is split.
LONG_VIEWS = 19
LONGEST_VIEW = 55


def test_views_are_short():
    """Views name their parts; other modules calculate what they show, and operations change rows."""
    found = {}
    for path in sources(*ROW, SITE):
        if {"views", "pages"} & set(path.relative_to(ROOT).with_suffix("").parts):
            for node in tree(path).body:
                if isinstance(node, ast.ClassDef):
                    methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
                    lines = sum(each.end_lineno - each.lineno + 1 for each in methods)
                    found[f"{path.relative_to(ROOT)}: {node.name}"] = lines
    long = {name: lines for name, lines in found.items() if lines > 30}
    assert len(long) <= LONG_VIEWS, long
    assert max(found.values()) <= LONGEST_VIEW, long


def test_foreign_keys_point_left():
    wrong = []
    for model in apps.get_models(include_auto_created=True):
        app = model._meta.app_label
        for field in (*model._meta.fields, *model._meta.many_to_many):
            target = field.related_model._meta.app_label if field.is_relation and field.related_model else app
            if app in ROW and target in ROW:
                right = ROW.index(target) > ROW.index(app)
            else:
                right = app not in ROW and target in ROW
            if right:
                wrong.append(f"{field} points to {target}")
    assert wrong == []


def test_there_are_no_generic_foreign_keys():
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in model._meta.private_fields
    ]
    assert wrong == []


def test_money_code_has_no_floats():
    """MON-1"""
    wrong = []
    for path in sources(*ROW, SITE):
        if place(path)[0] == SITE and place(path)[1] not in FLOOR | SHARED | ROOF:
            continue
        for node in ast.walk(tree(path)):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            column = isinstance(node, ast.Attribute) and node.attr == "FloatField"
            if literal or call or column:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


@pytest.mark.parametrize(
    ("only", "pattern"),
    [
        ("floor/money", r"\.quantize\(|\bROUND_[A-Z]|\bround\("),
        ("floor/querysets", r"\bselect_for_update\b|\bFOR (NO KEY )?(UPDATE|SHARE)\b"),
    ],
)
def test_some_things_are_done_in_one_file_only(only, pattern):
    """MON-1"""
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources(*ROW, SITE)
        if path != ROOT / SITE / f"{only}.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert wrong == []


# Ways to write amounts, numbers and days by hand.
_BY_HAND = re.compile(
    r"""\{[^{}"']*:[+>]?,?(\.\d+|,)f?\}  # {n:,} {amount:,.2f}
    | \{[^{}"']*:,f\} | normalize\(\):,?f\} | \.rstrip\(["']0["']\)
    | \{[^{}"']*:[^{}"']*%[a-zA-Z] | \.strftime\(
    | \bintcomma\b | \bfloatformat\b | \|date:["']
    | \bformat_(date|decimal|skeleton|currency|percent)\( | \b(date|number)_format\(
    """,
    re.VERBOSE,
)
# Files that write for machines or read user input.
_NOT_FOR_READERS = {
    "invoicing_site/floor/formatting.py": "the one place",
    "invoicing_site/floor/guards.py": "SQL of SQLite",
    "invoicing_site/templatetags/charts.py": "lengths of a drawing",
    "actuals/importing/workbook.py": "runs in a process of its own that sees nothing of ours",
    "actuals/importing/values.py": "tries whether a format reads a day",
    "ledger/journal/operations/lines.py": "the key of a month",
    "proforma/plans.py": "what a fingerprint is taken of",
}


def test_amounts_numbers_and_days_are_formatted_in_one_place():
    """MON-1: what is formatted by hand has two decimals in a currency that has none."""
    pages = sorted((ROOT / "templates").rglob("*.html"))
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in [*sources(*ROW, SITE), *pages]
        if path.relative_to(ROOT).as_posix() not in _NOT_FOR_READERS
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := _BY_HAND.search(line))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "line",
    [
        'f"{n:,} rows"',
        'f"{amount:,.2f} {currency}"',
        'f"{day:%d %b %Y}"',
        'text.rstrip("0")',
        "{{ total|floatformat:2 }}",
        "{{ day|date:'Y-m-d' }}",
        "{{ n|intcomma }}",
        "format_decimal(value)",
        "day.strftime('%d')",
        'f"{hours.normalize():f} h"',
    ],
)
def test_formats_are_recognized(line):
    assert _BY_HAND.search(line)


def test_rooms_import_the_transaction_that_retries_after_a_conflict():
    """Django's own transaction would answer a deadlock with an internal error."""
    wrong = [
        f"{path.relative_to(ROOT)}: import transaction from invoicing_site"
        for path in sources(*ROW)
        if "django.db.transaction" in imported(path)
    ]
    assert wrong == []


def test_mypy_checks_contracts_plans_and_operations():
    """`./run lint` runs mypy on the files that pyproject.toml lists; these files must be among them."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    found = [path for pattern in listed for path in ROOT.glob(pattern)]
    checked = {file for path in found for file in ([path] if path.is_file() else path.rglob("*.py"))}
    expected = [
        path
        for path in sources(*ROW)
        if place(path)[0] == "contracts"
        or "operations" in path.with_suffix("").relative_to(ROOT).parts
        or re.search("(^|_)plan", path.stem)
    ]
    missing = [str(path.relative_to(ROOT)) for path in expected if path not in checked]
    assert missing == []
    assert ROOT / SITE / "floor/money.py" in checked


def test_every_type_that_is_ignored_has_a_code_and_a_reason():
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources(*ROW, SITE)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "type: ignore" in line and not re.search(r"# type: ignore\[[a-z, -]+\]  # \w+", line)
    ]
    assert wrong == []


def test_operations_import_no_requests_and_no_forms():
    outside = ("django.http", "django.shortcuts", "django.forms", "django.views", "django.contrib.messages")
    wrong = []
    for path in sources(*ROW):
        if "operations" not in path.relative_to(ROOT).with_suffix("").parts:
            continue
        for name in imported(path):
            ours = name.split(".")[0] in ROW and {"forms", "views", "filters", "tables"} & set(
                name.split(".")
            )
            if name.startswith(outside) or name == "django.forms" or ours:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.arg) and node.arg == "request":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} takes a request")
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("ledger.tasks.sweep", True),
        ("ledger.tasks", True),
        ("proforma.operations.runs.KIND", True),
        ("proforma.confirm", False),
        ("contracts.Membership", False),
    ],
)
def test_module_names_are_recognized(name, found):
    assert is_module(name) is found


@pytest.mark.parametrize(
    ("app", "part", "name", "allowed"),
    [
        ("actuals", "operations", "contracts.models", True),
        ("contracts", "models", "actuals.models", False),
        ("ledger", "views", "invoicing_site.screens", True),
        ("ledger", "views", "invoicing_site.pages.home", False),
        ("invoicing_site", "floor", "contracts", False),
        ("invoicing_site", "pages", "ledger.models", True),
        ("invoicing_site", "management", "ledger.models", True),
        ("invoicing_site", "settings", "contracts", False),
        ("contracts", "models", "django.db", True),
    ],
)
def test_forbidden_imports_are_recognized(app, part, name, allowed):
    assert (forbidden(app, part, name) == "") is allowed
