"""An explanation shows only rows that its reader can see (SEC-1)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from actuals.models import Actual
from backlog.operations import approve, cancel_approval
from contracts.models import Membership
from invoicing_site.explain import explain_actual
from invoicing_site.explain.page import _ROWS, _visible
from ledger.models import InvoiceLine
from tests import factories
from tests.factories import DAY
from tests.journeys.steps import confirmed, drafted, invoiced, journalled

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def it():
    it = factories.company(cost_price=100, sales_price=200)
    it.deal = confirmed(factories.contract(it), it)
    it.work = factories.time_entry(it, "8", date=DAY)
    approve([it.work], by=it.manager, on=DAY)
    return it


def explanation(client, person, kind, pk):
    """The explanation as a page and as data."""
    client.force_login(person)
    address = reverse("explain", args=[kind, pk])
    page, data = client.get(address), client.get(address, {"format": "json"})
    assert (page.status_code, data.status_code) == (200, 200)
    return page.text, data


def references(data):
    yield data["reference"]
    for step in data["steps"]:
        yield from step["references"]
    for part in data["parts"]:
        yield from references(part)


def test_a_member_sees_their_entry_explained_and_no_price(client, it):
    """SEC-1 ACT-2: neither 1,600.00 nor 200, nor the rows of the price list, as a page or as data."""
    page, data = explanation(client, it.member, "entry", it.work.pk)
    for text in (page, data.text):
        assert "Anna entered 8 h of time" in text
        for hidden in ("1,600.00", "1600", "Actual", "SALES", "price list", "unbilled"):
            assert hidden not in text
    assert data.json()["parts"] == []
    assert reverse("explain", args=["entry", it.work.pk]) not in client.get(it.work.get_absolute_url()).text


def test_users_who_see_amounts_get_them_explained(client, it):
    """ACT-2: the project manager sees what is billed and not what it cost, the accountant both."""
    sold, cost = (it.work.actuals.get(type=kind) for kind in ("unbilled", "cost"))
    for person, parts in ((it.manager, [sold]), (it.accountant, [cost, sold])):
        page, data = explanation(client, person, "entry", it.work.pk)
        assert "1,600.00" in page
        assert [part["reference"] for part in data.json()["parts"]] == [
            f"actuals.actual:{part.pk}" for part in parts
        ]
        assert reverse("explain", args=["entry", it.work.pk]) in client.get(it.work.get_absolute_url()).text


def test_no_explanation_links_to_a_row_that_the_reader_cannot_see(client, it):
    """SEC-1: from every kind of start, for every role that may start there."""
    journalled(it)
    (proforma,) = drafted(it, it.deal)
    invoice = invoiced(it, proforma)
    sold = Actual.objects.get(type="unbilled", backlog_item__isnull=False)
    starts = {
        "actual": sold.pk,
        "entry": it.work.pk,
        "detail": sold.backlog_item.detail.pk,
        "proforma": proforma.pk,
        "invoice": invoice.pk,
        "line": InvoiceLine.objects.get(invoice=invoice).pk,
        "voucher": invoice.voucher_id,
    }
    seen = []
    for name in ("member", "manager", "accountant", "auditor"):
        person = getattr(it, name)
        for kind, pk in starts.items():
            client.force_login(person)
            answer = client.get(reverse("explain", args=[kind, pk]), {"format": "json"})
            if answer.status_code == 404:
                continue
            seen.append((name, kind))
            for reference in set(references(answer.json())):
                label, _, key = reference.partition(":")
                if label in _ROWS:
                    assert _visible(_ROWS[label], person).filter(pk=key).exists(), (name, kind, reference)
    most = ["actual", "entry", "detail", "proforma", "invoice", "line"]
    assert seen == [
        ("member", "entry"),
        *(("manager", kind) for kind in most),
        *((name, kind) for name in ("accountant", "auditor") for kind in starts),
    ]


def test_an_entry_on_the_project_of_another_is_explained_without_a_link(client, it):
    """SEC-1: the manager of the contract can read the explanation, and not open the page of the entry."""
    person = factories.UserFactory()
    factories.MembershipFactory(user=person, entity=it.entity, role=Membership.Role.MANAGER)
    it.deal.managers.add(person)
    page, data = explanation(client, person, "actual", it.work.actuals.get(type="unbilled").pk)
    assert "Anna entered 8 h of time" in page
    assert it.work.get_absolute_url() not in page
    assert f"actuals.entry:{it.work.pk}" not in data.text


def test_reversed_actuals_are_listed_as_reversed(client, it):
    """ACT-2: of an entry approved twice, the actuals of the first approval are marked as reversed."""
    cancel_approval([it.work], by=it.manager, on=DAY)
    approve([it.work], by=it.manager, on=DAY)
    first, second = it.work.actuals.filter(type="unbilled", reverses=None).order_by("pk")
    _, data = explanation(client, it.manager, "entry", it.work.pk)
    assert [part["subject"] for part in data.json()["parts"]] == [
        f"Actual {first.pk}: unbilled sales (time) of 10 Mar 2025, 1,600.00 NOK; reversed: approval canceled "
        "on 10 Mar 2025",
        f"Actual {second.pk}: unbilled sales (time) of 10 Mar 2025, 1,600.00 NOK",
    ]


def test_the_rows_of_an_explanation_are_read_by_their_keys(it):
    """ACT-2: one condition or another would make PostgreSQL read all actuals and details."""
    sold = it.work.actuals.get(type="unbilled")
    with CaptureQueriesContext(connection) as captured:
        explain_actual(sold)
    for table in ("actuals_actual", "proforma_linedetail"):
        read = [q["sql"] for q in captured if q["sql"].startswith(f'SELECT "{table}"."id", ')]
        assert read
        assert not any(" OR " in sql.partition(" WHERE ")[2] for sql in read)
