"""Codes of public lists for documents and electronic invoices, as far as customers use them.

The public lists are longer. A missing code is added here. Users select a code and can't type one.
"""

# UNECE Recommendation 20: units of measure (EN 16931 BT-130).
UNITS = {
    "C62": "one",
    "H87": "piece",
    "EA": "each",
    "SET": "set",
    "E48": "service unit",
    "LS": "lump sum",
    "MIN": "minute",
    "HUR": "hour",
    "DAY": "day",
    "WEE": "week",
    "MON": "month",
    "ANN": "year",
    "KMT": "kilometer",
    "MTR": "meter",
    "MTK": "square meter",
    "MTQ": "cubic meter",
    "LTR": "liter",
    "KGM": "kilogram",
    "TNE": "tonne",
    "KWH": "kilowatt hour",
    "GB": "gigabyte",
    "P1": "percent",
}

# The codes of common units; a legal entity can choose others (`MeasureUnit`). Empty is the unit of a
# milestone.
UNIT_CODES = {
    "": "C62",
    "each": "C62",
    "pcs": "H87",
    "min": "MIN",
    "h": "HUR",
    "day": "DAY",
    "week": "WEE",
    "month": "MON",
    "year": "ANN",
    "km": "KMT",
    "m": "MTR",
    "m2": "MTK",
    "m3": "MTQ",
    "l": "LTR",
    "kg": "KGM",
    "t": "TNE",
    "kWh": "KWH",
    "GB": "GB",
}

# Electronic Address Scheme, of CEF (EN 16931 BT-34-1, BT-49-1).
ELECTRONIC_ADDRESS_SCHEMES = {
    "0002": "France, SIRENE",
    "0007": "Sweden, organization number",
    "0009": "France, SIRET",
    "0037": "Finland, LY-tunnus",
    "0060": "D-U-N-S number",
    "0088": "GLN",
    "0096": "Denmark, P number",
    "0106": "Netherlands, KvK number",
    "0151": "Australia, ABN",
    "0183": "Switzerland, UIDB",
    "0184": "Denmark, CVR number",
    "0190": "Netherlands, OIN",
    "0191": "Estonia, company code",
    "0192": "Norway, organization number",
    "0195": "Singapore, UEN",
    "0196": "Iceland, Kennitala",
    "0198": "Denmark, SE number",
    "0200": "Lithuania, legal entity code",
    "0204": "Germany, Leitweg-ID",
    "0208": "Belgium, enterprise number",
    "0211": "Italy, Partita IVA",
    "0213": "Finland, VAT number",
    "0216": "Finland, OVT code",
    "0218": "Latvia, registration number",
    "0221": "Japan, registered number",
    "0230": "Malaysia, national e-invoicing framework",
    "9906": "Italy, VAT number",
    "9910": "Hungary, VAT number",
    "9914": "Austria, VAT number",
    "9915": "Austria, administrative address",
    "9920": "Spain, VAT number",
    "9925": "Belgium, VAT number",
    "9927": "Switzerland, VAT number",
    "9930": "Germany, VAT number",
    "9932": "United Kingdom, VAT number",
    "9935": "Ireland, VAT number",
    "9938": "Luxembourg, VAT number",
    "9944": "Netherlands, VAT number",
    "9945": "Poland, VAT number",
    "9946": "Portugal, VAT number",
    "9957": "France, VAT number",
    "EM": "e-mail",
}

# VATEX: reasons why no tax is charged (EN 16931 BT-121), and the tax categories that may have each reason.
EXEMPTION_REASONS = {
    "VATEX-EU-79-C": "reimbursement in the customer's name, article 79(c)",
    "VATEX-EU-132": "activities in the public interest, article 132",
    "VATEX-EU-132-1I": "education, article 132(1)(i)",
    "VATEX-EU-135-1A": "insurance, article 135(1)(a)",
    "VATEX-EU-135-1B": "granting of credit, article 135(1)(b)",
    "VATEX-EU-135-1D": "payments and transfers, article 135(1)(d)",
    "VATEX-EU-135-1L": "letting of immovable property, article 135(1)(l)",
    "VATEX-EU-143": "importation, article 143",
    "VATEX-EU-148": "vessels and aircraft, article 148",
    "VATEX-EU-151": "diplomatic and international bodies, article 151",
    "VATEX-EU-309": "travel agents outside the EU, article 309",
    "VATEX-EU-AE": "reverse charge",
    "VATEX-EU-O": "not subject to VAT",
}
REASONS_OF_CATEGORY = {
    "E": frozenset(EXEMPTION_REASONS) - {"VATEX-EU-AE", "VATEX-EU-O"},
    "AE": frozenset({"VATEX-EU-AE"}),
    "O": frozenset({"VATEX-EU-O"}),
}


def choices(codes: dict[str, str]) -> list[tuple[str, str]]:
    """The choices of a field: each code with its meaning."""
    return [(code, f"{code} {name}") for code, name in codes.items()]
