"""A company with many actuals: the year of the demo, many times over.

    DATABASE_URL=postgres://user@host/any .venv/bin/python benchmarks/large_company.py [--actuals 1000000]
                                                                                       [--keep NAME]

Prints JSON. Creates its own database on the server of DATABASE_URL; README.md describes what is in it.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--actuals", type=int, default=1_000_000, help="number of entries (1000000)")
    parser.add_argument("--keep", metavar="NAME", help="the database to create and keep")
    options = parser.parse_args(arguments)
    set_up()
    with database(options.keep):
        report = build(options.actuals)
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


def set_up():
    """The product's own settings, with an empty folder for files unless one is given."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("LEDGERLINE_DATA", tempfile.mkdtemp(prefix="ledgerline-benchmark-"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "invoicing_site.settings"
    import django

    django.setup()


@contextmanager
def database(keep: str | None = None):
    """A new database with all tables as the default one; dropped at the end unless it has a name."""
    from django.core.management import call_command
    from django.db import connection

    assert connection.vendor == "postgresql", "Set DATABASE_URL to a PostgreSQL server."
    settings = connection.settings_dict
    name = keep or f"benchmark_large_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    settings["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        yield
    except BaseException:
        keep = None
        raise
    finally:
        connection.close()
        if not keep:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}"')


@contextmanager
def there_is(name: str | None, actuals: int):
    """The database that was kept under this name, or a new one of that size, as the default one."""
    from django.db import connection

    if name:
        connection.settings_dict["NAME"] = name
        yield
        return
    with database():
        build(actuals)
        yield


def build(actuals: int) -> dict:
    """A year with this number of entries, or a few more; returns the seconds, and the rows of each table."""
    from django.db import connection

    from actuals.models import Entry
    from benchmarks.multiplied import copied, multiply
    from invoicing_site.floor import seals

    seconds, begun = {}, time.perf_counter()

    def took(step):
        nonlocal begun
        now = time.perf_counter()
        seconds[step], begun = round(now - begun, 1), now

    with mock.patch("invoicing_site.floor.jobs._send"):
        _one_company()
        took("one company")
        copies = -(-actuals // Entry.objects.count())
        multiply(copies)
        took("copies")
        seals.seal_all()
        took("seals")
    rows = {}
    with connection.cursor() as cursor:
        if not connection.in_atomic_block:
            cursor.execute("VACUUM ANALYZE")
            took("vacuum")
        for model in copied():
            cursor.execute(f"SELECT count(*) FROM {model._meta.db_table}")
            rows[model._meta.db_table] = cursor.fetchone()[0]
    return {"copies": copies, "seconds": seconds, "rows": rows}


def _one_company():
    """The demo, with about thirty entries an invoice, and with the states that it lacks."""
    from actuals.models import Entry
    from backlog.models import BacklogItem
    from backlog.operations import approve, hold
    from contracts.models import LegalEntity
    from invoicing_site import demo
    from invoicing_site.demo import work
    from invoicing_site.models import User
    from proforma.models import ProformaInvoice
    from proforma.operations import confirm

    days = {
        "_WHOLE": (Decimal("3.5"), Decimal(4)),
        "_HALVES": (Decimal(2), Decimal(2), Decimal("3.5")),
    }
    with mock.patch.multiple(work, **days):
        demo.load()
    manager = User.objects.get(username="manager")
    for entity in LegalEntity.objects.all():
        today = entity.today()
        items = BacklogItem.objects.open().filter(
            contract__entity=entity, status="not_ready", actual__isnull=False
        )
        hold(
            BacklogItem.objects.filter(pk__in=items.order_by("pk").values("pk")[:5]),
            until=today.replace(year=today.year + 1),
            reason="The customer asked to wait",
            by=manager,
        )
        # In no journal, and with no proposal.
        submitted = Entry.objects.filter(entity=entity, status=Entry.Status.SUBMITTED).order_by("date", "pk")
        approve(list(submitted[:3]), by=manager, on=today)
        review = ProformaInvoice.objects.filter(entity=entity, status__in=["draft", "review"]).order_by("pk")
        confirm(review.first(), by=manager, on=today)


if __name__ == "__main__":
    sys.exit(main())
