import fcntl
from contextlib import closing, contextmanager
from pathlib import Path

from django.core.management.commands import migrate
from django.db import connections

_KEY = 7_236_481  # the advisory lock: any number that is not used otherwise in this database


class Command(migrate.Command):
    """Django's command under a lock, so that several processes can start at the same time."""

    def handle(self, *args, **options):
        with _alone(connections[options["database"]]):
            return super().handle(*args, **options)


@contextmanager
def _alone(connection):
    if connection.vendor == "postgresql":
        with closing(connection.copy()) as own, own.cursor() as cursor:
            # Until the transaction ends with the connection: a pool may keep a lock of the session for ever.
            own.set_autocommit(False)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])
            yield
    elif connection.is_in_memory_db():
        yield
    else:
        path = Path(connection.settings_dict["NAME"])
        with path.with_name(f"{path.name}.migrate").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                if not connection.in_atomic_block:
                    connection.close()  # closing locks the file again
