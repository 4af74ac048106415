"""One sample company for many tests that only read it, or that roll their changes back."""

import copy

import pytest
from django.db import transaction
from django.test.utils import override_settings

from tests.invoicing_site.sample_company.sample import build


@pytest.fixture(scope="package")
def db(django_db_setup, django_db_blocker):
    """Replaces the fixture of pytest-django: one transaction for this folder, rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="package")
def built_once(db, tmp_path_factory):
    """The sample company, and the folder of its files."""
    folder = tmp_path_factory.mktemp("data")
    with override_settings(DATA=folder):
        return build(), folder


@pytest.fixture(scope="module")
def sample(built_once):
    """The sample company; changes of a module are rolled back after the module."""
    sample, folder = built_once
    with override_settings(DATA=folder), transaction.atomic():
        yield copy.deepcopy(sample)
        transaction.set_rollback(True)


@pytest.fixture
def ledger(sample):
    """The sample company for tests that change it: changes are rolled back."""
    with transaction.atomic():
        yield sample
        transaction.set_rollback(True)
