"""What the fonts of the document can draw; read from the very files that the PDF is drawn with (DOC-5)."""

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.db import models
from django.urls import reverse
from fontTools.ttLib import TTFont

from invoicing_site import characters
from ledger.documents import FONTS, static_file
from ledger.invoice_plan import InvoicePlan

_NAMED = 3


@dataclass(frozen=True)
class NotDrawn:
    """A field of the document, in words, with the characters in it that no font has."""

    field: str
    characters: str
    remedy: str

    @property
    def sentence(self) -> str:
        names = [f"“{each}” {characters.name(each)}" for each in self.characters[:_NAMED]]
        more = " and others" if len(self.characters) > _NAMED else ""
        return (
            f"The {self.field} can't be printed: the fonts of the document lack {', '.join(names)}{more}. "
            "Write it in other letters."
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


def not_drawn(plan: InvoicePlan, number_format: str) -> Iterator[NotDrawn]:
    """Every field of an invoice to come that holds such characters; of lines that share a fault the first."""
    invoice, said = plan.invoice, set()
    rows = [("", invoice), *((f" of line {line.number}", line) for line in plan.lines)]
    rows += [(f" of tax code {tax.code}", tax) for tax in plan.taxes]
    for of, row in rows:
        for field, text in _texts(row):
            found = undrawn(text)
            if found and (field.verbose_name, found) not in said:
                said.add((field.verbose_name, found))
                yield NotDrawn(f"{field.verbose_name}{of}", found, _remedy(invoice, field.name, of))
    if found := undrawn(number_format):
        yield NotDrawn("format of the number", found, "admin:contracts_numbersequence_changelist")


def _texts(row):
    for field in row._meta.concrete_fields:
        if isinstance(field, models.CharField | models.TextField) and (text := field.value_from_object(row)):
            yield field, text


def _remedy(invoice, name, of) -> str:
    """Where the text is entered: the company, the customer, the proposal; lines come from the proforma."""
    if name.startswith("seller_"):
        return reverse("admin:contracts_legalentity_change", args=[invoice.entity_id])
    if name.startswith("buyer_") and name != "buyer_reference":
        return reverse("admin:contracts_customer_change", args=[invoice.customer_id])
    if of.startswith(" of tax"):
        return "admin:ledger_taxcode_changelist"
    if name in ("header_text", "footer_text"):
        return reverse("edit_proposal", args=[invoice.proposal_id])
    return reverse("proforma", args=[invoice.proposal.proforma_id])
