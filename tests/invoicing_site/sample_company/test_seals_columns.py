"""Every sealed model: each column that is changed without triggers, each row deleted or inserted (PST-7)."""

import pytest
from django.db import connection, models, transaction

from backlog.models import BacklogItem
from invoicing_site.floor import seals
from invoicing_site.models import AuditEvent, SealedRows
from invoicing_site.verify import findings
from invoicing_site.verify.seals import sealed
from ledger.models import Account, CustomerTransaction, JournalLine
from proforma.models import LineDetail, ProformaInvoice
from tests.invoicing_site.sample_company.intruder import another_value, drop_constraints, intruder

MODELS = list(dict.fromkeys(kind.model for kind in seals.declared()))

# Columns that are not sealed because they can still change: another check verifies these …
PROVED_OTHERWISE = {
    (BacklogItem, "status"),
    (LineDetail, "backlog_item"),
    (CustomerTransaction, "closed_on"),
}
# … and these may change: the status of current work, results of background jobs, settings.
MAY_CHANGE = {
    (BacklogItem, "limit_status"),
    (BacklogItem, "limit_level"),
    (BacklogItem, "limit_over"),
    (BacklogItem, "hold_until"),
    (BacklogItem, "hold_reason"),
    (BacklogItem, "held_by"),
    (BacklogItem, "description"),
    (BacklogItem, "internal_description"),
    (ProformaInvoice, "confirm_job"),
    (ProformaInvoice, "confirm_error"),
    (Account, "is_active"),
}


@pytest.fixture(scope="module")
def sample(sample):
    """Sealed, with a row of each model."""
    for model in MODELS:
        _any(model)
    seals.seal_all()
    assert list(sealed()) == []
    return sample


def _any(model):
    """The first row, or a new one with the required references and values only."""
    if row := model._base_manager.order_by("pk").first():
        return row
    row = model()
    for field in model._meta.concrete_fields:
        if field.is_relation and not field.null:
            setattr(row, field.attname, _any(field.related_model).pk)
        elif field.choices and not field.has_default():
            setattr(row, field.attname, field.choices[0][0])
        elif isinstance(field, models.DecimalField) and not field.null:
            setattr(row, field.attname, 1)
        elif isinstance(field, models.DateField) and not field.has_default() and not field.null:
            setattr(row, field.attname, "2025-04-01")
    models.Model.save_base(row, raw=True, force_insert=True)
    return row


def _newest(model):
    """The key of the newest row that is sealed."""
    parts = SealedRows.objects.filter(table_name=model._meta.db_table)
    return max(key for part in parts for key in seals.unpacked(part.ids))


def _named(model, monkeypatch):
    """The rows of a model that the seals name; other models are not checked."""
    kinds = [kind for kind in seals.declared() if kind.model is model]
    with monkeypatch.context() as patch:
        patch.setattr(seals, "declared", lambda: kinds)
        return {finding.where for finding in sealed()}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_newest_row_that_is_deleted_and_a_copy_of_it_are_named(sample, model, monkeypatch):
    """PST-7: the copy has another key, and nothing notes it."""
    table, key, label = model._meta.db_table, _newest(model), model._meta.label_lower
    columns = [field.column for field in model._meta.concrete_fields if not field.generated]
    names = ", ".join(f'"{column}"' for column in columns[1:])
    with intruder() as cursor:
        if connection.vendor == "postgresql":  # on SQLite a unique constraint can't be dropped
            drop_constraints(cursor, table)
            copied = f'SELECT id + 1000, {names} FROM "{table}" WHERE id = {key}'
            cursor.execute(f'INSERT INTO "{table}" (id, {names}) {copied}')
            # A line that no voucher books is not posted, and an account without postings is new.
            is_held = model not in (JournalLine, Account)
            assert _named(model, monkeypatch) == ({f"{label}:{key + 1000}"} if is_held else set())
        cursor.execute(f'DELETE FROM "{table}" WHERE id = {key}')
        assert f"{label}:{key}" in _named(model, monkeypatch)


@pytest.mark.postgres
def test_a_table_that_is_truncated_is_named_row_by_row(sample, monkeypatch):
    """PST-7: row triggers do not fire."""
    keys = set(AuditEvent.objects.values_list("pk", flat=True))
    with intruder() as cursor:
        cursor.execute("TRUNCATE invoicing_site_auditevent")
        assert _named(AuditEvent, monkeypatch) == {f"invoicing_site.auditevent:{key}" for key in keys}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_column_that_is_changed_is_named(sample, model, monkeypatch):
    """PST-7"""
    key, unsealed = _newest(model), set()
    with intruder() as cursor:
        drop_constraints(cursor, model._meta.db_table)
        for field in model._meta.concrete_fields:
            if field.generated:
                continue
            with transaction.atomic():
                new = f'"{field.column}" = {another_value(field)}'
                cursor.execute(f'UPDATE "{model._meta.db_table}" SET {new} WHERE id = %s', [key])
                assert cursor.rowcount == 1
                if f"{model._meta.label_lower}:{key}" not in _named(model, monkeypatch):
                    unsealed.add((model, field.name))
                    if (model, field.name) in PROVED_OTHERWISE:
                        assert {finding.code for finding in findings()} - {"GUARD", "SEAL"}
                transaction.set_rollback(True)
    assert unsealed == {each for each in PROVED_OTHERWISE | MAY_CHANGE if each[0] is model}
