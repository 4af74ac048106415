"""The output of posting on the command line: warnings, refusals, earlier postings (PRP-5)."""

import datetime
import json

import pytest
from django.core.management import CommandError, call_command

from contracts.models import LegalEntity
from ledger.invoicing.operations.posting import look_at_all, post
from ledger.models import CustomerInvoice, InvoiceProposal
from proforma import operations as proformas
from tests import factories
from tests.ledger.billing import MARCH_31, drafted, edited, proposed, work

pytestmark = pytest.mark.django_db

JANUARY_15 = datetime.date(2025, 1, 15)
OLD = "It bills work of 15 Jan 2025, more than a month before the invoice date 31 Mar 2025."


@pytest.fixture
def output(capsys):
    """The lines that the command prints; also checks its exit code."""

    def run(*options, fails=False):
        arguments = ["post_invoices", "--entity", "NO1", "--on", "2025-03-31", *options]
        if fails:
            with pytest.raises(CommandError) as error:
                call_command(*arguments)
            assert error.value.returncode == 1
        else:
            call_command(*arguments)
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
@factories.remembered
def gift(no1, contract):
    """An invoice of complimentary work of January only."""
    item = work(no1, contract, date=JANUARY_15)
    proforma = drafted(no1, item)
    edited(no1, proforma, item, billing_type="complimentary")
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)
    return proposed(no1, proforma=proforma)


def test_warnings_of_posted_invoices_are_printed(gift, output):
    """PRP-5: the same list in batch posting and on the command line."""
    assert output() == [
        "1 posted, 0 refused.",
        f"{gift.number} is INV-2025-000001, NOK 0.00.",
        f"  warning OLD-WORK: {OLD}",
        "  warning ZERO-TOTAL: The total is zero, so the customer has nothing to pay.",
    ]


def test_warnings_of_refused_invoices_are_printed_too(no1, contract, output):
    """PRP-5: the exit code is 1, and JSON is still printed to standard output."""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    proposal = proposed(no1, work(no1, contract, date=JANUARY_15))

    answer = json.loads("\n".join(output("--json", fails=True)))

    assert answer["posted"] == []
    (row,) = answer["refused"]
    assert (row["proposal"], row["code"]) == (proposal.number, "PO-REQUIRED")
    assert [(each["check"], each["code"], each["reason"]) for each in row["warnings"]] == [
        ("OLD-WORK", "OLD-WORK", OLD)
    ]
    assert row["warnings"][0]["params"] == {"day": {"day": "2025-01-15"}, "invoiced": {"day": "2025-03-31"}}


def test_a_check_posts_nothing(no1, contract, gift, output):
    """PRP-5: shows the totals before posting; earlier refusals are not overwritten."""
    other = proposed(no1, work(no1, contract))

    assert output("--check") == [
        "2 can be posted, 0 posted, 0 refused.",
        f"{gift.number} can be posted, NOK 0.00.",
        f"  warning OLD-WORK: {OLD}",
        "  warning ZERO-TOTAL: The total is zero, so the customer has nothing to pay.",
        f"{other.number} can be posted, NOK 1,250.00.",
    ]
    assert not CustomerInvoice.objects.exists()
    assert set(InvoiceProposal.objects.values_list("status", flat=True)) == {"open"}


def test_a_check_shows_refusals_and_stores_nothing(no1, contract, output):
    """PRP-5"""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(require_order_reference=True)
    proposal = proposed(no1, work(no1, contract))

    said = output("--check", fails=True)

    assert said[0] == "0 posted, 1 refused."
    assert said[1].startswith(f"{proposal.number} is not posted: Company NO1 requires an order number")
    assert InvoiceProposal.objects.get().last_error is None


def test_a_check_shows_that_another_user_has_to_post(no1, contract):
    """SEC-2"""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(separate_confirm_and_post=True)
    proposal = proposed(no1, work(no1, contract))

    (by_the_manager,) = look_at_all([proposal], by=no1.manager, on=MARCH_31)
    (by_another,) = look_at_all([proposal], by=no1.accountant, on=MARCH_31)

    assert (by_the_manager.refusal.code, by_another.refusal) == ("CONFIRMED-BY-YOU", None)


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_a_posted_invoice_is_listed_with_its_number(no1, contract, output, options):
    """PST-1: posting it again is no error, and it is not listed as posted now."""
    proposal = proposed(no1, work(no1, contract))
    post(proposal, by=no1.accountant, on=MARCH_31)

    assert output("--number", proposal.number, *options) == [
        "0 posted, 1 already posted, 0 refused.",
        f"{proposal.number} is already posted as INV-2025-000001.",
    ]
    assert CustomerInvoice.objects.count() == 1


def test_an_unknown_number_is_refused(no1, contract):
    """PST-1: and nothing else is posted."""
    proposal = proposed(no1, work(no1, contract))

    with pytest.raises(CommandError, match="There is no invoice proposal “PF-1” to act on"):
        call_command(
            "post_invoices",
            "--entity",
            "NO1",
            "--on",
            "2025-03-31",
            "--number",
            proposal.number,
            "--number",
            "PF-1",
        )
    assert not CustomerInvoice.objects.exists()
