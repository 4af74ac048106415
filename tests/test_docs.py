"""Links, pictures, commands with their options and addresses in the docs exist."""

import collections
import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(FOLDER.glob("*.md"))]
# Commands of `run` itself; all other words after it are commands of manage.py.
OF_RUN = {"test", "lint", "manage"}
# Answered by a middleware before URLs are resolved.
BY_MIDDLEWARE = {"/health/", "/metrics/"}

_FENCE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
_CALL = re.compile(r"(?:\./run|python3? manage\.py|\.venv/bin/python manage\.py)(?:\s+(.*))?$")


def every(docs=PAGES):
    return pytest.mark.parametrize("doc", docs, ids=lambda doc: str(doc.relative_to(ROOT)))


def prose(text):
    return _FENCE.sub("", text)


def fenced(text):
    """The lines of the fenced blocks; lines that end with a backslash are joined."""
    for block in _FENCE.findall(text):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()


def anchors(text):
    """The anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text):
    return [link or picture for link, picture in _LINK.findall(_INLINE.sub("", prose(text)))]


def broken_links(text, folder):
    """The relative links without a target: no such file, or no such heading in it."""
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (folder / name).resolve()
        there = target.is_relative_to(ROOT) and target.exists()
        if there and anchor:
            there = anchor in anchors(target.read_text() if name else text)
        if not there:
            yield link


def calls(text):
    """The words after `./run` or `manage.py`, in fenced blocks and in backticks."""
    for line in [*fenced(text), *_INLINE.findall(prose(text))]:
        line = re.split(r"\s[|<>]\s", re.sub(r"^\s*(\w+=\S*\s+)+", "", line))[0]
        if found := _CALL.search(line.split("   #")[0].strip()):
            yield shlex.split(found[1] or "", comments=True)


def problem_with(words):
    """Why such a call would be refused, or nothing; uses the command's own parser and runs nothing."""
    if words[:1] == ["manage"]:
        words = words[1:]
    elif not words or words[0] in OF_RUN or words[0].isupper():  # ./run COMMAND
        return ""
    if words[0].startswith("-"):
        words = ["up", *words]
    name, *arguments = words
    app = get_commands().get(name)
    if app is None:
        return f"there is no command {name}"
    command = load_command_class(app, name) if isinstance(app, str) else app
    try:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            command.create_parser("./run", name).parse_args(arguments)
    except CommandError as refused:
        return str(refused)
    except SystemExit as ended:
        return said.getvalue() if ended.code else ""
    return ""


def addresses(text):
    """Addresses of the site in backticks: `/backlog/`, `GET /health/`, `/explain/invoice/1/?format=json`."""
    for code in _INLINE.findall(prose(text)):
        if found := re.fullmatch(r"(?:GET |POST )?(/(?:[\w-]+/)*)(?:\?\S*)?", code):
            yield found[1]


def unresolved(text):
    for address in addresses(text):
        try:
            resolve(address)
        except Resolver404:
            if address not in BY_MIDDLEWARE:
                yield address


def repeated(text):
    """Twelve words in a row that are twice on a page, except in tables: probably a repeated paragraph."""
    rows = [line for line in prose(text).splitlines() if not line.lstrip().startswith("|")]
    words = " ".join(rows).split()
    runs = [" ".join(words[at : at + 12]) for at in range(len(words) - 11)]
    return sorted(run for run, times in collections.Counter(runs).items() if times > 1)


@every()
def test_no_paragraph_is_repeated(doc):
    assert repeated(doc.read_text()) == []


def repeated_items(text):
    """Items of lists whose first line is also the beginning of another one; merging can double them."""
    items = [line for line in prose(text).splitlines() if re.match(r"\s*[-*] .{20}", line)]
    return sorted({item for item in items if sum(other.startswith(item) for other in items) > 1})


@every()
def test_no_item_of_a_list_is_repeated(doc):
    assert repeated_items(doc.read_text()) == []


def test_repeated_items_are_found():
    text = "- Pages and files are compressed.\n- Lists stay fast.\n- Pages and files are compressed. Too.\n"
    assert repeated_items(text) == ["- Pages and files are compressed."]


@every()
def test_every_link_and_picture_exists(doc):
    assert list(broken_links(doc.read_text(), doc.parent)) == []


@every()
def test_every_command_is_real_and_takes_its_options(doc):
    found = [(words, problem_with(words)) for words in calls(doc.read_text())]
    assert [(words, problem) for words, problem in found if problem] == []


