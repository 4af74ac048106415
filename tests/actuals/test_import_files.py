"""Reading a file of any program as a table; files that are refused."""

import contextlib
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuals.importing import tables
from actuals.importing.tables import read_table
from actuals.importing.workbook import Refusal
from actuals.importing.workbook import read as workbook_cells
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason

KNOWN = ("date", "project", "hours", "description")


def read(content, **options):
    content = content.encode() if isinstance(content, str) else content
    return read_table(content, known=KNOWN, **options)


def refused(content, code, params=None, **options):
    with pytest.raises(Refused) as refusal:
        read(content, **options)
    assert refusal.value.code == code
    assert refusal.value.params == (params or {})


def workbook(*sheets):
    """Bytes of a workbook; a sheet is a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        page = book.create_sheet(f"Sheet {number}")
        for row in rows:
            page.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_found(separator):
    """IMP-1"""
    table = read(f"date{separator}hours\n2025-03-31{separator}8\n")

    assert table.header == ["date", "hours"]
    assert table.rows == [(2, ["2025-03-31", "8"])]


def test_known_headings_decide_over_separators_in_texts():
    """IMP-1"""
    table = read("date;hours;a, b, c, d and e\n2025-03-31;7,5;x\n")

    assert table.header == ["date", "hours", "a, b, c, d and e"]


def test_the_separator_line_of_excel_is_used():
    table = read("sep=;\r\ndate;hours\r\n2025-03-31;8\r\n")

    assert table.rows == [(3, ["2025-03-31", "8"])]


@pytest.mark.parametrize(
    ("encoding", "warns"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True), ("latin-1", True)],
)
def test_encodings(encoding, warns):
    """IMP-1"""
    table = read("date,description\n2025-03-31,Møte på Ås\n".encode(encoding))

    assert table.header == ["date", "description"]
    assert table.rows[0][1][1] == "Møte på Ås"
    assert table.warnings == ([Reason("FILE-READ-AS-WESTERN", byte=30)] if warns else [])


def test_bytes_that_are_invalid_in_windows_1252_are_latin_1():
    table = read(b"date,description\n2025-03-31,\x81\xe6\n")

    assert table.rows[0][1][1] == "\x81æ"
    assert len(table.warnings) == 1


def test_empty_rows_are_skipped_and_counted():
    table = read('\n\ndate,hours\n2025-03-31,8\n\n , \n2025-04-01,"7\n5"\n')

    assert table.rows == [(4, ["2025-03-31", "8"]), (7, ["2025-04-01", "7\n5"])]


def test_cells_keep_their_types_in_a_workbook():
    """IMP-1"""
    table = read(workbook([["Date", "Hours", None], ["2025-03-31", 7.5, None], [None, None], [None, 8]]))

    assert table.header == ["Date", "Hours"]
    assert table.rows == [(2, ["2025-03-31", 7.5]), (4, [None, 8])]
    assert table.is_workbook


def test_the_first_sheet_is_read_or_the_one_that_is_named():
    """IMP-1"""
    content = workbook([["a"], [1]], [["b"], [2]])

    assert read(content).header == ["a"]
    assert read(content).warnings == [Reason("WORKBOOK-ONE-SHEET-READ", sheet="Sheet 1", count=2)]
    assert read(content, sheet="sheet 2").header == ["b"]
    params = {"sheet": "Sheet 3", "sheets": ["Sheet 1", "Sheet 2"]}
    refused(content, "WORKBOOK-OTHER-SHEETS", params, sheet="Sheet 3")


def test_a_formula_has_its_saved_value():
    """IMP-1"""
    content = _edited(
        workbook([["date", "hours"], ["2025-03-31", "=3+4.5"]]),
        b"<v></v>",
        b"<v>7.5</v>",
        b"<v />",
        b"<v>7.5</v>",
    )

    assert read(content).rows == [(2, ["2025-03-31", 7.5])]


def test_wrong_dimensions_in_a_workbook_do_not_hide_rows():
    content = workbook([["date", "hours"], ["2025-03-31", 8]])
    content = _edited(content, b'ref="A1:B2"', b'ref="A1"')

    assert read(content).rows == [(2, ["2025-03-31", 8])]


def _edited(content, *pairs):
    """The workbook with bytes of its first sheet replaced; at least one of the pairs must be found."""
    result, changed = io.BytesIO(), False
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w") as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                for before, after in zip(pairs[::2], pairs[1::2], strict=True):
                    changed |= before in text
                    text = text.replace(before, after)
            new.writestr(part.filename, text)
    assert changed
    return result.getvalue()


def test_files_without_rows_are_refused():
    """IMP-1"""
    refused("", "FILE-EMPTY")
    refused("\n \n", "FILE-EMPTY")
    refused("date,hours\n\n", "FILE-NO-ROWS")
    refused(workbook([]), "FILE-EMPTY")


def test_files_that_are_too_large_are_refused(monkeypatch):
    """IMP-1"""
    refused(b"a\n" * (25 * 1024 * 1024 + 1), "FILE-TOO-LARGE", {"most": 50})
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    assert len(read("a\n1\n2\n3\n").rows) == 3
    refused("a\n1\n2\n3\n4\n", "FILE-MANY-ROWS", {"most": 3})
    refused(workbook([["a"], *[[n] for n in range(4)]]), "FILE-MANY-ROWS", {"most": 3})


def test_the_limits_are_those_in_the_documentation():
    """IMP-1"""
    assert (tables.MOST_BYTES, tables.MOST_ROWS) == (52_428_800, 200_000)


def test_a_workbook_with_a_row_far_below_is_refused_at_once():
    content = _edited(workbook([["a"], [1]]), b'<row r="2"', b'<row r="999999999999"', b'r="A2"', b"")

    refused(content, "WORKBOOK-MANY-ROWS", {"most": 200_000})


def test_too_many_columns_are_refused():
    refused(",".join(f"c{n}" for n in range(201)) + "\n1\n", "FILE-MANY-COLUMNS", {"most": 200})
    refused(workbook([[f"c{n}" for n in range(250)], [1]]), "FILE-MANY-COLUMNS", {"most": 200})


def test_an_unclosed_quote_is_an_error_and_not_one_long_cell():
    params = {"line": 3, "error": "unexpected end of data"}
    refused('date,hours\n"2025-03-31,8\n2025-04-01,8\n', "FILE-BAD-CSV", params)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "FILE-IS-XLS"),
        (b"<html><body><table><tr><td>Date</td></tr></table></body></html>", "FILE-IS-HTML"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<table>", "FILE-IS-HTML"),
        ("<meta charset=utf-16><table>".encode("utf-16"), "FILE-IS-HTML"),
        (b'<?xml version="1.0"?><office:document>', "FILE-IS-FODS"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "FILE-IS-XML",
        ),
        (b"%PDF-1.7", "FILE-IS-PDF"),
        (b"PK\x03\x04 and then nothing", "WORKBOOK-DAMAGED"),
        (b"\xff\xfea", "FILE-NOT-UTF-16"),
    ],
)
def test_a_file_that_is_not_a_table_is_refused(content, code):
    """IMP-1"""
    refused(content, code)


def test_a_cell_of_csv_that_is_too_long_is_refused():
    """IMP-1"""
    params = {"line": 2, "error": "field larger than field limit (131072)"}
    refused(b"a\n" + b"1" * 200_000, "FILE-BAD-CSV", params)


def test_a_zip_that_is_not_a_workbook_is_refused():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "hello")

    refused(content.getvalue(), "WORKBOOK-DAMAGED")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "junk.xlsx",
            b"this is no workbook at all",
            "The file is not an XLSX workbook, although its name says so",
        ),
        (
            "junk.csv",
            bytes(range(256)) * 8,
            "The file is neither CSV nor XLSX.",
        ),
        ("half.xlsx", b"PK\x03\x04half", "is damaged or incomplete. Open it in a spreadsheet program"),
    ],
)
def test_a_file_that_is_not_a_workbook_gets_a_plain_sentence(name, content, sentence):
    """IMP-1: the message has no name of a Python class, and does not say that the file has no rows."""
    with pytest.raises(Refused) as refusal:
        read_table(content, name=name)
    assert sentence in refusal.value.message
    assert "Error" not in refusal.value.message
    assert "BadZip" not in refusal.value.message


@given(
    st.one_of(
        st.binary(),
        st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary().map(lambda content: b"PK\x03\x04" + content),
        st.lists(st.lists(st.text(max_size=5), max_size=4), max_size=4).map(
            lambda rows: "\n".join(";".join(row) for row in rows).encode("utf-8", "replace")
        ),
    )
)
def test_any_bytes_are_a_table_or_refused(content):
    """IMP-1"""
    table = None
    with contextlib.suppress(Refused):
        table = read(content)
    if table:
        assert table.rows
        assert all(isinstance(heading, str) for heading in table.header)


_BOOK = workbook([["date", "project", "hours"], ["2025-03-31", "P1", 7.5]], [["other"], [1]])
_DAMAGE = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=20)


def damaged(content, damage):
    content = bytearray(content)
    for position, byte in damage:
        content[position % len(content)] = byte
    return bytes(content)


@given(_DAMAGE)
def test_any_damage_to_a_workbook_is_a_table_or_refused(damage):
    """IMP-1"""
    with contextlib.suppress(Refusal):
        list(workbook_cells(io.BytesIO(damaged(_BOOK, damage))))


@given(_DAMAGE, st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"]))
def test_any_damage_inside_a_workbook_is_a_table_or_refused(damage, name):
    """IMP-1: the archive is intact, but its content is damaged."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_BOOK)) as old, zipfile.ZipFile(result, "w") as new:
        for part in old.infolist():
            text = old.read(part)
            new.writestr(part.filename, damaged(text, damage) if part.filename == name else text)

    with contextlib.suppress(Refusal):
        list(workbook_cells(result))


