"""A line's invoice schedule."""

import datetime

import pytest

from contracts.operations import generate_schedule
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent
from tests import factories
from tests.factories import InvoiceFrequencyFactory, ScheduleEntryFactory


def day(text):
    return datetime.date.fromisoformat(f"2025-{text}")


@pytest.fixture
@factories.remembered
def it(db):
    it = factories.company(books=False)
    it.monthly = InvoiceFrequencyFactory(entity=it.entity, days="1")
    return it


def line_of(it, *, ends="12-31", **fields):
    fields = {"frequency": it.monthly, "billing_starts": day("01-01"), **fields}
    return factories.contract(it, ends=ends and day(ends), lines=[fields]).lines.get()


def entries(line):
    return [
        (f"{e.run_date:%m-%d}", f"{e.cutoff:%m-%d}", e.status) for e in line.schedule.order_by("run_date")
    ]


def test_entries_run_from_the_billing_start_to_the_requested_end(it):
    """SCH-1: the last entry includes the work of the last days."""
    line = line_of(it, billing_starts=day("01-15"), ends="04-15")

    made = generate_schedule(line, by=it.manager)

    assert entries(line) == [
        ("02-01", "01-31", "not_run"),
        ("03-01", "02-28", "not_run"),
        ("04-01", "03-31", "not_run"),
        ("05-01", "04-30", "not_run"),
    ]
    assert [entry.run_date for entry in made] == [day("02-01"), day("03-01"), day("04-01"), day("05-01")]


def test_a_year_of_months_from_new_year_on(it):
    """SCH-1"""
    line = line_of(it)
    generate_schedule(line, by=None)

    rows = entries(line)
    assert (len(rows), rows[0], rows[11]) == (
        13,
        ("01-01", "12-31", "not_run"),
        ("12-01", "11-30", "not_run"),
    )
    assert line.schedule.last().run_date == datetime.date(2026, 1, 1)
    assert line.schedule.last().cutoff == datetime.date(2025, 12, 31)


def test_a_frequency_day_after_the_end_ends_the_schedule(it):
    """SCH-1: the work of the last day belongs to the next run."""
    line = line_of(it, ends="03-01")
    generate_schedule(line, by=None)
    assert entries(line)[-1] == ("04-01", "03-31", "not_run")

    line = line_of(it, ends="02-28")
    generate_schedule(line, by=None)
    assert entries(line)[-1] == ("03-01", "02-28", "not_run")


def test_a_run_on_the_last_day_of_the_month_can_include_that_day(it):
    """SCH-1: with the cutoff on the run day the 31st is billed on the 31st, and nothing is planned after."""
    frequency = InvoiceFrequencyFactory(entity=it.entity, days="31", cutoff_on_run_day=True)
    line = line_of(it, frequency=frequency, ends="04-30")

    generate_schedule(line, by=it.manager)

    assert entries(line) == [
        ("01-31", "01-31", "not_run"),
        ("02-28", "02-28", "not_run"),
        ("03-31", "03-31", "not_run"),
        ("04-30", "04-30", "not_run"),
    ]


def test_with_an_earlier_cutoff_the_last_day_is_billed_by_the_next_run(it):
    """SCH-1"""
    frequency = InvoiceFrequencyFactory(entity=it.entity, days="31")
    line = line_of(it, frequency=frequency, ends="02-28")

    generate_schedule(line, by=it.manager)

    assert entries(line) == [
        ("01-31", "01-30", "not_run"),
        ("02-28", "02-27", "not_run"),
        ("03-31", "03-30", "not_run"),
    ]


def test_planning_again_moves_the_cutoff_of_what_has_not_run(it):
    """SCH-1"""
    frequency = InvoiceFrequencyFactory(entity=it.entity, days="31")
    line = line_of(it, frequency=frequency, ends="02-28")
    generate_schedule(line, by=None)
    line.schedule.filter(run_date=day("01-31")).update(status="succeeded")
    frequency.cutoff_on_run_day = True
    frequency.save()

    generate_schedule(line, by=None)

    assert entries(line) == [("01-31", "01-30", "succeeded"), ("02-28", "02-28", "not_run")]


def test_generating_again_changes_nothing(it):
    """SCH-1"""
    line = line_of(it)
    first = [entry.pk for entry in generate_schedule(line, by=None)]

    assert [entry.pk for entry in generate_schedule(line, by=None)] == first