@every()
def test_every_address_leads_to_a_page(doc):
    assert list(unresolved(doc.read_text())) == []


def test_the_index_names_every_page_and_every_picture_is_used():
    named = set(links((FOLDER / "README.md").read_text()))
    assert {page.name for page in FOLDER.glob("*.md")} - {"README.md"} <= named
    shown = {Path(link).name for page in PAGES for link in links(page.read_text())}
    assert {picture.name for picture in (FOLDER / "pictures").iterdir()} <= shown


def test_the_checks_find_enough_in_the_docs():
    """Otherwise the tests above could not fail."""
    text = "\n".join(page.read_text() for page in PAGES)
    assert len(links(text)) > 20
    assert len(list(calls(text))) > 20
    assert len(set(addresses(text))) > 20


def test_mistakes_in_docs_are_found():
    text = """
# A heading, here
[there](#a-heading-here) [gone](gone.md) ![none](pictures/none.png) <img src="pictures/no.png">
[lost](README.md#no-such-part) [out](../../x)
`/backlog/` `/no-such-room/` `GET /health/` `/runs/1/?x=y`, `/not/an address`

```
./run no_such_command
LEDGERLINE_DATA=x ./run verify_ledger --no-such-option   # a comment
python manage.py verify_ledger --json > file
./run explain invoice \\
    INV-1 --line x
```
"""
    assert list(broken_links(text, FOLDER)) == [
        "gone.md",
        "pictures/none.png",
        "pictures/no.png",
        "README.md#no-such-part",
        "../../x",
    ]
    assert list(unresolved(text)) == ["/no-such-room/"]
    problems = [problem_with(words) for words in calls(text)]
    assert problems[0] == "there is no command no_such_command"
    assert "--no-such-option" in problems[1]
    assert problems[2] == ""
    assert "invalid int value: 'x'" in problems[3]


@every()
def test_no_page_names_a_machine(doc):
    """Paths of home folders and addresses of package registries do not belong in a manual."""
    text = doc.read_text()
    assert not re.search(r"/(home|Users|tmp)/|\bpythonhosted\b", text)


# Words that are hard for readers whose first language is not English, and British spellings. An underscore
# ends a word too, so that names of functions and tests are included.
_OLD_WORDS = re.compile(
    r"(?<![a-z])(anew|whilst|hence|henceforth|wherefrom|thereof|outlays?|sooner|the[ _]eyes"
    r"|take[sn]?[ _]back|took[ _]back|taking[ _]back|take[sn]?[ _]up(?![ _]to)|took[ _]up|taking[ _]up"
    r"|hand(s|ed|ing)?[ _]in|stand(s|ing)?[ _]in[ _]for|mend(s|ed|ing)?"
    r"|ageing|troubles?|troubled|demand_\w+|doubts?|doubted|heretofore|kilometres?|millimetres?|metres?"
    r"|labell(ed|ing)|analys(e|ed|ing)|towards|favours?|programmes?|grey"
    r"|colou?rs?(?<!color)(?<!colors)|organis\w*|recognis\w*|behaviours?|neighbours?|cancelled|cancelling"
    r")(?![a-z])",
    re.IGNORECASE,
)
_TEXTS = [
    path
    for folder in (*(path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()), "templates")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".html") and path != Path(__file__).resolve()
]


def old_words(text):
    return sorted({match[0].lower() for match in _OLD_WORDS.finditer(text)})


def test_texts_and_names_have_no_old_words():
    """In docstrings, comments, names, pages and docs; CHANGELOG.md quotes earlier words."""
    files = [*_TEXTS, *(page for page in PAGES if page.name != "CHANGELOG.md")]
    found = {str(path.relative_to(ROOT)): old_words(path.read_text()) for path in files}
    assert {name: words for name, words in found.items() if words} == {}
    assert len(files) > 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Nothing is drawn anew, and it takes up to two seconds.", ["anew"]),
        ("def take_back(proforma):  # handed in sooner", ["handed in", "sooner", "take_back"]),
        ("a recommended color is amended, and recommendations stay", []),
        ("colours of the organisation", ["colours", "organisation"]),
        ("def demand_trouble():  # the ageing of doubts", ["ageing", "demand_trouble", "doubts"]),
        ("def aging():  # count on demand, analyses", []),
    ],
)
def test_old_words_are_found(text, words):
    assert old_words(text) == words
