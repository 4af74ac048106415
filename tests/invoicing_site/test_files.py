"""Files stored under the hash of their bytes, in a folder or in a bucket."""

import hashlib
import os
import threading

import pytest
from django.core.files.storage import storages
from django.db import connection, transaction

from invoicing_site import settings as site_settings
from invoicing_site.floor import files
from invoicing_site.floor.errors import Refused
from invoicing_site.models import StoredFile
from tests import bucket, stored
from tests.running import environment, python

PDF = "application/pdf"
# printf 'ledgerline' | sha256sum
SHA256 = "fe4da627f1b2cdec0e11cb474ed41b0fda8bc5b14ebea7f86bbce1fb8ecd53ba"


@pytest.fixture
def folder(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def server(monkeypatch, settings):
    """A bucket named books, in which the storage uses one folder."""
    with bucket.serving() as server:
        monkeypatch.setenv("LEDGERLINE_FILES", "s3://books/ledgerline")
        monkeypatch.setenv("LEDGERLINE_S3_ENDPOINT", server.url)
        monkeypatch.setenv("LEDGERLINE_S3_REGION", "eu-north-1")
        monkeypatch.setenv("LEDGERLINE_S3_KEY", bucket.KEY)
        monkeypatch.setenv("LEDGERLINE_S3_SECRET", bucket.SECRET)
        settings.STORAGES = {**settings.STORAGES, "default": site_settings._files()}
        yield server


class InFolder:
    """The only file of a test, to read and to damage it."""

    def __init__(self, folder):
        self.path = folder / "files" / SHA256[:2] / SHA256

    def bytes(self):
        return self.path.read_bytes()

    def change(self, content):
        self.path.chmod(0o644)
        self.path.write_bytes(content)

    def remove(self):
        self.path.unlink()


class InBucket:
    def __init__(self, server):
        self.objects, self.name = server.objects, f"/books/ledgerline/{SHA256[:2]}/{SHA256}"

    def bytes(self):
        return self.objects[self.name]

    def change(self, content):
        self.objects[self.name] = content

    def remove(self):
        del self.objects[self.name]


@pytest.fixture(params=["folder", "server"])
def kept(request):
    place = request.getfixturevalue(request.param)
    return (InFolder if request.param == "folder" else InBucket)(place)


def test_bytes_are_kept_under_their_hash(db, kept):
    """DOC-1"""
    row = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)

    assert (row.sha256, row.size, row.name, row.media_type) == (SHA256, 10, "receipt.pdf", PDF)
    assert kept.bytes() == b"ledgerline"
    assert files.read(row) == b"ledgerline"
    assert files.found(row) == (SHA256, 10)


def test_files_in_a_folder_are_read_only(db, folder):
    path = stored.path(files.store(b"ledgerline", name="receipt.pdf", media_type=PDF))
    assert path == folder / "files" / SHA256[:2] / SHA256  # the same path as before
    assert not os.access(path, os.W_OK) or os.getuid() == 0
    assert [each.name for each in path.parent.iterdir()] == [SHA256]  # no temporary file remains


def test_the_same_bytes_are_kept_once_and_keep_their_first_name(db, kept):
    first = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    again = files.store(b"ledgerline", name="copy.txt", media_type="text/plain")

    assert again == first
    assert (again.name, again.media_type) == ("receipt.pdf", PDF)
    assert StoredFile.objects.count() == 1


def test_a_stored_file_is_not_uploaded_again(db, server):
    for _ in range(3):
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    assert server.puts == [f"/books/ledgerline/{SHA256[:2]}/{SHA256}"]


def test_a_name_with_folders_in_it_loses_them_and_a_long_one_is_cut(db, folder):
    assert files.store(b"a", name="../../etc/passwd", media_type=PDF).name == "passwd"
    assert files.store(b"b", name="x" * 300, media_type=PDF).name == "x" * 255


def test_the_file_is_there_before_its_row(db, kept, monkeypatch):
    """A crash between the two leaves a file without a row, never a row without a file."""

    def crash(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(StoredFile.objects, "get_or_create", crash)
    with pytest.raises(KeyboardInterrupt):
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)

    assert kept.bytes() == b"ledgerline"


