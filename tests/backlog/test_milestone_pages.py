"""The pages of milestones: due, marked, billed by progress."""

from decimal import Decimal
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import confirm_contract
from contracts.models import Membership
from tests import factories


@pytest.fixture
def company(db):
    return factories.company()


@pytest.fixture
@factories.remembered
def contract(company):
    milestones = [
        {"amount": Decimal(4000), "name": "Sketch", "date": "2025-03-31"},
        {"amount": Decimal(6000), "name": "Drawing", "date": "2999-03-31"},
    ]
    line = {"method": "fixed", "milestones": milestones}
    return confirm_contract(factories.contract(company, lines=[line]), by=company.manager)


@pytest.fixture
def manager(client, company):
    client.force_login(company.manager)
    return client


def messages_of(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def item(name):
    live = BacklogItem.objects.exclude(status="canceled")
    return live.get(milestone_part__milestone__name=name, status="not_ready")


@pytest.mark.parametrize(("role", "code"), [("accountant", 200), ("auditor", 200), ("member", 403)])
def test_readers_see_milestones_and_cannot_change_them(client, company, contract, role, code):
    """SEC-1"""
    client.force_login(getattr(company, role))
    assert client.get(reverse("milestones")).status_code == code
    page = reverse("bill_progress", args=[item("Sketch").pk])
    seen = client.get(page)
    assert seen.status_code == (code if code == 200 else 404)
    if code == 200:
        assert "Mark ready" not in seen.content.decode()
    assert client.post(page, {"amount": "10"}).status_code in (403, 404)
    marked = client.post(reverse("mark_milestones_ready"), {"pk": item("Sketch").pk})
    assert marked.status_code == 403
    assert not BacklogItem.objects.ready().exists()


def test_a_milestone_of_another_manager_is_not_found(client, company, contract):
    other = factories.UserFactory()
    factories.MembershipFactory(user=other, entity=company.entity, role=Membership.Role.MANAGER)
    client.force_login(other)
    assert client.get(reverse("bill_progress", args=[item("Sketch").pk])).status_code == 404
    assert "0 milestones" in client.get(reverse("milestones")).content.decode()


def test_due_milestones_are_those_that_are_open_and_past(company, contract, manager):
    """MIL-1; the home page links here."""
    everything = manager.get(reverse("milestones")).content.decode()
    assert "10,000.00" in everything
    due = manager.get(reverse("milestones"), {"due": "1"}).content.decode()
    assert "Sketch" in due
    assert "Drawing" not in due


def test_milestones_are_marked_and_put_back(company, contract, manager):
    """BKL-2"""
    chosen = {"pk": item("Sketch").pk}
    ready = manager.post(reverse("mark_milestones_ready"), chosen, follow=True)
    assert "1 milestone marked ready to invoice." in ready.content.decode()
    undo = next(m.extra_tags for m in get_messages(ready.wsgi_request))
    undone = manager.post(undo.removeprefix("undo:"))
    assert undone.url == reverse("milestones")
    assert not BacklogItem.objects.ready().exists()
    manager.post(reverse("mark_milestones_ready"), chosen)
    assert "marked not ready" in messages_of(manager.post(reverse("mark_milestones_not_ready"), chosen))


def test_progress_billing_takes_a_percentage_or_an_amount(company, contract, manager):
    """MIL-2: 25 % of 4,000 are 1,000; then 500 of the 3,000 that are left."""
    page = reverse("bill_progress", args=[item("Sketch").pk])
    both = manager.post(page, {"percent": "25", "amount": "1000"})
    assert "Enter either a percentage or an amount" in both.content.decode()
    assert 'value="25"' in both.content.decode()
    too_much = manager.post(page, {"percent": "101", "amount": ""})
    assert "A milestone can't be billed above 100 %" in unescape(too_much.content.decode())
    assert 'value="101"' in unescape(too_much.content.decode())
    done = manager.post(page, {"percent": "25,0", "amount": ""})
    assert "NOK 1,000.00 of “Sketch” is ready to invoice. 3,000.00 stays not ready." in messages_of(done)
    rest = item("Sketch")
    assert "75 %" in manager.get(reverse("bill_progress", args=[rest.pk])).content.decode()
    manager.post(reverse("bill_progress", args=[rest.pk]), {"percent": "", "amount": "500"})
    ready = BacklogItem.objects.ready().order_by("pk").values_list("amount", flat=True)
    assert list(ready) == [Decimal(1000), Decimal(500)]


def test_many_rows_cost_as_many_queries_as_one(company, manager, django_assert_max_num_queries):
    def more(n):
        project = factories.ProjectFactory(entity=company.entity)
        lines = [{"method": "fixed", "project": project, "milestones": [Decimal(10000) / n] * n}]
        confirm_contract(factories.contract(company, lines=lines), by=company.manager)

    more(1)
    with django_assert_max_num_queries(100) as few:
        manager.get(reverse("milestones"))
    more(10)
    more(5)
    with django_assert_max_num_queries(len(few)):
        assert "16 milestones" in manager.get(reverse("milestones")).content.decode()
