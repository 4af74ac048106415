"""Writing planned proformas: what is claimed, the header's copies, lines and details.

Whoever calls holds the contract's lock, and planned from what was read under it.
"""

from django.db.models import Max

from backlog.operations import reserve
from contracts.models import (
    ContractCustomer,
    ContractLine,
    NumberSequence,
)
from contracts.operations.numbers import draw_numbers
from contracts.rates import Rates, agreed
from contracts.tax_groups import billing_group
from invoicing_site.floor import bounds
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import draw_ids, total, write_rows
from proforma.models import LineDetail, ProformaInvoice, ProformaLine, ProformaSchedule
from proforma.parties import party_of

# After so many rows the database is asked to look at its tables again.
MANY = 5000

_COPIED = (
    "transaction_class",
    "date",
    "project_id",
    "task_id",
    "resource_id",
    "role_id",
    "category_id",
    "product_id",
    "quantity",
    "unit",
    "price",
    "amount",
    "billing_type",
    "billing_tax_group_id",
    "item_tax_group_id",
    "description",
    "internal_description",
)


class ContractSource:
    """The data of one contract that headers and details of its proformas copy: two queries."""

    def __init__(self, contract):
        self.contract = contract
        self.entity = contract.entity
        self.customers = {
            customer.pk: customer
            for customer in ContractCustomer.objects.filter(contract=contract).select_related("customer")
        }
        self.lines = {line.pk: line for line in ContractLine.objects.filter(contract=contract)}

    def header(self, planned, *, on, by, run):
        """An unsaved proforma without a number; later changes of the contract don't reach it."""
        share = self.customers[planned.contract_customer_id]
        customer, party = share.customer, party_of(share)
        return ProformaInvoice(
            entity=self.entity,
            name=self.contract.name,
            contract=self.contract,
            contract_customer=share,
            customer=customer,
            currency=self.contract.currency,
            run=run,
            run_date=planned.run_date,
            cutoff=planned.cutoff,
            accounting_date=on,
            **party,
            copied_party=party,
            is_outside_scope=planned.is_outside_scope,
            payment_term_id=share.payment_term_id or customer.payment_term_id,
            buyer_reference=share.buyer_reference or customer.buyer_reference,
            order_reference=planned.order.number if planned.order else "",
            purchase_order_id=planned.order.pk if planned.order else None,
            created_by=by,
        )

    def detail(self, share, line):
        """An unsaved detail that bills the share as it is, to the very amount of its backlog item."""
        columns = {name: getattr(share, name) for name in _COPIED}
        columns["backlog_item_id"] = share.pk
        columns["line_id"] = line.pk
        return new_row(LineDetail, columns)

    def billing_tax_group(self, of_project, share):
        """Who is taxed, from where the entity's parameter says (JRN-3)."""
        return billing_group(
            self.entity.tax_group_source,
            project=of_project,
            contract=self.contract.billing_tax_group_id,
            customer=share.customer.billing_tax_group_id,
        )


def write_proformas(contract, planned, *, on, by, run=None) -> list[ProformaInvoice]:
    """Claim the planned shares and write their drafts, in the order of the plan.

    Refused when a share is not ready any more, and where a draft would come to more than an invoice can. The
    numbers are drawn after all that takes long, because others wait for theirs until this transaction ends.
    """
    if not planned:
        return []
    demand_room(planned, contract.currency)
    source = ContractSource(contract)
    reserve([share for plan in planned for share in plan.shares], contract=contract)
    proformas = [source.header(plan, on=on, by=by, run=run) for plan in planned]
    for proforma, pk in zip(proformas, draw_ids(ProformaInvoice, len(planned)), strict=True):
        proforma.pk = pk
    lines = [
        _lines(proforma, {share.line_id for share in plan.shares}, source, first=1)
        for proforma, plan in zip(proformas, planned, strict=True)
    ]
    # The proformas follow when they have numbers; the database looks at foreign keys when all is done.
    write_rows(ProformaLine, [line for its_lines in lines for line in its_lines.values()])
    write_rows(
        LineDetail,
        [
            source.detail(share, its_lines[share.line_id])
            for its_lines, plan in zip(lines, planned, strict=True)
            for share in plan.shares
        ],
    )
    write_rows(
        ProformaSchedule,
        [
            ProformaSchedule(proforma=proforma, entry_id=entry)
            for proforma, plan in zip(proformas, planned, strict=True)
            for entry in plan.entries
        ],
    )
    numbers = draw_numbers(source.entity, NumberSequence.Kind.PROFORMA, on=on, count=len(proformas))
    for proforma, number in zip(proformas, numbers, strict=True):
        proforma.number = number.text
    return write_rows(ProformaInvoice, proformas)


