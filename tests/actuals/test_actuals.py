"""Actuals: recorded once, never changed, reversed at most once."""

import datetime
import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from actuals.models import Actual, ActualToJournal, Batch, PriceDecision
from actuals.operations import negated, open_batch, record, reverse
from invoicing_site.floor import guards
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import total, totals
from tests import factories
from tests.threads import ended

MARCH_10 = datetime.date(2025, 3, 10)
APRIL_10 = datetime.date(2025, 4, 10)


@pytest.fixture
def co(db):
    return factories.company(books=False)


@pytest.fixture
@factories.remembered
def line(co):
    return factories.contract(co, confirmed=True).lines.get()


def batch(entity, action="approve", on=APRIL_10, by=None):
    return open_batch(entity, action, on=on, by=by)


def sale(line, **fields):
    """Unbilled sales of 8 h at 200, not saved."""
    defaults = {
        "type": "unbilled",
        "transaction_class": "time",
        "date": MARCH_10,
        "project": line.project,
        "contract": line.contract,
        "contract_line": line,
        "contract_customer": line.contract.customers.get(),
        "split": Decimal(100),
        "quantity": Decimal(8),
        "unit": "h",
        "price": Decimal(200),
        "amount": Decimal(1600),
        "currency": "NOK",
        "booked_by": "journal",
    }
    return Actual(**{**defaults, **fields})


def cost(line, **fields):
    """8 h at a cost of 100 each, not saved."""
    nobody = {"contract": None, "contract_line": None, "contract_customer": None, "split": None}
    worth = {"type": "cost", "price": Decimal(100), "amount": Decimal(800)}
    return sale(line, **{**nobody, **worth, **fields})


def recorded(line, *actuals):
    with transaction.atomic():
        return record(actuals or [sale(line)], batch=batch(line.contract.entity))


