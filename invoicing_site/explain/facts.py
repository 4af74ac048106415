"""The data of an explanation: all records related to some actuals, read in a constant number of queries.

An actual leads to its entry and to all actuals of that entry, to the backlog item and the detail that claims
it, to the actuals that confirming created for that detail, and to journal, invoice and payment.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q

from actuals.models import Actual
from backlog.models import Adjustment, BacklogItem
from ledger.models import CustomerTransaction, JournalLine, LedgerEntry, ProposalLine, Settlement
from proforma.models import DetailActual, LimitOverride, LineDetail

# Records that many rows share are read once and not joined to each row.
_OF_ACTUAL = (
    "entity",
    "batch__by",
    "entry__resource",
    "entry__project",
    "entry__task",
    "entry__role",
    "entry__source",
    "entry__submitted_by",
    "entry__decided_by",
    "contract",
    "contract_line",
    "contract_customer__customer",
    "price_decision__price_list",
    "price_decision__role_price",
    "price_decision__override",
    "price_decision__category_price",
    "price_decision__product_price",
    "milestone_part__milestone",
)
_OF_DETAIL = (
    "line__proforma__confirmed_by",
    "line__proforma__run",
    "line__proforma__proposal__invoice",
    "backlog_item__milestone_part__milestone",
    "corrects__line__proforma",
)
# Confirming creates them for one detail; another detail claims them.
_BILLED_LATER = {DetailActual.Part.AGAIN, DetailActual.Part.BALANCE}

_OF_PROPOSAL_LINE = ("proposal", "section", "invoice_line__invoice__voucher__entity")
_OF_JOURNAL_LINE = ("journal", "voucher__entity")


def _any_of(first, *others):
    """The keys of all these rows: with OR instead, PostgreSQL would read the whole table."""
    return first.order_by().values("pk").union(*(rows.order_by().values("pk") for rows in others))


@dataclass
class Facts:
    """Related rows in dictionaries; the comments name the keys."""

    actuals: dict[int, Actual] = field(default_factory=dict)
    of_entry: dict[int, list[Actual]] = field(default_factory=lambda: defaultdict(list))
    reversal_of: dict[int, Actual] = field(default_factory=dict)  # by the actual that is reversed
    items: dict[int, BacklogItem] = field(default_factory=dict)  # by actual
    adjustments: dict[int, Adjustment] = field(default_factory=dict)  # by backlog item
    details: dict[int, LineDetail] = field(default_factory=dict)
    claims: dict[int, LineDetail] = field(default_factory=dict)  # by backlog item
    parts: dict[int, list[DetailActual]] = field(default_factory=lambda: defaultdict(list))  # by detail
    part_of: dict[int, DetailActual] = field(default_factory=dict)  # by actual
    overrides: dict[int, list[LimitOverride]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by proforma
    proposal_lines: dict[int, ProposalLine] = field(default_factory=dict)  # by detail
    journal_lines: dict[int, JournalLine] = field(default_factory=dict)  # by actual
    entries: dict[int, list[LedgerEntry]] = field(default_factory=lambda: defaultdict(list))  # by voucher
    customer_transactions: dict[int, list[CustomerTransaction]] = field(
        default_factory=lambda: defaultdict(list)  # by voucher
    )
    settlements: dict[int, list[Settlement]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by transaction

    @classmethod
    def around(
        cls, actuals: Iterable[int] = (), details: Iterable[int] = (), with_entries: bool = True
    ) -> "Facts":
        """Read the rows related to actuals and details, given by key.

        `with_entries` False leaves out the ledger entries of invoices, which are numerous and the same for
        each line.
        """
        facts = cls()
        seeds = set(actuals)
        facts._read_details(seeds, set(details))
        facts._read_actuals(seeds)
        facts._read_backlog()
        facts._read_ledger(with_entries)
        return facts

    def _read_details(self, seeds, details):
        keys = _any_of(
            LineDetail.objects.filter(pk__in=details),
            LineDetail.objects.filter(detail_actuals__actual__in=seeds),
            LineDetail.objects.filter(backlog_item__actual__in=seeds),
        )
        for detail in LineDetail.objects.filter(pk__in=keys).prefetch_related(*_OF_DETAIL).order_by("pk"):
            self.details[detail.pk] = detail
            if detail.backlog_item_id:
                self.claims[detail.backlog_item_id] = detail
        for part in DetailActual.objects.filter(detail__in=self.details).order_by("pk"):
            self.parts[part.detail_id].append(part)
            self.part_of[part.actual_id] = part
        proformas = {detail.line.proforma_id for detail in self.details.values()}
        for override in LimitOverride.objects.filter(proforma__in=proformas).select_related("by"):
            self.overrides[override.proforma_id].append(override)

    def _read_actuals(self, seeds):
        keys = seeds | set(self.part_of)
        keys |= {
            detail.backlog_item.actual_id
            for detail in self.details.values()
            if detail.backlog_item and detail.backlog_item.actual_id
        }
        entries = Actual.objects.filter(pk__in=keys, entry__isnull=False).values("entry")
        found = _any_of(
            Actual.objects.filter(pk__in=keys),
            Actual.objects.filter(entry__in=entries),
            Actual.objects.filter(reverses__in=keys),
        )
        for actual in Actual.objects.filter(pk__in=found).prefetch_related(*_OF_ACTUAL).order_by("pk"):
            self.actuals[actual.pk] = actual
            if actual.entry_id:
                self.of_entry[actual.entry_id].append(actual)
            if actual.reverses_id:
                self.reversal_of[actual.reverses_id] = actual

    def _read_backlog(self):
        for item in BacklogItem.objects.filter(actual__in=self.actuals).order_by("pk"):
            self.items[item.actual_id] = item
        keys = {item.pk for item in self.items.values()}
        for adjustment in Adjustment.objects.filter(item__in=keys):
            self.adjustments[adjustment.item_id] = adjustment
        # Other details may claim shares of the same entry; they are only named.
        others = LineDetail.objects.filter(backlog_item__in=keys - set(self.claims))
        for detail in others.prefetch_related(*_OF_DETAIL):
            self.details[detail.pk] = detail
            self.claims[detail.backlog_item_id] = detail

    def _read_ledger(self, with_entries):
        lines = ProposalLine.objects.filter(detail__in=self.details)
        for line in lines.prefetch_related(*_OF_PROPOSAL_LINE):
            self.proposal_lines[line.detail_id] = line
        journal_lines = JournalLine.objects.filter(actual__in=self.actuals)
        for line in journal_lines.prefetch_related(*_OF_JOURNAL_LINE):
            self.journal_lines[line.actual_id] = line
        vouchers = {line.voucher.pk for line in self.journal_lines.values() if hasattr(line, "voucher")}
        invoices = {
            line.invoice_line.invoice.voucher_id
            for line in self.proposal_lines.values()
            if hasattr(line, "invoice_line")
        }
        self.read_vouchers(vouchers | invoices if with_entries else vouchers, invoices)

    def read_vouchers(self, vouchers, invoices):
        """The entries of some vouchers, and the customer transactions of invoices with their settlements."""
        entries = LedgerEntry.objects.filter(voucher__in=vouchers).prefetch_related("account")
        for entry in entries.order_by("voucher", "number"):
            self.entries[entry.voucher_id].append(entry)
        for row in CustomerTransaction.objects.filter(voucher__in=invoices).order_by("pk"):
            self.customer_transactions[row.voucher_id].append(row)
        keys = {row.pk for rows in self.customer_transactions.values() for row in rows}
        settlements = Settlement.objects.filter(Q(debit__in=keys) | Q(credit__in=keys))
        for row in settlements.select_related("debit__voucher", "credit__voucher").order_by("date", "pk"):
            for key in {row.debit_id, row.credit_id} & keys:
                self.settlements[key].append(row)

    def original_of(self, actual: Actual) -> Actual | None:
        """The first actual of the explanation: the one that the detail claims, the reversed one, or this one.

        None if there is no earlier actual: for a milestone's billed sales and for work added by hand.
        """
        part = self._passing_part(actual)
        if part:
            item = self.details[part.detail_id].backlog_item
            original = self.actuals.get(item.actual_id) if item and item.actual_id else None
            return None if original is None or self._passing_part(original) else original
        if actual.reverses_id:
            return self.actuals.get(actual.reverses_id)
        return actual

    def detail_of(self, actual: Actual) -> LineDetail | None:
        """The detail that claims the actual, or for which confirming created it."""
        if part := self._passing_part(actual):
            return self.details[part.detail_id]
        item = self.items.get(actual.pk)
        return self.claims.get(item.pk) if item else None

    def _passing_part(self, actual):
        """The role of the actual for a detail, unless another detail bills it later."""
        part = self.part_of.get(actual.pk)
        return None if part is None or part.part in _BILLED_LATER else part

    def other_shares(self, actual: Actual) -> list[Actual]:
        """The actual and the other customers' shares of the same part of the same entry."""
        return [
            other
            for other in self.of_entry.get(actual.entry_id, [actual])
            if other.type == actual.type
            and other.batch_id == actual.batch_id
            and other.billing_type == actual.billing_type
            and other.cost_id == actual.cost_id
            and not other.reverses_id
            and other.pk not in self.part_of
        ]
