"""Metrics for Prometheus if LEDGERLINE_METRICS_TOKEN is set: requests, and waiting or failed work."""

import logging
import os
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from invoicing_site.floor import jobs, seals
from invoicing_site.floor.recent import Recent
from invoicing_site.models import Heartbeat, Job, Seal
from ledger.models import InvoiceProposal
from proforma.models import InvoiceRun, RunContract

logger = logging.getLogger(__name__)


def metrics(get_response):
    """Middleware for /metrics/, for requests with the token.

    Prometheus calls it by IP address and without TLS, so the middleware comes before the checks of both.
    """

    def middleware(request):
        if request.path_info != "/metrics/":
            return get_response(request)
        wanted = f"Bearer {settings.METRICS_TOKEN}"
        if not constant_time_compare(request.headers.get("Authorization", ""), wanted):
            headers = {"WWW-Authenticate": "Bearer"}
            return HttpResponse("A token is needed.\n", "text/plain", 401, headers=headers)
        page = b"".join(generate_latest(registry) for registry in (_of_pages(), _OF_OURS))
        return HttpResponse(page, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    return middleware


def _of_pages():
    """The metrics of django-prometheus, of all web processes of this server together (see `up`)."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


class _Ours:
    """Metrics of the database for operators, at most a few seconds old."""

    def collect(self):
        return _recent.get()

    def describe(self):
        return []  # otherwise registering would query the database


_OF_OURS = CollectorRegistry()
_OF_OURS.register(_Ours())


def _asked():
    up = GaugeMetricFamily("ledgerline_database_up", "1 if the database answers, otherwise 0", value=1)
    try:
        return [up, *_gauges(timezone.now())]
    except DatabaseError:
        logger.exception("The database does not answer.")
        return [GaugeMetricFamily(up.name, up.documentation, value=0)]


_recent = Recent(_asked, seconds=5)


def _gauges(now):
    """One query per metric, each using an index or a small table."""
    open_jobs = Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])
    waiting = open_jobs.aggregate(n=Count("pk"), oldest=Min("asked_at"))
    yield GaugeMetricFamily(
        "ledgerline_jobs_waiting", "Background jobs that are waiting or running", value=waiting["n"]
    )
    yield GaugeMetricFamily(
        "ledgerline_jobs_oldest_age_seconds",
        "Age of the oldest of these jobs",
        value=_age(waiting["oldest"], now),
    )
    a_day_ago = now - timedelta(hours=24)
    yield GaugeMetricFamily(
        "ledgerline_jobs_failed",
        "Jobs of the last 24 hours that failed so often that they are not tried again",
        value=Job.objects.filter(
            ended_at__gte=a_day_ago, state=Job.State.FAILED, outcome_code=jobs.GAVE_UP
        ).count(),
    )
    yield GaugeMetricFamily(
        "ledgerline_run_contracts_failed",
        "Contracts that failed in the invoice runs of the last 24 hours",
        value=RunContract.objects.filter(
            run__started_at__gte=a_day_ago,
            run__kind=InvoiceRun.Kind.RUN,
            outcome=RunContract.Outcome.FAILED,
        ).count(),
    )
    yield _proposals()
    yield GaugeMetricFamily(
        "ledgerline_unsealed_rows", "Final rows that are not sealed yet", value=seals.unsealed()
    )
    if newest := Seal.objects.first():
        yield GaugeMetricFamily(
            "ledgerline_seal_age_seconds", "Age of the newest seal", value=_age(newest.at, now)
        )
    beats = GaugeMetricFamily(
        "ledgerline_heartbeat_age_seconds", "Time since the last heartbeat of clock and worker", labels=["of"]
    )
    for name, at in Heartbeat.objects.order_by("name").values_list("name", "at"):
        beats.add_metric([name], _age(at, now))
    yield beats


def _proposals():
    """The proposals that are not posted or returned, by status."""
    waiting = GaugeMetricFamily(
        "ledgerline_proposals_waiting", "Invoice proposals that are not posted yet", labels=["status"]
    )
    status = InvoiceProposal.Status
    unposted = (status.BLOCKED, status.OPEN, status.SUBMITTED, status.APPROVED)
    rows = InvoiceProposal.objects.filter(status__in=unposted).order_by()
    found = dict(rows.values_list("status").annotate(n=Count("pk")))
    for each in unposted:
        waiting.add_metric([each.value], found.get(each, 0))
    return waiting


def _age(moment, now):
    """The age in seconds; 0 if there is none."""
    return max((now - moment).total_seconds(), 0) if moment else 0
