"""The blockers of proposals, of one or of many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.invoicing.blockers import all_blocked_by, blocked_by
from ledger.invoicing.operations.proposals import create_proposal
from ledger.journal.operations import journals
from tests.ledger.billing import MARCH_31, confirmed, work

pytestmark = pytest.mark.django_db


def test_blockers_of_many_equal_those_of_each(no1, contract):
    """PRP-1: in four queries for all: the details, their actuals, the journals, and the queue."""
    waiting = [create_proposal(confirmed(no1, work(no1, contract))) for _ in range(2)]
    journals.add_to_journals(no1.entity, on=MARCH_31, by=None)
    waiting.append(create_proposal(confirmed(no1, work(no1, contract), work(no1, contract))))

    with CaptureQueriesContext(connection) as queries:
        found = all_blocked_by(waiting)

    assert len(queries) == 4
    assert found == {each.pk: blocked_by(each) for each in waiting}
    assert [len(found[each.pk].left_out) for each in waiting] == [0, 0, 2]
    assert [found[each.pk].journals[0].waiting_for for each in waiting[:2]] == [1, 1]
