"""Pages of the audit trail: which events a user sees, their words, and the search (SEC-3)."""

import ast
import re

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backlog.models import BacklogAction
from backlog.operations.items import _audited
from invoicing_site.floor import audit
from invoicing_site.floor.audit_words import _WORDS, in_words, known
from invoicing_site.models import AuditEvent
from invoicing_site.pages.audit_trail import flat, parts_of
from ledger.models import FiscalPeriod
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def no1():
    return factories.company(books=False)


@pytest.fixture
def auditor(no1, client):
    client.force_login(no1.auditor)
    return client


def happened(action, subject=None, **fields):
    with transaction.atomic():
        return audit.record(action, subject, **fields)


def words(client, name, *args, **query):
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", ["member", "manager", "accountant", "administrator"])
def test_the_audit_trail_is_for_auditors(client, no1, role):
    """SEC-1 SEC-3"""
    event = happened("backlog.approve", no1.project, entity="NO1")
    client.force_login(getattr(no1, role))
    assert client.get(reverse("audit_trail")).status_code == 403
    assert client.get(reverse("audit_event", args=[event.pk])).status_code == 403


def test_events_of_another_company_are_not_listed(auditor, no1):
    """SEC-1: neither are sign-ins of people of another company."""
    other = factories.company(code="NO2", books=False)
    own = happened("backlog.approve", no1.project, entity="NO1", by=no1.manager)
    foreign = happened("backlog.approve", other.project, entity="NO2", by=other.manager)
    door = happened("invoicing_site.sign_out", other.member, by=other.member)
    stray = happened("contracts.change_user", no1.member, by=no1.administrator)
    page = words(auditor, "audit_trail")
    assert f"/audit/{own.pk}/" in page
    for event in (foreign, door, stray):
        assert f"/audit/{event.pk}/" not in page
        assert auditor.get(reverse("audit_event", args=[event.pk])).status_code == 404


