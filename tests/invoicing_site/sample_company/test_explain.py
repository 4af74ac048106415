"""Explaining an amount, from any document of the chain."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actuals.models import Actual
from backlog.models import BacklogItem
from invoicing_site import explain
from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused
from ledger.models import Voucher
from proforma.models import DetailActual
from tests.invoicing_site.sample_company.sample import billed, three_shares

D = Decimal


def sales_of(sample, entry, customer=0, billing_type="chargeable"):
    """The original unbilled sales of one customer for an entry."""
    return Actual.objects.get(
        entry=entry,
        type="unbilled",
        billing_type=billing_type,
        contract_customer__customer=sample.company.customers[customer],
        detail_actual=None,
        reverses=None,
    )


def made(sample, part):
    """The actuals that confirming made from the lowered detail."""
    return DetailActual.objects.get(detail=sample.lowered, part=part).actual


def sentences(explanation, stage):
    return [step.sentence for step in explanation.steps if step.stage == stage]


def test_a_share_is_explained_from_its_entry_to_its_payment(sample):
    """ACT-2"""
    explanation = explain.explain_actual(sales_of(sample, sample.eight))

    assert explanation.stages() == [
        "actual",
        "entry",
        "approval",
        "price",
        "rate",
        "rounding",
        "split",
        "limit",
        "backlog",
        "proforma",
        "journal",
        "voucher",
        "proposal",
        "invoice",
        "voucher",
        "payment",
    ]
    said = {step.stage: step.sentence for step in explanation.steps}
    assert said["actual"].startswith("3.6 h × 200 = 720.00 NOK, chargeable; reversed by actual")
    assert said["entry"].startswith(
        "Anna entered 8 h of time on 10 Mar 2025 for project NO1-P1 Bridge, task DESIGN Design, "
        "as Consultant: “Drawings”"
    )
    assert "(external id T-1)" in said["entry"]
    assert said["approval"].startswith("Approved by Manager.No1 on 31 Mar 2025 (batch ")
    recorded = sales_of(sample, sample.eight).batch.at
    assert f", recorded {formatting.day(recorded.date())} {recorded:%H:%M} UTC)" in said["approval"]
    assert "6 of 8 h billable. Its cost is 800.00 NOK" in said["approval"]
    assert "Sales price 200 NOK from price list SALES Sales." in said["price"]
    assert "any role · any company · any unit: 200 — chosen" in said["price"]
    assert said["rate"] == "NOK is the accounting currency: the rate is 1; 720.00 NOK in the books."
    assert said["rounding"] == "3.6 × 200 = 720.00 NOK, nothing to round."
    first, second = sample.company.customers
    assert said["split"] == (
        f"{first}'s share. All shares: {first} 60 % = 720.00 NOK; {second} 40 % = 480.00 NOK "
        "(takes the rounding); together 1,200.00 NOK."
    )
    assert said["limit"] == "Within every limit that is set."
    assert "on proforma PF-2025-000001." in said["backlog"]
    assert "On proforma PF-2025-000001, line 1: 3.6 h × 200 = 720.00 NOK" in said["proforma"]
    assert "billed sales: 720.00 NOK (actual " in said["proforma"]
    assert (
        "INV-2025-000001 of 1 Apr 2025: 3.6 h × 200 = 720.00 NOK, tax 180.00 NOK at 25 %" in said["invoice"]
    )
    assert said["payment"].startswith("Invoice INV-2025-000001 of 2,125.00 NOK, due 1 May 2025; nothing paid")


def test_the_vouchers_are_shown_with_their_entries_both_that_accrue_and_that_bill(sample):
    """ACT-2, PST-10"""
    journal, invoice = sentences(explain.explain_actual(sales_of(sample, sample.eight)), "voucher")

    assert journal.split("\n")[1:] == [
        "Dr 1530 WIP sales value  720.00 NOK",
        "Cr 3080 Accrued revenue  720.00 NOK",
    ]
    assert invoice.split("\n")[1:] == [
        "Dr 1500 Customers  2,125.00 NOK",
        "Cr 3000 Invoiced revenue  1,700.00 NOK",
        "Cr 2700 Output VAT, standard rate  425.00 NOK",
        "Cr 1530 WIP sales value  1,800.00 NOK",
        "Dr 3080 Accrued revenue  1,800.00 NOK",
    ]


@pytest.mark.parametrize(
    "part", ["reversal", "unbilled", "unbilled_reversal", "billed", "rest", "rest_billed"]
)
def test_each_actual_made_by_confirming_is_explained_from_its_entry(sample, part):
    """ACT-2, PRO-5"""
    explanation = explain.explain_actual(made(sample, part))

    assert "created by confirming proforma PF-2025-000001" in explanation.step("actual").sentence
    assert "Anna entered 7.5 h of time on 11 Mar 2025" in explanation.step("entry").sentence
    sentence = explanation.step("proforma").sentence
    assert (
        "4 h × 200 = 800.00 NOK, chargeable; edited, before: 4.5 × 200 = 900.00 NOK, chargeable" in sentence
    )
    assert [line.partition(" (actual")[0] for line in sentence.split("\n")[1:]] == [
        "reversal of the original: −900.00 NOK",
        "unbilled sales for the billed part: 800.00 NOK",
        "its reversal: −800.00 NOK",
        "billed sales: 800.00 NOK",
        "non-chargeable rest: 100.00 NOK",
        "reversal of the rest: −100.00 NOK",
        "billed sales of the rest: 100.00 NOK",
    ]
    assert "Line 2 of invoice INV-2025-000001" in explanation.step("invoice").sentence


def test_a_cost_names_its_sales_and_its_voucher(sample):
    """ACT-2"""
    cost = Actual.objects.get(entry=sample.seven, type="cost")
    explanation = explain.explain_actual(cost)

    approval = explanation.step("approval").sentence
    assert "Its sales: 900.00 NOK chargeable (actual" in approval
    assert "600.00 NOK chargeable (actual" in approval
    (voucher,) = sentences(explanation, "voucher")
    assert voucher.split("\n")[1:] == [
        "Dr 4300 Project cost  750.00 NOK",
        "Cr 5090 Payroll allocated to projects  750.00 NOK",
    ]
    assert "invoice" not in explanation.stages()


def test_an_agreed_rate_and_both_rates_of_the_invoice_are_shown(sample):
    """ACT-2, PST-5"""
    explanation = explain.explain_actual(sales_of(sample, sample.abroad))

    assert explanation.step("rate").sentence == (
        "1 EUR = 11 NOK, as agreed in contract EURO; 11,000.00 NOK in the books."
    )
    assert sentences(explanation, "voucher")[1].split("\n")[1:] == [
        "Dr 1500 Customers  1,250.00 EUR, 13,900.00 NOK at 11.12",
        "Cr 3000 Invoiced revenue  1,000.00 EUR, 11,000.00 NOK at 11",
        "Cr 2700 Output VAT, standard rate  250.00 EUR, 2,900.00 NOK at 11.6",
    ]


def test_every_explanation_names_non_chargeable_work(sample):
    """ACT-2, APP-3"""
    unbilled = explain.explain_actual(sales_of(sample, sample.eight, billing_type="non_chargeable"))
    assert unbilled.step("invoice").sentence.endswith("not on the invoice: 1.2 h non-chargeable.")
    assert "proposal" not in unbilled.stages()


def test_shares_are_explained_as_percentages_of_the_amount(ledger):
    """ACT-2, MON-9"""
    entry = three_shares(ledger)
    shares = Actual.objects.filter(entry=entry, type="unbilled").order_by("pk")
    steps = [explain.explain_actual(share).step("rounding") for share in shares]
    assert [step.sentence for step in steps] == [
        "33.33 % of 100.01 NOK = 33.333333 NOK, rounded half away from zero to 33.33 NOK.",
        "33.33 % of 100.01 NOK = 33.333333 NOK, rounded half away from zero to 33.33 NOK.",
        "33.34 % of 100.01 NOK = 33.343334 NOK, rounded half away from zero to 33.34 NOK; "
        "this share takes the rest of the split: 33.35 NOK.",
    ]


def test_every_amount_is_shown_with_its_cents_and_its_currency(ledger):
    """MON-1: in the proposal, too, an amount is not cut off at its last zero."""
    entry = three_shares(ledger)
    (invoice, *_) = billed(ledger, [entry])
    (part,) = explain.explain_invoice(invoice).parts
    assert part.step("proposal").sentence.endswith(": 33.33 NOK.")
    explanation = explain.explain_invoice(ledger.invoices[0])
    assert explanation.parts[0].step("proposal").sentence.endswith(": 720.00 NOK.")


def test_a_canceled_approval_shows_the_voucher_and_the_one_that_undid_it(sample):
    """ACT-2, APP-5"""
    explanation = explain.explain_actual(sales_of(sample, sample.canceled))

    assert "(approval canceled on 31 Mar 2025)" in explanation.step("actual").sentence
    assert "is canceled; not on a proforma." in explanation.step("backlog").sentence
    there, back = sentences(explanation, "voucher")
    assert there.split("\n")[1:] == [
        "Dr 1530 WIP sales value  240.00 NOK",
        "Cr 3080 Accrued revenue  240.00 NOK",
    ]
    assert back.split("\n")[1:] == [
        "Cr 1530 WIP sales value  240.00 NOK",
        "Dr 3080 Accrued revenue  240.00 NOK",
    ]


def test_an_open_entry_is_explained_up_to_its_status(sample):
    """ACT-2"""
    on_a_draft = explain.explain_actual(sales_of(sample, sample.drafted))
    assert "the proforma is draft" in on_a_draft.step("proforma").sentence
    assert "is not in an integration journal yet" in on_a_draft.step("journal").sentence

    still_open = explain.explain_actual(sales_of(sample, sample.open))
    assert "is not ready; not on a proforma." in still_open.step("backlog").sentence
    assert "proforma" not in still_open.stages()


def test_an_open_entry_shows_its_blockers(sample):
    """ACT-2 BKL-4: in the same words as the backlog."""
    fact = sales_of(sample, sample.open)
    BacklogItem.objects.filter(actual=fact).update(hold_until="2099-01-01", hold_reason="Waits")
    claim = explain.explain_actual(fact).step("backlog").sentence
    assert claim.endswith("not on a proforma. It is on hold until 1 Jan 2099: Waits.")


def test_a_milestone_is_explained_without_an_entry(sample):
    """ACT-2, MIL-1"""
    billed = Actual.objects.get(contract=sample.fixed, type="billed")
    explanation = explain.explain_actual(billed)

    assert explanation.stages() == [
        "actual",
        "milestone",
        "backlog",
        "proforma",
        "proposal",
        "invoice",
        "voucher",
        "payment",
    ]
    assert (
        "is worth 4,000.00 NOK; this customer's part is 4,000.00 NOK."
        in explanation.step("milestone").sentence
    )


def test_an_entry_shows_its_cost_and_every_share(sample):
    """ACT-2"""
    explanation = explain.find("entry", "T-1")

    assert explanation.subject.startswith("Time entry")
    assert [part.subject.partition(": ")[2] for part in explanation.parts] == [
        "cost (time) of 10 Mar 2025, 800.00 NOK",
        "unbilled sales (time) of 10 Mar 2025, 720.00 NOK",
        "unbilled sales (time) of 10 Mar 2025, 480.00 NOK",
        "unbilled sales (time) of 10 Mar 2025, 240.00 NOK",
        "unbilled sales (time) of 10 Mar 2025, 160.00 NOK",
    ]
    assert explain.find("entry", str(sample.eight.pk)) == explanation


def test_an_unapproved_entry_has_no_amounts(sample):
    explanation = explain.explain_entry(sample.unsubmitted)
    assert explanation.parts == []
    assert explanation.step("approval").sentence == "The entry is draft: it has no amounts yet."


def test_an_invoice_shows_the_whole_once_and_then_every_line(sample):
    """ACT-2"""
    explanation = explain.find("invoice", "INV-2025-000001")

    assert explanation.stages() == ["proforma", "proposal", "invoice", "voucher", "payment"]
    assert explanation.step("invoice").sentence.split("\n") == [
        f"Invoice INV-2025-000001 of 1 Apr 2025 to {sample.company.customers[0]}: 1,700.00 NOK and "
        "425.00 NOK tax, 2,125.00 NOK.",
        "Tax OUT25 Output VAT 25 %: 25 % of 1,700.00 NOK = 425.00 NOK",
    ]
    drawings, meeting, taxi, not_charged = explanation.parts
    assert drawings.subject == "Line 1 of invoice INV-2025-000001: Drawings"
    assert "8 h of time" in drawings.step("entry").sentence
    assert "7.5 h of time" in meeting.step("entry").sentence
    assert "it cost 300.00 NOK net" in taxi.step("entry").sentence
    assert [part.step("invoice").figures["net"] for part in explanation.parts[:3]] == [720, 800, 180]
    assert not_charged.subject.endswith(", not on the invoice: 1.2 h non-chargeable: Drawings")
    assert not_charged.step("invoice").sentence == (
        "Invoice INV-2025-000001 has no line for it: not on the invoice: 1.2 h non-chargeable."
    )
    assert "8 h of time" in not_charged.step("entry").sentence


def test_an_invoice_line_is_explained_from_the_entry_to_the_payment(sample):
    """ACT-2"""
    explanation = explain.find("invoice", "INV-2025-000001", line=2)

    assert explanation.subject == "Line 2 of invoice INV-2025-000001: Meeting"
    assert "7.5 h of time" in explanation.step("entry").sentence
    assert len(sentences(explanation, "voucher")) == 2
    assert explanation.stages()[-1] == "payment"


def test_a_proforma_shows_each_of_its_details(sample):
    """ACT-2"""
    explanation = explain.find("proforma", "PF-2025-000001")

    assert "confirmed by Manager.No1" in explanation.step("proforma").sentence
    assert len(explanation.parts) == 4
    assert {part.step("backlog").figures["status"] for part in explanation.parts} == {"posted"}


def test_a_very_long_document_is_explained_as_a_whole(sample, monkeypatch):
    monkeypatch.setattr(explain, "MOST_PARTS", 2)

    invoice = explain.find("invoice", "INV-2025-000001")
    assert invoice.stages() == ["proforma", "proposal", "invoice", "voucher", "payment", "lines"]
    assert invoice.step("lines").sentence == "It bills 4 details. Explain them one by one."
    assert "Dr 1500 Customers  2,125.00 NOK" in invoice.step("voucher").sentence
    assert invoice.parts == []

    proforma = explain.find("proforma", "PF-2025-000001")
    assert proforma.step("details").sentence == "It has 4 details. Explain them one by one."
    assert proforma.parts == []


@pytest.mark.parametrize("kind", ["journal", "invoice"])
def test_a_voucher_is_explained_by_what_it_books(sample, kind):
    """ACT-2"""
    voucher = Voucher.objects.filter(kind=kind).earliest("position")
    explanation = explain.find("voucher", voucher.number)

    assert explanation.step("voucher").figures["hash"] == voucher.hash
    (part,) = explanation.parts
    expected = {"journal": "Actual", "invoice": "Invoice INV-2025-000001"}
    assert part.subject.startswith(expected[kind])


def test_a_reversing_voucher_names_the_one_it_reverses(sample):
    reversal = Voucher.objects.filter(reverses__isnull=False).earliest("position")
    explanation = explain.explain_voucher(reversal)
    assert explanation.step("reversal").sentence == f"It reverses voucher {reversal.reverses.number}."


def test_references_link_to_rows(sample):
    """ACT-2"""
    actual = sales_of(sample, sample.eight)
    explanation = explain.explain_actual(actual)

    assert explanation.reference == f"actuals.actual:{actual.pk}"
    assert f"actuals.entry:{sample.eight.pk}" in explanation.step("entry").references
    assert f"contracts.pricelist:{sample.company.sales_list.pk}" in explanation.step("price").references
    assert f"proforma.proformainvoice:{sample.proformas[0].pk}" in explanation.step("proforma").references
    assert f"ledger.customerinvoice:{sample.invoices[0].pk}" in explanation.step("invoice").references


def queries_of(explain_it, row):
    with CaptureQueriesContext(connection) as queries:
        explain_it(row)
    return len(queries)


def test_an_explanation_costs_no_more_queries_for_many_lines_than_for_one(sample):
    three_lines = sample.invoices[0]
    of_one_line = queries_of(explain.explain_invoice_line, three_lines.lines.first())
    # A few more for parts that only a whole invoice has (taxes, references) or only an expense.
    assert three_lines.lines.count() == 3
    assert queries_of(explain.explain_invoice, three_lines) <= of_one_line + 4
    assert queries_of(explain.explain_proforma, sample.proformas[0]) <= of_one_line + 4
    assert queries_of(explain.explain_entry, sample.eight) <= of_one_line + 4
    assert of_one_line <= 55


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("actual", "987654", "There is no actual “987654”."),
        ("actual", "x", "There is no actual “x”."),
        ("entry", "T-99", "There is no entry “T-99”."),
        ("invoice", "INV-1", "There is no invoice “INV-1”."),
        ("voucher", "V-1", "There is no voucher “V-1”."),
    ],
)
def test_a_missing_row_is_refused_with_its_name(sample, kind, name, sentence):
    with pytest.raises(Refused) as refusal:
        explain.find(kind, name)
    assert (str(refusal.value), refusal.value.code) == (sentence, "NOT-FOUND")


def test_a_missing_line_is_refused(sample):
    with pytest.raises(Refused, match=r"Invoice INV-2025-000001 has no line 99\."):
        explain.find("invoice", "INV-2025-000001", line=99)


def test_the_command_prints_text_and_json(sample):
    """ACT-2"""
    out = io.StringIO()
    call_command("explain", "invoice", "INV-2025-000001", line=1, stdout=out)
    assert "Line 1 of invoice INV-2025-000001: Drawings  [ledger.invoiceline:" in out.getvalue()
    assert "\n  rounding    3.6 × 200 = 720.00 NOK, nothing to round.\n" in out.getvalue()

    out = io.StringIO()
    call_command("explain", "invoice", "INV-2025-000001", line=1, json=True, stdout=out)
    answer = json.loads(out.getvalue())
    stages = {step["stage"]: step for step in answer["steps"]}
    assert stages["rounding"]["figures"] == {"exact": "720", "amount": "720.0000"}
    assert stages["approval"]["figures"]["on"] == "2025-03-31"
    assert answer["parts"] == []


def test_the_command_refuses_with_a_sentence(sample):
    with pytest.raises(CommandError, match="There is no voucher “V-1”"):
        call_command("explain", "voucher", "V-1", entity="NO1")
    with pytest.raises(CommandError, match=r"There is no legal entity SE1\."):
        call_command("explain", "voucher", "V-1", entity="SE1")
    with pytest.raises(CommandError, match="for invoices only"):
        call_command("explain", "voucher", "V-1", line=1)