def test_titles_above_the_header_are_skipped():
    """IMP-1: in CSV and in workbooks; the row with more known headings is the header."""
    lines = "Time report;;\nNovember 2026;;\n\nDate;Project;Hours\n2026-11-02;P-1;8\n"
    table = read(lines)
    assert (table.header, table.rows) == (["Date", "Project", "Hours"], [(5, ["2026-11-02", "P-1", "8"])])
    assert table.warnings == [Reason("FILE-HAS-TITLES", row="4")]


def test_a_value_that_is_also_a_heading_makes_no_header():
    """IMP-1"""
    table = read("Day,Who,What\n2026-11-02,ANNA,project\n2026-11-02,ANNA,hours\n")
    assert table.header == ["Day", "Who", "What"]


def test_an_endless_row_of_csv_is_refused():
    """IMP-1: fifty megabytes of commas are one row, and fifty million cells."""
    refused("date,hours\n" + "," * 5_000_000 + "\n", "FILE-LONG-ROW", {"most": 4_194_304})
    refused("date,hours\n" + ',"\n",' * 1_000_000, "FILE-LONG-ROW", {"most": 4_194_304})


def test_more_cells_than_an_import_can_use_are_refused(monkeypatch):
    """IMP-1"""
    monkeypatch.setattr(tables.workbook, "MOST_CELLS", 5)
    refused("a,b\n1,2\n3,4\n", "FILE-MANY-CELLS", {"most": 5})
