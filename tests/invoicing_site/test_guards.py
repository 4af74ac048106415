"""Guards: triggers that refuse changes of final rows, on the database in use."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from invoicing_site.floor import guards
from invoicing_site.models import AuditEvent, StoredFile
from tests.invoicing_site.probe import probe_model


@pytest.fixture
def event(db):
    return AuditEvent.objects.create(action="posted", subject_text="Journal 1")


@pytest.fixture
def probe(db, monkeypatch):
    """A temporary table with only the guards that the test declares."""
    monkeypatch.setattr(guards, "_declared", {})
    with probe_model() as model:
        yield model


def refused(change):
    with pytest.raises(IntegrityError, match="rows are never changed") as problem, transaction.atomic():
        change()
    return str(problem.value)


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_an_event_is_never_changed_or_deleted(event):
    """SEC-3"""
    assert "invoicing_site_auditevent rows are never changed" in refused(
        lambda: AuditEvent.objects.update(action="x")
    )
    refused(event.delete)
    refused(lambda: run("DELETE FROM invoicing_site_auditevent"))
    event.action = "something else"
    refused(event.save)

    assert AuditEvent.objects.get().action == "posted"


def test_an_update_that_changes_nothing_is_harmless(event):
    assert AuditEvent.objects.update(action="posted", by=None) == 1


@pytest.mark.sqlite
def test_replacing_a_row_is_deleting_it(event):
    refused(
        lambda: run(
            "INSERT OR REPLACE INTO invoicing_site_auditevent SELECT * FROM invoicing_site_auditevent"
        )
    )


@pytest.mark.postgres
def test_a_guarded_table_is_never_truncated(db):
    refused(lambda: run("TRUNCATE invoicing_site_auditevent"))
    refused(lambda: run("TRUNCATE invoicing_site_user CASCADE"))


def test_every_guard_is_in_force_after_migrating(db):
    assert guards.missing(connection) == []
    assert {AuditEvent, StoredFile} <= {guard.model for guard in guards.declared()}


def test_rows_can_change_until_they_are_frozen(probe):
    guards.frozen(probe, when="OLD.text = 'posted'", except_=["note"])
    guards.install(connection)
    row = probe.objects.create(text="draft", amount=1)

    row.amount, row.text = 2, "posted"
    row.save()
    row.note = "seen"
    row.save(update_fields=["note"])

    refused(lambda: probe.objects.update(amount=3))
    refused(lambda: probe.objects.update(price=3))
    refused(lambda: probe.objects.update(text="draft"))
    refused(row.delete)
    probe.objects.create(text="draft")
    assert probe.objects.filter(text="draft").delete()[0] == 1


def test_only_the_named_columns_are_frozen(probe):
    guards.frozen(probe, when="OLD.is_done", columns=["amount", "user"])
    guards.install(connection)
    probe.objects.create(is_done=True, amount=1)

    probe.objects.update(amount=F("amount"), number=3)
    refused(lambda: probe.objects.update(amount=2))
    refused(lambda: probe.objects.update(is_done=False, amount=2))


def test_a_model_can_have_several_guards_with_reasons(probe):
    guards.frozen(probe, when="OLD.is_done", columns=["amount"], because="this one isn't open.")
    guards.frozen(probe, when="OLD.note IS NOT NULL", columns=["note"], name="note", because="100 % sure.")
    guards.install(connection)
    probe.objects.create(is_done=True, note="kept")

    assert "this one isn't open." in refused(lambda: probe.objects.update(amount=2))
    assert "100 % sure." in refused(lambda: probe.objects.update(note=None))
    with pytest.raises(ValueError, match="declared twice"):
        guards.frozen(probe, when="OLD.is_done", name="note")


def test_a_guard_on_an_unknown_column_is_an_error(probe):
    from django.core.exceptions import FieldDoesNotExist

    with pytest.raises(FieldDoesNotExist):
        guards.frozen(probe, when="OLD.is_done", columns=["amuont"])


def test_a_missing_guard_is_noticed_and_restored(probe):
    guards.insert_only(probe)
    assert guards.missing(connection)

    guards.install(connection)
    assert guards.missing(connection) == []

    guards.drop(connection)
    assert all("is missing" in sentence for sentence in guards.missing(connection))
    probe.objects.create()
    probe.objects.update(amount=1)


def test_installing_again_changes_nothing(probe, django_assert_max_num_queries):
    guards.insert_only(probe)
    guards.install(connection)

    # Two of them are the savepoint's.
    with django_assert_max_num_queries(4) as queries:
        guards.install(connection)

    assert not [query for query in queries if "TRIGGER" in query["sql"].split("FROM")[0]]


def test_a_guard_that_is_declared_otherwise_is_replaced(probe):
    guards.frozen(probe, when="OLD.is_done")
    guards.install(connection)
    guards._declared.clear()
    guards.frozen(probe, when="NOT OLD.is_done")

    assert all("differs from its declaration" in sentence for sentence in guards.missing(connection))
    guards.install(connection)

    assert guards.missing(connection) == []
    probe.objects.create(is_done=True)
    assert probe.objects.update(amount=4) == 1


def test_a_guard_that_is_no_longer_declared_is_dropped(probe):
    guards.insert_only(probe)
    guards.install(connection)
    guards._declared.clear()

    guards.install(connection)

    probe.objects.create()
    assert probe.objects.update(amount=4) == 1


def test_a_table_that_does_not_exist_yet_is_guarded_later(db, monkeypatch):
    monkeypatch.setattr(guards, "_declared", {})
    with probe_model() as model:
        monkeypatch.setattr(model._meta, "db_table", "nowhere")
        guards.insert_only(model)

    guards.install(connection)

    assert all("on nowhere is missing" in sentence for sentence in guards.missing(connection))


def test_names_fit_into_the_database(probe):
    long, other = guards._short("guard_" + "x" * 80), guards._short("guard_" + "x" * 81)

    assert len(long) <= 61
    assert long != other
    assert guards._short("guard_contracts") == "guard_contracts"


@pytest.mark.postgres
@pytest.mark.parametrize(
    "tampering",
    [
        'ALTER TABLE "{table}" DISABLE TRIGGER "{trigger}"',
        'CREATE OR REPLACE FUNCTION "{trigger}"() RETURNS trigger LANGUAGE plpgsql'
        " AS $$ BEGIN RETURN NEW; END $$",
        'CREATE OR REPLACE TRIGGER "{trigger}" AFTER DELETE ON "{table}" EXECUTE FUNCTION "{trigger}"()',
    ],
)
def test_a_changed_trigger_is_noticed_and_restored(probe, tampering):
    guards.insert_only(probe)
    guards.install(connection)
    (guard,) = guards.declared()

    run(tampering.format(table=guard.table, trigger=guard.trigger))
    assert any(
        "switched off or differs from its declaration" in sentence for sentence in guards.missing(connection)
    )

    guards.install(connection)
    assert guards.missing(connection) == []


@pytest.mark.sqlite
def test_a_missing_pragma_is_noticed(db):
    run("PRAGMA recursive_triggers = OFF")
    try:
        assert any("recursive_triggers" in sentence for sentence in guards.missing(connection))
    finally:
        run("PRAGMA recursive_triggers = ON")


@pytest.mark.postgres
def test_postgresql_can_have_its_own_triggers(probe):
    table = probe._meta.db_table
    guards.postgres_only(
        "guard_probe_balance",
        probe,
        f"""
        CREATE OR REPLACE FUNCTION guard_probe_balance() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.amount % 2 <> 0 THEN
                RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'odd';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER guard_probe_balance AFTER INSERT ON "{table}"
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_probe_balance()
        """,
    )
    guards.install(connection)
    guards.install(connection)
    assert guards.missing(connection) == []

    probe.objects.create(amount=1)
    with pytest.raises(IntegrityError, match="odd"), transaction.atomic():
        run("SET CONSTRAINTS ALL IMMEDIATE")
    guards.drop(connection)
    assert guards.missing(connection) == [f"The guard guard_probe_balance on {table} is missing."]


@pytest.mark.sqlite
def test_sqlite_does_without_postgresqls_triggers(probe):
    guards.postgres_only("guard_probe_balance", probe, "NOT SQL AT ALL")

    guards.install(connection)

    assert guards.missing(connection) == []


def test_names_of_own_triggers_are_checked(probe):
    with pytest.raises(ValueError, match="begins with guard_"):
        guards.postgres_only("balance", probe, "")


def test_sqlite_drops_its_triggers_for_migrations(probe):
    """SQLite can't drop or rename a column that a trigger uses."""
    guards.insert_only(probe)
    guards.install(connection)

    guards.drop_before_migrate(sender=None, using="default", plan=[])
    assert guards.missing(connection) == []
    guards.drop_before_migrate(sender=None, using="default", plan=["a step"])
    run(f'ALTER TABLE "{probe._meta.db_table}" DROP COLUMN note')

    guards.install_after_migrate(sender=None, using="default")
    assert guards.missing(connection) == []


@pytest.mark.sqlite
def test_with_its_triggers_sqlite_refuses_the_migration(probe):
    guards.insert_only(probe)
    guards.install(connection)

    with pytest.raises(DatabaseError), transaction.atomic():
        run(f'ALTER TABLE "{probe._meta.db_table}" DROP COLUMN note')
