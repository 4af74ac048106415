"""Explain an amount: the whole chain from entry to payment, starting at any of its records (ACT-2).

Each function needs a constant number of queries and returns an `Explanation`, which is plain data: the page,
the command line and JSON show the same.
"""

from django.core.exceptions import ObjectDoesNotExist

from actuals.models import Actual, Entry
from invoicing_site.explain import books, steps
from invoicing_site.explain.facts import Facts
from invoicing_site.explain.story import Explanation, Step, headed, ref
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.formatting import count, day
from invoicing_site.floor.querysets import lacks
from ledger.models import CustomerInvoice, InvoiceLine, Voucher
from proforma.models import LineDetail, ProformaInvoice

__all__ = [
    "Explanation",
    "Step",
    "explain_actual",
    "explain_detail",
    "explain_entry",
    "explain_invoice",
    "explain_invoice_line",
    "explain_proforma",
    "explain_voucher",
    "find",
]


# For a longer document, only the document itself is explained; its parts are explained one by one on request.
MOST_PARTS = 2000


def explain_actual(actual: Actual) -> Explanation:
    """Explain one actual: its data, how it was created, and how it was billed and posted."""
    facts = Facts.around(actuals=[actual.pk])
    return _actual(facts.actuals[actual.pk], facts)


def explain_entry(entry: Entry) -> Explanation:
    """Explain an entry, with a part for its cost and one for each customer's share of its sales."""
    entry = Entry.objects.select_related(
        "resource", "project", "task", "role", "source", "submitted_by", "decided_by"
    ).get(pk=entry.pk)
    keys = Actual.objects.filter(lacks(Actual, "detail_actual"), entry=entry, reverses=None)
    keys = keys.values_list("pk", flat=True)
    facts = Facts.around(actuals=keys)
    stages = [steps.entered(entry)]
    if not facts.actuals:
        stages.append(Step("approval", f"The entry is {entry.get_status_display()}: it has no amounts yet."))
    own = [a for a in facts.actuals.values() if a.pk not in facts.part_of and not a.reverses_id]
    parts = [_actual(actual, facts) for actual in own if actual.entry_id == entry.pk]
    return Explanation(headed(entry), ref(entry), stages, parts)


def explain_proforma(proforma: ProformaInvoice) -> Explanation:
    """Explain a proforma, with a part for each of its details."""
    document = ProformaInvoice.objects.select_related(
        "contract", "customer", "confirmed_by", "run", "proposal"
    ).get(pk=proforma.pk)
    keys = LineDetail.objects.filter(line__proforma=document).values_list("pk", flat=True)
    stages = [books.proforma_head(document)]
    if hasattr(document, "proposal"):
        stages.append(books.proposal_head(document.proposal))
    if len(keys) > MOST_PARTS:
        stages.append(Step("details", f"It has {count(len(keys))} details. Explain them one by one."))
        return Explanation(headed(document), ref(document), stages)
    facts = Facts.around(details=keys, with_entries=False)
    details = sorted(
        (d for d in facts.details.values() if d.line.proforma_id == document.pk),
        key=lambda d: (d.line.number, d.pk),
    )
    parts = [_detail(detail, facts) for detail in details]
    return Explanation(headed(document), ref(document), stages, parts)


def explain_detail(detail: LineDetail) -> Explanation:
    """Explain one detail of a proforma: its source, and how it was posted."""
    facts = Facts.around(details=[detail.pk])
    return _detail(facts.details[detail.pk], facts)


