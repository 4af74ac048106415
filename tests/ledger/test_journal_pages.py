"""The pages of integration journals: access, refusals, content."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from invoicing_site.models import Job, Notice
from ledger.books.periods import period_of
from ledger.closing.operations import close_period
from ledger.journal import views as views
from ledger.journal.operations import journals as operations
from ledger.models import Dimension, IntegrationJournal, JournalLine
from ledger.setup.dimensions import dimension_set
from tests import factories
from tests.background import do_jobs
from tests.ledger.journal_samples import APRIL_10, DAY, add_all, add_and_post, cost, unbilled

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def line(no1):
    return factories.contract(no1, confirmed=True).lines.get()


@pytest.fixture
@factories.remembered
def draft(no1, line):
    """A draft journal with a cost of 800 and unbilled sales of 1,600."""
    cost(no1, line), unbilled(no1, line)
    (journal,) = add_all(no1).journals
    return journal


@pytest.fixture
def accountant(client, no1):
    """The client, signed in as the accountant."""
    client.force_login(no1.accountant)
    return client


def posted(accountant, name, *args, **data):
    """The page to which a button leads."""
    return accountant.post(reverse(name, args=args), data, follow=True)


def words(response):
    return response.content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [("accountant", 200), ("auditor", 200), ("manager", 403), ("member", 403), ("administrator", 403)],
)
def test_who_can_see_journals(client, no1, draft, role, status):
    """SEC-1"""
    client.force_login(getattr(no1, role))

    assert client.get("/journals/").status_code == status
    assert client.get("/journals/waiting/").status_code == status
    of_one = 404 if status == 403 else 200
    assert client.get(f"/journals/{draft.pk}/").status_code == of_one


@pytest.mark.parametrize(
    "name", ["add_to_journals", "post_chosen_journals", "back_to_draft_chosen", "edit_journal_lines"]
)
def test_an_auditor_cannot_change_anything(client, no1, draft, name):
    """SEC-1"""
    client.force_login(no1.auditor)

    assert client.post(reverse(name)).status_code == 403
    assert client.post(f"/journals/{draft.pk}/post/").status_code == 403
    assert b"Add actuals to journals</button>" not in client.get("/journals/").content
    assert b"/post/" not in client.get(f"/journals/{draft.pk}/").content


def test_the_journal_of_another_company_is_not_found(client, draft):
    """SEC-1"""
    client.force_login(factories.company("SE1", books=False).accountant)

    assert client.get(f"/journals/{draft.pk}/").status_code == 404
    assert client.post(f"/journals/{draft.pk}/post/").status_code == 404
    response = posted(
        client, "edit_journal_lines", pk=draft.lines.first().pk, filter=f"journal={draft.pk}", _answered="1"
    )
    assert response.status_code == 404
    assert draft.lines.filter(billing_tax_group=None).count() == 1


def test_the_list_shows_sums_and_the_number_of_waiting_actuals(accountant, no1, draft, line):
    """JRN-1"""
    cost(no1, line)

    text = words(accountant.get("/journals/"))

    assert draft.number in text
    assert "1 actual waits" in text
    assert "800.00" in text
    assert "1,600.00" in text


def test_adding_reports_what_was_left_out_and_why(accountant, no1, line):
    """JRN-2 MON-8: an actual without a rate is left out, and is named."""
    cost(no1, line), cost(no1, line, currency="USD")

    text = words(posted(accountant, "add_to_journals"))

    assert "1 actual added to" in text
    assert "USD" in text
    assert "/journals/waiting/" in text
    assert JournalLine.objects.count() == 1
    waiting = words(accountant.get("/journals/waiting/"))
    assert "USD" in waiting
    assert 'class="warn"' in waiting


def test_a_journal_is_posted(accountant, draft):
    """JRN-4"""
    question = words(accountant.get(f"/journals/{draft.pk}/"))
    assert f"Post 2 lines of journal {draft.number}?" in question

    text = words(posted(accountant, "post_journal", draft.pk))

    assert "2 journal lines posted." in text
    assert IntegrationJournal.objects.get().status == "posted"
    assert "V" in text


def test_lines_in_error_are_shown_in_their_new_journal(accountant, no1, draft):
    """JRN-4"""
    close_period(period_of(no1.entity, DAY), by=None)

    text = words(posted(accountant, "post_journal", draft.pk))
    assert "0 journal lines posted." in text
    assert f"2 in error, in journal {draft.number}" in text
    assert "is closed" in words(accountant.get(f"/journals/{draft.pk}/?error=yes"))

    assert "is a draft again" in words(posted(accountant, "back_to_draft", draft.pk))
    assert "Only a journal in error can be sent back to draft" in words(
        posted(accountant, "back_to_draft", draft.pk)
    )


def test_a_posted_journal_is_refused_with_a_sentence(accountant, draft, no1):
    """JRN-4"""
    operations.post_journal(draft, by=None, on=DAY)

    assert "is already posted" in words(posted(accountant, "post_journal", draft.pk))
    assert "Edit tax groups" not in words(accountant.get(f"/journals/{draft.pk}/"))


def test_selected_journals_are_posted(accountant, no1, draft, line):
    """JRN-4"""
    text = words(posted(accountant, "post_chosen_journals", pk=draft.pk))

    assert "2 journal lines posted." in text
    assert "are already posted" in words(posted(accountant, "post_chosen_journals", pk=draft.pk))


def test_a_large_journal_is_posted_in_the_background(accountant, no1, draft, monkeypatch):
    """JRN-4: with a notice at the end."""
    monkeypatch.setattr(views, "AT_ONCE", 1)

    response = posted(accountant, "post_journal", draft.pk)

    assert "2 lines of journal" in words(response)
    assert "0 of 2 done." in words(response)
    do_jobs("post_journals")
    assert Notice.objects.get(user=no1.accountant).text == "2 journal lines posted."
    page = words(accountant.get(response.redirect_chain[0][0]))
    assert "2 journal lines posted." in page
    assert f'<a href="/journals/{draft.pk}/">{draft.number}</a>' in page
    job = Job.objects.get(kind="post_journals")
    assert (job.done, job.total) == (2, 2)


def test_journals_are_posted_in_the_order_of_their_reversals(no1, line):
    """JRN-4: the same order as if all are posted."""
    _, _ = cost(no1, line), add_all(no1)

    (result,) = operations.post_chosen(IntegrationJournal.objects.all(), by=None, on=DAY)

    assert (result.posted, result.refused) == (1, None)
    (again,) = operations.post_chosen([result.journal], by=None, on=DAY)
    assert again.refused.code == "JOURNAL-POSTED"


# Editing lines


def edit(accountant, journal, **data):
    return posted(accountant, "edit_journal_lines", filter=f"journal={journal.pk}", **data)


def test_the_form_names_the_number_of_lines(accountant, draft):
    """JRN-2"""
    keys = list(draft.lines.values_list("pk", flat=True))

    text = words(edit(accountant, draft, pk=keys))

    assert "Edit 2 journal lines" in text
    assert f'name="pk" value="{keys[0]}"' in text
    assert "Leave as it is" in text


def test_empty_fields_change_nothing(accountant, no1, draft):
    """JRN-2"""
    group = factories.BillingTaxGroupFactory(entity=no1.entity, code="EU")
    before = draft.lines.order_by("pk").values_list("item_tax_group", "accounting_date")
    unchanged = list(before)

    text = words(
        edit(
            accountant,
            draft,
            pk=list(draft.lines.values_list("pk", flat=True)),
            _answered="1",
            billing_tax_group=group.pk,
        )
    )

    assert "2 lines changed." in text
    assert {row.billing_tax_group for row in draft.lines.all()} == {group}
    assert list(before.all()) == unchanged


def test_a_group_can_be_cleared_and_dimensions_replaced(accountant, no1, draft):
    """JRN-2"""
    department = Dimension.objects.create(entity=no1.entity, code="DEP", name="Department")
    sales = department.values.create(code="S", name="Sales")
    keys = list(draft.lines.values_list("pk", flat=True))
    costs = list(draft.lines.filter(actual__type="cost").values_list("pk", flat=True))
    name = f"dimension_{department.pk}"

    unticked = edit(accountant, draft, pk=keys, _answered="1", **{name: sales.pk})
    assert "Tick this to give the lines the dimensions" in words(unticked)

    data = {"_answered": "1", "item_tax_group": "none", "replace_dimensions": "on", name: sales.pk}
    refused = edit(accountant, draft, pk=keys, **data)
    assert "1 line is a sale, which is invoiced by the tax groups" in words(refused)
    edit(accountant, draft, pk=costs, **data)
    expected = dimension_set(no1.entity, [sales])
    cleared = draft.lines.filter(pk__in=costs)
    assert [(row.item_tax_group, row.dimensions) for row in cleared] == [(None, expected)]


def test_input_stays_after_a_refusal(accountant, no1, draft):
    """JRN-2: a day in a closed period"""
    close_period(period_of(no1.entity, DAY), by=None)

    text = words(
        edit(accountant, draft, pk=draft.lines.first().pk, _answered="1", accounting_date="2025-03-12")
    )

    assert "is closed" in text
    assert 'value="2025-03-12"' in text
    unchanged = edit(accountant, draft, pk=draft.lines.first().pk, _answered="1")
    assert "Choose a tax group, dimensions or a day to change." in words(unchanged)


def test_all_matching_lines_are_edited_unless_they_changed_meanwhile(accountant, no1, draft, line):
    """BKL-2, the same for journal lines."""
    shown = accountant.get(f"/journals/{draft.pk}/?type=cost&_all=1")
    stamp, query = shown.context["stamp"], shown.context["query"]
    group = factories.ItemTaxGroupFactory(entity=no1.entity, code="REDUCED")
    data = {"all_matching": "1", "filter": query, "_answered": "1", "item_tax_group": group.pk}

    assert "Nothing was changed" in words(posted(accountant, "edit_journal_lines", **data, stamp="7-7"))
    assert "1 line changed" in words(posted(accountant, "edit_journal_lines", **data, stamp=stamp))
    assert [row.actual.type for row in JournalLine.objects.filter(item_tax_group=group)] == ["cost"]


def test_groups_of_another_company_cannot_be_selected(accountant, draft):
    """SEC-1"""
    theirs = factories.BillingTaxGroupFactory(entity=factories.LegalEntityFactory(code="SE1"), code="HOME")

    text = words(
        edit(accountant, draft, pk=draft.lines.first().pk, _answered="1", billing_tax_group=theirs.pk)
    )

    assert "Select a valid choice" in text


def test_the_filters_of_lines(accountant, no1, draft):
    """JRN-2"""
    sales = draft.lines.get(actual__type="unbilled")
    JournalLine.objects.filter(pk=sales.pk).update(item_tax_group=None)

    def found(query):
        return [row.pk for row in accountant.get(f"/journals/{draft.pk}/?{query}").context["object_list"]]

    assert found("missing=item") == [sales.pk]
    assert found("missing=any") == [row.pk for row in draft.lines.order_by("pk")]
    assert found("type=unbilled") == [sales.pk]
    assert found("error=yes") == []
    assert found("since=2025-03-11") == []


def test_queries_do_not_grow_with_rows(accountant, no1, line):
    """Many rows take as many queries as one."""

    def queries(url):
        with CaptureQueriesContext(connection) as captured:
            assert accountant.get(url).status_code == 200
        return len(captured)

    cost(no1, line)
    add_and_post(no1)
    few = IntegrationJournal.objects.get()
    before = [queries("/journals/"), queries(f"/journals/{few.pk}/"), queries("/journals/waiting/")]
    for _ in range(9):
        cost(no1, line), unbilled(no1, line, date=APRIL_10)
    add_and_post(no1)
    many = IntegrationJournal.objects.filter(period="2025-03").last()
    assert IntegrationJournal.objects.count() == 3
    assert many.lines.count() == 9

    assert [queries("/journals/"), queries(f"/journals/{many.pk}/"), queries("/journals/waiting/")] == before


@pytest.fixture
@factories.remembered
def abroad(no1):
    """A customer with reverse charge, and a draft journal with two sales to this customer and one cost."""
    no1.customer.billing_tax_group = no1.books.billing_tax_groups["EU"]
    no1.customer.save()
    line = factories.contract(no1, confirmed=True).lines.get()
    unbilled(no1, line), unbilled(no1, line), cost(no1, line)
    (journal,) = add_all(no1).journals
    return journal


def test_a_tax_group_other_than_the_customers_gets_a_warning(accountant, no1, abroad):
    """JRN-2: it can be right, so it is not refused."""
    page = words(accountant.get(abroad.get_absolute_url()))
    assert "Not the customer&#x27;s</span>" not in page
    assert "another billing tax group" not in page
    keys = [line.pk for line in abroad.lines.order_by("pk")]
    data = {"pk": keys, "filter": f"journal={abroad.pk}", "_answered": "1"}

    domestic = no1.books.billing_tax_groups["DOMESTIC"]
    answer = words(posted(accountant, "edit_journal_lines", billing_tax_group=domestic.pk, **data))

    assert "3 lines changed." in answer
    assert "2 lines have another billing tax group than the customer." in answer
    assert f'{abroad.get_absolute_url()}?taxed=otherwise">Show these lines' in answer
    assert answer.count('<span class="chip review">Not the customer&#x27;s</span>') == 2
    assert "move to a new journal. 2 lines have another" in answer
    assert abroad.lines.taxed_otherwise().count() == 2
    narrowed = words(accountant.get(abroad.get_absolute_url(), {"taxed": "otherwise"}))
    assert narrowed.count('<span class="chip review">Not the customer&#x27;s</span>') == 2

    eu = no1.books.billing_tax_groups["EU"]
    fixed = words(posted(accountant, "edit_journal_lines", billing_tax_group=eu.pk, **data))
    assert "another billing tax group" not in fixed


def test_the_tax_group_of_the_contract_gets_no_warning(no1, abroad):
    """JRN-3: it was agreed in the contract."""
    contract = abroad.lines.first().actual.contract
    contract.billing_tax_group = no1.books.billing_tax_groups["DOMESTIC"]
    contract.save()
    abroad.lines.update(billing_tax_group=contract.billing_tax_group)

    assert not abroad.lines.taxed_otherwise().exists()


def test_a_draft_names_the_old_exchange_rates_that_it_used(accountant, no1, line):
    """FX-OLD JRN-2: without agreed rates of contracts, and not after it is posted."""
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", valid_from=datetime.date(2025, 1, 1), rate=11
    )
    cost(no1, line, currency="EUR")
    (journal,) = add_all(no1).journals
    sentence = "rate for EUR is from 1 Jan 2025 and is used on 10 Mar 2025, 68 days later"

    assert sentence in words(accountant.get(journal.get_absolute_url()))
    assert reverse("admin:contracts_exchangerate_add") not in words(
        accountant.get(journal.get_absolute_url())
    )
    no1.accountant.is_staff = True
    no1.accountant.save()
    factories.MembershipFactory(user=no1.accountant, entity=no1.entity, role="administrator")
    assert reverse("admin:contracts_exchangerate_add") in words(accountant.get(journal.get_absolute_url()))

    journal.lines.update(exchange_rate=12)
    assert sentence not in words(accountant.get(journal.get_absolute_url()))
    journal.lines.update(exchange_rate=11)
    operations.post_journal(journal, by=no1.accountant, on=DAY)
    assert sentence not in words(accountant.get(journal.get_absolute_url()))
