"""A page of a list reads as many rows of the database for ten times the data (BKL-1, JRN-2).

Measured by PostgreSQL itself: the rows that each query of the page touches in tables and indexes.
"""

import json
import re
from collections import defaultdict

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backlog.models import BacklogItem
from invoicing_site.floor import audit
from invoicing_site.models import AuditEvent
from tests.factories.rows import ResourceFactory
from tests.test_access import world

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

FEW, MANY = 2_000, 20_000
COUNTED = 500  # rows of a list that are counted


class Copies:
    """Makes the first to the n-th copy of rows, by SQL; each call goes on where the last one ended."""

    def __init__(self, start, n):
        self.start, self.n = start, n

    def of(self, row, **columns):
        """Copies of the row; a text is SQL, in which `i` is the number of the copy and also its new key."""
        model = type(row)
        columns = {"id": "i", **columns}
        names = [field.column for field in model._meta.concrete_fields if not field.generated]
        values = [columns.get(name, f'"{name}"') for name in names]
        quoted = ", ".join(f'"{name}"' for name in names)
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{model._meta.db_table}" ({quoted}) SELECT {", ".join(values)} '
                f'FROM "{model._meta.db_table}" AS a_row, generate_series(%s, %s) AS i WHERE a_row.id = %s',
                [self.start, self.start + self.n - 1, row.pk],
            )


def fill(it, start, n):
    """n more rows for each list, over a year of days."""
    copies = Copies(start, n)
    a_day = "DATE '2025-01-01' + mod(i, 365)"
    for name in ("draft_entry", "submitted_entry", "approved_entry"):
        place = ["draft", "submitted", "approved"].index(name.removesuffix("_entry"))
        copies.of(
            it.rows[name],
            id=f"i + {place} * 10000000",
            date=a_day,
            external_id="''",
            resource_id=str(it.another.pk),
            decided_at="decided_at + i * INTERVAL '1 minute'",
        )
    sale = it.rows["sale"]
    copies.of(sale, date=a_day, entry_id="NULL", cost_id="NULL")
    copies.of(
        BacklogItem.objects.get(actual=sale),
        actual_id="i",
        date=a_day,
        status="'not_ready'",
        limit_status="'na'",
    )
    copies.of(it.rows["journal"].lines.first(), actual_id="i")
    copies.of(it.rows["proforma"], number="'P' || i", status="'draft'", batch_id="NULL")
    invoice = it.rows["invoice"]
    copies.of(invoice.proposal, proforma_id="i", number="'R' || i")
    copies.of(invoice.voucher, number="'V' || i", position="i", date=a_day)
    for place, entry in enumerate(invoice.voucher.entries.all()):
        copies.of(entry, id=f"i + {place} * 10000000", voucher_id="i")
    copies.of(invoice.voucher.customer_transactions.first(), voucher_id="i", date=a_day)
    copies.of(
        invoice,
        number="'F' || i",
        seq="i",
        proposal_id="i",
        voucher_id="i",
        invoice_date=a_day,
    )
    copies.of(AuditEvent.objects.filter(entity=it.entity.code).first(), at="at + i * INTERVAL '1 minute'")


# List: its reader, and how it is sorted, apart from its own order. Lists of contracts, journals and customers
# are not here: they add up the open items, the lines or the open transactions of each row that they show.
LISTS = {
    "backlog": ("manager", ["-date", "amount"]),
    "milestones": ("manager", []),
    "entries": ("member", []),
    "approvals": ("manager", ["-date"]),
    "approved": ("manager", ["decided_at"]),
    "proformas": ("manager", ["number"]),
    "proposals": ("accountant", ["number"]),
    "invoices": ("accountant", ["number", "invoice_date"]),
    "vouchers": ("accountant", ["number", "date"]),
    "projects": ("accountant", []),
    "audit_trail": ("auditor", []),
}
ADDRESSES = [(name, sort) for name, (_, sorts) in LISTS.items() for sort in ["", *sorts]]
# The first page, the last page, and the page before the last.
PLACES = ["1", "last", ""]


def touched(sql):
    """The rows that PostgreSQL reads in tables and indexes for the query."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
        (answer,) = cursor.fetchone()
    answer = json.loads(answer) if isinstance(answer, str) else answer
    return _touched(answer[0]["Plan"])


def _touched(plan):
    removed = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    own = plan["Actual Rows"] + sum(plan.get(name, 0) for name in removed)
    is_scan = "Scan" in plan["Node Type"]
    return is_scan * own * plan["Actual Loops"] + sum(map(_touched, plan.get("Plans", ())))


def measured(it, client):
    """By list, order and page: the rows that its page touches, with the query that touches most."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    found = {}
    for name, sort in ADDRESSES:
        client.force_login(getattr(it, LISTS[name][0]))
        if not sort:
            client.get(reverse(name))  # fill the caches of the process first
        before_last = ""
        for place in PLACES:
            with CaptureQueriesContext(connection) as captured:
                shown = client.get(reverse(name), {"sort": sort, "page": place or before_last})
            before_last = shown.context["table"].page.previous
            costs = defaultdict(int)
            for each in captured:
                if each["sql"].startswith("SELECT"):
                    costs[each["sql"]] += touched(each["sql"])
            found[name, sort, place] = sum(costs.values()), max(costs, key=costs.get)
    return found


@pytest.fixture(scope="module")
def figures(django_db_setup, django_db_blocker):
    from django.test import Client, override_settings

    with django_db_blocker.unblock(), transaction.atomic():
        it = world("NO1")
        it.another = ResourceFactory(entity=it.entity)  # the member's own entries stay few
        audit.record("tests.happened", it.rows["contract"], by=it.manager, entity=it.entity.code)
        with override_settings(LIST_COUNTED=COUNTED, LIST_SORTED=COUNTED):
            fill(it, 1_000_000, FEW)
            few = measured(it, Client())
            fill(it, 1_000_000 + FEW, MANY - FEW)
            many = measured(it, Client())
        transaction.set_rollback(True)
    return {each: (few[each][0], *many[each]) for each in few}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "sort"), ADDRESSES)
def test_ten_times_the_rows_are_not_ten_times_the_work(name, sort, place, figures):
    few, many, query = figures[name, sort, place]
    text = re.sub(r"SELECT .* FROM", "SELECT … FROM", query, count=1)
    assert many < 2 * few + COUNTED, text
