"""Runs all tests on every available database; `./run test` calls it after installing the tools.

The runs are: SQLite with messages in memory, PostgreSQL with Redis, and the browser tests. As many run at the
same time as there are processors; the tests of each database are in two parts of similar length. Runs that
were not possible are listed at the end, and are a failure in CI (CI=true). With --coverage the end also lists
the coverage of each room.
"""

import contextlib
import getpass
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg2
import redis

ROOT = Path(__file__).resolve().parent.parent
BROWSER_TESTS = "tests/browser"
WALKS = "tests/browser/test_walk.py"
# Half of the work: a process that waits for a server leaves its processor to another process.
BOOKS = ["tests/ledger", "tests/proforma"]
NO_TESTS_COLLECTED = 5
COVERAGE = "--coverage"
# With these options the output is watched, so only one run is active at a time.
TALKATIVE = {"-s", "-x", "--pdb", "--trace", "--capture=no", "--exitfirst"}


def find_postgresql():
    """An address on which test databases can be created, or None."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    for user in dict.fromkeys([os.environ.get("PGUSER"), getpass.getuser(), "postgres"]):
        if not user:
            continue
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=5432, user=user, dbname="postgres", connect_timeout=3
            )
        except psycopg2.OperationalError:
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
            (may_create,) = cursor.fetchone()
        connection.close()
        if may_create:
            password = os.environ.get("PGPASSWORD", "")
            login = quote(user, safe="") + (":" + quote(password, safe="") if password else "")
            # Django adds the prefix test_; the number separates two runs on one server.
            return f"postgres://{login}@127.0.0.1:5432/ledgerline_{os.getpid()}"
    return None


def with_suffix(url, suffix):
    """Another database on the same server."""
    parts = urlsplit(url)
    return url.replace(parts.path, parts.path + suffix)


def find_redis():
    if url := os.environ.get("TEST_REDIS_URL"):
        return url
    url = "redis://127.0.0.1:6379/15"
    try:
        redis.Redis.from_url(url, socket_connect_timeout=3).ping()
    except redis.RedisError:
        return None
    return url


def find_chromium():
    return next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)


def drop_test_database(url):
    """Drop the database that a killed run left; other runs have already dropped theirs."""
    parts = urlsplit(url)
    name = "test_" + parts.path.strip("/")
    connection = psycopg2.connect(url.replace(parts.path, "/postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    connection.close()


def _inherited():
    """The environment, with a shared cache of compiled Python files for some sixty processes."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Run:
    """One pytest process: started at once, waited for later."""

    def __init__(self, title, arguments, environment, *, live, command=("-m", "pytest")):
        self.title, self.live = title, live
        # They stay open during the whole run, so `with` can't be used.
        self._note = tempfile.NamedTemporaryFile()  # noqa: SIM115
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        if live:
            self._say_title()
        self._process = subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=ROOT,
            env={**_inherited(), **environment, "LEDGERLINE_LEFT_OUT": self._note.name},
            stdout=None if live else self._output,
            stderr=None if live else subprocess.STDOUT,
        )

    def wait(self):
        return self._process.wait()

    def finish(self):
        """Its exit code, and the tests that it skipped because something is missing."""
        code = self.wait()
        if not self.live:
            self._say_title()
            self._output.seek(0)
            shutil.copyfileobj(self._output, sys.stdout.buffer)
            sys.stdout.flush()
        return code, json.loads(Path(self._note.name).read_text() or "{}")

    def _say_title(self):
        print(f"\n=== {self.title}", flush=True)


