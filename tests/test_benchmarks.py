"""The benchmarks run, and both sides write the same rows."""

import json
import subprocess
import sys

import pytest
from django.db import connection

from actuals.models import Entry
from backlog.models import BacklogItem
from benchmarks.equality import fingerprint
from benchmarks.multiplied import multiply
from invoicing_site.floor import seals
from invoicing_site.verify import findings
from ledger.models import CustomerInvoice, Voucher
from tests import factories
from tests.running import ROOT
from tests.test_access import world


@pytest.mark.slow
def test_the_billing_run_is_compared_with_sql_that_writes_the_same_rows():
    few = ["--actuals", "12", "--contracts", "2", "--repeats", "1"]
    # In separate databases, on the same server as that of this test.
    answer = subprocess.run(
        [sys.executable, "benchmarks/billing_run.py", *few],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    # By hand: 12 entries in 5 roles make 1 batch, 10 prices, 12 costs, 12 sales, 24 rows that wait
    # for a journal and 12 items, and so on. Adding 24 lines to 2 journals deletes the rows that waited;
    # creating 2 proposals deletes those of the proformas, and the 2 invoices wait for
    # their documents.
    # The journals of two projects begin 4 balances of accounts, 2 of parties and 4 of projects; in the next
    # period, their invoices begin 5 of accounts, 4 of parties, 2 of customers and 4 of projects. Both periods
    # have one too.
    assert [(step["step"], step["rows"]) for step in report["steps"]] == [
        ("approve the submitted entries", 71),
        ("mark the backlog ready", 13),
        ("run invoicing", 22),
        ("confirm the proformas", 52),
        ("add the actuals to integration journals", 2),
        ("post the integration journals", 108),
        ("propose the invoices", 14),
        ("post the invoices", 73),
    ]
    assert all(step["ours"] > 0 and step["sql"] > 0 for step in report["steps"])
    assert report["whole"]["rows"] == 355


@pytest.mark.django_db
def test_the_comparison_finds_a_single_different_value():
    company = factories.company()
    item = factories.ready_item(company, factories.contract(company))
    before = fingerprint(connection)

    def differs():
        after = fingerprint(connection)
        return {name for name in before if before[name] != after[name]}

    assert differs() == set()
    BacklogItem.objects.filter(pk=item.pk).update(status=BacklogItem.Status.CREATED)
    assert differs() == {"backlog_backlogitem.status"}
    factories.RoleFactory(entity=company.entity)
    assert "contracts_role.*" in differs()


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_large_company_has_correct_books():
    """PST-7"""
    world("ONE")
    before = {model: model.objects.count() for model in (Entry, CustomerInvoice, Voucher)}
    multiply(70)
    seals.seal_all()

    assert findings() == []
    assert before == {Entry: 6, CustomerInvoice: 1, Voucher: 3}
    after = {model: model.objects.count() for model in before}
    assert after == {Entry: 420, CustomerInvoice: 70, Voucher: 210}
    first, *_, last = CustomerInvoice.objects.order_by("seq").values_list("number", flat=True)
    assert (first, last) == ("INV-2025-000001", "INV-2025-000070")
