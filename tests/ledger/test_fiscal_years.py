"""Fiscal years: the next one is added in one click, and people are notified in time."""

import datetime

import pytest
import time_machine
from django.urls import reverse

from invoicing_site.celery import app
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, Notice
from invoicing_site.pages.checklist import steps_for
from ledger.books.periods import period_of
from ledger.models import FiscalPeriod, FiscalYear
from ledger.setup.fiscal_years import last_year, next_year
from ledger.setup.operations import add_year_after
from ledger.tasks import look_at_fiscal_years
from tests.factories.rows import LegalEntityFactory

pytestmark = pytest.mark.django_db

# The books of the company end in 2027.
EARLY, SOON, AFTER = (
    datetime.datetime(*day, 12, tzinfo=datetime.UTC) for day in ((2027, 10, 31), (2027, 11, 1), (2028, 1, 3))
)
SENTENCE = (
    "The last fiscal year of Company NO1, 2027, ends on 31 Dec 2027. "
    "Nothing can be posted after that day until the next fiscal year is added."
)


def page(client, user):
    client.force_login(user)
    return client.get(reverse("periods")).content.decode()


def test_the_next_year_is_added_with_a_period_for_each_month(no1, client):
    """PST-6"""
    last = last_year(no1.entity)
    client.force_login(no1.accountant)
    answer = client.post(reverse("add_fiscal_year", args=[last.pk]), follow=True).content.decode()

    assert "Fiscal year 2028 is added, with 12 open periods." in answer
    year = FiscalYear.objects.get(entity=no1.entity, year=2028)
    assert (year.name, year.starts, year.ends) == (
        "2028",
        datetime.date(2028, 1, 1),
        datetime.date(2028, 12, 31),
    )
    leap = period_of(no1.entity, datetime.date(2028, 2, 29))
    assert (leap.number, leap.status, leap.ends) == (2, "open", datetime.date(2028, 2, 29))
    event = AuditEvent.objects.get(action="ledger.add_fiscal_year")
    assert (event.by, event.subject_id) == (no1.accountant, str(year.pk))


def test_two_clicks_add_one_year(no1):
    last = last_year(no1.entity)
    add_year_after(last, by=no1.accountant)
    with pytest.raises(Refused, match="already has a fiscal year after 2027") as refusal:
        add_year_after(last, by=no1.accountant)
    assert refusal.value.code == "YEAR-EXISTS"
    assert last_year(no1.entity).year == 2028


@pytest.mark.parametrize(
    ("starts_in", "last", "name", "starts", "ends", "periods"),
    [
        (7, ("2026-07-01", "2027-06-30"), "2027/2028", "2027-07-01", "2028-06-30", 12),
        # If a company's year moves from the calendar year to July, there is a short year in between.
        (7, ("2026-01-01", "2026-12-31"), "2026/2027", "2027-01-01", "2027-06-30", 6),
        # The first year starts on the day of founding; the next one is a full year.
        (1, ("2026-10-15", "2026-12-31"), "2027", "2027-01-01", "2027-12-31", 12),
        (1, ("2026-10-15", "2027-12-31"), "2028", "2028-01-01", "2028-12-31", 12),
    ],
)
def test_the_next_year_follows_the_last_one_and_the_calendar(starts_in, last, name, starts, ends, periods):
    entity = LegalEntityFactory(fiscal_year_start_month=starts_in)
    first, end = map(datetime.date.fromisoformat, last)
    year = FiscalYear.objects.create(
        entity=entity, name="x", year=entity.fiscal_year(first), starts=first, ends=end
    )
    added = add_year_after(year, by=None)

    assert (added.name, str(added.starts), str(added.ends)) == (name, starts, ends)
    assert added.periods.count() == periods
    assert added.periods.order_by("number").last().ends == added.ends


def test_the_first_year_is_that_of_today():
    entity = LegalEntityFactory(fiscal_year_start_month=7, time_zone="Pacific/Auckland")
    with time_machine.travel(datetime.datetime(2028, 6, 30, 13, tzinfo=datetime.UTC)):  # July over there
        assert (next_year(entity).name, next_year(entity).year) == ("2028/2029", 2029)


def test_the_page_warns_sixty_days_before_the_last_year_ends(no1, client):
    for moment, text in ((EARLY, ""), (SOON, SENTENCE), (AFTER, SENTENCE.replace("ends on", "ended on"))):
        with time_machine.travel(moment):
            shown = page(client, no1.accountant)
        assert text in shown
        assert ("flash warning" in shown) == bool(text)
        assert "Add fiscal year 2028" in shown
    with time_machine.travel(SOON):
        add_year_after(last_year(no1.entity), by=no1.accountant)
        assert "flash warning" not in page(client, no1.accountant)
        assert "Add fiscal year" not in page(client, no1.auditor)


@pytest.mark.parametrize(("today", "offered"), [((2026, 12, 29), False), ((2026, 12, 30), True)])
def test_the_next_year_is_offered_once_the_last_one_ends_within_a_year(no1, client, today, offered):
    """PST-6: 29 December 2026 is 367 days before the end of 2027"""
    with time_machine.travel(datetime.datetime(*today, 12, tzinfo=datetime.UTC)):
        assert ("Add fiscal year 2028" in page(client, no1.accountant)) == offered


def test_the_checklist_names_the_next_year(no1):
    def missing():
        return next(step for step in steps_for(no1.entity) if step.title == "Fiscal periods").missing

    with time_machine.travel(EARLY):
        assert missing() == ""
    with time_machine.travel(SOON):
        assert missing() == SENTENCE
    with time_machine.travel(AFTER):
        assert missing() == "No open period includes today."


def test_users_who_add_years_are_notified_once_before_the_end(no1):
    with time_machine.travel(EARLY):
        look_at_fiscal_years()
        assert not Notice.objects.exists()
    with time_machine.travel(SOON):
        look_at_fiscal_years()
        look_at_fiscal_years()
    notices = {notice.user: (notice.text, notice.url) for notice in Notice.objects.all()}
    assert len(notices) == Notice.objects.count()
    assert notices == {
        no1.accountant: (SENTENCE, reverse("periods")),
        no1.administrator: (SENTENCE, reverse("admin:ledger_fiscalyear_add")),
    }
    assert "ledger.tasks.look_at_fiscal_years" in {each["task"] for each in app.conf.beat_schedule.values()}


def test_the_administration_offers_the_next_year_with_periods(no1, client):
    user = no1.administrator
    user.is_staff = True
    user.save()
    client.force_login(user)
    add = reverse("admin:ledger_fiscalyear_add")
    offered = client.get(add).context["adminform"].form.initial
    assert {name: str(offered[name]) for name in ("name", "year", "starts", "ends")} == {
        "name": "2028",
        "year": "2028",
        "starts": "2028-01-01",
        "ends": "2028-12-31",
    }
    rows = {"periods-TOTAL_FORMS": "0", "periods-INITIAL_FORMS": "0"}
    fields = {name: str(offered[name]) for name in ("entity", "name", "year", "starts", "ends")}
    assert client.post(add, fields | rows).status_code == 302
    assert FiscalPeriod.objects.filter(entity=no1.entity, year__year=2028).count() == 12
