"""The lower bound, second half: integration journals, proposals and posted invoices as hand-written SQL.

The chain of hashes is left out: its columns contain zeros of the same length.
"""

import datetime

from benchmarks.by_hand import PART, Hand, copied, insert, same
from benchmarks.company import BILLED_ON
from ledger.invoicing.groups import MOST
from ledger.journal.operations.lines import CHUNK
from ledger.models import (
    AccountBalance,
    CustomerBalance,
    CustomerInvoice,
    CustomerTransaction,
    IntegrationJournal,
    InvoiceLine,
    InvoiceProposal,
    InvoiceTax,
    InvoiceToDocument,
    JournalLine,
    LedgerEntry,
    PartyBalance,
    PeriodBalance,
    ProjectBalance,
    ProjectTransaction,
    ProposalLine,
    ProposalSection,
    Voucher,
)

NO_HASH = f"'{'0' * 64}'"


# Stored balances


def raised(model, rows, only="", *, key: dict, sums: dict) -> str:
    """Add the rows of the new vouchers to their balances. `key` and `sums`: SQL over a row, by column."""
    nullable = {field.attname for field in model._meta.concrete_fields if field.null}
    target = ", ".join(f"COALESCE({name}, 0)" if name in nullable else name for name in key)
    table = model._meta.db_table
    return insert(
        model,
        f"""
        FROM {rows._meta.db_table} r
        JOIN ledger_voucher v ON v.id = {"r.id" if rows is Voucher else "r.voucher_id"} {only}
        WHERE v.entity_id = %(entity)s AND v.position > %(position)s
        GROUP BY {", ".join(value for value in key.values() if "%" not in value)}
        ON CONFLICT ({target}) DO UPDATE
        SET {", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in ("count", *sums))}
        """,
        **key,
        count="count(*)",
        **{name: f"sum({column})" for name, column in sums.items()},
    )


BALANCES = [
    raised(PeriodBalance, Voucher, key={"period_id": "v.period_id"}, sums={}),
    raised(
        AccountBalance,
        LedgerEntry,
        key={"account_id": "r.account_id", "period_id": "v.period_id", "dimensions_id": "r.dimensions_id"},
        sums={"debit": "r.accounting_debit", "credit": "r.accounting_credit"},
    ),
    raised(
        PartyBalance,
        LedgerEntry,
        "JOIN ledger_account a ON a.id = r.account_id AND a.control <> ''",
        key={
            "account_id": "r.account_id",
            "period_id": "v.period_id",
            **same("r", "project_id customer_id currency"),
        },
        sums=same("r", "debit credit accounting_debit accounting_credit"),
    ),
    raised(
        CustomerBalance,
        CustomerTransaction,
        key={
            "customer_id": "r.customer_id",
            "period_id": "v.period_id",
            "currency": "r.currency",
            "month": "%(billed_month)s",
        },
        sums=same("r", "amount accounting_amount"),
    ),
    raised(
        ProjectBalance,
        ProjectTransaction,
        key={
            "project_id": "r.project_id",
            "period_id": "v.period_id",
            **same("r", "kind transaction_class in_balance"),
            "voucher_kind": "v.kind",
            "currency": "r.currency",
        },
        sums=same("r", "quantity amount accounting_amount"),
    ),
]


# Integration journals

WAITING = """
    SELECT row_number() OVER (ORDER BY actual_id), actual_id FROM actuals_actualtojournal
    WHERE entity_id = %(entity)s
"""
TAKEN = f"DELETE FROM actuals_actualtojournal WHERE actual_id IN (SELECT id FROM todo WHERE {PART})"
JOURNAL = insert(
    IntegrationJournal, entity_id="%(entity)s", number="%(number)s", period="%(period)s", status="'draft'"
)
JOURNAL_LINES = insert(
    JournalLine,
    f"""
    FROM todo JOIN actuals_actual a ON a.id = todo.id
    JOIN contracts_project j ON j.id = a.project_id
    JOIN contracts_projectcontract c ON c.id = a.contract_id
    JOIN contracts_category g ON g.id = a.category_id
    LEFT JOIN contracts_contractcustomer s ON s.id = a.contract_customer_id
    LEFT JOIN contracts_customer k ON k.id = s.customer_id
    WHERE {PART}
    ORDER BY place
    """,
    **same("a", "accounting_date"),
    journal_id="CASE WHEN place <= %(full)s THEN %(journal)s ELSE %(next)s END",
    actual_id="a.id",
    exchange_rate="1",
    accounting_amount="a.amount",
    billing_tax_group_id="coalesce(j.billing_tax_group_id, c.billing_tax_group_id, k.billing_tax_group_id)",
    item_tax_group_id="g.item_tax_group_id",
    line_property="a.billing_type",
)


