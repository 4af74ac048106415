"""The pages of fiscal periods: access, open items, closing and opening."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import LegalEntity
from invoicing_site.models import AuditEvent
from ledger.books.periods import period_of
from ledger.closing.still_open import still_open, still_open_in
from ledger.journal.operations.journals import add_to_journals
from ledger.models import FiscalPeriod
from tests import factories
from tests.ledger.billing import MARCH_10, MARCH_31, drafted, proposed, work

pytestmark = pytest.mark.django_db

APRIL_20 = datetime.date(2025, 4, 20)
FEBRUARY_3 = datetime.date(2025, 2, 3)


@pytest.fixture(autouse=True)
def _the_twentieth_of_april(monkeypatch):
    """Every day is 20 April 2025."""
    monkeypatch.setattr(LegalEntity, "today", lambda self: APRIL_20)


@pytest.fixture
def march(no1):
    return period_of(no1.entity, MARCH_10)


@pytest.fixture
def accountant(client, no1):
    """The client, signed in as the accountant."""
    client.force_login(no1.accountant)
    return client


def words(response):
    return response.content.decode()


def posted(client, name, period):
    return client.post(reverse(name, args=[period.pk]), follow=True)


def status(period):
    return FiscalPeriod.objects.get(pk=period.pk).status


@pytest.mark.parametrize(
    ("role", "code"),
    [("accountant", 200), ("auditor", 200), ("manager", 403), ("member", 403), ("administrator", 403)],
)
def test_who_can_see_periods(client, no1, march, role, code):
    """SEC-1"""
    client.force_login(getattr(no1, role))

    assert client.get("/periods/").status_code == code
    assert client.get(f"/periods/{march.pk}/").status_code == (200 if code == 200 else 404)


@pytest.mark.parametrize("name", ["close_period", "hold_period", "reopen_period"])
def test_who_can_close_and_open_periods(client, no1, march, name):
    """SEC-1: an auditor can't, and periods of another company are not found."""
    client.force_login(no1.auditor)
    assert posted(client, name, march).status_code == 403
    text = words(client.get(f"/periods/{march.pk}/")) + words(client.get("/periods/"))
    assert reverse(name, args=[march.pk]) not in text
    client.force_login(factories.company("SE1").accountant)
    assert posted(client, name, march).status_code == 404
    assert client.get(reverse(name, args=[march.pk])).status_code in (404, 405)
    assert status(march) == "open"


def test_the_list_shows_open_items_and_their_age(accountant, no1, contract, march):
    """PST-6: an entry of 10 March is 41 days old on 20 April"""
    factories.time_entry(no1, date=MARCH_10, status="draft")

    text = words(accountant.get("/periods/"))

    # The twelve periods of 2024, and January to March
    assert "15 past periods are not closed" in text
    assert "Entries that are not approved:</span> 1" in text
    assert "41 days" in text
    assert (
        "Close March 2025 of NO1? Then nothing can be posted in it. Open items: 1 entry is not approved."
        in text
    )
    assert "Close April 2025" not in text  # this period is not in the past


def test_a_period_names_its_open_items_and_their_owners(accountant, no1, contract, march):
    """PST-6"""
    entry = factories.time_entry(no1, date=MARCH_10, status="draft")
    submitted = factories.time_entry(no1, date=MARCH_10)
    proposal = proposed(no1, work(no1, contract))
    proforma = drafted(no1, work(no1, contract))
    add_to_journals(no1.entity, on=MARCH_31, by=None)
    actual = factories.ActualFactory(line=contract.lines.first(), date=MARCH_31)

    text = words(accountant.get(f"/periods/{march.pk}/"))

    for row in (entry, submitted):
        assert reverse("entry", args=[row.pk]) in text
    assert ">Anna<" in text
    assert str(no1.manager) in text
    assert proposal.get_absolute_url() in text
    assert proforma.get_absolute_url() in text
    assert reverse("explain", args=["actual", actual.pk]) in text
    assert no1.entity.journals.get(status="draft").get_absolute_url() in text
    assert "Control accounts on 31 Mar 2025" in text
    assert "Agrees" in text
    assert "Differs" not in text


