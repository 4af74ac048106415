"""Attacks on sealed rows by an owner of the database who knows how seals are made (PST-7)."""

import io
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from actuals.models import Actual, Batch, Entry
from backlog.operations import approve, cancel_approval
from contracts.models import NumberSequence
from invoicing_site.floor import audit, guards, seals
from invoicing_site.models import AuditEvent, Seal, SealedRows, SealPending, StoredFile
from invoicing_site.verify import findings
from invoicing_site.verify.seals import compared, sealed
from ledger.models import Account, CustomerInvoice, Document, InvoiceProposal, LedgerEntry, Voucher
from proforma.models import DetailActual, LineDetail
from tests import factories
from tests.invoicing_site.sample_company.intruder import without_triggers
from tests.invoicing_site.sample_company.sample import APRIL_2


@pytest.fixture(scope="module")
def sample(sample):
    """Sealed in one segment."""
    seals.seal_all()
    return sample


def named():
    return {finding.where for finding in sealed()}


def where(row):
    return f"{row._meta.label_lower}:{row.pk}"


def note(rows):
    """As a trigger would have written it."""
    rows = list(rows)
    SealPending.objects.create(
        table_name=rows[0]._meta.db_table,
        ids=",".join(str(row.pk) for row in rows),
        noted_at=timezone.now(),
    )


def happened(n=1):
    return [audit.record("tests.happened", None) for _ in range(n)]


# Rows that are changed together with a note, so that they are sealed again like new ones.


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (Actual, "description"),
        (Voucher, "text"),
        (CustomerInvoice, "buyer_name"),
        (InvoiceProposal, "status"),
        (LineDetail, "description"),
    ],
    ids=str,
)
def test_a_changed_row_is_named_before_and_after_it_is_sealed_again(ledger, model, column):
    """PST-7"""
    parts = SealedRows.objects.filter(table_name=model._meta.db_table)
    row = model._base_manager.get(pk=max(key for part in parts for key in seals.unpacked(part.ids)))
    with without_triggers():
        model._base_manager.filter(pk=row.pk).update(**{column: "x"})
        note([row])
    assert where(row) in named()
    seals.seal_all()
    assert where(row) in named()


def test_an_approved_entry_that_is_changed_and_sealed_again_is_named(ledger):
    """PST-7: it may be sealed again only after its approval was canceled."""
    with without_triggers():
        Entry.objects.filter(pk=ledger.eight.pk).update(description="Something else")
        note([ledger.eight])
    assert named() == {where(ledger.eight)}
    seals.seal_all()
    assert named() == {where(ledger.eight)}


def test_a_changed_entry_is_named_also_after_canceled_approvals(ledger):
    """PST-7"""
    company = ledger.company
    entry = factories.time_entry(company, "3")
    for _ in range(2):
        approve([entry], by=company.manager, on=APRIL_2)
        seals.seal_all()
        assert named() == set()
        cancel_approval([entry], by=company.manager, on=APRIL_2)
        assert named() == set()
    approve([entry], by=company.manager, on=APRIL_2)
    seals.seal_all()
    assert findings() == []
    with without_triggers():
        Entry.objects.filter(pk=entry.pk).update(description="Something else")
        note([entry])
    seals.seal_all()
    assert named() == {where(entry)}


def test_the_kind_of_an_account_stays_named_when_it_is_posted_to_again(ledger):
    """PST-7: with each posting its account is noted again, and sealed only once."""
    account = Account.objects.filter(entries__isnull=False).order_by("pk").first()
    with without_triggers():
        Account.objects.filter(pk=account.pk).update(kind="liability")
        note(LedgerEntry.objects.filter(account=account))
    assert named() == {where(account)}
    seals.seal_all()
    assert named() == {where(account)}


def test_an_account_is_not_sealed_again_while_it_stays_the_same(ledger):
    parts = SealedRows.objects.filter(table_name=Account._meta.db_table)
    before = parts.count()
    note(LedgerEntry.objects.all())
    seals.seal_all()
    assert parts.count() == before == 2


def test_a_name_of_an_account_that_was_sealed_and_has_no_event_stays_named(ledger):
    """PST-7"""
    account = Account.objects.filter(entries__isnull=False).order_by("pk").first()
    Account.objects.filter(pk=account.pk).update(name="Petty cash")
    note(LedgerEntry.objects.filter(account=account))
    seals.seal_all()
    assert named() == {where(account)}


