"""A process that is killed while it posts a group of invoices (PST-1)."""

from contextlib import ExitStack

import pytest

from contracts.models import NumberSequence
from invoicing_site.verify import findings
from ledger.models import CustomerInvoice, InvoiceLine, InvoiceProposal, LedgerEntry, Voucher
from tests.ledger.billing import proposed, work
from tests.proforma.test_killed import kill, row_locked, start, wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COMMAND = ("post_invoices", "--entity", "NO1", "--on", "2025-03-31")


def test_killed_in_the_middle_of_a_group(no1, contract, tmp_path):
    """PST-1 MON-7: five invoices have their numbers, and wait for those of their vouchers."""
    for _ in range(5):
        proposed(no1, work(no1, contract), work(no1, contract))
    before = Voucher.objects.count(), LedgerEntry.objects.count()
    sequence = NumberSequence.objects.get(entity=no1.entity, kind="voucher")
    with ExitStack() as stop:
        wants_its_number = stop.enter_context(row_locked("contracts_numbersequence", sequence.pk))
        process = start(tmp_path, *COMMAND)
        wait_until(wants_its_number)
        kill(process)
    assert not CustomerInvoice.objects.exists()
    assert not InvoiceLine.objects.exists()
    assert (Voucher.objects.count(), LedgerEntry.objects.count()) == before
    assert set(InvoiceProposal.objects.values_list("status", flat=True)) == {"open"}

    again = start(tmp_path, *COMMAND)
    assert again.wait(120) == 0, (tmp_path / "run.log").read_text()

    numbers = list(CustomerInvoice.objects.order_by("seq").values_list("number", flat=True))
    assert numbers == [f"INV-2025-00000{n}" for n in range(1, 6)]
    # The documents are in the folder of the process.
    assert [each for each in findings(no1.entity) if each.code != "DOCUMENT"] == []
