"""The cost of seals compared with approving the same rows: noting them, and hashing them afterwards.

    .venv/bin/python benchmarks/sealing.py [--actuals 100000] [--contracts 100] [--repeats 3]

Prints JSON. Creates its own databases on the server of DATABASE_URL, and drops them at the end. Approves the
same entries in turn with and without the triggers that note rows, then seals the noted rows.
"""

import argparse
import gc
import json
import statistics
import sys
import time
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--actuals", type=int, default=100_000, help="submitted time entries (100000)")
    parser.add_argument("--contracts", type=int, default=100, help="number of contracts (100)")
    parser.add_argument("--repeats", type=int, default=3, help="how often; medians are reported (3)")
    options = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT))
    from benchmarks.billing_run import set_up

    set_up()
    from benchmarks import databases
    from benchmarks.company import build

    with mock.patch("invoicing_site.floor.jobs._send"), databases.throw_away():
        world = build(entries=options.actuals, contracts=options.contracts)
        noted, bare, sealing, rows = [], [], [], 0
        for turn in range(options.repeats):
            for notes in (True, False) if turn % 2 == 0 else (False, True):
                with databases.copies():
                    databases.refresh_statistics()
                    if notes:
                        _seal()  # the rows of the company itself
                        noted.append(_seconds(_approve, world))
                        sealing.append(_seconds(_seal))
                        rows = _rows()
                    else:
                        _drop_notes()
                        bare.append(_seconds(_approve, world))
    medians = [statistics.median(each) for each in (bare, noted, sealing)]
    report = {
        "entries": options.actuals,
        "rows": rows,
        "approve_without_notes": round(medians[0], 3),
        "approve": round(medians[1], 3),
        "seal": round(medians[2], 3),
        "microseconds_a_row": round(medians[2] / rows * 1e6, 2),
        "cost": round((medians[1] + medians[2]) / medians[0] - 1, 3),
        "all": {"without_notes": bare, "approve": noted, "seal": sealing},
    }
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


def _approve(world):
    from benchmarks.steps import STEPS

    STEPS[0].ours(world)


def _seal():
    from invoicing_site.floor import seals

    seals.seal_all()


def _rows():
    from invoicing_site.models import Seal

    return sum(Seal.objects.filter(number__gt=1).values_list("rows", flat=True))


def _drop_notes():
    from django.db import connection

    from invoicing_site.floor import guards

    with connection.cursor() as cursor:
        for note in guards.notes():
            triggers = note.postgresql() if connection.vendor == "postgresql" else note.sqlite()
            for name in triggers:
                table = f' ON "{note.table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER "{name}"{table}')


def _seconds(work, *args):
    gc.collect()
    begun = time.perf_counter()
    work(*args)
    return round(time.perf_counter() - begun, 3)


if __name__ == "__main__":
    sys.exit(main())
