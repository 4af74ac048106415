"""Cells as texts, numbers, hours and dates; `Invalid` if a cell can't be read."""

import contextlib
import datetime
import re
from dataclasses import dataclass
from decimal import Decimal

from invoicing_site.floor import money
from invoicing_site.floor.errors import Refused

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_SPACES = re.compile(r"[\s\u00a0\u2007\u202f]+")
_APOSTROPHES = re.compile("['\u2019]")  # thousands separators in Switzerland
_GROUPED = re.compile(r"[0-9]{1,3}( [0-9]{3})+([.,][0-9]*)?")
_PLAIN = re.compile(r"[0-9]+|[0-9]*[.,][0-9]+|[0-9]+[.,]")
_THOUSANDS = {sign: re.compile(rf"[0-9]{{1,3}}([{sign}][0-9]{{3}})+") for sign in ".,"}
_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]{1,9})?))?")
_PERIOD = re.compile(
    r"P(?:0+Y)?(?:0+M)?(?:0+W)?(?:([0-9]{1,5})D)?"
    r"(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9}(?:[.,][0-9]{1,9})?)S)?(?:0+F)?)?"
)
_SPELLED = re.compile(r"([0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)\s*([^\W\d_]+)\.?(?:\s|,|\band\b|\bog\b|\bund\b)*")
_UNITS = {
    3600: "h hr hrs hour hours t time timer timmar std stunde stunden",
    60: "m min mins minute minutes minutt minutter minuter minuten",
    1: "s sec secs second seconds sekund sekunder sekunde sekunden",
}
_SECONDS = {word: seconds for seconds, words in _UNITS.items() for word in words.split()}
_DAYS = {"d", "day", "days", "dag", "dager", "tag", "tage", "w", "week", "weeks"}
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:([T ])[0-9:.,]*(?:Z|[+-][0-9:]+)?)?")
_A_SECOND, _HALF_A_SECOND = datetime.timedelta(seconds=1), datetime.timedelta(milliseconds=500)
_YES = {"yes", "y", "true", "1", "x", "ja", "oui"}
_NO = {"", "no", "n", "false", "0", "nei", "nej", "nein", "non"}
_WORDS = {"YYYY": "%Y", "MMM": "%b", "MM": "%m", "DD": "%d", "YY": "%y"}
_MOST_DIGITS = 40  # longer than any number that a column can store


class Invalid(Refused):
    """A cell can't be read."""


@dataclass(frozen=True)
class Unsaved:
    """A cell with a formula without a saved value."""

    name: str


