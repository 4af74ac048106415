"""Approval: what it makes, what it refuses, and how it is canceled."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from actuals.models import Actual, Entry
from actuals.naming import named
from actuals.operations.imports import import_entries
from backlog.models import BacklogItem
from backlog.operations import (
    Decision,
    approve,
    approve_many,
    cancel_approval,
    confirm_contract,
    mark_ready,
    reject,
)
from backlog.previews import preview
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import AuditEvent
from proforma.operations import create_proformas
from tests import factories
from tests.threads import ended

DAY = date(2025, 3, 10)


@pytest.fixture
def company(db):
    return factories.company(cost_price=100, sales_price=200)


@pytest.fixture
@factories.remembered
def contract(company):
    return confirm_contract(factories.contract(company), by=company.manager)


def facts():
    return [
        (a.type, a.billing_type, f"{a.quantity:.4f}", f"{a.amount:.2f}")
        for a in Actual.objects.order_by("pk")
    ]


def states():
    return [(f"{i.amount:.2f}", i.status, i.limit_status) for i in BacklogItem.objects.order_by("pk")]


@pytest.mark.parametrize(
    ("billable", "unbilled"),
    [
        (None, [("unbilled", "chargeable", "8.0000", "1600.00")]),
        (
            "6",
            [
                ("unbilled", "chargeable", "6.0000", "1200.00"),
                ("unbilled", "non_chargeable", "2.0000", "400.00"),
            ],
        ),
        ("10", [("unbilled", "chargeable", "10.0000", "2000.00")]),
        ("0", [("unbilled", "non_chargeable", "8.0000", "1600.00")]),
    ],
)
def test_billable_hours_decide_what_is_chargeable(company, contract, billable, unbilled):
    """APP-3: 8 h, cost rate 100, bill rate 200."""
    entry = factories.time_entry(company, "8", date=DAY)
    decision = Decision(billable_quantity=None if billable is None else Decimal(billable))
    approve([entry], by=company.manager, decisions={entry.pk: decision})
    assert facts() == [("cost", "chargeable", "8.0000", "800.00"), *unbilled]
    assert Actual.objects.filter(type="unbilled").exclude(cost=Actual.objects.get(type="cost")).count() == 0


def test_the_approver_can_make_work_complimentary(company, contract):
    """APP-2: complimentary as a whole; it does not count against a limit."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager, decisions={entry.pk: Decision(billing_type="complimentary")})
    assert facts()[1:] == [("unbilled", "complimentary", "8.0000", "1600.00")]
    assert states() == [("1600.00", "not_ready", "na")]


def test_fixed_price_work_makes_a_cost_only(company):
    """APP-4"""
    confirm_contract(factories.contract(company, method="fixed"), by=company.manager)
    approve([factories.time_entry(company, "8", date=DAY)], by=company.manager)
    assert facts() == [("cost", "chargeable", "8.0000", "800.00")]
    assert Actual.objects.get().contract_line is not None


def test_uncovered_work_makes_a_cost_only(company):
    """APP-4 CON-6: no contract, or one that is a draft still, covers nothing."""
    factories.contract(company)
    approve([factories.time_entry(company, "8", date=DAY)], by=company.manager)
    assert facts() == [("cost", "chargeable", "8.0000", "800.00")]
    assert Actual.objects.get().contract_line is None


def test_confirming_a_contract_bills_what_was_approved_before(company):
    """CON-6: once, and with the approver's decision; a second contract's confirming finds nothing left."""
    draft = factories.contract(company)
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager, decisions={entry.pk: Decision(billable_quantity=Decimal(6))})
    confirm_contract(draft, by=company.manager)
    assert facts() == [
        ("cost", "chargeable", "8.0000", "800.00"),
        ("cost", "chargeable", "-8.0000", "-800.00"),
        ("cost", "chargeable", "8.0000", "800.00"),
        ("unbilled", "chargeable", "6.0000", "1200.00"),
        ("unbilled", "non_chargeable", "2.0000", "400.00"),
    ]
    with pytest.raises(Refused, match="Statuses that allow this: draft"):
        confirm_contract(draft, by=company.manager)


