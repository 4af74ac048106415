"""A list costs as many queries for a thousand rows as for ten (BKL-1, JRN-2)."""

import copy
import itertools

import pytest
from django import forms
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.http import urlencode

from backlog.models import BacklogItem
from invoicing_site.floor import audit
from invoicing_site.floor.querysets import write_rows
from invoicing_site.models import AuditEvent, Seal
from invoicing_site.screens import ListScreen
from tests.test_access import ADDRESSES, world

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def whole_company(django_db_setup, django_db_blocker):
    """Created once; rolled back with the transaction around all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield world("NO1")
        transaction.set_rollback(True)


@pytest.fixture
def it(whole_company, db):
    return whole_company


_places = itertools.count(10_000)


def numbered(letter):
    """A number that no other row has."""
    return lambda i: f"{letter}{next(_places)}"


def copies(row, n, **fields):
    """n more rows like that one; a field can be a function of the number of the copy."""
    rows = []
    for number in range(n):
        duplicate = copy.copy(row)
        duplicate._state = copy.copy(row._state)
        duplicate._state.adding, duplicate.pk = True, None
        for name, value in fields.items():
            setattr(duplicate, name, value(number) if callable(value) else value)
        rows.append(duplicate)
    with transaction.atomic():
        return write_rows(type(row), rows)


def entries(it, n):
    for name in ("draft_entry", "submitted_entry", "approved_entry"):
        copies(it.rows[name], n)


def items(it, n):
    actual = it.rows["sale"]
    facts = copies(actual, n, entry=None, cost=None)
    item = BacklogItem.objects.get(actual=actual)
    copies(item, n, actual_id=lambda i: facts[i].pk, status="not_ready", limit_status="na")


def milestones(it, n):
    item = it.rows["milestone_item"]
    parts = copies(item.milestone_part, n, split_from_id=item.milestone_part_id)
    copies(item, n, milestone_part_id=lambda i: parts[i].pk, actual=None)


def proformas(it, n):
    copies(it.rows["proforma"], n, number=numbered("P"), status="draft", batch=None)


def runs(it, n):
    copies(it.rows["run"], n)


def contracts(it, n):
    made = copies(it.rows["contract"], n, code=numbered("C"))
    copies(it.rows["contract"].lines.first(), n, contract_id=lambda i: made[i].pk)


def customers(it, n):
    copies(it.rows["customer"], n, number=numbered("K"))


def projects(it, n):
    copies(it.rows["project"], n, code=numbered("Q"))


def journals(it, n):
    copies(it.rows["journal"], n, number=numbered("J"))


def journal_lines(it, n):
    facts = copies(it.rows["sale"], n, entry=None, cost=None)
    line = it.rows["journal"].lines.first()
    copies(line, n, actual_id=lambda i: facts[i].pk)


def proposals(it, n):
    made = copies(it.rows["proforma"], n, number=numbered("P"), batch=None, status="draft")
    copies(it.rows["proposal"], n, proforma_id=lambda i: made[i].pk, number=numbered("R"))


def vouchers(it, n):
    invoice = it.rows["invoice"].voucher
    return copies(invoice, n, number=numbered("V"), position=lambda i: next(_places), posted_in=None)


def invoices(it, n):
    made = copies(it.rows["proforma"], n, number=numbered("P"), batch=None, status="draft")
    own = it.rows["invoice"].proposal
    held = copies(own, n, proforma_id=lambda i: made[i].pk, number=numbered("R"))
    books = vouchers(it, n)
    copies(
        it.rows["invoice"],
        n,
        number=numbered("F"),
        seq=lambda i: next(_places),
        proposal_id=lambda i: held[i].pk,
        voucher_id=lambda i: books[i].pk,
    )


def expenses(it, n):
    copies(it.rows["expense"], n)


def imported(it, n):
    copies(it.rows["draft_entry"], n, source=it.rows["import"])


def proposal_lines(it, n):
    line = it.rows["invoice"].proposal.lines.first()
    details = copies(line.detail, n, backlog_item=None, added_by=it.manager)
    copies(line, n, detail_id=lambda i: details[i].pk, number=lambda i: next(_places))


def imports(it, n):
    copies(it.rows["import"], n)


def events(it, n):
    with transaction.atomic():
        audit.record("tests.happened", it.rows["contract"], by=it.manager, entity=it.entity.code)
    copies(AuditEvent.objects.last(), n)


def seals(it, n):
    last = Seal.objects.first()
    copies(last, n, number=lambda i: last.number + i + 1)


# List: its reader, and the function that fills it.
FILLED = {
    "backlog": ("manager", items),
    "milestones": ("manager", milestones),
    "entries": ("member", entries),
    "expenses": ("member", expenses),
    "approvals": ("manager", entries),
    "approved": ("manager", entries),
    "imports": ("manager", imports),
    "contracts": ("accountant", contracts),
    "hub": ("accountant", contracts),
    "proformas": ("manager", proformas),
    "runs": ("manager", runs),
    "journals": ("accountant", journals),
    "proposals": ("accountant", proposals),
    "invoices": ("accountant", invoices),
    "vouchers": ("accountant", vouchers),
    "customers": ("accountant", customers),
    "projects": ("accountant", projects),
    "audit_trail": ("auditor", events),
    "seals": ("auditor", seals),
}
# Lists of one row: the kind of that row.
UNDER = {
    "imported_entries": ("manager", imported, "import"),
    "journal": ("accountant", journal_lines, "journal"),
    "proposal_lines": ("accountant", proposal_lines, "posted_proposal"),
}


def queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(address)
    assert response.status_code == 200
    return len(captured), response


def address_of(name, it):
    who, _, row = (*FILLED[name], None) if name in FILLED else UNDER[name]
    return who, reverse(name, args=[it.rows[row].pk] if row else [])


def every_choice(form):
    """Each filter with a choice, with all its values at once or one after the other."""
    for name, field in form.fields.items():
        values = [str(value) for value, _ in getattr(field, "choices", ()) if value]
        if isinstance(field, forms.MultipleChoiceField):
            yield [(name, value) for value in values]
        else:
            yield from ([(name, value)] for value in values)


@pytest.mark.parametrize("name", sorted([*FILLED, *UNDER]))
def test_no_filter_makes_the_rows_distinct(name, it, client):
    """DISTINCT sorts all rows before the first can be shown."""
    who, address = address_of(name, it)
    client.force_login(getattr(it, who))
    form = client.get(address).context["filter"].form
    for chosen in [[("q", "work")], *every_choice(form)]:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{address}?{urlencode(chosen)}").status_code == 200
        assert [query["sql"] for query in captured if "SELECT DISTINCT" in query["sql"].upper()] == []


def test_every_list_is_measured():
    lists = {
        name
        for name, pattern in ADDRESSES.items()
        if issubclass(getattr(pattern.callback, "view_class", object), ListScreen)
    }
    assert sorted(lists - set(FILLED) - set(UNDER)) == []


@pytest.mark.parametrize("name", sorted([*FILLED, *UNDER]))
def test_a_thousand_rows_cost_as_many_queries_as_ten(name, it, client):
    _, fill, *_ = FILLED[name] if name in FILLED else UNDER[name]
    who, address = address_of(name, it)
    client.force_login(getattr(it, who))
    address += "?_size=200"
    fill(it, 10)
    client.get(address)  # fill the caches of the process first
    few, _ = queries(client, address)
    fill(it, 990)
    many, response = queries(client, address)
    assert response.context["matching"] >= 1000
    assert many <= few
