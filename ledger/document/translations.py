"""Words and number formats of printed documents, by language.

A document is in the customer's language, not in that of the user who posts it, and must never change. So
its words are listed here, and not in the translations of the pages.
"""

import datetime
from decimal import Decimal

from babel import Locale

from invoicing_site.floor import formatting

_LOCALES = {"en": "en_GB", "nb": "nb_NO"}  # en_GB: 20 Nov 2026, not Nov 20, 2026

_ENGLISH = {
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "request": "Payment request",
    "preview": "Proforma",
    "preview_note": "Preview of a document that has not been issued. Not an invoice.",
    "request_note": "This is a request for payment, not a tax invoice.",
    "number": "Number",
    "to": "To",
    "attention": "Attn. {}",
    "invoice_date": "Date",
    "due_date": "Due date",
    "period": "Period",
    "customer_number": "Customer no.",
    "order_reference": "Your order no.",
    "buyer_reference": "Your reference",
    "contract": "Contract",
    "place_of_delivery": "Place of delivery",
    "corrects": "Corrects invoice",
    "refers_to": "Refers to",
    "dated": "{} of {}",
    "amount_due": "Amount due",
    "in_your_favor": "In your favor",
    "nothing_due": "Nothing to pay",
    "no_payment": "No payment is due on this credit note.",
    "date": "Date",
    "description": "Description",
    "quantity": "Quantity",
    "price": "Price",
    "vat": "VAT",
    "amount": "Amount",
    "subtotal": "Subtotal {}",
    "subtotal_plain": "Subtotal",
    "complimentary": "no charge",
    "part_of": "(part of {})",
    "net": "Total excl. VAT",
    "tax": "VAT",
    "total": "Total",
    "total_with_tax": "Total incl. VAT",
    "tax_summary": "VAT summary",
    "tax_rate": "Rate",
    "tax_base": "Tax base",
    "tax_amount": "VAT",
    "tax_base_in": "Tax base in {}",
    "tax_amount_in": "VAT in {}",
    "rate_note": "Tax base and VAT in {} at the official rate: {} per {}.",
    "S": "VAT {}",
    "AA": "VAT, reduced, {}",
    "Z": "Zero-rated supply, {}",
    "E": "Exempt from VAT",
    "AE": "Reverse charge, {}",
    "O": "Not subject to VAT",
    "line_E": "exempt",
    "line_O": "outside scope",
    "line_AE": "reverse charge",
    "payment": "Payment",
    "payment_reference": "Payment reference",
    "account": "Account",
    "iban": "IBAN",
    "bic": "BIC",
    "payment_terms": "Terms",
    "terms_day": "{} day",
    "terms_days": "{} days",
    "terms_net": "{} net",
    "terms_end_of_month": "{} from the end of the month",
    "terms_by_end_of_month": "By the end of the month",
    "terms_day_of_month": "On day {} of the month",
    "terms_at_least": "{}, after {} at the earliest",
    "terms_immediate": "Due immediately",
    "terms_by_date": "By {}",
    "to_pay": "To pay",
    "organization_number": "Organization no.",
    "vat_number": "VAT no.",
    "annex": "Annex: hours",
    "annex_of": "Hours billed with {}",
    "who": "Person",
    "work": "Work",
    "hours": "Hours",
    "hours_of": "Hours, {}",
    "hours_in_all": "Total hours",
    "page": "Page {} of {}",
    "time": "Time",
    "expense": "Expense",
    "material": "Material",
    "fee": "Fee",
    "milestone": "Milestone",
    "retainer": "Advance",
    "unit_h": "h",
    "unit_each": "pcs",
    "unit_day": "days",
    "unit_week": "weeks",
    "unit_month": "months",
    "Zero-rated supply": "Zero-rated supply",
    "Exempt from VAT": "Exempt from VAT",
    "Reverse charge": "Reverse charge",
    "Not subject to VAT": "Not subject to VAT",
}

