"""Posting: the entries, and the stored invoice."""

import datetime
from decimal import Decimal

import pytest

from contracts.models import LegalEntity, NumberSequence
from ledger.invoicing.operations.posting import post
from ledger.models import CustomerInvoice, CustomerTransaction, InvoiceProposal, LedgerEntry
from proforma import operations as proformas
from tests import factories
from tests.ledger.billing import (
    MARCH_10,
    MARCH_31,
    cr,
    dr,
    drafted,
    edited,
    entries_of,
    facts_of,
    milestone,
    proposed,
    work,
)

pytestmark = pytest.mark.django_db


@factories.remembered
def in_euro(no1, rate, **fields):
    factories.ExchangeRateFactory(entity=no1.entity, currency="EUR", rate=Decimal(rate))
    return factories.contract(no1, currency="EUR", confirmed=True, **fields)


@factories.remembered
def posted(no1, *items, on=MARCH_31, proforma=None):
    return post(proposed(no1, *items, on=on, proforma=proforma), by=no1.accountant, on=on)


def test_work_is_posted_to_customer_revenue_and_tax(no1, contract):
    """PST-1 PST-2: 10 h × 100 at 25 %"""
    invoice = posted(no1, work(no1, contract))

    assert entries_of(invoice.voucher) == [dr("1500", 1250), cr("3000", 1000), cr("2700", 250)]
    assert (invoice.net, invoice.tax, invoice.total) == (1000, 250, 1250)
    assert invoice.number == "INV-2025-000001"
    assert (invoice.kind, invoice.type_code, invoice.year, invoice.seq) == ("invoice", "380", 2025, 1)
    assert (invoice.voucher.kind, invoice.voucher.date) == ("invoice", MARCH_31)
    assert invoice.voucher.text == f"Invoice INV-2025-000001, {no1.customer.name}"
    assert InvoiceProposal.objects.get().status == "posted"


def test_the_customer_subledger_agrees_with_the_control_account(no1, contract):
    """PST-1 PST-8"""
    invoice = posted(no1, work(no1, contract))

    row = CustomerTransaction.objects.get()
    assert (row.voucher, row.customer, row.kind) == (invoice.voucher, no1.customer, "invoice")
    assert (row.amount, row.accounting_amount, row.document_number) == (1250, 1250, "INV-2025-000001")
    assert (row.date, row.due_date) == (MARCH_31, datetime.date(2025, 4, 30))
    entry = LedgerEntry.objects.get(account__number="1500")
    assert (entry.customer, entry.due_date) == (no1.customer, datetime.date(2025, 4, 30))


def test_the_project_subledger_gets_revenue_and_reverses_unbilled_sales(no1, contract):
    """PST-1"""
    invoice = posted(no1, work(no1, contract))

    assert facts_of(invoice.voucher) == [("revenue", 10, 1000, 1000), ("unbilled", -10, -1000, -1000)]


def test_the_tax_entry_has_code_base_and_rate(no1, contract):
    """EXP-2"""
    invoice = posted(no1, work(no1, contract))

    entry = invoice.voucher.entries.get(account__number="2700")
    assert (entry.tax_code.code, entry.tax_percent, entry.tax_base) == ("OUT25", 25, 1000)
    tax = invoice.taxes.get()
    assert (tax.code, tax.category, tax.percent, tax.base, tax.tax) == ("OUT25", "S", 25, 1000, 250)


def test_tax_is_rounded_once_and_shared_over_the_lines(no1, contract):
    """MON-4: 10.10 twice: 5.05 in total, 2.53 and 2.52 by line."""
    items = [work(no1, contract, "1", "10.10"), work(no1, contract, "1", "10.10")]

    invoice = posted(no1, *items)

    assert entries_of(invoice.voucher) == [dr("1500", "25.25"), cr("3000", "20.20"), cr("2700", "5.05")]
    assert [line.tax for line in invoice.lines.order_by("number")] == [Decimal("2.53"), Decimal("2.52")]


def test_revenue_is_separate_by_project(no1):
    """PST-1: two projects, one customer entry, one tax entry."""
    tower = factories.ProjectFactory(entity=no1.entity, name="Tower")
    contract = factories.contract(no1, lines=[{}, {"project": tower}], confirmed=True)
    first, second = contract.lines.order_by("number")
    items = [
        work(no1, contract, "1", "300", line=first),
        work(no1, contract, "2", "100", line=second, task=None),
    ]

    invoice = posted(no1, *items)

    assert entries_of(invoice.voucher) == [dr("1500", 625), cr("3000", 300), cr("3000", 200), cr("2700", 125)]
    projects = invoice.voucher.entries.filter(account__number="3000").order_by("number")
    assert [entry.project for entry in projects] == [no1.project, tower]


