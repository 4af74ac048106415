"""Every address with every role, and with rows of a company without a membership (SEC-1).

The table is written by hand from section 11 of the domain, not from the code. An address that is not in the
table fails a test. M member, P project manager, A project accountant, D billing administrator, U auditor.
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
from invoicing_site.floor import files, jobs, seals
from invoicing_site.models import AuditEvent, SavedView
from ledger.invoicing.operations import proposals
from ledger.models import FiscalPeriod, InvoiceLine
from proforma import operations as proformas
from proforma.models import LineDetail
from tests.factories import DAY, UserFactory, company, contract, contract_line, expense_entry, time_entry
from tests.factories.rows import MembershipFactory
from tests.journeys.steps import APRIL_1, MARCH_31, drafted, invoiced, journalled

pytestmark = pytest.mark.django_db

ALL = "MPADU"
READERS = "PAU"
BOOKS = "AU"
NOBODY = ""

# Address: the roles with access, and its row. Others get 403, or 404 if they cannot see the row.
WHO = {
    "home": (ALL, None),
    "notices": (ALL, None),
    "read_notices": (ALL, None),
    "search": (ALL, None),
    "job": ("P", "job"),  # only the user who asked for it
    "try_job_again": ("P", "job"),
    "save_view": (ALL, None),
    "delete_view": (NOBODY, "view"),  # a view of another user
    "choose_entity": (ALL, None),
    "mail_address": (ALL, None),
    "password_change": (ALL, None),
    "password_change_done": (ALL, None),
    "explain": (READERS, "explain"),
    # Pages of the member, and files of entries
    "week": ("M", "day"),
    "project_tasks": ("M", None),
    "entries": ("M", None),
    "submit_entries": ("M", None),
    "recall_entries": ("M", None),
    "delete_entries": ("M", None),
    "entry": ("MPAU", "submitted_entry"),
    "edit_entry": ("M", "draft_entry"),
    "submit_entry": ("M", "draft_entry"),
    "recall_entry": ("M", "submitted_entry"),
    "delete_entry": ("M", "draft_entry"),
    "receipt": ("MPAU", "expense"),
    "expenses": ("M", None),
    "new_expense": ("M", None),
    "new_material": ("M", None),
    "submit_expenses": ("M", None),
    "delete_expenses": ("M", None),
    "imports": ("PA", None),
    "import_file": ("PA", None),
    "import_columns": ("PA", None),
    "import_preview": ("PA", None),
    "import": ("PA", "import"),
    "imported_entries": ("PA", "import"),
    # Pages of the project manager
    "approvals": ("P", None),
    "approve_entries": ("P", None),
    "reject_entries": ("P", None),
    "approved": ("P", None),
    "cancel_approvals": ("P", None),
    "approval": ("P", "submitted_entry"),
    "approval_preview": ("P", "submitted_entry"),
    "reject_entry": ("P", "submitted_entry"),
    "cancel_approval": ("P", "approved_entry"),
    "backlog": (READERS, None),
    "mark_ready": ("P", None),
    "mark_not_ready": ("P", None),
    "hold_items": ("P", None),
    "release_holds": ("P", None),
    "evaluate_items": ("P", None),
    "undo_marking": ("P", "action"),
    "aging": (READERS, None),
    "milestones": (READERS, None),
    "mark_milestones_ready": ("P", None),
    "mark_milestones_not_ready": ("P", None),
    "bill_progress": (READERS, "milestone_item", "P"),
    "contracts": (READERS, None),
    "contract": (READERS, "contract"),
    "confirm_contract": ("P", "contract"),
    "hub": (READERS, None),
    "hub_mark_contract": ("P", "contract"),
    "hub_mark_line": ("P", "line"),
    # Proformas and runs
    "proformas": (READERS, None),
    "new_proforma": ("P", None),
    "create_from_backlog": ("P", None),
    "create_from_milestones": ("P", None),
    "confirm_proformas": ("PA", None),
    "confirming": ("PA", None),
    "submit_proformas": ("P", None),
    "delete_proformas": ("P", None),
    "proforma": (READERS, "proforma"),
    "edit_proforma": ("P", "proforma"),
    "edit_details": ("P", "proforma"),
    "remove_details": ("P", "proforma"),
    "add_detail": ("P", "proforma"),
    "add_pending": ("P", "proforma"),
    "refresh_proforma": ("P", "proforma"),
    "copy_party": ("P", "proforma"),
    "submit_proforma": ("P", "proforma"),
    "return_proforma": ("P", "proforma"),
    "delete_proforma": ("P", "proforma"),
    "confirm_proforma": ("PA", "proforma"),
    "confirm_over_limit": (NOBODY, "proforma"),  # none of them has the extra permission
    "edit_detail": ("P", "detail"),
    "runs": (READERS, None),
    "new_run": ("P", None),
    "run": (READERS, "run"),
    "execute_preview": ("P", "run"),
    # Integration journals
    "journals": (BOOKS, None),
    "waiting_actuals": (BOOKS, None),
    "add_to_journals": ("A", None),
    "post_chosen_journals": ("A", None),
    "back_to_draft_chosen": ("A", None),
    "edit_journal_lines": ("A", None),
    "journal": (BOOKS, "journal"),
    "post_journal": ("A", "journal"),
    "back_to_draft": ("A", "journal"),
    # Invoice proposals
    "proposals": (BOOKS, None),
    "create_proposals": ("A", None),
    "fill_proposals": ("A", None),
    "check_proposals": ("A", None),
    "proposal_checks": ("A", "word"),
    "post_proposals": ("A", "word"),
    "proposals_posting": ("A", "word"),
    "approve_proposals": ("A", None),
    "stuck_proposals": (BOOKS + "D", None),
    "edit_proposal_lines": ("A", None),
    "move_proposal_lines": ("A", None),
    "proposal": (BOOKS, "proposal"),
    "edit_proposal": ("A", "proposal"),
    "fill_proposal": ("A", "proposal"),
    "refill_proposal": ("A", "proposal"),
    "proposal_lines": (BOOKS, "proposal"),
    "proposal_sections": ("A", "proposal"),
    "sections_for_lines": ("A", "proposal"),
    "one_section": ("A", "proposal"),
    "proposal_preview_page": (BOOKS, "proposal"),
    "proposal_preview": (BOOKS, "proposal"),
    "submit_proposal": ("A", "proposal"),
    "approve_proposal": ("A", "proposal"),
    "reject_proposal": ("A", "proposal"),
    "return_proposal": ("A", "proposal"),
    "save_layout": ("A", "proposal"),
    "request_change": ("A", "proposal"),
    "reset_approval": ("D", "proposal"),
    "post_proposal": ("A", "proposal"),
    # Invoices and books
    "invoices": (READERS, None),
    "download_invoices": (READERS, None),
    "invoice": (READERS, "invoice"),
    "invoice_pdf": (READERS, "invoice"),
    "vouchers": (BOOKS, None),
    "voucher": (BOOKS, "voucher"),
    "periods": (BOOKS, None),
    "period": (BOOKS, "period"),
    "close_period": ("A", "period"),
    "hold_period": ("A", "period"),
    "reopen_period": ("A", "period"),
    "add_fiscal_year": ("A", "year"),
    "reports": (BOOKS, None),
    "trial_balance": (BOOKS, None),
    "aged_receivables": (BOOKS, None),
    "account": (BOOKS, "account"),
    "customers": (READERS, None),
    "customer": (READERS, "customer"),
    "projects": (READERS, None),
    "project": (READERS, "project"),
    "audit_trail": ("U", None),
    "audit_event": ("U", "event"),
    "seals": ("U", None),
    "newest_seal": ("U", None),
}
# For visitors who have not signed in.
OPEN = {
    "login",
    "logout",
    "password_reset",
    "password_reset_done",
    "password_reset_confirm",
    "favicon.ico",
    "admin/login/",
    "admin/password_change/",
}
POSTED = {
    "save_view": lambda it: {"name": "mine", "page": "backlog"},
    "choose_entity": lambda it: {"entity": it.entity.pk},
}


def addresses(resolver=None):
    """All patterns of the site except the admin's, which tests/invoicing_site/test_admin.py covers."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if not isinstance(pattern, URLResolver):
            yield pattern.name or str(pattern.pattern), pattern
        elif pattern.namespace != "admin":
            yield from addresses(pattern)