def shortened(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis, because a cell can have a very long text."""
    return text if len(text) <= length else text[: length - 1] + "…"


def text_of(cell) -> str:
    """Any cell as one line of text; a number without unnecessary decimals."""
    if cell is None or isinstance(cell, Unsaved):
        return ""
    if isinstance(cell, str):
        return _SPACES.sub(" ", _CONTROL.sub(" ", cell)).strip()
    if isinstance(cell, float):
        return format(cell, ".15g")
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return str(cell)


def prose_of(cell) -> str:
    """A cell of free text: keeps line breaks, removes control characters."""
    if not isinstance(cell, str):
        return text_of(cell)
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", text).strip()


def number_of(cell, decimal: str = "") -> Decimal:
    """The number in a cell, exactly as it is written.

    `decimal` is the decimal separator. If it is empty, a single point is the separator, and a comma only if
    it can't be a thousands separator.
    """
    if isinstance(cell, bool | datetime.date | datetime.time | datetime.timedelta):
        raise Invalid("CELL-NOT-A-NUMBER", text=text_of(cell))
    if isinstance(cell, int):
        return Decimal(cell)
    text = text_of(cell)
    if isinstance(cell, float):
        # Spreadsheets calculate with fifteen digits and show 0.1 + 0.2 as 0.3.
        value = Decimal(text)
        if not value.is_finite():
            raise Invalid("CELL-NOT-A-NUMBER", text=text)
        return value
    sign = ""
    if text[:1] in {"-", "+", "\u2212"}:
        sign = "" if text[0] == "+" else "-"
        text = text[1:].lstrip()
    text = _APOSTROPHES.sub(" ", text)
    if len(text) <= _MOST_DIGITS and (plain := _plain(text, decimal)) is not None:
        return Decimal(sign + plain)
    raise Invalid("CELL-NOT-A-NUMBER", text=shortened(text_of(cell), 40))


def _plain(text, decimal) -> str | None:
    """The digits with a decimal point; None if the text is not a number."""
    if _GROUPED.fullmatch(text):
        text = text.replace(" ", "")
        if not decimal and "," in text:
            decimal = ","  # spaces separate the thousands, so the comma does not
    if decimal:
        other = "." if decimal == "," else ","
        whole, _, rest = text.partition(decimal)
        if _THOUSANDS[other].fullmatch(whole):
            whole = whole.replace(other, "")
        if other in whole or other in rest:
            return None
        text = f"{whole}.{rest}" if decimal in text else whole
        return text if _PLAIN.fullmatch(text) else None
    if "." in text and "," in text:
        last = max(".,", key=text.rfind)
        return _plain(text, last)
    if text.count(",") > 1 or text.count(".") > 1:
        sign = "," if "," in text else "."
        return text.replace(sign, "") if _THOUSANDS[sign].fullmatch(text) else None
    if "," in text and _THOUSANDS[","].fullmatch(text) and not text.startswith("0"):
        raise Invalid(
            "CELL-AMBIGUOUS", text=text, decimal=text.replace(",", "."), whole=text.replace(",", "")
        )
    return text.replace(",", ".") if _PLAIN.fullmatch(text) else None


def hours_of(cell, decimal: str = "", in_an_hour: int = 1) -> Decimal:
    """A duration in hours, not rounded: a time, 7:30, 7 h 30 min, PT7H30M, or a number.

    A number without a unit is divided by `in_an_hour`: 60 for a column of minutes.
    """
    if isinstance(cell, datetime.timedelta):
        # A spreadsheet stores a time as a fraction of a day, which is never exactly a whole second.
        return _hours(Decimal((cell + _HALF_A_SECOND) // _A_SECOND))
    if isinstance(cell, datetime.time):
        return _hours(Decimal(cell.hour * 3600 + cell.minute * 60 + cell.second))
    if isinstance(cell, str):
        text = text_of(cell)
        for pattern, read in ((_CLOCK, _of_a_clock), (_PERIOD, _of_a_period)):
            if match := pattern.fullmatch(text):
                if any(match.groups()):
                    return _hours(read(*match.groups()))
                break
        seconds = _spelled(text, decimal)
        if seconds is not None:
            return _hours(seconds)
    try:
        return number_of(cell, decimal) / in_an_hour
    except Invalid as invalid:
        if invalid.code == "CELL-AMBIGUOUS":
            raise
        raise Invalid("CELL-NOT-HOURS", text=shortened(text_of(cell), 40)) from None


def _of_a_clock(hours, minutes, seconds):
    return int(hours) * 3600 + int(minutes) * 60 + Decimal((seconds or "0").replace(",", "."))


def _of_a_period(days, hours, minutes, seconds):
    parts = zip((days, hours, minutes), (86400, 3600, 60), strict=True)
    return sum(int(part or 0) * size for part, size in parts) + Decimal((seconds or "0").replace(",", "."))


def _spelled(text, decimal) -> Decimal | None:
    """The seconds of “1 hour 30 minutes” or “90 min”; None for other texts."""
    total, position, last = Decimal(0), 0, None
    while match := _SPELLED.match(text, position):
        number, unit = match[1], match[2].casefold()
        if unit in _DAYS:
            raise Invalid("CELL-IN-DAYS", text=shortened(text, 40))
        size = _SECONDS.get(unit)
        value = number_of(number, decimal) if size else None
        if size is None or (last is not None and (size >= last or value * size >= last)):
            return None
        total, position, last = total + value * size, match.end(), size
    return total if position and position == len(text) else None


def _hours(seconds: Decimal) -> Decimal:
    return money.rounded_quantity(seconds / 3600)


def looks_like_a_part_of_a_day(hours: Decimal) -> bool:
    """Whether a number is not in whole minutes as hours, but is as a fraction of a day: 0.0625 is 1:30."""
    return 0 < hours < 1 and (hours * 60) % 1 != 0 and (hours * 24 * 60) % 1 == 0


def on_a_clock(hours: Decimal) -> str:
    """Hours as hours and minutes: “1:30” for 1.5."""
    minutes = int(hours * 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def yes_or_no(cell) -> bool:
    """The value of a column such as “Billable”; an empty cell means no."""
    text = text_of(cell).casefold()
    if text in _YES or text in _NO:
        return text in _YES
    raise Invalid("CELL-NOT-YES-OR-NO", text=shortened(text_of(cell), 40))


def date_of(cell, date_format: str = "", *, zone=None, home=None) -> datetime.date:
    """The day in a cell: a date of the spreadsheet, or text in the given `strptime` format, else ISO.

    A time with a zone, its own or `zone`, is converted to the day in the zone `home`.
    """
    text = text_of(cell)
    try:
        if isinstance(cell, datetime.datetime):
            return _day(cell, zone, home)
        if isinstance(cell, datetime.date):
            return cell
        if isinstance(cell, str) and date_format:
            moment = datetime.datetime.strptime(text, date_format)  # noqa: DTZ007 - it can have a zone
            return _day(moment, zone if "%H" in date_format or "%I" in date_format else None, home)
        if isinstance(cell, str) and (match := _ISO.fullmatch(text)):
            if match[2]:
                with contextlib.suppress(ValueError):
                    return _day(datetime.datetime.fromisoformat(text), zone, home)
            return datetime.date.fromisoformat(match[1])
    except (ValueError, OverflowError):  # at the limits of the calendar another zone is out of range
        pass
    if isinstance(cell, datetime.datetime):
        raise Invalid("CELL-OUTSIDE-CALENDAR", text=text)
    text = shortened(text, 40)
    if not isinstance(cell, str):
        raise Invalid("CELL-NOT-A-DATE", text=text)
    if date_format:
        raise Invalid("CELL-OTHER-DATE-FORMAT", text=text, format=in_words(date_format))
    raise Invalid("CELL-NOT-AN-ISO-DATE", text=text)


def _day(moment, zone, home):
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is None or home is None:
        return moment.date()
    return moment.astimezone(home).date()


def is_iso(cell) -> bool:
    """Whether a date can be read without a format."""
    return not isinstance(cell, str) or bool(_ISO.fullmatch(text_of(cell)))


def in_words(date_format: str) -> str:
    """A `strptime` format in words: “MM/DD/YYYY”."""
    for word, code in _WORDS.items():
        date_format = date_format.replace(code, word)
    return date_format


def date_format_of(text: str) -> str:
    """The `strptime` format of a text such as %d.%m.%Y or DD.MM.YYYY; ValueError if it has no day."""
    if "%" not in text:
        for word, code in _WORDS.items():
            text = re.sub(rf"(?<!%){word}", code, text)
    day = datetime.date(2001, 2, 3)
    try:
        has_day = datetime.datetime.strptime(day.strftime(text), text).date() == day  # noqa: DTZ007 - a day
    except (ValueError, KeyError, IndexError, re.error):
        has_day = False
    if not has_day:
        raise ValueError(text)
    return text
