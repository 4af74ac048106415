"""What the fonts of the document can draw; read from the very files that the PDF is drawn with (DOC-5)."""

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.db import models
from django.urls import reverse
from fontTools.ttLib import TTFont

from invoicing_site.floor import characters
from ledger.document.drawing import FONTS, static_file

_NAMED = 3


@dataclass(frozen=True)
class NotDrawn:
    """A field of the document, in words, with the characters in it that no font has."""

    field: str
    characters: str
    advice: str
    remedy: str

    @property
    def sentence(self) -> str:
        names = [f"“{each}” {characters.name(each)}" for each in self.characters[:_NAMED]]
        more = " and others" if len(self.characters) > _NAMED else ""
        return (
            f"The {self.field} can't be printed: the fonts of the document lack {', '.join(names)}{more}. "
            f"Write it in other letters: {self.advice}"
        )


@cache
def drawable() -> frozenset[str]:
    """Every character for which one of the fonts has a picture."""
    found = set()
    for name in FONTS:
        with TTFont(io.BytesIO(static_file(name)), lazy=True) as font:
            found.update(map(chr, font.getBestCmap()))
    return frozenset(found)


def undrawn(text: str) -> str:
    """The characters of a text that can't be drawn, each once; spaces and line breaks need no picture."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(dict.fromkeys(each for each in composed if not each.isspace() and each not in drawable()))


def not_drawn(invoice, lines, taxes, number_format: str) -> Iterator[NotDrawn]:
    """Every field of an invoice to come that holds such characters; of lines that share a fault the first."""
    said = set()
    rows = [("", invoice), *((f" of line {line.number}", line) for line in lines)]
    rows += [(f" of tax code {tax.code}", tax) for tax in taxes]
    for of, row in rows:
        for field, text in _texts(row):
            found = undrawn(text)
            if found and (field.verbose_name, found) not in said:
                said.add((field.verbose_name, found))
                yield NotDrawn(f"{field.verbose_name}{of}", found, *_remedy(invoice, field.name, of))
    if found := undrawn(number_format):
        advice = "an administrator changes it in the number sequences."
        yield NotDrawn("format of the number", found, advice, "admin:contracts_numbersequence_changelist")


def _texts(row):
    for field in row._meta.concrete_fields:
        if isinstance(field, models.CharField | models.TextField) and (text := field.value_from_object(row)):
            yield field, text


# Names that an invoice reads when it is posted, with the lists in which administrators change them.
_NAMES = {
    "project": "projects",
    "task": "tasks",
    "resource": "resources",
    "role": "roles",
    "category": "categories",
}


def _remedy(invoice, name, of) -> tuple[str, str]:
    """What to do and where; what the confirmed proforma says can only be changed after a return."""
    if name.startswith("seller_"):
        page = reverse("admin:contracts_legalentity_change", args=[invoice.entity_id])
        return "an administrator changes it on the company's page.", page
    if name == "buyer_number":
        page = reverse("admin:contracts_customer_change", args=[invoice.customer_id])
        return "an administrator changes it on the customer's page.", page
    if of.startswith(" of tax"):
        return "an administrator changes it in the tax codes.", "admin:ledger_taxcode_changelist"
    if name in ("header_text", "footer_text", "place_of_delivery"):
        return "change it in the header.", reverse("edit_proposal", args=[invoice.proposal_id])
    if name == "section_title":
        return "change it in the sections.", reverse("proposal_sections", args=[invoice.proposal_id])
    if name in _NAMES:
        where = f"an administrator changes it in the {_NAMES[name]}."
        return where, f"admin:contracts_{name}_changelist"
    back = reverse("return_proposal", args=[invoice.proposal_id])
    return "return the proposal, and the project manager changes it on the draft.", back