def test_a_category_can_have_its_own_account(no1, contract):
    """PST-1"""
    no1.entity.posting_accounts.create(
        purpose="revenue", category=no1.travel, account=no1.books.accounts["3070"]
    )
    items = [
        work(no1, contract, "1", "300"),
        work(no1, contract, "1", "50", transaction_class="expense", category=no1.travel, role=None),
    ]

    invoice = posted(no1, *items)

    assert entries_of(invoice.voucher) == [
        dr("1500", "437.5"),
        cr("3000", 300),
        cr("3070", 50),
        cr("2700", "87.5"),
    ]


@pytest.mark.parametrize(
    ("profile", "account", "in_balance"), [("balance", "1540", True), ("pl", "3070", False)]
)
def test_a_milestone_is_posted_on_account_by_its_profile(no1, profile, account, in_balance):
    """JRN-5, the table of section 7"""
    standard = no1.books.profiles["STD"]
    standard.on_account = profile
    standard.save()
    contract = factories.contract(no1, method="fixed", confirmed=True)

    invoice = posted(no1, milestone(contract, "5000", name="Design is done"))

    assert entries_of(invoice.voucher) == [dr("1500", 6250), cr(account, 5000), cr("2700", 1250)]
    row = invoice.voucher.project_transactions.get()
    assert (row.kind, row.amount, row.in_balance, row.project) == (
        "on_account",
        5000,
        in_balance,
        no1.project,
    )
    assert invoice.lines.get().description == "Design is done"


def test_work_added_by_hand_on_a_fixed_price_line_is_on_account_too(no1):
    """Section 7: anything that has a fixed price."""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    proforma = drafted(no1, milestone(contract, "5000"))
    proformas.add_detail(
        proforma,
        by=no1.manager,
        contract_line=contract.lines.get(),
        transaction_class="fee",
        date=MARCH_10,
        quantity=Decimal(1),
        price=Decimal(400),
        category=no1.fee,
    )
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    invoice = posted(no1, proforma=proforma)

    assert entries_of(invoice.voucher) == [dr("1500", 6750), cr("1540", 5400), cr("2700", 1350)]


def test_a_disbursement_is_no_revenue_and_has_no_tax(no1, contract):
    """APP-8 DOC-2: it is outside the scope of tax, and so on a separate invoice."""
    fee = factories.CategoryFactory(
        entity=no1.entity,
        transaction_class="expense",
        code="COURT",
        is_disbursement=True,
        item_tax_group=no1.books.item_tax_groups["OUTSIDE"],
    )
    items = [
        work(no1, contract, "1", "200"),
        work(no1, contract, "1", "80", transaction_class="expense", category=fee, role=None),
    ]

    drafts = proformas.create_for_items(items, on=MARCH_31, by=no1.manager)
    taxed, paid = (
        posted(no1, proforma=proformas.confirm(draft, by=no1.manager, on=MARCH_31)) for draft in drafts
    )

    assert entries_of(taxed.voucher) == [dr("1500", 250), cr("3000", 200), cr("2700", 50)]
    assert [(tax.code, tax.base, tax.tax) for tax in taxed.taxes.all()] == [("OUT25", 200, 50)]
    assert entries_of(paid.voucher) == [dr("1500", 80), cr("1570", 80)]
    assert [(tax.code, tax.base, tax.tax) for tax in paid.taxes.all()] == [("OUTSIDE", 80, 0)]


def test_rounding_of_the_conversion_has_its_own_account(no1):
    """PST-2: EUR 100.01 + 25.00 at 11.3333: customer 1,416.78, revenue 1,133.44, tax 283.33, rest 0.01."""
    contract = in_euro(no1, "11.3333")

    invoice = posted(no1, work(no1, contract, "1", "100.01"))

    assert entries_of(invoice.voucher) == [
        dr("1500", "125.01", "1416.78"),
        cr("3000", "100.01", "1133.44"),
        cr("2700", "25.00", "283.33"),
        cr("7770", 0, "0.01"),
    ]
    assert (invoice.rate, invoice.net_rate) == (Decimal("11.3333"), Decimal("11.3333"))
    assert (invoice.accounting_net, invoice.accounting_tax, invoice.accounting_total) == (
        Decimal("1133.44"),
        Decimal("283.33"),
        Decimal("1416.78"),
    )
    assert CustomerTransaction.objects.get().accounting_amount == Decimal("1416.78")


