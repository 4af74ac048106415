"""A pool of connections in transaction mode: nothing is kept in a session between transactions."""

from contextlib import contextmanager
from io import BytesIO

import pytest
from django.db import connection, transaction
from django.urls import reverse
from openpyxl import load_workbook

from invoicing_site.floor import seals
from invoicing_site.verify import findings
from ledger.invoicing.operations import posting
from ledger.models import CustomerInvoice, Voucher
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@contextmanager
def another_session_each_time():
    """What a pool does at worst: the next transaction finds a session that knows nothing of the last one."""

    def execute(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not connection.in_atomic_block and sql.split(" ", 1)[0] not in ("BEGIN", "DECLARE"):
            forget()
        return result

    def forget():
        with connection.connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
            cursor.execute("SET TIME ZONE 'UTC'")  # a pool keeps it for each client

    leave = transaction.Atomic.__exit__

    def left(self, *error):
        leave(self, *error)
        if not connection.in_atomic_block and connection.connection is not None:
            forget()

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(execute):
        patch.setattr(transaction.Atomic, "__exit__", left)
        yield


def test_the_whole_way_needs_no_session(client, monkeypatch):
    """From hours to a posted invoice, its seal, its proof and files of lists in several chunks."""
    company = factories.company()
    contract = factories.contract(company, confirmed=True)
    monkeypatch.setattr("invoicing_site.screens.tables.CHUNK", 2)
    with another_session_each_time():
        items = [work(company, contract, hours=hours) for hours in ("1", "2", "3")]
        posting.post(proposed(company, *items), by=company.accountant, on=MARCH_31)
        seals.seal()
        assert findings() == []
        client.force_login(company.accountant)
        csv = client.get(reverse("vouchers"), {"_export": "csv"}).getvalue()
        xlsx = client.get(reverse("vouchers"), {"_export": "xlsx"}).getvalue()
    assert CustomerInvoice.objects.get().net == 600
    assert len(csv.splitlines()) == load_workbook(BytesIO(xlsx)).active.max_row == Voucher.objects.count() + 1
