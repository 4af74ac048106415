"""Fiscal periods: open, on hold, closed, and which operations wait for each other."""

import datetime
import threading

import pytest
from django.db import connection, connections, transaction

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import LockingQuerySet
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent
from ledger.books.periods import PeriodBook, hold_open, next_open_day, period_of
from ledger.closing.operations import close_period, put_on_hold, reopen_period
from ledger.closing.still_open import earlier_open, still_open
from ledger.invoicing.operations import posting, writing
from ledger.journal.operations import journals
from ledger.journal.operations.journals import add_to_journals
from ledger.models import FiscalPeriod, InvoiceProposal
from proforma.models import ProformaInvoice
from tests.factories import ActualFactory, company, contract, time_entry
from tests.ledger.billing import proposed, work
from tests.threads import ended

pytestmark = pytest.mark.django_db

MARCH_10 = datetime.date(2025, 3, 10)
MARCH_31 = datetime.date(2025, 3, 31)
APRIL_1 = datetime.date(2025, 4, 1)
MAY_1 = datetime.date(2025, 5, 1)


@pytest.fixture
def march(no1):
    return period_of(no1.entity, MARCH_10)


def test_a_day_has_its_period(no1):
    """PST-6"""
    period = period_of(no1.entity, MARCH_31)

    assert (period.starts, period.ends) == (datetime.date(2025, 3, 1), MARCH_31)
    assert period_of(no1.entity, APRIL_1).starts == APRIL_1


def test_a_day_outside_the_books_is_refused(no1):
    """PST-6"""
    with pytest.raises(Refused, match="no fiscal period for 1 Jan 2031") as refusal:
        period_of(no1.entity, datetime.date(2031, 1, 1))
    assert refusal.value.code == "PERIOD-MISSING"


def test_a_day_in_a_gap_between_periods_is_refused(no1, march):
    """PST-6"""
    FiscalPeriod.objects.filter(pk=march.pk).delete()

    with pytest.raises(Refused, match="no fiscal period for 10 Mar 2025"):
        PeriodBook.load(no1.entity).period(MARCH_10)


@pytest.mark.parametrize(("turn", "status"), [(close_period, "closed"), (put_on_hold, "on hold")])
def test_only_open_periods_can_be_posted_in(no1, march, turn, status):
    """PST-6"""
    turn(march, by=no1.accountant)

    with transaction.atomic(), pytest.raises(Refused, match=f"March 2025 of .* is {status}") as refusal:
        hold_open(no1.entity, [APRIL_1, MARCH_10])
    assert refusal.value.code == "PERIOD-CLOSED"
    assert hold_open(no1.entity, [APRIL_1])[APRIL_1].starts == APRIL_1


def test_a_reopened_period_can_be_posted_in_again(no1, march):
    """PST-6"""
    close_period(march, by=no1.accountant)
    reopen_period(march, by=no1.accountant)

    assert hold_open(no1.entity, [MARCH_10, MARCH_31]) == {MARCH_10: march, MARCH_31: march}
    actions = AuditEvent.objects.filter(subject_type="ledger.fiscalperiod").order_by("pk")
    assert [(event.action, event.by, event.detail["before"], event.detail["after"]) for event in actions] == [
        ("ledger.close_period", no1.accountant, "open", "closed"),
        ("ledger.reopen_period", no1.accountant, "closed", "open"),
    ]


def test_a_period_is_not_closed_twice(no1, march):
    """PST-6"""
    close_period(march, by=None)

    with pytest.raises(Refused, match="March 2025 of .* is already closed") as refusal:
        close_period(march, by=None)
    assert refusal.value.code == "PERIOD-STATUS"


def test_the_next_open_day_skips_periods_that_are_closed_or_on_hold(no1, march):
    """JRN-2"""
    assert next_open_day(no1.entity, MARCH_10) == MARCH_10
    close_period(march, by=None)
    assert next_open_day(no1.entity, MARCH_10) == APRIL_1
    put_on_hold(period_of(no1.entity, APRIL_1), by=None)
    assert next_open_day(no1.entity, MARCH_10) == MAY_1


def test_without_a_later_open_period_there_is_no_next_day(no1):
    """JRN-2"""
    no1.entity.fiscal_periods.update(status="closed")

    with pytest.raises(Refused, match="no open period after 10 Mar 2025") as refusal:
        next_open_day(no1.entity, MARCH_10)
    assert refusal.value.code == "NO-OPEN-PERIOD"


