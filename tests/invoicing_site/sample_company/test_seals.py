"""Seals: rows that are changed, deleted or inserted with the triggers off are named (PST-7)."""

import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import F
from django.utils import timezone

from actuals.models import Actual, Batch, Entry, PriceDecision
from backlog.models import BacklogItem
from backlog.operations import approve, cancel_approval
from invoicing_site import tasks
from invoicing_site.floor import audit, seals
from invoicing_site.models import AuditEvent, Seal, SealedRows, SealPending, StoredFile, User
from invoicing_site.verify import findings
from invoicing_site.verify.seals import compared, sealed
from ledger.models import (
    Account,
    CustomerInvoice,
    CustomerTransaction,
    Document,
    IntegrationJournal,
    InvoiceLine,
    InvoiceProposal,
    InvoiceTax,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    ProposalLine,
    Voucher,
)
from proforma.models import DetailActual, LineDetail, ProformaInvoice, ProformaLine
from tests import factories
from tests.invoicing_site.sample_company.intruder import without_triggers
from tests.invoicing_site.sample_company.sample import APRIL_2

D = Decimal


@pytest.fixture(scope="module")
def sample(sample):
    """Sealed in one segment."""
    made = seals.seal_all()
    assert len(made) == 1
    assert made[0].rows > 300
    return sample


def named():
    return {finding.where for finding in sealed()}


def where(row):
    return f"{row._meta.label_lower}:{row.pk}"