def test_renames_of_an_account_with_audit_events_have_no_findings(ledger):
    """PST-7: sealed between two changes or not, and back to the first name."""
    account = Account.objects.filter(entries__isnull=False).order_by("pk").first()
    first = account.name
    for name, is_sealed in (("Projects", True), ("Work", False), ("Projects, costs", True), (first, False)):
        changes = {"before": {"name": account.name}, "after": {"name": name}}
        account.name = name
        account.save(update_fields=["name"])
        audit.record("admin.change", account, by=ledger.company.administrator, **changes)
        assert named() == set()
        if is_sealed:
            note(LedgerEntry.objects.filter(account=account))
            seals.seal_all()
            assert named() == set()
    Account.objects.filter(pk=account.pk).update(name="Work")  # an earlier name
    assert named() == {where(account)}


def test_an_account_that_is_renamed_in_the_administration_is_clean(ledger, client, admin_user):
    """PST-7: the audit trail has the new name."""
    account = Account.objects.filter(entries__isnull=False).order_by("pk").first()
    client.force_login(admin_user)
    page = f"/admin/ledger/account/{account.pk}/change/"
    form = client.get(page).context["adminform"].form
    answer = client.post(page, {**form.initial, "name": "Projects, costs"})
    assert answer.status_code == 302
    account.refresh_from_db()
    assert account.name == "Projects, costs"
    assert named() == set()
    note(LedgerEntry.objects.filter(account=account))
    seals.seal_all()
    assert findings() == []


# Rows that are swapped.


def test_two_rows_that_are_swapped_are_both_named(ledger):
    """PST-7"""
    one, two = Batch.objects.order_by("pk")[:2]
    with without_triggers(), connection.cursor() as cursor:
        for old, new in ((one.pk, -1), (two.pk, one.pk), (-1, two.pk)):
            cursor.execute(f"UPDATE actuals_batch SET id = {new} WHERE id = {old}")
    assert named() == {where(one), where(two)}


def test_a_link_that_is_moved_to_another_parent_is_named(ledger):
    """PST-7"""
    link = DetailActual.objects.order_by("-pk").first()
    other = LineDetail.objects.exclude(pk=link.detail_id).filter(detail_actuals__isnull=False).first()
    with without_triggers():
        DetailActual.objects.filter(pk=link.pk).update(detail=other, part="rest_credit")
    assert where(link) in named()


def test_a_document_with_forged_bytes_and_hash_is_named(ledger):
    """PST-7: the bytes, the hash of the file and its place are changed together."""
    document = Document.objects.order_by("-pk").first()
    with without_triggers():
        forged = StoredFile.objects.get(pk=document.file_id)
        other = StoredFile.objects.exclude(pk=forged.pk).first()
        StoredFile.objects.filter(pk=other.pk).update(sha256="f" * 64)
        StoredFile.objects.filter(pk=forged.pk).update(sha256=other.sha256, size=other.size)
    assert {where(forged), where(other)} <= named()


# The seals themselves.


def test_notes_that_are_deleted_leave_their_rows_named(ledger):
    """PST-7"""
    new = happened(2)
    assert named() == set()
    SealPending.objects.all().delete()
    assert named() == {where(event) for event in new}


def test_a_newest_segment_that_is_cut_off_leaves_its_rows_named(ledger):
    """PST-7"""
    new = happened(2)
    seals.seal_all()
    with without_triggers():
        SealedRows.objects.filter(seal__number=2).delete()
        Seal.objects.filter(number=2).delete()
    assert named() == {where(event) for event in new}


def _cut_off():
    AuditEvent.objects.filter(action="tests.happened").delete()
    SealedRows.objects.filter(seal__number=2).delete()
    Seal.objects.filter(number=2).delete()


def _hash_again():
    AuditEvent.objects.filter(action="tests.happened").update(action="tests.never")
    SealedRows.objects.all().delete()
    Seal.objects.all().delete()
    for table in {kind.noted_in for kind in seals.declared()}:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT id FROM "{table}"')
            ids = ",".join(str(key) for (key,) in cursor.fetchall())
        if ids:
            SealPending.objects.create(table_name=table, ids=ids, noted_at=timezone.now())
    for _ in range(2):
        seals.seal_all()
        audit.record("tests.more", None)
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM invoicing_site_auditevent")
            SealPending.objects.create(
                table_name="invoicing_site_auditevent", ids=cursor.fetchone()[0], noted_at=timezone.now()
            )
    seals.seal_all()


