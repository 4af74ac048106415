"""The lower bound, first half: approval, backlog and proformas as hand-written SQL.

It writes the same rows in the same tables and transactions as the product's operations, without their checks,
refusals, explanations and audit events. Runs on PostgreSQL and on SQLite.
"""

import datetime
import re
from functools import cache

from django.db import connections, models, transaction

from actuals.models import Actual, ActualToJournal, Batch, PriceDecision
from backlog.models import BacklogAction, BacklogActionItem, BacklogItem
from backlog.operations.approvals import CHUNK as APPROVED_AT_ONCE
from backlog.operations.items import CHUNK as MARKED_AT_ONCE
from benchmarks.company import APPROVED_ON, BILLED_ON, World
from invoicing_site.floor.reasons import Reason
from invoicing_site.models import Job
from proforma.models import (
    DetailActual,
    InvoiceRun,
    LineDetail,
    ProformaInvoice,
    ProformaLine,
    ProformaSchedule,
    ProformaToPropose,
    RunContract,
)


class Hand:
    """A connection to the database with a numbered list of the rows to process."""

    def __init__(self, alias: str, world: World):
        self.alias = alias
        self.world = world
        self.vendor = connections[alias].vendor
        self.common = {
            "entity": world.entity.pk,
            "manager": world.company.manager.pk,
            "accountant": world.company.accountant.pk,
            "approved_on": APPROVED_ON,
            "billed_on": BILLED_ON,
            "billed_month": BILLED_ON.replace(day=1),
            "year": world.entity.fiscal_year(BILLED_ON),
        }
        self._run("CREATE TEMPORARY TABLE todo (place integer PRIMARY KEY, id bigint NOT NULL)")

    def commit(self):
        """A transaction, committed at the end of the block."""
        return transaction.atomic(using=self.alias)

    def do(self, sql: str, **values) -> int:
        """Run one statement; return the number of affected rows."""
        return self._run(sql, **values).rowcount

    def ask(self, sql: str, **values) -> list[tuple]:
        """The rows that a query returns."""
        return self._run(sql, **values).fetchall()

    def add(self, sql: str, **values) -> int:
        """Insert one row; return its key."""
        ((key,),) = self.ask(f"{sql} RETURNING id", **values)
        return key

    def list_up(self, sql: str, at_once: int, **values) -> list[dict]:
        """Store the positions and ids of a SELECT; return the parts of that list, one per commit."""
        self.do("DELETE FROM todo")
        count = self.do(f"INSERT INTO todo (place, id) {sql}", **values)
        if self.vendor == "postgresql":
            self.do("ANALYZE todo")
        return [{"after": after, "until": min(after + at_once, count)} for after in range(0, count, at_once)]

    def draw(self, kind: str, count: int = 1, day: datetime.date = BILLED_ON) -> int:
        """Reserve numbers for documents of a kind and date; return the one before the first."""
        ((last,),) = self.ask(DRAW, kind=kind, count=count, day=day)
        return last - count

    def number(self, kind: str, seq: int) -> str:
        """A number as it is printed."""
        form = self.world.company.books.sequences[kind].format
        return form.format(year=self.common["year"], seq=seq)

    def number_sql(self, kind: str, seq: str) -> str:
        """The same from an SQL expression, for many at once."""
        form = self.world.company.books.sequences[kind].format.replace("{year}", str(self.common["year"]))
        head, width = re.fullmatch(r"(.*)\{seq:0(\d+)\}", form).groups()
        if self.vendor == "postgresql":
            return f"'{head}' || lpad(({seq})::text, {width}, '0')"
        return f"'{head}' || printf('%%0{width}d', {seq})"

    def _run(self, sql, **values):
        cursor = connections[self.alias].cursor()
        cursor.execute(sql, {**self.common, **values})
        return cursor


@cache
def _plain(field) -> str:
    """The default value of a column."""
    if field.null:
        return "NULL"
    if isinstance(field, models.DateTimeField):
        return "CURRENT_TIMESTAMP"
    default = field.get_default()
    assert default is not None, f"{field} has no default."
    if isinstance(default, bool):
        return str(default).upper()
    return f"'{default}'" if isinstance(default, str) else str(default)


def insert(model, source: str = "", **columns: str) -> str:
    """INSERT … SELECT into the table of a model: SQL for the named columns, defaults for the others."""
    fields = [field for field in model._meta.concrete_fields if field.attname != "id"]
    values = [columns.pop(field.attname, None) or _plain(field) for field in fields]
    assert not columns, f"{model.__name__} has no {', '.join(columns)}."
    names = ", ".join(f'"{field.column}"' for field in fields)
    return f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(values)} {source}"