def test_sealed_rows_have_no_findings(sample):
    """PST-7"""
    assert findings() == []
    assert not SealPending.objects.exists()
    one = Seal.objects.get()
    assert sum(len(part.ids) // 8 for part in one.parts.all()) == one.rows
    assert list(one.heads["vouchers"]) == ["NO1"]


def test_rows_are_not_sealed_twice(sample):
    assert seals.seal() is None


def newest(model):
    """The newest row of a model that is sealed."""
    parts = SealedRows.objects.filter(table_name=model._meta.db_table)
    keys = {key for part in parts for key in seals.unpacked(part.ids)}
    return model._base_manager.filter(pk__in=keys).order_by("-pk").first()


def somebody():
    return User.objects.get(username="auditor.no1").pk


def another_file():
    return StoredFile.objects.get(name="march.csv").pk


CHANGED = [
    (Actual, {"price": D("99")}),  # posted or not
    (Actual, {"amount": F("amount") + 1}),
    (Actual, {"description": "Something else"}),
    (BacklogItem, {"amount": F("amount") + 1}),
    (BacklogItem, {"date": date(2024, 1, 1)}),
    (Document, {"file": another_file}),
    (StoredFile, {"sha256": "0" * 64}),
    (StoredFile, {"name": "another.pdf"}),
    (AuditEvent, {"by": somebody}),
    (AuditEvent, {"detail": {}}),
    (Batch, {"by": somebody}),
    (PriceDecision, {"price": D("1")}),
    (PriceDecision, {"reasoning": []}),
    (ProformaInvoice, {"confirmed_by": somebody}),
    (ProformaInvoice, {"confirmed_at": "2020-01-01T00:00:00Z"}),
    (ProformaLine, {"description": "Another line"}),
    (LineDetail, {"description": "Another detail"}),
    (Account, {"kind": "liability"}),
    (Account, {"name": "Petty cash"}),
    (InvoiceProposal, {"header_text": "Another head"}),
    (ProposalLine, {"number": 90}),
    (IntegrationJournal, {"posted_by": somebody}),
    (JournalLine, {"exchange_rate": D("2")}),
    (Entry, {"cost_net": D("1")}),
    (Entry, {"description": "Another entry"}),
    (Voucher, {"posted_by": somebody}),
    (Voucher, {"hash": "0" * 64}),
    (LedgerEntry, {"text": "Another text"}),
    (CustomerInvoice, {"buyer_name": "Somebody else"}),
    (InvoiceTax, {"percent": D("12")}),
]
DELETED = [
    Actual,
    BacklogItem,
    AuditEvent,
    Document,
    Batch,
    PriceDecision,
    Voucher,
    LedgerEntry,
    ProjectTransaction,
    InvoiceLine,
    DetailActual,
    StoredFile,
]
INSERTED = [
    (Actual, {"reverses_id": None, "replaces_id": None}),
    (BacklogItem, {"actual_id": lambda: a_cost()}),
    (AuditEvent, {}),
    (Batch, {}),
    (PriceDecision, {}),
    (StoredFile, {"sha256": "1" * 64}),
    (Voucher, {"number": "V-2025-9999999", "position": 9999, "hash": "2" * 64}),
    (LedgerEntry, {"number": 90}),
    (ProjectTransaction, {"actual_id": None, "kind": "cost"}),
    (CustomerTransaction, {}),
    (InvoiceTax, {"code": "X", "percent": D("12")}),
    (DetailActual, {"actual_id": lambda: a_cost(), "part": "rest"}),
]


def a_cost():
    return Actual.objects.filter(type="cost").first().pk


def words(value):
    return getattr(value, "__name__", None) or " ".join(value)


def worked_out(values):
    return {name: value() if callable(value) else value for name, value in values.items()}


@pytest.mark.parametrize(("model", "values"), CHANGED, ids=words)
def test_a_changed_row_is_named(ledger, model, values):
    """PST-7"""
    row, values = newest(model), worked_out(values)
    with without_triggers():
        assert model._base_manager.filter(pk=row.pk).update(**values) == 1
    assert named() == {where(row)}


@pytest.mark.parametrize("model", DELETED, ids=words)
def test_a_deleted_row_is_named(ledger, model):
    """PST-7"""
    row = newest(model)
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{model._meta.db_table}" WHERE id = %s', [row.pk])
    assert where(row) in named()


@pytest.mark.parametrize(("model", "values"), INSERTED, ids=words)
def test_an_inserted_row_is_named(ledger, model, values):
    """PST-7: on SQLite a row after the last sealed one can't be distinguished from a regular one."""
    row = newest(model)
    for name, value in worked_out(values).items():
        setattr(row, name, value)
    row.pk = None if connection.vendor == "postgresql" else -1
    with without_triggers():
        models.Model.save_base(row, raw=True, force_insert=True)
    assert named() == {where(row)}


def test_a_whole_table_that_is_emptied_is_named_row_by_row(ledger):
    """PST-7 SEC-3"""
    keys = set(AuditEvent.objects.values_list("pk", flat=True))
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM invoicing_site_auditevent")
    assert named() == {f"invoicing_site.auditevent:{key}" for key in keys}


def test_an_entry_that_is_approved_again_is_sealed_again(ledger):
    """PST-7 APP-5: between two approvals its owner changes it, and only approved entries are sealed."""
    company = ledger.company
    entry = factories.time_entry(company, "3")
    approve([entry], by=company.manager, on=APRIL_2)
    seals.seal_all()
    cancel_approval([entry], by=company.manager, on=APRIL_2)
    Entry.objects.filter(pk=entry.pk).update(description="Drawings, second floor")
    assert named() == set()
    approve([entry], by=company.manager, on=APRIL_2)
    assert named() == set()
    seals.seal_all()
    assert findings() == []
    with without_triggers():
        Entry.objects.filter(pk=entry.pk).update(description="Drawings")
    assert named() == {where(entry)}


def test_the_name_of_an_account_changes_with_an_event_only(ledger):
    """PST-7: that event is sealed as well, so it can't be added afterwards."""
    account = newest(Account)
    before = account.name
    account.name = "Projects, costs"
    account.save(update_fields=["name"])
    assert named() == {where(account)}
    changes = {"before": {"name": before}, "after": {"name": "Projects, costs"}}
    audit.record("admin.change", account, by=ledger.company.administrator, **changes)
    assert named() == set()


CHAIN = {
    "a segment deleted": lambda: (
        SealedRows.objects.filter(seal__number=2).delete(),
        Seal.objects.filter(number=2).delete(),
    ),
    "a digest": lambda: Seal.objects.filter(number=2).update(digest="0" * 64),
    "a moment": lambda: Seal.objects.filter(number=2).update(at=timezone.now()),
    "heads": lambda: Seal.objects.filter(number=2).update(heads={}),
    "heads of another kind": lambda: Seal.objects.filter(number=2).update(heads=[1]),
    "no columns": lambda: SealedRows.objects.filter(seal__number=2).update(columns=""),
    "odd columns": lambda: SealedRows.objects.filter(seal__number=2).update(columns='id x" OR 1=1 --'),
    "half a key": lambda: SealedRows.objects.filter(seal__number=2).update(ids=b"\xff\xff\xff"),
    "a part deleted": lambda: SealedRows.objects.filter(seal__number=2)[0].delete(),
    "ids": lambda: SealedRows.objects.filter(seal__number=2).update(ids=seals.packed([1])),
    "hashes": lambda: SealedRows.objects.filter(seal__number=2).update(hashes=bytes(8)),
}


@pytest.mark.parametrize("alter", CHAIN.values(), ids=CHAIN)
def test_a_seal_that_is_changed_is_named(ledger, alter):
    """PST-7"""
    for _ in range(2):
        audit.record("tests.happened", None)
        seals.seal()
    assert [one.number for one in Seal.objects.all()] == [3, 2, 1]
    assert list(sealed()) == []
    with without_triggers():
        alter()
    assert "2" in {finding.number for finding in sealed()}


def test_the_digest_of_all_rows_is_compared_as_well(ledger):
    """PST-7: also if the segment was hashed again."""
    one = Seal.objects.get()
    part = one.parts.get(table_name=Actual._meta.db_table)
    part.digest = "0" * 64
    with without_triggers():
        part.save()
        Seal.objects.update(digest=seals.digest_of(one, one.parts.all()))
    sentence = "The rows of actuals_actual in seal 1 have another digest."
    assert [finding.sentence for finding in sealed()] == [sentence]


def test_a_seal_that_was_kept_elsewhere_is_compared(ledger, tmp_path):
    """PST-7: a new hash of everything, or a backup of yesterday, differs from the digest that was kept."""
    kept = tmp_path / "seal.txt"
    kept.write_text("Subject: Ledgerline seal 1\n\n" + seals.in_words(Seal.objects.get()))
    call_command("verify_ledger", seal=str(kept), stdout=io.StringIO())
    for change, sentence in (
        ({"digest": "3" * 64}, "Seal 1 has another digest than the one that you kept: it was made again."),
        (
            {"number": 9},
            "Seal 1 existed, but there is none here: the database was restored or its end was cut off.",
        ),
    ):
        with transaction.atomic(), without_triggers():
            if "number" in change:
                SealedRows.objects.all().delete()
                Seal.objects.all().delete()
            else:
                Seal.objects.update(**change)
            assert sentence in {finding.sentence for finding in compared(kept.read_text())}
            transaction.set_rollback(True)
    kept.write_text("Digest: none")
    with pytest.raises(CommandError, match="contains no seal"):
        call_command("verify_ledger", seal=str(kept))


def test_rows_that_wait_for_long_are_named(ledger):
    audit.record("tests.happened", None)
    assert findings() == []
    SealPending.objects.create(
        table_name="invoicing_site_auditevent", ids="1", noted_at="2020-01-01T00:00:00Z"
    )
    assert [finding.code for finding in findings()] == ["SEAL"]


def test_the_newest_seal_is_mailed_and_downloaded(ledger, client, mailoutbox, settings):
    """PST-7"""
    settings.SEAL_MAIL = ["auditor@example.com"]
    tasks.send_seal()
    (mail,) = mailoutbox
    assert mail.to == ["auditor@example.com"]
    newest = Seal.objects.get()
    assert seals.read(mail.body) == [(1, newest.digest)]
    client.force_login(ledger.company.auditor)
    assert seals.read(client.get("/audit/seals/newest/").content.decode()) == [(1, newest.digest)]
    assert newest.digest in client.get("/audit/seals/").content.decode()


def test_users_who_see_the_audit_trail_can_download_seals(ledger, client):
    """PST-7: users who can see the audit trail."""
    pages = ("/audit/seals/", "/audit/seals/newest/")
    for page in pages:
        assert client.get(page).status_code == 302
        assert client.post(page).status_code == 302
    for user, status in ((ledger.company.member, 403), (ledger.company.auditor, 200)):
        client.force_login(user)
        assert [client.get(page).status_code for page in pages] == [status] * 2
    answer = client.get(pages[1])
    assert answer["Content-Disposition"] == 'attachment; filename="seal-1.txt"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert client.post(pages[1]).status_code == 405
    with without_triggers():
        SealedRows.objects.all().delete()
        Seal.objects.all().delete()
    assert client.get(pages[1]).status_code == 404
    assert "No seals yet" in client.get(pages[0]).content.decode()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\xfe rubbish", b"Number: 1\n", b"Digest: " + b"0" * 64, b"Number: 1\nDigest: 12\n"],
)
def test_a_file_that_holds_no_seal_is_refused(ledger, tmp_path, content):
    file = tmp_path / "seal.txt"
    file.write_bytes(content)
    with pytest.raises(CommandError, match="can't be read as a seal"):
        call_command("verify_ledger", seal=str(file))
    for missing in (tmp_path, tmp_path / "nothing.txt"):
        with pytest.raises(CommandError, match="can't be read as a seal"):
            call_command("verify_ledger", seal=str(missing))
