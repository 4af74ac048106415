"""Locks, exact sums and bulk inserts, on the database in use."""

import datetime
import threading
import uuid
from decimal import Decimal as D

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, OperationalError, connection, connections, models, transaction
from django.db.models import F, Q
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoicing_site.floor import querysets
from invoicing_site.floor.fields import AmountField
from invoicing_site.floor.querysets import (
    ExactSum,
    LockingQuerySet,
    draw_ids,
    in_chunks,
    lacks,
    total,
    totals,
    values_of,
    write_rows,
)
from invoicing_site.models import AuditEvent, SavedView, User
from tests.invoicing_site.probe import probe_model
from tests.threads import ended

NASTY = "tab\t newline\n return\r backslash\\ \\N \\. quote' \"%s %% é 😀 "


@pytest.fixture
def probe(db):
    with probe_model() as model:
        yield model


def users():
    return LockingQuerySet(User)


def amounts(probe, *values, currency="EUR"):
    return probe.objects.bulk_create(probe(amount=D(value), currency=currency) for value in values)


# Locks


def test_locked_rows_come_in_primary_key_order(db):
    User.objects.create(username="b", pk=902)
    User.objects.create(username="a", pk=901)

    assert [user.pk for user in users().order_by("-pk").locked()] == [901, 902]
    assert users().locked().get(username="b").pk == 902


def test_held_rows_are_read_again_in_primary_key_order(db):
    User.objects.create(username="b", pk=902)
    stale = User.objects.create(username="a", pk=901)
    User.objects.filter(pk=901).update(first_name="Ada")

    held = users().filter(Q(pk=stale.pk) | Q(username="b")).held()

    assert [(user.pk, user.first_name) for user in held] == [(901, "Ada"), (902, "")]
    assert users().filter(username="nobody").held() == []
    assert users().none().held() == []


@pytest.mark.postgres
def test_the_weakest_sufficient_locks_are_used(db):
    with CaptureQueriesContext(connection) as queries:
        list(users().locked())
        users().held()

    locking, holding = [query["sql"] for query in queries]
    assert locking.endswith(' ASC FOR NO KEY UPDATE OF "invoicing_site_user"')
    assert holding.endswith(' ASC FOR SHARE OF "invoicing_site_user"')


def test_nothing_is_held_outside_a_transaction(transactional_db):
    with pytest.raises(TransactionManagementError):
        users().held()


@pytest.mark.postgres
def test_many_can_hold_a_row_and_a_lock_waits_for_them(transactional_db):
    user = User.objects.create(username="period")
    seen = {}

    def elsewhere():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                seen["held"] = users().filter(pk=user.pk).held()
                AuditEvent.objects.create(action="refers to it", by=user)
                list(users().filter(pk=user.pk).locked())
        except OperationalError:
            seen["locked"] = "had to wait"
        finally:
            connections.close_all()

    with transaction.atomic():
        users().filter(pk=user.pk).held()
        other = threading.Thread(target=elsewhere)
        other.start()
        ended(other)

    assert seen == {"held": [user], "locked": "had to wait"}


@pytest.mark.postgres
def test_foreign_keys_can_point_to_a_locked_row(transactional_db):
    user = User.objects.create(username="contract")
    seen = []

    def elsewhere():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                seen.append(AuditEvent.objects.create(action="refers to it", by=user))
        finally:
            connections.close_all()

    with transaction.atomic():
        users().locked().get(pk=user.pk)
        other = threading.Thread(target=elsewhere)
        other.start()
        ended(other)

    assert len(seen) == 1


# Sums


def test_a_total_is_exact(probe):
    """MON-1"""
    amounts(probe, *["0.1"] * 1000, "0.0001", "-0.05")

    assert str(total(probe.objects)) == "99.9501"
    assert str(total(probe.objects.filter(amount__lt=0))) == "-0.0500"


def test_a_total_of_no_rows_is_zero(probe):
    assert str(total(probe.objects.all())) == "0.0000"
    assert str(total(probe.objects.none())) == "0.0000"
    assert totals(probe.objects.all()) == {}