def test_the_cents_of_a_converted_sum_go_to_the_rows_of_the_first_project(no1):
    """PST-2: EUR 0.33 three times at 11.05: 3.6465 each, 10.9395 in total: 10.94 is 3.65 + 3.65 + 3.64."""
    contract = in_euro(no1, "11.05")

    invoice = posted(no1, *(work(no1, contract, "1", "0.33") for _ in range(3)))

    assert entries_of(invoice.voucher)[1] == cr("3000", "0.99", "10.94")
    revenue = [row[3] for row in facts_of(invoice.voucher) if row[0] == "revenue"]
    assert revenue == [Decimal("3.64"), Decimal("3.65"), Decimal("3.65")]


def test_an_agreed_rate_applies_to_the_net_amount_only(no1):
    """PST-5: EUR 1,000 + 250 tax, agreed 11.00, official 11.60: 11,000, 2,900, customer 13,900"""
    contract = in_euro(no1, "11.60", fixed_exchange_rate=Decimal("11"))

    invoice = posted(no1, work(no1, contract))

    assert entries_of(invoice.voucher) == [
        dr("1500", 1250, 13900),
        cr("3000", 1000, 11000),
        cr("2700", 250, 2900),
    ]
    assert (invoice.rate, invoice.net_rate) == (Decimal("11.6"), Decimal("11"))
    tax = invoice.taxes.get()
    assert (tax.accounting_base, tax.accounting_tax) == (11600, 2900)


def test_the_customers_balance_has_the_effective_rate(no1):
    """MON-5 PST-5: 13,900 / 1,250 = 11.12, neither the agreed nor the official rate."""
    contract = in_euro(no1, "11.60", fixed_exchange_rate=Decimal("11"))

    invoice = posted(no1, work(no1, contract))

    row = CustomerTransaction.objects.get()
    assert (row.rate, row.amount, row.accounting_amount) == (Decimal("11.12"), 1250, 13900)
    rates = dict(invoice.voucher.entries.values_list("account__number", "rate"))
    assert rates == {"1500": Decimal("11.12"), "3000": 11, "2700": Decimal("11.60")}


def test_a_total_of_zero_with_an_agreed_rate_has_the_official_one(no1):
    """MON-5: nothing was converted; 1 h and −1 h."""
    contract = in_euro(no1, "11.60", fixed_exchange_rate=Decimal("11"))

    posted(no1, work(no1, contract, "1"), work(no1, contract, "-1"))

    assert CustomerTransaction.objects.get().rate == Decimal("11.60")


@pytest.mark.parametrize("transaction_class", ["expense", "material"])
def test_the_person_who_spent_it_is_not_on_the_invoice(no1, contract, transaction_class):
    """PST-3: neither person nor role of expenses and materials, and no codes of tasks."""
    what = {"category": no1.travel} if transaction_class == "expense" else {"product": no1.product}
    item = work(no1, contract, "1", "80", transaction_class=transaction_class, **what)

    line = posted(no1, item).lines.get()

    assert (line.resource, line.role) == ("", "")
    assert (line.project, line.task) == ("NO1-P1 Bridge", "Design")


def test_the_official_rate_is_that_of_the_invoice_date(no1):
    """PST-5: 11.40 when the work was done, 11.60 from 31 March."""
    contract = in_euro(no1, "11.40")
    factories.ExchangeRateFactory(
        entity=no1.entity, currency="EUR", rate=Decimal("11.60"), valid_from=MARCH_31
    )

    invoice = posted(no1, work(no1, contract))

    assert entries_of(invoice.voucher) == [
        dr("1500", 1250, 14500),
        cr("3000", 1000, 11600),
        cr("2700", 250, 2900),
    ]


def test_a_negative_total_makes_a_credit_note_with_its_own_number(no1, contract):
    """PRP-8: debit and credit are swapped."""
    invoice = posted(no1, work(no1, contract, "-10"))

    assert entries_of(invoice.voucher) == [cr("1500", 1250), dr("3000", 1000), dr("2700", 250)]
    assert (invoice.kind, invoice.type_code, invoice.number) == ("credit_note", "381", "CN-2025-000001")
    row = CustomerTransaction.objects.get()
    assert (row.kind, row.amount) == ("credit_note", -1250)


def test_credit_notes_use_the_sequence_of_invoices_if_they_have_none(no1, contract):
    """PRP-8: the same sequence"""
    NumberSequence.objects.filter(entity=no1.entity, kind="credit_note").delete()

    first = posted(no1, work(no1, contract))
    second = posted(no1, work(no1, contract, "-1"))

    assert (first.number, second.number) == ("INV-2025-000001", "INV-2025-000002")
    assert second.kind == "credit_note"