def test_a_missing_price_is_a_warning_and_never_an_error(company, contract):
    """PRC-2 PRC-6: the actual gets 0, is flagged, and can't be marked ready."""
    company.sales_price.delete()
    approval = approve([factories.time_entry(company, "8", date=DAY)], by=company.manager)
    assert approval.warnings == [
        "Anna's 8 h of 10 Mar 2025: Price list “Sales” has no price for role Consultant of Consulting: the "
        "price is 0. Have a billing administrator add one to “Sales”; then cancel the approval and "
        "approve it again."
    ]
    assert facts()[1] == ("unbilled", "chargeable", "8.0000", "0.00")
    marked = mark_ready(BacklogItem.objects.all(), by=company.manager)
    way = (
        "have a billing administrator extend the price list or add the price to it, then cancel the approval"
    )
    assert (marked.changed, marked.reasons) == (0, {f"without a price ({way} and approve again)": 1})


def test_an_approved_price_stays_when_the_list_changes(company, contract):
    """PRC-5 ACT-2: the decision keeps the row, the price and the reasoning."""
    approve([factories.time_entry(company, "8", date=DAY)], by=company.manager)
    company.sales_price.price = 999
    company.sales_price.save()
    share = Actual.objects.get(type="unbilled")
    assert (share.price, share.price_decision.price) == (200, 200)
    assert share.price_decision.role_price == company.sales_price
    assert "chosen" in share.price_decision.reasoning


def test_users_cannot_approve_their_own_hours(company, contract):
    """APP-2: refused, unless the entity allows it."""
    entry = factories.time_entry(company, "8", date=DAY, resource=company.manager_resource)
    with pytest.raises(Refused, match="your own"):
        approve([entry], by=company.manager)
    company.entity.allow_own_approval = True
    company.entity.save()
    assert len(approve([entry], by=company.manager).entries) == 1


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"submitted_by": "manager"}, "was submitted by you"),
        ({"created_by": "manager"}, "was recorded by you"),
        ({"created_by": "manager", "submitted_by": "manager"}, "was submitted by you"),
    ],
)
@pytest.mark.parametrize("kind", ["time", "fee"])
def test_users_who_recorded_or_submitted_an_entry_cannot_approve_or_reject_it(
    company, contract, part, words, kind
):
    """APP-2: a colleague's hours and a fee alike; page, approval and rejection give the same reason."""
    part = {name: getattr(company, user) for name, user in part.items()}
    make = factories.time_entry if kind == "time" else factories.fee_entry
    entry = make(company, date=DAY, **part)
    assert words in preview([entry], by=company.manager)[entry.pk].refused.sentence
    with pytest.raises(Refused, match=words):
        approve([entry], by=company.manager)
    with pytest.raises(Refused, match=words):
        reject([entry], by=company.manager, comment="Whose is it?")
    other = factories.UserFactory(first_name="Olga", last_name="Other")
    company.project.managers.add(other)
    with pytest.raises(Refused, match="Olga Other can approve it"):
        approve([entry], by=company.manager)
    assert len(approve([entry], by=other).entries) == 1


def test_a_manager_cannot_approve_hours_they_imported(company, contract):
    """APP-2"""
    file = f"date,project,resource,hours\n{DAY},NO1-P1,ANNA,8\n".encode()
    import_entries(file, name="anna.csv", entity=company.entity, by=company.manager, submit=True)
    with pytest.raises(Refused, match="was submitted by you"):
        approve(Entry.objects.all(), by=company.manager)
    company.entity.allow_own_approval = True
    company.entity.save()
    assert len(approve(Entry.objects.all(), by=company.manager).entries) == 1


def test_work_dated_after_today_can_be_approved_from_its_day_on(company, contract):
    """APP-10: it can be submitted and rejected before that; today is the date of the entity."""
    today = company.entity.today()
    now, then = (factories.time_entry(company, "8", date=today + timedelta(days=n)) for n in (0, 1))
    assert "dated after today" in preview([then], by=company.manager)[then.pk].refused.sentence
    approval = approve([now, then], by=company.manager)
    assert approval.entries == [now]
    day = f"{then.date.day} {then.date:%b %Y}"
    assert approval.refused == [(then, Reason("ENTRY-FUTURE", entry=f"Anna's 8 h of {day}", day=then.date))]
    assert reject([then], by=company.manager, comment="Not yet.") == [then]


