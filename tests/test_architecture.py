"""Which way things point, read from the source and from the models."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
ROW = ["contracts", "actuals", "backlog", "proforma", "ledger"]
SITE = "invoicing_site"
OURS = {*ROW, SITE}
# What every app may stand on, and what may see every app. The rest of invoicing_site sees only itself.
FLOOR = {"errors", "money", "fields", "querysets", "guards", "audit", "models", "celery"}
FLOOR |= {"admin_base", "admin_choices", "admin_columns", "audit_words", "bounds", "characters", "checked"}
FLOOR |= {"currencies", "days", "figures", "files", "password_links", "remedies", "screens", "seals", "seen"}
FLOOR |= {"templatetags", "transaction", "wording"}
ROOF = {"urls", "home", "demo", "explain", "verify", "commands", "management"}
ROOF |= {"navigation", "desk", "explain_page", "audit_trail", "checklist", "seals_page"}


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def tree(path):
    return ast.parse(path.read_text(), filename=str(path))


def imported(path):
    """The dotted names of everything the file imports, wherever in the file; relative ones written out."""
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
    """Why a file may not import this name; empty when it may."""
    target, _, rest = name.partition(".")
    target_part = rest.split(".")[0]
    if target not in OURS:
        return ""
    if app == SITE:
        if target == SITE or part in ROOF:
            return ""
        return "only the roof sees the apps"
    if target == SITE:
        return "" if target_part in FLOOR or not target_part else "only the floor is there for the apps"
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


def test_the_floor_does_not_see_the_roof():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(SITE)
        if place(path)[1] in FLOOR
        for name in imported(path)
        if name.startswith(f"{SITE}.") and name.split(".")[1] in ROOF
    ]
    assert wrong == []


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


def test_there_is_no_float_where_money_is():
    """MON-1"""
    wrong = []
    for path in sources(*ROW, SITE):
        if place(path)[0] == SITE and place(path)[1] not in FLOOR | ROOF:
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
        ("money", r"\.quantize\(|\bROUND_[A-Z]|\bround\("),
        ("querysets", r"\bselect_for_update\b|\bFOR (NO KEY )?(UPDATE|SHARE)\b"),
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


def test_what_a_room_saves_is_done_again_after_a_conflict():
    """Django's own transaction would answer a deadlock with an internal error."""
    wrong = [
        f"{path.relative_to(ROOT)}: import transaction from invoicing_site"
        for path in sources(*ROW)
        if "django.db.transaction" in imported(path)
    ]
    assert wrong == []


def test_operations_know_no_requests_and_no_forms():
    outside = ("django.http", "django.shortcuts", "django.forms", "django.views", "django.contrib.messages")
    wrong = []
    for path in sources(*ROW):
        app, part = place(path)
        if part != "operations":
            continue
        for name in imported(path):
            own = name.removeprefix(f"{app}.").split(".")[0]
            if (
                name.startswith(outside)
                or name == "django.forms"
                or own in {"forms", "views", "filters", "tables"}
            ):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.arg) and node.arg == "request":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} takes a request")
    assert wrong == []


@pytest.mark.parametrize(
    ("app", "part", "name", "allowed"),
    [
        ("actuals", "operations", "contracts.models", True),
        ("contracts", "models", "actuals.models", False),
        ("ledger", "views", "invoicing_site.screens", True),
        ("ledger", "views", "invoicing_site.home", False),
        ("invoicing_site", "money", "contracts", False),
        ("invoicing_site", "home", "ledger.models", True),
        ("invoicing_site", "management", "ledger.models", True),
        ("invoicing_site", "settings", "contracts", False),
        ("contracts", "models", "django.db", True),
    ],
)
def test_this_test_sees_what_is_wrong(app, part, name, allowed):
    assert (forbidden(app, part, name) == "") is allowed
