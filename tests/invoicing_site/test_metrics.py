"""Metrics for Prometheus: who may read them, and what they count."""

import datetime
import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contracts.models import LegalEntity
from invoicing_site.floor import audit, seals
from invoicing_site.models import Heartbeat, Job
from invoicing_site.pages import metrics
from proforma.models import InvoiceRun, RunContract
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work
from tests.running import environment, python

TOKEN = "only-for-tests-0123456789abcdef0123456789"
# MIDDLEWARE as in the settings with a token.
BEFORE = "django_prometheus.middleware.PrometheusBeforeMiddleware"
AFTER = "django_prometheus.middleware.PrometheusAfterMiddleware"


@pytest.fixture
def on(settings):
    """A client of a site with the token; no test uses the stored result of another test."""
    first, *rest = settings.MIDDLEWARE
    settings.MIDDLEWARE = [first, "invoicing_site.pages.metrics.metrics", BEFORE, *rest, AFTER]
    settings.METRICS_TOKEN = TOKEN
    metrics._recent.forget()
    yield Client()
    metrics._recent.forget()


def read(client):
    """Every sample by its name with labels."""
    metrics._recent.forget()
    answer = client.get("/metrics/", headers={"authorization": f"Bearer {TOKEN}", "host": "10.1.2.3"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.django_db
def test_without_a_token_metrics_are_not_found(client, admin_client):
    assert client.get("/metrics/", headers={"authorization": "Bearer "}).status_code in (302, 404)
    assert admin_client.get("/metrics/").status_code == 404


@pytest.mark.parametrize(
    "sent", ["", "Bearer ", "Bearer another", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}å"]
)
def test_metrics_need_the_token(on, sent):
    answer = on.get("/metrics/", headers={"authorization": sent})
    assert answer.status_code == 401
    assert answer.text == "A token is needed.\n"


@pytest.mark.parametrize(
    ("token", "measured"), [("", "False False"), (TOKEN, "True True"), ("short", "is too short")]
)
def test_the_setting_switches_it_on(tmp_path, token, measured):
    program = "import invoicing_site.settings as s; print(*[any(w in m for m in s.MIDDLEWARE) for w in "
    program += "('pages.metrics', 'django_prometheus')])"
    result = python("-c", program, env=environment(tmp_path, LEDGERLINE_METRICS_TOKEN=token))
    assert measured in result.stdout + result.stderr


def test_the_rest_of_the_tests_use_the_same_middleware_as_the_settings(tmp_path, on, settings):
    program = "import invoicing_site.settings as s; print(*s.MIDDLEWARE)"
    result = python("-c", program, env=environment(tmp_path, LEDGERLINE_METRICS_TOKEN=TOKEN))
    assert result.stdout.split() == settings.MIDDLEWARE


@pytest.mark.django_db
def test_pages_are_counted_by_their_name_under_the_same_policy(on):
    name = 'django_http_responses_total_by_status_view_method_total{method="GET",status="200",view="login"}'
    before = read(on).get(name, 0)
    page = on.get("/sign-in/")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert read(on)[name] == before + 1


def ours(client):
    return {name: value for name, value in read(client).items() if name.startswith("ledgerline_")}


@pytest.mark.django_db
def test_an_empty_database_has_its_zeros(on):
    assert ours(on) == {
        "ledgerline_database_up": 1,
        "ledgerline_jobs_waiting": 0,
        "ledgerline_jobs_oldest_age_seconds": 0,
        "ledgerline_jobs_failed": 0,
        "ledgerline_run_contracts_failed": 0,
        'ledgerline_proposals_waiting{status="blocked"}': 0,
        'ledgerline_proposals_waiting{status="open"}': 0,
        'ledgerline_proposals_waiting{status="submitted"}': 0,
        'ledgerline_proposals_waiting{status="approved"}': 0,
        "ledgerline_unsealed_rows": 0,
    }


@pytest.mark.django_db
def test_jobs_that_wait_and_those_that_were_given_up(on):
    now = timezone.now()
    for age, values in (
        (5, {"state": "waiting"}),
        (90, {"state": "running"}),
        (3600, {"state": "done", "ended_at": now}),
        (3600, {"state": "failed", "ended_at": now, "outcome_code": "GAVE-UP"}),
        (3600, {"state": "failed", "ended_at": now, "outcome_code": "CHANGED"}),
        (3600, {"state": "failed", "ended_at": now - timedelta(hours=25), "outcome_code": "GAVE-UP"}),
    ):
        asked_at = now - timedelta(seconds=age)
        Job.objects.create(kind="tests", asked_at=asked_at, due_at=now, **values)
    found = ours(on)
    assert found["ledgerline_jobs_waiting"] == 2
    assert found["ledgerline_jobs_failed"] == 1
    assert 90 <= found["ledgerline_jobs_oldest_age_seconds"] < 150


@pytest.mark.django_db
def test_contracts_that_failed_in_the_runs_of_a_day(on):
    it = factories.company()
    contract = factories.contract(it, confirmed=True)
    now = timezone.now()
    for hours, kind, outcome in (
        (1, "run", "failed"),
        (23, "run", "failed"),
        (25, "run", "failed"),
        (1, "preview", "failed"),
        (1, "run", "created"),
    ):
        run = InvoiceRun.objects.create(
            entity=it.entity,
            kind=kind,
            trigger="schedule",
            as_of=datetime.date(2026, 12, 15),
            started_at=now - timedelta(hours=hours),
        )
        RunContract.objects.create(run=run, contract=contract, outcome=outcome)
    assert ours(on)["ledgerline_run_contracts_failed"] == 2


@pytest.mark.django_db
def test_proposals_that_are_not_posted(on, monkeypatch):
    monkeypatch.setattr(LegalEntity, "today", lambda self: MARCH_31)
    it = factories.company()
    proposed(it, work(it, factories.contract(it, confirmed=True)))
    found = ours(on)
    assert found['ledgerline_proposals_waiting{status="open"}'] == 1
    assert found['ledgerline_proposals_waiting{status="blocked"}'] == 0


@pytest.mark.django_db
def test_rows_that_are_not_sealed_and_the_age_of_the_newest_seal(on):
    for _ in range(3):
        audit.record("tests.happened", None)
    assert ours(on)["ledgerline_unsealed_rows"] == 3
    seals.seal_all()
    found = ours(on)
    assert found["ledgerline_unsealed_rows"] == 0
    assert 0 <= found["ledgerline_seal_age_seconds"] < 60
    audit.record("tests.happened", None)
    assert ours(on)["ledgerline_unsealed_rows"] == 1


@pytest.mark.django_db
def test_the_heartbeats(on):
    Heartbeat.objects.create(name="clock", at=timezone.now() - timedelta(seconds=70))
    found = ours(on)
    assert 70 <= found['ledgerline_heartbeat_age_seconds{of="clock"}'] < 130
    assert 'ledgerline_heartbeat_age_seconds{of="worker"}' not in found


@pytest.mark.django_db
def test_metrics_query_the_database_once_in_some_seconds(on):
    read(on)
    with CaptureQueriesContext(connection) as queries:
        on.get("/metrics/", headers={"authorization": f"Bearer {TOKEN}"})
    assert len(queries) == 0


def test_a_database_that_is_down_is_a_metric_too(on, monkeypatch):
    def gone(now):
        raise DatabaseError("gone")

    monkeypatch.setattr(metrics, "_gauges", gone)
    assert ours(on) == {"ledgerline_database_up": 0}


def test_every_metric_is_in_the_docs(settings):
    source = (settings.BASE_DIR / "invoicing_site/pages/metrics.py").read_text()
    manual = (settings.BASE_DIR / "docs/operators.md").read_text()
    names = set(re.findall(r'"(ledgerline_\w+)"', source))
    assert len(names) == 9
    assert [name for name in sorted(names) if f"`{name}" not in manual] == []
