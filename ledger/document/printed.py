"""The content of a printed invoice: the stored amounts in printed order. Pure.

The lines are those of the PDF and of every electronic form of the invoice (DOC-2). Totals and taxes are the
stored ones; only the lines of a summary and of a section are added up here.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from invoicing_site.floor import money

NON_CHARGEABLE, COMPLIMENTARY = "non_chargeable", "complimentary"
_SUMMARY = "summary"
_ONE = Decimal(1)
_ZERO = Decimal(0)


@dataclass(frozen=True)
class PrintedLine:
    """One line of the document. `hours` is the quantity of a summary with several prices."""

    number: int
    date: datetime.date | None
    title: str
    transaction_class: str
    notes: tuple[str, ...]
    quantity: Decimal
    unit: str
    price: Decimal
    net: Decimal
    tax_category: str
    tax_percent: Decimal | None
    is_complimentary: bool = False
    summed: tuple[tuple[Decimal, str], ...] = ()


@dataclass(frozen=True)
class PrintedSection:
    """Lines under one title, with their sum."""

    title: str
    is_summary: bool
    lines: list[PrintedLine]
    net: Decimal


@dataclass(frozen=True)
class PrintedTax:
    """The tax of one category and rate, in both currencies."""

    category: str
    percent: Decimal
    name: str
    legal_texts: tuple[str, ...]
    base: Decimal
    tax: Decimal
    accounting_base: Decimal
    accounting_tax: Decimal


@dataclass
class AnnexPart:
    """The hours of one project."""

    project: str
    lines: list = field(default_factory=list)
    hours: Decimal = _ZERO


def sections(lines: Iterable, currency: str) -> list[PrintedSection]:
    """The sections in order, each with its printed lines (PRP-3).

    Non-chargeable work is not printed; complimentary work is printed at no charge. In a summary, lines with
    the same name and tax are one printed line: with their quantity if all have the same unit and price and
    the product is exact, otherwise with quantity 1 and the sum as its price.
    """
    shown = sorted(
        (line for line in lines if line.billing_type != NON_CHARGEABLE),
        key=lambda line: (line.section, line.number),
    )
    several_projects = len({line.project for line in shown}) > 1
    found = []
    number = 0
    for _, group in groupby(shown, key=lambda line: line.section):
        group = list(group)
        is_summary = group[0].section_mode == _SUMMARY
        printed = []
        for part in _summed_up(group) if is_summary else ([line] for line in group):
            number += 1
            printed.append(
                _summary(number, part, currency) if is_summary else _detail(number, *part, several_projects)
            )
        found.append(
            PrintedSection(group[0].section_title, is_summary, printed, sum((p.net for p in printed), _ZERO))
        )
    return found


def _summed_up(lines):
    """The lines of one section by what they are summed up in, in order of first appearance."""
    groups = {}
    for line in lines:
        key = (
            line.summary or line.description,
            line.tax_category,
            line.tax_percent,
            line.billing_type == COMPLIMENTARY,
        )
        groups.setdefault(key, []).append(line)
    return groups.values()


def _summary(number, lines, currency) -> PrintedLine:
    first = lines[0]
    net = sum((line.net for line in lines), _ZERO)
    quantities = {}
    for line in lines:
        quantities[line.unit] = quantities.get(line.unit, _ZERO) + line.quantity
    quantity, unit, price, summed = _ONE, "", net, tuple((q, u) for u, q in quantities.items() if u)
    if len(quantities) == 1 and len({line.price for line in lines}) == 1:
        whole = quantities[first.unit]
        # Splits and roundings of single lines may differ a little from quantity × price.
        off = abs(money.priced(whole, first.price, currency) - net)
        if whole and (off <= 2 * money.minor_unit(currency) or _is_complimentary(first)):
            quantity, unit, price, summed = whole, first.unit, first.price, ()
    return PrintedLine(
        number=number,
        date=None,
        title=first.summary or first.description,
        transaction_class=first.transaction_class,
        notes=(),
        quantity=quantity,
        unit=unit,
        price=price,
        net=net,
        tax_category=first.tax_category,
        tax_percent=first.tax_percent,
        is_complimentary=_is_complimentary(first),
        summed=summed,
    )


def _detail(number, line, several_projects) -> PrintedLine:
    names = [line.task, line.role, line.category]
    if line.transaction_class != "time":
        names.reverse()
    title = next(filter(None, [line.description, *names]), "")
    notes = [line.resource, line.role, line.task]
    if several_projects:
        notes.append(line.project)
    return PrintedLine(
        number=number,
        date=line.date,
        title=title,
        transaction_class=line.transaction_class,
        notes=tuple(dict.fromkeys(note for note in notes if note and note != title)),
        quantity=line.quantity,
        unit=line.unit,
        price=line.price,
        net=line.net,
        tax_category=line.tax_category,
        tax_percent=line.tax_percent,
        is_complimentary=_is_complimentary(line),
    )


def _is_complimentary(line):
    return line.billing_type == COMPLIMENTARY


def taxes(rows: Iterable, lines: Iterable) -> list[PrintedTax]:
    """The tax table: one row for each category and rate, the highest first.

    If lines have several codes at once (their own rate is then empty), each code keeps a row, because their
    bases are the same money and must not be added up.
    """
    by_code = any(line.tax_percent is None and line.tax for line in lines)
    groups = {}
    for row in sorted(rows, key=lambda row: (-row.percent, row.category, row.code)):
        groups.setdefault((row.category, row.percent, row.code if by_code else ""), []).append(row)
    return [
        PrintedTax(
            category=category,
            percent=percent,
            name=group[0].name if by_code else "",
            legal_texts=tuple(dict.fromkeys(row.legal_text for row in group if row.legal_text)),
            **{
                name: sum((getattr(row, name) for row in group), _ZERO)
                for name in ("base", "tax", "accounting_base", "accounting_tax")
            },
        )
        for (category, percent, _), group in groups.items()
    ]


def annex(lines: Iterable) -> list[AnnexPart]:
    """The hours of the invoice by project, day and person, without non-chargeable ones."""
    parts = {}
    time = (
        line for line in lines if line.transaction_class == "time" and line.billing_type != NON_CHARGEABLE
    )
    for line in sorted(time, key=lambda line: (line.project, line.date, line.resource, line.number)):
        part = parts.setdefault(line.project, AnnexPart(line.project))
        part.lines.append(line)
        part.hours += line.quantity
    return list(parts.values())
