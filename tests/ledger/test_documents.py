"""The invoice that a customer sees: its texts and amounts, read from the HTML."""

import datetime
import re
from decimal import Decimal

import pytest

from ledger.document import drawing, printed
from ledger.document.translations import TEXTS, Words
from tests.ledger.sample_invoices import content, invoice, line, tax

D = Decimal
OCT_31 = datetime.date(2026, 10, 31)


def text_of(content):
    """The text of the page in reading order, with single spaces."""
    html = re.sub(r"<style>.*?</style>", "", drawing.html(content), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\xa0", " ").split())


def test_an_invoice_shows_seller_buyer_amount_work_and_due_date():
    """DOC-1"""
    text = text_of(content(header_text="Thank you.", footer_text="Object within 14 days."))

    assert "Invoice INV-2026-000042" in text
    assert "To Havneverket KF Attn. Kari Nordmann Sjøgata 3 8006 Bodø Organization no. 888888888" in text
    assert "Date 20 Nov 2026 Period 1 Oct 2026 – 31 Oct 2026 Customer no. 10042" in text
    assert "Your reference Kari Nordmann Your order no. PO-77812 Contract K-1001 Harbour renewal" in text
    assert "Amount due NOK 1,250.00 Due date 20 Dec 2026 KID 20260004286" in text
    assert (
        "1 Oct 2026 Structural analysis of quay 4 Ola Hansen · Senior consultant · A-2 Analysis"
        " 5 h 200.00 1,000.00" in text
    )
    assert "Total excl. VAT 1,000.00 VAT 250.00 Total incl. VAT NOK 1,250.00" in text
    assert "VAT summary Rate Tax base VAT VAT 25 % 1,000.00 250.00" in text
    assert (
        "Account 1234 56 78903 IBAN NO93 8601 1117 947 BIC DNBANOKK KID 20260004286 Terms 30 days net" in text
    )
    assert text.index("Thank you.") < text.index("Structural analysis") < text.index("Object within")


def test_a_norwegian_seller_shows_its_number_and_register():
    """DOC-4"""
    limited_company = text_of(content(seller_vat_number="NO 999 999 999 MVA"))
    assert "NO 999999999 MVA · Foretaksregisteret" in limited_company

    sole_trader = text_of(content(seller_vat_number="", seller_in_company_register=False))
    assert "Org.nr. 999999999" in sole_trader
    assert "MVA" not in sole_trader
    assert "Foretaksregisteret" not in sole_trader

    british = text_of(
        content(seller_country="GB", seller_vat_number="GB123", seller_organization_number="77")
    )
    assert "Organization no. 77 · VAT no. GB123" in british
    assert "Foretaksregisteret" not in british


def test_a_norwegian_customer_gets_norwegian_words_and_numbers():
    """DOC-1"""
    text = text_of(content(language="nb", net=D("217200"), tax=D("54300"), total=D("271500")))

    assert "Faktura INV-2026-000042" in text
    assert "Å betale NOK 271 500,00 Forfallsdato 20. des. 2026" in text
    assert "Dato Beskrivelse Antall Pris Beløp 1. okt. 2026 Structural analysis of quay 4" in text
    assert "5 t 200,00 1 000,00" in text
    assert "Mva.-spesifikasjon" in text


def test_every_language_has_every_text():
    english, *others = TEXTS.values()
    for texts in others:
        assert texts.keys() == english.keys()
        for key, text in texts.items():
            assert text.count("{}") == english[key].count("{}"), key


def test_an_unknown_language_falls_back_to_english():
    assert Words("fi")["invoice"] == "Invoice"
    assert Words("nb-no")["invoice"] == "Faktura"


@pytest.mark.parametrize(
    ("value", "currency", "english", "norwegian"),
    [
        ("1234567.5", "NOK", "1,234,567.50", "1 234 567,50"),
        ("-1250", "NOK", "−1,250.00", "−1 250,00"),
        ("1000", "JPY", "1,000", "1 000"),
        ("0.125", "BHD", "0.125", "0,125"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency_and_a_real_minus(value, currency, english, norwegian):
    """MON-1"""
    assert Words("en").amount(D(value), currency) == english
    assert Words("nb").amount(D(value), currency).replace("\xa0", " ") == norwegian


def test_prices_and_quantities_show_all_their_decimals():
    text = text_of(content([line(quantity=D("2.4998"), price=D("133.333333"), net=D("333.31"))]))
    assert "2.4998 h 133.333333 333.31" in text

    text = text_of(content([line(1, quantity=D("7.5000")), line(2, quantity=D("8.0000"), price=D("200.5"))]))
    assert "7.5 h 200.00" in text
    assert "8.0 h 200.50" in text


def test_a_credit_note_has_its_title_and_names_the_invoice_that_it_corrects():
    """DOC-1, COR-3"""
    text = text_of(
        content(
            [line(quantity=D(-5), net=D("-1000.00"), tax=D("-250.00"))],
            [tax(base=D("-1000.00"), tax=D("-250.00"))],
            references=[invoice(number="INV-2026-000037", invoice_date=OCT_31)],
            kind="credit_note",
            number="CRE-2026-000003",
            net=D("-1000.00"),
            tax=D("-250.00"),
            total=D("-1250.00"),
        )
    )

    assert "Credit note CRE-2026-000003" in text
    assert "Corrects invoice INV-2026-000037 of 31 Oct 2026" in text
    assert "In your favor NOK 1,250.00" in text
    assert "−5 h 200.00 −1,000.00" in text
    assert "Total incl. VAT NOK −1,250.00" in text
    assert "No payment is due on this credit note." in text
    assert "IBAN" not in text
    assert "Due date" not in text


def test_an_invoice_of_zero_asks_for_no_payment():
    """RET-6"""
    text = text_of(content(net=D(0), tax=D(0), total=D(0)))
    assert "Nothing to pay NOK 0.00" in text
    assert "IBAN" not in text


def test_an_invoice_without_tax_has_a_total_and_no_tax_table():
    text = text_of(
        content([line(tax=D(0), tax_category="", tax_percent=None)], [], tax=D(0), total=D("1000.00"))
    )
    assert "Total NOK 1,000.00" in text
    assert "VAT summary" not in text
    assert "Total excl. VAT" not in text


THREE_RATES = [
    tax(base=D(1000), tax=D(250), accounting_base=D(11600), accounting_tax=D(2900)),
    tax(
        code="R15",
        category="AA",
        percent=D(15),
        base=D(400),
        tax=D(60),
        accounting_base=D(4640),
        accounting_tax=D(696),
    ),
    tax(
        code="E",
        category="E",
        percent=D(0),
        base=D(500),
        tax=D(0),
        accounting_base=D(5800),
        accounting_tax=D(0),
        legal_text="Exempt under section 3-5.",
    ),
]


def test_tax_is_listed_by_rate_with_its_base_and_legal_text():
    """DOC-1, DOC-4"""
    text = text_of(
        content(
            [
                line(1),
                line(2, net=D(400), price=D(80), tax=D(60), tax_category="AA", tax_percent=D(15)),
                line(3, net=D(500), price=D(100), tax=D(0), tax_category="E", tax_percent=D(0)),
            ],
            THREE_RATES,
            net=D(1900),
            tax=D(310),
            total=D(2210),
        )
    )

    assert "5 h 200.00 25 % 1,000.00" in text
    assert "5 h 80.00 15 % 400.00" in text
    assert "5 h 100.00 exempt 500.00" in text
    assert (
        "Rate Tax base VAT VAT 25 % 1,000.00 250.00 VAT, reduced, 15 % 400.00 60.00"
        " Exempt from VAT Exempt under section 3-5. 500.00 0.00" in text
    )


def test_tax_is_shown_in_accounting_currency_too_if_that_is_another():
    """DOC-4"""
    text = text_of(
        content([line()], THREE_RATES, currency="EUR", rate=D("11.600000000"), net=D(1900), total=D(2210))
    )

    assert "Rate Tax base VAT Tax base in NOK VAT in NOK" in text
    assert "VAT 25 % 1,000.00 250.00 11,600.00 2,900.00" in text
    assert "Tax base and VAT in NOK at the official rate: 11.60 NOK per EUR." in text
    assert "Net in NOK" not in text


def test_the_legal_text_is_printed_once_in_the_customers_language():
    """DOC-4: the standard legal texts are the names of the categories in the tax table."""
    said = {
        ("Z", "Zero-rated supply"): ("Zero-rated supply, 0 %", "Fritatt for merverdiavgift, 0 %"),
        ("E", "Exempt from VAT"): ("Exempt from VAT", "Unntatt fra merverdiavgift"),
        ("AE", "Reverse charge"): ("Reverse charge, 0 %", "Omvendt avgiftsplikt, 0 %"),
        ("O", "Not subject to VAT"): ("Not subject to VAT", "Ikke merverdiavgiftspliktig"),
    }
    for (category, legal_text), words_of in said.items():
        for language, words in zip(("en", "nb"), words_of, strict=True):
            free = {"tax": D(0), "tax_category": category, "tax_percent": D(0)}
            frozen = Words(language).of_setup(legal_text)
            row = tax(category=category, percent=D(0), tax=D(0), legal_text=frozen)
            text = text_of(content([line(**free)], [row], language=language, tax=D(0), total=D(1000)))
            assert text.count(frozen) == 1, (category, language)
            assert f" {words} " in text


def test_a_long_account_number_takes_two_columns():
    """DOC-1: numbers for a bank payment are on one line.

    Nineteen figures of the font Inter fit into a column.
    """
    html = drawing.html(content(seller_iban="DE89370400440532013000"))
    assert '<div class="columns-2 whole"><dt>IBAN</dt><dd>DE89 3704 0044 0532 0130 00</dd>' in html
    assert '<div class="columns-1 whole"><dt>Account</dt><dd>1234 56 78903</dd>' in html
    assert '<div class="columns-1"><dt>Terms</dt><dd>30 days net</dd>' in html


def test_codes_with_the_same_rate_share_a_row_unless_a_line_has_several():
    """MON-4"""
    two = [
        tax(code="A", base=D("10.10"), tax=D("2.53"), accounting_base=D("10.10"), accounting_tax=D("2.53")),
        tax(code="B", base=D("10.10"), tax=D("2.52"), accounting_base=D("10.10"), accounting_tax=D("2.52")),
    ]
    (row,) = printed.taxes(two, [line()])
    assert (row.base, row.tax, row.name) == (D("20.20"), D("5.05"), "")

    rows = printed.taxes(two, [line(tax_percent=None, tax=D("5.05"))])
    assert [(row.name, row.base, row.tax) for row in rows] == [
        ("Output VAT, standard", D("10.10"), D("2.53")),
        ("Output VAT, standard", D("10.10"), D("2.52")),
    ]


def summary(number, name="Consultant", **changes):
    return line(number, section_mode="summary", section_title="Hours", summary=name, **changes)


def test_a_summary_with_one_price_shows_quantity_and_price():
    """PRP-3"""
    (section,) = printed.sections([summary(1), summary(2, quantity=D("2.5"), net=D(500))], "NOK")
    (one,) = section.lines
    assert (one.title, one.quantity, one.unit, one.price, one.net) == (
        "Consultant",
        D("7.5"),
        "h",
        D(200),
        D(1500),
    )


def test_a_summary_of_mixed_prices_has_quantity_one_and_shows_the_hours():
    """DOC-2"""
    lines = [summary(1), summary(2, price=D(300), net=D(1500)), summary(3, "Designer")]
    mixed, plain = printed.sections(lines, "NOK")[0].lines
    assert (mixed.quantity, mixed.unit, mixed.price, mixed.net) == (D(1), "", D(2500), D(2500))
    assert (plain.title, plain.quantity, plain.price) == ("Designer", D(5), D(200))

    text = text_of(content(lines, net=D(3500)))
    assert "Consultant 10 h 1 2,500.00 2,500.00" in text


def test_a_summary_never_mixes_taxes():
    lines = [summary(1), summary(2, tax_category="AA", tax_percent=D(15))]
    assert [row.tax_percent for row in printed.sections(lines, "NOK")[0].lines] == [D(25), D(15)]


def test_a_summary_with_an_inexact_product_has_quantity_one():
    """MON-2: ten lines of 0.3333 h × 133.33 are 44.44 each; 3.333 h × 133.33 would be 444.39."""
    lines = [summary(n, quantity=D("0.3333"), price=D("133.33"), net=D("44.44")) for n in range(1, 11)]
    (one,) = printed.sections(lines, "NOK")[0].lines
    assert (one.quantity, one.price, one.net) == (D("3.3330"), D("133.33"), D("444.40"))  # 0.01 is allowed

    lines = [summary(n, quantity=D("0.3333"), price=D("133.33"), net=D("44.44")) for n in range(1, 101)]
    (one,) = printed.sections(lines, "NOK")[0].lines
    assert (one.quantity, one.price, one.net) == (D(1), D("4444.00"), D("4444.00"))


def test_sections_are_in_order_with_their_subtotals():
    """PRP-3"""
    text = text_of(
        content(
            [
                line(3, section=2, section_title="Travel", net=D("70.00"), transaction_class="expense"),
                line(1, section_title="Work"),
                line(2, section_title="Work", net=D("500.00")),
            ]
        )
    )
    assert text.index("Subtotal Work 1,500.00") < text.index("Subtotal Travel 70.00")


def test_one_section_needs_no_subtotal():
    assert "Subtotal" not in text_of(content([line(section_title="Work")]))


def test_non_chargeable_work_is_not_printed_and_complimentary_work_is_at_no_charge():
    text = text_of(
        content(
            [
                line(1),
                line(2, description="Training of a new colleague", billing_type="non_chargeable", net=D(0)),
                line(3, description="First workshop", billing_type="complimentary", net=D(0)),
            ],
            with_annex=True,
        )
    )
    assert "Training of a new colleague" not in text
    assert "5 h no charge 0.00" in text


def test_a_line_without_a_description_is_named_by_its_task_or_its_class():
    nameless = {"description": "", "task": "", "category": "", "role": "", "resource": ""}
    assert "A-2 Analysis Ola Hansen · Senior consultant 5 h" in text_of(content([line(description="")]))
    trip = line(description="", transaction_class="expense", category="Travel", role="")
    assert "Travel Ola Hansen · A-2 Analysis 5 h" in text_of(content([trip]))
    assert "Milestone 5 h" in text_of(content([line(transaction_class="milestone", **nameless)]))


def test_the_annex_lists_the_hours_by_project_and_person():
    """DOC-1"""
    text = text_of(
        content(
            [
                line(1, date=datetime.date(2026, 10, 2), description="Later"),
                line(2, description="Earlier", quantity=D("2.5")),
                line(3, project="P-2 Lighthouse", quantity=D("1")),
                line(4, transaction_class="expense", description="Taxi"),
            ],
            with_annex=True,
        )
    )
    annex = text[text.index("Annex: hours") :]
    assert annex.index("Earlier") < annex.index("Later")
    assert "1 Oct 2026 Ola Hansen Earlier A-2 Analysis 2.5" in annex
    assert "Hours, P-1 Harbour renewal 7.5" in annex
    assert "Hours, P-2 Lighthouse 1.0" in annex
    assert "Total hours 8.5" in annex
    assert "Taxi" not in annex

    assert "Annex" not in text_of(content())


def test_a_payment_request_is_not_a_tax_invoice():
    """RET-4"""
    assert "Payment request INV-2026-000042 This is a request for payment" in text_of(content(kind="request"))


def test_a_preview_is_marked_and_has_no_number():
    """PRP-3"""
    text = text_of(content(is_preview=True))
    assert "Proforma Preview of a document that has not been issued. Not an invoice." in text
    assert "INV-2026-000042" not in text


def test_entered_texts_are_escaped():
    html = drawing.html(
        content(
            [line(description="<img src=http://example.com/a.png>")],
            header_text="<script>",
            seller_accent_color="red;} body{display:none",
        )
    )
    assert "<img" not in html
    assert "<script" not in html
    assert "display:none" not in html