def test_approvals_on_projects_of_others_cannot_be_canceled(company, contract):
    """APP-5 SEC-1: a manager of another project of the company is refused, and nothing is reversed."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    stranger = factories.UserFactory()
    factories.ProjectFactory(entity=company.entity).managers.add(stranger)
    before = facts()
    with pytest.raises(Refused, match="which is not yours"):
        cancel_approval([entry], by=stranger)
    entry.refresh_from_db()
    assert (entry.status, facts()) == ("approved", before)


def test_work_outside_of_its_project_is_approved_with_a_warning(company, contract):
    """APP-10"""
    company.project.ends = date(2025, 3, 9)
    company.project.save()
    entry = factories.time_entry(company, "8", date=DAY)
    outside = "It is dated outside of project NO1-P1, which runs from its beginning to 9 Mar 2025."
    assert preview([entry], by=company.manager)[entry.pk].approval_warnings == [outside]
    assert approve([entry], by=company.manager).warnings == [f"{named(entry)}: {outside}"]


@pytest.mark.parametrize("kind", ["quantity", "decision", "price", "cost"])
def test_an_amount_that_is_too_large_is_skipped_and_the_others_are_approved(company, contract, kind):
    """MON-1 APP-10: more than 1,000,000,000,000; the other 8 h are approved."""
    good = factories.time_entry(company, "8", date=DAY)
    big, decisions = factories.expense_entry(company, date=DAY), {}
    if kind == "cost":
        Entry.objects.filter(pk=big.pk).update(cost_net=Decimal("99999999999999"), cost_currency="NOK")
    else:
        big = factories.time_entry(company, "8", date=DAY)
        company.sales_price.price = Decimal("9999999")
        company.sales_price.save()
        if kind == "price":
            company.sales_price.price = Decimal("9999999999999")
            company.sales_price.save()
            good.delete()
            good = factories.material_entry(company, date=DAY)
            Entry.objects.filter(pk=big.pk).update(quantity=Decimal(1000))
        elif kind == "quantity":
            Entry.objects.filter(pk=big.pk).update(quantity=Decimal("99999999999"))
        else:
            big = factories.material_entry(company, date=DAY)
            company.sales_list.product_prices.update(price=Decimal("9999999"))
            decisions = {big.pk: Decision(billable_quantity=Decimal("1000000"))}
    amount = {
        "quantity": "9,999,999,999,900.00",  # its cost
        "decision": "9,999,999,000,000.00",
        "price": "9,999,999,999,999,000.00",
        "cost": "99,999,999,999,999.00",
    }[kind]
    too_large = (
        f"{amount} NOK is too large. The largest possible amount is 1,000,000,000,000. Correct the entry"
    )
    big.refresh_from_db()
    assert too_large in preview([good, big], by=company.manager, decisions=decisions)[big.pk].refused.sentence
    approval = approve([good, big], by=company.manager, decisions=decisions)
    assert approval.entries == [good]
    ((left, reason),) = approval.refused
    assert left == big
    assert reason.code == "ENTRY-NOT-PRICED"
    assert reason.sentence.startswith(f"{named(big)} can't be approved. {too_large}")
    assert Entry.objects.get(pk=big.pk).status == "submitted"
    with pytest.raises(Refused, match="is too large"):
        approve([big], by=company.manager, decisions=decisions)


def test_entries_that_cannot_be_approved_do_not_block_others(company, contract, monkeypatch):
    """APP-2: commits of one entry each; the first is one's own, the second is not."""
    monkeypatch.setattr("backlog.operations.approvals.CHUNK", 1)
    own = factories.time_entry(company, "8", date=DAY, resource=company.manager_resource)
    theirs = factories.time_entry(company, "8", date=DAY)
    approvals = approve_many([own, theirs], by=company.manager)
    assert [approval.entries for approval in approvals] == [[], [theirs]]
    assert [entry for approval in approvals for entry, _ in approval.refused] == [own]
    with pytest.raises(Refused, match="is your own"):
        approve_many([own], by=company.manager)


def test_only_managers_of_the_project_can_approve(company, contract):
    """APP-2 SEC-1: another user is refused and nothing changed."""
    entry = factories.time_entry(company, "8", date=DAY)
    with pytest.raises(Refused, match="not yours to approve"):
        approve([entry], by=company.accountant)
    entry.refresh_from_db()
    assert entry.status == "submitted"
    assert facts() == []


def test_entries_that_cannot_be_approved_are_named_and_the_others_are_approved(company, contract):
    """APP-2: many at once; a draft among them does not change."""
    good = factories.time_entry(company, "8", date=DAY)
    draft = factories.time_entry(company, "3", date=DAY, status="draft")
    approval = approve([good, draft], by=company.manager)
    assert approval.entries == [good]
    assert [(entry, reason.code) for entry, reason in approval.refused] == [(draft, "NOT-ALLOWED-NOW")]
    with pytest.raises(Refused, match="is approved"):
        approve([good], by=company.manager)