def refused(code, call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    assert refusal.value.code == code
    return str(refusal.value)


def test_a_batch_stores_action_user_and_date(co):
    """JRN-7"""
    opened = batch(co.entity, "cancel", by=co.manager)

    stored = Batch.objects.get()
    assert (stored.action, stored.on, stored.by, stored.entity) == ("cancel", APRIL_10, co.manager, co.entity)
    assert opened == stored
    with pytest.raises(ValueError, match="made-up"):
        batch(co.entity, "made-up")


def test_actuals_are_recorded_in_order_and_can_refer_to_each_other(co, line):
    """ACT-2"""
    spent = cost(line)
    share = sale(line, cost=spent)

    first, second = recorded(line, spent, share)

    assert (first, second) == (spent, share)
    stored_cost, stored_sale = Actual.objects.order_by("pk")
    assert stored_sale.cost == stored_cost
    assert stored_cost.entity == stored_sale.entity == co.entity
    assert stored_cost.batch == stored_sale.batch == Batch.objects.get()
    assert stored_sale.amount == Decimal("1600.00")


def test_the_accounting_date_is_the_transaction_date_unless_given(line):
    recorded(line, sale(line), sale(line, accounting_date=APRIL_10))

    assert list(Actual.objects.order_by("pk").values_list("date", "accounting_date")) == [
        (MARCH_10, MARCH_10),
        (MARCH_10, APRIL_10),
    ]


def test_an_amount_that_was_not_rounded_is_a_bug(line):
    """MON-1"""
    with pytest.raises(AssertionError, match="not rounded"):
        recorded(line, sale(line, amount=Decimal("1600.001")))


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a queryset's update", lambda pk: Actual.objects.filter(pk=pk).update(amount=1)),
        ("a queryset's delete", lambda pk: Actual.objects.filter(pk=pk)._raw_delete(using="default")),
        ("an instance's save", lambda pk: Actual(pk=pk, **_other_fields(pk)).save(force_update=True)),
        ("an instance's delete", lambda pk: Actual.objects.get(pk=pk).delete()),
        ("bulk_update", lambda pk: Actual.objects.bulk_update([_changed(pk)], ["description"])),
        ("raw update", lambda pk: _sql("UPDATE actuals_actual SET amount = amount + 1 WHERE id = %s", pk)),
        ("raw update of a link", lambda pk: _sql("UPDATE actuals_actual SET cost_id = id WHERE id = %s", pk)),
        ("raw delete", lambda pk: _sql("DELETE FROM actuals_actual WHERE id = %s", pk)),
        ("raw delete of all", lambda pk: _sql("DELETE FROM actuals_actual")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_database_refuses_to_change_or_delete_an_actual(line, what, change):
    """ACT-1"""
    (fact,) = recorded(line)
    ActualToJournal.objects.all().delete()  # its key protects the fact too
    before = list(Actual.objects.values())

    with pytest.raises(IntegrityError, match="actuals_actual rows are never changed"), transaction.atomic():
        change(fact.pk)

    assert list(Actual.objects.values()) == before


def _changed(pk):
    fact = Actual.objects.get(pk=pk)
    fact.description = "something else"
    return fact


def _other_fields(pk):
    return {**Actual.objects.filter(pk=pk).values().get(), "id": pk, "amount": Decimal(1)}


def _sql(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.mark.sqlite
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE INTO", "REPLACE INTO", "UPDATE OR REPLACE"])
def test_replacing_an_actual_is_refused_as_well(line, verb):
    """ACT-1"""
    (fact,) = recorded(line)
    columns = ", ".join(f'"{field.column}"' for field in Actual._meta.concrete_fields)
    other = columns.replace('"amount"', "1")
    sql = f"{verb} actuals_actual ({columns}) SELECT {other} FROM actuals_actual"
    if verb.startswith("UPDATE"):
        sql = f"{verb} actuals_actual SET amount = 1"

    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        _sql(sql)

    fact.refresh_from_db()
    assert fact.amount == 1600


@pytest.mark.sqlite
def test_a_new_actual_cannot_replace_the_reversal_of_another(line):
    """ACT-1: REPLACE deletes the rows that have the same unique key."""
    (fact,) = recorded(line)
    with transaction.atomic():
        (reversal,) = reverse([fact], batch=batch(fact.entity))
    fields = [field for field in Actual._meta.concrete_fields if field.column != "id"]
    columns = ", ".join(f'"{field.column}"' for field in fields)

    with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
        _sql(
            f"INSERT OR REPLACE INTO actuals_actual ({columns}) SELECT {columns} FROM actuals_actual "
            "WHERE id = %s",
            reversal.pk,
        )

    assert Actual.objects.filter(pk=reversal.pk).exists()


@pytest.mark.postgres
def test_actuals_cannot_be_truncated_or_merged(line):
    """ACT-1"""
    (fact,) = recorded(line)
    connection.check_constraints()  # pending deferred checks would prevent TRUNCATE for another reason
    for sql in (
        "TRUNCATE actuals_actual CASCADE",
        "INSERT INTO actuals_actual SELECT * FROM actuals_actual ON CONFLICT (id) DO UPDATE SET amount = 1",
        "WITH gone AS (DELETE FROM actuals_actual RETURNING 1) SELECT * FROM gone",
    ):
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            _sql(sql)

    fact.refresh_from_db()
    assert fact.amount == 1600


def test_batches_and_price_decisions_do_not_change_either(co, line):
    """ACT-1, PRC-5"""
    opened = batch(co.entity)
    PriceDecision.objects.create(batch=opened, kind="sales", price=200)

    for model, change in ((Batch, {"on": MARCH_10}), (PriceDecision, {"price": 1})):
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            model.objects.update(**change)
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            model.objects.all()._raw_delete(using="default")


def test_these_guards_are_in_force(db):
    """ACT-1"""
    assert {Actual, Batch, PriceDecision} <= {guard.model for guard in guards.declared()}
    assert guards.missing(connection) == []


def test_a_reversal_is_the_exact_opposite_and_otherwise_equal(co, line):
    """APP-5, JRN-7"""
    spent = cost(line)
    share = sale(line, cost=spent, description="Drawings", is_rounding_share=True, split=Decimal("33.34"))
    recorded(line, spent, share)

    with transaction.atomic():
        (reversal,) = reverse([share], batch=batch(co.entity, "cancel", by=co.manager))

    reversal.refresh_from_db()
    assert (reversal.quantity, reversal.amount) == (Decimal(-8), Decimal(-1600))
    assert reversal.reverses == share
    assert (reversal.date, reversal.accounting_date) == (MARCH_10, APRIL_10)
    assert reversal.booked_by == "journal"
    assert reversal.batch.action == "cancel"
    original, copy = Actual.objects.filter(pk__in=[share.pk, reversal.pk]).order_by("pk").values()
    differing = {name for name in original if original[name] != copy[name]}
    assert differing == {"id", "batch_id", "accounting_date", "quantity", "amount", "reverses_id"}


def test_the_document_that_books_a_reversal_can_be_given(line):
    """JRN-6"""
    (fact,) = recorded(line)

    with transaction.atomic():
        (reversal,) = reverse([fact], batch=batch(fact.entity), booked_by="nothing")

    assert Actual.objects.get(pk=reversal.pk).booked_by == "nothing"


def test_the_reversal_of_a_replacement_replaces_nothing(line):
    (fact,) = recorded(line)
    (replacement,) = recorded(line, sale(line, replaces=fact))

    with transaction.atomic():
        (reversal,) = reverse([replacement], batch=batch(fact.entity))

    assert Actual.objects.get(pk=reversal.pk).replaces is None
    assert list(fact.replaced_by.all()) == [replacement]


def test_an_actual_is_reversed_at_most_once(line):
    """ACT-1"""
    fact, other = recorded(line, sale(line), sale(line))
    with transaction.atomic():
        (reversal,) = reverse([fact], batch=batch(fact.entity))

    message = refused("ACTUAL-REVERSED", reverse, [other, fact], batch=batch(fact.entity))

    assert message == f"Actual {fact.pk} is already reversed, by actual {reversal.pk}."
    assert not Actual.objects.filter(reverses=other).exists()


def test_the_database_refuses_a_second_reversal(line):
    """ACT-1"""
    (fact,) = recorded(line)
    with transaction.atomic():
        reverse([fact], batch=batch(fact.entity))

    with pytest.raises(IntegrityError), transaction.atomic():
        record([negated(fact, batch(fact.entity))], batch=batch(fact.entity))


def test_a_reversal_is_not_reversed(line):
    """ACT-1"""
    (fact,) = recorded(line)
    with transaction.atomic():
        (reversal,) = reverse([fact], batch=batch(fact.entity))

    message = refused("ACTUAL-IS-REVERSAL", reverse, [reversal], batch=batch(fact.entity))

    assert (
        message == f"Actual {reversal.pk} is the reversal of actual {fact.pk} and can't be reversed itself."
    )


def test_an_actual_may_occur_only_once_in_a_selection(line):
    (fact,) = recorded(line)

    with pytest.raises(AssertionError, match="twice"):
        reverse([fact, Actual.objects.get()], batch=batch(fact.entity))


def test_a_batch_belongs_to_the_entity_of_its_actuals(line):
    (fact,) = recorded(line)
    elsewhere = factories.LegalEntityFactory()

    with pytest.raises(AssertionError, match="one legal entity"):
        reverse([fact], batch=batch(elsewhere))


def test_reversing_many_costs_as_many_queries_as_one(line):
    one, *many = recorded(line, *(sale(line) for _ in range(21)))
    opened = batch(one.entity)

    with transaction.atomic(), CaptureQueriesContext(connection) as for_one:
        reverse([one], batch=opened)
    with transaction.atomic(), CaptureQueriesContext(connection) as for_many:
        reverse(many, batch=opened)

    assert len(for_many) == len(for_one) < 12


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_reversals_create_one():
    """ACT-1: the second one waits for the first and is refused."""
    co = factories.company(books=False)
    line = factories.contract(co, confirmed=True).lines.get()
    (fact,) = recorded(line)
    first_is_in, outcomes = threading.Event(), []

    def second():
        try:
            assert first_is_in.wait(20)
            with transaction.atomic():
                reverse([fact], batch=batch(co.entity))
            outcomes.append("reversed")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        reverse([fact], batch=batch(co.entity))
        first_is_in.set()
        _wait_until_somebody_waits()
    ended(thread)

    assert outcomes == ["ACTUAL-REVERSED"]
    assert total(Actual.objects.all()) == 0
    assert Actual.objects.count() == 2


def _wait_until_somebody_waits():
    sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.05)
    raise AssertionError("Nobody waits for the first reversal.")


_amounts = st.decimals(min_value=Decimal("-9999999.99"), max_value=Decimal("9999999.99"), places=2)
_quantities = st.decimals(min_value=Decimal("-9999.9999"), max_value=Decimal("9999.9999"), places=4)


class ReversalsCancel(TestCase):
    """A separate class, because each example rolls its rows back."""

    @classmethod
    def setUpTestData(cls):
        cls.co = factories.company(books=False)
        cls.line = factories.contract(cls.co, confirmed=True).lines.get()

    @given(
        facts=st.lists(st.tuples(_amounts, _quantities), min_size=1, max_size=8),
        rounds=st.lists(st.sets(st.integers(0, 7)), max_size=4),
    )
    def test_any_sequence_of_reversals_nets_the_reversed_actuals_to_zero(self, facts, rounds):
        """APP-5, ACT-1: actuals are reversed in any groups and order, some of them twice."""
        originals = recorded(
            self.line, *(sale(self.line, amount=amount, quantity=quantity) for amount, quantity in facts)
        )
        standing = dict(enumerate(originals))
        for chosen in rounds:
            chosen = [index for index in chosen if index < len(originals)]
            facts_chosen = [originals[index] for index in chosen]
            if all(index in standing for index in chosen):
                reverse(facts_chosen, batch=batch(self.co.entity))
                for index in chosen:
                    del standing[index]
            else:
                refused("ACTUAL-REVERSED", reverse, facts_chosen, batch=batch(self.co.entity))

        stand = [fact for fact in originals if fact in standing.values()]
        assert total(Actual.objects.all()) == sum((fact.amount for fact in stand), Decimal(0))
        assert total(Actual.objects.all(), "quantity") == sum((fact.quantity for fact in stand), Decimal(0))
        reverse(stand, batch=batch(self.co.entity))
        assert set(totals(Actual.objects.all(), by=("contract_line",)).values()) == {Decimal(0)}
        assert total(Actual.objects.all(), "quantity") == 0
        assert Actual.objects.count() == 2 * len(originals)
