"""A preview stores the plan; carrying it out creates what was shown, or is refused with the difference."""

from datetime import date
from decimal import Decimal

import pytest

from backlog.models import BacklogItem
from invoicing_site.floor import jobs
from invoicing_site.floor.errors import Refused
from proforma import operations
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunPlanLine
from tests import factories
from tests.background import make_late

pytestmark = pytest.mark.django_db

JAN_15, JAN_31, FEB_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1)
FEB_15, FEB_28, MAR_1 = date(2025, 2, 15), date(2025, 2, 28), date(2025, 3, 1)


def preview(company, as_of=MAR_1, **fields):
    return operations.preview_invoicing(company.entity, as_of=as_of, by=company.manager, **fields)


def lines(found):
    """(customer, run date, code, items, amount, previous amount, currency) of a stored plan."""
    return [
        (
            line.contract_customer,
            line.run_date,
            line.code,
            line.items,
            f"{line.amount:.2f}",
            line.previous_amount and f"{line.previous_amount:.2f}",
            line.currency,
        )
        for line in RunPlanLine.objects.filter(run_contract__run=found).order_by("pk")
    ]


@pytest.fixture
def planned(company, contract, ready, due):
    """January and February are due: 1,000 in January, 700 + 300 non-chargeable in February."""
    line = contract.lines.get()
    due(line, FEB_1, JAN_31)
    due(line, MAR_1, FEB_28)
    ready(contract, "10", "100", day=JAN_15)
    ready(contract, "7", "100", day=FEB_15)
    ready(contract, "3", "100", day=FEB_15, billing_type="non_chargeable")
    return contract


def test_a_preview_is_a_stored_plan_and_claims_nothing(company, planned, ready):
    """RUN-4: for each customer the total, the previous total, and the work left out with its reason."""
    share = planned.customers.get()
    ready(planned, "5", "100", day=FEB_15, status="not_ready")
    ready(planned, "2", "100", day=MAR_1)
    found = preview(company)
    assert lines(found) == [
        (share, FEB_1, "", 1, "1000.00", None, "NOK"),
        (share, MAR_1, "", 2, "700.00", "1000.00", "NOK"),
        (share, MAR_1, "NOT-READY", 1, "500.00", None, "NOK"),
        (share, MAR_1, "NO-SCHEDULE", 1, "200.00", None, "NOK"),
    ]
    assert (found.kind, found.status, len(found.digest), found.started_by) == (
        "preview",
        "finished",
        64,
        company.manager,
    )
    assert found.run_contracts.get().outcome == "created"
    assert not ProformaInvoice.objects.exists()
    assert BacklogItem.objects.ready().count() == 4
    assert {entry.status for entry in planned.lines.get().schedule.all()} == {"not_run"}


def test_changes_since_the_last_period_are_shown(company, contract, ready, due):
    """RUN-4"""
    line = contract.lines.get()
    due(line, FEB_1, JAN_31)
    ready(contract, "12", "100", day=JAN_15)
    operations.run_invoicing(company.entity, as_of=FEB_1)
    due(line, MAR_1, FEB_28)
    ready(contract, "9", "100", day=FEB_15)
    ((*_, amount, before, _),) = lines(preview(company))
    assert (amount, before) == ("900.00", "1200.00")


def test_a_contract_without_a_proforma_has_a_reason(company, contract, ready, due):
    """RUN-4"""
    due(contract.lines.get(), FEB_1, JAN_31)
    contract.limit = Decimal(1000)
    contract.save()
    ready(contract, day=JAN_15, status="not_ready", limit_status="not_evaluated")
    found = preview(company)
    row = found.run_contracts.get()
    assert (row.outcome, row.reason.code, row.reason.sentence) == (
        "nothing",
        "NOTHING-READY-LEFT-OUT",
        "Nothing was ready to invoice. 1 item is left out: not tested against its limit.",
    )


def test_the_run_creates_what_the_preview_showed(company, planned):
    """RUN-4: both use the same plan."""
    shown = preview(company)
    found = operations.execute_preview(shown, by=company.manager)
    assert (found.executes, found.kind, found.started_by) == (shown, "run", company.manager)
    assert [
        (p.run_date, sum(d.amount for d in LineDetail.objects.on_proforma(p).chargeable()))
        for p in found.proformas.order_by("pk")
    ] == [(FEB_1, Decimal(1000)), (MAR_1, Decimal(700))]


def test_a_plan_is_carried_out_once(company, planned):
    """RUN-4"""
    shown = preview(company)
    operations.execute_preview(shown, by=company.manager)
    with pytest.raises(Refused, match="is already carried out"):
        operations.execute_preview(shown, by=company.manager)
    assert InvoiceRun.objects.filter(kind="run").count() == 1


def test_a_plan_whose_inputs_changed_is_refused_with_the_difference(company, planned, ready):
    """RUN-4"""
    shown = preview(company)
    ready(planned, "2", "100", day=FEB_15)
    with pytest.raises(Refused) as refused:
        operations.execute_preview(shown, by=company.manager)
    assert refused.value.code == "PREVIEW-CHANGED"
    assert f"Contract {planned} had 3 rows of 1,700.00 NOK and now has 4 of 1,900.00 NOK." in str(
        refused.value
    )
    assert not ProformaInvoice.objects.exists()


def test_other_work_for_the_same_amount_is_a_difference_too(company, planned, ready):
    """RUN-4"""
    shown = preview(company)
    BacklogItem.objects.filter(amount=1000).update(status="not_ready")
    ready(planned, "10", "100", day=JAN_15)
    with pytest.raises(Refused, match="has other work for the same amount"):
        operations.execute_preview(shown, by=company.manager)


def test_a_new_contract_is_a_difference_too(company, planned, ready, due):
    """RUN-4"""
    shown = preview(company)
    other = factories.contract(company, confirmed=True)
    due(other.lines.get(), FEB_1, JAN_31)
    ready(other, "1", "50", day=JAN_15)
    with pytest.raises(Refused, match=r"had 0 rows of 0\.00 NOK and now has 1 of 50\.00"):
        operations.execute_preview(shown, by=company.manager)


def test_work_that_is_left_out_may_change(company, planned, ready):
    """RUN-4: it does not affect what is created."""
    shown = preview(company)
    ready(planned, day=FEB_15, status="not_ready")
    assert operations.execute_preview(shown, by=company.manager).proformas.count() == 2


def test_a_contract_that_changes_during_the_run_fails_in_it(company, planned, ready):
    """RUN-4, RUN-2"""
    shown = preview(company)
    run = operations.start_run(company.entity, as_of=MAR_1, executes=shown)
    ready(planned, day=FEB_15)
    row = operations.invoice_contract(planned, run=run)
    assert (row.outcome, row.reason.code) == ("failed", "CONTRACT-CHANGED")
    assert not ProformaInvoice.objects.exists()
    assert operations.run_invoicing(company.entity, as_of=MAR_1).proformas.count() == 2


def test_a_preview_that_was_killed_is_finished(company, planned):
    """RUN-2"""
    dead = operations.start_run(company.entity, as_of=MAR_1, kind="preview")
    job = jobs.about(dead).get()
    make_late()
    assert jobs.sweep() == [job.pk]
    assert len(lines(dead)) == 2
    assert not ProformaInvoice.objects.exists()


def test_an_unfinished_preview_is_not_carried_out(company, planned):
    """RUN-4"""
    open_one = operations.start_run(company.entity, as_of=MAR_1, kind="preview")
    with pytest.raises(
        Refused, match=("is running and can't be carried out. Statuses that allow this: finished")
    ):
        operations.execute_preview(open_one, by=company.manager)
