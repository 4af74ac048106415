"""Items over a limit are checked again after the limit, or its used amount, has changed."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.not_to_exceed import LimitBook
from backlog.operations import approve, confirm_contract, evaluate, mark_ready
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db
DAYS = [datetime.date(2025, 3, day) for day in (3, 4, 5)]


@pytest.fixture
def no1():
    return factories.company()


@pytest.fixture
@factories.remembered
def deal(no1):
    """A limit of 2,000, an hour at 200: of three days of 5 h two fit, the third is over by 1,000."""
    deal = factories.contract(no1, limit=Decimal(2000))
    confirm_contract(deal, by=no1.manager, on=DAYS[0])
    for day in DAYS:
        approve([factories.time_entry(no1, "5", date=day)], by=no1.manager, on=DAYS[-1])
    deal.refresh_from_db()
    return deal


def statuses():
    return list(BacklogItem.objects.order_by("date", "pk").values_list("limit_status", "limit_over"))


def test_a_raised_limit_covers_items_in_order_and_the_rest_shows_its_excess(no1, deal):
    """NTE-3 NTE-1: 2,000 used of 2,500, so 1,000 more is over by 500; of 3,000 it fits"""
    assert statuses() == [("committed", None), ("committed", None), ("failed", Decimal(1000))]

    deal.limit = Decimal(2500)
    deal.save()
    found = evaluate(list(BacklogItem.objects.all()), by=no1.manager)
    assert (found.fitting, found.failed, found.reasons) == (
        0,
        1,
        {"over a not-to-exceed limit (contract, by 500.00 NOK)": 1, "already within its limits": 2},
    )
    assert statuses()[2] == ("failed", Decimal(500))

    deal.limit = Decimal(3000)
    deal.save()
    assert evaluate(list(BacklogItem.objects.all()), by=no1.manager)[:2] == (1, 0)
    assert statuses()[2] == ("committed", None)
    assert mark_ready(BacklogItem.objects.all(), by=no1.manager).changed == 3
    assert AuditEvent.objects.filter(action="backlog.evaluate").count() == 2


def test_the_oldest_work_uses_the_rest_of_the_limit_once(no1, deal):
    """NTE-3 NTE-4: 3 × 1,000 not evaluated under 2,000; the third is over by 1,000 again"""
    BacklogItem.objects.update(limit_status="not_evaluated", limit_level="", limit_over=None)

    found = evaluate(list(BacklogItem.objects.order_by("-pk")), by=no1.manager)
    assert (found.fitting, found.failed, found.reasons) == (
        2,
        1,
        {"over a not-to-exceed limit (contract, by 1,000.00 NOK)": 1},
    )
    assert statuses() == [("committed", None), ("committed", None), ("failed", Decimal(1000))]


def test_the_oldest_work_comes_first_also_where_it_was_approved_last(no1):
    """NTE-3: approved from the last day to the first, 3 × 1,000 under 2,000; the last day does not fit."""
    confirm_contract(factories.contract(no1, limit=Decimal(2000)), by=no1.manager, on=DAYS[0])
    for day in reversed(DAYS):
        approve([factories.time_entry(no1, "5", date=day)], by=no1.manager, on=DAYS[-1])
    BacklogItem.objects.update(limit_status="not_evaluated", limit_level="", limit_over=None)

    evaluate(list(BacklogItem.objects.all()), by=no1.manager)

    assert statuses() == [("committed", None), ("committed", None), ("failed", Decimal(1000))]


def test_milestones_use_no_limit_of_a_line_and_tax_and_retainers_none_at_all(no1):
    """NTE-1: of 2,000 each, 500 of work use every limit, and 400 of a milestone those above the line."""
    contract = factories.contract(no1, limit=Decimal(2000), lines=[{"limit": Decimal(2000)}], confirmed=True)
    line = contract.lines.get()
    contract.customers.update(limit=Decimal(2000))
    line.customers.update(limit=Decimal(2000))
    billed = {"time": 500, "milestone": 400, "tax": 225, "retainer": 5000}
    for transaction_class, amount in billed.items():
        factories.ActualFactory(
            line=line, type="billed", transaction_class=transaction_class, amount=Decimal(amount)
        )

    book, customer, level = LimitBook.load(contract), contract.customers.get().pk, BacklogItem.LimitLevel
    assert (book.left(level.CONTRACT), book.left(level.CUSTOMER, customer)) == (1100, 1100)
    assert (book.left(level.LINE, line.pk), book.left(level.LINE_CUSTOMER, line.pk, customer)) == (1500, 1500)


def test_without_a_limit_items_no_longer_fail(no1, deal):
    """NTE-3"""
    deal.limit = None
    deal.save()

    evaluate(list(BacklogItem.objects.filter(limit_status="failed")), by=no1.manager)
    assert statuses()[2] == ("na", None)


def test_ready_and_non_chargeable_items_do_not_change(no1, deal):
    """NTE-3: others in the selection are counted in the answer"""
    first = BacklogItem.objects.order_by("date", "pk").first()
    mark_ready([first], by=no1.manager)
    not_charged = factories.ready_item(
        no1, deal, billing_type="non_chargeable", status="not_ready", limit_status="na"
    )

    answer = evaluate([first, not_charged], by=no1.manager)
    assert answer[:2] == (0, 0)
    assert answer.reasons == {"already ready to invoice": 1, "not chargeable": 1}
    with pytest.raises(Refused, match="Nothing is selected"):
        evaluate([], by=no1.manager)


def test_the_page_counts_what_fits_and_links_to_what_does_not(no1, deal, client):
    """NTE-3 BKL-2"""
    client.force_login(no1.manager)
    deal.limit = Decimal(2500)
    deal.save()
    failed = BacklogItem.objects.get(limit_status="failed")

    page = client.post(reverse("evaluate_items"), {"pk": failed.pk}, follow=True).content.decode()
    assert "No item fits its limits now" in page
    assert "over a not-to-exceed limit" in page
    assert "blocked=OVER-LIMIT" in page

    deal.limit = Decimal(3000)
    deal.save()
    page = client.post(reverse("evaluate_items"), {"pk": failed.pk}, follow=True).content.decode()
    assert "1 item fits its limits now" in page
