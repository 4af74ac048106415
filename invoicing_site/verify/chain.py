"""The vouchers in order of position: chain, claims, balance, reversals; and their numbers."""

from collections import defaultdict
from decimal import Decimal

from django.db import connection
from django.db.models import Count, F, Max

from actuals.models import Actual
from contracts.models import LegalEntity, NumberSequence, SequenceCounter
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.floor.wording import counted
from invoicing_site.verify import hashed
from invoicing_site.verify.finding import CHUNK, Finding, amount, where
from ledger.books import chain
from ledger.models import (
    CustomerInvoice,
    CustomerTransaction,
    IntegrationJournal,
    InvoiceLine,
    InvoiceReference,
    InvoiceTax,
    JournalLine,
    LedgerEntry,
    ProjectTransaction,
    Voucher,
)
from proforma.models import DetailActual, ProformaInvoice

_Kind = Voucher.Kind
_ZERO = Decimal(0)
# The number of invoices whose lines are held in memory.
_INVOICES = 200
# The number of vouchers that one process verifies, and of those that are read together.
_RANGE = 50_000
_TOGETHER = 10_000 if connection.vendor == "postgresql" else CHUNK
_LINKS = ("pk", "number", "position", "previous_hash", "hash", "reverses_id")


def ranges(entity: LegalEntity) -> list[tuple[int, int]]:
    """The positions of all vouchers, in ranges that can be verified at the same time."""
    last = Voucher.objects.filter(entity=entity).aggregate(last=Max("position"))["last"] or 0
    begin = range(0, last, _RANGE) or [0]
    return [(after, after + _RANGE if after != begin[-1] else None) for after in begin]


def vouchers(entity: LegalEntity, after: int = 0, up_to: int | None = None, before: str | None = None):
    """CHAIN, CLAIMS, BALANCE and REVERSAL for the vouchers behind a position.

    Without `up_to` these are all later ones, and the head of the chain is checked too. The first voucher must
    follow the one at the position `after` with the hash `before`: by default its stored one.
    """
    position = after
    rows = Voucher.objects.filter(entity=entity, position__gt=after)
    if before is None:
        last = Voucher.objects.filter(entity=entity, position__lte=after).order_by("-position").first()
        before, position = (last.hash, last.position) if last else ("", 0)
    if up_to is not None:
        rows = rows.filter(position__lte=up_to)
    for keys in _in_order(rows):
        same = hashed.unchanged(entity, keys[0].position, keys[-1].position)
        others = [row.pk for row in keys if row.pk not in same or row.reverses_id]
        whole = rows.select_related("journal_line__actual").filter(pk__in=others).order_by("position")
        by_key = {voucher.pk: voucher for voucher in whole}
        content = _content(by_key)
        unlike = [voucher for voucher in whole if voucher.pk not in same]
        claims = _claims_of_invoices(
            [v for v in unlike if v.hash_format in chain.FORMATS and v.kind == _Kind.INVOICE]
        )
        for row in keys:
            if row.position != position + 1:
                yield _missing(entity, position + 1, row)
            elif row.previous_hash != before:
                yield _said("CHAIN", entity, row, "does not follow the previous voucher: the hashes differ.")
            if row.pk not in same:
                yield from _content_of(entity, by_key[row.pk], content[row.pk], claims)
            before, position = row.hash, row.position
        yield from _reversals(entity, [voucher for voucher in whole if voucher.reverses_id], content)
    if up_to is None:
        yield from _head(entity, position, before)


def _content_of(entity, voucher, content, claims):
    if voucher.hash_format not in chain.FORMATS:
        yield _said("CHAIN", entity, voucher, _unknown_format(voucher))
    else:
        if voucher.hash != chain.voucher_hash(voucher, *content):
            yield _said("CHAIN", entity, voucher, "was changed after posting: its content has another hash.")
        yield from _claims(entity, voucher, claims)
    yield from _balance(entity, voucher, content[0])


def _unknown_format(voucher):
    return (
        f"says that its hashes have format {voucher.hash_format}, which this version doesn't know: the "
        "number was changed, or a newer version posted it. Its content can't be verified."
    )


