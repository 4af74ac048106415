"""Document numbers: no gaps, no duplicates, rising in time."""

import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from contracts.models import NumberSequence, SequenceCounter
from contracts.operations.numbers import draw_number, draw_numbers
from invoicing_site.floor.errors import Refused
from tests import locks
from tests.factories import LegalEntityFactory, NumberSequenceFactory

MARCH = datetime.date(2025, 3, 10)
APRIL = datetime.date(2025, 4, 1)
JANUARY = datetime.date(2026, 1, 2)


@pytest.fixture
def entity(db):
    entity = LegalEntityFactory()
    NumberSequenceFactory(entity=entity)
    return entity


def texts(numbers):
    return [number.text for number in numbers]


def test_the_row_of_the_sequence_is_locked(entity, monkeypatch):
    """MON-7: requested on every database; the tests of races below show why."""
    asked = locks.asked(monkeypatch)
    draw_number(entity, "invoice", on=MARCH)
    assert asked == ["NumberSequence locked"]


def test_numbers_follow_each_other(entity):
    """MON-7"""
    assert draw_number(entity, "invoice", on=MARCH).text == "INV-2025-000001"
    assert texts(draw_numbers(entity, "invoice", on=APRIL, count=3)) == [
        "INV-2025-000002",
        "INV-2025-000003",
        "INV-2025-000004",
    ]


def test_a_block_is_one_update(entity, django_assert_num_queries):
    """MON-7"""
    draw_number(entity, "invoice", on=MARCH)
    with django_assert_num_queries(3):  # the sequence, its counters, one update
        draw_numbers(entity, "invoice", on=MARCH, count=5000)

    assert SequenceCounter.objects.get().last == 5001


def test_numbers_restart_each_fiscal_year_if_the_format_shows_the_year(entity):
    """MON-7"""
    draw_number(entity, "invoice", on=MARCH)

    assert draw_number(entity, "invoice", on=JANUARY).text == "INV-2026-000001"


def test_the_year_is_that_in_which_the_fiscal_year_ends(db):
    """MON-7"""
    entity = LegalEntityFactory(fiscal_year_start_month=7)
    NumberSequenceFactory(entity=entity)

    assert draw_number(entity, "invoice", on=datetime.date(2025, 6, 30)).text == "INV-2025-000001"
    assert draw_number(entity, "invoice", on=datetime.date(2025, 7, 1)).text == "INV-2026-000001"
    assert draw_number(entity, "invoice", on=datetime.date(2026, 6, 30)).text == "INV-2026-000002"


def test_without_the_year_in_its_format_a_sequence_continues(db):
    """MON-7"""
    entity = LegalEntityFactory()
    NumberSequenceFactory(entity=entity, kind="proforma", format="PF{seq:05}")

    assert draw_number(entity, "proforma", on=MARCH).text == "PF00001"
    number = draw_number(entity, "proforma", on=JANUARY)
    assert (number.text, number.year, number.seq) == ("PF00002", 0, 2)


def test_a_date_before_the_last_one_is_refused(entity):
    """MON-7"""
    draw_number(entity, "invoice", on=APRIL)

    with pytest.raises(
        Refused, match="can't be dated 10 Mar 2025: the last one is dated 1 Apr 2025"
    ) as refusal:
        draw_number(entity, "invoice", on=MARCH)

    assert refusal.value.code == "NUM-ORDER"
    assert draw_number(entity, "invoice", on=APRIL).text == "INV-2025-000002"


def test_a_date_in_an_earlier_year_of_the_sequence_is_refused(entity):
    """MON-7: a new counter in a new year does not allow it."""
    draw_number(entity, "invoice", on=MARCH)
    draw_number(entity, "invoice", on=JANUARY)

    with pytest.raises(Refused, match="the last one is dated 2 Jan 2026"):
        draw_number(entity, "invoice", on=APRIL)


def test_proformas_can_be_dated_back(db):
    """MON-7"""
    entity = LegalEntityFactory()
    NumberSequenceFactory(entity=entity, kind="proforma", format="PF{seq}")
    draw_number(entity, "proforma", on=APRIL)

    assert draw_number(entity, "proforma", on=MARCH).text == "PF2"
    assert SequenceCounter.objects.get().last_date == APRIL


