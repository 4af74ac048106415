"""Files kept by the SHA-256 of their bytes: stored once, written before their row, never changed.

They lie under `LEDGERLINE_DATA/files/ab/abcdef…`. A file without a row does no harm (its transaction was
rolled back); a row without its file must not happen, so the bytes are on the disk before the row is inserted.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from invoicing_site.floor.errors import Refused
from invoicing_site.models import StoredFile

_NAME_LENGTH = StoredFile._meta.get_field("name").max_length


def store(content: bytes, *, name: str, media_type: str, by=None) -> StoredFile:
    """Keep the bytes and return their row; bytes that are already kept return the first row.

    On return the file is on the disk for good, whatever becomes of the transaction. `name` and `media_type`
    are those of the first time.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    _write(_path(sha256), content)
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


def read(stored_file: StoredFile) -> bytes:
    """The bytes as they were stored; refused where the file is gone or no longer is what was stored."""
    try:
        content = path(stored_file).read_bytes()
    except FileNotFoundError:
        raise Refused(
            f"The file “{stored_file.name}” is missing from the data folder: bring it back from the backup.",
            code="FILE-MISSING",
        ) from None
    if hashlib.sha256(content).hexdigest() != stored_file.sha256:
        raise Refused(
            f"The file “{stored_file.name}” was changed in the data folder: bring it back from the backup.",
            code="FILE-CHANGED",
        )
    return content


def path(stored_file: StoredFile) -> Path:
    """Where its bytes lie."""
    return _path(stored_file.sha256)


def _path(sha256: str) -> Path:
    return settings.DATA / "files" / sha256[:2] / sha256


def _write(target: Path, content: bytes) -> None:
    """The file appears whole or not at all; one that was damaged is made good by the same bytes."""
    try:
        if target.read_bytes() == content:
            return
    except FileNotFoundError:
        pass
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