def recorded():
    """Every action that the code records: the names in files that call the audit log."""
    apps_here = {"actuals", "backlog", "contracts", "proforma", "ledger", "invoicing_site"}
    labels = {model._meta.label_lower for model in apps.get_models()}
    found = {_audited(kind) for kind in BacklogAction.Action.values}
    found |= {f"ledger.{verb}" for verb in FiscalPeriod.MOVES.verbs}
    for path in (path for app in apps_here for path in (settings.BASE_DIR / app).rglob("*.py")):
        text = path.read_text()
        if "audit.record" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            name = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            if isinstance(name, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+[a-z]", name):
                found |= {name} if name.partition(".")[0] in apps_here else set()
    return found - labels


def test_every_action_that_is_recorded_has_plain_words():
    """SEC-3: and there are no words for actions that are never recorded."""
    found = recorded()
    assert {"proforma.confirm", "ledger.reopen_period", "actuals.recall"} <= found
    assert sorted(action for action in found if not known(action)) == []
    assert sorted(_WORDS.keys() - found) == []


def test_actions_read_as_plain_words(auditor, no1):
    """SEC-3: in the list, on the page of the event, among the choices of the filter."""
    event = happened("proforma.return_to_draft", no1.project, entity="NO1", by=no1.manager)
    happened("contracts.change_price_list", no1.project, entity="NO1", by=no1.administrator)
    page = words(auditor, "audit_trail")
    assert page.count("Proforma returned to draft") == 2
    assert page.count("Set-up changed: price list") == 2
    assert ">proforma.return_to_draft<" not in page
    assert "Proforma returned to draft</h1>" in words(auditor, "audit_event", event.pk)
    assert in_words("old.forgotten_act") == "Forgotten act"


def test_signing_in_is_listed_in_the_companies_of_the_user(auditor, no1):
    """SEC-3: also a refused sign-in with the name of one of them, and a link that was sent to one of them."""
    came = happened("invoicing_site.sign_in", no1.member, by=no1.member)
    link = happened("invoicing_site.send_password_link", no1.member, by=no1.administrator)
    name = no1.member.username
    refused = happened("invoicing_site.refuse_sign_in", None, username=name)
    nobody = happened("invoicing_site.refuse_sign_in", None, username="nobody")
    other = factories.company(code="NO2", books=False)
    elsewhere = happened("invoicing_site.send_password_link", other.member, by=no1.administrator)
    page = words(auditor, "audit_trail")
    assert f"/audit/{came.pk}/" in page
    assert f"/audit/{refused.pk}/" in page
    assert f"/audit/{link.pk}/" in page
    assert f"“{name}”" in page
    assert f"/audit/{nobody.pk}/" not in page
    assert f"/audit/{elsewhere.pk}/" not in page


def test_events_can_be_searched_and_are_sorted_newest_first(auditor, no1):
    """SEC-3"""
    first = happened("backlog.approve", no1.project, entity="NO1", by=no1.manager)
    second = happened("ledger.post", no1.customer, entity="NO1", by=no1.accountant)
    links = [f"/audit/{event.pk}/" for event in (first, second)]
    page = words(auditor, "audit_trail")
    assert page.index(links[1]) < page.index(links[0])
    for query, shown in [
        ({"by": no1.manager.pk}, [True, False]),
        ({"action": "ledger.post"}, [False, True]),
        ({"subject_type": "contracts.project"}, [True, False]),
        ({"q": "bridge"}, [True, False]),
        ({"until": "2020-01-01"}, [False, False]),
        ({"since": "2020-01-01", "until": "2099-12-31"}, [True, True]),
        ({"since": "2020-01-01"}, [True, True]),
    ]:
        page = words(auditor, "audit_trail", **query)
        assert [link in page for link in links] == shown, query


def test_an_event_shows_before_and_after_and_links_to_its_subject(auditor, no1):
    """SEC-3: what it holds is text, never markup."""
    event = happened(
        "contracts.change_project",
        no1.project,
        entity="NO1",
        by=no1.administrator,
        before={"name": "Old <b>bridge</b>"},
        after={"name": "Bridge"},
        rows=[{"row": "task", "hours": [1, 2]}],
    )
    page = words(auditor, "audit_event", event.pk)
    assert "Old &lt;b&gt;bridge&lt;/b&gt;" in page
    assert "<strong>Bridge</strong>" in page
    assert "1, 2" in page
    assert f'href="{no1.project.get_absolute_url()}"' in page


def test_an_event_of_a_deleted_subject_can_be_read(auditor, no1):
    """SEC-3"""
    gone = AuditEvent.objects.create(
        action="old.act", entity="NO1", subject_type="gone.thing", subject_id="x", subject_text="A thing"
    )
    deleted = AuditEvent.objects.create(
        action="old.act", entity="NO1", subject_type="contracts.project", subject_id="word"
    )
    assert "A thing" in words(auditor, "audit_event", gone.pk)
    words(auditor, "audit_event", deleted.pk)
    words(auditor, "audit_trail")


def test_details_of_any_shape_are_shown():
    """SEC-3"""
    compared, others = parts_of({"changed": {"hours": ["1", "2"]}, "deep": {"a": {"b_c": [True, None]}}})
    assert [(row.name, row.before, row.after) for row in compared] == [("hours", "1", "2")]
    assert others == [("deep › a › b c", "yes, –")]
    assert [(row.before, row.after) for row in parts_of({"before": "draft", "after": "review"})[0]] == [
        ("draft", "review")
    ]
    assert parts_of([{"a": 1}, {"a": 2}])[1] == [("1 › a", "1"), ("2 › a", "2")]
    assert parts_of(None) == ([], [])
    assert dict(flat({"keys": list(range(201))}))["keys"].endswith("199 and 1 more")


def test_the_audit_trail_runs_as_many_queries_for_many_events(auditor, no1):
    """SEC-3"""

    def queries():
        with CaptureQueriesContext(connection) as captured:
            words(auditor, "audit_trail")
        return len(captured)

    happened("backlog.approve", no1.project, entity="NO1", by=no1.manager)
    few = queries()
    for _ in range(20):
        happened("backlog.approve", no1.project, entity="NO1", by=no1.accountant)
    assert queries() == few
