"""Files kept by the hash of their bytes."""

import hashlib
import os

import pytest
from django.db import transaction

from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.models import StoredFile

PDF = "application/pdf"
# printf 'ledgerline' | sha256sum
SHA256 = "fe4da627f1b2cdec0e11cb474ed41b0fda8bc5b14ebea7f86bbce1fb8ecd53ba"


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


def test_bytes_are_kept_under_their_hash(db, data_folder):
    """DOC-1"""
    stored = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)

    assert (stored.sha256, stored.size, stored.name, stored.media_type) == (SHA256, 10, "receipt.pdf", PDF)
    kept = data_folder / "files" / SHA256[:2] / SHA256
    assert kept.read_bytes() == b"ledgerline"
    assert files.path(stored) == kept
    assert files.read(stored) == b"ledgerline"
    assert not os.access(kept, os.W_OK) or os.getuid() == 0
    assert [path.name for path in kept.parent.iterdir()] == [SHA256]  # no draft is left behind


def test_the_same_bytes_are_kept_once_and_keep_their_first_name(db):
    first = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    again = files.store(b"ledgerline", name="copy.txt", media_type="text/plain")

    assert again == first
    assert (again.name, again.media_type) == ("receipt.pdf", PDF)
    assert StoredFile.objects.count() == 1


def test_a_name_with_folders_in_it_loses_them_and_a_long_one_is_cut(db):
    assert files.store(b"a", name="../../etc/passwd", media_type=PDF).name == "passwd"
    assert files.store(b"b", name="x" * 300, media_type=PDF).name == "x" * 255


def test_the_file_is_there_before_its_row(db, data_folder, monkeypatch):
    """A crash between the two leaves a file without a row, never a row without a file."""

    def crash(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(StoredFile.objects, "get_or_create", crash)
    with pytest.raises(KeyboardInterrupt):
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)

    assert (data_folder / "files" / SHA256[:2] / SHA256).read_bytes() == b"ledgerline"


def test_a_rolled_back_file_can_be_stored_again(db):
    with transaction.atomic():
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
        transaction.set_rollback(True)
    assert not StoredFile.objects.exists()

    assert files.read(files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)) == b"ledgerline"


def test_a_missing_file_is_refused_by_name(db):
    stored = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    files.path(stored).unlink()

    with pytest.raises(Refused, match=r"The file “receipt\.pdf” is missing") as refusal:
        files.read(stored)
    assert refusal.value.code == "FILE-MISSING"


def test_changed_bytes_are_never_handed_out_and_storing_them_again_mends_the_file(db):
    """DOC-1"""
    stored = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    files.path(stored).chmod(0o644)
    files.path(stored).write_bytes(b"Ledgerline")

    with pytest.raises(Refused, match="was changed in the data folder") as refusal:
        files.read(stored)
    assert refusal.value.code == "FILE-CHANGED"

    files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    assert files.read(stored) == b"ledgerline"


def test_a_write_that_fails_leaves_nothing_behind(db, data_folder, monkeypatch):
    def no_space(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)

    assert [path for path in data_folder.rglob("*") if path.is_file()] == []
    assert not StoredFile.objects.exists()


def test_an_empty_file_has_a_hash_too(db):
    stored = files.store(b"", name="empty.txt", media_type="text/plain")

    assert stored.sha256 == hashlib.sha256().hexdigest()
    assert files.read(stored) == b""
