"""Amounts that are too large for the books are refused by name and stop nothing else (MON-1, JRN-2)."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from actuals.models import Actual, ActualToJournal, Entry
from backlog.models import BacklogItem
from backlog.operations import approve, cancel_approval, mark_ready
from contracts.models import ExchangeRate
from invoicing_site.floor.reasons import Amount, Reason
from invoicing_site.verify import findings
from ledger.closing.still_open import still_open
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.invoicing.operations.returns import return_proposal
from ledger.models import InvoiceProposal, JournalLine
from proforma.operations import delete_draft
from tests import factories
from tests.factories import DAY
from tests.ledger.billing import MARCH_31, confirmed, proposed
from tests.ledger.journal_samples import add_all, cost

pytestmark = pytest.mark.django_db


def rated(no1, rate="11.60", currency="EUR"):
    return factories.ExchangeRateFactory(
        entity=no1.entity, currency=currency, valid_from=date(2025, 1, 1), rate=Decimal(rate)
    )


def euro_contract(no1):
    prices = factories.PriceListFactory(entity=no1.entity, code="SEUR", name="EUR", currency="EUR")
    factories.ProductPriceFactory(price_list=prices, product=no1.product, price=Decimal("9999.99"))
    factories.RolePriceFactory(price_list=prices, price=Decimal("100"))
    return factories.contract(no1, currency="EUR", price_lists=[prices], confirmed=True)


def approved_before_there_was_a_bound(no1, monkeypatch, quantity="20000000000"):
    """20,000,000,000 × 9,999.99 EUR of material, and 8 h: approved together."""
    entries = [factories.material_entry(no1, quantity, date=DAY), factories.time_entry(no1, "8", date=DAY)]
    with monkeypatch.context() as patched:
        for name in ("amount_too_large", "converted_too_large"):
            patched.setattr(f"invoicing_site.floor.bounds.{name}", lambda *args: None)
        approve(entries, by=no1.manager)
    return entries


def added_and_left(no1):
    added = add_all(no1)
    return added.lines, [reason for _, reason in added.left_out]


def test_an_amount_that_is_too_large_does_not_block_others(no1, monkeypatch):
    """JRN-1 JRN-2: both costs and the 8 h are added; the sale of the material is named."""
    rated(no1)
    euro_contract(no1)
    big, _ = approved_before_there_was_a_bound(no1, monkeypatch)
    sale = Actual.objects.get(entry=big, type="unbilled")
    assert added_and_left(no1) == (
        3,
        [
            Reason(
                "ACTUAL-TOO-LARGE-CONVERTED",
                actual=str(sale.pk),
                amount=Amount(Decimal("2319997680000000.00"), "NOK"),
                most=Decimal(100000000000000),
                rate=Decimal("11.6"),
                remedy=reverse("approval", args=[big.pk]),
            )
        ],
    )
    assert [row.actual for row in ActualToJournal.objects.all()] == [sale]


def test_an_amount_in_the_accounting_currency_has_no_rate_to_correct(no1):
    """JRN-2"""
    line = factories.contract(no1, confirmed=True).lines.get()
    big, kept = (cost(no1, line, "100000000000001", price=1), cost(no1, line, "100000000000000", price=1))
    add_all(no1)
    said = ActualToJournal.objects.get()
    assert (said.actual, said.reason.code) == (big, "ACTUAL-TOO-LARGE")
    assert JournalLine.objects.get().actual == kept


def test_the_pages_show_it_without_an_internal_error(no1, monkeypatch, client):
    """JRN-2"""
    rated(no1)
    euro_contract(no1)
    approved_before_there_was_a_bound(no1, monkeypatch)
    client.force_login(no1.accountant)
    page = client.post(reverse("add_to_journals"), follow=True)
    assert "3 actuals added" in page.text
    assert "is 2,319,997,680,000,000.00 NOK at the exchange rate 11.6. The largest" in page.text
    assert "Cancel the approval of its entry" in client.get(reverse("waiting_actuals")).text


def test_after_cancellation_it_is_not_reported(no1, monkeypatch):
    """APP-5 JRN-1: neither the actual nor its reversal waits; the 8 h are invoiced."""
    rated(no1)
    contract = euro_contract(no1)
    big, _ = approved_before_there_was_a_bound(no1, monkeypatch)
    add_all(no1)
    cancel_approval([Entry.objects.get(pk=big.pk)], by=no1.manager, on=MARCH_31)
    assert added_and_left(no1) == (1, [])  # the reversal of its cost
    assert not ActualToJournal.objects.exists()
    period = no1.entity.fiscal_years.get(year=2025).periods.get(starts=date(2025, 3, 1))
    assert "ACTUALS" not in {kind.code for kind in still_open(period)}

    mark_ready(BacklogItem.objects.filter(contract=contract).open(), by=no1.manager)
    proposal = proposed(no1, *BacklogItem.objects.ready())
    assert post(proposal, by=no1.accountant, on=MARCH_31).total == Decimal(1000)
    assert list(findings(no1.entity)) == []


def test_an_actual_canceled_before_it_was_added_gets_no_line(no1, monkeypatch):
    """APP-5 JRN-7: canceled before it was added to a journal; an ordinary amount is posted and reversed."""
    rated(no1)
    euro_contract(no1)
    entries = approved_before_there_was_a_bound(no1, monkeypatch)
    cancel_approval([Entry.objects.get(pk=entry.pk) for entry in entries], by=no1.manager, on=MARCH_31)
    assert added_and_left(no1) == (6, [])  # two costs and the sale of the 8 h, and their reversals
    assert sum(JournalLine.objects.values_list("accounting_amount", flat=True)) == 0


def test_an_actual_canceled_after_a_return_is_not_reported(no1, monkeypatch):
    """PRP-6 JRN-1: 5,000,000,000 pieces were confirmed without a rate, returned, and canceled."""
    contract = euro_contract(no1)
    big, _ = approved_before_there_was_a_bound(no1, monkeypatch, "5000000000")
    sale = Actual.objects.get(entry=big, type="unbilled")
    mark_ready([sale.backlog_item], by=no1.manager)
    proposal = create_proposal(confirmed(no1, sale.backlog_item))
    rated(no1)
    (said,) = added_and_left(no1)[1]
    assert (said.code, said.params["actual"]) == ("ACTUAL-TOO-LARGE-CONVERTED", str(sale.pk))
    assert said.params["amount"] == Amount(Decimal("579999420000000.00"), "NOK")
    assert proposal.status == InvoiceProposal.Status.BLOCKED

    draft = return_proposal(proposal, by=no1.accountant, reason="A slip.", on=MARCH_31)
    delete_draft(draft, by=no1.manager)
    cancel_approval([Entry.objects.get(pk=big.pk)], by=no1.manager, on=MARCH_31)
    assert added_and_left(no1)[1] == []
    assert not ActualToJournal.objects.exists()
    assert contract.status == "confirmed"


def test_a_wrong_rate_is_corrected_and_nothing_is_lost(no1):
    """JRN-2 MON-8: 1,000,000 × 9,999.99 EUR is within the limit at 11.60, and not at 11,600."""
    wrong = rated(no1)
    euro_contract(no1)
    entry = factories.material_entry(no1, "1000000", date=DAY)
    approve([entry], by=no1.manager)
    ExchangeRate.objects.filter(pk=wrong.pk).update(rate=Decimal(11600))
    assert added_and_left(no1)[1][0].params["rate"] == 11600
    cancel_approval([Entry.objects.get(pk=entry.pk)], by=no1.manager, on=MARCH_31)
    assert len(added_and_left(no1)[1]) == 2  # the rate could still be right
    ExchangeRate.objects.filter(pk=wrong.pk).update(rate=Decimal("11.60"))
    assert added_and_left(no1) == (2, [])
    amounts = JournalLine.objects.filter(actual__type="unbilled").order_by("pk")
    assert [line.accounting_amount for line in amounts] == [Decimal("115999884000"), Decimal("-115999884000")]
