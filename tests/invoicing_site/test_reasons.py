"""Reasons: a code and values, how they are stored, and how they become sentences."""

import datetime
import json
import pickle
from decimal import Decimal

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.db import models
from django.db.models import Value
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy, ngettext_lazy, override

from invoicing_site.floor import reasons
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Amount, Reason, ReasonField
from invoicing_site.models import User
from invoicing_site.screens import remedies


class Status(models.TextChoices):
    DRAFT = "draft", gettext_lazy("a draft")


TABLE = {
    "TEST-PLAIN": gettext_lazy("Nothing was found."),
    "TEST-VALUES": gettext_lazy("%(row)s is %(status)s: %(amount)s from %(day)s at %(rate)s %%."),
    "TEST-COUNT": ngettext_lazy("%(count)s line is left.", "%(count)s lines are left.", "count"),
    "TEST-WHY": gettext_lazy("%(row)s can't be posted. %(why)s"),
    "TEST-LIST": gettext_lazy("Choose %(names)s."),
}
DAY = datetime.date(2026, 3, 5)


@pytest.fixture(autouse=True)
def _table(monkeypatch):
    monkeypatch.setattr(reasons, "templates", lambda: TABLE)
    reasons.placeholders.cache_clear()
    yield
    reasons.placeholders.cache_clear()


def values(**changed):
    amount = Amount(Decimal("-1234.5"), "NOK")
    return {
        "row": "Line 1",
        "status": Status.DRAFT,
        "amount": amount,
        "day": DAY,
        "rate": Decimal("25.0"),
    } | changed


@pytest.fixture
def another_language(tmp_path, settings):
    """An invented language with a catalogue of its own."""
    catalogue = Catalog(locale="nb")  # for its rule of plurals
    catalogue.add("Nothing was found.", "Nix fundu.")
    catalogue.add("a draft", "ein Skizzo")
    catalogue.add("%(row)s is %(status)s: %(amount)s from %(day)s at %(rate)s %%.", "%(status)s da %(row)s!")
    catalogue.add(
        ("%(count)s line is left.", "%(count)s lines are left."),
        ("%(count)s lino resta.", "%(count)s linos restan."),
    )
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalogue)
    settings.LOCALE_PATHS = [tmp_path]
    return "xx"


def test_values_are_formatted_for_people():
    assert (
        Reason("TEST-VALUES", **values()).sentence
        == "Line 1 is a draft: −1,234.50 NOK from 5 Mar 2026 at 25 %."
    )
    yen = Reason("TEST-VALUES", **values(amount=Amount(Decimal(5000), "JPY")))
    assert "5,000 JPY" in yen.sentence
    assert Reason("TEST-LIST", names=["A", "B", "C"]).sentence == "Choose A, B and C."
    assert Reason("TEST-LIST", names=["A"]).sentence == "Choose A."
    both = [Reason("TEST-PLAIN"), Reason("TEST-COUNT", count=1)]
    assert Reason("TEST-LIST", names=both).sentence == "Choose Nothing was found. 1 line is left.."


@pytest.mark.parametrize(("count", "sentence"), [(1, "1 line is left."), (1200, "1,200 lines are left.")])
def test_a_count_chooses_the_plural(count, sentence):
    assert Reason("TEST-COUNT", count=count).sentence == sentence


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("TEST-UNKNOWN", {}),
        ("TEST-PLAIN", {"row": "Line 1"}),
        ("TEST-COUNT", {}),
        ("TEST-COUNT", {"count": 1, "row": "Line 1"}),
    ],
)
def test_an_unknown_code_and_wrong_values_are_errors(code, params):
    with pytest.raises(TypeError):
        Reason(code, **params)
    with pytest.raises(TypeError):
        Refused(code, **params)


@pytest.mark.parametrize(
    "value", [None, 1.5, True, {"a": 1}, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)]
)
def test_a_value_that_json_cannot_keep_exactly_is_an_error(value):
    with pytest.raises(TypeError, match="can't keep"):
        Reason("TEST-COUNT", count=value)


def everything():
    inner = Reason("TEST-VALUES", remedy="/rates/", **values(row=User(username="nils")))
    return Reason(
        "TEST-LIST", remedy="admin:index", names=[inner, Reason("TEST-COUNT", count=3), Reason("TEST-PLAIN")]
    )


