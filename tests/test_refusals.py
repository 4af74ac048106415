"""The tables of refusals, compared with every place in the source that refuses."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation import override

from invoicing_site.floor.reasons import placeholders, templates

ROOT = Path(__file__).resolve().parent.parent
ROW = ["invoicing_site", "contracts", "actuals", "backlog", "proforma", "ledger"]
# Places that make a refusal from an existing reason.
MAKES_REFUSALS = {ROOT / "invoicing_site" / "floor" / name for name in ("errors.py", "moves.py")}


def sources(room):
    for path in sorted((ROOT / room).rglob("*.py")):
        if "migrations" not in path.parts and path.name != "refusals.py":
            yield path


TREES = {room: {path: ast.parse(path.read_text()) for path in sources(room)} for room in ROW}
OWNER = {
    code: room
    for room in ROW
    if (ROOT / room / "refusals.py").exists()
    for code in __import__(f"{room}.refusals", fromlist=["REFUSALS"]).REFUSALS
}


def kinds():
    """The classes of refusals, each with its own arguments that its template does not use."""
    found = {"Refused": set(), "Reason": set()}
    for trees in TREES.values():
        for tree in trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and any(
                    ast.unparse(each) == "Refused" for each in node.bases
                ):
                    makers = [each for each in node.body if getattr(each, "name", "") == "__init__"]
                    found[node.name] = {arg.arg for maker in makers for arg in maker.args.kwonlyargs}
    return found


KINDS = kinds()


def calls(room):
    for path, tree in TREES[room].items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in KINDS and path not in MAKES_REFUSALS:
                yield path, node


def wrong(room, node):
    """What is wrong with the call; empty if nothing is."""
    code = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    if code not in templates():
        return "its code is not literal or in no table"
    if ROW.index(OWNER[code]) > ROW.index(room):
        return f"{code} is in the table of {OWNER[code]}, to the right"
    named = {keyword.arg for keyword in node.keywords} - {"remedy"} - KINDS[ast.unparse(node.func)]
    if None in named:  # **values: compared at run time
        return "" if named - {None} <= placeholders(code) else f"{code} has no such value"
    return "" if named == placeholders(code) else f"{code} needs {sorted(placeholders(code))}"


@pytest.mark.parametrize("room", ROW)
def test_every_refusal_has_a_code_of_a_table_and_the_values_that_it_names(room):
    found = []
    for path, node in calls(room):
        if reason := wrong(room, node):
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {reason}")
    assert found == []


def test_every_code_of_a_table_is_used():
    used = {
        node.value
        for trees in TREES.values()
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(templates()) - used == set()


def test_a_template_has_plain_placeholders_and_a_usual_code():
    """Numbers are written by one formatter, so `%(count)d` would write them in another way."""
    for room in {*OWNER.values()}:
        text = (ROOT / room / "refusals.py").read_text()
        assert re.findall(r"%\(\w+\)[^s]", text) == []
    assert [
        code for code in templates() if not re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)+|BUSY|CHANGED", code)
    ] == []


def test_a_template_is_a_whole_sentence_or_the_start_of_one():
    class Word(dict):
        def __missing__(self, name):
            return "A reason." if name in {"why", "who", "ways", "advice"} else 2

    with override("en"):
        texts = {
            code: template % Word() for code, template in templates().items() if code != "SEVERAL-REASONS"
        }
    assert [code for code, text in texts.items() if not text.endswith(".") and not text[0].islower()] == []
