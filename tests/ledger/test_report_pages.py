"""The pages of reports: access, content, and hidden data."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories
from tests.journeys.steps import approved, confirmed, drafted, invoiced, journalled
from tests.ledger.test_reports import owes, settle
from tests.ledger.voucher_samples import balanced, entry, general, post

pytestmark = pytest.mark.django_db

SPRING = {"since": "2025-03-01", "until": "2025-04-30"}


@pytest.fixture
def no1():
    return factories.company(cost_price=100, sales_price=200)


@pytest.fixture
def accountant(no1, client):
    client.force_login(no1.accountant)
    return client


@pytest.fixture
@factories.remembered
def billed(no1):
    """8 h at cost 100 and price 200 of 10 March, invoiced with 25 % tax on 1 April; returns the invoice."""
    contract = confirmed(factories.contract(no1), no1)
    approved(no1, [factories.time_entry(no1, "8", date=date(2025, 3, 10))])
    journalled(no1)
    (proforma,) = drafted(no1, contract)
    return invoiced(no1, proforma, on=date(2025, 4, 1))


def words(client, name, *args, **query):
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def queries(call):
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def page_of(no1, name):
    """The page's arguments: its row, if it is the page of a row."""
    rows = {"account": no1.books.accounts["1500"], "customer": no1.customer, "project": no1.project}
    return [rows[name].pk] if name in rows else []


@pytest.mark.parametrize(
    ("names", "allowed"),
    [
        (["reports", "trial_balance", "account"], {"accountant", "auditor"}),
        (["customers", "customer", "projects", "project"], {"manager", "accountant", "auditor"}),
    ],
)
def test_who_may_see_reports(client, no1, names, allowed):
    """SEC-1: single rows are not found by users who may not see them."""
    confirmed(factories.contract(no1), no1)
    for role in ("member", "manager", "accountant", "administrator", "auditor"):
        client.force_login(getattr(no1, role))
        for name in names:
            args = page_of(no1, name)
            status = client.get(reverse(name, args=args)).status_code
            assert status == 200 if role in allowed else status in ({403, 404} if args else {403}), (
                role,
                name,
            )


@pytest.mark.parametrize("name", ["account", "customer", "project"])
def test_rows_of_another_company_are_not_found(accountant, no1, name):
    """SEC-1"""
    other = factories.company(code="NO2")
    assert accountant.get(reverse(name, args=page_of(other, name))).status_code == 404


def test_reports_show_the_situation_of_the_company(accountant, no1):
    """PST-8: 900.50 kroner and 250 euros are open."""
    owes(no1, "900.50", date(2025, 1, 15))
    owes(no1, "250", date(2025, 1, 15), currency="EUR", rate=11)
    page = words(accountant, "reports")
    assert "900.50" in page
    assert "250.00" in page
    assert reverse("trial_balance") in page


def test_a_trial_balance_is_shown_with_its_sums(accountant, no1):
    """PST-6: 1,000 of 2024 are the result of earlier years; 200.10 of 2025 are posted in March."""
    post(no1, balanced(no1, "1000", day=date(2024, 12, 31)), balanced(no1, "200.10", day=date(2025, 3, 10)))
    page = words(accountant, "trial_balance", since="2025-03-01", until="2025-03-31")
    assert "Result of earlier years" in page
    assert "−1,000.00" in page
    assert "1,200.10" in page
    assert "Balances" in page
    assert reverse("account", args=page_of(no1, "account")) in page  # the control account of customers


def test_a_trial_balance_is_exported(accountant, no1):
    """PST-6"""
    post(no1, balanced(no1, "200.10", day=date(2025, 3, 10)))
    query = {"since": "2025-03-01", "until": "2025-03-31"}
    sheet = accountant.get(reverse("trial_balance"), query | {"_export": "csv"}).getvalue().decode()
    rows = [line.split(",") for line in sheet.lstrip("\ufeff").splitlines()]
    assert rows[0] == ["Account", "Name", "Opening", "Debit", "Credit", "Closing", "Currency"]
    assert rows[1][2:] == ["0.00", "200.10", "0.00", "200.10", "NOK"]
    assert rows[-1][1] == "Total"
    assert accountant.get(reverse("trial_balance"), query | {"_export": "xlsx"}).getvalue()[:2] == b"PK"
    assert accountant.get(reverse("trial_balance"), query | {"_export": "exe"}).status_code == 404


