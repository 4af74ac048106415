"""Every address against every role, and against the rows of a company one has no part in (SEC-1).

The table is written by hand from section 11 of the domain, not from the code; an address that is not in it
fails a test. M member, P project manager, A project accountant, D billing administrator, U auditor.
"""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.urls import URLResolver, get_resolver, reverse

from actuals.models import Actual, EntryImport
from backlog.models import BacklogItem
from backlog.operations import approve, confirm_contract, mark_ready
from invoicing_site import files
from invoicing_site.models import SavedView
from ledger.models import FiscalPeriod, InvoiceLine
from ledger.operations import proposals
from proforma import operations as proformas
from proforma.models import LineDetail
from tests.factories import DAY, UserFactory, company, contract, contract_line, time_entry
from tests.factories.rows import MembershipFactory
from tests.journeys.steps import APRIL_1, MARCH_31, drafted, invoiced, journalled

pytestmark = pytest.mark.django_db

ALL = "MPADU"
READERS = "PAU"
BOOKS = "AU"
NOBODY = ""

# Address: who may, and the row that it is about. All others get 403, or 404 where they may not see the row.
WHO = {
    "home": (ALL, None),
    "notices": (ALL, None),
    "read_notices": (ALL, None),
    "search": (ALL, None),
    "save_view": (ALL, None),
    "delete_view": (NOBODY, "view"),  # a view of somebody else's
    "choose_entity": (ALL, None),
    "password_change": (ALL, None),
    "password_change_done": (ALL, None),
    "explain": (READERS, "explain"),
    # The project manager's room
    "backlog": (READERS, None),
    "mark_ready": ("P", None),
    "mark_not_ready": ("P", None),
    "undo_marking": ("P", "action"),
}
# For whoever has not signed in, or does so.
OPEN = {"login", "logout", "favicon.ico", "admin/login/", "admin/password_change/"}
POSTED = {
    "save_view": lambda it: {"name": "mine", "page": "backlog"},
    "choose_entity": lambda it: {"entity": it.entity.pk},
}


