"""Saving planned proformas: claims, headers, lines and details.

The caller holds the contract's lock, and made the plan from rows that were read under it.
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

# After this many new rows the statistics of the tables are updated.
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
        """An unsaved proforma without a number; it does not follow later changes of the contract."""
        contract_customer = self.customers[planned.contract_customer_id]
        customer, party = contract_customer.customer, party_of(contract_customer)
        return ProformaInvoice(
            entity=self.entity,
            name=self.contract.name,
            contract=self.contract,
            contract_customer=contract_customer,
            customer=customer,
            currency=self.contract.currency,
            run=run,
            run_date=planned.run_date,
            cutoff=planned.cutoff,
            accounting_date=on,
            **party,
            copied_party=party,
            is_outside_scope=planned.is_outside_scope,
            payment_term_id=contract_customer.payment_term_id or customer.payment_term_id,
            buyer_reference=contract_customer.buyer_reference or customer.buyer_reference,
            order_reference=planned.order.number if planned.order else "",
            purchase_order_id=planned.order.pk if planned.order else None,
            created_by=by,
        )

    def detail(self, share, line):
        """An unsaved detail that bills the share unchanged, with the exact amount of its backlog item."""
        columns = {name: getattr(share, name) for name in _COPIED}
        columns["backlog_item_id"] = share.pk
        columns["line_id"] = line.pk
        return new_row(LineDetail, columns)

    def billing_tax_group(self, of_project, contract_customer):
        """The billing tax group, by the source that the entity is set to (JRN-3)."""
        return billing_group(
            self.entity.tax_group_source,
            project=of_project,
            contract=self.contract.billing_tax_group_id,
            customer=contract_customer.customer.billing_tax_group_id,
        )


def write_proformas(contract, planned, *, on, by, run=None) -> list[ProformaInvoice]:
    """Claim the planned shares and save their drafts, in the order of the plan.

    Refused if a share is no longer ready, and if the total of a draft is too large. Numbers are assigned at
    the end, because other transactions wait for theirs until this one ends.
    """
    if not planned:
        return []
    require_plans_in_bounds(planned, contract.currency)
    source = ContractSource(contract)
    reserve([share for plan in planned for share in plan.shares], contract=contract)
    proformas = [source.header(plan, on=on, by=by, run=run) for plan in planned]
    for proforma, pk in zip(proformas, draw_ids(ProformaInvoice, len(planned)), strict=True):
        proforma.pk = pk
    lines = [
        _lines(proforma, {share.line_id for share in plan.shares}, source, first=1)
        for proforma, plan in zip(proformas, planned, strict=True)
    ]
    # The proformas are saved when they have numbers; foreign keys are checked at the commit.
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


def require_plans_in_bounds(planned, currency, *, left_out=()):
    """Refused if the total of a proforma, or of the work left out, is too large (APP-10, MON-1)."""
    for plan in planned:
        _require_milestones_in_bounds(plan.shares, currency)
    for plan in (*planned, *left_out):
        if why := bounds.amount_too_large(plan.net, currency, bounds.MOST_TOTAL):
            raise Refused("READY-TOO-LARGE", why=why)


def _require_milestones_in_bounds(shares, currency):
    """Refused if a milestone is too large for one detail."""
    for share in shares:
        if share.milestone_part_id is not None and (why := bounds.amount_too_large(share.amount, currency)):
            raise Refused("MILESTONE-SLICES", milestone=share.description, why=why)


def require_draft_in_bounds(proforma):
    """Refused if the current total of the draft is too large (APP-10, MON-1)."""
    require_total_in_bounds(proforma, total(LineDetail.objects.on_proforma(proforma).chargeable()))


def require_total_in_bounds(proforma, net):
    """Refused if this net total is too large, also in the currency of the books if the rate is known."""
    why = bounds.amount_too_large(net, proforma.currency, bounds.MOST_TOTAL)
    if why := why or _too_large_in_books(proforma, net):
        raise Refused("PROFORMA-TOO-LARGE", number=proforma.number, why=why)


def _too_large_in_books(proforma, net):
    own, currency = proforma.entity.currency, proforma.currency
    if currency == own:
        return None
    rate = agreed(proforma.contract, currency, own)
    if rate is None:
        rates = Rates.load(proforma.entity, currencies=[currency])
        rate = rates.found(currency, proforma.entity.today())
    return rate and bounds.converted_too_large(net, currency, rate, own, bounds.MOST_TOTAL)


def add_shares(proforma, shares) -> list[LineDetail]:
    """Claim more shares for a draft of the same contract customer, on its lines or on new ones.

    Refused if its total would be too large.
    """
    _require_milestones_in_bounds(shares, proforma.currency)
    source = ContractSource(proforma.contract)
    reserve(shares, contract=proforma.contract)
    lines = lines_for(proforma, {share.line_id for share in shares}, source)
    details = [source.detail(share, lines[share.line_id]) for share in shares]
    details = write_rows(LineDetail, details)
    require_draft_in_bounds(proforma)
    return details


def lines_for(proforma, contract_lines, source) -> dict[int | None, ProformaLine]:
    """The draft's lines for these contract lines; missing ones are added at its end."""
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
    """An unsaved instance from columns by their attribute names; all others have their defaults.

    Positional arguments are three times as fast as named ones; a large proforma needs 70,000 rows.
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
