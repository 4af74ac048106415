"""Numbers with a check of their own, of companies, VAT and bank accounts: looked at where they are typed.

By country, where its rule is known; a number of any other country is taken as it is (DOC-5).
"""

import re
from importlib import import_module

from django.core.exceptions import ValidationError
from stdnum import bic, ean, iban
from stdnum.util import get_cc_module

_COMPANY = {
    "AU": ("au.abn", "au.acn"),
    "BE": ("be.vat",),
    "CH": ("ch.uid",),
    "DK": ("dk.cvr",),
    "EE": ("ee.registrikood",),
    "FI": ("fi.ytunnus",),
    "FR": ("fr.siren", "fr.siret"),
    "HR": ("hr.oib",),
    "IS": ("is_.kennitala",),
    "NO": ("no.orgnr",),
    "SE": ("se.orgnr",),
}
_VAT = {
    *("AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU", "IE"),
    *("IS", "IT", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
}
_VAT_PREFIXES = {"EL": "GR", "XI": "GB"}  # where it is another than the country's code
_ACCOUNT = {"CZ": ("cz.bankaccount",), "ES": ("es.ccc",), "NO": ("no.kontonr",), "NZ": ("nz.bankaccount",)}
_ELECTRONIC = {"0007": "se.orgnr", "0184": "dk.cvr", "0192": "no.orgnr", "0208": "be.vat"}


def demand_right_numbers(party, *, country=""):
    """ValidationError by field where a number of a company, a customer or a bill-to can't be right.

    `country` counts where the party names none of its own.
    """
    country = (party.country or country).upper()
    checks = {
        "organisation_number": ("company number", lambda text: _is_company(text, country)),
        "vat_number": ("VAT number", lambda text: _is_vat(text, country)),
        "bank_account": ("bank account", lambda text: _is_account(text, country)),
        "iban": ("IBAN", iban.is_valid),
        "bic": ("BIC", bic.is_valid),
        "electronic_address": (
            f"electronic address of the scheme {party.electronic_address_scheme}",
            lambda text: _is_electronic(text, party.electronic_address_scheme),
        ),
    }
    wrong = {}
    for field, (words, holds) in checks.items():
        text = getattr(party, field, "")
        if text and not holds(text):
            of = f" in {country}" if field in ("organisation_number", "vat_number", "bank_account") else ""
            wrong[field] = f"“{text}” is no {words}{of}: its length or a digit is wrong. Look at it again."
    if wrong:
        raise ValidationError(wrong)


def _is_company(text, country):
    return _holds(text, _COMPANY.get(country, ()))


def _is_vat(text, country):
    """By its own prefix or, without one, by the country of who has it: both may be meant."""
    prefix = text.strip()[:2].upper() if re.search(r"\d", text) else ""
    prefix = _VAT_PREFIXES.get(prefix, prefix)
    countries = [each for each in dict.fromkeys([prefix, country]) if each in _VAT]
    if "NO" in countries and _is_company(re.sub(r"(?i)^\s*NO|MVA\s*$", "", text), "NO"):
        return True  # with and without MVA behind it
    return not countries or any(get_cc_module(each, "vat").is_valid(text) for each in countries)


def _is_account(text, country):
    if re.match(r"\s*[A-Za-z]{2}\d\d", text):
        return iban.is_valid(text)
    return _holds(text, _ACCOUNT.get(country, ()))


def _is_electronic(text, scheme):
    return ean.is_valid(text) if scheme == "0088" else _holds(text, [_ELECTRONIC.get(scheme, "")])


def _holds(text, names):
    known = [name for name in names if name]
    return not known or any(import_module(f"stdnum.{name}").is_valid(text) for name in known)
