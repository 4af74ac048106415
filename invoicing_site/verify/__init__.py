"""Verify the ledger: rules that must always be true, checked independently (PST-7, domain section 13).

The checks do not use the code that wrote the rows: they compute hashes and sums again and read files again.
Each check has a code, and each finding is a sentence with its place.

| code | rule |
| --- | --- |
| CHAIN | every voucher has the hash of its content and follows the previous one; the head is the last one |
| CLAIMS | the item that a voucher books, a journal line with its actual or an invoice, is unchanged |
| BALANCE | every voucher balances, in each currency and in accounting currency |
| REVERSAL | reversing vouchers and actuals mirror their originals |
| SEQUENCE | no number is missing, extra, or about to be used twice; invoices rise with their dates |
| JOURNAL | every line of a posted journal has its voucher, and journals book only their own actuals |
| QUEUE | what waits for its next step is in its queue, and nothing else is |
| CONTROL | control accounts equal the customer and project subledgers |
| WIP | accruals are reversed when their invoice is posted, and not before |
| ACCRUED | accounts, subledger and work that is still to be invoiced have the same accruals |
| DISBURSEMENT | disbursements are cleared when they are billed |
| KEPT | stored balances equal the entries and transactions that they sum |
| SETTLED | settlements match the transactions that they settle |
| INVOICE | lines, tax, totals and the customer's entry of an invoice agree |
| DOCUMENT | stored files exist and are unchanged |
| CONFIRMED | the actuals of a confirmed proforma add up to its details and agree with them |
| ENTRY | an approved entry has one set of actuals that agree with it; other entries have none |
| SPLIT | shares add up to the whole |
| BACKLOG | backlog items agree with their source and their claims |
| LIMIT | limits are kept, except for recorded overrides |
| GUARD | the database refuses changes, as declared |
| SEAL | sealed rows are unchanged, and every final row is in a seal |
"""

from collections.abc import Iterator

from django.db import connection

from contracts.models import LegalEntity
from invoicing_site.floor import guards
from invoicing_site.models import Seal
from invoicing_site.verify import (
    accrued,
    balances,
    chain,
    confirmed,
    entries,
    invoices,
    queues,
    seals,
    shares,
    subledgers,
)
from invoicing_site.verify.finding import Finding
from invoicing_site.verify.jobs import Part, found

__all__ = ["CHECKS", "Finding", "findings", "look"]

# In the order of execution; each takes a legal entity and yields findings.
CHECKS = (
    chain.vouchers,
    chain.numbers,
    chain.journals,
    queues.queues,
    subledgers.customers,
    subledgers.projects,
    subledgers.work_in_progress,
    accrued.accrued,
    subledgers.disbursements,
    balances.kept,
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


def look(entity: LegalEntity | None = None, *, since: Seal | None = None, jobs: int = 1) -> Iterator[Finding]:
    """Run all checks for one legal entity, or for all of them; yield findings as they are found.

    The guards are always checked. Files that belong to no invoice, and the seals of the whole database, are
    checked only if no entity is given. With `since`, only what was added after this seal is verified.
    """
    return found(parts(entity, since), jobs)


def parts(entity: LegalEntity | None, since: Seal | None) -> list[Part]:
    result = [Part(_guards, ())]
    for one in [entity] if entity else LegalEntity.objects.order_by("pk"):
        result += _since(one, since) if since else _of(one)
    if entity is None:
        if not since:
            result.append(Part(invoices.other_files, ()))
        result += [Part(check, tuple(args)) for check, *args in seals.checks(since)]
    return result


def _of(entity):
    for check in CHECKS:
        if check == chain.vouchers:
            yield from (Part(check, (entity, *place)) for place in chain.ranges(entity))
        else:
            yield Part(check, (entity,))


def _since(entity, seal):
    length, _, head = seal.heads.get("vouchers", {}).get(entity.code, "0 ").partition(" ")
    return [
        Part(chain.vouchers, (entity, int(length), None, head)),
        Part(chain.numbers, (entity,)),
        Part(queues.queues, (entity,)),
        Part(balances.kept_since, (entity, int(length))),
    ]


def _guards():
    for sentence in guards.missing(connection):
        yield Finding("GUARD", "", "", "", sentence)


def findings(entity: LegalEntity | None = None) -> list[Finding]:
    """All findings; an empty list if the ledger is correct."""
    return list(look(entity))