def add_to_journals(hand: Hand):
    """A journal line for every actual; a new journal when one is full."""
    most = hand.world.entity.journal_max_lines
    journals = []
    for part in hand.list_up(WAITING, CHUNK):
        with hand.commit():
            before, needed = len(journals), -(-part["until"] // most)
            for _ in range(before, needed):
                number = hand.number("journal", hand.draw("journal") + 1)
                journals.append(hand.add(JOURNAL, number=number, period="2025-03"))
            first = part["after"] // most
            values = {"journal": journals[first], "next": journals[-1], "full": (first + 1) * most}
            hand.do(JOURNAL_LINES, **values, **part)
            hand.do(TAKEN, **part)


JOURNALS = (
    "SELECT id FROM ledger_integrationjournal WHERE entity_id = %(entity)s AND status = 'draft' ORDER BY id"
)
BEGUN = "UPDATE ledger_integrationjournal SET status = 'processing' WHERE id = %(journal)s"
POSTED = """
    UPDATE ledger_integrationjournal
    SET status = 'posted', posted_at = CURRENT_TIMESTAMP, posted_by_id = %(accountant)s
    WHERE id = %(journal)s
"""
UNPOSTED = """
    SELECT row_number() OVER (ORDER BY l.id), l.id FROM ledger_journalline l
    LEFT JOIN ledger_voucher v ON v.journal_line_id = l.id
    WHERE l.journal_id = %(journal)s AND v.id IS NULL
"""
_BOOKED = """
    FROM ledger_voucher v JOIN ledger_journalline l ON l.id = v.journal_line_id
    JOIN actuals_actual a ON a.id = l.actual_id
"""
_NEW = "v.entity_id = %(entity)s AND v.position > %(position)s"
ENTRIES = insert(
    LedgerEntry,
    f"""
    {_BOOKED}
    CROSS JOIN (SELECT 1 AS number UNION ALL SELECT 2) side
    JOIN ledger_postingaccount p ON p.entity_id = v.entity_id AND p.purpose =
      CASE WHEN a.type = 'cost' THEN CASE side.number WHEN 1 THEN 'project_cost' ELSE 'payroll' END
           ELSE CASE side.number WHEN 1 THEN 'wip_sales' ELSE 'accrued' END END
    WHERE {_NEW}
    """,
    voucher_id="v.id",
    number="side.number",
    account_id="p.account_id",
    debit="CASE side.number WHEN 1 THEN a.amount ELSE 0 END",
    credit="CASE side.number WHEN 2 THEN a.amount ELSE 0 END",
    currency="a.currency",
    rate="l.exchange_rate",
    accounting_debit="CASE side.number WHEN 1 THEN l.accounting_amount ELSE 0 END",
    accounting_credit="CASE side.number WHEN 2 THEN l.accounting_amount ELSE 0 END",
    dimensions_id="l.dimensions_id",
    project_id="a.project_id",
)
OF_PROJECT = insert(
    ProjectTransaction,
    f"{_BOOKED} WHERE {_NEW}",
    **same("a", "project_id contract_line_id transaction_class quantity amount currency"),
    voucher_id="v.id",
    actual_id="a.id",
    kind="CASE a.type WHEN 'cost' THEN 'cost' ELSE 'accrued' END",
    date="l.accounting_date",
    accounting_amount="l.accounting_amount",
    in_balance="a.type <> 'cost'",
)
LATEST = f"""
    SELECT max(l.accounting_date) FROM todo JOIN ledger_journalline l ON l.id = todo.id WHERE {PART}
"""
CHAIN = """
    SELECT chain_length FROM contracts_numbersequence WHERE entity_id = %(entity)s AND kind = 'voucher'
"""
CHAINED = f"""
    UPDATE contracts_numbersequence SET chain_length = chain_length + %(count)s, chain_hash = {NO_HASH}
    WHERE entity_id = %(entity)s AND kind = 'voucher'
"""


def post_journals(hand: Hand):
    """A voucher with its entries and project transaction for every journal line."""
    vouchers = insert(
        Voucher,
        f"""
        FROM todo JOIN ledger_journalline l ON l.id = todo.id JOIN actuals_actual a ON a.id = l.actual_id
        JOIN contracts_project j ON j.id = a.project_id JOIN contracts_resource r ON r.id = a.resource_id
        JOIN ledger_fiscalperiod p ON p.entity_id = a.entity_id
          AND l.accounting_date BETWEEN p.starts AND p.ends
        WHERE {PART}
        ORDER BY place
        """,
        entity_id="a.entity_id",
        number=hand.number_sql("voucher", "%(last)s + place - %(after)s"),
        kind="'journal'",
        date="l.accounting_date",
        document_date="a.date",
        period_id="p.id",
        text="'time ' || CASE a.type WHEN 'cost' THEN 'cost' ELSE 'unbilled sales' END"
        " || ', ' || j.code || ', ' || r.name || ', ' || a.description",
        journal_line_id="l.id",
        position="%(position)s + place - %(after)s",
        claims_hash=NO_HASH,
        previous_hash=NO_HASH,
        hash_format="1",
        hash=NO_HASH,
        posted_by_id="%(accountant)s",
    )
    for (journal,) in hand.ask(JOURNALS):
        with hand.commit():
            hand.do(BEGUN, journal=journal)
        for part in hand.list_up(UNPOSTED, CHUNK, journal=journal):
            with hand.commit():
                ((day,),) = hand.ask(LATEST, **part)
                ((position,),) = hand.ask(CHAIN)
                count = part["until"] - part["after"]
                values = {"last": hand.draw("voucher", count, day), "position": position, "count": count}
                for sql in (vouchers, ENTRIES, OF_PROJECT, CHAINED, *BALANCES):
                    hand.do(sql, **values, **part)
        with hand.commit():
            hand.do(POSTED, journal=journal)


# Proposals

TO_PROPOSE = """
    SELECT q.proforma_id, (SELECT count(*) FROM proforma_proformaline l
                           JOIN proforma_linedetail d ON d.line_id = l.id WHERE l.proforma_id = q.proforma_id)
    FROM proforma_proformatopropose q WHERE q.entity_id = %(entity)s ORDER BY q.proforma_id
"""
PROPOSED = "DELETE FROM proforma_proformatopropose WHERE proforma_id = %(proforma)s"
PROPOSAL = insert(
    InvoiceProposal,
    """
    FROM proforma_proformainvoice f JOIN contracts_customer k ON k.id = f.customer_id
    JOIN contracts_projectcontract c ON c.id = f.contract_id
    WHERE f.id = %(proforma)s
    """,
    **same("f", "entity_id number contract_customer_id"),
    proforma_id="f.id",
    status="'open'",
    delivery="k.delivery",
    place_of_delivery="coalesce(nullif(c.place_of_delivery, ''), f.city)",
    header_text="f.description",
)
SECTIONS = insert(
    ProposalSection,
    "FROM proforma_proformaline l WHERE l.proforma_id = %(proforma)s",
    proposal_id="%(proposal)s",
    number="row_number() OVER (ORDER BY l.number)",
    title="l.description",
)
PROPOSAL_LINES = insert(
    ProposalLine,
    """
    FROM proforma_proformaline l JOIN proforma_linedetail d ON d.line_id = l.id
    JOIN ledger_proposalsection s ON s.proposal_id = %(proposal)s AND s.number = l.number
    JOIN backlog_backlogitem b ON b.id = d.backlog_item_id
    JOIN ledger_journalline j ON j.actual_id = b.actual_id
    WHERE l.proforma_id = %(proforma)s
    """,
    **same("j", "billing_tax_group_id item_tax_group_id dimensions_id"),
    proposal_id="%(proposal)s",
    section_id="s.id",
    detail_id="d.id",
    number="row_number() OVER (ORDER BY l.number, d.date, d.id)",
    amount="d.amount",
)


def propose(hand: Hand):
    """A proposal with its section and lines, a commit for each group of proformas."""
    for group in _groups(hand.ask(TO_PROPOSE)):
        with hand.commit():
            for (proforma,) in group:
                proposal = hand.add(PROPOSAL, proforma=proforma)
                hand.do(SECTIONS, proposal=proposal, proforma=proforma)
                hand.do(PROPOSAL_LINES, proposal=proposal, proforma=proforma)
                hand.do(PROPOSED, proforma=proforma)


def _groups(rows):
    """The rows without their last column, the number of actuals, in groups of at most 5,000 actuals."""
    group, size = [], 0
    for *row, actuals in rows:
        if group and size + actuals > MOST:
            yield group
            group, size = [], 0
        group.append(row)
        size += actuals
    yield group


# Invoices

OPEN = """
    SELECT p.id, p.proforma_id, f.bill_to_name, f.currency,
           (SELECT count(*) FROM ledger_proposalline l WHERE l.proposal_id = p.id)
    FROM ledger_invoiceproposal p JOIN proforma_proformainvoice f ON f.id = p.proforma_id
    WHERE p.entity_id = %(entity)s AND p.status = 'open' ORDER BY p.number
"""
_TAX_CODE = """
    JOIN ledger_billingtaxgroupcode bc ON bc.group_id = l.billing_tax_group_id
    JOIN ledger_itemtaxgroupcode ic ON ic.group_id = l.item_tax_group_id AND ic.tax_code_id = bc.tax_code_id
    JOIN ledger_taxcode c ON c.id = bc.tax_code_id
    JOIN ledger_taxrate r ON r.tax_code_id = c.id AND r.valid_from <= %(billed_on)s
"""
_TAXED = f"""
    SELECT t.*, round(t.base * t.percent / 100.0, 2) AS tax
    FROM (SELECT c.id, c.code, c.name, c.category, c.legal_text, c.exemption_code, r.percent,
                 sum(l.amount) AS base
          FROM ledger_proposalline l {_TAX_CODE} WHERE l.proposal_id = %(proposal)s
          GROUP BY c.id, c.code, c.name, c.category, c.legal_text, c.exemption_code, r.percent) t
"""
INVOICE = insert(
    CustomerInvoice,
    f"""
    FROM ledger_invoiceproposal p JOIN proforma_proformainvoice f ON f.id = p.proforma_id
    JOIN contracts_projectcontract c ON c.id = f.contract_id
    JOIN contracts_contractcustomer s ON s.id = f.contract_customer_id
    JOIN contracts_customer k ON k.id = f.customer_id
    JOIN contracts_legalentity e ON e.id = f.entity_id
    LEFT JOIN contracts_paymentterm t ON t.id = f.payment_term_id
    JOIN contracts_numbersequence q ON q.entity_id = e.id AND q.kind = 'invoice'
    CROSS JOIN (SELECT min(d.date) AS begins, max(d.date) AS ends FROM ledger_proposalline l
                JOIN proforma_linedetail d ON d.id = l.detail_id WHERE l.proposal_id = %(proposal)s) w
    CROSS JOIN (SELECT sum(base) AS net, sum(tax) AS tax FROM ({_TAXED}) t) x
    WHERE p.id = %(proposal)s
    """,
    **same("p", "entity_id contract_customer_id header_text footer_text with_annex delivery"),
    **same("f", "customer_id order_reference buyer_reference currency"),
    **same(
        "e",
        "name street postal_code city country organization_number vat_number in_company_register email"
        " phone website bank_account iban bic logo_id accent_color electronic_address_scheme"
        " electronic_address",
        into="seller_",
    ),
    **same(
        "f",
        "street postal_code city country organization_number vat_number electronic_address_scheme"
        " electronic_address",
        into="buyer_",
    ),
    buyer_number="k.number",
    place_of_delivery="p.place_of_delivery",
    proposal_id="p.id",
    voucher_id="%(voucher)s",
    kind="'invoice'",
    sequence_id="q.id",
    number="%(number)s",
    year="%(year)s",
    seq="%(seq)s",
    invoice_date="%(billed_on)s",
    accounting_date="%(billed_on)s",
    due_date="%(due_date)s",
    period_from="w.begins",
    period_to="w.ends",
    language="k.language",
    payment_reference="%(number)s",
    contract_code="c.code",
    contract_name="c.name",
    payment_terms="coalesce(t.name, '')",
    buyer_name="f.bill_to_name",
    buyer_contact="f.contact_name",
    accounting_currency="e.currency",
    rate="1",
    net_rate="1",
    net="x.net",
    tax="x.tax",
    total="x.net + x.tax",
    accounting_net="x.net",
    accounting_tax="x.tax",
    accounting_total="x.net + x.tax",
)
TAXES = insert(
    InvoiceTax,
    f"FROM ({_TAXED}) t",
    **same("t", "code name category legal_text exemption_code percent base tax"),
    invoice_id="%(invoice)s",
    tax_code_id="t.id",
    accounting_base="t.base",
    accounting_tax="t.tax",
)
INVOICE_LINES = insert(
    InvoiceLine,
    f"""
    FROM (SELECT y.*, y.tax - sum(y.cents) OVER () AS left_over,
                 row_number() OVER (ORDER BY y.exact - y.cents DESC, y.number) AS turn
          FROM (SELECT l.*, c.category, r.percent, l.amount * r.percent AS exact,
                       floor(l.amount * r.percent) AS cents, x.tax * 100 AS tax
                FROM ledger_proposalline l {_TAX_CODE}
                JOIN ledger_invoicetax x ON x.invoice_id = %(invoice)s AND x.tax_code_id = c.id
                WHERE l.proposal_id = %(proposal)s) y) l
    JOIN ledger_proposalsection s ON s.id = l.section_id
    JOIN proforma_linedetail d ON d.id = l.detail_id
    JOIN contracts_project j ON j.id = d.project_id
    JOIN contracts_task t ON t.id = d.task_id
    JOIN contracts_resource n ON n.id = d.resource_id
    JOIN contracts_role o ON o.id = d.role_id
    JOIN contracts_category g ON g.id = d.category_id
    """,
    **same("d", "transaction_class date description billing_type quantity unit price"),
    unit_code="CASE d.unit WHEN 'h' THEN 'HUR' ELSE 'C62' END",
    invoice_id="%(invoice)s",
    proposal_line_id="l.id",
    number="row_number() OVER (ORDER BY s.number, l.number)",
    section="s.number",
    section_title="s.title",
    section_mode="s.mode",
    project="j.code || ' ' || j.name",
    task="t.name",
    resource="n.name",
    role="o.name",
    category="g.name",
    net="l.amount",
    tax="(l.cents + CASE WHEN l.turn <= l.left_over THEN 1 ELSE 0 END) / 100.0",
    tax_category="l.category",
    tax_percent="l.percent",
)
VOUCHER = insert(
    Voucher,
    "FROM ledger_fiscalperiod p WHERE p.entity_id = %(entity)s AND %(billed_on)s BETWEEN p.starts AND p.ends",
    entity_id="%(entity)s",
    number="%(voucher_number)s",
    kind="'invoice'",
    date="%(billed_on)s",
    document_date="%(billed_on)s",
    period_id="p.id",
    text="'Invoice ' || %(number)s || ', ' || %(buyer)s",
    position="%(position)s + 1",
    claims_hash=NO_HASH,
    previous_hash=NO_HASH,
    hash_format="1",
    hash=NO_HASH,
    posted_by_id="%(accountant)s",
)
_ORIGINALS = """
    FROM proforma_proformaline l JOIN proforma_linedetail d ON d.line_id = l.id
    JOIN backlog_backlogitem b ON b.id = d.backlog_item_id
    JOIN ledger_journalline j ON j.actual_id = b.actual_id
    JOIN ledger_voucher v ON v.journal_line_id = j.id
"""
# The customer's debt, then revenue, then tax, then the reversal of the journal's accruals.
INVOICE_ENTRIES = insert(
    LedgerEntry,
    f"""
    FROM (
      SELECT 1 AS number, p.account_id, i.total AS debit, 0 AS credit, NULL AS project_id, i.customer_id,
             CAST(NULL AS bigint) AS code_id, CAST(NULL AS numeric) AS percent,
             CAST(NULL AS numeric) AS base, i.due_date
      FROM ledger_customerinvoice i
      JOIN ledger_postingaccount p ON p.entity_id = i.entity_id AND p.purpose = 'customer'
      WHERE i.id = %(invoice)s
      UNION ALL
      SELECT 2, p.account_id, 0, sum(l.net), d.project_id, NULL, NULL, NULL, NULL, NULL
      FROM ledger_invoiceline l JOIN ledger_proposalline o ON o.id = l.proposal_line_id
      JOIN proforma_linedetail d ON d.id = o.detail_id
      JOIN ledger_postingaccount p ON p.entity_id = %(entity)s AND p.purpose = 'revenue'
      WHERE l.invoice_id = %(invoice)s GROUP BY p.account_id, d.project_id
      UNION ALL
      SELECT 3, c.account_id, 0, x.tax, NULL, NULL, c.id, x.percent, x.base, NULL
      FROM ledger_invoicetax x JOIN ledger_taxcode c ON c.id = x.tax_code_id
      WHERE x.invoice_id = %(invoice)s
      UNION ALL
      SELECT 3 + row_number() OVER (ORDER BY a.number), e.account_id, sum(e.credit), sum(e.debit),
             e.project_id, NULL, NULL, NULL, NULL, NULL
      {_ORIGINALS} JOIN ledger_ledgerentry e ON e.voucher_id = v.id
      JOIN ledger_account a ON a.id = e.account_id
      WHERE l.proforma_id = %(proforma)s GROUP BY e.account_id, e.project_id, a.number
    ) n
    """,
    **same("n", "number account_id debit credit project_id customer_id due_date"),
    **same("n", "code_id percent base", into="tax_"),
    voucher_id="%(voucher)s",
    currency="%(currency)s",
    rate="1",
    accounting_debit="n.debit",
    accounting_credit="n.credit",
)
OF_CUSTOMER = insert(
    CustomerTransaction,
    "FROM ledger_customerinvoice i WHERE i.id = %(invoice)s",
    **same("i", "customer_id due_date currency rate"),
    voucher_id="%(voucher)s",
    kind="'invoice'",
    document_number="i.number",
    date="i.invoice_date",
    amount="i.total",
    accounting_amount="i.accounting_total",
    reference="i.payment_reference",
)
REVENUE = insert(
    ProjectTransaction,
    """
    FROM proforma_proformaline l JOIN proforma_linedetail d ON d.line_id = l.id
    JOIN proforma_detailactual m ON m.detail_id = d.id AND m.part = 'billed'
    JOIN actuals_actual a ON a.id = m.actual_id
    WHERE l.proforma_id = %(proforma)s
    """,
    **same("a", "project_id contract_line_id transaction_class quantity amount currency"),
    voucher_id="%(voucher)s",
    actual_id="a.id",
    kind="'revenue'",
    date="%(billed_on)s",
    accounting_amount="a.amount",
)
NOT_ACCRUED = insert(
    ProjectTransaction,
    f"""
    {_ORIGINALS} JOIN ledger_projecttransaction t ON t.voucher_id = v.id
    WHERE l.proforma_id = %(proforma)s
    """,
    **copied(
        ProjectTransaction,
        "t",
        voucher_id="%(voucher)s",
        date="%(billed_on)s",
        quantity="-t.quantity",
        amount="-t.amount",
        accounting_amount="-t.accounting_amount",
    ),
)
SETTLED = "UPDATE ledger_invoiceproposal SET status = 'posted' WHERE id = %(proposal)s"


TO_DOCUMENT = insert(InvoiceToDocument, invoice_id="%(invoice)s", entity_id="%(entity)s")


def post_invoices(hand: Hand):
    """An invoice with its lines, taxes, voucher and subledger rows, a commit for each group of proposals."""
    for group in _groups(hand.ask(OPEN)):
        with hand.commit():
            for proposal in group:
                _post_invoice(hand, *proposal)


def _post_invoice(hand, proposal, proforma, buyer, currency):
    seq = hand.draw("invoice") + 1
    ((position,),) = hand.ask(CHAIN)
    values = {
        "proposal": proposal,
        "proforma": proforma,
        "buyer": buyer,
        "currency": currency,
        "due_date": BILLED_ON + datetime.timedelta(days=hand.world.company.payment_term.days),
        "seq": seq,
        "number": hand.number("invoice", seq),
        "voucher_number": hand.number("voucher", hand.draw("voucher") + 1),
        "position": position,
        "count": 1,
    }
    values["voucher"] = hand.add(VOUCHER, **values)
    values["invoice"] = hand.add(INVOICE, **values)
    hand.do(TO_DOCUMENT, **values)
    for sql in (TAXES, INVOICE_LINES, INVOICE_ENTRIES, OF_CUSTOMER, REVENUE, NOT_ACCRUED, SETTLED):
        hand.do(sql, **values)
    for sql in (CHAINED, *BALANCES):
        hand.do(sql, **values)
