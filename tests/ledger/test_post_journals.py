"""The command that takes actuals up and posts them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Voucher
from tests.factories import company, contract
from tests.ledger.journal_samples import cost, unbilled

pytestmark = pytest.mark.django_db


@pytest.fixture
def no1():
    return company()


@pytest.fixture
def line(no1):
    return contract(no1, confirmed=True).lines.get()


def run_command(*arguments):
    out = StringIO()
    call_command("post_journals", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_takes_up_and_posts(no1, line):
    """JRN-1, JRN-4"""
    no1.entity.posting_accounts.filter(purpose="cost_offset").delete()
    cost(no1, line)
    cost(no1, line, 300, "expense")
    foreign = unbilled(no1, contract(no1, confirmed=True, currency="EUR").lines.get())
    output = run_command("--entity", "NO1", "--on", "2025-03-31", "--by", no1.accountant.username)

    assert output.splitlines() == [
        "2 actuals taken up, 1 left out.",
        f"  actual {foreign.pk}: Company NO1 has no official exchange rate for EUR on 2025-03-10: "
        "enter one that is valid from that day or earlier.",
        "journal IJ-2025-00001: 1 lines posted, 1 in error, in journal IJ-2025-00002.",
        "  Company NO1 has no account for offset of expenses and materials (of class expense, category "
        "Travel, profile Cost to profit and loss, no accrual): enter one among the posting accounts.",
    ]
    assert Voucher.objects.get().posted_by == no1.accountant


def test_the_command_speaks_json(no1, line):
    """JRN-4"""
    cost(no1, line)

    assert json.loads(run_command("--entity", "NO1", "--on", "2025-03-31", "--json")) == {
        "entity": "NO1",
        "on": "2025-03-31",
        "taken_up": 1,
        "left_out": [],
        "journals": [
            {
                "number": "IJ-2025-00001",
                "status": "posted",
                "posted": 1,
                "in_error": 0,
                "remainder": None,
                "errors": [],
                "refused": "",
            }
        ],
    }
    assert json.loads(run_command("--entity", "NO1", "--json"))["journals"] == []


def test_the_command_refuses_what_is_not_there(no1):
    with pytest.raises(CommandError, match="There is no legal entity “XX”"):
        run_command("--entity", "XX")
    with pytest.raises(CommandError, match="There is no active user “nobody”"):
        run_command("--entity", "NO1", "--by", "nobody")
