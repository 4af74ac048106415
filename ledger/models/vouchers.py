"""The books, which never change: vouchers, ledger entries, and both subledgers (PST-1 to PST-8)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from actuals.models import Actual
from contracts.models import ContractLine, Customer, LegalEntity, Project, ReachQuerySet, TransactionClass
from invoicing_site.floor import guards, seals, searching
from invoicing_site.floor.fields import AmountField, CurrencyField, PercentField, QuantityField, RateField
from invoicing_site.floor.querysets import LockingQuerySet
from ledger.models.journal import JournalLine
from ledger.models.setup import Account, DimensionSet, FiscalPeriod
from ledger.models.tax import TaxCode


class VoucherQuerySet(ReachQuerySet):
    view_permission = "voucher.view"


class Voucher(models.Model):
    """One balanced set of ledger entries, linked by hash to the previous voucher (PST-7)."""

    class Kind(models.TextChoices):
        JOURNAL = "journal", "integration journal"
        INVOICE = "invoice", "customer invoice"
        PAYMENT = "payment", "payment"
        SETTLEMENT = "settlement", "settlement"
        RECOGNITION = "recognition", "revenue recognition"
        REVALUATION = "revaluation", "revaluation"
        GENERAL = "general", "general"
        OPENING = "opening", "opening balance"

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="vouchers"
    )
    number = models.CharField(max_length=40)
    kind = models.CharField(max_length=11, choices=Kind)
    date = models.DateField("accounting date")
    document_date = models.DateField()
    period = models.ForeignKey(FiscalPeriod, models.PROTECT, related_name="vouchers")
    text = models.CharField(max_length=300, blank=True)
    journal_line = models.OneToOneField(
        JournalLine, models.PROTECT, null=True, blank=True, related_name="voucher"
    )
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")
    position = models.PositiveBigIntegerField(
        help_text="The position in the chain of vouchers of the legal entity"
    )
    hash_format = models.PositiveSmallIntegerField(
        help_text="The version of the rules by which the hashes were calculated"
    )
    claims_hash = models.CharField(
        "hash of the booked item",
        max_length=64,
        help_text="SHA-256 hash of the journal line or invoice that the voucher books",
    )
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    posted_at = models.DateTimeField(default=timezone.now)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    posted_in = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The database transaction that posted the voucher (PostgreSQL only)",
    )

    objects = VoucherQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "number"], name="voucher_number_once"),
            models.UniqueConstraint(fields=["entity", "position"], name="voucher_position_once"),
            models.CheckConstraint(
                name="journal_voucher_names_its_line",
                condition=Q(kind="journal", journal_line__isnull=False)
                | (~Q(kind="journal") & Q(journal_line=None)),
            ),
        ]
        indexes = [models.Index(fields=["entity", "date", "id"], name="voucher_by_day")]

    def __str__(self):
        return f"voucher {self.number}"

    def get_absolute_url(self):
        return reverse("voucher", args=[self.pk])


class LedgerEntryQuerySet(ReachQuerySet):
    entity_path = "voucher__entity"
    view_permission = "voucher.view"


class LedgerEntry(models.Model):
    """One debit or credit, in the transaction's currency and in the accounting currency (MON-5)."""

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="entries")
    number = models.PositiveIntegerField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries")
    debit = AmountField(default=0)
    credit = AmountField(default=0)
    currency = CurrencyField()
    rate = RateField()
    accounting_debit = AmountField(default=0)
    accounting_credit = AmountField(default=0)
    dimensions = models.ForeignKey(DimensionSet, models.PROTECT, null=True, blank=True, db_index=False)
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, db_index=False)
    tax_code = models.ForeignKey(TaxCode, models.PROTECT, null=True, blank=True, db_index=False)
    tax_percent = PercentField(null=True, blank=True)
    tax_base = AmountField(null=True, blank=True, help_text="In the currency of the transaction")
    due_date = models.DateField(null=True, blank=True)
    text = models.CharField(max_length=300, blank=True)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(fields=["voucher", "number"], name="ledger_entry_number_once"),
            models.CheckConstraint(
                name="ledger_entry_is_a_debit_or_a_credit",
                condition=(Q(debit=0) | Q(credit=0))
                & (Q(accounting_debit=0) | Q(accounting_credit=0))
                & Q(debit__gte=0, credit__gte=0, accounting_debit__gte=0, accounting_credit__gte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["customer"], condition=Q(customer__isnull=False), name="ledger_by_customer"),
            models.Index(fields=["project"], condition=Q(project__isnull=False), name="ledger_by_project"),
        ]

    def __str__(self):
        return f"entry {self.number}"


class CustomerTransactionQuerySet(LockingQuerySet):
    def open_on(self, day):
        """Those that may be open at the end of the day: open now, or closed later."""
        return self.filter(Q(closed_on=None) | Q(closed_on__gt=day))