class Measuring:
    """A folder in which pytest processes store their coverage, and the report over all of them."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="ledgerline-coverage-")
        self._file = str(Path(self._folder.name) / "coverage")
        self.command = ["-m", "coverage", "run", "--parallel-mode", "-m", "pytest"]
        self.environment = {"COVERAGE_FILE": self._file}
        if sys.version_info >= (3, 12):
            self.environment["COVERAGE_CORE"] = "sysmon"  # which is fast

    def report(self) -> list[tuple[str, int, int]]:
        """Room, executed lines, and all lines; nothing if no process stored any."""
        import coverage  # imported here, because the usual run does not need it

        measured = coverage.Coverage(data_file=self._file, config_file=str(ROOT / "pyproject.toml"))
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                measured.combine([self._folder.name])
        except coverage.exceptions.NoDataError:
            return []
        files = {}
        for path in measured.get_data().measured_files():
            _, lines, _, missing, _ = measured.analysis2(path)
            files[str(Path(path).relative_to(ROOT))] = (len(lines) - len(missing), len(lines))
        return by_room(files)


def by_room(files: dict[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    """Sums by the first folder of each path, and the total under `all`."""
    sums = defaultdict(lambda: [0, 0])
    for path, (ran, lines) in files.items():
        for room in (path.partition("/")[0], "all"):
            sums[room][0] += ran
            sums[room][1] += lines
    return [(room, *sums[room]) for room in sorted(sums, key=lambda room: (room == "all", room))]


def table(rooms: list[tuple[str, int, int]]) -> str:
    """One line per room: `ledger 98.2 % of 5,123 lines`. Rounded down, so that 100 means all lines."""
    lines = [
        f"{room:<15} {1000 * ran // total / 10:5.1f} % of {total:6,} lines" for room, ran, total in rooms
    ]
    return "\n".join(["", "=== Coverage", *lines])


def finished(plans, *, one_by_one, **how):
    """Run the plans; the first one shows its lines immediately, the others at their end.

    As many run at the same time as there are processors. More would take a fifth longer in total, because
    they compete for the caches of the processors.
    """
    if one_by_one:
        for plan in plans:
            yield plan[0], *Run(*plan, live=True, **how).finish()
        return
    pool = ThreadPoolExecutor(max(2, os.cpu_count() or 2))
    try:
        runs = [pool.submit(ended, plan, live=plan is plans[0], **how) for plan in plans]
        for run in runs:
            yield run.result().title, *run.result().finish()
    finally:
        pool.shutdown(cancel_futures=True)


def ended(plan, **how):
    """Start the run of a plan and wait for it."""
    run = Run(*plan, **how)
    run.wait()
    return run


def split(arguments):
    """The arguments for the usual tests and those for the browser tests.

    Empty if none of them is selected.
    """
    paths = [a for a in arguments if not a.startswith("-") and (ROOT / a.partition("::")[0]).exists()]
    options = [a for a in arguments if a not in paths]
    browser = [path for path in paths if Path(path).is_relative_to(BROWSER_TESTS)]
    usual = [path for path in paths if path not in browser]
    if not paths:
        usual = ["--migrations", f"--ignore={BROWSER_TESTS}"]
        browser = [BROWSER_TESTS] if (ROOT / BROWSER_TESTS).is_dir() else []
    return [[*options, *chosen] if chosen else [] for chosen in (usual, browser)]


def halves(title, usual, environment, books):
    """If all tests are selected, two runs of about the same length, each with its own database.

    One of them migrates; the other one creates its tables directly from the models, which is faster.
    """
    if f"--ignore={BROWSER_TESTS}" not in usual:
        return [(title, usual, environment)]
    rest = [*usual, *(f"--ignore={path}" for path in BOOKS)]
    straight = [*(each for each in usual if each != "--migrations"), *BOOKS]
    return [
        (f"{title}: the rest", rest, environment),
        (f"{title}: {' and '.join(BOOKS)}", straight, books),
    ]


def main(arguments):
    measuring, how = None, {}
    if COVERAGE in arguments:
        measuring = Measuring()
        how = {"command": measuring.command}
        os.environ.update(measuring.environment)
        arguments = [each for each in arguments if each != COVERAGE]
    usual, browser = split(arguments)
    postgresql, redis_url, chromium = find_postgresql(), find_redis(), find_chromium()
    sqlite = {"TEST_DATABASE_URL": "", "TEST_REDIS_URL": "" if postgresql else redis_url or ""}
    runs = []
    if usual:
        runs += halves("SQLite", usual, sqlite, sqlite)
        if postgresql:
            services = {"TEST_DATABASE_URL": postgresql, "TEST_REDIS_URL": redis_url or ""}
            books = {**services, "TEST_DATABASE_URL": with_suffix(postgresql, "_books")}
            runs += halves(f"PostgreSQL{' and Redis' if redis_url else ''}", usual, services, books)
    if browser and chromium:
        # A separate run, because Playwright's event loop stays in the thread and disturbs other tests.
        eyes = {"LEDGERLINE_CHROMIUM": chromium, "DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
        runs.append(("Browser on SQLite", browser, {**sqlite, **eyes}))
        if postgresql and BROWSER_TESTS in browser:
            # The walk runs on the other database too; pages look the same.
            url = with_suffix(postgresql, "_browser")
            walks = [*(a for a in browser if a != BROWSER_TESTS), WALKS]
            runs.append(("Browser on PostgreSQL", walks, {**sqlite, **eyes, "TEST_DATABASE_URL": url}))

    runs.sort(key=lambda plan: "the rest" not in plan[0])  # the longest run starts first

    left_out = []
    if not postgresql:
        left_out.append("PostgreSQL: no server at 127.0.0.1:5432 lets us make databases (TEST_DATABASE_URL)")
    if not redis_url:
        left_out.append("Redis: no server at 127.0.0.1:6379 (TEST_REDIS_URL)")
    if browser and not chromium:
        left_out.append("Browser: Chromium is not installed")

    failed, codes = [], set()
    try:
        one_by_one = bool(TALKATIVE.intersection(arguments))
        for title, code, skipped in finished(runs, one_by_one=one_by_one, **how):
            codes.add(code)
            if code not in (0, NO_TESTS_COLLECTED):
                failed.append(title)
            left_out += [f"{title}: {test}: {reason}" for test, reason in skipped.items()]
    finally:
        if postgresql and not os.environ.get("TEST_DATABASE_URL"):
            for suffix in ("", "_books", "_browser"):
                drop_test_database(with_suffix(postgresql, suffix))

    if measuring and (rooms := measuring.report()):
        print(table(rooms))
    return conclude(failed, left_out, nothing_ran=codes <= {NO_TESTS_COLLECTED})


def conclude(failed, left_out, *, nothing_ran):
    if left_out:
        print("\n!!! LEFT OUT, so not tested:")
        for line in left_out:
            print(f"!!!   {line}")
    if failed:
        print(f"\nFailed on: {', '.join(failed)}")
        return 1
    if nothing_ran:
        print("\nNo test ran.")
        return NO_TESTS_COLLECTED
    if left_out and os.environ.get("CI", "").lower() in ("1", "true"):
        print("\nIn CI nothing may be left out, so this run failed.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
