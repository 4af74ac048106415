"""Posting corrections of earlier invoices: tax, rate, and the reference on the credit note (COR-3, MON-4)."""

import datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from actuals.models import Actual, Batch
from actuals.operations import negated, record
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.floor.reasons import Reason
from invoicing_site.verify import findings
from ledger.invoicing.checks import check
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import create_proposal
from ledger.models import CustomerInvoice, CustomerTransaction, LedgerEntry, TaxRate
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine
from tests import factories
from tests.invoicing_site.sample_company.alterations import behind_the_guards
from tests.ledger.billing import MARCH_31, cr, dr, entries_of, proposed, work

pytestmark = pytest.mark.django_db

APRIL_15 = datetime.date(2025, 4, 15)


@factories.remembered
def correction(no1, original, stands):
    """A confirmed correction of a confirmed proforma, with the quantities after it by detail."""
    batch = factories.BatchFactory(entity=no1.entity, action=Batch.Action.CONFIRM_PROFORMA, on=APRIL_15)
    proforma = ProformaInvoice.objects.create(
        entity=original.entity,
        contract=original.contract,
        contract_customer=original.contract_customer,
        customer=original.customer,
        currency=original.currency,
        cutoff=original.cutoff,
        accounting_date=original.accounting_date,
        payment_term=original.payment_term,
        number=f"{original.number}-{ProformaInvoice.objects.count()}",
        kind="correction",
        corrects=original,
        status="confirmed",
        confirmed_at=timezone.now(),
        confirmed_by=no1.manager,
        batch=batch,
    )
    line = ProformaLine.objects.create(
        proforma=proforma, number=1, contract_line=original.contract.lines.get(), description="Credited"
    )
    for detail, quantity in stands.items():
        corrected = LineDetail.objects.create(
            line=line,
            corrects=detail,
            credited_part="again",
            transaction_class=detail.transaction_class,
            date=detail.date,
            project=detail.project,
            quantity=quantity,
            unit=detail.unit,
            price=detail.price,
            amount=quantity * detail.price,
        )
        billed = detail.detail_actuals.get(part="billed").actual
        made = [("credit", negated(billed, batch))]
        if quantity:
            made.append(("billed", _standing(billed, quantity)))
        record([actual for _, actual in made], batch=batch)
        for part, actual in made:
            DetailActual.objects.create(detail=corrected, actual=actual, part=part)
    return proforma


def _standing(billed, quantity):
    values = {f.attname: getattr(billed, f.attname) for f in Actual._meta.concrete_fields if f.name != "id"}
    return Actual(**{**values, "quantity": quantity, "amount": quantity * billed.price})


def credited(no1, original, stands, on=APRIL_15):
    return post(create_proposal(correction(no1, original, stands)), by=no1.accountant, on=on)


def details_of(proposal):
    return list(LineDetail.objects.filter(line__proforma=proposal.proforma).order_by("pk"))


def test_the_tax_of_partial_credits_adds_up_to_that_of_the_invoice(no1):
    """MON-4: 3 × 10.10 at 25 % has tax 7.58; credited line by line 2.53, 2.52, 2.53"""
    contract = factories.contract(no1, confirmed=True)
    proposal = proposed(no1, *(work(no1, contract, "1", "10.10") for _ in range(3)))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    credits = [credited(no1, proposal.proforma, {detail: Decimal(0)}) for detail in details_of(proposal)]

    assert invoice.tax == Decimal("7.58")
    assert [credit.tax for credit in credits] == [Decimal("-2.53"), Decimal("-2.52"), Decimal("-2.53")]
    assert [credit.kind for credit in credits] == ["credit_note"] * 3
    assert [credit.number for credit in credits] == [f"CN-2025-00000{n}" for n in (1, 2, 3)]
    assert [credit.references.get().original for credit in credits] == [invoice] * 3
    assert entries_of(credits[0].voucher) == [cr("1500", "12.63"), dr("3000", "10.10"), dr("2700", "2.53")]