def explain_invoice(invoice: CustomerInvoice) -> Explanation:
    """Explain a posted invoice, with a part for each of its lines, and for each detail without a line."""
    document = CustomerInvoice.objects.select_related(
        "voucher__entity",
        *(f"proposal__proforma__{name}" for name in ("contract", "customer", "confirmed_by", "run")),
    ).get(pk=invoice.pk)
    keys = LineDetail.objects.filter(line__proforma=document.proposal.proforma_id)
    keys = keys.values_list("pk", flat=True)
    is_long = len(keys) > MOST_PARTS
    facts = Facts.around(details=[] if is_long else keys)
    if is_long:
        facts.read_vouchers({document.voucher_id}, {document.voucher_id})
    taxes = document.taxes.order_by("pk")
    references = document.references.select_related("original").order_by("pk")
    stages = [
        books.proforma_head(document.proposal.proforma),
        books.proposal_head(document.proposal),
        books.invoice_head(document, list(taxes), list(references)),
        *books.of_invoice(document, facts),
    ]
    if is_long:
        stages.append(Step("lines", f"It bills {count(len(keys))} details. Explain them one by one."))
    lines = sorted(
        (
            (line.invoice_line, facts.details[detail])
            for detail, line in facts.proposal_lines.items()
            if hasattr(line, "invoice_line") and line.invoice_line.invoice_id == document.pk
        ),
        key=lambda pair: pair[0].number,
    )
    # The common steps are shown once, above.
    parts = [_line(line, detail, facts, with_voucher=False) for line, detail in lines]
    printed = {detail.pk for _, detail in lines}
    left_out = [
        detail
        for detail in facts.details.values()
        if detail.line.proforma_id == document.proposal.proforma_id and detail.pk not in printed
    ]
    for detail in sorted(left_out, key=lambda d: (d.line.number, d.pk)):
        words = f"Detail {detail.pk}, {books.left_out(detail)}: {_title(detail)}"
        parts.append(_detail(detail, facts, words))
    return Explanation(headed(document), ref(document), stages, parts)


def explain_invoice_line(line: InvoiceLine) -> Explanation:
    """Explain one line of a posted invoice, from its entry to its payment."""
    detail = LineDetail.objects.get(proposal_line__invoice_line=line)
    facts = Facts.around(details=[detail.pk])
    found = facts.proposal_lines[detail.pk].invoice_line
    return _line(found, facts.details[detail.pk], facts, with_voucher=True)


def explain_voucher(voucher: Voucher) -> Explanation:
    """Explain a voucher with its entries; the booked item is a part."""
    voucher = Voucher.objects.select_related("entity", "journal_line__actual", "posted_by", "reverses").get(
        pk=voucher.pk
    )
    entries = list(voucher.entries.select_related("account").order_by("number"))
    stages = [books.voucher(voucher, entries)]
    if voucher.reverses_id:
        stages.append(Step("reversal", f"It reverses {voucher.reverses}.", {}, [ref(voucher.reverses)]))
    if voucher.journal_line_id:
        parts = [explain_actual(voucher.journal_line.actual)]
    else:
        invoice = CustomerInvoice.objects.filter(voucher=voucher).first()
        parts = [explain_invoice(invoice)] if invoice else []
    return Explanation(headed(voucher), ref(voucher), stages, parts)


def find(kind: str, name: str, *, entity=None, line: int | None = None) -> Explanation:
    """Explain the record with this name: an actual or an entry by its id, other kinds by their number.

    Kinds: actual, entry (id or external id), proforma, invoice (with `line`: only that line), voucher.
    Refused if there is no such record, and if several legal entities have one and `entity` is not given.
    """
    if kind == "actual":
        return explain_actual(_one(Actual, kind, name, entity, pk=name))
    if kind == "entry":
        try:
            return explain_entry(_one(Entry, kind, name, entity, external_id=name))
        except Refused as refusal:
            if refusal.code != "NOT-FOUND":
                raise
            return explain_entry(_one(Entry, kind, name, entity, pk=name))
    if kind == "proforma":
        return explain_proforma(_one(ProformaInvoice, kind, name, entity, number=name))
    if kind == "voucher":
        return explain_voucher(_one(Voucher, kind, name, entity, number=name))
    if kind != "invoice":
        raise ValueError(f"Records of the kind “{kind}” can't be explained.")
    invoice = _one(CustomerInvoice, kind, name, entity, number=name)
    if line is None:
        return explain_invoice(invoice)
    try:
        return explain_invoice_line(invoice.lines.get(number=line))
    except ObjectDoesNotExist:
        raise Refused("LINE-NOT-FOUND", invoice=invoice, line=str(line)) from None