_BOKMAAL = {
    "invoice": "Faktura",
    "credit_note": "Kreditnota",
    "request": "Betalingsanmodning",
    "preview": "Proforma",
    "preview_note": "Forhåndsvisning av et dokument som ikke er utstedt. Ikke en faktura.",
    "request_note": "Dette er en anmodning om betaling, ikke et salgsdokument.",
    "number": "Nummer",
    "to": "Til",
    "attention": "Att. {}",
    "invoice_date": "Dato",
    "due_date": "Forfallsdato",
    "period": "Periode",
    "customer_number": "Kundenr.",
    "order_reference": "Deres ordrenr.",
    "buyer_reference": "Deres referanse",
    "contract": "Avtale",
    "place_of_delivery": "Leveringssted",
    "corrects": "Gjelder faktura",
    "refers_to": "Viser til",
    "dated": "{} av {}",
    "amount_due": "Å betale",
    "in_your_favor": "Til gode",
    "nothing_due": "Ingenting å betale",
    "no_payment": "Denne kreditnotaen skal ikke betales.",
    "date": "Dato",
    "description": "Beskrivelse",
    "quantity": "Antall",
    "price": "Pris",
    "vat": "Mva.",
    "amount": "Beløp",
    "subtotal": "Delsum {}",
    "subtotal_plain": "Delsum",
    "complimentary": "uten vederlag",
    "part_of": "(del av {})",
    "net": "Sum ekskl. mva.",
    "tax": "Mva.",
    "total": "Totalt",
    "total_with_tax": "Sum inkl. mva.",
    "tax_summary": "Mva.-spesifikasjon",
    "tax_rate": "Sats",
    "tax_base": "Grunnlag",
    "tax_amount": "Mva.",
    "tax_base_in": "Grunnlag i {}",
    "tax_amount_in": "Mva. i {}",
    "rate_note": "Grunnlag og mva. i {} etter offisiell kurs: {} per {}.",
    "S": "Mva. {}",
    "AA": "Mva., redusert sats, {}",
    "Z": "Fritatt for merverdiavgift, {}",
    "E": "Unntatt fra merverdiavgift",
    "AE": "Omvendt avgiftsplikt, {}",
    "O": "Ikke merverdiavgiftspliktig",
    "line_E": "unntatt",
    "line_O": "utenfor mva-loven",
    "line_AE": "omvendt avgiftsplikt",
    "payment": "Betaling",
    "payment_reference": "Betalingsreferanse",
    "account": "Kontonummer",
    "iban": "IBAN",
    "bic": "BIC",
    "payment_terms": "Betalingsbetingelser",
    "terms_day": "{} dag",
    "terms_days": "{} dager",
    "terms_net": "Netto {}",
    "terms_end_of_month": "{} fra månedens slutt",
    "terms_by_end_of_month": "Innen månedens slutt",
    "terms_day_of_month": "Den {}. i måneden",
    "terms_at_least": "{}, tidligst etter {}",
    "terms_immediate": "Forfaller straks",
    "terms_by_date": "Innen {}",
    "to_pay": "Å betale",
    "organization_number": "Org.nr.",
    "vat_number": "Mva.-nr.",
    "annex": "Vedlegg: timer",
    "annex_of": "Timer fakturert med {}",
    "who": "Navn",
    "work": "Arbeid",
    "hours": "Timer",
    "hours_of": "Timer, {}",
    "hours_in_all": "Sum timer",
    "page": "Side {} av {}",
    "time": "Timer",
    "expense": "Utlegg",
    "material": "Materialer",
    "fee": "Honorar",
    "milestone": "Milepæl",
    "retainer": "Forskudd",
    "unit_h": "t",
    "unit_each": "stk",
    "unit_day": "dager",
    "unit_week": "uker",
    "unit_month": "måneder",
    "Zero-rated supply": "Fritatt for merverdiavgift",
    "Exempt from VAT": "Unntatt fra merverdiavgift",
    "Reverse charge": "Omvendt avgiftsplikt",
    "Not subject to VAT": "Ikke merverdiavgiftspliktig",
}

TEXTS = {"en": _ENGLISH, "nb": _BOKMAAL}


class Words:
    """The words, dates and numbers of one language; English if the language is not available."""

    def __init__(self, language: str):
        self.language = language if language in TEXTS else language.partition("-")[0]
        if self.language not in TEXTS:
            self.language = "en"
        self.texts = TEXTS[self.language]
        self.locale = Locale.parse(_LOCALES[self.language])

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def say(self, key: str, *values) -> str:
        """The text with its values filled in."""
        return self.texts[key].format(*values)

    def of_setup(self, text: str) -> str:
        """A text of the standard set-up in this language; other texts do not change."""
        return self.texts.get(text, text)

    def unit(self, unit: str) -> str:
        """The unit as it is printed; units that are not words, such as km, do not change."""
        return self.texts.get(f"unit_{unit}", unit)

    def date(self, day: datetime.date | None) -> str:
        """An unambiguous date: 20 Nov 2026."""
        return formatting.day(day, locale=self.locale) if day else ""

    def month(self, day: datetime.date) -> str:
        """A month with its year."""
        return formatting.month(day, locale=self.locale)

    def period(self, first: datetime.date | None, last: datetime.date | None) -> str:
        """One day, or a range of days."""
        if first == last or not (first and last):
            return self.date(first or last)
        return f"{self.date(first)} – {self.date(last)}"

    def amount(self, amount: Decimal, currency: str) -> str:
        """An amount with exactly the decimals of its currency."""
        return formatting.amount(amount, currency, locale=self.locale)

    def number(self, value: Decimal, least: int = 0) -> str:
        """A number with at least this number of decimals, and with more only if it has them."""
        return formatting.number(value, least, locale=self.locale)

    def percent(self, percent: Decimal) -> str:
        """A percentage: 25 %."""
        return formatting.percent(percent, locale=self.locale)

    def country(self, code: str) -> str:
        """The country's name; an unknown code is returned unchanged."""
        return self.locale.territories.get(code, code)