def copied(model, alias: str, **columns: str) -> dict[str, str]:
    """All columns of a row of the same model, with other SQL for the named ones."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return {field.attname: f'{alias}."{field.column}"' for field in fields} | columns


def same(alias: str, names: str, *, into: str = "") -> dict[str, str]:
    """Columns that are copied under their own names, optionally with a prefix."""
    return {f"{into}{name}": f"{alias}.{name}" for name in names.split()}


DRAW = """
    INSERT INTO contracts_sequencecounter (sequence_id, year, last, last_date)
    SELECT s.id, %(year)s, %(count)s, %(day)s FROM contracts_numbersequence s
    WHERE s.entity_id = %(entity)s AND s.kind = %(kind)s
    ON CONFLICT (sequence_id, year) DO UPDATE SET last = contracts_sequencecounter.last + excluded.last,
      last_date = CASE WHEN contracts_sequencecounter.last_date > excluded.last_date
                       THEN contracts_sequencecounter.last_date ELSE excluded.last_date END
    RETURNING last
"""
PART = "place > %(after)s AND place <= %(until)s"
WORK = "transaction_class date project_id task_id resource_id role_id category_id product_id unit"


# Approval

SUBMITTED = """
    SELECT row_number() OVER (ORDER BY project_id, date, id), id FROM actuals_entry
    WHERE entity_id = %(entity)s AND status = 'submitted'
"""
APPROVAL = insert(
    Batch, entity_id="%(entity)s", action="'approve'", on="%(approved_on)s", by_id="%(manager)s"
)
PRICES = insert(
    PriceDecision,
    f"""
    FROM (SELECT DISTINCT e.role_id FROM todo JOIN actuals_entry e ON e.id = todo.id WHERE {PART}) e
    JOIN contracts_roleprice r ON r.role_id = e.role_id
    JOIN contracts_pricelist p ON p.id = r.price_list_id
    """,
    batch_id="%(batch)s",
    kind="p.kind",
    price_list_id="p.id",
    role_price_id="r.id",
    base_price="r.price",
    price="r.price",
)
COSTS = insert(
    Actual,
    f"""
    FROM todo JOIN actuals_entry e ON e.id = todo.id
    JOIN contracts_contractline l ON l.project_id = e.project_id
    JOIN actuals_pricedecision p ON p.batch_id = %(batch)s AND p.kind = 'cost'
    JOIN contracts_roleprice r ON r.id = p.role_price_id AND r.role_id = e.role_id
    JOIN contracts_pricelist c ON c.id = p.price_list_id
    WHERE {PART}
    """,
    **same("e", f"entity_id quantity description {WORK}"),
    batch_id="%(batch)s",
    type="'cost'",
    accounting_date="e.date",
    contract_id="l.contract_id",
    contract_line_id="l.id",
    price="p.price",
    amount="round(e.quantity * p.price, 2)",
    currency="c.currency",
    booked_by="'journal'",
    price_decision_id="p.id",
    entry_id="e.id",
)
SALES = insert(
    Actual,
    """
    FROM actuals_actual k
    JOIN contracts_linecustomer s ON s.line_id = k.contract_line_id
    JOIN actuals_pricedecision p ON p.batch_id = %(batch)s AND p.kind = 'sales'
    JOIN contracts_roleprice r ON r.id = p.role_price_id AND r.role_id = k.role_id
    JOIN contracts_pricelist c ON c.id = p.price_list_id
    WHERE k.batch_id = %(batch)s AND k.type = 'cost'
    """,
    **copied(
        Actual,
        "k",
        type="'unbilled'",
        contract_customer_id="s.contract_customer_id",
        split="s.split",
        price="p.price",
        amount="round(k.quantity * p.price, 2)",
        currency="c.currency",
        price_decision_id="p.id",
        cost_id="k.id",
    ),
)
QUEUED = insert(
    ActualToJournal,
    "FROM actuals_actual a WHERE a.batch_id = %(batch)s",
    actual_id="a.id",
    entity_id="a.entity_id",
    date="a.accounting_date",
)
ITEMS = insert(
    BacklogItem,
    "FROM actuals_actual a WHERE a.batch_id = %(batch)s AND a.type = 'unbilled'",
    actual_id="a.id",
    **same("a", "contract_id contract_line_id contract_customer_id date amount currency description"),
)
APPROVED = f"""
    UPDATE actuals_entry SET status = 'approved', decided_at = CURRENT_TIMESTAMP,
      decided_by_id = %(manager)s, decision_comment = ''
    WHERE id IN (SELECT id FROM todo WHERE {PART})
"""


def approve(hand: Hand):
    """A cost, a share of sales, a row in the queue of both, and a backlog item for every submitted entry."""
    for part in hand.list_up(SUBMITTED, APPROVED_AT_ONCE):
        with hand.commit():
            batch = hand.add(APPROVAL)
            for sql in (PRICES, COSTS, SALES, QUEUED, ITEMS, APPROVED):
                hand.do(sql, batch=batch, **part)


# Backlog

OPEN = """
    SELECT row_number() OVER (ORDER BY b.id), b.id
    FROM backlog_backlogitem b JOIN contracts_projectcontract c ON c.id = b.contract_id
    WHERE c.entity_id = %(entity)s AND b.status = 'not_ready'