def _in_order(rows):
    """What links the vouchers, in chunks by position: a cursor over all would hold the connection."""
    after = -1
    rows = rows.order_by("position").values_list(*_LINKS, named=True)
    while chunk := list(rows.filter(position__gt=after)[:_TOGETHER]):
        yield chunk
        after = chunk[-1].position


def _content(keys):
    """Entries, customer transactions and project transactions of each voucher."""
    found = {key: ([], [], []) for key in keys}
    for place, model in enumerate((LedgerEntry, CustomerTransaction, ProjectTransaction)):
        for row in model.objects.filter(voucher__in=found).iterator(chunk_size=CHUNK):
            found[row.voucher_id][place].append(row)
    return found


def _missing(entity, expected, voucher):
    gone = voucher.position - expected
    if gone < 0:
        return _said("CHAIN", entity, voucher, f"has position {voucher.position}, which another voucher has.")
    which = f"the voucher at position {expected} is" if gone == 1 else f"{gone} vouchers are"
    return _said("CHAIN", entity, voucher, f"has position {voucher.position}, but {which} missing.")


def _said(code, entity, voucher, sentence):
    return Finding(
        code, entity.code, voucher.number, where(Voucher, voucher.pk), f"Voucher {voucher.number} {sentence}"
    )


def _head(entity, position, last):
    """Check the last hash in the sequence's row, so that a cut-off or rewritten end of the chain is found."""
    sequence = NumberSequence.objects.filter(entity=entity, kind=NumberSequence.Kind.VOUCHER).first()
    if sequence is None:
        if position:
            yield Finding(
                "CHAIN",
                entity.code,
                "",
                where(LegalEntity, entity.pk),
                f"{entity} has {counted(position, 'voucher')} and no voucher sequence.",
            )
        return
    place = where(NumberSequence, sequence.pk)
    if sequence.chain_length != position:
        yield Finding(
            "CHAIN",
            entity.code,
            "",
            place,
            f"The chain of {entity} ends at position {position}, but its sequence has "
            f"{counted(sequence.chain_length, 'voucher')}.",
        )
    elif sequence.chain_hash != last:
        yield Finding(
            "CHAIN",
            entity.code,
            "",
            place,
            f"The hash of the last voucher of {entity} differs from the stored head of the chain.",
        )


# The items that vouchers book


def _claims_of_invoices(chunk):
    """The present hash of each invoice, by voucher; None if the voucher has no invoice."""
    claims = {}
    by_key = {voucher.pk: voucher for voucher in chunk}
    for some in in_chunks(chunk, _INVOICES):
        invoices = {
            invoice.pk: invoice
            for invoice in CustomerInvoice.objects.filter(voucher__in=some).select_related("proposal")
        }
        rows = {key: ([], [], [], []) for key in invoices}
        for place, model in enumerate((InvoiceLine, InvoiceTax, InvoiceReference)):
            for row in model.objects.filter(invoice__in=invoices).iterator(chunk_size=CHUNK):
                rows[row.invoice_id][place].append(row)
        by_proforma = {invoice.proposal.proforma_id: key for key, invoice in invoices.items()}
        links = DetailActual.objects.filter(detail__line__proforma__in=by_proforma)
        for link in links.select_related("actual", "detail__line").iterator(chunk_size=CHUNK):
            rows[by_proforma[link.detail.line.proforma_id]][3].append(link)
        for key, invoice in invoices.items():
            of = by_key[invoice.voucher_id].hash_format
            claims[invoice.voucher_id] = chain.claims_of_invoice(invoice, *rows[key], of=of)
    return claims


def _claims(entity, voucher, claims):
    if voucher.kind == _Kind.JOURNAL:
        if voucher.claims_hash != chain.claims_of_journal_line(voucher.journal_line, voucher.hash_format):
            yield _said(
                "CLAIMS",
                entity,
                voucher,
                f"no longer matches what it books: journal line {voucher.journal_line_id} or its actual "
                f"{voucher.journal_line.actual_id} was changed.",
            )
    elif voucher.kind == _Kind.INVOICE:
        found = claims.get(voucher.pk)
        if found is None:
            yield _said("CLAIMS", entity, voucher, "books an invoice that is missing.")
        elif found != voucher.claims_hash:
            yield _said(
                "CLAIMS",
                entity,
                voucher,
                "no longer matches its invoice: the invoice, a line, its tax, a reference or a claim "
                "was changed.",
            )


