"""The cells of an XLSX workbook, read in a separate process: `python workbook.py SHEET <file >answer`.

A workbook is a ZIP archive of XML, and both can expand to a thousand times their size. So the sizes that the
file states are not trusted: everything is counted while it is unpacked, and reading stops with a refusal at
the limit. The process has limits on its time and memory, and its caller can stop it. It imports only the
standard library, so it starts fast and has no access to settings and passwords.

SHEET, which may be empty, and the answer are JSON. The answer has one value per line: first the names of the
sheets and which one was read; then each non-empty row, as [number, cells]; or the refusal, as {"refused":
{"code": …, "params": …}}. A cell is null, a text, a whole number, {"number": digits}, true or false, {"date":
ISO text} of a day or a moment, {"seconds": n} for a time, or {"formula": "D2"} if a formula has no saved
value.
"""

import contextlib
import datetime
import json
import posixpath
import re
import sys
import zipfile
from decimal import Decimal
from xml.parsers import expat

MOST_UNPACKED = 500 * 1024 * 1024  # bytes of all parts together, as stated in the archive and as unpacked
MOST_PARTS = 5_000
MOST_ROWS = 200_100  # more rows than are imported: titles, the header, totals
MOST_SHEET_ROWS = 1_048_576  # the limit of spreadsheet programs; a file may state more
MOST_COLUMNS = 200
MOST_CELLS = 5_000_000
MOST_IN_A_CELL = 32_767  # characters, as in a spreadsheet program
MOST_TEXT = 100_000_000  # characters of all cells together
_MOST_NAMED = 10  # sheets in a refusal
_MOST_STYLES = 100_000
_MOST_IN_A_FORMAT = 255  # characters of a number format, as in a spreadsheet program
_MOST_DEPTH = 50
_MOST_PIECE = 1024 * 1024  # bytes of one tag or one text that the parser has to buffer
_CHUNK = 64 * 1024
_SECONDS, _MEMORY = 60, 1024 * 1024 * 1024

_EPOCH = datetime.datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook has no time zones
_DAYS_TO_1904 = 1462
_LAST_DAY = 2_958_466  # 10000-01-01
_HALF = Decimal("0.5")
_DATES = {*range(14, 18), *range(27, 32), 36, *range(50, 59)}
_MOMENTS = {22}
_TIMES = {*range(18, 22), *range(32, 36), *range(45, 48)}
_WORDS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?:\$[^][]*|[A-Za-z]{3,}[0-9]*|[<>=][^][]*)\]')
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_MOST_IN_A_NUMBER = 40  # characters; longer cells, or others that are no numbers, are texts
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]*")
# The code of the refusal by part of the archive.
_OTHER_ARCHIVES = {
    "content.xml": "FILE-IS-ODS",
    "xl/workbook.bin": "FILE-IS-XLSB",
    "word/document.xml": "FILE-IS-WORD",
    "Index/Document.iwa": "FILE-IS-NUMBERS",
}


class Refusal(Exception):
    """The workbook can't be read: a code from the table of refusals, and the values of its sentence."""

    def __init__(self, code, **params):
        super().__init__(code, params)
        self.code, self.params = code, params

    def as_json(self):
        return {"refused": {"code": self.code, "params": self.params}}


