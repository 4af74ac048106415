"""The billing run, from submitted hours to posted invoices, compared with hand-written SQL.

    .venv/bin/python benchmarks/billing_run.py [--actuals 20000] [--contracts 100] [--repeats 3]

Prints JSON. Creates its own databases on the server of DATABASE_URL, and drops them at the end. README.md
describes what is measured.
"""

import argparse
import cProfile
import gc
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent


def main(arguments=None) -> int:
    options = _options(arguments)
    set_up()
    from benchmarks import databases
    from benchmarks.equality import Unequal

    # Messages after a commit are not sent: the next step measures their work.
    with mock.patch("invoicing_site.floor.jobs._send"), databases.throw_away():
        try:
            report = _measured(options)
        except Unequal as problem:
            sys.stderr.write(f"{problem}\n")
            return 1
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


def _options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--actuals", type=int, default=20000, help="submitted time entries (20000)")
    parser.add_argument("--contracts", type=int, default=100, help="number of contracts (100)")
    parser.add_argument(
        "--repeats", type=int, default=3, help="number of repeats; the results are medians (3)"
    )
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="FOLDER",
        help="save cProfile statistics of our side there; this slows our side down",
    )
    return parser.parse_args(arguments)


def set_up():
    """Use the settings of the tests, which do not touch any real data."""
    sys.path.insert(0, str(ROOT))
    os.environ["TEST_DATABASE_URL"] = os.environ.get("DATABASE_URL", "")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()


def _measured(options):
    from benchmarks import databases
    from benchmarks.company import build
    from benchmarks.steps import STEPS

    world = build(entries=options.actuals, contracts=options.contracts)
    seconds = {step.name: ([], []) for step in STEPS}
    rows = {}
    for turn in range(options.repeats):
        with databases.copies():
            rows = _one_turn(world, turn, seconds, options.profile)
    return _report(options, seconds, rows)


def _one_turn(world, turn, seconds, profile):
    """Run every step once on each side, on equal data; the first side alternates."""
    from benchmarks import databases, equality
    from benchmarks.by_hand import Hand
    from benchmarks.steps import STEPS

    hand = Hand(databases.BY_HAND, world)
    equality.compare()
    rows = {}
    for place, step in enumerate(STEPS):
        databases.refresh_statistics()
        before = equality.rows(databases.OURS)
        sides = [(0, step.ours, world), (1, step.by_hand, hand)]
        for side, work, subject in sides if (turn + place) % 2 == 0 else reversed(sides):
            path = profile / f"{place + 1}-{turn + 1}.pstats" if profile and side == 0 else None
            seconds[step.name][side].append(_seconds(work, subject, path))
        rows[step.name] = equality.rows(databases.OURS) - before
    equality.compare()
    return rows


def _seconds(work, subject, profile_path):
    profiler = cProfile.Profile() if profile_path else None
    gc.collect()
    begun = time.perf_counter()
    profiler.runcall(work, subject) if profiler else work(subject)
    taken = time.perf_counter() - begun
    if profiler:
        profile_path.parent.mkdir(parents=True, exist_ok=True)
        profiler.dump_stats(profile_path)
    return taken


def _report(options, seconds, rows):
    totals = [[sum(turn) for turn in zip(*side, strict=True)] for side in zip(*seconds.values(), strict=True)]
    return {
        "actuals": options.actuals,
        "contracts": options.contracts,
        "repeats": options.repeats,
        "database": _database(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "steps": [{"step": name, "rows": rows[name], **_compared(*sides)} for name, sides in seconds.items()],
        "whole": {"rows": sum(rows.values()), **_compared(*totals)},
    }


def _compared(ours, by_hand):
    """Medians, their ratio, and the single values."""
    medians = {"ours": statistics.median(ours), "sql": statistics.median(by_hand)}
    return {
        **{side: round(seconds, 3) for side, seconds in medians.items()},
        "ratio": round(medians["ours"] / medians["sql"], 2),
        "all_ours": [round(value, 3) for value in ours],
        "all_sql": [round(value, 3) for value in by_hand],
    }


def _database():
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"SQLite {'.'.join(map(str, connection.Database.sqlite_version_info))}"
    major, minor = divmod(connection.pg_version, 10000)
    return f"PostgreSQL {major}.{minor}"


if __name__ == "__main__":
    sys.exit(main())
