"""Time and material from the hour to the ledger, without and with accrual."""

from datetime import date
from decimal import Decimal

import pytest

from backlog.operations import Decision
from invoicing_site.verify import findings
from ledger.models import CustomerInvoice, ProfileAssignment
from proforma import operations as proformas
from tests import factories
from tests.journeys.steps import (
    actuals_of,
    approved,
    confirmed,
    customer_rows,
    drafted,
    entries_of,
    invoiced,
    journalled,
    net_of_unbilled,
    project_rows,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return factories.company(cost_price=100, sales_price=200)


@pytest.fixture
@factories.remembered
def contract(company):
    return confirmed(factories.contract(company), company)


@pytest.fixture
def accruing(company):
    """The company accrues the revenue of delivered work."""
    ProfileAssignment.objects.filter(entity=company.entity, project=None).update(
        profile=company.books.profiles["ACCRUE"]
    )


def details(proforma):
    return list(proforma.lines.get().details.order_by("pk"))


def test_eight_hours_become_an_invoice(company, contract):
    """APP-3 JRN-5 PRO-5 PST-1 PST-8

    8 h, cost rate 100, bill rate 200, 25 % tax.
    """
    entry = factories.time_entry(company, "8", date=date(2025, 3, 10))
    approved(company, [entry])

    cost, sales = journalled(company)
    assert entries_of(cost) == [("4300", "800.00", "0.00"), ("5090", "0.00", "800.00")]
    assert project_rows(cost) == [("cost", "time", "8.00", "800.00")]
    assert entries_of(sales) == []
    assert project_rows(sales) == [("unbilled", "time", "8.00", "1600.00")]

    (proforma,) = drafted(company, contract)
    invoice = invoiced(company, proforma)
    assert (invoice.net, invoice.tax, invoice.total) == (1600, 400, 2000)
    assert entries_of(invoice.voucher) == [
        ("1500", "2000.00", "0.00"),
        ("2700", "0.00", "400.00"),
        ("3000", "0.00", "1600.00"),
    ]
    assert customer_rows(invoice.voucher) == [(company.customer, "2000.00", "2000.00", date(2025, 5, 1))]
    assert project_rows(invoice.voucher) == [
        ("revenue", "time", "8.00", "1600.00"),
        ("unbilled", "time", "-8.00", "-1600.00"),
    ]
    assert actuals_of(contract) == [
        ("cost", "chargeable", "8.0000", "800.00"),
        ("unbilled", "chargeable", "8.0000", "1600.00"),
        ("unbilled", "chargeable", "-8.0000", "-1600.00"),
        ("billed", "chargeable", "8.0000", "1600.00"),
    ]
    assert net_of_unbilled(contract) == 0
    assert findings(company.entity) == []


def test_six_of_eight_hours_are_billable(company, contract):
    """APP-3: cost 800, unbilled 1,200 chargeable and 400 non-chargeable; the 400 reach no ledger account."""
    entry = factories.time_entry(company, "8", date=date(2025, 3, 10))
    approved(company, [entry], {entry.pk: Decision(billable_quantity=Decimal(6))})
    cost, chargeable, rest = journalled(company)
    assert entries_of(cost) == [("4300", "800.00", "0.00"), ("5090", "0.00", "800.00")]
    assert (entries_of(chargeable), entries_of(rest)) == ([], [])

    (proforma,) = drafted(company, contract)
    invoice = invoiced(company, proforma)
    assert entries_of(invoice.voucher) == [
        ("1500", "1500.00", "0.00"),
        ("2700", "0.00", "300.00"),
        ("3000", "0.00", "1200.00"),
    ]
    assert [f"{line.net:.2f}" for line in invoice.lines.all()] == ["1200.00"]
    assert net_of_unbilled(contract) == 0
    assert findings(company.entity) == []


def test_ten_hours_are_billed_for_eight(company, contract):
    """APP-3: written up on approval: cost 800, unbilled 2,000."""
    entry = factories.time_entry(company, "8", date=date(2025, 3, 10))
    approved(company, [entry], {entry.pk: Decision(billable_quantity=Decimal(10))})
    journalled(company)
    (proforma,) = drafted(company, contract)
    invoice = invoiced(company, proforma)
    assert entries_of(invoice.voucher) == [
        ("1500", "2500.00", "0.00"),
        ("2700", "0.00", "500.00"),
        ("3000", "0.00", "2000.00"),
    ]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (
            "7",
            [
                ("1500", "8750.00", "0.00"),
                ("1530", "0.00", "10000.00"),
                ("2700", "0.00", "1750.00"),
                ("3000", "0.00", "7000.00"),
                ("3080", "10000.00", "0.00"),
            ],
        ),
        (
            "12",
            [
                ("1500", "15000.00", "0.00"),
                ("1530", "0.00", "10000.00"),
                ("2700", "0.00", "3000.00"),
                ("3000", "0.00", "12000.00"),
                ("3080", "10000.00", "0.00"),
            ],
        ),
    ],
    ids=["edited down", "edited up"],
)
def test_the_whole_accrual_is_reversed_for_any_billed_quantity(company, accruing, hours, expected):
    """PST-10 PRO-5 JRN-5: 10 h × 1,000 accrued, billed as 7 h: revenue 7,000, WIP 10,000 reversed."""
    company.sales_price.price = 1000
    company.sales_price.save()
    contract = confirmed(factories.contract(company), company)
    approved(company, [factories.time_entry(company, "10", date=date(2025, 3, 10))])

    cost, sales = journalled(company)
    assert entries_of(cost) == [("4300", "1000.00", "0.00"), ("5090", "0.00", "1000.00")]
    assert entries_of(sales) == [("1530", "10000.00", "0.00"), ("3080", "0.00", "10000.00")]

    (proforma,) = drafted(company, contract)
    proformas.edit_details(details(proforma), by=company.manager, quantity=Decimal(hours))
    invoice = invoiced(company, proforma)
    assert entries_of(invoice.voucher) == expected
    assert net_of_unbilled(contract) == 0
    assert findings(company.entity) == []


