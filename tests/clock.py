"""The clock of the tests: it starts at a fixed moment and runs from there.

So tests have the same dates, weekdays and fiscal years whenever they run. Importing this module sets the
clock; the settings of the tests import it. Other processes that import it get the same difference from the
real clock.
"""

import datetime
import os
import time

import time_machine

_BEGINS = datetime.datetime(2026, 12, 15, 9, tzinfo=datetime.UTC).timestamp()

_ahead = float(os.environ.setdefault("LEDGERLINE_TEST_CLOCK", str(_BEGINS - time.time())))
time_machine.travel(time.time() + _ahead).start()
