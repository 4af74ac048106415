"""The backlog as a page: totals, groups, marks, holds, and how old it is."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from backlog.models import BacklogItem
from backlog.operations import confirm_contract, hold
from backlog.views import aging as aging_page
from contracts.models import Membership
from tests import factories


@pytest.fixture
def company(db):
    return factories.company()


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company, limit=Decimal(5000)), by=company.manager)


@pytest.fixture
def manager(client, company):
    client.force_login(company.manager)
    return client


@pytest.fixture
def today(company):
    return company.entity.today()


def share(company, contract, **fields):
    fields = {"status": "not_ready", "limit_status": "committed", **fields}
    over = fields.pop("over", None)
    item = factories.ready_item(company, contract, **fields)
    if over:
        BacklogItem.objects.filter(pk=item.pk).update(
            limit_status="failed", limit_level="contract", limit_over=over
        )
    return item


def messages_of(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.mark.parametrize(
    ("role", "code"), [("accountant", 200), ("auditor", 200), ("member", 403), ("administrator", 403)]
)
def test_readers_cannot_mark_items(client, company, contract, role, code):
    """SEC-1"""
    item = share(company, contract)
    client.force_login(getattr(company, role))
    page = client.get(reverse("backlog"))
    assert page.status_code == code
    assert client.get(reverse("aging")).status_code == code
    if code == 200:
        assert "Mark ready" not in page.content.decode()
    for name in ("mark_ready", "mark_not_ready", "hold_items", "release_holds"):
        assert client.post(reverse(name), {"pk": item.pk}).status_code == 403


def test_rows_of_another_manager_are_not_marked(client, company, contract):
    item = share(company, contract)
    other = factories.UserFactory()
    factories.MembershipFactory(user=other, entity=company.entity, role=Membership.Role.MANAGER)
    client.force_login(other)
    assert "0 items" in client.get(reverse("backlog")).content.decode()
    assert "Nothing is selected" in messages_of(client.post(reverse("mark_ready"), {"pk": item.pk}))
    assert "Nothing unbilled" in client.get(reverse("aging")).content.decode()


def test_totals_show_what_is_ready_and_what_is_left_of_the_limit(company, contract, manager):
    """BKL-1 BKL-7: 200 ready, 400 waiting, 600 over the limit of 5,000, of which 600 are used."""
    share(company, contract, status="ready")
    share(company, contract, quantity=2)
    share(company, contract, quantity=3, over=Decimal(100))
    text = manager.get(reverse("backlog")).content.decode()
    assert "1,200.00" in text
    assert "Left of the limit" not in text
    filtered = manager.get(reverse("backlog"), {"contract": contract.pk}).context
    assert [(e["sum"], e["ready"], e["over"]) for e in filtered["sums"]] == [(1200, 200, 600)]
    assert filtered["limits"] == [("Contract", Decimal(5000), Decimal(4400))]


def test_totals_count_chargeable_items_only(company, contract, manager):
    """PRO-3, APP-3: of 7.5 h at 1,190 six are billable; the rest is shown with its value, and not counted."""
    price = Decimal(1190)
    share(company, contract, status="ready", quantity=6, price=price)
    spared = Decimal("1.5")
    rest = share(
        company, contract, status="ready", quantity=spared, price=price, billing_type="non_chargeable"
    )
    gift = share(company, contract, quantity=1, price=price, billing_type="complimentary")
    page = manager.get(reverse("backlog"))
    (found,) = page.context["sums"]
    assert [found[name] for name in ("n", "sum", "ready", "not_charged")] == [3, 7140, 7140, 2975]
    chosen = {row.record.pk: Decimal(row.attrs["data-amount"]) for row in page.context["table"].rows}
    assert (sum(chosen.values()), chosen[rest.pk], chosen[gift.pk]) == (7140, 0, 0)
    text = page.content.decode()
    assert "Non-chargeable" in text
    assert "1,785.00" in text
    assert "without" in text
    assert "2,975.00" in text
    groups = manager.get(reverse("backlog"), {"group": "contract"}).context["groups"]
    assert [(group["n"], group["sum"], group["ready"]) for group in groups] == [(3, 7140, 7140)]
    aged = manager.get(reverse("aging")).context["totals"]
    assert [(currency, found[-1]) for currency, found in aged] == [("NOK", ("Total", 7140))]


@pytest.mark.parametrize("by", ["contract", "project", "customer", "role", "month"])
def test_groups_have_totals_and_link_to_their_rows(company, contract, manager, by):
    """BKL-1"""
    share(company, contract, date=factories.DAY)
    share(company, contract, date=factories.DAY, quantity=2)
    share(company, contract, date=factories.DAY + timedelta(days=60))
    response = manager.get(reverse("backlog"), {"group": by, "status": "not_ready"})
    groups = response.context["groups"]
    assert sum(group["sum"] for group in groups) == 800
    assert "Group by" in response.content.decode()
    for group in groups:
        if group["url"]:
            assert manager.get(group["url"]).context["matching"] == group["n"]


def test_the_message_links_to_the_skipped_items(company, contract, manager, today):
    """BKL-2"""
    free, failed, held = share(company, contract), share(company, contract), share(company, contract)
    BacklogItem.objects.filter(pk=failed.pk).update(
        limit_status="failed", limit_level="contract", limit_over=1
    )
    hold([held], until=today + timedelta(days=3), reason="Waits", by=company.manager)
    response = manager.post(reverse("mark_ready"), {"pk": [free.pk, failed.pk, held.pk]})
    assert "1 item marked ready to invoice." in messages_of(response)
    assert "?blocked=OVER-LIMIT&amp;blocked=ON-HOLD" in messages_of(response)
    left = manager.get(f"{reverse('backlog')}?blocked=OVER-LIMIT&blocked=ON-HOLD")
    assert set(left.context["object_list"].values_list("pk", flat=True)) == {failed.pk, held.pk}


def test_a_hold_asks_for_its_day_and_reason(company, contract, manager, today):
    """BKL-5"""
    item = share(company, contract)
    form = manager.post(reverse("hold_items"), {"pk": item.pk})
    assert f'name="pk" value="{item.pk}"' in form.content.decode()
    typed = {"pk": item.pk, "_answered": "1", "until": today.isoformat(), "reason": "Customer asks"}
    refused = manager.post(reverse("hold_items"), typed).content.decode()
    assert "Choose a day after today" in refused
    assert 'value="Customer asks"' in refused
    day = today + timedelta(days=1)
    done = manager.post(reverse("hold_items"), {**typed, "until": day.isoformat()}, follow=True)
    assert "1 item put on hold" in done.content.decode()
    assert "Customer asks" in done.content.decode()
    item.refresh_from_db()
    assert (item.hold_until, item.held_by) == (day, company.manager)
    assert "1 item released from hold" in messages_of(manager.post(reverse("release_holds"), {"pk": item.pk}))


def test_aging_links_to_the_rows_and_names_their_blockers(company, contract, manager, today):
    """BKL-4: 200 of 10 days, 400 of 100 days over the limit."""
    young = share(company, contract, date=today - timedelta(days=10))
    old = share(company, contract, date=today - timedelta(days=100), quantity=2, over=Decimal(7))
    for by in ("contract", "project", "manager"):
        page = manager.get(reverse("aging"), {"by": by})
        (row,) = page.context["rows"]
        assert [amount for _, amount, _ in row.cells] == [200, 0, 0, 400]
        assert manager.get(row.cells[0][2]).context["object_list"].get() == young
        assert manager.get(row.cells[3][2]).context["object_list"].get() == old
        assert [(words, n) for words, n, _ in row.kept] == [("over a not-to-exceed limit", 1)]
        items = manager.get(reverse("aging") + row.url).content.decode()
        assert "It is over the limit of the contract by 7.00 NOK" in items
        assert "It is not marked ready to invoice" in items
        assert "Project manager (" in items
    past = manager.get(reverse("aging"), {"on": (today - timedelta(days=50)).isoformat()})
    (row,) = past.context["rows"]
    assert [amount for _, amount, _ in row.cells] == [0, 400, 0, 0]
    assert manager.get(reverse("aging"), {"on": "never"}).status_code == 200
    assert manager.get(reverse("aging"), {"by": "moon"}).status_code == 404

    sheet = manager.get(reverse("aging"), {"by": "project", "_export": "csv"}).getvalue().decode()
    heading, *rows = (line.split(",") for line in sheet.lstrip("\ufeff").splitlines())
    assert heading == [
        *("Project", "Items", "Currency", "0–30 days", "31–60 days", "61–90 days", "Over 90 days", "Total")
    ]
    assert rows == [[str(company.project), "2", "NOK", "200.00", "0.00", "0.00", "400.00", "600.00"]]
    assert manager.get(reverse("aging"), {"_export": "xlsx"}).getvalue()[:2] == b"PK"


@pytest.mark.parametrize("page", ["backlog", "backlog?group=role", "aging?group=1"])
def test_many_rows_cost_as_many_queries_as_one(
    company, contract, manager, django_assert_max_num_queries, page
):
    name, _, query = page.partition("?")
    url = f"{reverse(name)}?{query.replace('=1', f'={contract.pk}')}"
    share(company, contract)
    with django_assert_max_num_queries(100) as few:
        manager.get(url)
    for _ in range(12):
        share(company, contract)
    with django_assert_max_num_queries(len(few)):
        assert manager.get(url).status_code == 200


def test_a_row_over_a_limit_names_the_limit_and_the_excess(manager, company, contract):
    """NTE-2"""
    item = share(company, contract, date=company.entity.today(), over=Decimal("2500"))
    words = manager.get(reverse("backlog")).content.decode()
    assert "Over the limit" in words
    assert "of the contract, by 2,500.00" in words
    BacklogItem.objects.filter(pk=item.pk).update(limit_level="line_customer")
    words = manager.get(reverse("backlog")).content.decode()
    assert "of the customer&#x27;s share of a line, by 2,500.00" in words


def test_a_page_of_ages_has_some_groups_and_the_totals_of_all(manager, company, today, monkeypatch):
    """BKL-4"""
    monkeypatch.setattr(aging_page, "_PER_PAGE", 1)
    deals = [factories.contract(company, confirmed=True) for _ in range(2)]
    for deal, price in zip(deals, (3, 5), strict=True):
        factories.ready_item(company, deal, price=Decimal(price), date=today)

    def shown(**query):
        page = manager.get(reverse("aging"), query)
        return [each.row.group for each in page.context["rows"]], page.context["totals"][0][1][-1][1]

    first, second = sorted(deals, key=str)
    assert shown() == ([first], 8)
    assert shown(part=2) == ([second], 8)
    file = manager.get(reverse("aging"), {"_export": "csv"}).getvalue().decode()
    assert len(file.splitlines()) == 3
