"""Remembered rows are written again unchanged (tests/factories/memory.py)."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from contracts.models import LegalEntity
from invoicing_site.verify import findings
from ledger.invoicing.operations.posting import post
from tests import factories
from tests.factories import memory
from tests.ledger.billing import proposed, work

pytestmark = pytest.mark.django_db


@contextmanager
def tried():
    """Rows that are written inside are rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def maker():
    """A remembered function that changes its argument, and counts its calls."""
    calls = []

    @factories.remembered
    def make(it, name):
        calls.append(name)
        it.entity.name = name
        it.entity.save()
        return factories.contract(it, name=name)

    make.calls = calls
    return make


def content():
    """Every row of every table, except the notes of triggers, which have other keys."""
    return {table: memory._rows(table) for table in memory._columns() if table != memory.PENDING}


def test_a_function_is_called_once_in_a_state(maker):
    seen = []
    for _ in range(3):
        with tried():
            it = factories.company()
            contract = maker(it, "Bridge")
            assert contract.entity is it.entity
            assert it.entity.name == LegalEntity.objects.get().name == contract.name == "Bridge"
            assert contract.customers.get().customer == it.customer
            seen.append(content())
    assert maker.calls == ["Bridge"]
    assert seen[0] == seen[1] == seen[2]


def test_it_is_called_again_with_other_arguments_or_objects_that_differ(maker):
    for name, city in (("Bridge", ""), ("Tower", ""), ("Tower", "Oslo")):
        with tried():
            it = factories.company()
            it.entity.city = city
            maker(it, name)
    assert maker.calls == ["Bridge", "Tower", "Tower"]


def test_it_is_called_again_after_another_write(maker):
    for name in ("Ada", "Eva"):
        with tried():
            it = factories.company()
            if name == "Eva":
                LegalEntity.objects.update(city=name)
            maker(it, "Bridge")
    assert maker.calls == ["Bridge", "Bridge"]


def test_it_is_called_again_if_the_test_depends_on_how_it_works(maker, monkeypatch, settings):
    def called():
        before = len(maker.calls)
        with tried():
            maker(factories.company(), "Bridge")
        return len(maker.calls) > before

    assert [called(), called()] == [True, False]
    with CaptureQueriesContext(connection):
        assert called()
    noted = []
    monkeypatch.setattr(LegalEntity, "today", lambda entity: noted.append(entity))  # it uses `noted`
    assert called()
    monkeypatch.undo()
    assert not called()
    settings.LANGUAGE_CODE = "nb"
    assert called()


def test_posted_rows_are_written_again_and_guarded():
    """Without running the guards, which are active again afterwards."""
    seen = []
    for _ in range(2):
        with tried():
            it = factories.company()
            proposal = proposed(it, work(it, factories.contract(it, confirmed=True)))
            invoice = _posted(proposal, it.accountant)
            seen.append(content())
            assert invoice.total == Decimal(1250)
            assert findings() == []
            for statement in (
                "UPDATE ledger_customerinvoice SET total = 1",
                "DELETE FROM ledger_ledgerentry",
            ):
                with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
                    connection.cursor().execute(statement)
    assert seen[0] == seen[1]


@factories.remembered
def _posted(proposal, by):
    return post(proposal, by=by, on=date(2025, 3, 31))


def test_rows_made_afterwards_have_keys_of_their_own():
    keys = set()
    for _ in range(2):
        with tried():
            it = factories.company()
            contract = factories.contract(it)
            other = factories.ProjectContractFactory(entity=it.entity)
            assert other.pk > contract.pk
            keys.add(contract.pk)
    assert len(keys) == 1
