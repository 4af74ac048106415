"""The plan of one contract: which proformas, with which work, and what is left out."""

from datetime import date
from decimal import Decimal

from invoicing_site.floor.reasons import Reason
from proforma.plans import ContractInputs, Due, Share, Waiting, plan_by_hand, plan_contract

JAN_31, FEB_1, FEB_28, MAR_1 = date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 1)
ALFA, BETA = 1, 2  # contract customers
LINE, OTHER_LINE = 10, 20


def share(pk, day, amount="100", customer=ALFA, line=LINE, **fields):
    return Share(
        pk,
        contract_id=1,
        contract_customer_id=customer,
        line_id=line,
        date=day,
        amount=Decimal(amount),
        **fields,
    )


def milestone(pk, day, amount="100", customer=ALFA, line=LINE):
    return share(pk, day, amount, customer, line, milestone_part_id=pk, transaction_class="milestone")


def plan(shares=(), due=(), waiting=(), as_of=MAR_1):
    return plan_contract(ContractInputs(1, list(shares), list(waiting), list(due)), as_of=as_of)


def shape(found):
    """(run date, cutoff, customer, items, schedule entries) of each proforma."""
    return [
        (
            str(p.run_date),
            str(p.cutoff),
            p.contract_customer_id,
            [taken.pk for taken in p.shares],
            p.entries,
        )
        for p in found.proformas
    ]


def test_each_run_date_includes_work_of_no_earlier_one():
    """RUN-1"""
    found = plan(
        [share(1, date(2025, 1, 15)), share(2, date(2025, 2, 15)), share(3, date(2025, 3, 1))],
        [Due(8, LINE, MAR_1, FEB_28), Due(7, LINE, FEB_1, JAN_31)],
    )
    assert shape(found) == [
        ("2025-02-01", "2025-01-31", ALFA, [1], [7]),
        ("2025-03-01", "2025-02-28", ALFA, [2], [8]),
    ]
    assert [(skipped.code, skipped.items, skipped.amount) for skipped in found.skipped] == [
        ("AFTER-CUTOFF", 1, Decimal(100))
    ]


def test_the_cutoff_day_belongs_to_the_run_date():
    """RUN-1"""
    found = plan([share(1, JAN_31), share(2, FEB_1)], [Due(7, LINE, FEB_1, JAN_31)])
    assert shape(found) == [("2025-02-01", "2025-01-31", ALFA, [1], [7])]


def test_lines_with_one_run_date_share_a_proforma_for_each_customer():
    """RUN-1, PRO-1"""
    found = plan(
        [
            share(1, JAN_31, customer=BETA),
            share(2, JAN_31, customer=ALFA, line=OTHER_LINE),
            share(3, date(2025, 1, 5), customer=ALFA),
        ],
        [Due(7, LINE, FEB_1, JAN_31), Due(8, OTHER_LINE, FEB_1, JAN_31)],
    )
    assert shape(found) == [
        ("2025-02-01", "2025-01-31", ALFA, [3, 2], [7, 8]),
        ("2025-02-01", "2025-01-31", BETA, [1], [7]),
    ]


def test_lines_of_one_run_date_keep_their_own_cutoffs():
    """RUN-1: the header shows the later one."""
    found = plan(
        [share(1, JAN_31), share(2, JAN_31, line=OTHER_LINE)],
        [Due(7, LINE, FEB_1, JAN_31), Due(8, OTHER_LINE, FEB_1, date(2025, 1, 30))],
    )
    assert shape(found) == [("2025-02-01", "2025-01-31", ALFA, [1], [7])]


def test_milestones_are_on_the_latest_run_date():
    """RUN-1: dated up to the day of the run, not up to the cutoff."""
    found = plan(
        [share(1, JAN_31), milestone(2, date(2025, 1, 2), "40000"), milestone(3, MAR_1, "50000", BETA)],
        [Due(7, LINE, FEB_1, JAN_31), Due(8, LINE, MAR_1, FEB_28)],
    )
    assert shape(found) == [
        ("2025-02-01", "2025-01-31", ALFA, [1], [7]),
        ("2025-03-01", "2025-02-28", ALFA, [2], []),
        ("2025-03-01", "2025-02-28", BETA, [3], []),
    ]
    assert [p.net for p in found.proformas] == [Decimal(100), Decimal(40000), Decimal(50000)]


