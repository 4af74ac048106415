"""Verifying the ledger: no findings without alterations, and every alteration is named (PST-7)."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from actuals.models import Actual
from backlog.operations import approve, cancel_approval
from invoicing_site.floor import files
from invoicing_site.models import StoredFile
from invoicing_site.verify import Finding, findings
from ledger.models import Document
from proforma import operations as proformas
from proforma.models import DetailActual, LineDetail
from tests import factories
from tests import stored as stored_files
from tests.invoicing_site.sample_company.alterations import (
    behind_the_guards,
    customer_transaction,
    decide_deferred,
    delete_voucher,
    entry_amount,
    everything_behind_a_voucher_rewritten,
    voucher_of,
    voucher_text,
)
from tests.invoicing_site.sample_company.intrusions import billed_price, entry_changed
from tests.invoicing_site.sample_company.planted import ALTERATIONS
from tests.invoicing_site.sample_company.sample import APRIL_2, billed

D = Decimal


def test_an_unaltered_ledger_has_no_findings(sample):
    """PST-7"""
    assert findings() == []
    assert findings(sample.company.entity) == []


@pytest.mark.parametrize(
    ("alter", "code", "codes"), ALTERATIONS, ids=[alter.__name__ for alter, *_ in ALTERATIONS]
)
def test_every_alteration_is_named(ledger, alter, code, codes):
    """PST-7: by comparing rows with each other; seals are tested in test_seals.py."""
    with behind_the_guards():
        number = alter(ledger)

    found = [finding for finding in findings() if finding.code != "SEAL"]
    assert {finding.code for finding in found} == codes
    assert number in {finding.number for finding in found if finding.code == code}


def test_accrued_work_that_was_billed_as_non_chargeable_has_no_findings(ledger):
    """PST-10: it has no line on the invoice, which reverses its accrual anyway."""
    company = ledger.company
    late = factories.time_entry(company, "3", date=APRIL_2)
    approve([late], by=company.manager, on=APRIL_2)
    invoices = billed(ledger, [late, ledger.open], not_charged=[ledger.open])

    assert [invoice.lines.count() for invoice in invoices] == [1, 1]
    assert [invoice.net for invoice in invoices] == [360, 240]
    assert findings() == []


def test_an_entry_that_was_approved_again_has_no_findings(ledger):
    """APP-5"""
    by = ledger.company.manager
    cancel_approval([ledger.open], by=by, on=APRIL_2)
    assert findings() == []
    ledger.open.refresh_from_db()
    approve([ledger.open], by=by, on=APRIL_2)
    assert findings() == []


def test_lowered_raised_and_free_details_added_by_hand_have_no_findings(ledger):
    """PRO-5"""
    by = ledger.company.manager
    for draft, changes in zip(
        ledger.drafts, ({"quantity": D(9)}, {"billing_type": "complimentary"}), strict=True
    ):
        proformas.edit_details(LineDetail.objects.filter(line__proforma=draft), by=by, **changes)
        line = draft.lines.get().contract_line
        for billing_type in ("chargeable", "non_chargeable"):
            proformas.add_detail(
                draft,
                by=by,
                contract_line=line,
                transaction_class="time",
                quantity=D(1),
                price=D("333.33"),
                billing_type=billing_type,
                date=APRIL_2,
                description="By hand",
            )
        proformas.confirm(draft, by=by, on=APRIL_2)
    assert findings() == []


def test_an_actual_that_differs_from_its_entry_is_named_with_the_difference(ledger):
    """ACT-2"""
    with behind_the_guards():
        entry_changed(ledger)
    cost = Actual.objects.get(entry=ledger.open, type="cost")
    assert f"Entry {ledger.open.pk} and its actual {cost.pk} differ: quantity." in {
        finding.sentence for finding in findings()
    }


def test_a_changed_billed_actual_is_named_with_the_difference(ledger):
    """PST-7: the hash of the invoice says that something was changed, its detail shows what."""
    with behind_the_guards():
        billed_price(ledger)
    fact = DetailActual.objects.get(detail=ledger.lowered, part="billed").actual_id
    (finding,) = [finding for finding in findings() if finding.code == "CONFIRMED"]
    assert finding.sentence == (
        f"Detail {ledger.lowered.pk} of proforma PF-2025-000001 and actual {fact}, its billed sales, "
        "differ: price."
    )


def test_a_rewritten_chain_is_found_at_its_head(ledger):
    """PST-7: with every hash recomputed only the head shows it."""
    with behind_the_guards():
        everything_behind_a_voucher_rewritten(ledger)
    (finding,) = findings()
    assert (
        finding.sentence
        == "The hash of the last voucher of Company NO1 differs from the stored head of the chain."
    )


def test_a_deleted_voucher_is_found_by_its_place_and_by_its_number(ledger):
    """PST-7"""
    with behind_the_guards():
        gone = voucher_of(ledger.taxi)
        delete_voucher(gone)
    sentences = [finding.sentence for finding in findings()]
    place = f"the voucher at position {gone.position} is missing."
    assert f"Voucher V-2025-0000005 has position 5, but {place}" in sentences
    assert any(sentence.endswith(f"vouchers exist: {gone.number}.") for sentence in sentences)


def test_a_finding_says_what_is_wrong_and_where(ledger):
    """PST-7"""
    voucher = voucher_of(ledger.eight)
    with behind_the_guards():
        entry_amount(ledger)
    assert (
        Finding(
            "BALANCE",
            "NO1",
            voucher.number,
            f"ledger.voucher:{voucher.pk}",
            f"Voucher {voucher.number} does not balance: it is 10.00 NOK off.",
        )
        in findings()
    )


def test_a_control_account_that_differs_from_its_subledger_is_named_with_both_balances(ledger):
    """PST-6"""
    with behind_the_guards():
        customer_transaction(ledger)
    sentences = [finding.sentence for finding in findings() if finding.code == "CONTROL"]
    first = ledger.company.customers[0]
    # The customer has another invoice, of 5,000, in the same currency.
    assert sentences == [
        f"Customer {first} has 7,125.00 NOK on the customer control accounts and 5,005.00 NOK in the "
        "customer subledger."
    ]


def test_an_override_allows_its_amount_over_the_limit_and_no_more(ledger):
    """PRO-6"""
    ledger.tm.limit = D(3000)
    ledger.tm.save()
    (finding,) = findings()
    # Billed 1,700 and 1,200, open 400: 300 over the limit.
    assert finding.sentence == (
        "Contract TM has used 3,300.00 of the limit of 3,000.00 of the contract, 300.00 too much."
    )

    override = {"level": "contract", "limit": D(3000), "reason": "Agreed", "by": ledger.company.manager}
    small = ledger.proformas[0].limit_overrides.create(over=D(299), **override)
    assert len(findings()) == 1
    with behind_the_guards():
        small.delete()
    ledger.proformas[0].limit_overrides.create(over=D(300), **override)
    assert findings() == []


# Files and guards


def test_changed_missing_and_cut_documents_are_named(ledger):
    """PST-7, DOC-1"""
    document = Document.objects.get(invoice=ledger.invoices[0])
    path = stored_files.path(document.file)
    whole = path.read_bytes()
    path.chmod(0o644)
    try:
        for content, problem in (
            (b"X" + whole[1:], "was changed in the file storage: its bytes have another hash."),
            (whole[:-1], f"has {len(whole) - 1} bytes in the file storage instead of {len(whole)}."),
            (None, "is missing from the file storage."),
        ):
            path.unlink() if content is None else path.write_bytes(content)
            assert findings() == [
                Finding(
                    "DOCUMENT",
                    "NO1",
                    "INV-2025-000001",
                    f"ledger.document:{document.pk}",
                    f"The PDF of invoice INV-2025-000001 {problem}",
                )
            ]
    finally:
        path.write_bytes(whole)


def test_files_of_other_documents_are_checked_too(ledger):
    stored = StoredFile.objects.get(name="march.csv")
    path = stored_files.path(stored)
    path.unlink()
    try:
        (finding,) = findings()
        assert (finding.code, finding.number) == ("DOCUMENT", "march.csv")
        assert findings(ledger.company.entity) == []
    finally:
        files.store(b"date,hours\n2025-03-10,8\n", name="march.csv", media_type="text/csv")


def test_a_dropped_trigger_is_named(ledger):
    """PST-3, PST-7"""
    decide_deferred()
    with connection.cursor() as cursor:
        name = "guard_ledger_voucher_insert_only"
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER {name} ON ledger_voucher")
        else:
            name += "_u"
            cursor.execute(f"DROP TRIGGER {name}")
    assert findings() == [Finding("GUARD", "", "", "", f"The guard {name} on ledger_voucher is missing.")]


# The command


def run(**options):
    out = io.StringIO()
    try:
        call_command("verify_ledger", stdout=out, **options)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_the_command_succeeds_on_an_unaltered_ledger(sample):
    """PST-7"""
    assert run() == (0, "Everything is as it was posted.\n")
    code, out = run(json=True, entity="NO1")
    assert (code, json.loads(out)) == (0, [])


def test_the_command_exits_with_1_and_names_the_findings(ledger):
    """PST-7"""
    with behind_the_guards():
        number = voucher_text(ledger)
    sentence = f"Voucher {number} was changed after posting: its content has another hash."
    assert run() == (1, f"CHAIN NO1 {sentence}\n1 finding.\n")
    code, out = run(json=True)
    assert code == 1
    assert json.loads(out) == [
        {
            "code": "CHAIN",
            "entity": "NO1",
            "number": number,
            "where": f"ledger.voucher:{ledger.invoices[0].voucher.pk}",
            "sentence": sentence,
        }
    ]


def test_the_command_refuses_an_unknown_company(sample):
    with pytest.raises(CommandError, match=r"There is no legal entity SE1\."):
        call_command("verify_ledger", entity="SE1")