def test_a_total_is_exact_for_large_sums(probe):
    """MON-1: to a hundred thousand million, with four decimals"""
    amounts(probe, "99999999999.9998", "0.0001")

    assert total(probe.objects) == D("99999999999.9999")


def test_totals_come_by_currency_or_by_several_fields(probe):
    amounts(probe, "1.10", "2.20", currency="USD")
    amounts(probe, "0.30", currency="EUR")
    probe.objects.filter(amount="1.10").update(is_done=True)

    by_currency = totals(probe.objects.order_by("-amount"))

    assert list(by_currency.items()) == [("EUR", D("0.30")), ("USD", D("3.30"))]
    assert totals(probe.objects, by="currency") == by_currency
    assert totals(probe.objects, by=("currency", "is_done")) == {
        ("EUR", False): D("0.30"),
        ("USD", False): D("2.20"),
        ("USD", True): D("1.10"),
    }
    assert total(probe.objects, F("amount") - F("amount")) == 0


def test_an_exact_sum_can_be_annotated_filtered_and_compared(probe):
    first, second = amounts(probe, "5", "7")
    for amount in ("0.1", "0.2"):
        probe.objects.create(parent=first, amount=D(amount))
    children = probe.objects.filter(parent=None).annotate(
        below=ExactSum("children__amount"),
        small=ExactSum("children__amount", filter=Q(children__amount__lt=D("0.15"))),
    )

    assert [(row.below, row.small) for row in children.order_by("pk")] == [(D("0.3"), D("0.1")), (D(0), D(0))]
    assert children.get(below=D("0.3")) == first
    assert children.get(below__lt=D("0.3")) == second
    assert children.get(below__gt=F("small")) == first
    assert total(children, "below") == D("0.3")
    nothing = probe.objects.annotate(nothing=ExactSum("children__amount", filter=Q(children__in=[])))
    assert nothing.first().nothing == 0


# Many rows


def test_chunks_hold_everything_once():
    assert list(in_chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_chunks([], 2)) == []


def test_drawn_ids_are_unique(probe):
    before = probe.objects.create()

    first, second = draw_ids(probe, 3), draw_ids(probe, 2)
    after = probe.objects.create()

    assert [*first, *second] == sorted({*first, *second})
    assert before.pk < first[0]
    assert second[-1] < after.pk
    assert draw_ids(probe, 0) == []


def test_ids_can_be_drawn_from_an_empty_table(probe):
    ids = draw_ids(probe, 2)

    assert probe.objects.create().pk > max(ids)


def test_rows_are_written_as_they_are(probe):
    user = User.objects.create(username="ada")
    noon = datetime.datetime(
        2025, 1, 31, 12, 0, 0, 123456, tzinfo=datetime.timezone(datetime.timedelta(hours=5))
    )
    values = {
        "text": NASTY,
        "note": "",
        "currency": "JPY",
        "amount": D("-12345678901.2345"),
        "price": D("0.000001"),
        "number": -7,
        "is_done": True,
        "day": datetime.date(2024, 2, 29),
        "clock": datetime.time(23, 59, 59, 1),
        "length": -datetime.timedelta(days=2, microseconds=5),
        "seen_at": noon,
        "token": uuid.UUID("12345678-1234-5678-1234-567812345678"),
        "content": b"\\x00\x00\t\n\xff",
        "address": "2001:db8::1",
        "detail": {"a": [1, None, NASTY], "b": "\\u0041"},
        "user": user,
    }

    rows = write_rows(probe, [probe(**values), probe()])

    full, empty = probe.objects.order_by("pk")
    assert [row.pk for row in rows] == [full.pk, empty.pk]
    read = {name: getattr(full, name) for name in values}
    assert read | {"content": bytes(full.content)} == values
    assert full.twice == -14
    assert (empty.text, empty.note, empty.amount, empty.is_done, empty.detail) == (
        "made",
        None,
        D(0),
        False,
        {},
    )
    assert (empty.user, empty.content, empty.seen_at, empty.number, empty.price) == (None,) * 5
    assert abs(timezone.now() - empty.made_at) < datetime.timedelta(minutes=1)
    assert rows[0].made_at == full.made_at
    assert empty.changed_on is not None


