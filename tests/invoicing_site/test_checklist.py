"""The first page of the administration: the groups of the sidebar, and what a company lacks to invoice."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

from contracts.models import NumberSequence
from invoicing_site.pages.checklist import steps_for
from tests.factories import company, contract
from tests.factories.rows import LegalEntityFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


def lacking(entity):
    return {step.title: step.missing for step in steps_for(entity) if step.missing}


@pytest.fixture
def it():
    it = company()
    contract(it)
    return it


@pytest.fixture
def administrator(it, client):
    user = UserFactory(is_staff=True)
    MembershipFactory(user=user, entity=it.entity, role="administrator")
    client.force_login(user)
    return client


def index(client):
    return client.get(reverse("admin:index")).content.decode()


def test_a_new_company_lacks_everything():
    assert list(lacking(LegalEntityFactory())) == [
        "People",
        "Number sequences",
        "Fiscal periods",
        "Accounts to post to",
        "Posting profile",
        "Tax",
        "Sales prices",
        "Contracts",
    ]


def test_a_company_that_can_invoice_lacks_at_most_periods(it):
    """The company of the tests bills; only its periods may be missing, because they end before today."""
    assert set(lacking(it.entity)) <= {"Fiscal periods"}


@pytest.mark.parametrize(
    ("spoil", "title", "words"),
    [
        (
            lambda it: it.entity.number_sequences.filter(kind=NumberSequence.Kind.INVOICE).delete(),
            "Number sequences",
            "No number sequence for: customer invoice.",
        ),
        (
            lambda it: it.entity.posting_accounts.filter(purpose__in=["bank", "customer"]).delete(),
            "Accounts to post to",
            "No general posting account for: customer balance and bank.",
        ),
        (
            lambda it: it.entity.memberships.filter(role="accountant").delete(),
            "People",
            "There is no project accountant.",
        ),
        (
            lambda it: it.entity.contracts.update(currency="USD"),
            "Exchange rates",
            "No official exchange rate for: USD.",
        ),
    ],
)
def test_each_missing_setting_is_named(it, spoil, title, words):
    spoil(it)
    assert lacking(it.entity)[title] == words


def test_the_index_links_to_missing_settings(administrator, it):
    """Section 11"""
    it.entity.number_sequences.filter(kind="invoice").delete()
    page = index(administrator)
    assert "missing before the first invoice can be posted" in page
    assert "No number sequence for: customer invoice." in page
    address = f"{reverse('admin:contracts_numbersequence_changelist')}?legal_entity={it.entity.pk}"
    assert f'href="{address}"' in page
    assert administrator.get(address).status_code == 200


def test_the_index_shows_the_groups_of_the_sidebar_with_what_each_is_for(administrator):
    content = index(administrator).partition('id="content"')[2]
    groups = settings.UNFOLD["SIDEBAR"]["navigation"]
    titles = [title.strip() for title in re.findall(r"<h2[^>]*>([^<]+)</h2>", content)]
    assert titles[-len(groups) :] == [group["title"] for group in groups]
    assert all(group["about"] and group["about"].replace("'", "&#x27;") in content for group in groups)


def test_the_index_shows_no_other_company(administrator):
    """SEC-1"""
    other = LegalEntityFactory(name="Somebody else")
    assert other.name not in index(administrator)
