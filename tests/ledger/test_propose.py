"""The output of the command about waiting proposals: why an actual or a journal can't be posted."""

import json

import pytest
from django.core.management import call_command

from contracts.models import ExchangeRate
from ledger.journal.left_out import reasons_left_out
from ledger.journal.operations.lines import add_to_journals
from ledger.models import JournalLine
from tests import factories
from tests.ledger.billing import MARCH_31, confirmed, work
from tests.ledger.journal_samples import add_and_post

pytestmark = pytest.mark.django_db

NO_RATE = (
    "Company NO1 has no official exchange rate for EUR on 10 Mar 2025. An administrator can enter one "
    "that is valid from that day or earlier."
)


def propose(capsys, *options):
    call_command("propose", "--entity", "NO1", *options)
    return capsys.readouterr().out


def test_it_names_the_reason_why_an_actual_is_in_no_journal(no1, capsys):
    """PRP-1 JRN-2: like post_journals."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR")
    item = work(no1, factories.contract(no1, currency="EUR", confirmed=True))
    proforma = confirmed(no1, item)
    ExchangeRate.objects.all().delete()

    said = propose(capsys).splitlines()

    assert said == [
        "1 proposal created, 0 filled in.",
        f"Proposal {proforma.number} waits for 1 actual ({item.actual_id}) to be added to a journal.",
        f"  actual {item.actual_id}: {NO_RATE}",
    ]
    (left_out,) = json.loads(propose(capsys, "--json"))["left_out"]
    assert (left_out["actual"], left_out["code"]) == (item.actual_id, "FX-MISSING")
    assert (left_out["params"]["currency"], left_out["reason"]) == ("EUR", NO_RATE)
    assert not JournalLine.objects.exists()


def test_an_actual_that_a_journal_would_include_has_no_reason(no1, capsys):
    """PRP-1"""
    item = work(no1, factories.contract(no1, confirmed=True))
    confirmed(no1, item)

    assert reasons_left_out(no1.entity, [item.actual]) == {}
    assert json.loads(propose(capsys, "--json"))["left_out"] == []


def test_it_names_the_errors_of_a_journal(no1, capsys):
    """PRP-1 JRN-4: only of journals that a proposal waits for."""
    contract = factories.contract(no1, confirmed=True)
    proforma = confirmed(no1, work(no1, contract))
    no1.entity.profile_assignments.all().delete()
    add_and_post(no1)
    (reason,) = JournalLine.objects.values_list("error", flat=True)
    assert reason.code == "PROFILE-MISSING"
    work(no1, contract)
    add_and_post(no1)

    assert propose(capsys).splitlines() == [
        "1 proposal created, 0 filled in.",
        f"Proposal {proforma.number} waits for journals in error: journal IJ-2025-00001. Fix the cause, "
        "then send "
        "them back to draft and post them.",
        f"  journal IJ-2025-00001: {reason.sentence}",
    ]


def test_finding_reasons_adds_nothing_and_takes_as_many_queries_for_many(no1, django_assert_num_queries):
    """JRN-1"""
    contract = factories.contract(no1, confirmed=True)
    items = [work(no1, contract) for _ in range(20)]

    with django_assert_num_queries(11) as one:
        reasons_left_out(no1.entity, [items[0].actual])
    with django_assert_num_queries(len(one)):
        reasons_left_out(no1.entity, [item.actual for item in items])
    assert not JournalLine.objects.exists()
    assert add_to_journals(no1.entity, on=MARCH_31, by=None).lines == 20