def _one(model, kind, name, entity, **where):
    if entity is not None:
        where["entity"] = entity
    is_key = "pk" in where
    found = list(model.objects.filter(**where)[:2]) if not is_key or name.isdigit() else []
    if not found:
        raise Refused("NOT-FOUND", kind=kind, name=name)
    if len(found) > 1 and found[0].entity_id == found[1].entity_id:
        first, second = (str(each.pk) for each in found)
        raise Refused("SEVERAL-PROGRAMS", kind=kind, name=name, first=first, second=second)
    if len(found) > 1:
        raise Refused("SEVERAL-ENTITIES", kind=kind, name=name)
    return found[0]


# Putting steps together


def _actual(actual, facts) -> Explanation:
    original = facts.original_of(actual)
    detail = facts.detail_of(actual)
    stages = steps.fact(actual, facts)
    stages += _origin(original, facts)
    if original is None and detail is not None:
        stages += _origin_of_detail(detail, facts)
    if actual.type == Actual.Type.COST:
        stages += books.journals([actual], facts)
    else:
        stages += _onward(detail, original, facts, with_voucher=True)
    undone = facts.reversal_of.get(original.pk) if original is not None else None
    if undone is not None and undone.pk not in facts.part_of:
        # It has no detail, so a journal books it.
        stages += books.journals([undone], facts)
    return Explanation(steps.named(actual, facts), ref(actual), stages)


def _detail(detail, facts, subject="") -> Explanation:
    original = _original_of_detail(detail, facts)
    stages = _origin(original, facts) if original else _origin_of_detail(detail, facts)
    stages += _onward(detail, original, facts, with_voucher=False)
    subject = subject or f"Detail {detail.pk} of {detail.line.proforma}: {_title(detail)}"
    return Explanation(subject, ref(detail), stages)


def _line(line, detail, facts, *, with_voucher) -> Explanation:
    original = _original_of_detail(detail, facts)
    stages = _origin(original, facts) if original else _origin_of_detail(detail, facts)
    stages += _onward(detail, original, facts, with_voucher=with_voucher)
    subject = f"Line {line.number} of {line.invoice}: {_title(line)}"
    return Explanation(subject, ref(line), stages)


def _title(row):
    return row.description or f"{row.transaction_class} of {day(row.date)}"


def _original_of_detail(detail, facts):
    item = detail.backlog_item
    actual = facts.actuals.get(item.actual_id) if item and item.actual_id else None
    return facts.original_of(actual) if actual is not None else None


def _origin(original, facts):
    """From the entry to the claim."""
    if original is None:
        return []
    return [
        *steps.entry(original, facts),
        *steps.approval(original, facts),
        *steps.price(original, facts),
        *steps.rate(original, facts),
        *steps.rounding(original, facts),
        *steps.split(original, facts),
        *steps.limit(original, facts),
        *steps.claim(original, facts),
    ]


def _origin_of_detail(detail, facts):
    """The source of a detail without an actual of work: a milestone's part, or only the typed values."""
    item = detail.backlog_item
    if item is None or not item.milestone_part_id:
        return []
    return [steps.milestone(item.milestone_part, item.currency), steps.claim_of(item, facts)]


def _onward(detail, original, facts, *, with_voucher):
    """From the detail to the payment, with the journal entries of the original."""
    stages = steps.proforma(detail, original, facts)
    stages += books.journals([original] if original is not None else [], facts)
    stages += books.proposal(detail, facts)
    stages += books.invoice_line(detail, facts)
    if with_voucher and detail is not None:
        line = facts.proposal_lines.get(detail.pk)
        if line is not None and hasattr(line, "invoice_line"):
            stages += books.of_invoice(line.invoice_line.invoice, facts)
    return stages