def test_a_total_of_zero_can_be_posted(no1, contract):
    """RET-6: 1 h and −1 h"""
    invoice = posted(no1, work(no1, contract, "1"), work(no1, contract, "-1"))

    assert entries_of(invoice.voucher) == []
    assert (invoice.kind, invoice.total, invoice.lines.count()) == ("invoice", 0, 2)


def test_complimentary_work_is_printed_and_not_charged(no1, contract):
    """PRO-3"""
    paid, gift = work(no1, contract, "2", "100"), work(no1, contract, "3", "100")
    proforma = drafted(no1, paid, gift)
    edited(no1, proforma, gift, billing_type="complimentary")
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    invoice = posted(no1, proforma=proforma)

    assert entries_of(invoice.voucher) == [dr("1500", 250), cr("3000", 200), cr("2700", 50)]
    assert [(line.billing_type, line.quantity, line.net, line.tax) for line in invoice.lines.all()] == [
        ("chargeable", 2, 200, 50),
        ("complimentary", 3, 0, 0),
    ]


def test_non_chargeable_work_is_not_on_the_invoice(no1, contract):
    """Section 7: it is in the project subledger only."""
    cut = work(no1, contract, "3", "100")
    proforma = drafted(no1, work(no1, contract, "2", "100"), cut)
    edited(no1, proforma, cut, billing_type="non_chargeable")
    proformas.confirm(proforma, by=no1.manager, on=MARCH_31)

    invoice = posted(no1, proforma=proforma)

    assert [line.net for line in invoice.lines.all()] == [200]
    assert entries_of(invoice.voucher) == [dr("1500", 250), cr("3000", 200), cr("2700", 50)]
    assert facts_of(invoice.voucher) == [
        ("revenue", 2, 200, 200),
        ("revenue", 3, 0, 0),
        ("unbilled", -3, -300, -300),
        ("unbilled", -2, -200, -200),
    ]


def test_the_invoice_keeps_its_content(no1, contract):
    """PST-3: it does not read any other row afterwards."""
    LegalEntity.objects.filter(pk=no1.entity.pk).update(vat_number="999999999", iban="NO9386011117947")
    no1.customer.electronic_address_scheme, no1.customer.electronic_address = "0192", "987654321"
    no1.customer.save()
    proposal = proposed(no1, work(no1, contract, description="Drawings"))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    name = no1.customer.name
    no1.customer.name = "Somebody Else"
    no1.customer.save()

    invoice = CustomerInvoice.objects.get(pk=invoice.pk)
    assert (invoice.buyer_name, invoice.buyer_street, invoice.buyer_city) == (name, "Storgata 1", "Oslo")
    assert (invoice.buyer_electronic_address_scheme, invoice.buyer_electronic_address) == (
        "0192",
        "987654321",
    )
    assert (invoice.seller_name, invoice.seller_vat_number) == (no1.entity.name, "999999999")
    assert invoice.seller_iban == "NO9386011117947"
    assert (invoice.contract_code, invoice.payment_terms) == (contract.code, "30 days net")
    assert (invoice.period_from, invoice.period_to) == (MARCH_10, MARCH_10)
    line = invoice.lines.get()
    assert (line.description, line.role, line.resource) == ("Drawings", "Consultant", "Anna")
    assert (line.project, line.task) == ("NO1-P1 Bridge", "Design")
    assert (line.quantity, line.price, line.net, line.unit) == (10, 100, 1000, "h")
    assert (line.tax_category, line.tax_percent) == ("S", 25)


@pytest.mark.parametrize(
    ("planned", "invoiced", "printed"),
    [
        ("2025-06-01", "2025-03-31", "2025-03-31"),  # completed before its day
        ("2025-06-01", "2025-04-02", "2025-03-31"),  # billed on 31 March, and the invoice posted later
        ("2025-03-10", "2025-03-31", "2025-03-10"),
    ],
)
def test_a_milestone_is_delivered_at_the_latest_on_the_day_it_is_billed(no1, planned, invoiced, printed):
    """DOC-4 PRP-8: the date of delivery is not in the future if a company invoices in advance."""
    LegalEntity.objects.update(invoices_in_advance=True)
    contract = factories.contract(no1, method="fixed", confirmed=True)
    item = milestone(contract, date=datetime.date.fromisoformat(planned))

    invoice = post(proposed(no1, item), by=no1.accountant, on=datetime.date.fromisoformat(invoiced))

    invoice = CustomerInvoice.objects.get(pk=invoice.pk)
    day = datetime.date.fromisoformat(printed)
    assert (invoice.period_from, invoice.period_to, invoice.lines.get().date) == (day, day, day)