def test_generating_again_touches_only_what_has_not_run(it):
    """SCH-1: and plans nothing before these."""
    line = line_of(it, ends="04-30")
    generate_schedule(line, by=None)
    line.schedule.filter(run_date=day("01-01")).update(status="succeeded", result=Reason("NOTHING-READY"))
    line.schedule.filter(run_date=day("02-01")).update(status="failed")
    line.frequency = InvoiceFrequencyFactory(entity=it.entity, days="1,16")
    line.save()

    generate_schedule(line, by=None)

    assert entries(line) == [
        ("01-01", "12-31", "succeeded"),
        ("02-01", "01-31", "failed"),
        ("02-16", "02-15", "not_run"),
        ("03-01", "02-28", "not_run"),
        ("03-16", "03-15", "not_run"),
        ("04-01", "03-31", "not_run"),
        ("04-16", "04-15", "not_run"),
        ("05-01", "04-30", "not_run"),
    ]
    assert line.schedule.get(run_date=day("01-01")).result == Reason("NOTHING-READY")


def test_an_earlier_end_removes_entries(it):
    """SCH-1"""
    line = line_of(it)
    generate_schedule(line, by=None)
    line.contract.ends = day("02-10")
    line.contract.save()

    assert [entry.run_date for entry in generate_schedule(line, by=it.manager)] == [
        day("01-01"),
        day("02-01"),
        day("03-01"),
    ]
    event = AuditEvent.objects.first()
    assert (event.action, event.by, event.detail) == (
        "contracts.generate_schedule",
        it.manager,
        {"added": 0, "removed": 10},
    )


def test_a_cutoff_that_was_changed_by_hand_is_corrected(it):
    """SCH-1"""
    line = line_of(it, ends="01-31")
    ScheduleEntryFactory(line=line, run_date=day("01-01"), cutoff=day("01-15"))

    generate_schedule(line, by=None)

    assert entries(line)[0] == ("01-01", "12-31", "not_run")


def test_without_a_billing_start_the_start_of_the_line_or_contract_counts(it):
    """SCH-1"""
    line = line_of(it, billing_starts=None, starts=day("10-10"))
    assert generate_schedule(line, by=None)[0].run_date == day("11-01")

    line = line_of(it, billing_starts=None)
    line.contract.starts = day("11-10")
    line.contract.save()
    assert generate_schedule(line, by=None)[0].run_date == day("12-01")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"frequency": None}, "SCHEDULE-FREQUENCY"),
        ({"billing_starts": None}, "SCHEDULE-START"),
        ({"ends": None}, "SCHEDULE-END"),
    ],
)
def test_a_value_missing_for_a_schedule_is_named(it, fields, code):
    """SCH-1"""
    with pytest.raises(Refused, match="^Line 1 .* has no schedule yet: ") as refusal:
        generate_schedule(line_of(it, **fields), by=None)
    assert refusal.value.code == code


def test_an_end_before_the_start_is_refused(it):
    """SCH-1"""
    with pytest.raises(
        Refused, match="is billed from 1 Jun 2025, but contract .* ends before that, on 31 May"
    ):
        generate_schedule(line_of(it, billing_starts=day("06-01"), ends="05-31"), by=None)


def test_a_closed_contract_gets_no_schedule(it):
    """SCH-1"""
    contract = factories.contract(it, status="closed", lines=[{"frequency": it.monthly}])

    with pytest.raises(Refused) as refusal:
        generate_schedule(contract.lines.get(), by=None)
    assert refusal.value.code == "CONTRACT-CLOSED"


def test_the_schedule_of_a_confirmed_contract_can_be_generated_again(it):
    """SCH-1"""
    line = line_of(it)
    line.contract.status, line.contract.confirmed_at = "confirmed", "2025-01-01T00:00Z"
    line.contract.save()

    assert len(generate_schedule(line, by=None)) == 13


def test_the_day_of_confirming_is_that_of_the_companys_time_zone(it):
    """SCH-1: 23:30 UTC on the 1st is the 2nd in Oslo, and the 1st is no invoice day any more."""
    line = line_of(it, billing_starts=None)
    line.contract.status, line.contract.confirmed_at = "confirmed", "2025-11-01T23:30Z"
    line.contract.save()

    assert generate_schedule(line, by=None)[0].run_date == day("12-01")


def test_ten_years_of_weeks_are_planned_in_as_many_queries_as_a_month(it, django_assert_max_num_queries):
    """SCH-1"""
    weekly = InvoiceFrequencyFactory(entity=it.entity, rhythm="weekly", weekday=0)
    line = line_of(it, frequency=weekly)
    line.contract.ends = datetime.date(2034, 12, 31)
    line.contract.save()

    with django_assert_max_num_queries(14):
        assert len(generate_schedule(line, by=None)) == 522