def test_written_rows_are_saved_rows(probe):
    (row,) = write_rows(probe, [probe(text="first")])
    row.text = "second"
    row.save()

    assert not row._state.adding
    assert row._state.db == "default"
    assert probe.objects.get().text == "second"


def test_rows_can_have_ids_and_foreign_keys_to_each_other(probe):
    parent_id, child_id = draw_ids(probe, 2)
    parent = probe(text="parent")
    child = probe(pk=child_id, text="child", parent_id=parent_id)
    grandchild = probe(text="grandchild", parent=parent)
    parent.pk = parent_id

    write_rows(probe, [parent, child, grandchild])

    assert set(probe.objects.get(pk=parent_id).children.values_list("text", flat=True)) == {
        "child",
        "grandchild",
    }
    assert connection.check_constraints() is None


def test_many_rows_are_written_in_batches(probe):
    rows = write_rows(probe, (probe(number=n) for n in range(25)), batch_size=10)

    assert list(probe.objects.order_by("pk").values_list("number", flat=True)) == list(range(25))
    assert len({row.pk for row in rows}) == 25


def test_writing_no_rows_is_allowed(probe):
    assert write_rows(probe, []) == []


def test_a_value_of_a_subclass_is_written_as_its_base(probe):
    class Color(models.TextChoices):
        RED = "r\t", "Red"

    write_rows(probe, [probe(text=Color.RED, note=Color.RED)])

    assert probe.objects.values_list("text", "note").get() == ("r\t", "r\t")


def test_saved_rows_are_not_written_again(probe):
    with pytest.raises(AssertionError):
        write_rows(probe, [probe.objects.create()])


def test_amounts_are_not_rounded_on_their_way(probe):
    """MON-1"""
    with pytest.raises(ValueError, match="4 decimals"):
        write_rows(probe, [probe(amount=D("0.00001"))])


@pytest.mark.postgres
def test_a_nul_character_is_refused(probe):
    with pytest.raises(ValueError, match="NUL"):
        write_rows(probe, [probe(text="a\0b")])


def test_a_violated_constraint_is_the_usual_error(probe):
    with pytest.raises(IntegrityError), transaction.atomic():
        write_rows(probe, [probe(text=None)])
    assert not probe.objects.exists()


def test_rows_are_written_inside_a_transaction(transactional_db):
    with pytest.raises(TransactionManagementError):
        write_rows(User, [User(username="ada")])


def test_real_events_are_written_in_bulk(db):
    """SEC-3"""
    events = [AuditEvent(action="imported", detail={"row": n, "amount": D("1.10")}) for n in range(3)]

    write_rows(AuditEvent, events)

    assert [event.detail for event in AuditEvent.objects.order_by("pk")] == [
        {"row": n, "amount": "1.10"} for n in range(3)
    ]
    assert AuditEvent._meta.get_field("detail").encoder is DjangoJSONEncoder


def test_the_values_of_a_column_are_each_named_once(db):
    for action in ("b.sign", "a.post", "b.sign", "", "c.pay"):
        AuditEvent.objects.create(action=action)

    assert values_of(AuditEvent, "action") == ["", "a.post", "b.sign", "c.pay"]
    assert values_of(SavedView, "page") == []


def test_rows_to_which_none_refers_are_found_without_a_join(db):
    ada, bob = (User.objects.create(username=name) for name in ("ada", "bob"))
    SavedView.objects.create(user=ada, page="backlog", name="Mine")

    found = User.objects.filter(lacks(User, "saved_views"))

    assert list(found) == [bob]
    assert "JOIN" not in str(found.query)
    assert SavedView.objects.filter(lacks(User, "notices", of="user")).get().user == ada


def test_amount_columns_and_their_sums_have_four_decimals(probe):
    assert isinstance(probe._meta.get_field("amount"), AmountField)
    assert querysets.ExactSum("amount").output_field.decimal_places == 4