def _balance(entity, voucher, entries):
    own, accounting = defaultdict(Decimal), _ZERO
    for entry in entries:
        own[entry.currency] += entry.debit - entry.credit
        accounting += entry.accounting_debit - entry.accounting_credit
    for currency, difference in own.items():
        if difference:
            yield _said(
                "BALANCE", entity, voucher, f"does not balance: it is {amount(difference, currency)} off."
            )
    if accounting:
        yield _said(
            "BALANCE",
            entity,
            voucher,
            f"does not balance in accounting currency: it is {amount(accounting, entity.currency)} off.",
        )


# Reversals


def _reversals(entity, reversals, content):
    """A reversing voucher is the mirror of its original, entry by entry, at the stored rates (MON-5)."""
    far = [voucher.reverses_id for voucher in reversals if voucher.reverses_id not in content]
    content = content | _content(far) if far else content
    for voucher in reversals:
        if _sides(content[voucher.pk][0]) != _sides(content[voucher.reverses_id][0], mirrored=True):
            yield _said(
                "REVERSAL", entity, voucher, "does not mirror the entries of the voucher that it reverses."
            )


def _sides(entries, mirrored=False):
    sides = []
    for entry in entries:
        debits = entry.debit, entry.accounting_debit
        credits = entry.credit, entry.accounting_credit
        if mirrored:
            debits, credits = credits, debits
        sides.append((entry.account_id, entry.currency, entry.rate, *debits, *credits))
    return sorted(sides)


# Numbers


def numbers(entity: LegalEntity):
    """SEQUENCE: no missing or extra voucher and invoice numbers; invoices rise with their dates."""
    counters = defaultdict(dict)
    rows = SequenceCounter.objects.filter(sequence__entity=entity).select_related("sequence")
    for counter in rows:
        counters[counter.sequence][counter.year] = counter.last
    yield from _voucher_numbers(entity, counters)
    yield from _invoice_numbers(entity, counters)
    yield from _drawn_again(entity, counters)
    yield from _counters_behind(entity, rows)


def _drawn_again(entity, counters):
    """Proformas and journals do not store their place in the sequence: the next number must be unused."""
    kinds = {
        NumberSequence.Kind.PROFORMA: ProformaInvoice,
        NumberSequence.Kind.JOURNAL: IntegrationJournal,
    }
    for sequence, by_year in counters.items():
        model = kinds.get(sequence.kind)
        for year, last in by_year.items() if model else ():
            number = sequence.format.format(year=year, seq=last + 1)
            if model.objects.filter(entity=entity, number=number).exists():
                yield Finding(
                    "SEQUENCE",
                    entity.code,
                    number,
                    where(NumberSequence, sequence.pk),
                    f"Number {number} is the next of its sequence, but a document already has it.",
                )


def _counters_behind(entity, counters):
    """The last date must be stored, to prevent an earlier date of the next invoice."""
    dates = CustomerInvoice.objects.filter(entity=entity).order_by("sequence", "year")
    dates = dates.values_list("sequence", "year").annotate(latest=Max("invoice_date"))
    latest = {(sequence, year): day for sequence, year, day in dates}
    for counter in counters:
        day = latest.get((counter.sequence_id, counter.year))
        if day is not None and (counter.last_date is None or counter.last_date < day):
            yield Finding(
                "SEQUENCE",
                entity.code,
                str(counter.sequence),
                where(SequenceCounter, counter.pk),
                f"An invoice of the sequence {counter.sequence} is dated {day}, but according to its counter "
                f"the last one is dated {counter.last_date}.",
            )


