"""Workbooks: the meaning of their cells, and harmful files (IMP-1)."""

import ast
import datetime
import io
import subprocess
import sys
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from actuals.importing import Mapping, tables, workbook
from actuals.importing.tables import read_table
from actuals.importing.values import Unsaved
from actuals.importing.workbook import _WORDS, _Styles, kind_of
from actuals.models import Entry
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import placeholders
from tests import factories
from tests.actuals.importing import book, errors, look, take

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/relationships"


@pytest.fixture
def co(db):
    return factories.company(books=False)


def packed(sheet, *, method=zipfile.ZIP_DEFLATED, **parts):
    """The bytes of a workbook with this XML as its sheet: text, or pieces of it."""
    content = io.BytesIO()
    main = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATED}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{TYPES}">'
        f'<Relationship Id="a" Type="{RELATED}/worksheet" Target="worksheets/one.xml"/>'
        f'<Relationship Id="b" Type="{RELATED}/sharedStrings" Target="texts.xml"/></Relationships>',
        "xl/texts.xml": f'<sst xmlns="{MAIN}"/>',
    }
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, text in {**main, **parts}.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/one.xml", "w", force_zip64=True) as out:
            for piece in [sheet] if isinstance(sheet, str) else sheet:
                out.write(piece.encode())
    return content.getvalue()


def sheet_of(rows):
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def cells(*values):
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{value}</t></is></c>' for value in values) + "</row>"


def refusal(content):
    with pytest.raises(Refused) as refused:
        read_table(content)
    return refused.value.code, refused.value.params


TOO_LARGE = ("WORKBOOK-TOO-LARGE", {})


# What cells mean


def test_a_workbook_is_imported_by_the_types_of_its_cells(co):
    """IMP-1"""
    content = book(
        ["date", "resource", "project", "hours", "external id"],
        [datetime.date(2025, 3, 31), "ANNA", "NO1-P1", 7.5, 1001],
        [datetime.datetime(2025, 4, 1, 9, 30), "ANNA", "NO1-P1", datetime.timedelta(hours=23), 1002.0],  # noqa: DTZ001
        ["2025-04-02", "ANNA", "NO1-P1", datetime.time(0, 45), "X"],
    )

    result = take(co, content, name="march.xlsx")

    assert list(Entry.objects.order_by("pk").values_list("date", "quantity", "external_id")) == [
        (datetime.date(2025, 3, 31), Decimal("7.5"), "1001"),
        (datetime.date(2025, 4, 1), Decimal("23"), "1002"),
        (datetime.date(2025, 4, 2), Decimal("0.75"), "X"),
    ]
    assert result.entry_import.file.media_type.endswith("spreadsheetml.sheet")
    assert take(co, content).was_imported_before


@pytest.mark.parametrize(
    ("serial", "hours"),
    [
        (0.0208333, "0.5"),  # 1799.997 s
        (0.3333333, "8"),
        (1799 / 86400, "0.4997"),
        (1 / 3 / 24, "0.3333"),
        (25 / 24, "25"),
        (0.000011574, "0.0003"),  # one second
    ],
)
def test_times_are_read_to_the_second(co, serial, hours):
    """IMP-1: a time is a fraction of a day, which is never exactly a whole second."""
    result, made = io.BytesIO(), openpyxl.Workbook()
    made.active.append(["date", "resource", "project", "hours"])
    made.active.append([datetime.date(2025, 3, 31), "ANNA", "NO1-P1", serial])
    made.active["D2"].number_format = "[h]:mm"
    made.save(result)
    assert look(co, result.getvalue()).rows[0].quantity == Decimal(hours)


STYLES = f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>'
STYLED = (
    f'<Relationships xmlns="{TYPES}">'
    f'<Relationship Id="a" Type="{RELATED}/worksheet" Target="worksheets/one.xml"/>'
    f'<Relationship Id="b" Type="{RELATED}/styles" Target="styles.xml"/></Relationships>'
)


def one_row(date='<c t="inlineStr"><is><t>2025-03-31</t></is></c>', hours="<c><v>1</v></c>"):
    """A workbook with one row of time with these cells; style 1 is a date with a time."""
    row = date + cells("ANNA", "NO1-P1").removeprefix("<row>").removesuffix("</row>") + hours
    head = cells("date", "resource", "project", "hours")
    parts = {"xl/styles.xml": STYLES, "xl/_rels/workbook.xml.rels": STYLED}
    return packed(sheet_of(f"{head}<row>{row}</row>"), **parts)