def demand_room(planned, currency, *, left_out=()):
    """Refused where a proforma, or what is left out, comes to more than an invoice can (APP-10, MON-1)."""
    for plan in planned:
        _demand_slices(plan.shares, currency)
    for plan in (*planned, *left_out):
        if said := bounds.over(plan.net, currency, bounds.MOST_TOTAL):
            raise Refused(
                f"What is ready is too much for one invoice: {said}. Create proformas of some of its rows at "
                "a time, from the backlog.",
                code="TOO-LARGE",
            )


def _demand_slices(shares, currency):
    """A milestone that was agreed is billed as it is, unless it is too large for one detail."""
    for share in shares:
        if share.milestone_part_id is not None and (said := bounds.over(share.amount, currency)):
            raise Refused(
                f"Milestone “{share.description}” can't be billed at once: {said}. Mark it not ready, and "
                "bill it by progress, in several slices.",
                code="TOO-LARGE",
            )


def demand_room_on(proforma):
    """Refused where the draft, as it is now, comes to more than an invoice can (APP-10, MON-1)."""
    demand_room_for(proforma, total(LineDetail.objects.on_proforma(proforma).chargeable()))


def demand_room_for(proforma, net):
    """Refused where so much is more than an invoice can be: also in the books, where a rate is known."""
    said = bounds.over(net, proforma.currency, bounds.MOST_TOTAL) or _over_in_the_books(proforma, net)
    if said:
        raise Refused(
            f"Proforma {proforma.number} comes to too much. {said}. Lower details, take some off, or bill "
            "them on another proforma.",
            code="TOO-LARGE",
        )


def _over_in_the_books(proforma, net):
    own, currency = proforma.entity.currency, proforma.currency
    if currency == own:
        return ""
    rate = agreed(proforma.contract, currency, own)
    if rate is None:
        rates = Rates.load(proforma.entity, currencies=[currency])
        rate = rates.found(currency, proforma.entity.today())
    return rate and bounds.over_converted(net, currency, rate, own, bounds.MOST_TOTAL)


def add_shares(proforma, shares) -> list[LineDetail]:
    """Claim more shares for a draft of the same contract customer, on its lines or on new ones.

    Refused where it would come to more than an invoice can.
    """
    _demand_slices(shares, proforma.currency)
    source = ContractSource(proforma.contract)
    reserve(shares, contract=proforma.contract)
    lines = lines_for(proforma, {share.line_id for share in shares}, source)
    details = [source.detail(share, lines[share.line_id]) for share in shares]
    details = write_rows(LineDetail, details)
    demand_room_on(proforma)
    return details


def lines_for(proforma, contract_lines, source) -> dict[int | None, ProformaLine]:
    """The draft's lines for these contract lines; those that it lacks are added at its end."""
    lines = {line.contract_line_id: line for line in proforma.lines.filter(contract_line__in=contract_lines)}
    last = proforma.lines.aggregate(last=Max("number"))["last"] or 0
    new = _lines(proforma, contract_lines - lines.keys(), source, first=last + 1)
    write_rows(ProformaLine, new.values())
    return lines | new


def _lines(proforma, contract_lines, source, *, first):
    ordered = sorted((source.lines[pk] for pk in contract_lines), key=lambda line: line.number)
    return {
        line.pk: ProformaLine(
            proforma=proforma, contract_line_id=line.pk, number=number, description=line.name
        )
        for number, line in enumerate(ordered, first)
    }


def new_row(model, columns):
    """An unsaved instance from columns by their attribute names; what is not named has its default.

    Positional arguments cost Django a third of what named ones do; a big proforma makes 70,000 of these.
    """
    blank = _BLANKS.get(model)
    if blank is None:
        assert not any(
            field.has_default() and callable(field.default) for field in model._meta.concrete_fields
        )
        blank = _BLANKS[model] = {field.attname: field.get_default() for field in model._meta.concrete_fields}
    values = blank | columns
    assert len(values) == len(blank), "There is no such column."
    return model(*values.values())


_BLANKS: dict = {}