def _voucher_numbers(entity, counters):
    """A voucher stores only its number, so compare the number of vouchers with the counter."""
    for sequence, by_year in counters.items():
        if sequence.kind != NumberSequence.Kind.VOUCHER:
            continue
        drawn = sum(by_year.values())
        found = Voucher.objects.filter(entity=entity).count()
        if drawn == found:
            continue
        there = set(Voucher.objects.filter(entity=entity).values_list("number", flat=True))
        named = (
            sequence.format.format(year=year, seq=seq)
            for year, last in sorted(by_year.items())
            for seq in range(1, last + 1)
        )
        missing = [number for number in named if number not in there]
        # After a change of the format, the missing numbers can't be named.
        names = f": {_listed(missing)}" if len(missing) == drawn - found else ""
        yield Finding(
            "SEQUENCE",
            entity.code,
            missing[0] if names else "",
            where(NumberSequence, sequence.pk),
            f"{counted(drawn, 'voucher number was', 'voucher numbers were')} assigned for {entity}, but "
            f"{counted(found, 'voucher exists', 'vouchers exist')}{names}.",
        )


def _invoice_numbers(entity, counters):
    latest, drawn = {}, defaultdict(set)
    invoices = CustomerInvoice.objects.filter(entity=entity).order_by("sequence", "year", "seq")
    for invoice in invoices.select_related("sequence").only(
        "sequence__kind",
        "sequence__format",
        "year",
        "seq",
        "number",
        "invoice_date",
    ):
        sequence = invoice.sequence
        drawn[sequence, invoice.year].add(invoice.seq)
        day, number = latest.get(sequence.pk, (invoice.invoice_date, ""))
        if sequence.in_date_order and invoice.invoice_date < day:
            yield Finding(
                "SEQUENCE",
                entity.code,
                invoice.number,
                where(CustomerInvoice, invoice.pk),
                f"{invoice.number} is dated {invoice.invoice_date}, before {number} of {day}.",
            )
        latest[sequence.pk] = max((day, number), (invoice.invoice_date, invoice.number))
    yield from _invoice_gaps(entity, counters, drawn)


def _invoice_gaps(entity, counters, drawn):
    kinds = {
        NumberSequence.Kind.INVOICE,
        NumberSequence.Kind.CREDIT_NOTE,
        NumberSequence.Kind.PAYMENT_REQUEST,
    }
    for sequence, by_year in counters.items():
        if sequence.kind not in kinds:
            continue
        for year, last in by_year.items():
            there = drawn.pop((sequence, year), set())
            for seq in sorted(set(range(1, last + 1)) - there):
                number = sequence.format.format(year=year, seq=seq)
                yield Finding(
                    "SEQUENCE",
                    entity.code,
                    number,
                    where(NumberSequence, sequence.pk),
                    f"Number {number} was assigned, but no {sequence.get_kind_display()} has it.",
                )
            for seq in sorted(there - set(range(1, last + 1))):
                yield _never_drawn(entity, sequence, year, seq)
    for (sequence, year), there in drawn.items():
        for seq in sorted(there):
            yield _never_drawn(entity, sequence, year, seq)


def _never_drawn(entity, sequence, year, seq):
    return Finding(
        "SEQUENCE",
        entity.code,
        sequence.format.format(year=year, seq=seq),
        where(NumberSequence, sequence.pk),
        f"An invoice has place {seq} of {year} in the sequence {sequence}, which was never assigned.",
    )


def _listed(names):
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def journals(entity: LegalEntity):
    """JOURNAL: every line of a posted journal has its voucher, and journals book only their own actuals."""
    posted = IntegrationJournal.objects.filter(
        entity=entity, status=IntegrationJournal.Status.POSTED, lines__voucher=None, lines__isnull=False
    )
    for key, number, count in posted.annotate(n=Count("lines")).values_list("pk", "number", "n"):
        yield Finding(
            "JOURNAL",
            entity.code,
            number,
            where(IntegrationJournal, key),
            f"Journal {number} is posted, but {counted(count, 'line has', 'lines have')} no voucher.",
        )
    lines = JournalLine.objects.filter(journal__entity=entity).exclude(
        actual__booked_by=Actual.BookedBy.JOURNAL, actual__entity=F("journal__entity")
    )
    for row in lines.select_related("journal"):
        yield Finding(
            "JOURNAL",
            entity.code,
            row.journal.number,
            where(JournalLine, row.pk),
            f"Journal {row.journal.number} contains actual {row.actual_id}, which journals do not book.",
        )
