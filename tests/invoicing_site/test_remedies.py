"""A refusal links to the page that fixes its cause, for users who can open it (MON-8)."""

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.screens import remedies
from ledger.journal.operations import journals
from ledger.models import InvoiceProposal, PostingAccount
from proforma import operations as proformas
from proforma.models import ProformaInvoice
from proforma.operations import confirmations
from tests import factories
from tests.background import do_jobs, post_invoices
from tests.ledger.billing import MARCH_31, drafted, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def no1():
    return factories.company()


@pytest.fixture
def contract(no1):
    return factories.contract(no1, confirmed=True)


class Asking:
    """The parts of a request that a remedy reads."""

    def __init__(self, user, entity):
        from contracts.models import may

        self.user = user
        self.may = lambda permission, within=None: may(user, permission, within or entity)


@pytest.mark.parametrize(
    ("remedy", "role", "opens"),
    [
        ("admin:contracts_exchangerate_add", "administrator", True),
        ("admin:contracts_exchangerate_add", "accountant", False),
        ("admin:contracts_exchangerate_changelist", "auditor", True),
        ("admin:contracts_exchangerate_add", "auditor", False),
        ("periods", "accountant", True),
        ("/periods/", "accountant", True),
        ("periods", "manager", False),
        ("journals", "manager", False),
        ("/nowhere/", "accountant", False),
        ("nowhere", "accountant", False),
        ("", "accountant", False),
    ],
)
def test_a_link_is_shown_to_users_who_can_open_it(no1, remedy, role, opens):
    """MON-8, SEC-1"""
    user = getattr(no1, role)
    user.is_staff = role in ("administrator", "auditor")
    user.save()
    assert bool(remedies.remedy_url(remedy, Asking(user, no1.entity))) is opens


def test_every_remedy_in_the_code_is_an_existing_address():
    """MON-8"""
    names = (
        "admin:contracts_billingtaxgroup_changelist admin:contracts_exchangerate_add"
        " admin:contracts_legalentity_changelist admin:contracts_numbersequence_add"
        " admin:contracts_numbersequence_changelist admin:contracts_category_changelist"
        " admin:ledger_integrationjournal_changelist admin:ledger_postingaccount_changelist"
        " admin:ledger_profile_changelist admin:ledger_taxcode_changelist journals periods"
    )
    assert [name for name in names.split() if not remedies.address_of(name)] == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/periods/", "Open Fiscal periods"),
        ("/journals/?status=error", "Open Integration journals"),
        ("/contracts/7/", "Open the contract"),
        ("/proposals/7/", "Open the invoice proposal"),
        ("/proposals/7/return/", "Return to the project manager"),
        ("/admin/contracts/exchangerate/add/", "Add the exchange rate"),
        ("/admin/ledger/taxcode/", "Open Tax codes"),
        ("/admin/contracts/legalentity/7/change/", "Open the legal entity"),
        ("/nowhere/", ""),
    ],
)
def test_the_link_names_its_page(address, words):
    """MON-8"""
    assert remedies.words_of(address) == words


def page(client, user, address):
    client.force_login(user)
    return client.get(address).content.decode()


def test_a_page_that_refuses_links_to_the_remedy(no1, contract, client):
    """MON-8: a user with both roles sees the link to the account; an accountant does not."""
    proposal = proposed(no1, work(no1, contract))
    PostingAccount.objects.filter(purpose="customer").delete()
    way = f'<a href="{reverse("admin:ledger_postingaccount_changelist")}">Open Posting accounts</a>'
    client.force_login(no1.accountant)
    answer = client.post(f"/proposals/{proposal.pk}/post/", follow=True)
    assert '<span class="muted">ACCOUNT-MISSING</span> Company NO1 has no account' in answer.content.decode()
    assert way not in answer.content.decode()
    factories.MembershipFactory(user=no1.accountant, entity=no1.entity, role="administrator")
    no1.accountant.is_staff = True
    no1.accountant.save()
    answer = client.post(f"/proposals/{proposal.pk}/post/", follow=True)
    assert way in answer.content.decode()


def test_a_refusal_in_a_worker_links_to_the_remedy(no1, contract, client):
    """MON-8: in the results of a job, long after the refusal."""
    factories.MembershipFactory(user=no1.accountant, entity=no1.entity, role="administrator")
    no1.accountant.is_staff = True
    no1.accountant.save()
    proposal = proposed(no1, work(no1, contract))
    PostingAccount.objects.filter(purpose="customer").delete()
    post_invoices(no1, proposal)
    address = reverse("admin:ledger_postingaccount_changelist")
    assert InvoiceProposal.objects.get().last_error.remedy == "admin:ledger_postingaccount_changelist"
    shown = page(client, no1.accountant, "/proposals/")
    assert f'<a href="{address}">Open Posting accounts</a>' in shown


def test_a_line_in_error_links_to_the_remedy(no1, contract, client):
    """MON-8 JRN-4"""
    factories.MembershipFactory(user=no1.accountant, entity=no1.entity, role="administrator")
    no1.accountant.is_staff = True
    no1.accountant.save()
    entry = factories.time_entry(no1, "8", date=MARCH_31)
    from backlog.operations import approve

    approve([entry], by=no1.manager, on=MARCH_31)
    journals.add_to_journals(no1.entity, on=MARCH_31, by=None)
    PostingAccount.objects.filter(purpose="project_cost").delete()
    (result,) = journals.post_journals(no1.entity, by=None, on=MARCH_31)
    assert result.in_error
    address = reverse("admin:ledger_postingaccount_changelist")
    assert f'<a href="{address}">Open Posting accounts</a>' in page(
        client, no1.accountant, result.remainder.get_absolute_url()
    )


def test_a_confirm_in_the_background_keeps_its_remedy(no1, contract, monkeypatch):
    """MON-8 PRO-7"""
    proforma = drafted(no1, work(no1, contract))
    proformas.confirm_many([proforma], by=no1.manager, on=MARCH_31)

    def refused(*args, **kwargs):
        raise Refused("NOTHING-ENTERED", remedy="admin:contracts_exchangerate_add")

    monkeypatch.setattr(confirmations, "confirm", refused)
    do_jobs()
    row = ProformaInvoice.objects.get()
    assert row.confirm_error == Reason("NOTHING-ENTERED", remedy="admin:contracts_exchangerate_add")


def test_commands_name_the_page(no1, contract, capsys):
    """MON-8"""
    proposal = proposed(no1, work(no1, contract))
    PostingAccount.objects.filter(purpose="customer").delete()
    with pytest.raises(CommandError):
        call_command("post_invoices", entity="NO1", on=MARCH_31)
    said = capsys.readouterr().out
    assert f"{proposal.number} is not posted:" in said
    assert "Its page: /admin/ledger/postingaccount/" in said