class CustomerTransaction(models.Model):
    """A row of the customer subledger: what a customer owes (positive) or has in credit (negative)."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", "invoice"
        CREDIT_NOTE = "credit_note", "credit note"
        PAYMENT = "payment", "payment"
        WRITE_OFF = "write_off", "write-off"
        REVALUATION = "revaluation", "revaluation"

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="customer_transactions")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=11, choices=Kind)
    document_number = models.CharField(max_length=40, blank=True)
    date = models.DateField()
    due_date = models.DateField(null=True, blank=True)
    amount = AmountField()
    currency = CurrencyField()
    rate = RateField()
    accounting_amount = AmountField()
    reference = models.CharField(max_length=60, blank=True, help_text="Payment reference, such as KID")
    closed_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The day from which the whole amount is settled",
    )

    objects = CustomerTransactionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "date"], name="customer_statement"),
            models.Index(fields=["customer"], condition=Q(closed_on=None), name="customer_open"),
            models.Index(
                fields=["customer", "closed_on"], condition=~Q(closed_on=None), name="customer_closed"
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.document_number}"


class Payment(models.Model):
    """A payment from, or to, a customer."""

    entity = models.ForeignKey(
        LegalEntity, models.PROTECT, verbose_name="legal entity", related_name="payments"
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="payments")
    voucher = models.OneToOneField(Voucher, models.PROTECT, related_name="payment")
    date = models.DateField()
    amount = AmountField()
    currency = CurrencyField()
    reference = models.CharField(max_length=60, blank=True)

    def __str__(self):
        return f"payment of {self.date}"


class Settlement(models.Model):
    """An amount of one transaction that settles another, with the exchange difference."""

    debit = models.ForeignKey(CustomerTransaction, models.PROTECT, related_name="settled_by")
    credit = models.ForeignKey(CustomerTransaction, models.PROTECT, related_name="settles")
    date = models.DateField()
    amount = AmountField()
    debit_accounting_amount = AmountField()
    credit_accounting_amount = AmountField()
    voucher = models.ForeignKey(
        Voucher,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="settlements",
        help_text="The voucher of the exchange difference, if there is one",
    )
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")

    class Meta:
        constraints = [models.CheckConstraint(name="settlement_has_an_amount", condition=~Q(amount=0))]

    def __str__(self):
        return f"settlement of {self.date}"


class ProjectTransaction(models.Model):
    """A row of the project subledger; a positive amount adds to the kind."""

    class Kind(models.TextChoices):
        COST = "cost", "cost"
        UNBILLED = "unbilled", "unbilled sales"
        ACCRUED = "accrued", "accrued revenue"
        REVENUE = "revenue", "invoiced revenue"
        ON_ACCOUNT = "on_account", "invoiced on account"
        RECOGNIZED = "recognized", "recognized revenue"
        DISBURSEMENT = "disbursement", "disbursement"

    voucher = models.ForeignKey(Voucher, models.PROTECT, related_name="project_transactions")
    project = models.ForeignKey(Project, models.PROTECT, related_name="transactions")
    contract_line = models.ForeignKey(ContractLine, models.PROTECT, null=True, blank=True, db_index=False)
    actual = models.ForeignKey(
        Actual, models.PROTECT, null=True, blank=True, related_name="project_transactions"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    transaction_class = models.CharField(max_length=10, choices=TransactionClass)
    date = models.DateField()
    quantity = QuantityField()
    amount = AmountField()
    currency = CurrencyField()
    accounting_amount = AmountField()
    in_balance = models.BooleanField(
        "in balance sheet",
        default=False,
        help_text="Booked on a balance sheet account, not in profit and loss",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["actual", "kind", "voucher"], name="project_transaction_once_a_voucher"
            )
        ]
        indexes = [models.Index(fields=["project", "date"], name="project_statement")]

    def __str__(self):
        return f"{self.get_kind_display()} {self.amount}"


for _model in (Voucher, LedgerEntry, Payment, Settlement, ProjectTransaction):
    guards.insert_only(_model)
guards.frozen(
    CustomerTransaction,
    when="1 = 1",
    except_=["closed_on"],
    because="a new row says what is different.",
)
_POSTED_TO = "EXISTS (SELECT 1 FROM ledger_ledgerentry posted WHERE posted.account_id = OLD.id)"
seals.audited(Account, "name", when=_POSTED_TO, sealed_with="entries")
guards.frozen(
    Account,
    when=_POSTED_TO,
    columns=Account.SETTLED,
    because="an account that carries postings keeps its number, its kind and what it controls.",
    sealed_with="entries",
)

# PostgreSQL checks it too: a voucher must balance when its transaction commits (one check per voucher; one
# per entry would be quadratic), and entries can be inserted only in their voucher's own transaction.
guards.postgres_only(
    "guard_voucher_posted_in",
    Voucher,
    create_sql="""
CREATE OR REPLACE FUNCTION ledger_voucher_posted_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.posted_in := txid_current();
  RETURN NEW;
END $$;
CREATE TRIGGER guard_voucher_posted_in BEFORE INSERT ON ledger_voucher
  FOR EACH ROW EXECUTE FUNCTION ledger_voucher_posted_in();
""",
)
guards.postgres_only(
    "guard_voucher_balances",
    Voucher,
    create_sql="""
CREATE OR REPLACE FUNCTION ledger_voucher_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  difference record;
BEGIN
  SELECT sum(debit) - sum(credit) AS own, sum(accounting_debit) - sum(accounting_credit) AS accounting
    INTO difference FROM ledger_ledgerentry WHERE voucher_id = NEW.id;
  IF difference.own <> 0 OR difference.accounting <> 0 THEN
    RAISE EXCEPTION 'voucher % does not balance: % and % in accounting currency',
      NEW.number, difference.own, difference.accounting USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_voucher_balances AFTER INSERT ON ledger_voucher
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_voucher_balances();
""",
)
guards.postgres_only(
    "guard_entries_with_their_voucher",
    LedgerEntry,
    create_sql="""
CREATE OR REPLACE FUNCTION ledger_entries_with_their_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM inserted i JOIN ledger_voucher v ON v.id = i.voucher_id
             WHERE v.posted_in IS DISTINCT FROM txid_current()) THEN
    RAISE EXCEPTION 'entries are inserted only in the transaction of their voucher'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER guard_entries_with_their_voucher AFTER INSERT ON ledger_ledgerentry
  REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_with_their_voucher();
""",
)
searching.declare(Voucher, "number", "text")