def addresses(resolver=None):
    """All patterns of the site but the admin's, which tests/invoicing_site/test_admin.py looks at."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if not isinstance(pattern, URLResolver):
            yield pattern.name or str(pattern.pattern), pattern
        elif pattern.namespace != "admin":
            yield from addresses(pattern)


ADDRESSES = dict(addresses())


def world(code):
    """A company in which each kind of row is there, and the five people who work in it."""
    it = company(code=code)
    deal = contract(it)
    contract_line(
        deal,
        number=2,
        method="fixed",
        project=it.project,
        includes_time=False,
        includes_expense=False,
        includes_material=False,
        includes_fee=False,
        milestones=[{"amount": Decimal(10000), "date": date(2025, 6, 1)}],
    )
    work = [time_entry(it, date=DAY), time_entry(it, date=DAY)]
    confirm_contract(deal, by=it.manager, on=DAY)
    approve(work[:1], by=it.manager, on=MARCH_31)
    journalled(it)
    posted = drafted(it, deal)[0]
    invoice = invoiced(it, posted)
    approve(work[1:], by=it.manager, on=MARCH_31)
    items = BacklogItem.objects.open().filter(contract=deal)
    action = mark_ready(items.filter(actual__isnull=False), by=it.manager).action
    ready = proformas.create_proformas([deal], cutoff=APRIL_1, on=APRIL_1, by=it.manager)[0]
    with transaction.atomic():
        stored = files.store(b"date,project\n", name="entries.csv", media_type="text/csv")
        imported = EntryImport.objects.create(
            entity=it.entity, file=stored, rows=0, added=0, imported_by=it.manager
        )
    waiting = proformas.confirm(ready, by=it.manager, on=APRIL_1)
    proposal = proposals.take_up(waiting)
    it.rows = {
        "view": SavedView.objects.create(user=UserFactory(), page="backlog", name="theirs"),
        "draft_entry": time_entry(it, status="draft", date=DAY),
        "submitted_entry": time_entry(it, date=DAY),
        "approved_entry": work[0],
        "contract": deal,
        "project": it.project,
        "customer": it.customer,
        "action": action,
        "milestone_item": items.filter(milestone_part__isnull=False).get(),
        "proforma": posted,
        "detail": LineDetail.objects.filter(line__proforma=posted).first(),
        "run": proformas.run_invoicing(it.entity, as_of=APRIL_1, by=it.manager, contracts=[deal]),
        "journal": it.entity.journals.first(),
        "proposal": proposal,
        "invoice": invoice,
        "invoice_line": InvoiceLine.objects.filter(invoice=invoice).first(),
        "voucher": invoice.voucher,
        "account": it.entity.accounts.first(),
        "period": FiscalPeriod.objects.filter(entity=it.entity).first(),
        "import": imported,
        "sale": Actual.objects.filter(contract=deal, type="unbilled").first(),
    }
    return it


def people(it):
    """One of each role in the company, by its letter."""
    return {
        "M": it.member,
        "P": it.manager,
        "A": it.accountant,
        "D": it.administrator,
        "U": it.auditor,
    }


def path_of(name, it):
    """The address with the row of that company."""
    pattern = ADDRESSES[name].pattern
    row = WHO[name][1]
    if row == "explain":
        return reverse(name, args=["actual", it.rows["sale"].pk])
    if row == "day":
        return reverse(name, args=["2025-03-10"])
    names = list(pattern.converters) if hasattr(pattern, "converters") else []
    assert len(names) <= 1 or row, f"{name} takes {names}"
    return reverse(name, args=[it.rows[row].pk] if row else [])


def ask(client, name, it):
    """GET where the address answers it, and POST where it only takes that; nothing stays of what it did."""
    view = getattr(ADDRESSES[name].callback, "view_class", None)
    only_post = view and "get" not in view.http_method_names
    path = path_of(name, it)
    with transaction.atomic():
        if only_post:
            data = POSTED.get(name, lambda it: {})(it)
            response = client.post(path, data)
        else:
            response = client.get(path)
        transaction.set_rollback(True)
    return response


def test_no_address_is_unlisted():
    """SEC-1"""
    assert sorted(set(ADDRESSES) - set(WHO) - OPEN) == []
    assert sorted(set(WHO) - set(ADDRESSES)) == []


@pytest.fixture(scope="module")
def two_worlds(django_db_setup, django_db_blocker):
    """Made once for all questions; taken away by the rollback of the transaction around them."""
    with django_db_blocker.unblock():
        atomic = transaction.atomic()
        atomic.__enter__()
        home, foreign = world("HOME"), world("AWAY")
        outsider = UserFactory()
        MembershipFactory(user=outsider, entity=home.entity, role="manager")
        yield SimpleNamespace(home=home, foreign=foreign, outsider=outsider)
        transaction.set_rollback(True)
        atomic.__exit__(None, None, None)


@pytest.mark.parametrize("name", sorted(WHO))
def test_each_role_meets_what_is_theirs(name, two_worlds, client):
    """SEC-1: allowed, or 403, or 404 for a row that they may not even see."""
    allowed, row = WHO[name]
    for letter, user in people(two_worlds.home).items():
        client.force_login(user)
        status = ask(client, name, two_worlds.home).status_code
        if letter in allowed:
            assert status in (200, 302), f"{letter} at {name}: {status}"
        else:
            assert status in ((403, 404) if row else (403,)), f"{letter} at {name}: {status}"


@pytest.mark.parametrize("name", sorted(name for name, (_, row) in WHO.items() if row and row != "day"))
def test_rows_of_another_company_do_not_exist(name, two_worlds, client):
    """SEC-1"""
    for letter, user in people(two_worlds.home).items():
        client.force_login(user)
        assert ask(client, name, two_worlds.foreign).status_code == 404, f"{letter} at {name}"


@pytest.mark.parametrize("name", sorted(name for name, (_, row) in WHO.items() if row and row != "day"))
def test_a_manager_of_other_projects_meets_nothing(name, two_worlds, client):
    """SEC-1"""
    client.force_login(two_worlds.outsider)
    assert ask(client, name, two_worlds.home).status_code == 404


@pytest.mark.parametrize("name", sorted(WHO))
def test_nobody_gets_in_without_signing_in(name, two_worlds, client):
    """SEC-1"""
    response = ask(client, name, two_worlds.home)
    assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("login"))