def test_closing_shows_the_remaining_open_items(accountant, no1, march):
    """PST-6"""
    factories.time_entry(no1, date=MARCH_10, status="draft")

    text = words(posted(accountant, "close_period", march))

    assert "March 2025 is closed. Open items: 1 entry is not approved." in text
    assert status(march) == "closed"
    assert AuditEvent.objects.get(action="ledger.close_period").by == no1.accountant
    assert "is already closed" in words(posted(accountant, "close_period", march))


def test_a_period_is_put_on_hold_and_opened_again(accountant, march):
    """PST-6"""
    assert "March 2025 is on hold" in words(posted(accountant, "hold_period", march))
    assert status(march) == "hold"
    text = words(accountant.get(f"/periods/{march.pk}/"))
    assert reverse("hold_period", args=[march.pk]) not in text

    assert "March 2025 is open again." in words(posted(accountant, "reopen_period", march))
    assert status(march) == "open"


def test_a_future_period_shows_no_open_items(accountant, no1):
    may = period_of(no1.entity, datetime.date(2025, 5, 1))

    assert "The period has not begun." in words(accountant.get(f"/periods/{may.pk}/"))


def test_periods_are_read_together(no1, contract, march, django_assert_num_queries):
    """PST-6: each has the same result as alone, with five queries for all."""
    factories.time_entry(no1, date=MARCH_10, status="draft")
    factories.time_entry(no1, date=FEBRUARY_3)
    factories.time_entry(no1, date=FEBRUARY_3)
    drafted(no1, work(no1, contract), on=MARCH_31)
    periods = list(FiscalPeriod.objects.filter(entity=no1.entity, starts__year=2025))

    with django_assert_num_queries(5):
        found = still_open_in(periods)

    assert found == {period.pk: still_open(period) for period in periods}
    february = found[period_of(no1.entity, FEBRUARY_3).pk]
    assert [(each.code, each.count, each.oldest) for each in february] == [("ENTRIES", 2, FEBRUARY_3)]
    assert still_open_in([]) == {}


def test_the_pages_take_as_many_queries_for_many_rows(accountant, no1, contract, march):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            accountant.get("/periods/")
            accountant.get(f"/periods/{march.pk}/")
        return len(captured)

    def fill():
        factories.time_entry(no1, date=MARCH_10)
        drafted(no1, work(no1, contract))
        add_to_journals(no1.entity, on=MARCH_31, by=None)
        factories.ActualFactory(line=contract.lines.first(), date=MARCH_31)

    fill()
    queries()
    few = queries()
    for _ in range(3):
        fill()

    assert queries() == few


def test_a_closed_period_can_only_be_reopened(accountant, march):
    """PST-6: after a question."""
    posted(accountant, "close_period", march)
    text = words(accountant.get(f"/periods/{march.pk}/"))
    assert reverse("hold_period", args=[march.pk]) not in text
    assert reverse("close_period", args=[march.pk]) not in text
    assert "Reopen this period? Journals and invoices can then be posted in it again" in text

    assert "only an open period can be put on hold. Reopen it first." in words(
        posted(accountant, "hold_period", march)
    )
    assert status(march) == "closed"


def test_closing_names_earlier_periods_that_are_open(accountant, no1, march):
    """PST-6: the twelve of 2024, January and February; then February only; then none."""
    page = f"/periods/{march.pk}/"
    many = (
        "14 earlier periods are not closed: January 2024, February 2024, March 2024 and 11 more. "
        "Close the oldest first."
    )
    assert many in words(accountant.get(page))
    assert many in words(accountant.get("/periods/"))

    no1.entity.fiscal_periods.filter(starts__lt="2025-02-01").update(status="closed")
    one = "1 earlier period is not closed: February 2025. Close the oldest first."
    assert one in words(accountant.get(page))
    assert one in words(accountant.get("/periods/"))

    no1.entity.fiscal_periods.filter(starts__lt="2025-03-01").update(status="closed")
    assert "earlier period" not in words(accountant.get(page))


def test_a_period_links_to_the_receivables_at_its_end(accountant, march):
    """PST-6 PST-8"""
    assert f"{reverse('aged_receivables')}?on=2025-03-31" in words(accountant.get(f"/periods/{march.pk}/"))