def test_a_rolled_back_file_can_be_stored_again(db, kept):
    with transaction.atomic():
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
        transaction.set_rollback(True)
    assert not StoredFile.objects.exists()

    assert files.read(files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)) == b"ledgerline"


def test_a_missing_file_is_refused_by_name(db, kept):
    row = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    kept.remove()

    with pytest.raises(Refused, match=r"The file “receipt\.pdf” is missing") as refusal:
        files.read(row)
    assert refusal.value.code == "FILE-MISSING"
    with pytest.raises(FileNotFoundError):
        files.found(row)


def test_a_changed_file_is_never_served_and_storing_it_again_fixes_it(db, kept):
    """DOC-1"""
    row = files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    kept.change(b"Ledgerlines")

    with pytest.raises(Refused, match="was changed in the file storage") as refusal:
        files.read(row)
    assert refusal.value.code == "FILE-CHANGED"
    # printf 'Ledgerlines' | sha256sum
    assert files.found(row) == ("9f8ceb4102bece442b68db812958467f77f787bc6a901662a2179674c8fc83e7", 11)

    files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    assert files.read(row) == b"ledgerline"


def test_a_write_that_fails_leaves_nothing_behind(db, folder, monkeypatch):
    def no_space(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)

    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert not StoredFile.objects.exists()


def test_an_empty_file_has_a_hash_too(db, kept):
    row = files.store(b"", name="empty.txt", media_type="text/plain")

    assert row.sha256 == hashlib.sha256().hexdigest()
    assert files.read(row) == b""


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_the_same_bytes_keep_one_file_and_one_row(kept, monkeypatch):
    """Both check before either has written, which is the worst order."""
    both_have_looked = threading.Barrier(2)
    storage = storages["default"]
    save = type(storage).save

    def save_at_once(self, name, content, **options):
        both_have_looked.wait(10)
        return save(self, name, content, **options)

    monkeypatch.setattr(type(storage), "save", save_at_once)
    rows = []

    def write():
        try:
            rows.append(files.store(b"ledgerline", name="receipt.pdf", media_type=PDF))
        finally:
            connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)

    assert [row.sha256 for row in rows] == [SHA256, SHA256]
    assert StoredFile.objects.count() == 1
    assert kept.bytes() == b"ledgerline"
    assert files.read(rows[0]) == b"ledgerline"


def test_a_storage_that_gives_a_file_another_name_is_refused(db, settings):
    """Under another name it could not be found."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": memory}
    files.write(b"ledgerline")
    with storages["default"].open(f"{SHA256[:2]}/{SHA256}", "wb") as file:
        file.write(b"damaged")
    with pytest.raises(RuntimeError, match="it has to be one that replaces files"):
        files.write(b"ledgerline")


# The settings of a bucket


def test_a_wrong_key_is_an_error_and_not_a_missing_file(db, server, monkeypatch, settings):
    monkeypatch.setenv("LEDGERLINE_S3_KEY", "another")
    settings.STORAGES = {**settings.STORAGES, "default": site_settings._files()}
    with pytest.raises(Exception, match="403"):
        files.check()
    with pytest.raises(Exception, match="403"):
        files.store(b"ledgerline", name="receipt.pdf", media_type=PDF)
    assert not StoredFile.objects.exists()


def test_reading_a_bucket_writes_nothing(server):
    files.check()
    assert server.puts == []


@pytest.mark.parametrize("url", ["books", "https://books", "s3://", "s3://key@books", "s3://books?x=1"])
def test_an_address_of_another_kind_is_refused(tmp_path, url):
    result = python("-c", "import invoicing_site.settings", env=environment(tmp_path, LEDGERLINE_FILES=url))
    assert result.returncode != 0
    assert "LEDGERLINE_FILES must have the form s3://bucket or s3://bucket/folder." in result.stderr


def test_without_its_packages_the_setting_names_them(tmp_path):
    """As after an installation of requirements.lock only."""
    program = "import sys; sys.modules['botocore.config'] = None; import invoicing_site.settings"
    result = python("-c", program, env=environment(tmp_path, LEDGERLINE_FILES="s3://books"))
    assert result.returncode != 0
    assert "pip install --require-hashes -r requirements-s3.lock" in result.stderr
