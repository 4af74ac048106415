"""The pages of a list, and how many rows it has.

A list that is short enough to be counted has numbered pages. A longer one is read from a place in the order
of its rows: a page begins after, or ends before, the row with these sort values and this key. So the last
page of a million rows costs as much as the first, if an index has the order.
"""

import datetime
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.lookups import GreaterThan, LessThan
from django.utils import timezone

_AFTER, _BEFORE, _LAST = "after:", "before:", "last"
_WIDEST = 30  # digits of a number in an address


def counted(rows, most) -> int:
    """The number of rows; if there are more than `most`, one more than that."""
    return rows.order_by().values("pk")[: most + 1].count()


@dataclass
class Turned:
    """One page: its records, and the values of `page` in the addresses of others; empty if there is none."""

    object_list: list
    first: str = ""
    previous: str = ""
    next: str = ""
    last: str = ""
    start: int | None = None  # the number of its first record, if it is known

    @property
    def end(self):
        """The number of its last record, if it is known."""
        return self.start and self.start + len(self.object_list) - 1


def is_place(page) -> bool:
    """Whether the text names a place in the order, not the number of a page."""
    return page == _LAST or page.startswith((_AFTER, _BEFORE))


def numbered(rows, page, size, count) -> Turned:
    """The page with that number of all `count` rows; the first if it is no number, at most the last."""
    paginator = Paginator(rows, size)
    paginator.count = count
    found = paginator.get_page(page)
    number, last = found.number, paginator.num_pages
    return Turned(
        list(found.object_list),
        first="1" if number > 1 else "",
        previous=str(number - 1) if number > 1 else "",
        next=str(number + 1) if number < last else "",
        last=str(last) if number < last else "",
        start=found.start_index(),
    )


def placed(rows, page, size, complete=()) -> Turned:
    """The page at that place in the order of the rows; the first if the text is no such place.

    In the columns of `complete` no row of the list misses a value, although it could.
    """
    order = Order(rows, complete)
    if page == _LAST:
        return _last(order, size)
    if page.startswith(_BEFORE) and (place := order.read(page.removeprefix(_BEFORE))):
        found = list(order.rows(before=place)[: size + 1])
        if len(found) > size:
            return _between(order, found[:size][::-1])
    if page.startswith(_AFTER) and (place := order.read(page.removeprefix(_AFTER))):
        found = list(order.rows(after=place)[: size + 1])
        if not found:
            return _last(order, size)
        return _between(order, found[:size], has_next=len(found) > size)
    found = list(order.rows()[: size + 1])
    if len(found) <= size:
        return Turned(found, start=1)
    records = found[:size]
    return Turned(records, next=_AFTER + order.place_of(records[-1]), last=_LAST, start=1)


def _between(order, records, *, has_next=True):
    return Turned(
        records,
        first="1",
        previous=_BEFORE + order.place_of(records[0]),
        next=_AFTER + order.place_of(records[-1]) if has_next else "",
        last=_LAST if has_next else "",
    )


def _last(order, size):
    records = list(order.rows(is_reversed=True)[:size])[::-1]
    return _between(order, records, has_next=False) if records else Turned([], start=1)


class Order:
    """The order of a queryset with its key as the last column, and the places in it.

    A missing value is larger than all others, on both databases, as in an index of PostgreSQL.
    """

    def __init__(self, rows, complete=()):
        names = list(rows.query.order_by or rows.model._meta.ordering)
        if not names or names[-1].lstrip("-") not in ("pk", "id"):
            names.append("-pk" if names and names[-1].startswith("-") else "pk")
        self.columns = [(name.lstrip("-"), name.startswith("-")) for name in names]
        far = {self._alias(name): F(name) for name, _ in self.columns if LOOKUP_SEP in name}
        self._rows, self._complete = rows.annotate(**far), {"pk", *complete}

    @staticmethod
    def _alias(name):
        """The attribute of a record with the value of a column."""
        return f"_at_{name.replace(LOOKUP_SEP, '_')}" if LOOKUP_SEP in name else name

    @cached_property
    def _fields(self):
        """The field of each column, which reads its value from a text."""
        query = self._rows.query.chain()
        return [F(name).resolve_expression(query).output_field for name, _ in self.columns]

    @cached_property
    def _nullable(self):
        model = self._rows.model
        return [name not in self._complete and _is_nullable(model, name) for name, _ in self.columns]

    def rows(self, *, after=None, before=None, is_reversed=False):
        """The rows in their order, after a place; or in the opposite order, before a place."""
        is_reversed = is_reversed or before is not None
        columns = [(name, is_down != is_reversed) for name, is_down in self.columns]
        rows, place = self._rows, before or after
        if place:
            rows = rows.filter(self._beyond(columns, place))
        return rows.order_by(*(self._by(*each) for each in zip(columns, self._nullable, strict=True)))

    @staticmethod
    def _by(column, is_nullable):
        name, is_down = column
        if not is_nullable:
            return f"-{name}" if is_down else name
        return F(name).desc(nulls_first=True) if is_down else F(name).asc(nulls_last=True)

    def _beyond(self, columns, place):
        downs = {is_down for _, is_down in columns}
        if len(downs) == 1 and not any(self._nullable):  # one comparison, for which an index can be used
            values = (Value(*each) for each in zip(place, self._fields, strict=True))
            lookup = LessThan if downs.pop() else GreaterThan
            return lookup(_Together(*(F(name) for name, _ in columns)), _Together(*values))
        (name, is_down), value = columns[0], place[0]
        found = self._strictly(name, is_down, value)
        same = Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
        beyond = found
        for (name, is_down), value in zip(columns[1:], place[1:], strict=True):
            beyond |= same & self._strictly(name, is_down, value)
            same &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
        return beyond

    @staticmethod
    def _strictly(name, is_down, value):
        """The condition that a column's value is beyond this one."""
        if value is None:
            return Q(**{f"{name}__isnull": False}) if is_down else Q(pk__in=[])
        if is_down:
            return Q(**{f"{name}__lt": value})
        return Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})

    def place_of(self, record) -> str:
        """The place of a record, as a text for an address."""
        values = [getattr(record, self._alias(name)) for name, _ in self.columns]
        return json.dumps([None if value is None else str(value) for value in values], separators=(",", ":"))

    def read(self, text):
        """The values of a place; None if the text is no place in this order."""
        try:
            texts = json.loads(text)
            if not isinstance(texts, list):
                return None
            return [_value(*each) for each in zip(texts, self._fields, strict=True)]
        except (ValueError, ValidationError, ArithmeticError, RecursionError):
            return None


def _value(text, field):
    """The value that a text from an address stands for; ValueError if the database could not read it."""
    if text is None:
        return None
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("No place has such a value.")
    text.encode()
    value = field.to_python(text)
    is_number = isinstance(value, int | Decimal)
    if is_number and not (Decimal(value).is_finite() and abs(Decimal(value).adjusted()) < _WIDEST):
        raise ValueError("No column has such a number.")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("No column has such a number.")
    if hasattr(value, "tzinfo"):
        if timezone.is_naive(value):
            raise ValueError("No place is without a time zone.")
        value = value.astimezone(datetime.UTC)  # OverflowError: outside the years 1 to 9999
    return value


def _is_nullable(model, name):
    for part in name.split(LOOKUP_SEP):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:  # an annotation
            return True
        if field.null or not field.concrete:
            return True
        model = field.related_model
    return False


class _Together(Func):
    """Several columns that are compared as one: the first that differs decides."""

    template = "(%(expressions)s)"
    output_field = BooleanField()
