"""Checks of identifiers that have a check digit or a format: organization, VAT and bank account numbers.

Each country has its own rules. If the rules of a country are not known here, the number is accepted (DOC-5).
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
_VAT_PREFIXES = {"EL": "GR", "XI": "GB"}  # where the prefix differs from the country's code
_ACCOUNT = {"CZ": ("cz.bankaccount",), "ES": ("es.ccc",), "NO": ("no.kontonr",), "NZ": ("nz.bankaccount",)}
# ISO 3166-1, and two other codes that invoices may use: Northern Ireland (XI) and Kosovo (XK).
_COUNTRIES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XI XK
"""
_ELECTRONIC = {"0007": "se.orgnr", "0184": "dk.cvr", "0192": "no.orgnr", "0208": "be.vat"}


def require_valid_numbers(party, *, country=""):
    """ValidationError by field if the country or an identifier of a party is invalid.

    A party is a legal entity, a customer or a bill-to. `country` is used if the party has no country of its
    own.
    """
    country = (party.country or country).upper()
    checks = {
        "organization_number": ("organization number", lambda text: _is_company(text, country)),
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
    if country and country not in _COUNTRIES.split():
        wrong["country"] = f"“{country}” is not a country. Enter its two letters, such as NO."
    for field, (words, holds) in checks.items():
        text = getattr(party, field, "")
        if text and not holds(text):
            of = f" in {country}" if field in ("organization_number", "vat_number", "bank_account") else ""
            wrong[field] = f"“{text}” is not a valid {words}{of}. Check its length and its digits."
    if wrong:
        raise ValidationError(wrong)


def _is_company(text, country):
    return _holds(text, _COMPANY.get(country, ()))


def _is_vat(text, country):
    """Checked by the rules of its own prefix and of the party's country; one of them must accept it."""
    prefix = text.strip()[:2].upper() if re.search(r"\d", text) else ""
    prefix = _VAT_PREFIXES.get(prefix, prefix)
    countries = [each for each in dict.fromkeys([prefix, country]) if each in _VAT]
    if "NO" in countries and _is_company(re.sub(r"(?i)^\s*NO|MVA\s*$", "", text), "NO"):
        return True  # with and without the suffix MVA
    modules = [get_cc_module(each, "vat") for each in countries]
    return not countries or any(module.is_valid(text) for module in modules if module)


def _is_account(text, country):
    if re.match(r"\s*[A-Za-z]{2}\d\d", text):
        return iban.is_valid(text)
    return _holds(text, _ACCOUNT.get(country, ()))


def _is_electronic(text, scheme):
    return ean.is_valid(text) if scheme == "0088" else _holds(text, [_ELECTRONIC.get(scheme, "")])


def _holds(text, names):
    known = [name for name in names if name]
    return not known or any(import_module(f"stdnum.{name}").is_valid(text) for name in known)