def test_a_lowered_detail_leaves_a_non_chargeable_rest(company, contract):
    """PRO-5: 8 h × 200 → 5 h: reversal of the original; 1,000 billed; a rest of 3 h, 600, non-chargeable."""
    approved(company, [factories.time_entry(company, "8", date=date(2025, 3, 10))])
    journalled(company)
    (proforma,) = drafted(company, contract)
    proformas.edit_details(details(proforma), by=company.manager, quantity=Decimal(5))
    invoice = invoiced(company, proforma)
    assert invoice.net == 1000
    assert sorted(actuals_of(contract)) == sorted(
        [
            ("cost", "chargeable", "8.0000", "800.00"),
            ("unbilled", "chargeable", "8.0000", "1600.00"),
            ("unbilled", "chargeable", "-8.0000", "-1600.00"),
            ("unbilled", "chargeable", "5.0000", "1000.00"),
            ("unbilled", "chargeable", "-5.0000", "-1000.00"),
            ("billed", "chargeable", "5.0000", "1000.00"),
            ("unbilled", "non_chargeable", "3.0000", "600.00"),
            ("unbilled", "non_chargeable", "-3.0000", "-600.00"),
            ("billed", "non_chargeable", "3.0000", "600.00"),
        ]
    )


def test_a_price_can_be_edited_and_a_detail_made_complimentary(company, contract):
    """PRO-3: 4 h × 200 → 4 h × 150 = 600; 2 h complimentary are on the invoice with 0."""
    approved(
        company,
        [
            factories.time_entry(company, "4", date=date(2025, 3, 10)),
            factories.time_entry(company, "2", date=date(2025, 3, 11)),
        ],
    )
    journalled(company)
    (proforma,) = drafted(company, contract)
    first, second = details(proforma)
    proformas.edit_details([first], by=company.manager, price=Decimal(150))
    proformas.edit_details([second], by=company.manager, billing_type="complimentary")
    invoice = invoiced(company, proforma)
    assert [f"{line.net:.2f}" for line in invoice.lines.all()] == ["600.00", "0.00"]
    assert entries_of(invoice.voucher) == [
        ("1500", "750.00", "0.00"),
        ("2700", "0.00", "150.00"),
        ("3000", "0.00", "600.00"),
    ]
    assert net_of_unbilled(contract) == 0
    assert findings(company.entity) == []


def test_expense_material_and_fee_are_billed_like_time(company, contract):
    """APP-8 PRC-3 JRN-5: paid 120 + 30 tax of which 20 is deducted, so it cost 130 and is billed at cost."""
    day = date(2025, 3, 10)
    approved(
        company,
        [
            factories.expense_entry(company, net="120", tax="30", deductible="20", date=day),
            factories.material_entry(company, "3", date=day),
            factories.fee_entry(company, "500", date=day),
        ],
    )
    vouchers = journalled(company)
    assert [entries_of(v) for v in vouchers if entries_of(v)] == [
        [("4300", "130.00", "0.00"), ("4390", "0.00", "130.00")],
        [("4300", "150.00", "0.00"), ("4390", "0.00", "150.00")],
    ]
    (proforma,) = drafted(company, contract)
    invoice = invoiced(company, proforma)
    assert sorted(f"{line.net:.2f}" for line in invoice.lines.all()) == ["130.00", "240.00", "500.00"]
    assert (invoice.net, invoice.tax, invoice.total) == (870, Decimal("217.50"), Decimal("1087.50"))
    assert findings(company.entity) == []


def test_work_of_a_month_is_on_one_invoice_and_the_next_month_on_another(company, contract):
    """PRO-1 MON-7: numbers rise, and no work is on both."""
    approved(company, [factories.time_entry(company, "3", date=date(2025, 3, 31))])
    approved(company, [factories.time_entry(company, "5", date=date(2025, 4, 1))])
    journalled(company, on=date(2025, 4, 1))
    (march,) = drafted(company, contract, cutoff=date(2025, 3, 31))
    first = invoiced(company, march, on=date(2025, 4, 1))
    (april,) = drafted(company, contract, cutoff=date(2025, 4, 30), on=date(2025, 5, 1))
    second = invoiced(company, april, on=date(2025, 5, 1))
    assert [(i.seq, i.net) for i in CustomerInvoice.objects.order_by("seq")] == [(1, 600), (2, 1000)]
    assert [first.number, second.number] == ["INV-2025-000001", "INV-2025-000002"]
