"""The small demo company: it has every state, and its books are correct, on any day of any year."""

import datetime
import zoneinfo
from dataclasses import replace
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import F

from actuals.models import Entry
from backlog.models import BacklogItem
from contracts.models import Customer, ExchangeRate, LegalEntity, Membership, Project, ProjectContract
from invoicing_site import demo
from invoicing_site.demo import PASSWORD
from invoicing_site.floor.querysets import total
from invoicing_site.models import User
from invoicing_site.verify import findings
from ledger.models import (
    CustomerInvoice,
    Document,
    IntegrationJournal,
    InvoiceProposal,
    InvoiceTax,
    LedgerEntry,
)
from ledger.reports import project_figures
from proforma.models import ProformaInvoice

pytestmark = pytest.mark.django_db

CREDITED = F("accounting_credit") - F("accounting_debit")


def statuses(model, **where):
    return set(model.objects.filter(**where).order_by().values_list("status", flat=True))


def check_every_state_and_the_books():
    assert findings() == []
    for entity in LegalEntity.objects.all():
        credited = total(LedgerEntry.objects.filter(account__entity=entity, account__number="3000"), CREDITED)
        figures = project_figures(Project.objects.filter(entity=entity)).values()
        assert sum(each.revenue for each in figures) == credited > 0

    assert statuses(Entry) == {"draft", "submitted", "approved", "rejected"}
    assert statuses(BacklogItem) == {"not_ready", "ready", "created", "posted", "canceled"}
    assert BacklogItem.objects.filter(needs_price=True, status="not_ready").exists()
    assert BacklogItem.objects.filter(limit_status="failed", status="not_ready").exists()
    assert statuses(ProformaInvoice) == {"draft", "review", "confirmed"}
    assert {"draft", "posted"} <= statuses(IntegrationJournal)
    for entity in LegalEntity.objects.all():
        assert statuses(InvoiceProposal, entity=entity) == {"blocked", "open", "posted"}
    invoiced = set(CustomerInvoice.objects.values_list("currency", "entity__code"))
    assert {("NOK", "NO1"), ("EUR", "HR1")} <= invoiced
    assert ProformaInvoice.objects.filter(entity__code="NO1", currency="EUR", status="confirmed").exists()
    assert not InvoiceProposal.objects.exclude(last_error=None).exists()
    outside = CustomerInvoice.objects.filter(taxes__category="O")
    assert not outside.filter(pk__in=InvoiceTax.objects.exclude(category="O").values("invoice")).exists()
    assert not ExchangeRate.objects.filter(entity__currency="EUR").exists()


def test_the_demo_shows_every_state_and_its_books_hold(django_capture_on_commit_callbacks):
    """One load, because it takes seconds: sizes, people, states, and no messages."""
    said = StringIO()
    with django_capture_on_commit_callbacks() as sent:
        call_command("demo", small=True, stdout=said)

    assert sent == []
    assert not Document.objects.exists()

    assert set(LegalEntity.objects.values_list("code", "currency")) == {("NO1", "NOK"), ("HR1", "EUR")}
    assert ProjectContract.objects.count() == 17
    assert statuses(ProjectContract) == {"draft", "confirmed"}
    assert Entry.objects.count() < 1000

    for party in (*LegalEntity.objects.all(), *Customer.objects.all()):
        party.full_clean()  # its numbers are invented and could be right (DOC-5)

    for role in Membership.Role.values:
        user = User.objects.get(username=role)
        assert user.check_password(PASSWORD)
        assert set(user.memberships.values_list("entity__code", "role")) == {("NO1", role), ("HR1", role)}
        assert role in said.getvalue()
    assert PASSWORD in said.getvalue()
    # The user who confirmed an invoice cannot post it: each company has another user who can.
    assert set(LegalEntity.objects.values_list("separate_confirm_and_post", flat=True)) == {True}
    accountants = Membership.objects.filter(role="accountant").values_list("user__username", "entity__code")
    assert set(accountants) == {
        (name, code) for name in ("accountant", "accountant2") for code in ("NO1", "HR1")
    }

    check_every_state_and_the_books()


OSLO, AHEAD, BEHIND = "Europe/Oslo", "Pacific/Auckland", "America/Los_Angeles"


@pytest.mark.sqlite  # the demo is the same on both databases, and a load takes seconds
@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        ("2026-12-01 00:23", OSLO),
        ("2026-12-07 09:00", OSLO),
        ("2026-12-15 09:00", OSLO),
        ("2026-12-31 23:50", OSLO),
        ("2027-01-01 00:20", OSLO),
        ("2027-01-04 09:00", OSLO),
        ("2027-01-31 09:00", OSLO),  # a Sunday
        ("2027-02-28 23:50", OSLO),
        ("2027-03-01 09:00", OSLO),
        ("2027-03-28 01:30", OSLO),  # half an hour before daylight saving time starts
        ("2027-03-28 03:30", OSLO),
        ("2027-05-01 09:00", OSLO),  # a Saturday
        ("2027-06-30 09:00", OSLO),
        ("2027-07-15 09:00", OSLO),
        ("2027-08-01 09:00", OSLO),
        ("2027-10-31 02:30", OSLO),  # an hour that is repeated
        ("2028-02-29 09:00", OSLO),
        ("2028-03-07 09:00", OSLO),
        ("2027-01-01 00:20", AHEAD),  # in UTC still the last day of the year
        ("2027-04-04 02:30", AHEAD),
        ("2027-12-01 08:00", AHEAD),
        ("2026-12-31 23:50", BEHIND),  # in UTC already the first day of the year
        ("2027-03-14 01:30", BEHIND),
        ("2028-02-29 20:00", BEHIND),
    ],
)
def test_the_demo_is_right_on_any_day(moment, zone, monkeypatch):
    companies = [replace(company, time_zone=zone) for company in demo.COMPANIES]
    monkeypatch.setattr(demo, "COMPANIES", companies)
    day = datetime.datetime.fromisoformat(moment).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    with time_machine.travel(day):
        demo.load(small=True)
        assert {entity.today() for entity in LegalEntity.objects.all()} == {day.date()}
        check_every_state_and_the_books()


@pytest.mark.parametrize("there_is", ["a user", "a company"])
def test_the_demo_does_not_change_a_database_in_use(there_is):
    if there_is == "a user":
        User.objects.create(username="ada")
    else:
        LegalEntity.objects.create(code="X", name="X", currency="NOK")
    with pytest.raises(CommandError, match="the demo company needs an empty one"):
        call_command("demo", small=True)
    assert not ProjectContract.objects.exists()


def test_the_demo_is_refused_in_production(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="can't be loaded in production"):
        call_command("demo", small=True)
    assert not User.objects.exists()