def test_a_rollback_leaves_no_gap(entity):
    """MON-7"""
    draw_number(entity, "invoice", on=MARCH)
    with transaction.atomic():
        assert draw_number(entity, "invoice", on=APRIL).seq == 2
        transaction.set_rollback(True)

    number = draw_number(entity, "invoice", on=MARCH)
    assert (number.seq, SequenceCounter.objects.get().last_date) == (2, MARCH)


def test_a_missing_sequence_is_refused_by_name(db):
    """MON-7"""
    with pytest.raises(Refused, match="no number sequence for the kind “credit note”") as refusal:
        draw_number(LegalEntityFactory(), "credit_note", on=MARCH)

    assert refusal.value.code == "NUM-MISSING"


def test_each_entity_and_each_kind_has_its_own_numbers(entity):
    """MON-7"""
    other = LegalEntityFactory()
    NumberSequenceFactory(entity=other)
    NumberSequenceFactory(entity=entity, kind="voucher", format="V{seq}")
    draw_numbers(entity, "invoice", on=MARCH, count=7)

    assert draw_number(other, "invoice", on=MARCH).seq == 1
    assert draw_number(entity, "voucher", on=MARCH).seq == 1


def test_zero_documents_get_no_numbers(entity):
    assert draw_numbers(entity, "invoice", on=MARCH, count=0) == []
    assert not SequenceCounter.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_number_needs_a_transaction():
    """MON-7: otherwise the number would be lost when the document fails."""
    with pytest.raises(AssertionError):
        draw_number(LegalEntityFactory(), "invoice", on=MARCH)


@pytest.mark.parametrize(
    "wrong", ["INV-{year}", "INV-{seq", "{seq}-{month}", "{seq:%d}", "{seq.__class__}", "{0}{seq}", "INV"]
)
def test_a_format_that_makes_no_numbers_is_refused(wrong):
    """MON-7"""
    with pytest.raises(ValidationError):
        NumberSequence(kind="invoice", format=wrong).clean()


@pytest.mark.parametrize("right", ["INV-{year}-{seq:06}", "{seq}", "{year}{seq:4}"])
def test_a_format_can_show_the_year_and_the_digits(right):
    NumberSequence(kind="invoice", format=right).clean()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_get_numbers_without_duplicates_and_gaps():
    """MON-7: every third one rolls back, and others draw two at a time."""
    entity = LegalEntityFactory()
    NumberSequenceFactory(entity=entity)

    def draw(n):
        drawn = []
        try:
            for turn in range(5):
                try:
                    with transaction.atomic():
                        numbers = draw_numbers(entity, "invoice", on=MARCH, count=1 + n % 2)
                        if (n + turn) % 3 == 0:
                            raise ZeroDivisionError
                    drawn += [number.seq for number in numbers]
                except ZeroDivisionError:
                    pass
        finally:
            connection.close()
        return drawn

    with ThreadPoolExecutor(20) as threads:
        drawn = sorted(seq for sequence in threads.map(draw, range(20)) for seq in sequence)

    # Of 150 numbers 49 were rolled back.
    assert drawn == list(range(1, 102))
    assert SequenceCounter.objects.get().last == 101


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_with_dates_get_rising_numbers():
    """MON-7: an earlier date than the last one is refused, also in a race."""
    entity = LegalEntityFactory()
    NumberSequenceFactory(entity=entity)

    def draw(n):
        day = MARCH + datetime.timedelta(days=n * 7 % 20)
        try:
            with transaction.atomic():
                return draw_number(entity, "invoice", on=day).seq, day
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(draw, range(20)))

    drawn = sorted(outcome for outcome in outcomes if outcome != "NUM-ORDER")
    assert [seq for seq, _ in drawn] == list(range(1, len(drawn) + 1))
    assert [day for _, day in drawn] == sorted(day for _, day in drawn)
    assert drawn[-1][1] == datetime.date(2025, 3, 29)


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_no_company_can_allow_earlier_dates(entity, kind):
    """MON-7: there is no setting for it."""
    assert "in_date_order" not in {field.name for field in NumberSequence._meta.fields}
    NumberSequenceFactory(entity=entity, kind=kind)
    draw_number(entity, kind, on=APRIL)
    with pytest.raises(Refused, match="numbers follow the dates"):
        draw_number(entity, kind, on=MARCH)


def test_other_documents_need_no_order(entity):
    """MON-7"""
    NumberSequenceFactory(entity=entity, kind="proforma")
    draw_number(entity, "proforma", on=APRIL)
    assert draw_number(entity, "proforma", on=MARCH)
