"""A contract confirmed after work was approved: the entries in the books (CON-6, JRN-7, W2)."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from actuals.models import Actual
from backlog.models import BacklogItem
from backlog.operations import Decision, approve, cancel_approval, confirm_contract, mark_ready
from contracts.models import LegalEntity
from invoicing_site.verify import findings
from ledger.invoicing.operations import posting, proposals
from ledger.journal.operations import journals
from ledger.models import Account, FiscalPeriod, JournalLine, Voucher
from proforma import operations as proformas
from proforma.performance import contract_performance
from tests import factories
from tests.invoicing_site.sample_company.alterations import behind_the_guards
from tests.ledger.billing import cr, dr, entries_of, facts_of

pytestmark = pytest.mark.django_db

DEC_20, JAN_20, JAN_31 = date(2024, 12, 20), date(2025, 1, 20), date(2025, 1, 31)
FEB_1, FEB_3, FEB_5 = date(2025, 2, 1), date(2025, 2, 3), date(2025, 2, 5)


@pytest.fixture
def no1():
    return factories.company(cost_price=100, sales_price=200)


@factories.remembered
def approved(no1, day=JAN_20, decision=None):
    """8 h at a cost of 100 and a price of 200, approved while no contract covered them."""
    entry = factories.time_entry(no1, "8", date=day)
    approve([entry], by=no1.manager, on=JAN_31, decisions=decision and {entry.pk: decision})
    return entry


def posted(no1, on):
    """Post the journals; returns (accounting date, entries) in the order of the vouchers."""
    before = set(Voucher.objects.values_list("pk", flat=True))
    journals.add_to_journals(no1.entity, on=on, by=no1.accountant)
    for result in journals.post_journals(no1.entity, by=no1.accountant, on=on):
        assert not result.in_error
        assert not result.refused
    new = Voucher.objects.exclude(pk__in=before).order_by("journal_line__actual")
    return [(voucher.date, entries_of(voucher)) for voucher in new if voucher.entries.exists()]


@factories.remembered
def confirmed(no1, profile, on=FEB_3, **fields):
    contract = factories.contract(no1, **fields)
    no1.entity.profile_assignments.create(profile=no1.books.profiles[profile], contract=contract)
    return confirm_contract(contract, by=no1.manager, on=on)


def close(no1, *days):
    rows = FiscalPeriod.objects.filter(entity=no1.entity)
    for day in days:
        rows.filter(starts__lte=day, ends__gte=day).update(status="closed")


TO_RESULT = [dr("4300", 800), cr("5090", 800)]
BACK_FROM_RESULT = [cr("4300", 800), dr("5090", 800)]
TO_BALANCE = [dr("1440", 800), cr("5090", 800)]
ACCRUED = [dr("1530", 1600), cr("3080", 1600)]


def test_w2_a_cost_to_balance(no1):
    """CON-6 JRN-7 W2: the same account for the same work, before and after confirming."""
    approved(no1)
    assert posted(no1, JAN_31) == [(JAN_20, TO_RESULT)]
    confirmed(no1, "BALANCE")
    approve([factories.time_entry(no1, "8", date=FEB_3)], by=no1.manager, on=FEB_3)
    assert posted(no1, FEB_3) == [(FEB_3, BACK_FROM_RESULT), (FEB_3, TO_BALANCE), (FEB_3, TO_BALANCE)]
    assert not list(findings(no1.entity))


def test_w2_b_accrual_with_cost_in_profit_and_loss(no1):
    """CON-6 JRN-7 W2: no revenue dated before the contract: all of it on 3 February."""
    approved(no1)
    assert posted(no1, JAN_31) == [(JAN_20, TO_RESULT)]
    confirmed(no1, "ACCRUE")
    assert posted(no1, FEB_3) == [(FEB_3, BACK_FROM_RESULT), (FEB_3, TO_RESULT), (FEB_3, ACCRUED)]
    assert not list(findings(no1.entity))


@pytest.mark.parametrize("january_is_closed", [False, True])
def test_w2_c_the_journal_is_posted_only_after_confirming(no1, january_is_closed):
    """CON-6 JRN-7 W2: the same; the first on 20 January, or on 1 February if January is closed."""
    no1.entity.closed_period = LegalEntity.ClosedPeriod.MOVE
    no1.entity.save()
    approved(no1)
    confirmed(no1, "ACCRUE")
    if january_is_closed:
        close(no1, JAN_20)
    first = FEB_1 if january_is_closed else JAN_20
    assert posted(no1, FEB_5) == [
        (first, TO_RESULT),
        (FEB_3, BACK_FROM_RESULT),
        (FEB_3, TO_RESULT),
        (FEB_3, ACCRUED),
    ]


def test_w2_d_costs_of_a_closed_fiscal_year_keep_their_accounts(no1):
    """CON-6 W2: work of 20 December in a closed year under cost to balance stays on 4300, not 1440."""
    approved(no1, DEC_20)
    assert posted(no1, JAN_31) == [(DEC_20, TO_RESULT)]
    FiscalPeriod.objects.filter(entity=no1.entity, year__year=2024).update(status="closed")
    confirmed(no1, "BALANCE")
    assert posted(no1, FEB_3) == [(FEB_3, BACK_FROM_RESULT), (FEB_3, TO_RESULT)]
    assert not list(findings(no1.entity))


def test_a_year_with_an_open_period_is_not_closed(no1):
    """CON-6: only December is closed, so the contract's profile counts."""
    approved(no1, DEC_20)
    posted(no1, JAN_31)
    close(no1, DEC_20)
    confirmed(no1, "BALANCE")
    assert posted(no1, FEB_3) == [(FEB_3, BACK_FROM_RESULT), (FEB_3, TO_BALANCE)]


