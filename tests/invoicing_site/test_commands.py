"""The commands of the project manager, and the behavior that all commands share."""

import json
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from backlog.operations import confirm_contract
from invoicing_site.models import AuditEvent
from proforma.models import ProformaInvoice
from proforma.operations import create_proformas
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2025, 3, 10)


@pytest.fixture
@factories.remembered
def company():
    company = factories.company()
    company.contract = confirm_contract(factories.contract(company), by=company.manager)
    return company


def output(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def json_output(*arguments):
    return json.loads(output(*arguments, "--json"))


def test_a_month_of_the_project_manager(company):
    """APP-2 BKL-2 PRO-5: approve, mark ready, confirm; each prints what it did, and for which user."""
    factories.time_entry(company, "8", date=DAY)
    factories.time_entry(company, "2", date=date(2025, 4, 2))
    manager = ["--by", company.manager.username]
    assert output("approve_entries", "--until", "2025-03-31", *manager) == (
        "1 entry approved: 2 actuals, 1 of them in the backlog.\n"
    )
    assert json_output("mark_ready", "--until", "2025-03-31", *manager) == {"ready": 1, "left": {}}
    assert json_output("mark_ready", *manager) == {"ready": 0, "left": {}}
    (proforma,) = create_proformas([company.contract], cutoff=DAY, on=DAY, by=company.manager)
    assert json_output("confirm_proformas", "--on", "2025-04-01", *manager) == {
        "confirmed": [proforma.number],
        "refused": {},
        "warnings": {},
    }
    assert ProformaInvoice.objects.get().status == "confirmed"
    assert set(
        AuditEvent.objects.filter(action="backlog.approve").values_list("by__username", flat=True)
    ) == {company.manager.username}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["approve_entries", "--entity", "XX"], "There is no legal entity “XX”. Known: NO1."),
        (["approve_entries", "--by", "nobody"], "There is no active user “nobody”."),
        (["approve_entries", "--on", "2098-01-01"], "is in the future"),
        (["approve_entries", "--on", "0026-01-01"], "1 Jan 0026 is out of range"),
        (["approve_entries", "--project", "NOPE"], "There is no project “NOPE” to act on. Known: NO1-P1."),
        (["mark_ready", "--contract", "NOPE"], "There is no contract “NOPE” to act on."),
        (["confirm_proformas", "--number", "NOPE"], "There is no proforma invoice “NOPE” to act on."),
    ],
)
def test_a_wrong_argument_is_refused_and_nothing_changes(company, arguments, sentence):
    """The message says what is wrong; there is no audit event."""
    factories.time_entry(company, "8", date=DAY)
    before = AuditEvent.objects.count()
    with pytest.raises(CommandError, match=sentence):
        output(*arguments)
    assert AuditEvent.objects.count() == before


def test_several_companies_need_a_name(company):
    """SEC-1: a command does not guess the company."""
    factories.company(code="SE1")
    with pytest.raises(CommandError, match="Known: NO1, SE1"):
        output("approve_entries")