def test_milestones_without_a_schedule_have_the_day_of_the_run():
    """RUN-1: work without a schedule is left out."""
    found = plan([milestone(1, FEB_1, "40000"), share(2, FEB_1)])
    assert shape(found) == [("2025-03-01", "2025-03-01", ALFA, [1], [])]
    assert found.skipped == []


def test_a_milestone_after_the_day_of_the_run_waits():
    """RUN-1"""
    found = plan([milestone(1, MAR_1)], as_of=FEB_28)
    assert found.proformas == []


def test_every_due_entry_is_completed_even_without_work():
    """RUN-1"""
    found = plan([], [Due(7, LINE, FEB_1, JAN_31)])
    assert (found.proformas, [due.pk for due in found.answered]) == ([], [7])
    assert found.why_nothing == Reason("NOTHING-READY")


def test_an_entry_with_customers_that_are_left_out_stays_due():
    """RUN-3: the run was restricted to one customer of the line."""
    found = plan([share(1, JAN_31)], [Due(7, LINE, FEB_1, JAN_31, is_whole=False)])
    assert shape(found) == [("2025-02-01", "2025-01-31", ALFA, [1], [7])]
    assert found.answered == []


def test_work_that_is_left_out_has_a_code_and_a_sentence():
    """RUN-4"""
    found = plan(
        [],
        [Due(7, LINE, FEB_1, JAN_31)],
        [
            Waiting(ALFA, LINE, True, JAN_31, "ON-HOLD", 1, Decimal(70)),
            Waiting(ALFA, None, False, JAN_31, "IS-RETAINER", 1, Decimal(30)),
            Waiting(ALFA, LINE, True, JAN_31, "OVER-LIMIT", 3, Decimal(900)),
            Waiting(ALFA, LINE, True, date(2025, 1, 30), "OVER-LIMIT", 1, Decimal(100)),
            Waiting(BETA, LINE, True, JAN_31, "NOT-READY", 2, Decimal(50)),
            Waiting(ALFA, LINE, True, FEB_1, "NOT-READY", 9, Decimal(999)),  # after the cutoff
            Waiting(ALFA, OTHER_LINE, True, JAN_31, "NOT-READY", 9, Decimal(999)),  # of a line not due
        ],
    )
    assert [(s.contract_customer_id, s.code, s.items, s.amount) for s in found.skipped] == [
        (ALFA, "ON-HOLD", 1, Decimal(70)),
        (ALFA, "IS-RETAINER", 1, Decimal(30)),
        (ALFA, "OVER-LIMIT", 4, Decimal(1000)),
        (BETA, "NOT-READY", 2, Decimal(50)),
    ]
    assert found.why_nothing.code == "NOTHING-READY-LEFT-OUT"
    assert found.why_nothing.sentence == (
        "Nothing was ready to invoice. 1 item is left out: a retainer, which this version does not put on "
        "proforma invoices. 4 items are left out: over a not-to-exceed limit. 1 item is left out: on hold. "
        "2 items are left out: not marked ready."
    )


def test_only_chargeable_work_adds_up():
    """PRO-3"""
    found = plan(
        [
            share(1, JAN_31, "100"),
            share(2, JAN_31, "70", billing_type="non_chargeable"),
            share(3, JAN_31, "30", billing_type="complimentary"),
        ],
        [Due(7, LINE, FEB_1, JAN_31)],
    )
    assert [(len(p.shares), p.net) for p in found.proformas] == [(3, Decimal(100))]