def test_a_negative_billable_quantity_is_refused(company, contract):
    """APP-2"""
    entry = factories.time_entry(company, "8", date=DAY)
    with pytest.raises(Refused, match="less than 0"):
        approve([entry], by=company.manager, decisions={entry.pk: Decision(billable_quantity=Decimal(-1))})


def test_approving_leaves_one_audit_event(company, contract):
    """SEC-3"""
    approve([factories.time_entry(company, "8", date=DAY)], by=company.manager)
    event = AuditEvent.objects.get(action="backlog.approve")
    assert (event.by, event.entity, event.detail["actuals"]) == (company.manager, "NO1", 2)


def test_rejecting_needs_a_reason(company, contract):
    """APP-1"""
    entry = factories.time_entry(company, "8", date=DAY)
    with pytest.raises(Refused, match="Enter a reason"):
        reject([entry], by=company.manager, comment=" ")
    reject([entry], by=company.manager, comment="Wrong task.")
    entry.refresh_from_db()
    assert (entry.status, entry.decision_comment) == ("rejected", "Wrong task.")


def test_a_canceled_approval_is_reversed_on_the_day_it_is_canceled(company, contract):
    """APP-5 JRN-7: negated, the same transaction date, accounted on the day of the action."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager, on=DAY)
    cancel_approval([entry], by=company.manager, on=date(2025, 4, 10))
    assert facts()[2:] == [
        ("cost", "chargeable", "-8.0000", "-800.00"),
        ("unbilled", "chargeable", "-8.0000", "-1600.00"),
    ]
    reversal = Actual.objects.filter(reverses__isnull=False).first()
    assert (reversal.date, reversal.accounting_date) == (DAY, date(2025, 4, 10))
    assert states() == [("1600.00", "canceled", "committed" if contract.limit else "na")]
    entry.refresh_from_db()
    assert entry.status == "submitted"


def test_an_approval_is_not_canceled_while_its_item_is_on_a_draft(company, contract):
    """APP-5: the message names the proforma, and nothing changes."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    mark_ready(BacklogItem.objects.all(), by=company.manager)
    (proforma,) = create_proformas([contract], cutoff=DAY, on=DAY, by=company.manager)
    with pytest.raises(Refused, match=proforma.number):
        cancel_approval([entry], by=company.manager)
    assert Actual.objects.filter(reverses__isnull=False).count() == 0


def test_a_fee_and_an_expense_at_cost_are_split_as_amounts(company):
    """MON-9 APP-3: quantity 1 and the amount is split; half of a fee of 1,001 is chargeable."""
    other = factories.customer(company)
    draft = factories.contract(company, customers=[(company.customer, 50), (other, 50)])
    confirm_contract(draft, by=company.manager)
    fee = factories.fee_entry(company, "1001", date=DAY)
    expense = factories.expense_entry(company, net="100.01", date=DAY)
    approve(
        [fee, expense], by=company.manager, decisions={fee.pk: Decision(billable_quantity=Decimal("0.5"))}
    )
    shares = [
        (a.transaction_class, a.billing_type, a.quantity, f"{a.amount:.2f}")
        for a in Actual.objects.filter(type="unbilled").order_by("pk")
    ]
    assert sorted(shares) == sorted(
        [
            ("fee", "chargeable", 1, "250.25"),
            ("fee", "chargeable", 1, "250.25"),
            ("fee", "non_chargeable", 1, "250.25"),
            ("fee", "non_chargeable", 1, "250.25"),
            ("expense", "chargeable", 1, "50.01"),
            ("expense", "chargeable", 1, "50.00"),
        ]
    )


@pytest.mark.postgres  # SQLite takes long inserts in batches
def test_a_thousand_entries_cost_as_many_queries_as_ten(company, contract, django_assert_max_num_queries):
    """Queries are for sets of rows, not for each row."""
    few = [factories.time_entry(company, "1", date=DAY) for _ in range(3)]
    with django_assert_max_num_queries(200) as one:
        approve(few, by=company.manager)
    many = [factories.time_entry(company, "1", date=DAY) for _ in range(40)]
    with django_assert_max_num_queries(200) as other:
        approve(many, by=company.manager)
    assert len(one.captured_queries) == len(other.captured_queries)