def test_quantity_rate_amount_and_decision_do_not_change(no1):
    """CON-6 PRC-2: the cost list has another price now, which applies to later approvals only."""
    approved(no1, decision=Decision(billable_quantity=Decimal(6)))
    no1.cost_price.price = Decimal(150)
    no1.cost_price.save()
    contract = confirmed(no1, "STD")
    old, back, new = Actual.objects.filter(type="cost").order_by("pk")
    assert (back.reverses, new.replaces) == (old, old)
    assert (new.quantity, new.price, new.amount) == (Decimal(8), Decimal(100), Decimal(800))
    assert (new.price_decision, new.contract, new.date, new.accounting_date) == (
        old.price_decision,
        contract,
        JAN_20,
        FEB_3,
    )
    sales = Actual.objects.filter(type="unbilled").order_by("-amount")
    assert [(s.amount, s.billing_type, s.cost, s.date, s.accounting_date) for s in sales] == [
        (Decimal(1200), "chargeable", new, JAN_20, FEB_3),
        (Decimal(400), "non_chargeable", new, JAN_20, FEB_3),
    ]


def test_the_exchange_rate_is_that_of_the_day_of_work(no1):
    """CON-6 JRN-7 MON-5: a cost in euro at 11.50 is not converted again at 12.00."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.50"))
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("12.00"), valid_from=FEB_1)
    entry = factories.expense_entry(no1, net="100", cost_currency="EUR", date=JAN_20)
    approve([entry], by=no1.manager, on=JAN_31)
    posted(no1, JAN_31)
    confirmed(no1, "BALANCE")
    posted(no1, FEB_3)
    lines = JournalLine.objects.filter(actual__type="cost").order_by("actual")
    assert [(line.exchange_rate, line.accounting_amount) for line in lines] == [
        (Decimal("11.50"), Decimal(1150)),
        (Decimal("11.50"), Decimal(-1150)),
        (Decimal("11.50"), Decimal(1150)),
    ]


def test_a_fixed_price_line_shows_the_earlier_hours(no1, client):
    """CON-6 CON-8: 8 hours worked, not 0; nothing is billed for them."""
    approved(no1)
    contract = confirmed(no1, "BALANCE", method="fixed")
    (performance,) = contract_performance([contract])
    assert performance.worked_hours == Decimal(8)
    client.force_login(no1.manager)
    text = client.get(reverse("contract", args=[contract.pk])).content.decode()
    assert re.search(r"Bridge · .*8.*h.* worked", text)
    assert not Actual.objects.filter(type="unbilled").exists()
    assert posted(no1, FEB_5)[-1] == (FEB_3, TO_BALANCE)


def test_an_approval_is_canceled_after_the_contract_was_confirmed(no1):
    """APP-5 CON-6: the replacement of the cost is reversed, and all balances are 0."""
    entry = approved(no1)
    posted(no1, JAN_31)
    confirmed(no1, "ACCRUE")
    posted(no1, FEB_3)
    cancel_approval([entry], by=no1.manager, on=FEB_5)
    assert posted(no1, FEB_5) == [(FEB_5, BACK_FROM_RESULT), (FEB_5, [cr("1530", 1600), dr("3080", 1600)])]
    assert {item.status for item in BacklogItem.objects.all()} == {"canceled"}
    assert not list(findings(no1.entity))


def test_an_unposted_error_is_canceled_on_its_own_day(no1):
    """JRN-7 APP-5: the original waits in a journal, so both are dated 20 January; February has no profit."""
    entry = approved(no1)
    journals.add_to_journals(no1.entity, on=JAN_31, by=no1.accountant)
    cancel_approval([entry], by=no1.manager, on=FEB_5)
    assert posted(no1, FEB_5) == [(JAN_20, TO_RESULT), (JAN_20, BACK_FROM_RESULT)]


def test_a_posted_error_is_canceled_on_the_day_of_the_action(no1):
    """JRN-7 APP-5: with January still open."""
    entry = approved(no1)
    assert posted(no1, JAN_31) == [(JAN_20, TO_RESULT)]
    cancel_approval([entry], by=no1.manager, on=FEB_5)
    assert posted(no1, FEB_5) == [(FEB_5, BACK_FROM_RESULT)]


def test_work_of_march_is_accrued_on_the_day_the_contract_is_confirmed(no1):
    """JRN-7: work of 20 March under a contract confirmed on 15 April."""
    april_15 = date(2025, 4, 15)
    approved(no1, date(2025, 3, 20))
    confirmed(no1, "ACCRUE", on=april_15)
    assert posted(no1, april_15)[-1] == (april_15, ACCRUED)


@pytest.mark.parametrize("profile", ["ACCRUE", "BALANCE", "STD"])
def test_an_invoice_clears_a_disbursement_of_a_closed_year_where_it_was_posted(no1, profile):
    """CON-6 PST-10: a court fee of 20 December stays on 4300, so its invoice credits 4300 and not 1570."""
    court_fees(no1)
    approve([factories.expense_entry(no1, net="100", date=DEC_20)], by=no1.manager, on=JAN_31)
    assert posted(no1, JAN_31) == [(DEC_20, [dr("4300", 100), cr("4390", 100)])]
    FiscalPeriod.objects.filter(entity=no1.entity, year__year=2024).update(status="closed")
    contract = confirmed(no1, profile)
    posted(no1, FEB_3)

    invoice = billed(no1, contract)

    assert entries_of(invoice.voucher) == [dr("1500", 100), cr("4300", 100)]
    assert facts_of(invoice.voucher) == [("cost", -1, -100, -100), ("unbilled", -1, -100, -100)]
    assert not list(findings(no1.entity))

    with behind_the_guards():  # as if the invoice had cleared it on an account without its posting
        wrong = Account.objects.get(entity=no1.entity, number="1570")
        invoice.voucher.entries.filter(account__number="4300").update(account=wrong)
    (found,) = [row for row in findings(no1.entity) if row.code == "DISBURSEMENT"]
    assert "−100.00 NOK of them is still on account 1570" in found.sentence


def test_a_disbursement_is_posted_even_if_costs_are_not(no1):
    """PST-10: the invoice clears it on its account, so it has to be posted there."""
    court_fees(no1)
    no1.books.profiles["STD"].cost = "never"
    no1.books.profiles["STD"].save()
    contract = confirmed(no1, "STD")
    approve([factories.expense_entry(no1, net="100", date=FEB_3)], by=no1.manager, on=FEB_3)
    assert posted(no1, FEB_3) == [(FEB_3, [dr("1570", 100), cr("4390", 100)])]

    assert entries_of(billed(no1, contract).voucher) == [dr("1500", 100), cr("1570", 100)]
    assert not list(findings(no1.entity))


def court_fees(no1):
    no1.travel.is_disbursement = True
    no1.travel.item_tax_group = no1.books.item_tax_groups["OUTSIDE"]
    no1.travel.save()


@factories.remembered
def billed(no1, contract):
    mark_ready(BacklogItem.objects.open().filter(contract=contract), by=no1.manager)
    (draft,) = proformas.create_proformas([contract], cutoff=FEB_5, on=FEB_5, by=no1.manager)
    proposal = proposals.create_proposal(proformas.confirm(draft, by=no1.manager, on=FEB_5))
    return posting.post(proposal, by=no1.accountant, on=FEB_5)
