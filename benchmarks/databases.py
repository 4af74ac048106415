"""Temporary databases on the server of the settings: an original, and copies of it."""

import contextlib
import copy
import os

from django.db import connections

# The product uses the first one, the hand-written SQL the second one.
OURS, BY_HAND = "default", "by_hand"
_ORIGINAL = "original"


@contextlib.contextmanager
def throw_away():
    """A new database as the default one, with all tables and guards; dropped at the end."""
    connection = connections[OURS]
    settings = connection.settings_dict
    if connection.vendor == "postgresql":
        # The process id keeps the name different from test databases and from a second run.
        settings["TEST"]["NAME"] = f"benchmark_{settings['NAME']}_{os.getpid()}"
    # Created from the models: the same tables as from the migrations, which a test compares, but much faster.
    settings["TEST"]["MIGRATE"] = False
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    for alias in (_ORIGINAL, BY_HAND):
        connections.settings[alias] = copy.deepcopy(settings)
    original = connections[_ORIGINAL].creation
    try:
        yield
    finally:
        _close()
        original.destroy_test_db(verbosity=0)


@contextlib.contextmanager
def copies():
    """Two copies of the original, each behind its alias, until the end of the block."""
    _close()
    creation = connections[_ORIGINAL].creation
    name = creation.connection.settings_dict["NAME"]
    try:
        for alias in (OURS, BY_HAND):
            creation.clone_test_db(suffix=alias, verbosity=0, autoclobber=True)
            connections[alias].settings_dict["NAME"] = creation.get_test_db_clone_settings(alias)["NAME"]
        yield
    finally:
        _close()
        for alias in (OURS, BY_HAND):
            connections[alias].settings_dict["NAME"] = name
            creation.destroy_test_db(suffix=alias, verbosity=0)


def refresh_statistics():
    """Update the planner's statistics, as PostgreSQL's autovacuum does between two nightly steps.

    SQLite never does.
    """
    for alias in (OURS, BY_HAND):
        if connections[alias].vendor == "postgresql":
            with connections[alias].cursor() as cursor:
                cursor.execute("ANALYZE")


def _close():
    for alias in (OURS, BY_HAND, _ORIGINAL):
        connections[alias].close()
