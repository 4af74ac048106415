"""Verifying the ledger: what must hold at any moment, looked at from outside (PST-7, domain section 13).

Nothing here trusts what wrote the rows: hashes are worked out again, sums are taken again, files are read
again. Each check has a code, and each finding says what is wrong and where.

| code | what holds |
| --- | --- |
| CHAIN | every voucher hashes to what was posted and follows the one before; the head is the last |
| CLAIMS | what a voucher books, a journal line with its actual or an invoice, is as it was |
| BALANCE | every voucher balances, in each currency and in accounting currency |
| REVERSAL | reversing vouchers and actuals mirror their originals |
| SEQUENCE | no number is missing, too much, or about to be drawn again; invoices rise with their dates |
| JOURNAL | every line of a posted journal has its voucher, and none books what journals don't book |
| CONTROL | control accounts equal the customer and project subledgers |
| WIP | accruals stand until their invoice is posted, and no longer |
| ACCRUED | accounts, subledger and what is still to be invoiced hold the same accruals |
| OUTLAY | what was laid out for customers is cleared once it is billed |
| SETTLED | settlements fit what they settle |
| INVOICE | lines, tax, totals and the customer's entry of an invoice say the same |
| DOCUMENT | stored files are there, byte for byte |
| CONFIRMED | what a confirmed proforma made adds up to its details and says what they say |
| ENTRY | an approved entry has its facts once, as it says; any other has none |
| SPLIT | shares add up to the whole |
| BACKLOG | backlog items repeat their source and agree with their claims |
| LIMIT | limits are kept, but for recorded overrides |
| GUARD | the database refuses changes, as declared |
| SEAL | what was sealed is as it was, and nothing stands beside the seals |
"""

from collections.abc import Iterator

from django.db import connection

from contracts.models import LegalEntity
from invoicing_site.floor import guards
from invoicing_site.verify import accrued, chain, confirmed, entries, invoices, seals, shares, subledgers
from invoicing_site.verify.finding import Finding

__all__ = ["CHECKS", "Finding", "findings", "look"]

# In the order in which they are made; each takes a legal entity and yields findings.
CHECKS = (
    chain.vouchers,
    chain.numbers,
    chain.journals,
    subledgers.customers,
    subledgers.projects,
    subledgers.work_in_progress,
    accrued.accrued,
    subledgers.outlays,
    subledgers.settlements,
    invoices.invoices,
    invoices.documents,
    confirmed.confirmed,
    entries.entries,
    shares.reversals,
    shares.splits,
    shares.backlog,
    shares.limits,
)


def look(entity: LegalEntity | None = None) -> Iterator[Finding]:
    """Make every check for one legal entity, or for all of them; findings come as they are found.

    The guards are looked at either way; files that belong to no invoice, and the seals, which are of the
    whole database, only when no entity is given.
    """
    for sentence in guards.missing(connection):
        yield Finding("GUARD", "", "", "", sentence)
    entities = [entity] if entity else LegalEntity.objects.order_by("pk")
    for one in entities:
        for check in CHECKS:
            yield from check(one)
    if entity is None:
        yield from invoices.other_files()
        yield from seals.sealed()


def findings(entity: LegalEntity | None = None) -> list[Finding]:
    """All that is wrong; an empty list when the ledger is as it should be."""
    return list(look(entity))
