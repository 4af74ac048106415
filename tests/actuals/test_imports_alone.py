"""Each module of the room can be the first one that is imported."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["actuals.weeks", "actuals.operations", "actuals.importing"])
def test_a_module_can_be_imported_first(module):
    """APP-10: the grid, the operations and the files share bounds, and none needs another to be there."""
    first = f"import django; django.setup(); import {module}"
    done = subprocess.run([sys.executable, "-c", first], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