"""
MARKING = insert(BacklogAction, entity_id="%(entity)s", action="'ready'", by_id="%(manager)s")
MARKED = insert(
    BacklogActionItem, f"FROM todo WHERE {PART} ORDER BY place", action_id="%(action)s", item_id="todo.id"
)
READY = f"UPDATE backlog_backlogitem SET status = 'ready' WHERE id IN (SELECT id FROM todo WHERE {PART})"
COUNTED = "UPDATE backlog_backlogaction SET changed = %(until)s WHERE id = %(action)s"


def mark_ready(hand: Hand):
    """Every open item is ready, in one recorded action."""
    action = None
    parts = hand.list_up(OPEN, MARKED_AT_ONCE)
    for part in parts:
        with hand.commit():
            action = action or hand.add(MARKING)
            for sql in (MARKED, READY, COUNTED):
                hand.do(sql, action=action, **part)
    hand.do(COUNTED, action=action, **parts[-1])


# Proformas

RUN = insert(
    InvoiceRun,
    entity_id="%(entity)s",
    trigger="'manual'",
    as_of="%(billed_on)s",
    started_by_id="%(manager)s",
    due="%(due)s",
)
DUE = """
    SELECT l.contract_id FROM contracts_scheduleentry e
    JOIN contracts_contractline l ON l.id = e.line_id JOIN contracts_projectcontract c ON c.id = l.contract_id
    WHERE c.entity_id = %(entity)s AND c.status = 'confirmed' AND e.status = 'not_run'
      AND e.run_date <= %(billed_on)s
    GROUP BY l.contract_id ORDER BY l.contract_id
"""
RESERVED = """
    UPDATE backlog_backlogitem SET status = 'created' WHERE contract_id = %(contract)s AND status = 'ready'
      AND date <= (SELECT max(e.cutoff) FROM contracts_scheduleentry e
                   JOIN contracts_contractline l ON l.id = e.line_id WHERE l.contract_id = %(contract)s)
"""
PROFORMA = insert(
    ProformaInvoice,
    """
    FROM contracts_contractcustomer s JOIN contracts_customer k ON k.id = s.customer_id
    JOIN contracts_projectcontract c ON c.id = s.contract_id
    JOIN contracts_contractline l ON l.contract_id = c.id
    JOIN contracts_scheduleentry e ON e.line_id = l.id AND e.run_date = %(billed_on)s
    WHERE c.id = %(contract)s
    """,
    **same("c", "entity_id name currency"),
    **same("k", "street postal_code city country contact_name payment_term_id buyer_reference"),
    **same("k", "organization_number vat_number electronic_address_scheme electronic_address"),
    **same("e", "run_date cutoff"),
    number="%(number)s",
    contract_id="c.id",
    contract_customer_id="s.id",
    customer_id="k.id",
    run_id="%(run)s",
    accounting_date="%(billed_on)s",
    bill_to_name="k.name",
    copied_party="'{}'",
    created_by_id="%(manager)s",
)
LINES = insert(
    ProformaLine,
    "FROM contracts_contractline l WHERE l.contract_id = %(contract)s",
    proforma_id="%(proforma)s",
    contract_line_id="l.id",
    number="row_number() OVER (ORDER BY l.number)",
    description="l.name",
)
DETAILS = insert(
    LineDetail,
    """
    FROM proforma_proformaline p
    JOIN backlog_backlogitem b ON b.contract_line_id = p.contract_line_id AND b.status = 'created'
    JOIN actuals_actual a ON a.id = b.actual_id
    JOIN contracts_project j ON j.id = a.project_id
    JOIN contracts_projectcontract c ON c.id = a.contract_id
    JOIN contracts_contractcustomer s ON s.id = a.contract_customer_id
    JOIN contracts_customer k ON k.id = s.customer_id
    JOIN contracts_category g ON g.id = a.category_id
    WHERE p.proforma_id = %(proforma)s
    """,
    **same("a", f"quantity price amount billing_type {WORK}"),
    **same("b", "description internal_description"),
    line_id="p.id",
    backlog_item_id="b.id",
    billing_tax_group_id="coalesce(j.billing_tax_group_id, c.billing_tax_group_id, k.billing_tax_group_id)",
    item_tax_group_id="g.item_tax_group_id",
)
_ANSWERED = """
    FROM contracts_scheduleentry e WHERE e.run_date = %(billed_on)s
      AND e.line_id IN (SELECT id FROM contracts_contractline WHERE contract_id = %(contract)s)
