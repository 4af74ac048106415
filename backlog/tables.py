"""Tables of the backlog."""

from decimal import Decimal

import django_tables2 as tables
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.text import capfirst

from actuals.models import BillingType
from actuals.naming import in_words, title_of
from backlog import obstacles
from backlog.current_actuals import invoice_of, items_of, proformas_of, sales_of
from backlog.models import BacklogItem
from invoicing_site.floor import formatting, money, moves
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.screens.tables import (
    AmountColumn,
    AmountsColumn,
    Column,
    DayColumn,
    MainColumn,
    PriceColumn,
    QuantityColumn,
    StatusColumn,
    Table,
    TextColumn,
    amount_in_words,
    cells,
    in_minor_units,
    plain_number,
)
from invoicing_site.templatetags.ledgerline import (
    chip,
    day,
    percent,
    price,
    status,
)


def _what(item):
    actual = item.actual
    parts = [actual.get_transaction_class_display().capitalize()]
    parts += [each.name for each in (actual.resource, actual.role) if each]
    if actual.billing_type != BillingType.CHARGEABLE:
        parts.append(actual.get_billing_type_display().capitalize())
    problem = _problem(item)
    text = " · ".join(parts)
    return format_html('{} · <span class="warn">{}</span>', text, problem) if problem else text


def _kept_by(item):
    """The obstacles that prevent an open item from being ready today, in the order of the table."""
    if item.status not in obstacles.OPEN:
        return []
    return obstacles.of(item, obstacles.Step.MARK, on=item.contract.entity.today())


def _problem(item):
    """A short reason why it can't be billed now, if its chip does not show it."""
    found = _kept_by(item)
    said = [capfirst(each.chip) for each in found[1:] if each.code != "ON-HOLD"]
    if any(each.code == "ON-HOLD" for each in found):
        said.append(f"On hold: {item.hold_reason}")
    return ", ".join(said)


def _state(item):
    """One chip for the state of an item: what blocks it, otherwise its status."""
    kept_by = next(iter(_kept_by(item)), None)
    if kept_by is None:
        return status(item)
    shown = chip(capfirst(kept_by.chip), "review" if kept_by.code == "NOT-EVALUATED" else "hold")
    if kept_by.code == "OVER-LIMIT":
        return _chips([shown], _over(item))
    if kept_by.code == "ON-HOLD":
        return format_html('{}<div class="sub">until {}</div>', shown, day(item.hold_until))
    return shown


def _over(item):
    """The exceeded limit and the amount over it; continues the text of the chip."""
    by = formatting.amount(item.limit_over, item.currency)
    return f"of the {item.get_limit_level_display()}, by {by}"


def explain_item(item):
    return reverse("explain", args=["actual", item.actual_id])


def item_in_words(item):
    """A unique description of the item: its work, person, customer and amount."""
    amount = amount_in_words(item.amount, item.currency)
    customer = f"{item.contract.code} {item.contract_customer.customer.name}"
    actual = item.actual
    if actual is None:
        return ", ".join((item.title, customer, day(item.date), amount))
    return in_words(actual, actual.resource, customer, amount, description=item.description)


def _quantity(item):
    return format_html("{} {}", formatting.quantity(item.actual.quantity), item.actual.unit)


class BacklogTable(Table):
    description = MainColumn(
        verbose_name="Item", accessor="title", order_by="description", url=explain_item, sub=_what
    )
    project = TextColumn(
        accessor="actual__project__code",
        verbose_name="Project",
        sub="contract_customer__customer__name",
        also={"Customer": "contract_customer__customer__name"},
    )
    contract = TextColumn(accessor="contract__code", verbose_name="Contract", attrs=cells("c-wide"))
    date = DayColumn()
    quantity = QuantityColumn(
        accessor="actual__quantity",
        unit="actual__unit",
        verbose_name="Quantity × price",
        heading="Quantity",
        also={"Price": lambda item: plain_number(item.actual.price)},
    )
    amount = AmountColumn(
        explain=explain_item,
        also={"Charged": lambda item: in_minor_units(item.counted, item.currency)},
    )
    status = StatusColumn()

    selectable = True
    indexed = ("date",)
    row_amount = "counted"

    def render_quantity(self, record):
        return format_html(
            '<div>{}</div><div class="sub">× {}</div>', _quantity(record), price(record.actual.price)
        )

    def value_quantity(self, value):
        return plain_number(value)

    def render_status(self, record):
        return _state(record)

    def value_status(self, record):
        return record.get_status_display()

    def label(self, record):
        return item_in_words(record)