def read(file, sheet=""):
    """Yield the names of the sheets, then the rows, as described above; Refusal if it can't be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield from _Workbook(archive).rows(sheet)
    except Refusal:
        raise
    except MemoryError:
        raise _too_large() from None
    except Exception as error:  # errors of the ZIP and XML parsers in a damaged file
        raise Refusal("WORKBOOK-DAMAGED") from error


class _Workbook:
    def __init__(self, archive):
        self.archive, self.unpacked = archive, 0
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise _too_large()
        self.names = {part.filename for part in parts}
        for name, code in _OTHER_ARCHIVES.items():
            if name in self.names:
                raise Refusal(code)

    def rows(self, wanted):
        book = self._main_part()
        found = _Sheets()
        self.parse(book, found)
        targets = self._related(book, "/worksheet")
        sheets = [(name, targets[key]) for name, key, _ in found.sheets if key in targets]
        if not sheets:
            raise Refusal("WORKBOOK-NO-SHEET")
        visible = [(name, targets[key]) for name, key, shown in found.sheets if shown and key in targets]
        name, part = self._chosen(sheets, wanted) if wanted else (visible or sheets)[0]
        yield {"sheets": [each for each, _ in sheets], "read": name}
        texts, styles = _Texts(), _Styles()
        for handler, kind in ((texts, "/sharedStrings"), (styles, "/styles")):
            for path in self._related(book, kind).values():
                self.parse(path, handler)
        page = _Page(texts.texts, styles.kinds(), _DAYS_TO_1904 if found.from_1904 else 0)
        for _ in self.pieces(part, page):
            yield from page.taken()
        yield from page.taken()

    def _chosen(self, sheets, wanted):
        for name, part in sheets:
            if " ".join(name.casefold().split()) == " ".join(wanted.casefold().split()):
                return name, part
        names = [name[:60] for name, _ in sheets[:_MOST_NAMED]]
        raise Refusal("WORKBOOK-OTHER-SHEETS", sheet=wanted[:60], sheets=names)

    def _main_part(self):
        for path in self._related("", "/officeDocument").values():
            return path
        return "xl/workbook.xml"

    def _related(self, path, kind):
        """The parts of a kind to which this part refers, by their reference keys."""
        folder, name = posixpath.split(path)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations not in self.names:
            return {}
        found = _Relations()
        self.parse(relations, found)
        return {
            key: posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            for key, type_, target in found.relations
            if type_.endswith(kind)
        }

    def parse(self, name, handler):
        for _ in self.pieces(name, handler):
            pass

    def pieces(self, name, handler):
        """Unpack a part in pieces and pass them to the handler, until the handler has enough."""
        info = self.archive.getinfo(name)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Other compression methods unpack without a limit.
            raise Refusal("WORKBOOK-COMPRESSION")
        parser, fed = _parser(handler), 0
        with self.archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                fed += len(chunk)
                self.unpacked += len(chunk)
                if self.unpacked > MOST_UNPACKED:
                    raise _too_large()
                try:
                    parser.Parse(chunk)
                except StopIteration:
                    return
                if fed - parser.CurrentByteIndex > _MOST_PIECE:
                    raise _too_large()
                yield
        with contextlib.suppress(StopIteration):
            parser.Parse(b"", True)


def _parser(handler):
    parser = expat.ParserCreate()
    depth = 0

    def start(name, attributes):
        nonlocal depth
        depth += 1
        if depth > _MOST_DEPTH:
            raise _too_large()
        handler.start(name.rpartition(":")[2], attributes)

    def end(name):
        nonlocal depth
        depth -= 1
        handler.end(name.rpartition(":")[2])

    def refuse(*_):
        raise Refusal("WORKBOOK-ENTITIES")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    return parser


def _too_large():
    return Refusal("WORKBOOK-TOO-LARGE")


def _too_many_rows():
    return Refusal("WORKBOOK-MANY-ROWS", most=200_000)


class _Handler:
    def start(self, name, attributes):
        pass

    def end(self, name):
        pass

    def text(self, data):
        pass


class _Relations(_Handler):
    def __init__(self):
        self.relations = []

    def start(self, name, attributes):
        if name == "Relationship":
            values = (attributes.get("Id", ""), attributes.get("Type", ""), attributes.get("Target", ""))
            self.relations.append(values)


class _Sheets(_Handler):
    def __init__(self):
        self.sheets, self.from_1904 = [], False

    def start(self, name, attributes):
        if name == "sheet":
            key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            shown = attributes.get("state", "visible") == "visible"
            self.sheets.append((attributes.get("name", ""), key, shown))
        elif name == "workbookPr":
            self.from_1904 = attributes.get("date1904") in ("1", "true")


class _Styles(_Handler):
    """Which cell styles are dates, and which are times."""

    def __init__(self):
        self.codes, self.ids, self.inside = {}, [], False

    def start(self, name, attributes):
        if name == "numFmt":
            self.codes[attributes.get("numFmtId")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            self.ids.append(attributes.get("numFmtId", "0"))
        if len(self.codes) + len(self.ids) > _MOST_STYLES:
            raise _too_large()

    def end(self, name):
        if name == "cellXfs":
            self.inside = False

    def kinds(self):
        kinds = {key: self._kind(key) for key in set(self.ids)}
        return [kinds[key] for key in self.ids]

    def _kind(self, key):
        if key in self.codes:
            return kind_of(self.codes[key])
        number = int(key) if key.isascii() and key.isdigit() else 0
        kinds = (("date", _DATES), ("moment", _MOMENTS), ("time", _TIMES))
        return next((kind for kind, numbers in kinds if number in numbers), "")


def kind_of(code):
    """What a number format such as “[h]:mm” shows: “date”, “moment” (with a time), “time” or nothing.

    A format longer than spreadsheet programs allow is ignored.
    """
    if len(code) > _MOST_IN_A_FORMAT:
        return ""
    signs = _WORDS.sub("", code.partition(";")[0]).casefold()
    if "general" in signs:
        return ""
    if "y" in signs or "d" in signs:
        return "moment" if "h" in signs else "date"
    if "h" in signs or "s" in signs:
        return "time"
    return "time" if "[m" in signs else "date" if "m" in signs else ""


class _Texts(_Handler):
    """The table of texts to which cells refer."""

    def __init__(self):
        self.texts, self.size = [], 0
        self._parts, self._length, self._takes, self._phonetic = [], 0, False, False

    def start(self, name, attributes):
        if name == "si":
            self._parts, self._length = [], 0
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._takes = not self._phonetic

    def end(self, name):
        if name == "si":
            self.texts.append("".join(self._parts))
            if len(self.texts) > MOST_CELLS:
                raise _too_large()
        elif name == "rPh":
            self._phonetic = False
        elif name == "t":
            self._takes = False

    def text(self, data):
        if self._takes:
            self._length += len(data)
            self.size += len(data)
            if self._length > MOST_IN_A_CELL:
                raise Refusal("WORKBOOK-LONG-TEXT", most=MOST_IN_A_CELL)
            if self.size > MOST_TEXT:
                raise _too_large()
            self._parts.append(data)


class _Page(_Handler):
    """The rows of one sheet."""

    def __init__(self, texts, kinds, days):
        self._texts, self._kinds, self._days = texts, kinds, days
        self._rows, self._row, self._last, self._column = [], {}, 0, -1
        self._cell = self._formula = self._takes = self._phonetic = False
        self._parts, self._length = [], 0
        self._kept = self._cells = self._size = self._seen = 0

    def taken(self):
        rows, self._rows = self._rows, []
        return rows

    def start(self, name, attributes):
        if name == "c":
            self._begin_cell(attributes)
        elif name == "row":
            self._begin_row(attributes)
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True
        elif name in ("v", "t"):
            self._takes = self._cell and not self._phonetic

    def end(self, name):
        if name in ("v", "t"):
            self._takes = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._end_row()
        elif name == "rPh":
            self._phonetic = False
        elif name == "sheetData":
            raise StopIteration

    def text(self, data):
        if self._takes:
            self._length += len(data)
            if self._length > MOST_IN_A_CELL:
                raise Refusal("WORKBOOK-LONG-CELL", cell=self._name(), most=MOST_IN_A_CELL)
            self._parts.append(data)

    def _begin_row(self, attributes):
        number = attributes.get("r", "")
        given = int(number) if number.isascii() and number.isdigit() and len(number) < 20 else 0
        self._last = max(given, self._last + 1)
        if self._last > MOST_SHEET_ROWS:
            raise _too_many_rows()
        self._row, self._column = {}, -1

    def _begin_cell(self, attributes):
        match = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = _index(match[1]) if match else self._column + 1
        self._seen += 1
        if self._seen > 4 * MOST_CELLS:
            raise _too_large()
        self._cell, self._formula = True, False
        self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._parts, self._length = [], 0

    def _end_cell(self):
        self._cell = False
        value = self._value("".join(self._parts))
        if value is None or self._column > MOST_COLUMNS:
            return
        self._row[self._column] = value
        self._cells += 1
        self._size += len(value) if isinstance(value, str) else 0
        if self._cells > MOST_CELLS or self._size > MOST_TEXT:
            raise _too_large()

    def _end_row(self):
        if not self._row:
            return
        self._kept += 1
        if self._kept > MOST_ROWS:
            raise _too_many_rows()
        row = [self._row.get(index) for index in range(max(self._row) + 1)]
        self._rows.append([self._last, row])
        self._row = {}

    def _name(self):
        return f"{_letters(max(self._column, 0))}{self._last}"

    def _value(self, text):
        kind = self._type
        if kind == "s":
            return self._texts[int(text)] or None if text else None
        if kind in ("inlineStr", "str", "e"):
            return text or None
        if not text.strip():
            return {"formula": self._name()} if self._formula else None
        if kind == "b":
            return text.strip() == "1"
        if kind == "d":
            moment = datetime.datetime.fromisoformat(text.strip())
            return {"date": (moment if "T" in text else moment.date()).isoformat()}
        return self._number(text.strip())

    def _number(self, text):
        if len(text) > _MOST_IN_A_NUMBER or not _NUMBER.fullmatch(text):
            return text
        number = int(text) if _WHOLE.fullmatch(text) else Decimal(text)
        kind = self._kinds[int(self._style)] if self._style else ""
        if kind and abs(number) < _LAST_DAY:
            seconds = _rounded(number * 86400)
            if kind == "time":
                return {"seconds": seconds}
            if 0 <= seconds + self._days * 86400 < _LAST_DAY * 86400:
                moment = _EPOCH + datetime.timedelta(days=self._days, seconds=seconds)
                return {"date": (moment.date() if kind == "date" else moment).isoformat()}
        return number if isinstance(number, int) else {"number": str(number)}


def _rounded(seconds):
    """Whole seconds, because a time as a fraction of a day is never exact."""
    return int(seconds + _HALF if seconds >= 0 else seconds - _HALF)


def _index(letters):
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _letters(index):
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(65 + rest) + text
    return text


def _bound():
    """Limit memory and time if the system supports it; the caller has a timeout too."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not available on every system

        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def main(sheet):
    _bound()
    out = sys.stdout
    try:
        for value in read(sys.stdin.buffer, sheet):
            out.write(json.dumps(value) + "\n")
    except Refusal as refusal:
        out.write(json.dumps(refusal.as_json()) + "\n")
    except MemoryError:
        out.write(json.dumps(_too_large().as_json()) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