@pytest.mark.parametrize(
    "number", ["1" * 5000, "9" * 41, "1_0", "٣", "1e5_0", "NaN", "Infinity", "0x10", "1,5"]
)
def test_texts_that_are_not_numbers_in_csv_are_not_numbers_in_a_workbook(co, number):
    """IMP-1: a number of 5,000 digits, and 1_0, which Python reads as ten."""
    said = errors(look(co, one_row(hours=f"<c><v>{number}</v></c>")))
    assert said == errors(look(co, f'date,resource,project,hours\n2025-03-31,ANNA,NO1-P1,"{number}"\n'))
    assert said or number == "1,5"


@pytest.mark.parametrize(
    ("number", "hours"), [("7.50", "7.5"), ("75E-1", "7.5"), (" 7.5 ", "7.5"), ("007", "7")]
)
def test_numbers_of_a_workbook_are_read_as_they_are_written(co, number, hours):
    """IMP-1"""
    assert look(co, one_row(hours=f"<c><v>{number}</v></c>")).rows[0].quantity == Decimal(hours)


@pytest.mark.parametrize(
    ("date", "sentence"),
    [
        (
            '<c t="d"><v>0001-01-01T00:00:00+14:00</v></c>',
            "“0001-01-01” is not a valid day in the time zone of the legal entity.",
        ),
        (
            '<c t="d"><v>9999-12-31T23:59:59-14:00</v></c>',
            "“9999-12-31 23:59:59-14:00” is not a valid day in the time zone of the legal entity.",
        ),
        (
            '<c s="1"><v>2958465.99</v></c>',
            "“9999-12-31 23:45:36” is not a valid day in the time zone of the legal entity.",
        ),
        (
            '<c s="1"><v>2958465.99999999</v></c>',
            "“2958465.99999999” is not a date. Format the column as dates.",
        ),
    ],
)
def test_a_moment_at_the_limit_of_the_calendar_is_an_error_of_its_row(co, date, sentence):
    """IMP-1: also if the day in the company's zone is before or after all years."""
    said = errors(look(co, one_row(date=date), Mapping(zone="America/New_York")))
    assert said == [f"row 2, date: {sentence}"]


def test_a_formula_without_a_value_names_its_cell(co):
    """IMP-1"""
    seen = look(
        co, book(["date", "resource", "project", "hours"], ["2025-03-31", "=A1", "NO1-P1", 45000], [45000])
    )

    assert errors(seen)[0] == (
        "row 2, resource: Cell B2 has a formula, but its value was not saved. Open the workbook in a "
        "spreadsheet program, save it, and choose it again."
    )
    assert "row 3, date: “45000” is not a date. Format the column as dates." in errors(seen)


def test_a_formula_without_a_value_is_never_left_out_as_empty(co):
    """IMP-1"""
    content = book(["date", "resource", "project", "hours"], ["2025-03-31", "ANNA", "NO1-P1", "=1+1"])
    assert len(look(co, content, Mapping(answers={"empty": "skip"})).errors) == 1


def test_a_date_without_a_time_has_no_zone(co):
    """IMP-1: a company west of Greenwich keeps the day; a time in the same cell is in UTC."""
    co.entity.time_zone = "America/New_York"
    moment = datetime.datetime(2025, 3, 31, 2)  # noqa: DTZ001 - 10 pm on the 30th there
    content = book(
        ["date", "resource", "project", "hours"],
        [datetime.date(2025, 3, 31), "ANNA", "NO1-P1", 1],
        [moment, "ANNA", "NO1-P1", 2],
    )
    seen = look(co, content, Mapping(zone="UTC"))
    assert [str(row.date) for row in seen.rows] == ["2025-03-31", "2025-03-30"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("yyyy-mm-dd", "date"),
        ("dd.mm.yy h:mm", "moment"),
        ("mmm", "date"),
        ("[h]:mm", "time"),
        ("[$-F400]h:mm:ss AM/PM", "time"),
        ("mm:ss.0", "time"),
        ("[mm]", "time"),
        ("General", ""),
        ("0.00", ""),
        ('0.00" days"', ""),
        ("0.0\\h", ""),
        ("[Red]-0.00;0", ""),
        ("#,##0.00_);[Red](#,##0.00)", ""),
        ("yyyy" + "-" * 251, "date"),
        ("yyyy" + "-" * 252, ""),  # longer than spreadsheet programs allow
    ],
)
def test_what_a_number_format_shows(code, kind):
    """IMP-1"""
    assert kind_of(code) == kind


