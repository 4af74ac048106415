"""A company with books and a confirmed contract, with which most tests of the ledger begin."""

import pytest

from tests import factories


@pytest.fixture
def no1():
    return factories.company()


@pytest.fixture
def contract(no1):
    """Confirmed, with one time-and-material line and one customer."""
    return factories.contract(no1, confirmed=True)
