"""Each module of this app can be imported first."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["actuals.weeks", "actuals.operations", "actuals.importing"])
def test_a_module_can_be_imported_first(module):
    """APP-10: weeks, operations and imports share bounds.

    No module needs another one to be imported before.
    """
    first = f"import django; django.setup(); import {module}"
    done = subprocess.run([sys.executable, "-c", first], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
