"""Bar charts as SVG, each with its numbers in a table for screen readers."""

from decimal import Decimal
from itertools import count
from typing import NamedTuple

from django import template

from invoicing_site.floor import formatting

register = template.Library()

# The size in SVG units: as wide as a phone's screen, so that labels stay readable there.
_WIDTH, _HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 4, 12, 24
_LETTER = 7  # the width of a wide letter, which is also the space between two labels


class Bar(NamedTuple):
    css: str
    x: float
    y: float
    width: float
    height: float


class Line(NamedTuple):
    y: float
    label: str


@register.inclusion_tag("partials/chart.html", takes_context=True)
def bars(context, labels, first, second=None, title="", first_name="", second_name="", currency=""):
    """A bar for each label, or two side by side; negative numbers are below zero. Numbers are exact decimals.

    The first word of the label is below the bar, the whole label in the table. If the words would overlap,
    only every second or third bar has one.
    """
    labels, first, second = list(labels), list(first), list(second or ())
    numbers = context.render_context.setdefault("chart_numbers", count(1))
    lines, place = _scale([*first, *second])
    step = Decimal(_WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
    series = [("bar", first), ("bar2", second)] if second else [("bar", first)]
    width = min(step * Decimal("0.7") / len(series), Decimal(36))
    found = []
    for number, values in enumerate(zip(*(row for _, row in series), strict=True)):
        start = _LEFT + step * number + (step - width * len(series)) / 2
        for side, (css, value) in enumerate(zip((css for css, _ in series), values, strict=True)):
            top, foot = sorted((place(value), place(0)))
            found.append(Bar(css, *map(_short, (start + width * side, top, width - 1, foot - top))))
    words = [str(label).partition(" ")[0] for label in labels]
    longest = (max(map(len, words), default=0) + 1) * _LETTER
    every = max(1, -(-longest // max(int(step), 1)))
    names = [name for name, _ in ((first_name, first), (second_name, second)) if name]
    return {
        "id": f"chart-{next(numbers)}",
        "title": title,
        "currency": currency,
        "bars": found,
        "lines": lines,
        "zero": _short(place(0)),
        "words": [
            (_short(_LEFT + step * (n + Decimal("0.5"))), word)
            for n, word in enumerate(words)
            if not n % every
        ],
        "names": names,
        "rows": [
            (label, [formatting.amount(row[n], currency) for _, row in series])
            for n, label in enumerate(labels)
        ],
        "view": f"0 0 {_WIDTH} {_HEIGHT}",
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "foot": _HEIGHT - 6,
    }


def _scale(values):
    """The lines of the scale, and a function from a value to its vertical position."""
    highest, lowest = max([Decimal(0), *values]), min([Decimal(0), *values])
    step = _step(highest - lowest)
    bottom, top = lowest // step, highest // step
    bottom -= 1 if bottom * step > lowest else 0
    top += 1 if top * step < highest or top == bottom else 0
    room = (_HEIGHT - _TOP - _BOTTOM) / ((top - bottom) * step)

    def place(value):
        return _TOP + (top * step - value) * room

    return [
        Line(_short(place(n * step)), formatting.short(n * step)) for n in range(int(bottom), int(top) + 1)
    ], place


def _step(span):
    """The step of the scale: 1, 2 or 5 times a power of ten, so that there are four or five lines."""
    if not span:
        return Decimal(1)
    rough = Decimal(span) / 4
    size = Decimal(1).scaleb(rough.adjusted())
    return next(size * n for n in (1, 2, 5, 10) if size * n >= rough)


def _short(value):
    """A length for SVG: one decimal with a decimal point in all languages."""
    return f"{value:.1f}"