def test_the_balances_are_zero_after_all_credits(no1):
    """MON-4: EUR 3 × 10.10 at 11.01 is 417.06, tax 83.46.

    One by one: 139.06, 138.94, 139.06, of which tax 27.86, 27.74, 27.86.
    """
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.01"))
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    proposal = proposed(no1, *(work(no1, contract, "1", "10.10") for _ in range(3)))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    credits = [credited(no1, proposal.proforma, {detail: Decimal(0)}) for detail in details_of(proposal)]

    assert (invoice.accounting_total, invoice.accounting_tax) == (Decimal("417.06"), Decimal("83.46"))
    assert [credit.accounting_total for credit in credits] == [
        Decimal("-139.06"),
        Decimal("-138.94"),
        Decimal("-139.06"),
    ]
    assert [credit.accounting_tax for credit in credits] == [
        Decimal("-27.86"),
        Decimal("-27.74"),
        Decimal("-27.86"),
    ]
    assert [credit.accounting_net for credit in credits] == [Decimal("-111.20")] * 3
    assert entries_of(credits[1].voucher) == [
        cr("1500", "12.62", "138.94"),
        dr("3000", "10.10", "111.20"),
        dr("2700", "2.52", "27.74"),
    ]
    left = LedgerEntry.objects.filter(voucher__kind="invoice").order_by("account").values("account")
    left = left.annotate(
        own=ExactSum("debit") - ExactSum("credit"),
        books=ExactSum("accounting_debit") - ExactSum("accounting_credit"),
    )
    assert {(row["own"], row["books"]) for row in left} == {(0, 0)}
    owed = CustomerTransaction.objects.aggregate(own=ExactSum("amount"), books=ExactSum("accounting_amount"))
    assert (owed["own"], owed["books"]) == (0, 0)
    assert findings() == []


def test_a_correction_of_a_correction_starts_from_the_current_totals(no1):
    """COR-2 MON-4: one of three is credited, then that credit is reversed, then all three are credited."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.01"))
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    proposal = proposed(no1, *(work(no1, contract, "1", "10.10") for _ in range(3)))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    first, second, third = details_of(proposal)

    part = credited(no1, proposal.proforma, {first: Decimal("0.5")})
    (halved,) = details_of(part.proposal)
    rest = credited(no1, part.proposal.proforma, {halved: Decimal(0)})
    others = credited(no1, proposal.proforma, {second: Decimal(0), third: Decimal(0)})

    documents = [invoice, part, rest, others]
    assert part.total == Decimal("-6.32")  # 37.88 less 31.56
    for name in ("net", "tax", "total", "accounting_net", "accounting_tax", "accounting_total"):
        assert sum(getattr(document, name) for document in documents) == 0, name
    assert findings() == []


def test_a_credit_keeps_the_rates_of_its_invoice(no1):
    """COR-3: exchange rate and tax percentage of the invoice, not of the day of the credit."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.60"))
    contract = factories.contract(no1, currency="EUR", confirmed=True)
    proposal = proposed(no1, work(no1, contract, "10", "100"))
    post(proposal, by=no1.accountant, on=MARCH_31)
    april_1 = datetime.date(2025, 4, 1)
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("12.00"), valid_from=april_1
    )
    TaxRate.objects.create(tax_code=no1.books.tax_codes["OUT25"], valid_from=april_1, percent=Decimal(30))
    (detail,) = details_of(proposal)

    credit = credited(no1, proposal.proforma, {detail: Decimal(4)})

    assert entries_of(credit.voucher) == [
        cr("1500", 750, 8700),
        dr("3000", 600, 6960),
        dr("2700", 150, 1740),
    ]
    assert (credit.rate, credit.taxes.get().percent) == (Decimal("11.6"), 25)
    line = credit.lines.get()
    assert (line.quantity, line.price, line.net, line.tax) == (-6, 100, -600, -150)


