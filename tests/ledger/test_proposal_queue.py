"""The queue of the confirmed proformas that wait for an invoice proposal."""

import json

import pytest
from django.core.management import call_command

from contracts.models import LegalEntity
from invoicing_site.verify import findings
from ledger.invoicing.operations import proposals as operations
from ledger.invoicing.operations.proposals import create_proposal, create_proposals
from ledger.models import InvoiceProposal
from proforma.models import ProformaToPropose
from tests import factories
from tests.factories import company, contract
from tests.ledger.billing import confirmed, proposed, work
from tests.ledger.test_journal_races import at_once

pytestmark = pytest.mark.django_db


def waiting():
    return list(ProformaToPropose.objects.order_by("pk").values_list("proforma", flat=True))


def test_a_confirmed_proforma_waits_until_it_has_a_proposal(no1):
    """PRO-7"""
    proforma = confirmed(no1, work(no1, contract(no1, confirmed=True)))
    assert waiting() == [proforma.pk]
    create_proposal(proforma)
    assert waiting() == []
    create_proposal(proforma)
    assert InvoiceProposal.objects.count() == 1


def test_one_that_fails_stays_in_the_queue(no1, monkeypatch):
    """PRO-7"""
    deal = contract(no1, confirmed=True)
    first, second = confirmed(no1, work(no1, deal)), confirmed(no1, work(no1, deal))
    new = operations._new

    def fails_for_the_first(proforma, layout):
        assert proforma.pk != first.pk
        return new(proforma, layout)

    with monkeypatch.context() as patched:
        patched.setattr(operations, "_new", fails_for_the_first)
        (made,) = create_proposals(no1.entity)
    assert (made.proforma, waiting()) == (second, [first.pk])
    (made,) = create_proposals(no1.entity)
    assert (made.proforma, waiting()) == (first, [])


def test_verifying_names_missing_queue_rows_and_rebuilding_adds_them(no1, capsys):
    """PRO-7: one proforma lost its row, one got another although it has a proposal."""
    deal = contract(no1, confirmed=True)
    has_one = proposed(no1, work(no1, deal)).proforma
    lost = confirmed(no1, work(no1, deal))
    ProformaToPropose.objects.all().delete()
    ProformaToPropose.objects.create(proforma=has_one, entity=no1.entity)

    assert [found.sentence for found in findings(no1.entity) if found.code == "QUEUE"] == [
        f"Proforma {lost.pk} neither waits for an invoice proposal nor has one.",
        f"Proforma {has_one.pk} is in the queue for an invoice proposal, but does not need one.",
    ]
    call_command("rebuild_queues", "--entity", "NO1", "--json")
    assert json.loads(capsys.readouterr().out)["queues"][1] == {"queue": "proposal", "added": 1, "removed": 1}
    assert waiting() == [lost.pk]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_who_create_proposals_at_once_create_each_once(monkeypatch):
    """PRO-7: after all messages were lost."""
    monkeypatch.setattr("invoicing_site.floor.jobs._send", lambda *args: None)
    no1 = company()
    deal = factories.contract(no1, confirmed=True)
    for _ in range(6):
        confirmed(no1, work(no1, deal))

    def created():
        return len(create_proposals(LegalEntity.objects.get(pk=no1.entity.pk)))

    results = at_once(*[created] * 2)
    assert sum(results) == 6, results
    assert (InvoiceProposal.objects.count(), waiting()) == (6, [])