def test_a_subledger_that_differs_is_named(accountant, no1):
    """PST-6: an entry of 30 by hand on the customers' account, without a transaction."""
    post(
        no1,
        general(no1, entry(no1, "1500", debit=30, customer=no1.customer), entry(no1, "3000", credit=30)),
    )
    page = words(accountant, "trial_balance", since="2025-03-01", until="2025-03-31")
    assert "Differs" in page
    assert no1.customer.get_absolute_url() in page


@pytest.mark.parametrize("name", ["trial_balance", "account", "customer", "project"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"since": "2025-03-31", "until": "2025-03-01"}, "on or after the first"),
        ({"since": "0001-01-01", "until": "9999-12-31"}, "between 1 Jan 1990 and 31 Dec 2099"),
        ({"since": "soon"}, "Enter a valid date"),
    ],
)
def test_invalid_days_are_refused(accountant, no1, name, query, said):
    """PST-6: the input stays."""
    page = words(accountant, name, *page_of(no1, name), **query)
    assert said in page
    assert query["since"] in page


def test_an_account_shows_its_balance_after_each_entry(accountant, no1):
    """PST-6"""
    post(no1, balanced(no1, "1000", day=date(2025, 2, 1)), balanced(no1, "200.10", day=date(2025, 3, 10)))
    account = no1.books.accounts["1920"].pk
    page = words(accountant, "account", account, since="2025-03-01", until="2025-03-31")
    assert "Opening balance" in page
    assert "1,200.10" in page
    answer = accountant.get(
        reverse("account", args=[account]), {"since": "2025-03-01", "until": "2025-03-31", "_export": "csv"}
    )
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 4
    assert lines[2].endswith(",200.10,0.00,1200.10,NOK")


def test_customers_are_filtered_by_open_amounts(accountant, no1):
    """PST-8: a paid customer is not open, and an amount due later is not overdue."""
    late, later, paid = (
        no1.customer,
        factories.customer(no1, name="Later"),
        factories.customer(no1, name="Paid"),
    )
    owes(no1, "1000", date(2025, 1, 15), customer=late)
    owes(no1, "70", date(2025, 1, 15), customer=later, days=10_000)
    debit = owes(no1, "500", date(2025, 1, 15), customer=paid)
    credit = owes(no1, "-500", date(2025, 1, 20), customer=paid, kind="payment", days=None)
    settle(debit, credit, "500", date(2025, 1, 20))

    def shown(**query):
        page = words(accountant, "customers", **query)
        return [each for each in (late, later, paid) if f'href="{each.get_absolute_url()}"' in page]

    assert shown() == [late, later, paid]
    assert shown(open="on") == [late, later]
    assert shown(overdue="on") == [late]
    assert shown(q="later") == [later]
    assert "1,070.00" in words(accountant, "customers")  # the total of open amounts
    sheet = accountant.get(reverse("customers"), {"_export": "csv"}).getvalue().decode()
    assert f"{late.name},{late.number},NO,1000.00," in sheet


def test_a_statement_has_a_balance_and_links_to_its_invoices(accountant, no1, billed):
    """PST-8: 1,600 and 400 of tax."""
    page = words(accountant, "customer", no1.customer.pk, **SPRING)
    assert "Statement in NOK" in page
    assert "2,000.00" in page
    assert billed.get_absolute_url() in page


def test_a_manager_sees_the_invoices_of_their_contracts_only(client, no1, billed, settings):
    """SEC-1: the open amount of the whole customer is not shown."""
    owes(no1, "777", date(2025, 4, 2))
    client.force_login(no1.manager)
    page = words(client, "customer", no1.customer.pk, **SPRING)
    assert "Statement" not in page
    assert billed.number in page
    assert "777" not in page
    listed = words(client, "customers", open="on", _columns=["open", "over_90"])
    assert no1.customer.name in listed
    assert "2,777.00" not in listed
    sheet = client.get(reverse("customers"), {"_export": "csv", "_columns": "open"}).getvalue().decode()
    assert "NOK" not in sheet
    settings.LIST_COUNTED = 0
    assert "add up all" not in words(client, "customers")  # there is nothing to add up
    settings.LIST_COUNTED = 10_000
    stranger = factories.customer(no1)
    assert client.get(reverse("customer", args=[stranger.pk])).status_code == 404