def test_by_hand_everything_ready_up_to_the_cutoff_is_included():
    """PRO-1: work, with or without a schedule, and milestones; one proforma per customer."""
    inputs = ContractInputs(
        1,
        [
            share(1, FEB_1, customer=BETA),
            milestone(2, JAN_31),
            share(3, date(2025, 1, 2)),
            share(4, FEB_28),
        ],
        [Waiting(ALFA, LINE, True, JAN_31, "ON-HOLD", 1, Decimal(100))],
    )
    found = plan_by_hand(inputs, cutoff=FEB_1)
    assert shape(found) == [
        ("None", "2025-02-01", ALFA, [3, 2], []),
        ("None", "2025-02-01", BETA, [1], []),
    ]
    assert sorted(skipped.code for skipped in found.skipped) == ["AFTER-CUTOFF", "ON-HOLD"]


def test_the_digest_changes_only_with_the_inputs_of_the_plan():
    """RUN-4"""
    shares = [share(1, JAN_31), share(2, FEB_1)]
    due = [Due(7, LINE, FEB_1, JAN_31)]
    waiting = Waiting(ALFA, LINE, True, JAN_31, "NOT-READY", 2, Decimal(50))
    before = ContractInputs(1, shares, [], due).digest(MAR_1)
    assert ContractInputs(1, shares[::-1], [waiting], due).digest(MAR_1) == before
    others = [
        ContractInputs(1, shares[:1], [], due).digest(MAR_1),
        ContractInputs(1, [shares[0], shares[1]._replace(amount=Decimal(101))], [], due).digest(MAR_1),
        ContractInputs(1, [shares[0], shares[1]._replace(billing_type="complimentary")], [], due).digest(
            MAR_1
        ),
        ContractInputs(1, shares, [], []).digest(MAR_1),
        ContractInputs(1, shares, [], [Due(7, LINE, FEB_1, FEB_1)]).digest(MAR_1),
        ContractInputs(1, shares, [], due).digest(FEB_28),
    ]
    assert len({before, *others}) == 7


def test_non_chargeable_work_waits_for_the_next_run_date_of_its_line():
    """PRO-1, RUN-2: two run dates at once give the same plan as one after the other."""
    along = {"billing_type": "non_chargeable"}
    found = plan(
        [
            share(1, date(2025, 1, 15), **along),
            share(2, date(2025, 2, 15)),
            share(3, date(2025, 1, 15), customer=BETA, **along),
            share(4, date(2025, 1, 15), "70", line=OTHER_LINE, **along),  # that line has no later date
            milestone(5, FEB_1, customer=BETA),
        ],
        [Due(7, LINE, FEB_1, JAN_31), Due(8, LINE, MAR_1, FEB_28), Due(9, OTHER_LINE, FEB_1, JAN_31)],
    )
    assert shape(found) == [
        ("2025-03-01", "2025-02-28", ALFA, [1, 2], [8]),
        ("2025-03-01", "2025-02-28", BETA, [3, 5], [8]),
    ]
    assert [(s.contract_customer_id, s.code, s.items, s.amount) for s in found.skipped] == [
        (ALFA, "NOTHING-CHARGEABLE", 1, Decimal(70))
    ]
    assert [due.pk for due in found.answered] == [7, 9, 8]


def test_complimentary_work_alone_gets_an_invoice():
    """PRO-1"""
    found = plan(
        [share(1, JAN_31, billing_type="complimentary"), share(2, JAN_31, billing_type="non_chargeable")],
        [Due(7, LINE, FEB_1, JAN_31)],
    )
    assert shape(found) == [("2025-02-01", "2025-01-31", ALFA, [1, 2], [7])]


def test_work_without_a_schedule_entry_is_always_left_out():
    """BKL-6"""
    missed = Waiting(ALFA, OTHER_LINE, True, JAN_31, "NO-SCHEDULE", 2, Decimal(900))
    found = plan([share(1, JAN_31)], [Due(7, LINE, FEB_1, JAN_31)], [missed])
    assert [(s.code, s.items, s.amount) for s in found.skipped] == [("NO-SCHEDULE", 2, Decimal(900))]
    assert len(found.proformas) == 1
    assert found.never_billed.sentence == (
        "2 items are left out: ready without a schedule entry (create its proforma by hand)."
    )
