"""The demo company, on a small scale: every state is there, and the books hold."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from actuals.models import Entry
from backlog.models import BacklogItem
from contracts.models import ExchangeRate, LegalEntity, Membership, Project, ProjectContract
from invoicing_site.demo import PASSWORD
from invoicing_site.models import User
from invoicing_site.querysets import total
from invoicing_site.verify import findings
from ledger.models import CustomerInvoice, Document, IntegrationJournal, InvoiceProposal, LedgerEntry
from ledger.reports import project_figures
from proforma.models import ProformaInvoice

pytestmark = pytest.mark.django_db

CREDITED = F("accounting_credit") - F("accounting_debit")


def statuses(model, **where):
    return set(model.objects.filter(**where).order_by().values_list("status", flat=True))


def test_the_demo_shows_every_state_and_its_books_hold(django_capture_on_commit_callbacks):
    """One load, because it takes seconds: sizes, people, states, and the doorbells that stay silent."""
    said = StringIO()
    with django_capture_on_commit_callbacks() as rung:
        call_command("demo", small=True, stdout=said)

    assert findings() == []
    for entity in LegalEntity.objects.all():
        credited = total(LedgerEntry.objects.filter(account__entity=entity, account__number="3000"), CREDITED)
        figures = project_figures(Project.objects.filter(entity=entity)).values()
        assert sum(each.revenue for each in figures) == credited > 0
    assert rung == []
    assert not Document.objects.exists()

    assert set(LegalEntity.objects.values_list("code", "currency")) == {("NO1", "NOK"), ("HR1", "EUR")}
    assert ProjectContract.objects.count() == 25
    assert statuses(ProjectContract) == {"draft", "confirmed"}
    assert Entry.objects.count() < 1000

    for role in Membership.Role.values:
        user = User.objects.get(username=role)
        assert user.check_password(PASSWORD)
        assert set(user.memberships.values_list("entity__code", "role")) == {("NO1", role), ("HR1", role)}
        assert role in said.getvalue()
    assert PASSWORD in said.getvalue()
    # Who confirmed an invoice may not post it: in each company there is somebody else who may.
    assert set(LegalEntity.objects.values_list("separate_confirm_and_post", flat=True)) == {True}
    accountants = Membership.objects.filter(role="accountant").values_list("user__username", "entity__code")
    assert set(accountants) == {
        (name, code) for name in ("accountant", "accountant2") for code in ("NO1", "HR1")
    }

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
    assert not InvoiceProposal.objects.exclude(last_error="").exists()
    assert not ExchangeRate.objects.filter(entity__currency="EUR").exists()


@pytest.mark.parametrize("there_is", ["a user", "a company"])
def test_the_demo_leaves_a_database_that_is_in_use_alone(there_is):
    if there_is == "a user":
        User.objects.create(username="ada")
    else:
        LegalEntity.objects.create(code="X", name="X", currency="NOK")
    with pytest.raises(CommandError, match="only moves into an empty one"):
        call_command("demo", small=True)
    assert not ProjectContract.objects.exists()


def test_the_demo_stays_out_of_production(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production database"):
        call_command("demo", small=True)
    assert not User.objects.exists()
