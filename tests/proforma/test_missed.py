"""Ready work that no run would invoice, future dates, and work that can't be invoiced alone."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backlog.models import BacklogItem
from contracts.models import ScheduleEntry
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.formatting import day
from proforma import operations
from proforma.inputs import contracts_to_look_at
from proforma.models import InvoiceRun, LineDetail, ProformaInvoice, RunPlanLine
from tests import factories

pytestmark = pytest.mark.django_db

JAN_15, JAN_31, FEB_1 = date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1)
FEB_15, FEB_28, MAR_1 = date(2025, 2, 15), date(2025, 2, 28), date(2025, 3, 1)
REMEDY = "without a schedule entry (create its proforma by hand)."


def run(company, as_of=MAR_1, **fields):
    return operations.run_invoicing(company.entity, as_of=as_of, **fields)


def preview(company, as_of=MAR_1, **fields):
    return operations.preview_invoicing(company.entity, as_of=as_of, **fields)


def outcomes(found):
    rows = found.run_contracts.order_by("contract")
    return [
        (row.contract, row.outcome, row.reason and row.reason.code, row.reason and row.reason.sentence)
        for row in rows
    ]


def skipped(found):
    lines = RunPlanLine.objects.filter(run_contract__run=found).exclude(code="").order_by("pk")
    return [(line.contract_customer, line.code, line.items, line.amount) for line in lines]


# Future dates


def test_a_run_for_a_future_day_is_refused(company, contract, ready, due):
    """RUN-1: it would complete the entries of future months before their work is done."""
    today = company.entity.today()
    tomorrow = today + timedelta(days=1)
    due(contract.lines.get(), tomorrow, today)
    ready(contract)
    with pytest.raises(Refused) as refused:
        run(company, as_of=tomorrow)
    assert refused.value.code == "RUN-DATE-AHEAD"
    assert f"{day(tomorrow)} is in the future" in str(refused.value)
    assert f"today is {day(today)}" in str(refused.value)
    assert ScheduleEntry.objects.get().status == "not_run"
    assert not InvoiceRun.objects.exists()
    assert run(company, as_of=today).status == "finished"


def test_a_preview_of_a_future_day_can_be_carried_out_on_that_day(company, contract, ready, due):
    """RUN-4, RUN-1"""
    tomorrow = company.entity.today() + timedelta(days=1)
    due(contract.lines.get(), tomorrow, JAN_31)
    ready(contract, day=JAN_15)
    shown = preview(company, as_of=tomorrow)
    assert outcomes(shown) == [(contract, "created", None, None)]
    with pytest.raises(Refused) as refused:
        operations.execute_preview(shown, by=company.manager)
    assert refused.value.code == "PREVIEW-DATE-AHEAD"
    assert f"It can be carried out on {day(tomorrow)} or later" in str(refused.value)
    assert not ProformaInvoice.objects.exists()


# Work without a future schedule entry


def test_ready_work_on_a_line_without_a_schedule_is_reported(company, contract, ready):
    """BKL-6"""
    ready(contract, "2", "150", day=JAN_15)
    ready(contract, "1", "150", day=MAR_1)
    ready(contract, "4", "150", day=date(2025, 3, 2))  # after the day of the run
    message = f"Nothing was due to invoice. 2 items are left out: ready {REMEDY}"
    shown, found = preview(company), run(company)
    assert outcomes(shown) == [(contract, "nothing", "NOTHING-DUE-LEFT-OUT", message)]
    assert outcomes(found) == [(contract, "nothing", "NOTHING-DUE-LEFT-OUT", message)]
    assert skipped(shown) == [(contract.customers.get(), "NO-SCHEDULE", 2, Decimal(450))]
    assert found.due == 1


def test_work_approved_after_the_last_entry_is_reported(company, contract, ready, due):
    """BKL-6: no work is lost."""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    assert outcomes(run(company))[0][1] == "created"
    assert outcomes(run(company)) == []
    late = ready(contract, day=JAN_15)
    expected = (
        contract,
        "nothing",
        "NOTHING-DUE-LEFT-OUT",
        f"Nothing was due to invoice. 1 item is left out: ready {REMEDY}",
    )
    assert outcomes(run(company)) == [expected]
    assert outcomes(run(company)) == [expected]  # nothing else is created
    assert ProformaInvoice.objects.count() == 1
    late.refresh_from_db()
    assert late.status == "ready"
    operations.create_proformas([contract], cutoff=JAN_31, on=MAR_1, by=None)
    assert outcomes(run(company)) == []


def test_a_run_reports_billed_work_and_missed_work(company, contract, ready, due):
    """BKL-6, RUN-4: it is dated after the last open entry."""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    ready(contract, "3", "100", day=FEB_1)
    shown, found = preview(company), run(company)
    assert outcomes(shown) == [(contract, "created", "LEFT-OUT", f"1 item is left out: ready {REMEDY}")]
    assert skipped(shown) == [(contract.customers.get(), "NO-SCHEDULE", 1, Decimal(300))]
    assert outcomes(found) == [
        (
            contract,
            "created",
            "RUN-CREATED-LEFT-OUT",
            f"Proforma PRO-2025-000001. 1 item is left out: ready {REMEDY}",
        )
    ]
    assert LineDetail.objects.get().date == JAN_15


@pytest.mark.parametrize("status", ["not_run", "failed"])
def test_work_that_a_future_entry_will_include_is_not_missed(company, contract, ready, due, status):
    """BKL-6: up to the day of its cutoff, inclusive."""
    entry = due(contract.lines.get(), date(2025, 4, 1), FEB_28)
    ScheduleEntry.objects.update(status=status)
    ready(contract, day=FEB_28)
    assert outcomes(run(company)) == []
    entry.cutoff = date(2025, 2, 27)
    entry.save()
    assert [code for *_, code, _ in outcomes(run(company))] == ["NOTHING-DUE-LEFT-OUT"]


def test_work_on_hold_or_non_chargeable_or_of_a_draft_contract_is_not_missed(company, contract, ready):
    """BKL-6"""
    held = ready(contract, day=JAN_15)
    held.hold_until = date(2025, 3, 2)
    held.save()
    ready(contract, day=JAN_15, billing_type="non_chargeable")
    ready(factories.contract(company), day=JAN_15)
    assert outcomes(run(company)) == []
    held.hold_until = MAR_1
    held.save()
    assert outcomes(run(company)) == [
        (
            contract,
            "nothing",
            "NOTHING-DUE-LEFT-OUT",
            f"Nothing was due to invoice. 1 item is left out: ready {REMEDY}",
        )
    ]


def test_a_restricted_run_reports_only_its_contracts(company, contract, ready):
    """RUN-3"""
    other = factories.contract(company, confirmed=True)
    for found in (contract, other):
        ready(found, day=JAN_15)
    assert [c for c, *_ in outcomes(run(company, contracts=[other]))] == [other]


def test_missed_work_does_not_make_a_plan_stale(company, contract, ready, due):
    """RUN-4: missed work does not affect what is created, on this contract or on another."""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    shown = preview(company)
    other = factories.contract(company, confirmed=True)
    for found in (contract, other):
        ready(found, day=FEB_15)
    done = operations.execute_preview(shown, by=company.manager)
    assert [(c, outcome, code) for c, outcome, code, _ in outcomes(done)] == [
        (contract, "created", "RUN-CREATED-LEFT-OUT"),
        (other, "nothing", "NOTHING-DUE-LEFT-OUT"),
    ]


def test_many_contracts_with_missed_work_take_no_more_queries_than_one(company, contract, ready):
    """BKL-6"""

    def queries():
        with CaptureQueriesContext(connection) as captured:
            found = contracts_to_look_at(company.entity, as_of=MAR_1)
        return len(found), len(captured)

    ready(contract, day=JAN_15)
    assert queries() == (1, 3)
    for _ in range(4):
        ready(factories.contract(company, confirmed=True), day=JAN_15)
    assert queries() == (5, 3)


# Work that can't be invoiced alone


def test_a_customer_with_only_non_chargeable_work_gets_no_invoice(company, shared_contract, ready, due):
    """PRO-1: the work stays ready, and the schedule entry is completed."""
    line = shared_contract.lines.get()
    due(line, FEB_1, JAN_31)
    due(line, MAR_1, FEB_28)
    first, second = shared_contract.customers.order_by("pk")
    ready(shared_contract, customer=first, day=JAN_15)
    along = ready(shared_contract, "2", "300", customer=second, day=JAN_15, billing_type="non_chargeable")
    shown, found = preview(company, as_of=FEB_1), run(company, as_of=FEB_1)
    assert skipped(shown) == [(second, "NOTHING-CHARGEABLE", 1, Decimal(600))]
    assert [proforma.contract_customer for proforma in found.proformas.all()] == [first]
    along.refresh_from_db()
    assert along.status == "ready"
    assert line.schedule.get(run_date=FEB_1).status == "succeeded"

    billed = ready(shared_contract, customer=second, day=FEB_15)
    (proforma,) = run(company).proformas.all()
    assert proforma.contract_customer == second
    details = LineDetail.objects.on_proforma(proforma).order_by("pk")
    assert [detail.backlog_item for detail in details] == [along, billed]


def test_only_non_chargeable_work_is_reported(company, contract, ready, due):
    """PRO-1, RUN-4"""
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15, billing_type="non_chargeable")
    assert outcomes(run(company)) == [
        (
            contract,
            "nothing",
            "NOTHING-READY-LEFT-OUT",
            "Nothing was ready to invoice. 1 item is left out: non-chargeable without anything to bill with "
            "it (it is added to the next invoice).",
        )
    ]
    assert ScheduleEntry.objects.get().status == "succeeded"
    assert not ProformaInvoice.objects.exists()


def test_non_chargeable_work_alone_gets_no_proforma_by_hand_either(company, contract, ready):
    """PRO-1"""
    ready(contract, day=JAN_15, billing_type="non_chargeable")
    with pytest.raises(Refused, match="left out: non-chargeable without anything to bill with it") as refused:
        operations.create_proformas([contract], cutoff=JAN_31, on=MAR_1, by=None)
    assert refused.value.code == "CONTRACT-NOTHING"
    ready(contract, day=JAN_15, billing_type="complimentary")
    (proforma,) = operations.create_proformas([contract], cutoff=JAN_31, on=MAR_1, by=None)
    assert LineDetail.objects.on_proforma(proforma).count() == 2


# The command line


def command(capsys, name, *arguments):
    call_command(name, *arguments)
    return capsys.readouterr().out


def test_a_preview_shows_new_proformas_and_changes(company, contract, ready, due, capsys):
    """RUN-4"""
    line, customer = contract.lines.get(), contract.customers.get().customer
    due(line, FEB_1, JAN_31)
    ready(contract, "1", "100000", day=JAN_15)
    run(company, as_of=FEB_1)
    due(line, MAR_1, FEB_28)
    ready(contract, "1", "33333.33", day=FEB_15)
    ready(contract, "2", "100", day=FEB_15, status="not_ready")
    out = command(capsys, "run_invoicing", "--entity", "NO1", "--as-of", "2025-03-01", "--preview")
    number = InvoiceRun.objects.get(kind="preview").pk
    who = f"{customer.number} {customer.name}"
    assert out == (
        f"NO1: preview {number} as of 2025-03-01, 1 contract, 1 proforma would be created, NOK 33,333.33\n"
        f"  {contract.code}: proforma would be created\n"
        f"    2025-03-01, {who}: 1 row, NOK 33,333.33 (−66,666.67 since 100,000.00)\n"
        f"    left out, {who}: 1 row, NOK 200.00, NOT-READY: not marked ready\n"
    )
    assert ProformaInvoice.objects.count() == 1


def test_a_preview_prints_json(company, ready, due, capsys):
    """RUN-4, MON-1: amounts in whole yen."""
    contract = factories.contract(company, confirmed=True, currency="JPY")
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, "2", "500", day=JAN_15)
    ready(contract, "1", "700", day=FEB_15)
    (answer,) = json.loads(command(capsys, "run_invoicing", "--as-of", "2025-03-01", "--preview", "--json"))
    customer = contract.customers.get().customer
    who = {"customer": customer.number, "name": customer.name, "currency": "JPY", "items": 1}
    (row,) = answer["contracts"]
    assert (answer["totals"], row["said"]) == ({"JPY": "1000"}, "proforma would be created")
    assert row["plan"] == [
        who
        | {"amount": "1000", "run_date": "2025-02-01", "previous": None, "change": None}
        | {"order": None, "outside_scope": False}
    ]
    assert row["left_out"] == [
        who | {"amount": "700", "code": "NO-SCHEDULE", "reason": f"ready {REMEDY}".rstrip(".")}
    ]


def test_a_run_for_a_future_day_fails_with_the_sentence(company, capsys):
    """RUN-1"""
    tomorrow = company.entity.today() + timedelta(days=1)
    with pytest.raises(CommandError, match=f"{day(tomorrow)} is in the future"):
        call_command("run_invoicing", "--as-of", str(tomorrow))
    assert "would be created" in command(capsys, "run_invoicing", "--as-of", str(tomorrow), "--preview")


def test_a_refusal_of_one_entity_does_not_stop_the_others(company, contract, ready, due, capsys, monkeypatch):
    """RUN-2"""
    east = factories.LegalEntityFactory(code="AA1")
    real = operations.run_invoicing

    def refuse(entity, **fields):
        if entity == east:
            raise Refused("NOTHING-SELECTED")
        return real(entity, **fields)

    monkeypatch.setattr("invoicing_site.management.commands.run_invoicing.run_invoicing", refuse)
    due(contract.lines.get(), FEB_1, JAN_31)
    ready(contract, day=JAN_15)
    with pytest.raises(CommandError, match="Nothing is selected"):
        call_command("run_invoicing", "--as-of", "2025-03-01")
    assert "1 proforma created" in capsys.readouterr().out


def test_an_unknown_code_is_refused_with_known_ones(company, contract):
    for name in ("run_invoicing", "create_proformas"):
        with pytest.raises(CommandError) as refused:
            call_command(name, "--entity", "NO1", "--contract", f"{contract.code}X")
        assert f"There is no contract “{contract.code}X” to act on. Known: {contract.code}." in str(
            refused.value
        )


def test_the_command_creates_proformas_of_everything_that_is_ready(company, contract, ready, capsys):
    """PRO-1, BKL-6: regardless of the schedule; a contract whose work is all on hold is reported."""
    held, _idle, draft = (factories.contract(company, confirmed=c) for c in (True, True, False))
    ready(contract, "3", "11111.11", day=JAN_15)
    later = ready(contract, day=FEB_15)
    ready(held, day=JAN_15)
    BacklogItem.objects.filter(contract=held).update(hold_until=date(2099, 1, 1))
    ready(draft, day=JAN_15)
    arguments = ["--entity", "NO1", "--cutoff", "2025-01-31", "--on", "2025-03-01"]
    out = command(capsys, "create_proformas", *arguments, "--by", company.manager.username)
    customer = contract.customers.get().customer.number
    assert out == (
        "1 proforma created with work up to 2025-01-31.\n"
        f"PRO-2025-000001: contract {contract.code}, customer {customer}, NOK 33,333.33.\n"
        f"{held.code}: Contract {held} up to 31 Jan 2025: "
        "Nothing was ready to invoice. 1 item is left out: on hold. [CONTRACT-NOTHING]\n"
    )
    proforma = ProformaInvoice.objects.get()
    assert (proforma.created_by, proforma.cutoff, proforma.accounting_date) == (
        company.manager,
        JAN_31,
        MAR_1,
    )
    later.refresh_from_db()
    assert later.status == "ready"


def test_the_command_creates_proformas_of_selected_contracts(company, contract, ready, capsys):
    """PRO-1"""
    other, draft = factories.contract(company, confirmed=True), factories.contract(company)
    for found in (contract, other, draft):
        ready(found, "1", "200", day=JAN_15)
    arguments = ["--contract", other.code, "--contract", draft.code, "--on", "2025-03-01", "--json"]
    answer = json.loads(command(capsys, "create_proformas", "--entity", "NO1", *arguments))
    assert answer["created"] == [
        {
            "proforma": "PRO-2025-000001",
            "contract": other.code,
            "customer": other.customers.get().customer.number,
            "net": "200.00",
            "currency": "NOK",
        }
    ]
    assert [(row["contract"], row["code"]) for row in answer["refused"]] == [
        (draft.code, "CONTRACT-NOT-CONFIRMED")
    ]
    assert BacklogItem.objects.ready().count() == 2


def test_the_command_reports_that_nothing_is_ready(company, contract, capsys):
    """PRO-1"""
    out = command(capsys, "create_proformas", "--entity", "NO1", "--on", "2025-03-01")
    assert out == "0 proformas created with work up to 2025-03-01.\nNothing is ready to invoice.\n"
