"""The books are always in English, in any language of the user."""

import re

import pytest
from django.db import models
from django.utils import translation

from invoicing_site.floor import transaction
from invoicing_site.verify import findings
from ledger.invoicing.operations import posting
from ledger.models import Voucher
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work


@pytest.fixture
def another_language(monkeypatch):
    """A language in which every translated text is in «quotes»."""
    monkeypatch.setattr(
        translation._trans,
        "gettext",
        lambda text: f"«{text}»" if translation.get_language() == "xx" else text,
        raising=False,
    )
    with translation.override("xx"):
        yield "xx"


def test_an_operation_writes_in_english_and_restores_the_language(db, another_language):
    @transaction.atomic
    def said():
        return translation.gettext("Draft")

    @transaction.atomic
    def failing():
        raise ValueError

    assert (said(), translation.gettext("Draft")) == ("Draft", "«Draft»")
    with pytest.raises(ValueError):  # noqa: PT011
        failing()
    assert translation.get_language() == another_language


def texts(row):
    """The texts of a row, without its numbers and hashes."""
    kept = [field for field in row._meta.fields if isinstance(field, models.CharField | models.TextField)]
    return {
        field.name: re.sub(r"\d+", "9", getattr(row, field.name))
        for field in kept
        if "hash" not in field.name and field.name != "payment_reference"
    }


def billed(co, contract):
    """One invoice of ten hours: the texts of its rows and of its vouchers."""
    before = set(Voucher.objects.values_list("pk", flat=True))
    proposal = proposed(co, work(co, contract))
    invoice = posting.post(proposal, by=co.accountant, on=MARCH_31)
    vouchers = Voucher.objects.exclude(pk__in=before).order_by("position")
    entries = [texts(entry) for voucher in vouchers for entry in voucher.entries.order_by("pk")]
    lines = [texts(line) for line in invoice.lines.order_by("number")]
    return texts(invoice), lines, [texts(voucher) for voucher in vouchers], entries


def test_posted_rows_are_the_same_in_another_language(db, another_language):
    """PST-7: including the hash, which is calculated again in both languages."""
    co = factories.company()
    contract = factories.contract(co, confirmed=True)
    here = billed(co, contract)
    with translation.override("en"):
        assert billed(co, contract) == here
        assert "«" not in str(here)
        assert findings(co.entity) == []
    assert findings(co.entity) == []