@pytest.mark.parametrize(
    ("forge", "sentence"),
    [
        (_cut_off, "Seal 2 existed, but the newest one here is 1: "),
        (_hash_again, "Seal 2 has another digest than the one that you kept"),
    ],
)
def test_only_a_seal_that_was_kept_elsewhere_finds_this(ledger, tmp_path, forge, sentence):
    """PST-7: rows, notes and seals are all rewritten; only the digest kept elsewhere differs."""
    happened()
    seals.seal_all()
    kept = seals.in_words(Seal.objects.first())
    assert list(compared(kept)) == []
    with without_triggers():
        forge()
    assert list(sealed()) == []
    (finding,) = compared(kept)
    assert finding.sentence.startswith(sentence)
    file = tmp_path / "seal.txt"
    file.write_text(kept)
    written = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_ledger", seal=str(file), stdout=written)
    assert sentence in written.getvalue()


def test_the_head_of_the_voucher_chain_is_in_the_newest_seal(ledger):
    """PST-7: the last voucher is deleted, and the stored head turned back to fit, before it is sealed."""
    last = Voucher.objects.order_by("-position").first()
    with without_triggers():
        NumberSequence.objects.filter(kind="voucher").update(chain_length=9, chain_hash="9" * 64)
    seal = Seal.objects.first()
    assert seals.lost_heads(seal) == []
    with without_triggers():
        Voucher.objects.filter(pk=last.pk).update(hash="9" * 64)
        assert seals.lost_heads(seal) == [("NO1", where(last))]
        Voucher.objects.filter(pk=last.pk).update(position=99)
    assert seals.lost_heads(seal) == [("NO1", "")]
    sentence = "Seal 1 contains a last voucher of NO1 that is not in its chain."
    assert sentence in {finding.sentence for finding in sealed()}


def test_a_stored_head_that_is_changed_is_named(ledger):
    """PST-7"""
    NumberSequence.objects.filter(kind="voucher").update(chain_hash="9" * 64)
    assert "CHAIN" in {finding.code for finding in findings()}


def test_a_seal_of_several_companies_is_the_same_when_it_is_read_again(ledger, monkeypatch):
    """PST-7: PostgreSQL sorts the keys of JSON in its own way."""
    heads = {"LONG": "1 a", "B": "2 b", "AB": "3 c"}
    monkeypatch.setitem(seals._heads, "vouchers", (lambda: heads, lambda code, head: None))
    happened()
    assert seals.seal().heads == {"vouchers": heads}
    assert list(sealed()) == []


def test_seals_are_not_changed_while_the_triggers_are_on(ledger):
    from django.db import IntegrityError, transaction

    for change in (
        lambda: Seal.objects.update(rows=0),
        lambda: SealedRows.objects.update(digest="0" * 64),
        lambda: SealedRows.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="rows are never changed"), transaction.atomic():
            change()


# Rows that are not sealed yet.


def test_a_row_in_no_segment_for_over_an_hour_is_named(ledger):
    """PST-7: each of them, on both databases."""
    first, second = happened(2)
    assert named() == set()
    _age(59)
    assert named() == set()
    _age(61)
    # On SQLite one note covers all rows of ten minutes; at least the first is named.
    assert named() == ({where(first), where(second)} if connection.vendor == "postgresql" else {where(first)})
    assert {finding.code for finding in findings()} == {"SEAL"}
    seals.seal_all()
    assert findings() == []


def _age(minutes):
    """Make all notes this many minutes older, by the clock of the database."""
    ago = f"now() - interval '{minutes} minutes'"
    if connection.vendor == "sqlite":
        ago = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-{minutes} minutes')"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE invoicing_site_sealpending SET noted_at = {ago}")


@pytest.mark.sqlite
def test_rows_of_sqlite_are_noted_every_ten_minutes(ledger):
    """PST-7"""
    first, *_ = happened(3)
    _age(11)
    later, *_ = happened(2)
    begins = [f"{first.pk}-", f"{later.pk}-"]
    notes = SealPending.objects.filter(table_name="invoicing_site_auditevent").order_by("pk")
    assert list(notes.values_list("ids", flat=True)) == begins
    _age(120)
    assert named() == {f"invoicing_site.auditevent:{first.pk + n}" for n in range(4)}
    seals.seal_all()
    assert not notes.exists()
    assert named() == set()


@pytest.mark.parametrize("ids", ["", "x", "-", "1,x,99999999999999999999", "9" * 30, "12345678"])
def test_a_note_without_rows_does_not_stop_the_sealing(ledger, ids):
    for table, keys in (("actuals_actual", ids), ("no_table", "1"), ("no_table", "1-")):
        SealPending.objects.create(table_name=table, ids=keys, noted_at=timezone.now())
    _age(120)
    assert {finding.code for finding in sealed()} == {"SEAL"}
    (event,) = happened()
    seals.seal_all()
    assert not SealPending.objects.exists()
    assert named() == set()


