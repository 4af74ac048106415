"""The characters that the fonts of the document have, read from the font files of the PDF (DOC-5)."""

import io
import unicodedata
from collections.abc import Iterator
from functools import cache

from django.db import models
from django.urls import reverse
from fontTools.ttLib import TTFont

from invoicing_site.floor import characters
from invoicing_site.floor.reasons import Label, Reason
from ledger.document.drawing import FONTS, static_file

_NAMED = 3


@cache
def drawable() -> frozenset[str]:
    """Every character that one of the fonts has."""
    found = set()
    for name in FONTS:
        with TTFont(io.BytesIO(static_file(name)), lazy=True) as font:
            found.update(map(chr, font.getBestCmap()))
    return frozenset(found)


def undrawn(text: str) -> str:
    """The characters of a text that no font has, each once; without spaces and line breaks."""
    if drawable().issuperset(text):
        return ""
    composed = unicodedata.normalize("NFC", text)
    return "".join(dict.fromkeys(each for each in composed if not each.isspace() and each not in drawable()))


def not_drawn(invoice, lines, taxes, number_format: str) -> Iterator[Reason]:
    """A reason for each field of a future invoice with such characters; equal ones on several lines once."""
    seen = set()
    rows = [("", invoice), *(("line", line) for line in lines), *(("tax", tax) for tax in taxes)]
    for of, row in rows:
        for field, text in _texts(row):
            found = undrawn(text)
            if found and (field.verbose_name, found) not in seen:
                seen.add((field.verbose_name, found))
                advice, remedy = _remedy(invoice, field.name, of)
                values = {"field": Label(str(field.verbose_name)), "characters": _names(found)}
                values |= {"advice": advice, "remedy": remedy}
                if of == "line":
                    yield Reason("GLYPH-MISSING-ON-LINE", line=str(row.number), **values)
                elif of == "tax":
                    yield Reason("GLYPH-MISSING-ON-TAX", tax_code=row.code, **values)
                else:
                    yield Reason("GLYPH-MISSING", **values)
    if found := undrawn(number_format):
        yield Reason(
            "GLYPH-MISSING",
            field=Label("format of the number"),
            characters=_names(found),
            advice=Reason("REWRITE-IN-SETUP", where=Label("number sequences")),
            remedy="admin:contracts_numbersequence_changelist",
        )


def _names(found: str) -> list:
    """The first few characters with their names; an ellipsis replaces the rest."""
    names = [f"“{each}” {characters.name(each)}" for each in found[:_NAMED]]
    return [*names, "…"] if len(found) > _NAMED else names


def _texts(row):
    for field in row._meta.concrete_fields:
        if isinstance(field, models.CharField | models.TextField) and (text := field.value_from_object(row)):
            yield field, text


# Names that an invoice copies at posting, with the lists in which administrators change them.
_NAMES = {
    "project": "projects",
    "task": "tasks",
    "resource": "resources",
    "role": "roles",
    "category": "categories",
}


def _remedy(invoice, name, of) -> tuple[Reason, str]:
    """The advice and its page; texts of the confirmed proforma can only be changed after a return."""
    if name.startswith("seller_"):
        page = reverse("admin:contracts_legalentity_change", args=[invoice.entity_id])
        return Reason("REWRITE-ON-PAGE", page=Label("legal entity")), page
    if name == "buyer_number":
        page = reverse("admin:contracts_customer_change", args=[invoice.customer_id])
        return Reason("REWRITE-ON-PAGE", page=Label("customer")), page
    if of == "tax":
        where = Reason("REWRITE-IN-SETUP", where=Label("tax codes"))
        return where, "admin:ledger_taxcode_changelist"
    if name in ("header_text", "footer_text", "place_of_delivery"):
        return Reason("REWRITE-IN-HEADER"), reverse("edit_proposal", args=[invoice.proposal_id])
    if name == "section_title":
        return Reason("REWRITE-IN-SECTIONS"), reverse("proposal_sections", args=[invoice.proposal_id])
    if name in _NAMES:
        where = Reason("REWRITE-IN-SETUP", where=Label(_NAMES[name]))
        return where, f"admin:contracts_{name}_changelist"
    back = reverse("return_proposal", args=[invoice.proposal_id])
    return Reason("REWRITE-ON-DRAFT"), back