ADDRESSES = dict(addresses())


def world(code):
    """A company with a row of each kind, and its five users."""
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
    work = [time_entry(it, date=DAY) for _ in range(3)]
    confirm_contract(deal, by=it.manager, on=DAY)
    approve(work[:1], by=it.manager, on=MARCH_31)
    journalled(it)
    posted = drafted(it, deal)[0]
    invoice = invoiced(it, posted)
    approve(work[1:2], by=it.manager, on=MARCH_31)
    items = BacklogItem.objects.open().filter(contract=deal)
    action = mark_ready(items.filter(actual__isnull=False), by=it.manager).action
    ready = proformas.create_proformas([deal], cutoff=APRIL_1, on=APRIL_1, by=it.manager)[0]
    with transaction.atomic():
        stored = files.store(b"date,project\n", name="entries.csv", media_type="text/csv")
        imported = EntryImport.objects.create(
            entity=it.entity, file=stored, rows=0, added=0, imported_by=it.manager
        )
    waiting = proformas.confirm(ready, by=it.manager, on=APRIL_1)
    proposal = proposals.create_proposal(waiting)
    approve([work[2]], by=it.manager, on=MARCH_31)
    mark_ready(items.filter(actual__isnull=False), by=it.manager)
    draft = proformas.create_proformas([deal], cutoff=APRIL_1, on=APRIL_1, by=it.manager)[0]
    for stale in (work[0], deal):
        stale.refresh_from_db()
    it.rows = {
        "job": jobs.add("confirm_proformas", by=it.manager, entity=it.entity, proformas=[draft.pk], on=None),
        "view": SavedView.objects.create(user=UserFactory(), page="backlog", name="theirs"),
        "draft_entry": time_entry(it, status="draft", date=DAY),
        "submitted_entry": time_entry(it, date=DAY),
        "expense": expense_entry(it, date=DAY),
        "approved_entry": work[0],
        "contract": deal,
        "project": it.project,
        "customer": it.customer,
        "action": action,
        "milestone_item": items.filter(milestone_part__isnull=False).get(),
        "proforma": draft,
        "detail": LineDetail.objects.filter(line__proforma=draft).first(),
        "run": proformas.run_invoicing(it.entity, as_of=APRIL_1, by=it.manager, contracts=[deal]),
        "journal": it.entity.journals.first(),
        "proposal": proposal,
        "invoice": invoice,
        "posted_proposal": invoice.proposal,
        "invoice_line": InvoiceLine.objects.filter(invoice=invoice).first(),
        "voucher": invoice.voucher,
        "account": it.entity.accounts.first(),
        "period": FiscalPeriod.objects.filter(entity=it.entity).first(),
        "year": it.entity.fiscal_years.last(),
        "import": imported,
        "event": AuditEvent.objects.filter(entity=code).first(),
        "sale": Actual.objects.filter(contract=deal, type="unbilled").first(),
    }
    seals.seal_all()
    it.keys = {
        "explain": ["actual", it.rows["sale"].pk],
        "day": ["2025-03-10"],
        "word": ["nothing"],
        "line": [deal.pk, deal.lines.first().pk],
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
    row = WHO[name][1]
    if row in it.keys:
        return reverse(name, args=it.keys[row])
    return reverse(name, args=[it.rows[row].pk] if row else [])


def methods(name):
    """The HTTP methods of the address."""
    view = getattr(ADDRESSES[name].callback, "view_class", None)
    gets = view is None or "get" in view.http_method_names
    posts = hasattr(view, "post") and "post" in view.http_method_names
    return ["get"] * gets + ["post"] * posts


def ask(client, name, it, method):
    """Send the request, and roll back its changes."""
    data = POSTED.get(name, lambda it: {})(it) if method == "post" else None
    with transaction.atomic():
        response = getattr(client, method)(path_of(name, it), data)
        transaction.set_rollback(True)
    return response


def statuses(client, name, it, user):
    """The status codes for this person, by method."""
    client.force_login(user)
    return {method: ask(client, name, it, method).status_code for method in methods(name)}


def test_every_address_is_listed():
    """SEC-1"""
    assert sorted(set(ADDRESSES) - set(WHO) - OPEN) == []
    assert sorted(set(WHO) - set(ADDRESSES)) == []


@pytest.fixture(scope="module")
def two_worlds(django_db_setup, django_db_blocker):
    """Created once for all requests; rolled back with the transaction around them."""
    with django_db_blocker.unblock():
        atomic = transaction.atomic()
        atomic.__enter__()
        home, foreign = world("HOME"), world("AWAY")
        outsider = UserFactory()
        MembershipFactory(user=outsider, entity=home.entity, role="manager")
        yield SimpleNamespace(home=home, foreign=foreign, outsider=outsider)
        transaction.set_rollback(True)
        atomic.__exit__(None, None, None)


ROWS = sorted(name for name, (_, row, *_) in WHO.items() if row not in (None, "day", "word"))


@pytest.mark.parametrize("name", sorted(WHO))
def test_each_role_gets_the_expected_status(name, two_worlds, client):
    """SEC-1: allowed, or 403, or 404 for a row that they cannot see."""
    readers, row, *posters = WHO[name]
    may = {"get": readers, "post": posters[0] if posters else readers}
    for letter, user in people(two_worlds.home).items():
        for method, status in statuses(client, name, two_worlds.home, user).items():
            # Users with access may still get 404: a file or a receipt may not exist.
            good = (200, 302, 404) if row in ("word", "expense") else (200, 302, 409)
            expected = good if letter in may[method] else (403, 404) if row else (403,)
            assert status in expected, f"{letter} {method} {name}: {status}"


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_another_company_are_not_found(name, two_worlds, client):
    """SEC-1"""
    for letter, user in people(two_worlds.home).items():
        for method, status in statuses(client, name, two_worlds.foreign, user).items():
            # On a list below a row, users without the permission are refused before the row is read.
            expected = (404,) if letter in WHO[name][0] else (404, 403)
            assert status in expected, f"{letter} {method} {name}"


@pytest.mark.parametrize("name", ROWS)
def test_a_manager_of_other_projects_sees_no_rows(name, two_worlds, client):
    """SEC-1"""
    answers = statuses(client, name, two_worlds.home, two_worlds.outsider)
    assert set(answers.values()) <= ({404} if "P" in WHO[name][0] else {404, 403})


@pytest.mark.parametrize("name", sorted(WHO))
def test_all_pages_need_a_sign_in(name, two_worlds, client):
    """SEC-1"""
    for method in methods(name):
        response = ask(client, name, two_worlds.home, method)
        assert (response.status_code, response.url.partition("?")[0]) == (302, reverse("login"))