def test_many_entries_are_approved_in_several_commits(company, contract, monkeypatch):
    """Entries of earlier commits stay approved; the next call approves the rest."""
    monkeypatch.setattr("backlog.operations.approvals.CHUNK", 2)
    entries = [factories.time_entry(company, "1", date=DAY) for _ in range(5)]
    approvals = approve_many(entries, by=company.manager)
    assert [len(approval.entries) for approval in approvals] == [2, 2, 1]
    assert Entry.objects.filter(status="approved").count() == 5


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_approvals_cannot_both_use_the_rest_of_a_limit():
    """NTE-4: a limit of 1,600 holds 8 h × 200 once; of two at the same moment one fails."""
    company = factories.company(cost_price=100, sales_price=200)
    contract = factories.contract(company, limit=Decimal(1600))
    confirm_contract(contract, by=company.manager)
    entries = [factories.time_entry(company, "8", date=DAY) for _ in range(2)]
    barrier = threading.Barrier(2)

    def approve_one(entry):
        try:
            barrier.wait(10)
            approve([entry], by=company.manager)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve_one, args=[entry]) for entry in entries]
    for thread in threads:
        thread.start()
    ended(*threads)
    outcomes = sorted((i.limit_status, i.limit_over) for i in BacklogItem.objects.all())
    assert outcomes == [("committed", None), ("failed", Decimal(1600))]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_confirming_a_contract_and_approving_at_once_loses_nothing():
    """CON-6: whichever comes first, the entry has its unbilled sales exactly once."""
    company = factories.company(cost_price=100, sales_price=200)
    for _ in range(5):
        project = factories.ProjectFactory(entity=company.entity)
        project.managers.add(company.manager)
        draft = factories.contract(company, lines=[{"project": project}])
        entry = factories.time_entry(company, "8", date=DAY, project=project)
        barrier = threading.Barrier(2)

        def at_once(operation, thing, barrier=barrier):
            try:
                barrier.wait(10)
                operation(thing, by=company.manager)
            finally:
                connection.close()

        threads = [
            threading.Thread(target=at_once, args=[confirm_contract, draft]),
            threading.Thread(target=at_once, args=[approve, [entry]]),
        ]
        for thread in threads:
            thread.start()
        ended(*threads)
        costs = Actual.objects.filter(entry=entry, type="cost", reverses=None, reversed_by=None)
        assert costs.get().contract_line == draft.lines.get()
        assert Actual.objects.filter(entry=entry, type="unbilled").count() == 1


def test_an_entry_that_has_facts_is_not_approved_again(company, contract):
    """ACT-1 and section 13, number 1: also when its status was changed outside of the program."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    Entry.objects.filter(pk=entry.pk).update(status="submitted")
    with pytest.raises(Refused, match="has actuals already"):
        approve([entry], by=company.manager)
    assert len(facts()) == 2


def test_an_approved_entry_stays_as_it_was_approved(company, contract):
    """APP-6: an entry with actuals is not changed or deleted; a correction is a new entry."""
    entry = factories.time_entry(company, "8", date=DAY)
    approve([entry], by=company.manager)
    for change in ({"quantity": Decimal(9)}, {"date": date(2025, 3, 11)}, {"description": "Other"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Entry.objects.filter(pk=entry.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).delete()


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "1e11", "0.00001"])
def test_a_figure_that_can_t_be_kept_is_refused_with_a_sentence(company, contract, quantity):
    """MON-1: on both databases, before anything is written."""
    entry = factories.time_entry(company, "8", date=DAY)
    with pytest.raises(Refused, match="billable quantity"):
        approve([entry], by=company.manager, decisions={entry.pk: Decision(Decimal(quantity))})
    assert facts() == []


def test_a_negative_share_makes_no_room_under_a_limit_until_it_is_billed(company):
    """NTE-1: a limit of 1,000; 5 h × 200 and −5 h leave nothing for another 5 h: over by 1,000."""
    contract = confirm_contract(factories.contract(company, limit=Decimal(1000)), by=company.manager)
    for hours in ("5", "-5", "5"):
        approve([factories.time_entry(company, hours, date=DAY)], by=company.manager)
    assert contract.limit == 1000
    assert states() == [
        ("1000.00", "not_ready", "committed"),
        ("-1000.00", "not_ready", "committed"),
        ("1000.00", "not_ready", "failed"),
    ]