def test_a_project_shows_cost_and_margin_to_accountants(accountant, no1, billed):
    """PST-8: 8 h cost 800 and earned 1,600."""
    page = words(accountant, "project", no1.project.pk, **SPRING)
    for shown in ("1,600.00", "Margin", "Cost", "Earned and cost per month", "8 h"):
        assert shown in page
    listed = words(accountant, "projects")
    assert "Gross margin" in listed
    assert "50.0 %" in listed  # CON-8: 800 of 1,600
    assert "Invoiced on account" in listed
    assert "1,600.00" in listed
    assert listed.count("800.00") >= 2  # cost, and margin


def test_a_manager_sees_costs_only_with_the_permission(client, no1, billed):
    """SEC-1: 8 h cost 800, and the margin is 800; no other amount of the project is 800."""
    client.force_login(no1.manager)
    page = words(client, "project", no1.project.pk, **SPRING)
    listed = words(client, "projects", _columns=["cost", "margin", "hours", "revenue"])
    sheet = client.get(reverse("projects"), {"_export": "csv"}).getvalue().decode()
    for text in (page, listed, sheet):
        assert "Margin" not in text
        assert "800.00" not in text
    assert "1,600.00" in page
    no1.manager.memberships.update(sees_costs=True)
    assert "Margin" in words(client, "project", no1.project.pk, **SPRING)


@pytest.mark.parametrize("name", ["reports", "trial_balance", "account", "customers", "customer", "projects"])
def test_reports_take_as_many_queries_for_many_rows(accountant, no1, name):
    """PST-6 PST-8"""

    def more(n):
        for _ in range(n):
            customer = factories.customer(no1)
            owes(no1, "100", date(2025, 3, 1), customer=customer)
            owes(no1, "100", date(2025, 3, 1))
            project = factories.ProjectFactory(entity=no1.entity)
            project.managers.add(no1.manager)

    def read():
        return words(accountant, name, *page_of(no1, name), **SPRING)

    more(2)
    read()
    few = queries(read)
    more(10)
    assert queries(read) == few


def test_a_project_takes_as_many_queries_for_many_rows(accountant, no1, billed):
    """PST-8"""

    def read():
        return words(accountant, "project", no1.project.pk, **SPRING)

    read()
    few = queries(read)
    for _ in range(3):
        factories.contract(no1)
    assert queries(read) == few


def bars(*figures):
    template = Template(
        "{% load charts %}{% bars labels first title='Money' first_name='In' currency='NOK' %}"
    )
    labels = [f"M{n} 2025" for n, _ in enumerate(figures)]
    return template.render(Context({"labels": labels, "first": [Decimal(each) for each in figures]}))


def test_a_chart_has_its_numbers_as_a_table():
    """150 on a scale to 150 has the full height (164); 75 has half of it."""
    drawn = bars("150", "75", "0")
    assert drawn.count("<rect") == 3
    assert 'height="164.0"' in drawn
    assert 'height="82.0"' in drawn
    assert "<td>150.00</td>" in drawn
    assert '<th scope="row">M0 2025</th>' in drawn
    assert 'aria-labelledby="chart-1"' in drawn
    assert "style=" not in drawn


@pytest.mark.parametrize(
    ("months", "word", "shown"), [(12, "Nov", 12), (12, "November", 6), (24, "Nov", 12), (36, "November", 6)]
)
def test_the_labels_under_the_bars_do_not_overlap(months, word, shown):
    """Each label takes the width of its letters and of one more, of the width of 432 divided by the bars."""
    template = Template("{% load charts %}{% bars labels first title='Money' %}")
    context = {"labels": [f"{word} 2025"] * months, "first": [Decimal(1)] * months}
    assert template.render(Context(context)).count('text-anchor="middle"') == shown


@pytest.mark.parametrize("figures", [[], ["0"], ["-5"], ["-1000000", "0.01"], ["123456789.99"] * 30])
def test_a_chart_can_show_any_numbers(figures):
    """Lengths are never negative."""
    drawn = bars(*figures)
    assert 'height="-' not in drawn
    assert drawn.count("<rect") == len(figures)
