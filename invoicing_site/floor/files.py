"""Files kept by the SHA-256 of their bytes: stored once, written before their row, never changed.

They are in Django's default storage under the name `ab/abcdef…`: a folder, or a bucket that several machines
share. A file without a row does no harm (its transaction was rolled back). A row without its file must not
exist, so the bytes are stored permanently before the row is inserted.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from invoicing_site.floor.errors import Refused
from invoicing_site.models import StoredFile

_NAME_LENGTH = StoredFile._meta.get_field("name").max_length


def store(content: bytes, *, name: str, media_type: str, by=None) -> StoredFile:
    """Store the bytes and return their row; if the bytes are already stored, return the existing row.

    The file stays stored even if the transaction is rolled back. An existing row keeps its `name` and
    `media_type`.
    """
    sha256 = write(content)
    stored, _ = StoredFile.objects.get_or_create(
        sha256=sha256,
        defaults={
            "size": len(content),
            "media_type": media_type,
            "name": Path(name).name[:_NAME_LENGTH],
            "stored_by": by,
        },
    )
    return stored


def write(content: bytes) -> str:
    """Write the bytes and return their hash, without a row.

    Existing bytes are not written again. Only a damaged file is replaced by its original bytes. Two writers
    of the same bytes write the same file.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    storage, name = _storage(), name_of(sha256)
    try:
        with storage.open(name) as file:
            if file.read() == content:
                return sha256
    except FileNotFoundError:
        pass
    kept = storage.save(name, ContentFile(content))
    if kept != name:
        raise RuntimeError(f"The storage kept {name} as {kept}: it has to be one that replaces files.")
    return sha256


def read(stored_file: StoredFile) -> bytes:
    """Return the stored bytes; refused if the file is missing or was changed."""
    try:
        with _storage().open(name_of(stored_file.sha256)) as file:
            content = file.read()
    except FileNotFoundError:
        raise Refused("FILE-MISSING", name=stored_file.name) from None
    if hashlib.sha256(content).hexdigest() != stored_file.sha256:
        raise Refused("FILE-CHANGED", name=stored_file.name)
    return content


def found(stored_file: StoredFile) -> tuple[str, int]:
    """Return the hash and the size of the stored bytes; FileNotFoundError if there are none."""
    digest, size = hashlib.sha256(), 0
    with _storage().open(name_of(stored_file.sha256)) as file:
        for chunk in file.chunks():
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def check():
    """Raise an error if files can't be stored. A bucket is only read, because writing to it costs money."""
    storage = _storage()
    if isinstance(storage, Folder):
        folder = Path(storage.location)
        folder.mkdir(parents=True, exist_ok=True)
        check_folder(folder)
    else:
        storage.exists("health")


def check_folder(folder: Path):
    """Raise an OSError if no file can be written to the folder."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 65536)
        file.flush()


def name_of(sha256: str) -> str:
    """The name of a file in the storage."""
    return f"{sha256[:2]}/{sha256}"


def _storage():
    return storages["default"]


class Folder(FileSystemStorage):
    """The default storage: `LEDGERLINE_DATA/files`. A file is written completely or not at all."""

    def __init__(self):
        super().__init__(allow_overwrite=True)

    @property
    def location(self):
        return str(settings.DATA / "files")

    def _save(self, name, content):
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(draft, 0o444)
            os.replace(draft, target)
        except BaseException:
            os.unlink(draft)
            raise
        # Sync the folders too, so that the names of the file and of new folders survive a power failure.
        for folder in (target.parent, target.parent.parent):
            _sync_folder(folder)
        return name


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
