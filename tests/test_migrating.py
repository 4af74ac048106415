"""Several processes that migrate one database at the same moment, as when several containers start."""

import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest
from django.db import connection

from tests.running import ROOT, environment

pytestmark = pytest.mark.slow


@pytest.fixture
def empty(tmp_path, django_db_setup):
    """The environment of processes with an empty database."""
    if connection.vendor == "sqlite":
        yield environment(tmp_path)
        return
    settings, name = connection.settings_dict, "ledgerline_migrating"
    server = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
    with closing(psycopg2.connect(**server, password=settings["PASSWORD"], dbname="postgres")) as own:
        own.autocommit = True
        with own.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                who = ":".join(filter(None, [settings["USER"], settings["PASSWORD"]]))
                where = f"postgres://{who}@{settings['HOST']}:{settings['PORT']}/{name}"
                yield environment(tmp_path, DATABASE_URL=where)
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_three_processes_can_migrate_at_once(empty):
    command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    into = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    three = [subprocess.Popen(command, cwd=ROOT, env=empty, **into) for _ in range(3)]
    said = [process.communicate(timeout=280)[0] for process in three]
    assert [process.returncode for process in three] == [0, 0, 0], said
