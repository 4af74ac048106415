"""A company with books and a confirmed contract, with which nearly every test of the ledger begins."""

import pytest

from tests import factories


@pytest.fixture
def no1():
    return factories.company()


@pytest.fixture
def contract(no1):
    """Confirmed, one time-and-material line, one customer."""
    return factories.contract(no1, confirmed=True)
