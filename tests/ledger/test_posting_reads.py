"""What loading a proposal reads of large tables (PST-1)."""

from collections import Counter

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from actuals.models import Actual, Batch
from backlog.models import BacklogItem
from ledger.invoicing.load import load_all
from ledger.invoicing.operations.proposals import create_proposals
from ledger.models import (
    InvoiceProposal,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    ProposalLine,
    ProposalSection,
    Voucher,
)
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine
from tests import factories
from tests.ledger.billing import MARCH_31, accrue, book_journals, confirmed, proposed, work
from tests.ledger.test_disbursements import charged, paid

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

FIRST, INVOICES, DETAILS = 1_000_000, 400, 4000
LARGE = (Actual, BacklogItem, LineDetail, DetailActual, ProposalLine)
LARGE += (JournalLine, Voucher, LedgerEntry, ProjectTransaction)


def others(model, count, source="true", **columns):
    """That many rows like the first one, with keys from FIRST on; `columns` are SQL over its number n."""
    table, keys = model._meta.db_table, {"id": f"{FIRST} + n", **columns}
    names = [field.column for field in model._meta.concrete_fields if isinstance(field, models.Field)]
    values = ", ".join(keys.get(name, f's."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({quoted}) SELECT {values} FROM generate_series(1, {count}) AS n,"
            f" (SELECT * FROM {table} WHERE {source} ORDER BY id LIMIT 1) AS s"
        )


def many_others():
    """Other proposals with thousands of lines, whose work is posted by journals and not yet invoiced."""
    of_invoice = f"{FIRST} + 1 + (n - 1) / {DETAILS // INVOICES}"
    sale, cost = f"{FIRST} + 2 * n", f"{FIRST} + 2 * n - 1"
    number = {"number": "'other ' || n"}
    others(Batch, INVOICES)
    others(ProformaInvoice, INVOICES, batch_id=f"{FIRST} + n", **number)
    others(ProformaLine, INVOICES, proforma_id=f"{FIRST} + n")
    others(InvoiceProposal, INVOICES, proforma_id=f"{FIRST} + n", **number)
    others(ProposalSection, INVOICES, proposal_id=f"{FIRST} + n")
    others(Actual, DETAILS, "type = 'cost'", id=cost)
    others(Actual, DETAILS, "type = 'unbilled' AND reverses_id IS NULL", id=sale, cost_id=cost)
    others(Actual, DETAILS, "type = 'billed'", id=f"2 * {FIRST} + n", cost_id="NULL")
    others(BacklogItem, DETAILS, actual_id=sale)
    others(LineDetail, DETAILS, line_id=of_invoice, backlog_item_id=f"{FIRST} + n")
    others(DetailActual, DETAILS, "part = 'billed'", detail_id=f"{FIRST} + n", actual_id=f"2 * {FIRST} + n")
    others(
        ProposalLine,
        DETAILS,
        proposal_id=of_invoice,
        section_id=of_invoice,
        detail_id=f"{FIRST} + n",
        number="n",
    )
    others(JournalLine, 2 * DETAILS, actual_id=f"{FIRST} + n")
    others(Voucher, 2 * DETAILS, journal_line_id=f"{FIRST} + n", position=f"{FIRST} + n", **number)
    others(LedgerEntry, 2 * DETAILS, voucher_id=f"{FIRST} + n", number="1", debit="0", accounting_debit="0")
    others(ProjectTransaction, 2 * DETAILS, voucher_id=f"{FIRST} + n", actual_id=f"{FIRST} + n")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def rows_read(queries) -> Counter:
    """How many rows of each large table PostgreSQL reads for these queries, also those that it then drops."""
    large = {model._meta.db_table for model in LARGE}
    found = Counter()
    with connection.cursor() as cursor:
        for query in queries:
            if not query["sql"].startswith("SELECT"):
                continue
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            ((((plan,),),),) = [cursor.fetchall()]
            found.update({table: rows for table, rows in _scans(plan["Plan"]) if table in large})
    return found


def _scans(node):
    for inner in node.get("Plans", []):
        yield from _scans(inner)
    if table := node.get("Relation Name"):
        dropped = sum(count for name, count in node.items() if name.startswith("Rows Removed"))
        yield table, (node["Actual Rows"] + dropped) * node["Actual Loops"]


def court_fee(no1, contract):
    """The sale of a disbursement, with its cost."""
    court = factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="expense",
        is_disbursement=True,
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )
    return charged(no1, contract, paid(no1, contract, court, "1650"), "1650")


def test_loading_reads_no_large_table_as_a_whole(no1, contract):
    """PST-1 PST-10: the work of other invoices costs nothing, in a ledger of any size."""
    accrue(no1, contract)
    fee = court_fee(no1, contract)
    proposals = [proposed(no1, fee), proposed(no1, work(no1, contract), work(no1, contract))]
    many_others()

    with CaptureQueriesContext(connection) as queries:
        first, second = load_all(proposals, on=MARCH_31).values()

    assert [disbursement.amount for disbursement in first.disbursements.values()] == [1650]
    assert (len(second.accrued), len(second.accrued_transactions)) == (2, 2)
    assert max(rows_read(queries).values()) <= 20

    some = list(InvoiceProposal.objects.filter(pk__in=[FIRST + 100, FIRST + 200]))
    with CaptureQueriesContext(connection) as queries:
        first, second = load_all(some, on=MARCH_31).values()

    assert [len(first.lines), len(second.lines), len(second.accrued_transactions)] == [10, 10, 10]
    # The costs, the unbilled sales and the billed sales of their 20 details; the details twice.
    assert rows_read(queries)["actuals_actual"] == 100
    assert max(rows_read(queries).values()) == 100


def test_creating_proposals_reads_no_large_table_as_a_whole(no1, contract):
    """PRP-1 PRP-7: nor does what they wait for; two are ready, and one waits for a journal."""
    proposed(no1, court_fee(no1, contract))
    ready = [(work(no1, contract), work(no1, contract)), (work(no1, contract),)]
    book_journals(no1)
    for items in (*ready, (work(no1, contract),)):
        confirmed(no1, *items)
    many_others()

    with CaptureQueriesContext(connection) as queries:
        created = create_proposals(no1.entity)

    assert [proposal.status for proposal in created] == ["open", "open", "blocked"]
    # Of four details: the claimed actual for the blockers, and the actuals of billed lines and journal lines.
    assert max(rows_read(queries).values()) <= 20
