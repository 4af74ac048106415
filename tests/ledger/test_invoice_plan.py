"""Properties of every planned invoice, for any lines, rates and currencies."""

import datetime
from collections import defaultdict
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.models import ContractCustomer, Customer, LegalEntity, Project, ProjectContract
from invoicing_site.floor import money
from ledger.books.periods import PeriodBook
from ledger.books.plan import imbalance
from ledger.invoicing.corrected import BookedSum, Corrected
from ledger.invoicing.load import AccruedSum, Billed, InvoiceFacts
from ledger.invoicing.plan import plan_invoice
from ledger.invoicing.tax import TaxAt
from ledger.models import (
    Account,
    InvoiceProposal,
    ProposalLine,
    ProposalSection,
    TaxCode,
)
from proforma.models import LineDetail, ProformaInvoice

MARCH_31 = datetime.date(2025, 3, 31)
ACCOUNTS = {
    purpose: Account(pk=key, number=f"{key}000", name=purpose)
    for key, purpose in enumerate(["customer", "revenue", "rounding", "wip_sales", "accrued", "tax"], start=1)
}
TAXES = [
    TaxAt(TaxCode(pk=key, code=f"T{key}", category=category, account=ACCOUNTS["tax"]), Decimal(percent))
    for key, (category, percent) in enumerate([("S", "25"), ("S", "25"), ("AA", "15"), ("E", "0")], start=1)
]


class _Accounts:
    def account(self, purpose, **_):
        return ACCOUNTS[purpose]


def facts(nets, taxes, projects, *, currency, own, rate, agreed=None, accrued=(), corrected=None):
    """The facts of an invoice with one billed share per line, from unsaved rows."""
    entity = LegalEntity(pk=1, code="NO1", name="Us", currency=own)
    customer = Customer(pk=1, number="1", name="They", language="en")
    contract = ProjectContract(pk=1, entity=entity, code="C", currency=currency, fixed_exchange_rate=agreed)
    share = ContractCustomer(pk=1, contract=contract, customer=customer)
    proforma = ProformaInvoice(
        pk=1, entity=entity, contract=contract, contract_customer=share, customer=customer, currency=currency
    )
    lines, billed = [], []
    for key, (net, project) in enumerate(zip(nets, projects, strict=True), start=1):
        detail = LineDetail(
            pk=key,
            transaction_class="time",
            date=MARCH_31,
            project_id=project,
            quantity=Decimal(1),
            price=net,
            amount=net,
        )
        line = ProposalLine(pk=key, number=key, section_id=1, detail=detail, amount=net)
        lines.append(line)
        billed.append(
            Billed(key, key, Decimal(1), net, "chargeable", None, "time", None, None, project, line)
        )
    return InvoiceFacts(
        proposal=InvoiceProposal(pk=1, number="P1", entity=entity),
        proforma=proforma,
        entity=entity,
        customer=customer,
        payment_term=None,
        today=MARCH_31,
        invoice_date=MARCH_31,
        accounting_date=MARCH_31,
        due_date=MARCH_31,
        lines=lines,
        billed=billed,
        links=[],
        contract_lines={},
        named={
            "section": {1: ProposalSection(pk=1, number=1)},
            "project": {key: Project(pk=key, code=f"P{key}") for key in (1, 2)},
            **{name: {} for name in ("dimensions", "task", "resource", "role", "category", "product")},
            "retainer": {},
            "milestone": {},
        },
        accrued=list(accrued),
        periods=PeriodBook(entity, []),
        orders=[],
        accrued_transactions=[],
        disbursements={},
        unbooked_disbursements=[],
        tax_book=SimpleNamespace(codes=_codes_in_turn(taxes)),
        accounts=_Accounts(),
        profiles=SimpleNamespace(profile=lambda project, contract: None),
        rates=SimpleNamespace(on=lambda currency, day: rate),
        series={},
        unit_codes={},
        corrected=corrected,
    )


def _codes_in_turn(taxes):
    """The planner asks once for each pair of groups; here all lines have the same pair, or each its own."""
    turn = iter(taxes)
    return lambda billing, item, day, **named: [next(turn)]


def planned(nets, taxes, projects, **rest):
    made = facts(nets, taxes, projects, **rest)
    for line in made.lines:
        line.item_tax_group_id = line.pk  # each line has its own pair of groups, and so its own code
    return plan_invoice(made)