def test_closing_lists_open_items(no1, march):
    """PST-6"""
    deal = contract(no1, confirmed=True)
    share = deal.customers.get()
    time_entry(no1, date=datetime.date(2025, 3, 5))
    time_entry(no1, date=MARCH_31, status="draft")
    time_entry(no1, date=APRIL_1)
    ActualFactory(line=deal.lines.get(), date=MARCH_10)
    add_to_journals(no1.entity, on=MARCH_31, by=None)
    ActualFactory(line=deal.lines.get(), date=MARCH_31)
    ActualFactory(line=deal.lines.get(), date=MARCH_31, booked_by="nothing")

    def proforma(number, **status):
        return ProformaInvoice.objects.create(
            entity=no1.entity,
            number=number,
            contract=deal,
            contract_customer=share,
            customer=share.customer,
            currency="NOK",
            cutoff=MARCH_31,
            accounting_date=MARCH_31,
            **status,
        )

    proforma("PF-1")
    waiting = proforma("PF-2")
    InvoiceProposal.objects.create(
        proforma=waiting, entity=no1.entity, number="PF-2", contract_customer=share, invoice_date=MARCH_31
    )

    left = close_period(march, by=no1.accountant)

    assert [(row.code, row.count, row.oldest) for row in left] == [
        ("ENTRIES", 2, datetime.date(2025, 3, 5)),
        ("ACTUALS", 1, MARCH_31),
        ("JOURNAL-LINES", 1, MARCH_10),
        ("PROFORMAS", 2, MARCH_31),
        ("PROPOSALS", 1, MARCH_31),
    ]
    assert left[0].reason == Reason("ENTRIES-OPEN", count=2)
    assert FiscalPeriod.objects.get(pk=march.pk).status == "closed"
    event = AuditEvent.objects.get(action="ledger.close_period")
    assert event.detail["still_open"]["JOURNAL-LINES"] == 1


def test_an_empty_period_has_nothing_open(no1, march):
    """PST-6"""
    assert still_open(march) == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_a_running_posting():
    """PST-6: nothing is posted into a closed period."""
    no1 = company()
    march = period_of(no1.entity, MARCH_10)
    posted, closed = threading.Event(), threading.Event()

    def close():
        try:
            posted.wait(10)
            close_period(march, by=None)
            closed.set()
        finally:
            connections.close_all()

    thread = threading.Thread(target=close)
    thread.start()
    with transaction.atomic():
        hold_open(no1.entity, [MARCH_10])
        posted.set()
        assert not closed.wait(0.5)
        with connection.cursor() as cursor:
            cursor.execute("SELECT status FROM ledger_fiscalperiod WHERE id = %s", [march.pk])
            assert cursor.fetchone() == ("open",)
    ended(thread)
    assert closed.is_set()
    with pytest.raises(Refused, match="is closed"), transaction.atomic():
        hold_open(no1.entity, [MARCH_10])


def test_a_closed_period_cannot_be_put_on_hold(no1, march):
    """PST-6: otherwise it could be opened again without the question."""
    close_period(march, by=None)

    with pytest.raises(Refused) as no:
        put_on_hold(march, by=None)
    assert no.value.code == "PERIOD-NOT-OPEN"
    assert FiscalPeriod.objects.get(pk=march.pk).status == "closed"


def test_a_period_on_hold_can_be_closed(no1, march):
    """PST-6"""
    put_on_hold(march, by=None)
    close_period(march, by=None)
    assert FiscalPeriod.objects.get(pk=march.pk).status == "closed"


def test_closing_out_of_order_records_the_open_earlier_periods(no1, march):
    """PST-6: all of 2024 and January are closed, February is on hold."""
    no1.entity.fiscal_periods.filter(starts__lt="2025-02-01").update(status="closed")
    put_on_hold(period_of(no1.entity, datetime.date(2025, 2, 1)), by=None)

    assert [str(each) for each in earlier_open(march)] == ["February 2025"]
    close_period(march, by=None)
    event = AuditEvent.objects.get(action="ledger.close_period")
    assert event.detail["earlier_open"] == ["February 2025"]


@pytest.fixture
def steps(monkeypatch):
    """The order of locks and of writing vouchers; SQLite locks no rows, but the calls are recorded."""
    seen = []

    def watch(place, name, said):
        real = getattr(place, name)

        def watched(*args, **kwargs):
            seen.append(said(args[0]))
            return real(*args, **kwargs)

        monkeypatch.setattr(place, name, watched)

    for lock in ("held", "locked"):
        watch(LockingQuerySet, lock, lambda rows, lock=lock: f"{rows.model.__name__} {lock}")
    for module in (journals, writing):
        watch(module, "write_vouchers", lambda _: "vouchers")
    return seen


def test_a_journal_locks_its_periods_before_anything_else(no1, steps, monkeypatch):
    """PST-6, JRN-4: in each chunk, so that nobody closes a period meanwhile."""
    monkeypatch.setattr(journals, "CHUNK", 1)
    line = contract(no1, confirmed=True).lines.get()
    for _ in range(2):
        ActualFactory(line=line, type="cost", date=MARCH_10)
    (journal,) = add_to_journals(no1.entity, on=MARCH_31, by=None).journals
    steps.clear()

    journals.post_journal(journal, by=None, on=MARCH_31)

    chunk = ["FiscalPeriod held", "IntegrationJournal locked"]
    written = [step for step in steps if step != "NumberSequence locked"]
    assert written == [
        "IntegrationJournal locked",
        *[*chunk, "vouchers"] * 2,
        *chunk,
        "IntegrationJournal locked",
    ]


def test_an_invoice_locks_its_period_before_anything_else(no1, steps):
    """PST-6, PST-1"""
    proposal = proposed(no1, work(no1, contract(no1, confirmed=True)))
    steps.clear()

    posting.post(proposal, by=no1.accountant, on=MARCH_31)

    assert steps[:2] == ["FiscalPeriod held", "InvoiceProposal locked"]
    assert "vouchers" in steps