def test_json_keeps_the_kind_of_every_value():
    reason = everything()
    copy = Reason.from_json(json.loads(json.dumps(reason.as_json())))

    assert copy == reason
    assert copy.sentence == reason.sentence
    inner = copy.params["names"][0].params
    assert (inner["day"], str(inner["rate"]), inner["row"]) == (DAY, "25.0", "nils")
    assert inner["amount"] == Amount(Decimal("-1234.5"), "NOK")


def test_a_stored_reason_can_be_read_without_its_template():
    stored = Reason("TEST-COUNT", count=3).as_json() | {"code": "TEST-GONE"}
    assert Reason.from_json(stored).sentence == "TEST-GONE: count 3"
    fewer = Reason("TEST-COUNT", count=3).as_json() | {"code": "TEST-WHY"}
    assert Reason.from_json(fewer).sentence == "? can't be posted. ?"


def test_a_refusal_in_a_worker_keeps_its_code_and_values():
    class Several(Refused):
        def __init__(self, code, /, *, lines=(), **params):
            super().__init__(code, **params)
            self.lines = lines

    globals()["Several"] = Several
    Several.__qualname__ = "Several"
    copy = pickle.loads(pickle.dumps(Several("TEST-COUNT", remedy="/lines/", count=2, lines=[7])))

    assert (type(copy), copy.code, copy.params, copy.remedy) == (
        Several,
        "TEST-COUNT",
        {"count": 2},
        "/lines/",
    )
    assert (str(copy), copy.lines) == ("2 lines are left.", [7])


def test_several_reasons_are_one_refusal(monkeypatch):
    monkeypatch.setitem(TABLE, "SEVERAL-REASONS", "%(reasons)s")
    one = Reason("TEST-COUNT", remedy="/lines/", count=1)

    assert Refused.because(one).reason == one
    both = Refused.because(one, Reason("TEST-PLAIN"))
    assert (both.code, both.remedy) == ("SEVERAL-REASONS", "/lines/")
    assert str(both) == "1 line is left. Nothing was found."


def test_a_reason_is_read_in_the_language_of_the_reader(another_language):
    stored = everything().as_json()
    with override(another_language):
        reason, refusal = Reason.from_json(stored), Refused("TEST-COUNT", count=1200)
        assert reason.sentence == "Choose Ein Skizzo da nils! 3 linos restan. Nix fundu.."
        assert str(refusal) == "1,200 linos restan."
        assert refusal.reason.english == "1,200 lines are left."
    assert str(refusal) == "1,200 lines are left."


def test_a_stored_reason_does_not_depend_on_the_language_of_the_writer(another_language):
    here = everything().as_json()
    with override(another_language):
        assert everything().as_json() == here


def test_a_column_keeps_a_reason(db):
    user = User.objects.create(username="nils")
    reason = everything()
    rows = User.objects.filter(pk=user.pk).annotate(why=Value(reason, output_field=ReasonField()))

    assert rows.get().why == reason
    assert rows.annotate(code=KeyTransform("code", "why")).get().code == "TEST-LIST"
    assert ReasonField().get_prep_value(None) is None


def test_a_terminal_shows_the_code_too():
    assert remedies.in_plain_text(Refused("TEST-COUNT", count=1)) == "1 line is left. [TEST-COUNT]"


def test_equal_reasons_have_the_same_hash_in_any_order_of_their_values():
    """PostgreSQL changes the order of the keys of JSON."""
    one = Reason("TEST-WHY", row="Line 1", why=[Reason("TEST-PLAIN"), "a list"])
    other = Reason("TEST-WHY", why=[Reason("TEST-PLAIN"), "a list"], row="Line 1")
    assert one == other
    assert len({one, other}) == 1


def test_reasons_of_many_rows_have_different_hashes():
    """Otherwise finding one of thousands in a dict compares it with all of them."""
    assert len({hash(Reason("TEST-LIST", names=str(n))) for n in range(1000)}) > 990


def test_a_stored_count_that_is_missing_or_rubbish_is_shown_in_each_language(another_language):
    with override(another_language):
        for params, shown in (({}, "TEST-COUNT"), ({"count": "some"}, "TEST-COUNT: count some")):
            stored = {"code": "TEST-COUNT", "params": params, "remedy": ""}
            assert Reason.from_json(stored).sentence == shown