amounts = st.decimals(min_value=-10000, max_value=10000, places=2, allow_nan=False)
rates = st.decimals(min_value="0.000001", max_value="20000", places=9, allow_nan=False)
line_lists = st.lists(
    st.tuples(amounts, st.sampled_from(TAXES), st.sampled_from([1, 2])), min_size=0, max_size=12
)
currencies = st.sampled_from([("EUR", "NOK"), ("NOK", "NOK"), ("EUR", "JPY"), ("JPY", "BHD")])


def columns(lines, currency):
    nets, taxes, projects = [list(column) for column in zip(*lines, strict=True)] or ([], [], [])
    return [money.rounded(net, currency) for net in nets], taxes, projects


@given(lines=line_lists, pair=currencies, rate=rates, agreed=st.none() | rates)
def test_every_voucher_balances_and_every_sum_adds_up(lines, pair, rate, agreed):
    """PST-2 MON-4 and section 13, 3 and 4"""
    currency, own = pair
    rate = Decimal(1) if currency == own else rate

    plan = planned(*columns(lines, currency), currency=currency, own=own, rate=rate, agreed=agreed)

    invoice = plan.invoice
    assert imbalance(plan.entries) == ({}, 0)
    assert invoice.net == sum(line.net for line in plan.lines)
    assert invoice.tax == sum(line.tax for line in plan.lines) == sum(tax.tax for tax in plan.taxes)
    assert invoice.total == invoice.net + invoice.tax == plan.customer_transaction.amount
    assert invoice.net == sum(row.amount for row in plan.project_transactions)
    assert invoice.accounting_net == sum(row.accounting_amount for row in plan.project_transactions)
    assert invoice.accounting_tax == sum(tax.accounting_tax for tax in plan.taxes)
    assert plan.customer_transaction.accounting_amount == invoice.accounting_total
    assert sum(tax.base for tax in plan.taxes) == invoice.net
    # MON-5: the rate of the balance converts one amount to the other, if 9 decimals are enough.
    mixed = agreed is not None and currency != own
    balance_rate = plan.customer_transaction.rate
    assert balance_rate > 0
    if not mixed or not invoice.total or invoice.net * invoice.tax < 0:
        assert balance_rate == rate
    elif balance_rate != rate:
        assert abs(balance_rate * invoice.total - invoice.accounting_total) <= abs(invoice.total) * Decimal(
            "0.0000000006"
        )
    # Customer, two projects and four tax codes are each rounded once: each at most half a unit off.
    off = abs(invoice.accounting_total - invoice.accounting_net - invoice.accounting_tax)
    assert off <= Decimal("3.5") * money.minor_unit(own)
    if agreed is not None or currency == own:
        assert off == 0


@given(lines=line_lists, pair=currencies, rate=rates, agreed=st.none() | rates)
def test_the_opposite_of_an_invoice_is_posted_as_its_mirror_image(lines, pair, rate, agreed):
    """PRP-8 MON-4: exactly, in both currencies."""
    currency, own = pair
    nets, taxes, projects = columns(lines, currency)
    same = {"currency": currency, "own": own, "rate": rate, "agreed": agreed}

    plan = planned(nets, taxes, projects, **same)
    mirror = planned([-net for net in nets], taxes, projects, **same)

    def sides(entries, swap):
        found = []
        for e in entries:
            row = [e.debit, e.credit, e.accounting_debit, e.accounting_credit]
            if swap:
                row = [e.credit, e.debit, e.accounting_credit, e.accounting_debit]
            found.append((e.account.number, e.project.pk if e.project else 0, *row))
        return sorted(found)

    assert mirror.invoice.total == -plan.invoice.total
    assert sides(mirror.entries, swap=True) == sides(plan.entries, swap=False)