def _entry_what(entry):
    parts = [entry.get_transaction_class_display().capitalize()]
    parts += [each.name for each in (entry.category, entry.product) if each]
    if entry.receipt_id:
        parts.append("Receipt")
    return " · ".join(dict.fromkeys(parts))


class EntryTable(Table):
    """The table of entries for their approver."""

    description = MainColumn(
        verbose_name="Entry",
        empty_values=(),
        url=lambda entry: reverse("approval", args=[entry.pk]),
        sub=_entry_what,
    )
    resource = TextColumn(
        accessor="resource__name",
        order_by="resource__name",
        verbose_name="Person",
        sub="priced_role__name",
        also={"Role": "priced_role__name"},
    )
    project = TextColumn(
        accessor="project__code", verbose_name="Project", sub="task__name", also={"Task": "task__name"}
    )
    date = DayColumn()
    quantity = QuantityColumn()

    selectable = True

    def __init__(self, *args, find, **kwargs):
        super().__init__(*args, **kwargs)
        self.find = find  # additional data of entries, by key
        self.found = {}

    def load(self, records):
        self.found = self.find(records)

    def render_description(self, record, column):
        return column.render(title_of(record), record)

    def value_description(self, record):
        return title_of(record)

    def label(self, record):
        return in_words(record, record.resource, self.worth(record))

    def worth(self, record):
        """The entry's sales in words."""
        raise NotImplementedError


def outcome(preview):
    """Chips and a short text with the result of approving an entry."""
    if preview is None:
        return ""
    if preview.refused:
        return _chips([chip("Can't be approved", "hold")], preview.refused)
    if not preview.sales:
        if preview.outside:
            return _chips([chip("Cost only", "review")], "Outside the dates of its contract line")
        if preview.elsewhere:
            return _chips([chip("Cost only", "draft")], "Imported as already invoiced")
        words = "Fixed price" if preview.is_fixed_price else "No contract line: cost only"
        return _chips([chip("Cost only", "draft")], words)
    if preview.over:
        worst = max(preview.over, key=lambda item: item.limit_over)
        return _chips([chip("Over the limit", "hold")], _over(worst))
    if preview.has_no_price:
        return _chips([chip("No price", "review")], "Its amount is 0, and it can't be billed without a price")
    if preview.warnings:
        return _chips([chip("Check first", "review")], preview.warnings[0])
    chips = [
        chip(BillingType(each).label, "open" if each == "chargeable" else "draft")
        for each in preview.billing_types
    ]
    if preview.approval_warnings:
        return _chips([chip("Check first", "review")], preview.approval_warnings[0])
    if preview.crowded:
        return _chips([chip("Limit is tight", "review")], "Over the limit together with the entries above")
    return _chips(chips, "Within the limit" if preview.is_limited else "")


def _chips(chips, words):
    shown = format_html_join("", "<div>{}</div>", ((each,) for each in chips))
    return format_html('{}<div class="sub">{}</div>', shown, words) if words else shown


_NOTHING = mark_safe('<span class="muted">–</span>')


class FoundColumn(AmountColumn):
    """An amount in the preview of an entry."""

    def __init__(self, name, css):
        super().__init__(empty_values=(), orderable=False, currency="preview", attrs=cells(css, "num"))
        self.figure = name

    def currency_of(self, record, table):
        found = table.found.get(record.pk)
        return found and found.currency

    def render(self, record, table):
        return super().render(self._figure(record, table), record, table)

    def value(self, record, table):
        return super().value(self._figure(record, table), record, table)

    def _figure(self, record, table):
        return getattr(table.found.get(record.pk), self.figure, None)


class ApprovalTable(EntryTable):
    indexed = ("date",)
    price = PriceColumn(empty_values=(), orderable=False)
    amount = FoundColumn("amount", "num amount")
    margin = FoundColumn("margin", "num c-wide")
    outcome = tables.Column(
        empty_values=(), orderable=False, verbose_name="If approved now", attrs=cells("c-status", "")
    )

    def worth(self, record):
        found = self.found.get(record.pk)
        return amount_in_words(found.amount, found.currency) if found else ""

    def _price(self, record):
        return getattr(self.found.get(record.pk), "price", None)

    def render_price(self, record):
        found = self._price(record)
        return _NOTHING if found is None else price(found, self.found[record.pk].currency)

    def value_price(self, record):
        return plain_number(self._price(record))

    def render_outcome(self, record):
        return outcome(self.found.get(record.pk))

    def value_outcome(self, record):
        found = self.found.get(record.pk)
        if not found:
            return ""
        return str(found.refused or "") or (
            "over the limit" if found.over else " ".join(found.approval_warnings)
        )


