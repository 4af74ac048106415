"""Template tags and filters for amounts, quantities, dates and statuses."""

import json
from decimal import Decimal

from django import template
from django.db import models
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.text import capfirst

from invoicing_site.floor import formatting, wording
from invoicing_site.screens.remedies import remedy_url, words_of

register = template.Library()

# Shape and color of a status by its stored value.
TONES = {
    "draft": "draft",
    "not_ready": "open",
    "not_started": "open",
    "not_run": "open",
    "scheduled": "open",
    "queued": "open",
    "submitted": "review",
    "review": "review",
    "waiting": "review",
    "recall": "review",
    "processing": "review",
    "running": "review",
    "in_progress": "review",
    "hold": "review",
    "not_evaluated": "review",
    "created": "review",
    "ready": "ready",
    "approved": "ready",
    "open": "ready",
    "succeeded": "ready",
    "complete": "ready",
    "completed": "ready",
    "finished": "ready",
    "committed": "ready",
    "chargeable": "ready",
    "sent": "ready",
    "confirmed": "done",
    "posted": "done",
    "closed": "done",
    "rejected": "hold",
    "failed": "hold",
    "stopped": "hold",
    "error": "hold",
    "canceled": "draft",
    "na": "draft",
    "nothing": "draft",
    "non_chargeable": "draft",
    "complimentary": "draft",
}


@register.simple_tag(takes_context=True)
def remedy(context, where):
    """A link to the page where the cause of a refusal can be fixed, if the reader may open it (MON-8)."""
    url = remedy_url(where or "", context["request"])
    return format_html(' <a href="{}">{}</a>', url, words_of(url)) if url else ""


@register.simple_tag
def status(row, field="status"):
    """The status of a row as a chip."""
    field = str(field).replace(".", "__")
    *path, name = field.split("__")
    for step in path:
        row = getattr(row, step)
    value = getattr(row, name)
    words = getattr(row, f"get_{name}_display", lambda: value)()
    return chip(words, TONES.get(value, "open")) if value else ""


@register.simple_tag
def chip(words, tone="open"):
    """A short status text; its shape and color have the same meaning."""
    return format_html('<span class="chip {}">{}</span>', tone, capfirst(str(words)))


@register.simple_tag
def amount(value, currency="", url="", css=""):
    """An amount after its currency in small print; a link if it has an explanation."""
    if value is None or value == "":
        return mark_safe('<span class="muted">–</span>')
    code = format_html('<span class="cur">{}</span>', currency) if currency else ""
    text = formatting.amount(Decimal(value), currency)
    body = format_html("{}{}", code, text)
    if url:
        return format_html('<a class="money {}" href="{}" title="Explain this amount">{}</a>', css, url, body)
    return format_html('<span class="money {}">{}</span>', css, body)


@register.simple_tag
def quantity(value, unit=""):
    """A quantity with its unit: 7.5 h."""
    if value is None or value == "":
        return mark_safe('<span class="muted">–</span>')
    return format_html('<span class="nowrap">{} {}</span>', formatting.quantity(value), unit or "")


@register.filter
def hours(value):
    """7.5 h"""
    return quantity(value, "h")


@register.filter
def price(value, currency=""):
    """The price per unit: at least the decimals of its currency, and more only if it has them."""
    return "–" if value is None or value == "" else formatting.amount(Decimal(value), currency)


@register.filter
def rate(value):
    """An exchange rate with at least two decimals."""
    return "–" if value is None or value == "" else formatting.number(value, 2)


@register.filter
def margin(value):
    """80.0 %, of a number out of a hundred."""
    return "–" if value is None else formatting.margin(value)


@register.filter
def percent(value):
    """A percentage: 40 %."""
    return "–" if value is None else formatting.percent(value)


@register.filter
def day(value):
    """20 Nov 2026; with the time if there is one."""
    if not value:
        return "–"
    return formatting.moment(value) if hasattr(value, "hour") else formatting.day(value)


@register.filter
def time(value):
    """14:05, in the time zone of the reader."""
    return formatting.time(timezone.localtime(value)) if value else "–"


@register.filter
def stamp(value):
    """20 Nov 2026 14:05:09."""
    return formatting.stamp(value) if value else "–"


@register.filter
def iso(value):
    """2026-11-20, for addresses and date fields; a text as it was typed."""
    return value.isoformat() if hasattr(value, "isoformat") else value or ""


@register.filter
def weekday(value):
    """Fri 20."""
    return formatting.weekday(value)


@register.filter
def long_day(value):
    """Friday 20 November."""
    return formatting.long_day(value)


@register.filter
def money(value, currency):
    """NOK 1,234.50, in a sentence."""
    return formatting.currency_first(Decimal(value), currency)


@register.filter
def figure(value):
    """A quantity without its unit: 7.5."""
    return formatting.quantity(value)


@register.filter
def count(n):
    """A count, such as 12,000."""
    return formatting.count(n or 0)


@register.filter
def country(code):
    """The country's name, for an address."""
    return wording.country(code)


@register.filter
def span(first, last):
    """A range of dates in words; either end may be open."""
    return formatting.span(first, last)


@register.filter
def share(part, whole):
    """The part in whole percent of the whole; 0 and 100 only for none and for all of it."""
    whole = Decimal(whole or 0)
    if not whole:
        return 0
    exact = max(Decimal(0), min(Decimal(100), Decimal(part or 0) * 100 / whole))
    return int(exact) if exact in (0, 100) else max(1, min(99, int(exact + Decimal("0.5"))))


@register.filter
def undo_url(tags):
    """The address that undoes an action, if its message has one."""
    return next((tag.removeprefix("undo:") for tag in (tags or "").split() if tag.startswith("undo:")), "")


@register.filter
def open_totals(sums):
    """Count and exact total per currency, for the script that adds up a selection."""
    return {each["currency"]: [str(each["n"]), str(each["sum"])] for each in sums}


@register.filter
def label_of(value):
    """A label with a capital letter."""
    text = value.verbose_name if isinstance(value, models.Field) else str(value)
    return capfirst(text)


@register.filter
def get(mapping, key):
    """An item of a dictionary by a variable key."""
    return mapping.get(key)


@register.simple_tag
def row_label(table, record):
    """The label of a row's check box."""
    return table.label(record)


@register.simple_tag
def cannot_select(table, record, is_everything=False):
    """The attributes of a check box: disabled if the row has no possible actions.

    If everything is selected, a script enables the others; without it no row can be left out.
    """
    if not table.can_select(record):
        return " disabled"
    return mark_safe(" checked disabled data-everything") if is_everything else ""


@register.filter
def as_json(value, attribute):
    """Data for a script, in a script element with the attribute; escaped."""
    text = json.dumps(value).translate({ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"})
    return format_html('<script type="application/json" {}>{}</script>', attribute, mark_safe(text))
