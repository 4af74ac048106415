"""Files kept by the SHA-256 of their bytes: stored once, written before their row, never changed.

They are in Django's default storage under the name `ab/abcdef…`: a folder, or a bucket that several machines
share. A file without a row does no harm (its transaction was rolled back); a row without its file must not
happen, so the bytes are stored for good before the row is inserted.
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
    """Keep the bytes and return their row; bytes that are already kept return the first row.

    On return the file is stored for good, whatever becomes of the transaction. `name` and `media_type` are
    those of the first time.
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

    Bytes that are there are not written again. Only a damaged file is replaced, by the bytes that it had.
    Two writers of the same bytes at once write the same file.
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
    """The bytes as they were stored; refused where the file is gone or no longer is what was stored."""
    try:
        with _storage().open(name_of(stored_file.sha256)) as file:
            content = file.read()
    except FileNotFoundError:
        raise Refused("FILE-MISSING", name=stored_file.name) from None
    if hashlib.sha256(content).hexdigest() != stored_file.sha256:
        raise Refused("FILE-CHANGED", name=stored_file.name)
    return content


def found(stored_file: StoredFile) -> tuple[str, int]:
    """The hash and the size of the bytes that are stored now; FileNotFoundError where there are none."""
    digest, size = hashlib.sha256(), 0
    with _storage().open(name_of(stored_file.sha256)) as file:
        for chunk in file.chunks():
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def check():
    """Raise an error where files can't be stored. A bucket is only asked: writing into it costs money."""
    storage = _storage()
    if isinstance(storage, Folder):
        check_folder(settings.DATA)
    else:
        storage.exists("health")


def check_folder(folder: Path):
    """Raise an OSError where the folder takes no file."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 65536)
        file.flush()


def name_of(sha256: str) -> str:
    """The name of a file in the storage."""
    return f"{sha256[:2]}/{sha256}"


def _storage():
    return storages["default"]


class Folder(FileSystemStorage):
    """The default storage: `LEDGERLINE_DATA/files`. A file appears whole or not at all."""

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
        # The name too must outlive a power cut: of the file, and of the folders made for it.
        for folder in (target.parent, target.parent.parent):
            _sync_folder(folder)
        return name


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