class ApprovedTable(EntryTable):
    """Approved entries, their billed amounts, and the status of their shares."""

    indexed = ("decided_at",)
    amount = AmountsColumn(lambda entry, table: sales_of(table.found.get(entry.pk, ())), verbose_name="Sales")
    decided_at = DayColumn(verbose_name="Approved", attrs=cells("nowrap c-wide"))
    billed = Column(
        empty_values=(),
        orderable=False,
        verbose_name="Proforma",
        also={"Invoice": lambda entry: ", ".join(each.number for each in filter(None, entry.invoices))},
    )
    backlog = tables.Column(empty_values=(), orderable=False, attrs=cells("c-status", ""))

    def load(self, records):
        super().load(records)
        for entry in records:
            facts = self.found.get(entry.pk, ())
            entry.proformas, entry.shares = proformas_of(facts), items_of(facts)
            entry.invoices = [invoice_of(each) for each in entry.proformas]

    def worth(self, record):
        sums = sales_of(self.found.get(record.pk, ()))
        sold = " and ".join(amount_in_words(sum_, code) for code, sum_ in sums.items())
        return ", ".join([sold, *(each.number for each in record.proformas)]).removeprefix(", ")

    def render_decided_at(self, record):
        return day(self.value_decided_at(record))

    def value_decided_at(self, record):
        return timezone.localtime(record.decided_at).date()

    def render_billed(self, record):
        """The proformas with the entry and their invoices, as links."""
        documents = [*record.proformas, *filter(None, record.invoices)]
        links = ((each.get_absolute_url(), each.number) for each in documents)
        shown = format_html_join(", ", '<a class="nowrap" href="{}">{}</a>', links)
        return format_html("<div>{}</div>", shown) if documents else _NOTHING

    def value_billed(self, record):
        return ", ".join(each.number for each in record.proformas)

    def render_backlog(self, record):
        """The status of its shares, and whether its owner has recalled it."""
        shown = list(dict.fromkeys(status(item) for item in record.shares)) or [chip("Cost only", "draft")]
        if record.status == record.Status.RECALL:
            shown.append(status(record))
        return format_html_join("", "<div>{}</div>", ((each,) for each in shown))

    def value_backlog(self, record):
        return ", ".join(dict.fromkeys(item.get_status_display() for item in record.shares)) or "cost only"


def _milestone_sub(item):
    problem = _problem(item)
    text = str(item.contract_line)
    return format_html('{} · <span class="warn">{}</span>', text, problem) if problem else text


def billed_of(milestones):
    """The percentage of each milestone on confirmed proformas, by key; one query."""
    heads = {milestone.pk: milestone for milestone in milestones}
    posted = BacklogItem.objects.filter(milestone_part__milestone__in=heads, status=BacklogItem.Status.POSTED)
    sums = posted.order_by().values_list("milestone_part__milestone").annotate(sum=ExactSum("amount"))
    return {pk: share_of(amount, heads[pk].amount) for pk, amount in sums}


def share_of(amount, whole):
    """The part as a percentage of the whole."""
    return Decimal(0) if not whole else money.rounded_percent(amount * 100 / whole)


class MilestoneTable(Table):
    description = MainColumn(
        verbose_name="Milestone",
        accessor="title",
        order_by="milestone_part__milestone__name",
        url=lambda item: reverse("bill_progress", args=[item.pk]),
        sub=_milestone_sub,
    )
    contract = TextColumn(
        accessor="contract__code",
        verbose_name="Contract",
        sub="contract_customer__customer__name",
        also={"Customer": "contract_customer__customer__name"},
    )
    date = DayColumn(verbose_name="Due")
    amount = AmountColumn()
    billed = tables.Column(
        empty_values=(), orderable=False, verbose_name="Billed so far", attrs=cells("num c-wide")
    )
    head = StatusColumn(
        accessor="milestone_part__milestone__status", verbose_name="Milestone is", attrs=cells("c-hide", "")
    )
    status = StatusColumn()

    selectable = True
    row_amount = "amount"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.billed_of = {}

    def load(self, records):
        self.billed_of = billed_of(record.milestone_part.milestone for record in records)

    def render_status(self, record):
        return _state(record)

    def value_status(self, record):
        return record.get_status_display()

    def render_billed(self, record):
        return percent(self.billed_of.get(record.milestone_part.milestone_id, 0))

    def value_billed(self, record):
        return plain_number(self.billed_of.get(record.milestone_part.milestone_id, 0))

    def can_select(self, record):
        return moves.allows(record, "hold")

    def label(self, record):
        return item_in_words(record)
