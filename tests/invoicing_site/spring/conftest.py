"""One story for many tests that only look at it, or that change it and take the change back."""

import copy

import pytest
from django.db import transaction
from django.test.utils import override_settings

from tests.invoicing_site.spring.story import told


@pytest.fixture(scope="package")
def db(django_db_setup, django_db_blocker):
    """In place of pytest-django's: one transaction for all tests of this folder, rolled back after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="package")
def told_once(db, tmp_path_factory):
    """The whole story, and the folder of its files."""
    folder = tmp_path_factory.mktemp("data")
    with override_settings(DATA=folder):
        return told(), folder


@pytest.fixture(scope="module")
def story(told_once):
    """The whole story; what a module adds to it is taken back after the module."""
    story, folder = told_once
    with override_settings(DATA=folder), transaction.atomic():
        yield copy.deepcopy(story)
        transaction.set_rollback(True)


@pytest.fixture
def ledger(story):
    """The story, to be changed: when the test ends everything is as it was."""
    with transaction.atomic():
        yield story
        transaction.set_rollback(True)
