"""The output of the command about waiting proposals: why an actual or a journal can't be posted."""

import json

import pytest
from django.core.management import call_command

from contracts.models import ExchangeRate
from ledger.models import JournalLine
from tests import factories
from tests.ledger.billing import confirmed, work
from tests.ledger.journal_samples import add_all, add_and_post

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
    add_all(no1)

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
    confirmed(no1, work(no1, factories.contract(no1, confirmed=True)))

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
