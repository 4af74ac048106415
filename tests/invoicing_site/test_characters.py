"""Invisible characters are refused in every text, from every form and file."""

import datetime
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from actuals.importing import preview
from actuals.operations import entries
from contracts.models import Customer
from invoicing_site.floor import characters
from invoicing_site.floor.errors import Refused
from ledger.invoicing.operations.approvals import submit_proposal
from ledger.invoicing.operations.proposals import edit_header
from tests import factories
from tests.ledger.billing import proposed, work

ROOMS = ("contracts", "actuals", "backlog", "proforma", "ledger")
HIDDEN = "paid\u202e001"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\u202eb", "RIGHT-TO-LEFT OVERRIDE (U+202E)"),
        ("a\u2066b", "LEFT-TO-RIGHT ISOLATE (U+2066)"),
        ("a\u200bb", "ZERO WIDTH SPACE (U+200B)"),
        ("a\u200fb", "RIGHT-TO-LEFT MARK (U+200F)"),
        ("a\u00adb", "SOFT HYPHEN (U+00AD)"),
        ("a\ufeffb", "ZERO WIDTH NO-BREAK SPACE (U+FEFF)"),
        ("a\u3164b", "HANGUL FILLER (U+3164)"),
        ("a\U000e0041b", "TAG LATIN CAPITAL LETTER A (U+E0041)"),
        ("a\x07b", "a control character (U+0007)"),
        ("a\x00b", "a control character (U+0000)"),
        ("a\u2028b", "LINE SEPARATOR (U+2028)"),
    ],
)
def test_invisible_characters_are_named(text, named):
    """DOC-5"""
    assert characters.problem(text).sentence == (
        f"The text contains invisible characters: {named}. Delete them, or type the text again."
    )


@pytest.mark.parametrize(
    "text", ["Ærlig Øl AS", "two\nlines\tand a tab\r\n", "Αθήνα 東京 عربي", "e\u0301 – “x” €\u00a05"]
)
def test_visible_characters_are_allowed(text):
    """DOC-5"""
    assert characters.problem(text) is None


def test_every_text_column_refuses_invisible_characters():
    """DOC-5"""
    ours = [
        model for model in apps.get_models() if model.__module__.split(".")[0] in (*ROOMS, "invoicing_site")
    ]
    open_to_all = [
        f"{model.__name__}.{field.name}"
        for model in ours
        for field in model._meta.local_fields
        if isinstance(field, models.CharField | models.TextField)
        and characters.refuse_invisible not in field.validators
    ]
    assert len(ours) > 50
    assert open_to_all == []


def test_every_text_field_of_a_form_refuses_invisible_characters():
    """DOC-5: `TextField` of the screens, and never Django's own."""
    root = Path(__file__).resolve().parents[2]
    plain = [
        str(path)
        for room in ROOMS
        for path in (root / room).rglob("*.py")
        if "migrations" not in path.parts and re.search(r"forms\.CharField\(", path.read_text())
    ]
    assert plain == []


@pytest.fixture
def co(db):
    return factories.company()


def test_a_customer_name_has_no_invisible_characters(co):
    """DOC-5"""
    with pytest.raises(ValidationError) as refused:
        factories.CustomerFactory(entity=co.entity, name=HIDDEN).full_clean()
    assert "RIGHT-TO-LEFT OVERRIDE (U+202E)" in str(refused.value.message_dict["name"])


def test_the_administration_shows_the_error_at_the_field(co, client):
    """DOC-5"""
    co.administrator.is_staff = True
    co.administrator.save()
    client.force_login(co.administrator)
    address = reverse("admin:contracts_customer_change", args=[co.customer.pk])
    shown = client.get(address).context["adminform"].form
    data = {name: "" if shown[name].value() is None else shown[name].value() for name in shown.fields}
    rows = {"contacts-TOTAL_FORMS": 0, "contacts-INITIAL_FORMS": 0}
    answer = client.post(address, {**data, **rows, "name": HIDDEN}, follow=True)
    assert "RIGHT-TO-LEFT OVERRIDE (U+202E)" in answer.content.decode()
    assert Customer.objects.get(pk=co.customer.pk).name != HIDDEN


def test_a_description_has_no_invisible_characters(co):
    """DOC-5"""
    with pytest.raises(Refused, match=r"RIGHT-TO-LEFT OVERRIDE \(U\+202E\)"):
        entries.enter(
            co.resource,
            "time",
            by=co.member,
            project=co.project,
            date=datetime.date(2025, 3, 3),
            quantity=1,
            description=HIDDEN,
        )


def test_an_imported_row_has_no_invisible_characters(co):
    """DOC-5"""
    file = (
        f"date,resource,project,hours,description,external_id\n2025-03-03,ANNA,NO1-P1,1,{HIDDEN},\u200bA1\n"
    )
    seen = preview(file.encode(), co.entity, on=datetime.date(2025, 4, 1))
    assert [(problem.row, problem.field) for problem in seen.errors] == [
        (2, "description"),
        (2, "external_id"),
    ]
    assert "RIGHT-TO-LEFT OVERRIDE (U+202E)" in str(seen.errors[0])


def test_texts_of_an_invoice_have_no_invisible_characters(co):
    """DOC-5"""
    proposal = proposed(co, work(co, factories.contract(co, confirmed=True)))
    with pytest.raises(Refused, match="U\\+202E"):
        edit_header(proposal, by=co.accountant, header_text=HIDDEN)
    with pytest.raises(Refused, match="U\\+202E"):
        submit_proposal(proposal, by=co.accountant, comment=HIDDEN)
