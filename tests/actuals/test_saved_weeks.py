"""A week is saved completely or not at all, from any page or program."""

from datetime import date
from decimal import Decimal

import pytest

from actuals import weeks
from actuals.models import Entry
from actuals.operations import save_week
from tests import factories

MONDAY = date(2026, 3, 2)


@pytest.mark.django_db
def test_hours_that_are_moved_to_another_row_are_counted_once():
    """APP-10: 20 h of a day are moved from one row to another in one step."""
    co = factories.company(books=False)
    entry = factories.time_entry(co, "20", date=MONDAY, status="draft")
    old = weeks.RowKey.of(entry)
    new = weeks.RowKey(co.project.pk, None, co.role.pk, co.time.pk)
    rows = [
        weeks.TypedRow(old, {MONDAY: weeks.Typed.read("", weeks.base_of([entry]))}),
        weeks.TypedRow(new, {MONDAY: weeks.Typed.read("20", "")}),
    ]

    save_week(co.resource, MONDAY, rows, by=co.member)

    assert list(Entry.objects.values_list("task", "quantity")) == [(None, Decimal(20))]
