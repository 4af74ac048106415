"""Balances that are kept, so that no page adds up all that was ever posted (PST-6, PST-8).

Each row sums the rows of one fiscal period. It is written with them, under the lock of the voucher sequence
(`books.operations.write_vouchers`). `verify_ledger` proves it, and `rebuild_balances` corrects it.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from contracts.models import Customer, Project, TransactionClass
from invoicing_site.floor import guards
from invoicing_site.floor.fields import CurrencyField, SumField
from ledger.models.setup import Account, DimensionSet, FiscalPeriod
from ledger.models.vouchers import ProjectTransaction, Voucher


class PeriodBalance(models.Model):
    """How many vouchers a period has."""

    period = models.OneToOneField(FiscalPeriod, models.PROTECT, related_name="balance")
    count = models.PositiveBigIntegerField()

    def __str__(self):
        return f"vouchers of period {self.period_id}"


class AccountBalance(models.Model):
    """The entries on an account in a period with one set of dimensions, in accounting currency."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="balances", db_index=False)
    period = models.ForeignKey(FiscalPeriod, models.PROTECT, related_name="+", db_index=False)
    dimensions = models.ForeignKey(
        DimensionSet, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    count = models.PositiveBigIntegerField()
    debit = SumField()
    credit = SumField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "account", "period", Coalesce("dimensions", 0), name="account_balance_once"
            )
        ]

    def __str__(self):
        return f"balance of account {self.account_id} in period {self.period_id}"


class PartyBalance(models.Model):
    """The entries on a control account in a period that name one customer or project, in one currency."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="party_balances", db_index=False)
    period = models.ForeignKey(FiscalPeriod, models.PROTECT, related_name="+", db_index=False)
    project = models.ForeignKey(
        Project, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    currency = CurrencyField()
    count = models.PositiveBigIntegerField()
    debit = SumField()
    credit = SumField()
    accounting_debit = SumField()
    accounting_credit = SumField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "account",
                "period",
                Coalesce("project", 0),
                Coalesce("customer", 0),
                "currency",
                name="party_balance_once",
            )
        ]

    def __str__(self):
        return f"balance on account {self.account_id} in period {self.period_id}"


class CustomerBalance(models.Model):
    """The transactions of a customer in a period and one currency, by the month of their documents."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="balances", db_index=False)
    period = models.ForeignKey(FiscalPeriod, models.PROTECT, related_name="+", db_index=False)
    currency = CurrencyField()
    month = models.DateField(help_text="The first day of the month of the documents, for statements")
    count = models.PositiveBigIntegerField()
    amount = SumField()
    accounting_amount = SumField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "period", "currency", "month"], name="customer_balance_once"
            )
        ]

    def __str__(self):
        return f"balance of customer {self.customer_id} in period {self.period_id}"


class ProjectBalance(models.Model):
    """The transactions of a project in a period, of one kind and class, in one currency."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="balances", db_index=False)
    period = models.ForeignKey(FiscalPeriod, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=ProjectTransaction.Kind)
    transaction_class = models.CharField(max_length=10, choices=TransactionClass)
    in_balance = models.BooleanField()
    voucher_kind = models.CharField(max_length=11, choices=Voucher.Kind)
    currency = CurrencyField()
    count = models.PositiveBigIntegerField()
    quantity = SumField()
    amount = SumField()
    accounting_amount = SumField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "project",
                    "period",
                    "kind",
                    "transaction_class",
                    "in_balance",
                    "voucher_kind",
                    "currency",
                ],
                name="project_balance_once",
            )
        ]
        indexes = [
            models.Index(fields=["project"], condition=Q(in_balance=True), name="project_balance_controlled")
        ]

    def __str__(self):
        return f"balance of project {self.project_id} in period {self.period_id}"


for _model, _key in (
    (PeriodBalance, ["period"]),
    (AccountBalance, ["account", "period", "dimensions"]),
    (PartyBalance, ["account", "period", "project", "customer", "currency"]),
    (CustomerBalance, ["customer", "period", "currency", "month"]),
    (
        ProjectBalance,
        ["project", "period", "kind", "transaction_class", "in_balance", "voucher_kind", "currency"],
    ),
):
    guards.frozen(
        _model,
        when="1 = 1",
        columns=_key,
        because="a balance keeps what it is the balance of; rebuild_balances corrects its amounts.",
        is_sealed=False,  # it follows from rows that are sealed
    )