@pytest.mark.parametrize("code", ["[$", "[>", '"', "[$[<[red", '\\\\"', "_[$"])
def test_no_number_format_takes_long(code):
    """IMP-1: neither a long format, nor one of the maximum length in each of the styles."""
    began = time.perf_counter()
    assert kind_of(code * 40_000) == ""
    styles = _Styles()
    styles.codes = {"200": (code * 255)[:254] + "y"}
    styles.ids = ["200"] * 99_000
    assert len(styles.kinds()) == 99_000
    _WORDS.sub("", code * 40_000)
    assert time.perf_counter() - began < 2


def test_all_kinds_of_cells():
    """IMP-1"""
    row = (
        '<row r="3"><c r="A3" t="s"><v>0</v></c><c r="C3"><v>7.50</v></c><c t="b"><v>1</v></c>'
        '<c r="E3" t="str"><f>A1</f><v></v></c><c r="F3"><f>A1</f></c><c t="d"><v>2025-03-31</v></c>'
        '<c t="e"><v>#N/A</v></c><c><v>12</v></c></row>'
    )
    texts = f'<sst xmlns="{MAIN}"><si><r><t>An</t></r><r><t>na</t></r><rPh><t>x</t></rPh></si></sst>'
    table = read_table(packed(sheet_of(cells("a", "b") + row), **{"xl/texts.xml": texts}))
    assert table.rows == [
        (
            3,
            [
                "Anna",
                None,
                7.5,
                True,
                None,
                Unsaved("F3"),
                datetime.date(2025, 3, 31),
                "#N/A",
                12,
            ],
        )
    ]


def test_a_hidden_sheet_is_not_the_first():
    made, content = openpyxl.Workbook(), io.BytesIO()
    made.active.append(["hidden"])
    made.create_sheet("Shown").append(["shown"])
    made["Shown"].append([1])
    made["Sheet"].sheet_state = "hidden"
    made.save(content)
    assert read_table(content.getvalue()).header == ["shown"]


# What is refused


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("content.xml", "FILE-IS-ODS"),
        ("xl/workbook.bin", "FILE-IS-XLSB"),
        ("word/document.xml", "FILE-IS-WORD"),
        ("Index/Document.iwa", "FILE-IS-NUMBERS"),
    ],
)
def test_other_archives_are_named(name, code):
    """IMP-1"""
    assert refusal(packed(sheet_of(""), **{name: "x"})) == (code, {})


def test_one_cell_of_many_megabytes_is_refused_at_once():
    """IMP-1: a cell of 450 MB would take 93 seconds and 1.5 GB."""
    piece = "x" * 1_000_000
    parts = [f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>']
    content = packed([*parts, *[piece] * 60, "</t></is></c></row></sheetData></worksheet>"])
    assert len(content) < 1_000_000
    started = time.monotonic()
    assert refusal(content) == ("WORKBOOK-LONG-CELL", {"cell": "A1", "most": 32_767})
    assert time.monotonic() - started < 20


def test_an_endless_shared_text_is_refused():
    """IMP-1"""
    texts = f'<sst xmlns="{MAIN}"><si><t>{"x" * 40_000}</t></si></sst>'
    content = packed(sheet_of(cells("a")), **{"xl/texts.xml": texts})
    assert refusal(content) == ("WORKBOOK-LONG-TEXT", {"most": 32_767})


def test_a_text_that_every_cell_repeats_is_refused(monkeypatch):
    """IMP-1: the archive is small, but its texts are large."""
    monkeypatch.setattr(workbook, "MOST_TEXT", 100_000)
    texts = f'<sst xmlns="{MAIN}"><si><t>{"x" * 30_000}</t></si></sst>'
    rows = "<row>" + '<c t="s"><v>0</v></c>' * 4 + "</row>"
    content = packed(sheet_of(rows), **{"xl/texts.xml": texts})
    with pytest.raises(workbook.Refusal, match="WORKBOOK-TOO-LARGE"):
        list(workbook.read(io.BytesIO(content)))


def test_an_endless_attribute_is_refused():
    """IMP-1: the parser would have to buffer it."""
    content = packed(sheet_of(f'<row r="{"1" * 5_000_000}"/>'))
    assert refusal(content) == TOO_LARGE


def test_the_stated_sizes_are_added_up_before_reading(monkeypatch):
    """IMP-1"""
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1000)
    with pytest.raises(workbook.Refusal, match="WORKBOOK-TOO-LARGE"):
        list(workbook.read(io.BytesIO(packed(sheet_of(""), **{"xl/media/a.png": "x" * 2000}))))