"""
ANSWERS = insert(ProformaSchedule, _ANSWERED, proforma_id="%(proforma)s", entry_id="e.id")
SCHEDULED = f"""
    UPDATE contracts_scheduleentry
    SET status = 'succeeded', ran_at = CURRENT_TIMESTAMP, result = %(result)s
    WHERE id IN (SELECT e.id {_ANSWERED})
"""
DONE = insert(
    RunContract,
    run_id="%(run)s",
    contract_id="%(contract)s",
    outcome="'created'",
    reason="%(result)s",
)
JOB = insert(
    Job,
    kind="'invoice_run'",
    params="'{}'",
    outcome="'{}'",
    asked_by_id="%(manager)s",
    state="'running'",
    total="%(due)s",
    due_at="CURRENT_TIMESTAMP",
)
ALIVE = """
    UPDATE invoicing_site_job
    SET done = done + 1, beat_at = CURRENT_TIMESTAMP, due_at = CURRENT_TIMESTAMP WHERE id = %(job)s
"""
FINISHED = """
    UPDATE proforma_invoicerun
    SET status = 'finished', finished_at = CURRENT_TIMESTAMP WHERE id = %(run)s
"""


def run_invoicing(hand: Hand):
    """A proforma with its line and details for every contract that is due, each in its own commit."""
    due, stored = hand.ask(DUE), connections[hand.alias].ops.adapt_json_value
    run = hand.add(RUN, due=len(due))
    job = hand.add(JOB, due=len(due))
    for (contract,) in due:
        with hand.commit():
            number = hand.number("proforma", hand.draw("proforma") + 1)
            created = Reason("RUN-CREATED", count=1, proformas=[number]).as_json()
            values = {
                "run": run,
                "contract": contract,
                "number": number,
                "result": stored(created, None),
            }
            hand.do(RESERVED, **values)
            proforma = hand.add(PROFORMA, **values)
            for sql in (LINES, DETAILS, ANSWERS, SCHEDULED, DONE):
                hand.do(sql, proforma=proforma, **values)
        hand.do(ALIVE, job=job)
    hand.do(FINISHED, run=run)


DRAFTS = (
    "SELECT id FROM proforma_proformainvoice WHERE entity_id = %(entity)s AND status = 'draft' ORDER BY id"
)
CONFIRMATION = insert(
    Batch, entity_id="%(entity)s", action="'proforma'", on="%(billed_on)s", by_id="%(manager)s"
)
_CLAIMED = """
    FROM proforma_proformaline p JOIN proforma_linedetail d ON d.line_id = p.id
    JOIN backlog_backlogitem b ON b.id = d.backlog_item_id JOIN actuals_actual a ON a.id = b.actual_id
    WHERE p.proforma_id = %(proforma)s
"""
_BY_CONFIRM = {"batch_id": "%(batch)s", "accounting_date": "%(billed_on)s"}
REVERSALS = insert(
    Actual,
    _CLAIMED,
    **copied(
        Actual,
        "a",
        **_BY_CONFIRM,
        quantity="-a.quantity",
        amount="-a.amount",
        booked_by="'nothing'",
        reverses_id="a.id",
    ),
)
BILLED = insert(
    Actual,
    _CLAIMED,
    **copied(
        Actual,
        "a",
        **_BY_CONFIRM,
        type="'billed'",
        description="d.description",
        booked_by="'invoice'",
        replaces_id="a.id",
    ),
)
LINKS = insert(
    DetailActual,
    """
    FROM actuals_actual n
    JOIN backlog_backlogitem b ON b.actual_id = coalesce(n.reverses_id, n.replaces_id)
    JOIN proforma_linedetail d ON d.backlog_item_id = b.id
    WHERE n.batch_id = %(batch)s
    """,
    detail_id="d.id",
    actual_id="n.id",
    part="CASE n.type WHEN 'billed' THEN 'billed' ELSE 'reversal' END",
)
SETTLED = f"UPDATE backlog_backlogitem SET status = 'posted' WHERE id IN (SELECT b.id {_CLAIMED})"
CONFIRMED = """
    UPDATE proforma_proformainvoice SET status = 'confirmed', confirmed_at = CURRENT_TIMESTAMP,
      confirmed_by_id = %(manager)s, batch_id = %(batch)s
    WHERE id = %(proforma)s
"""

TO_PROPOSE = insert(ProformaToPropose, proforma_id="%(proforma)s", entity_id="%(entity)s")


def confirm(hand: Hand):
    """The reversal and the billed sales of every detail, a commit for each proforma."""
    for (proforma,) in hand.ask(DRAFTS):
        with hand.commit():
            batch = hand.add(CONFIRMATION)
            for sql in (REVERSALS, BILLED, LINKS, SETTLED, CONFIRMED, TO_PROPOSE):
                hand.do(sql, batch=batch, proforma=proforma)
