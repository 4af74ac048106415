"""The path of a stored file in the folder, for tests that damage it."""

from pathlib import Path

from django.core.files.storage import storages

from invoicing_site.floor import files


def path(stored) -> Path:
    return Path(storages["default"].path(files.name_of(stored.sha256)))