@given(
    lines=line_lists,
    sums=st.lists(st.tuples(amounts, amounts, st.sampled_from(["wip_sales", "accrued"])), max_size=4),
)
def test_accruals_are_reversed_and_change_nothing_else(lines, sums):
    """PST-10"""
    zero = Decimal(0)
    accrued = [
        AccruedSum(
            account=ACCOUNTS[purpose],
            dimensions=None,
            project=None,
            currency="EUR",
            rate=Decimal(11),
            debit=max(amount, zero),
            credit=max(-amount, zero),
            accounting_debit=max(accounting, zero),
            accounting_credit=max(-accounting, zero),
        )
        for amount, accounting, purpose in sums
    ]
    same = {"currency": "EUR", "own": "NOK", "rate": Decimal("11.6")}

    without = planned(*columns(lines, "EUR"), **same)
    plan = planned(*columns(lines, "EUR"), **same, accrued=accrued)

    assert plan.entries[: len(without.entries)] == without.entries
    reversed_ = [
        (e.account, e.credit - e.debit, e.accounting_credit - e.accounting_debit, e.rate)
        for e in plan.entries[len(without.entries) :]
    ]
    assert reversed_ == [
        (ACCOUNTS[purpose], amount, accounting, 11)
        for amount, accounting, purpose in sums
        if amount or accounting
    ]
    assert (plan.invoice.net, plan.invoice.total) == (without.invoice.net, without.invoice.total)


@pytest.mark.parametrize(
    ("nets", "tax", "shares"),
    [
        (["10.10", "10.10"], "5.05", ["2.53", "2.52"]),
        (["0.02", "0.02", "0.02"], "0.02", ["0.01", "0.01", "0.00"]),
        (["-10.10", "-10.10"], "-5.05", ["-2.53", "-2.52"]),
        (["100", "-100"], "0.00", ["25.00", "-25.00"]),
    ],
)
def test_two_codes_of_one_rate_are_rounded_together(nets, tax, shares):
    """MON-4: two codes of 25 % on 10.10 each: 5.05, not 5.06"""
    taxes = [TAXES[index % 2] for index in range(len(nets))]

    plan = planned(
        [Decimal(net) for net in nets], taxes, [1] * len(nets), currency="NOK", own="NOK", rate=Decimal(1)
    )

    assert plan.invoice.tax == Decimal(tax)
    assert [line.tax for line in plan.lines] == [Decimal(share) for share in shares]


def _stands(plans):
    """The totals after these plans, as they are read from the written rows."""
    places = defaultdict(BookedSum)
    for entry in (entry for plan in plans for entry in plan.entries):
        if entry.account == ACCOUNTS["revenue"]:
            key = entry.account.pk, None, entry.project.pk
            own, books = entry.credit - entry.debit, entry.accounting_credit - entry.accounting_debit
            places[key] += BookedSum(own, books)
    taxes = [tax for plan in plans for tax in plan.taxes]
    sums = (BookedSum(plan.invoice.total, plan.invoice.accounting_total) for plan in plans)
    return Corrected(plans[0].invoice, {}, taxes, sum(sums, BookedSum()), dict(places))


@given(lines=line_lists, pair=currencies, rate=rates, agreed=st.none() | rates, data=st.data())
def test_partial_credits_in_any_order_add_up_to_their_invoice(lines, pair, rate, agreed, data):
    """MON-4: net, tax and total in both currencies, by account, project and tax code"""
    currency, own = pair
    same = {
        "currency": currency,
        "own": own,
        "rate": Decimal(1) if currency == own else rate,
        "agreed": agreed,
    }
    plans = [planned(*columns(lines, currency), **same)]
    parts = []
    for net, tax, project in zip(*columns(lines, currency), strict=True):
        first = data.draw(st.sampled_from([net, money.rounded(net / 3, currency)]))
        parts += [(-first, tax, project), (first - net, tax, project)]
    parts = data.draw(st.permutations(parts))
    while parts:
        n = data.draw(st.integers(min_value=1, max_value=len(parts)))
        plans.append(planned(*zip(*parts[:n], strict=True), **same, corrected=_stands(plans)))
        parts = parts[n:]

    sums = defaultdict(Decimal)
    for plan in plans:
        assert imbalance(plan.entries) == ({}, 0)
        assert plan.invoice.tax == sum(tax.tax for tax in plan.taxes) == sum(line.tax for line in plan.lines)
        for name in ("net", "tax", "total"):
            sums[name] += getattr(plan.invoice, name)
            sums[f"accounting {name}"] += getattr(plan.invoice, f"accounting_{name}")
        for entry in plan.entries:
            place = (
                entry.account.name,
                entry.project and entry.project.pk,
                entry.tax_code and entry.tax_code.pk,
            )
            sums[place] += entry.debit - entry.credit
            sums["accounting", *place] += entry.accounting_debit - entry.accounting_credit
        for row in plan.project_transactions:
            sums["project", row.project_id] += row.accounting_amount
    assert {what: amount for what, amount in sums.items() if amount} == {}
