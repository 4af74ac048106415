"""The command that adds actuals to journals and posts them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from contracts.models import LegalEntity
from ledger import tasks
from ledger.books.periods import period_of
from ledger.closing.operations import close_period, reopen_period
from ledger.journal.left_out import left_in_error
from ledger.models import IntegrationJournal, Voucher
from tests.factories import contract
from tests.ledger.journal_samples import (
    COST,
    DAY,
    PAYROLL,
    add_and_post,
    cost,
    entries_of,
    unbilled,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


def run_command(*arguments):
    out = StringIO()
    call_command("post_journals", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_adds_and_posts(no1, line):
    """JRN-1, JRN-4"""
    no1.entity.posting_accounts.filter(purpose="cost_offset").delete()
    cost(no1, line)
    cost(no1, line, 300, "expense")
    foreign = unbilled(no1, contract(no1, confirmed=True, currency="EUR").lines.get())
    output = run_command("--entity", "NO1", "--on", "2025-03-31", "--by", no1.accountant.username)

    assert output.splitlines() == [
        "2 actuals added to journals, 1 left out.",
        f"  actual {foreign.pk}: Company NO1 has no official exchange rate for EUR on 10 Mar 2025. "
        "An administrator can enter one that is valid from that day or earlier.",
        "Journal IJ-2025-00001: 1 line posted, 1 in error, in journal IJ-2025-00002.",
        "Journal IJ-2025-00002 is in error, 1 line:",
        "  Company NO1 has no account for offset of expenses and materials (class expense, category Travel "
        "and profile Cost to profit and loss, no accrual). An administrator can add one to the posting "
        "accounts.",
        "Fix the cause, then run post_journals --retry.",
    ]
    assert Voucher.objects.get().posted_by == no1.accountant


def test_the_command_prints_json(no1, line):
    """JRN-4"""
    cost(no1, line)

    assert json.loads(run_command("--entity", "NO1", "--on", "2025-03-31", "--json")) == {
        "entity": "NO1",
        "on": "2025-03-31",
        "added": 1,
        "left_out": [],
        "journals": [
            {
                "number": "IJ-2025-00001",
                "status": "posted",
                "posted": 1,
                "in_error": 0,
                "remainder": None,
                "refused": None,
            }
        ],
        "left_in_error": [],
    }
    assert json.loads(run_command("--entity", "NO1", "--json"))["journals"] == []


@pytest.fixture
def stuck(no1, line):
    """A journal with errors only: March is closed, and the company moves nothing to another period."""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(closed_period="error")
    march = period_of(no1.entity, DAY)
    close_period(march, by=no1.accountant)
    actual = cost(no1, line)
    run_command("--entity", "NO1", "--on", "2025-03-31")
    return march, actual


def test_a_journal_in_error_is_reported_until_it_is_retried(no1, stuck):
    """JRN-4: it is not enough to fix the cause; --retry posts it."""
    march, actual = stuck
    reason = IntegrationJournal.objects.get().lines.get().error
    assert "March 2025 of Company NO1 is closed" in reason.sentence
    reopen_period(march, by=no1.accountant)

    assert run_command("--entity", "NO1", "--on", "2025-03-31").splitlines() == [
        "0 actuals added to journals, 0 left out.",
        "There is no journal to post.",
        "Journal IJ-2025-00001 is in error, 1 line:",
        f"  {reason.sentence}",
        "Fix the cause, then run post_journals --retry.",
    ]
    assert run_command("--entity", "NO1", "--on", "2025-03-31", "--retry").splitlines() == [
        "0 actuals added to journals, 0 left out.",
        "Journal IJ-2025-00001: 1 line posted, 0 in error.",
    ]
    assert entries_of(actual) == [(COST, 800, 0), (PAYROLL, 0, 800)]


def test_a_retry_before_the_cause_is_fixed_keeps_the_error(no1, stuck):
    """JRN-4: and reports it again, in JSON too."""
    answer = json.loads(run_command("--entity", "NO1", "--on", "2025-03-31", "--retry", "--json"))

    assert [(row["number"], row["posted"], row["in_error"]) for row in answer["journals"]] == [
        ("IJ-2025-00001", 0, 1)
    ]
    (left,) = answer["left_in_error"]
    assert (left["number"], left["lines"]) == ("IJ-2025-00001", 1)
    assert "March 2025 of Company NO1 is closed" in left["errors"][0]["reason"]
    assert IntegrationJournal.objects.get().status == "error"


def test_the_task_retries_only_on_request(no1, stuck):
    """JRN-4: the scheduled task does not retry journals in error."""
    march, _ = stuck
    reopen_period(march, by=no1.accountant)

    tasks.post_journals(no1.entity.pk)
    assert Voucher.objects.count() == 0
    tasks.post_journals(no1.entity.pk, no1.accountant.pk, "2025-03-31", retry=True)
    assert Voucher.objects.get().posted_by == no1.accountant


def test_each_reason_of_a_journal_is_listed_once(no1, line):
    """JRN-4: two lines without one account, and one without another."""
    no1.entity.posting_accounts.filter(purpose__in=["cost_offset", "payroll"]).delete()
    for amount, transaction_class in [(300, "expense"), (400, "expense"), (800, "time")]:
        cost(no1, line, amount, transaction_class)
    add_and_post(no1)

    (left,) = left_in_error(no1.entity)

    assert (left.journal, left.lines) == (IntegrationJournal.objects.get(), 3)
    assert [error.sentence.split(" (")[0] for error in left.errors] == [
        "Company NO1 has no account for offset of expenses and materials",
        "Company NO1 has no account for payroll allocation",
    ]


def test_the_command_refuses_unknown_values(no1):
    with pytest.raises(CommandError, match="There is no legal entity “XX”"):
        run_command("--entity", "XX")
    with pytest.raises(CommandError, match="There is no active user “nobody”"):
        run_command("--entity", "NO1", "--by", "nobody")