def test_unpacked_bytes_are_counted(monkeypatch):
    """IMP-1: regardless of the sizes that the archive states."""
    content = io.BytesIO(packed(sheet_of("<row/>" * 1000)))
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 5000)
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda self: [])
    monkeypatch.setattr(
        workbook._Workbook, "_related", lambda self, path, kind: {"a": "xl/worksheets/one.xml"}
    )
    with pytest.raises(workbook.Refusal, match="WORKBOOK-TOO-LARGE"):
        list(workbook.read(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_unpacks_without_a_limit_is_refused(method):
    """IMP-1"""
    assert refusal(packed(sheet_of(""), method=method)) == ("WORKBOOK-COMPRESSION", {})


def test_entities_are_refused():
    """IMP-1: ten nested entities can expand to gigabytes."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>' + sheet_of(cells("&l9;"))
    assert refusal(packed(text)) == ("WORKBOOK-ENTITIES", {})


def test_too_deep_too_wide_and_too_long(monkeypatch):
    """IMP-1"""
    assert refusal(packed("<a>" * 100_000)) == TOO_LARGE
    assert refusal(packed(sheet_of(cells(*range(300))))) == ("FILE-MANY-COLUMNS", {"most": 200})
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    with pytest.raises(workbook.Refusal, match="WORKBOOK-MANY-ROWS"):
        list(workbook.read(io.BytesIO(packed(sheet_of(cells("a") * 4)))))
    monkeypatch.setattr(workbook, "MOST_CELLS", 3)
    with pytest.raises(workbook.Refusal, match="WORKBOOK-TOO-LARGE"):
        list(workbook.read(io.BytesIO(packed(sheet_of(cells(*"abcd"))))))


def test_reading_that_takes_too_long_is_stopped(monkeypatch):
    """IMP-1"""
    monkeypatch.setattr(tables, "_MOST_SECONDS", 0.001)
    assert refusal(packed(sheet_of(cells("a")))) == ("WORKBOOK-TOO-SLOW", {})


def test_a_reader_that_crashes_is_a_refusal(monkeypatch):
    """IMP-1: such as when the system kills it for its use of memory."""
    run = subprocess.run
    killed = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    monkeypatch.setattr(subprocess, "run", lambda command, **options: run(killed, **options))
    assert refusal(packed(sheet_of(cells("a")))) == ("WORKBOOK-TOO-SLOW", {})


def test_the_reader_has_no_secrets_and_has_limits(monkeypatch):
    """IMP-1"""
    monkeypatch.setenv("SECRET_KEY", "not for the reader")
    seen = {}
    run = subprocess.run

    def spied(command, **options):
        seen.update(options["env"], timeout=options["timeout"])
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", spied)
    read_table(packed(sheet_of(cells("a") + cells("b"))))
    assert "SECRET_KEY" not in seen
    assert seen["timeout"] == 90
    script = (
        f"import sys; sys.argv = ['']; exec(open({workbook.__file__!r}).read().partition('if __name__')[0]); "
    )
    script += (
        "_bound(); import resource as r; print(r.getrlimit(r.RLIMIT_AS)[0], r.getrlimit(r.RLIMIT_CPU)[0])"
    )
    done = run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(1024**3), "60"]


def test_every_refusal_of_the_reader_has_its_values():
    """IMP-1: the reader imports none of our modules, so this test compares its codes with the table."""
    tree = ast.parse(Path(workbook.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [
        (node.args[0].value, {keyword.arg for keyword in node.keywords})
        for node in calls
        if ast.unparse(node.func) == "Refusal" and isinstance(node.args[0], ast.Constant)
    ]
    made += [(code, set()) for code in workbook._OTHER_ARCHIVES.values()]
    assert len(made) == 13
    for code, names in made:
        assert (code, names) == (code, placeholders(code))
