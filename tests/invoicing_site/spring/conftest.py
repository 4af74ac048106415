"""One story for many tests that only look at it, or that change it and take the change back."""

import pytest
from django.db import transaction
from django.test.utils import override_settings

from tests.invoicing_site.spring.story import told


@pytest.fixture(scope="module")
def db(django_db_setup, django_db_blocker):
    """In place of pytest-django's: one transaction for all tests of a module, rolled back after them."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def story(db, tmp_path_factory):
    """The whole story, told once."""
    with override_settings(DATA=tmp_path_factory.mktemp("data")):
        yield told()


@pytest.fixture
def ledger(story):
    """The story, to be changed: when the test ends everything is as it was."""
    with transaction.atomic():
        yield story
        transaction.set_rollback(True)