# Rows inserted on SQLite without a seal; SQLite knows rows by their ids.


@pytest.mark.sqlite
@pytest.mark.parametrize("key", [-5, 0, "a gap", "behind the last", "far behind"])
def test_a_row_inserted_on_sqlite_is_named_for_any_id(ledger, key):
    """PST-7: also after the next seal, because sealing starts with the first row that was noted."""
    gap, last = happened(2)
    seals.seal_all()
    with without_triggers():
        keys = {"a gap": gap.pk, "behind the last": last.pk + 1, "far behind": last.pk + 1000}
        if key == "a gap":
            AuditEvent.objects.filter(pk=gap.pk).delete()
        planted = AuditEvent(pk=keys.get(key, key), action="tests.planted")
        models.Model.save_base(planted, raw=True, force_insert=True)
    assert where(planted) in named()
    guards.install(connection)
    happened()
    seals.seal_all()
    assert where(planted) in named()


@pytest.mark.sqlite
def test_a_text_after_a_zero_byte_is_part_of_a_row(ledger):
    """PST-7: SQLite's own quote() ends at a zero byte."""
    event = AuditEvent.objects.order_by("-pk").first()
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE invoicing_site_auditevent SET action = action || char(0) || 'x' WHERE id = %s", [event.pk]
        )
    assert named() == {where(event)}


# Migrations.


@pytest.fixture
def batches(ledger, monkeypatch):
    """Batches as the only rows that are sealed; sets which of their columns the models have."""
    whole = next(kind for kind in seals.declared() if kind.model is Batch)

    def have(*missing):
        monkeypatch.setattr(seals, "declared", lambda: [replace(whole, except_=missing)])

    have()
    return have


def test_a_column_that_a_migration_adds_changes_no_seal(batches):
    """PST-7: afterwards it is sealed, also for earlier rows."""
    with without_triggers():
        SealedRows.objects.all().delete()
        Seal.objects.all().delete()
    guards.install(connection)
    batches("at")
    note(Batch.objects.all())
    seals.seal_all()
    batches()
    assert named() == set()
    seals.note_after_migrate(None, "default")
    seals.note_after_migrate(None, "default")
    assert named() == set()
    seals.seal_all()
    assert named() == set()
    assert Seal.objects.first().rows == Batch.objects.count()
    batch = Batch.objects.first()
    with without_triggers():
        Batch.objects.filter(pk=batch.pk).update(at="2020-01-01T00:00:00Z")
    assert named() == {where(batch)}


def test_a_column_that_a_migration_removes_leaves_rows_to_be_sealed_again(batches):
    """PST-7"""
    everything = {f"actuals.batch:{key}" for key in Batch.objects.values_list("pk", flat=True)}
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE actuals_batch DROP COLUMN at")
    batches("at")
    assert named() == everything
    seals.note_after_migrate(None, "default")
    assert named() == set()
    seals.seal_all()
    assert named() == set()
    key = Batch.objects.order_by("pk").values_list("pk", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE actuals_batch SET action = 'x' WHERE id = %s", [key])
    assert named() == {f"actuals.batch:{key}"}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM actuals_batch WHERE id = %s", [key])
    assert named() == {f"actuals.batch:{key}"}


@pytest.mark.sqlite
def test_rows_that_a_migration_inserts_on_sqlite_are_sealed(ledger):
    """PST-7: its triggers are dropped during the migration."""
    seals.note_before_migrate(None, "default", plan=["a step"])
    with without_triggers():
        (event,) = happened()
    guards.install(connection)
    assert named() == set()
    seals.seal_all()
    assert not SealPending.objects.exists()
    assert named() == set()
    assert event.pk in {key for part in Seal.objects.first().parts.all() for key in seals.unpacked(part.ids)}


# A seal that was kept.


def test_each_seal_in_a_file_is_compared(ledger):
    """PST-7: a mailbox as well as one file, with any line endings."""
    happened()
    first = seals.in_words(Seal.objects.first())
    seals.seal_all()
    newest = Seal.objects.first()
    text = first + "\nFrom: ledgerline\n\n" + seals.in_words(newest).replace("\n", "\r\n")
    assert len(seals.read(text)) == 2
    assert list(compared(text)) == []
    text += f"Number: {10**17}\nDigest: {'1' * 64}\n" + f"Number: 0\nDigest: {'1' * 64}\n"
    text = text.replace(newest.digest, "2" * 64)
    assert sorted(finding.number for finding in compared(text)) == ["0", "100000000000000000", "2"]