def test_a_credit_at_an_agreed_rate_mirrors_the_invoice(no1):
    """COR-3 PST-5: 11,000 + 2,900, although another rate is agreed by now."""
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal("11.60"))
    contract = factories.contract(no1, currency="EUR", fixed_exchange_rate=Decimal(11), confirmed=True)
    proposal = proposed(no1, work(no1, contract, "10", "100"))
    post(proposal, by=no1.accountant, on=MARCH_31)
    contract.fixed_exchange_rate = Decimal(13)
    contract.save()
    (detail,) = details_of(proposal)

    credit = credited(no1, proposal.proforma, {detail: Decimal(0)})

    assert entries_of(credit.voucher) == [
        cr("1500", 1250, 13900),
        dr("3000", 1000, 11000),
        dr("2700", 250, 2900),
    ]
    assert credit.voucher.customer_transactions.get().rate == Decimal("11.12")


def test_a_credit_has_the_tax_groups_of_the_line_that_it_credits(no1):
    """COR-3: the accountant had changed them on the first proposal."""
    contract = factories.contract(no1, confirmed=True)
    proposal = proposed(no1, work(no1, contract, "10", "100"))
    line = proposal.lines.get()
    line.billing_tax_group = no1.books.billing_tax_groups["EXPORT"]
    line.save()
    post(proposal, by=no1.accountant, on=MARCH_31)
    (detail,) = details_of(proposal)

    credit = credited(no1, proposal.proforma, {detail: Decimal(0)})

    assert entries_of(credit.voucher) == [cr("1500", 1000), dr("3000", 1000)]
    assert [(tax.code, tax.base, tax.tax) for tax in credit.taxes.all()] == [("ZERO", -1000, 0)]


def test_an_unposted_invoice_cannot_be_credited(no1):
    """COR-3: a credit note names its invoice"""
    contract = factories.contract(no1, confirmed=True)
    proposal = proposed(no1, work(no1, contract, "10", "100"))
    (detail,) = details_of(proposal)
    credit = create_proposal(correction(no1, proposal.proforma, {detail: Decimal(0)}))

    (result,) = [result for result in check(credit, on=APRIL_15) if result.is_error]

    assert (result.code, result.severity) == ("CORRECTS-POSTED", "error")
    assert str(proposal.proforma) in result.message


@pytest.mark.parametrize("booked", [False, True])
def test_a_credit_is_not_dated_or_posted_before_its_invoice(no1, booked):
    """PRP-8: in any number sequence."""
    contract = factories.contract(no1, confirmed=True)
    proposal = proposed(no1, work(no1, contract, "10", "100"))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    (detail,) = details_of(proposal)
    credit = create_proposal(correction(no1, proposal.proforma, {detail: Decimal(0)}))
    day = datetime.date(2025, 3, 30)
    values = {"invoice": invoice, "earliest": MARCH_31, "day": day}
    reasons = [Reason("CREDIT-ACCOUNTING-DATE", **values)]
    if booked:
        credit.accounting_date = day
        credit.save()
    else:  # the accounting date follows the invoice date
        reasons.insert(0, Reason("CREDIT-DATE", **values))

    with pytest.raises(Refused) as refused:
        post(credit, by=no1.accountant, on=MARCH_31 if booked else day)

    assert refused.value.reason == Refused.because(*reasons).reason
    assert CustomerInvoice.objects.count() == 1


@pytest.mark.parametrize("date", ["invoice_date", "accounting_date"])
def test_a_credit_before_its_invoice_is_found_by_verifying(no1, date):
    """PRP-8 PST-7"""
    contract = factories.contract(no1, confirmed=True)
    proposal = proposed(no1, work(no1, contract, "10", "100"))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    (detail,) = details_of(proposal)
    credit = credited(no1, proposal.proforma, {detail: Decimal(0)})
    assert findings() == []
    with behind_the_guards():
        CustomerInvoice.objects.filter(pk=credit.pk).update(**{date: datetime.date(2025, 3, 30)})

    (sentence,) = [finding.sentence for finding in findings() if finding.code == "INVOICE"]

    assert f"before {invoice}, which it corrects: dated 31 Mar 2025 and booked 31 Mar 2025." in sentence
