"""The steps of one share, from the entry to the invoice: pure functions over rows that were read before."""

from dataclasses import replace
from decimal import Decimal

from django.urls import reverse

from actuals.models import Actual, Batch
from backlog import obstacles
from backlog.models import BacklogItem
from contracts.models import ContractLine, TransactionClass
from invoicing_site.explain.facts import Facts
from invoicing_site.explain.story import Step, on, ref, some, somebody
from invoicing_site.floor import formatting, money
from invoicing_site.floor.formatting import currency_last as amount
from invoicing_site.floor.formatting import day, number
from proforma.models import ProformaInvoice

_COST = Actual.Type.COST


def named(actual: Actual, facts: Facts) -> str:
    """A short description of the actual, and whether it was reversed (other than by confirming)."""
    words = (
        f"Actual {actual.pk}: {actual.get_type_display()} ({actual.get_transaction_class_display()}) of "
        f"{day(actual.date)}, {amount(actual.amount, actual.currency)}"
    )
    undone = facts.reversal_of.get(actual.pk)
    if undone is None or undone.pk in facts.part_of:
        return words
    return f"{words}; reversed: {_happened(undone.batch)}"


def fact(actual: Actual, facts: Facts) -> list[Step]:
    """The relations of this actual: what it reverses or replaces, what reversed it, what created it."""
    references = []
    said = [f"{number(actual.quantity)} {actual.unit} × {number(actual.price)}".replace("  ", " ")]
    said[0] += f" = {amount(actual.amount, actual.currency)}, {actual.get_billing_type_display()}"
    if part := facts.part_of.get(actual.pk):
        detail = facts.details[part.detail_id]
        said.append(f"created by confirming {detail.line.proforma}: {part.get_part_display()}")
        references += [ref(detail), ref(detail.line.proforma)]
    if actual.reverses_id:
        said.append(f"reverses actual {actual.reverses_id}")
        references.append(f"actuals.actual:{actual.reverses_id}")
    if actual.replaces_id:
        said.append(f"replaces actual {actual.replaces_id}")
        references.append(f"actuals.actual:{actual.replaces_id}")
    if undone := facts.reversal_of.get(actual.pk):
        said.append(f"reversed by actual {undone.pk} ({_happened(undone.batch)})")
        references.append(ref(undone))
    said.append(f"booked by: {actual.get_booked_by_display()}")
    return [Step("actual", "; ".join(said) + ".", _figures(actual), references)]


def _happened(batch):
    return f"{batch.get_action_display()} on {day(batch.on)}"


def _figures(actual):
    return {
        "quantity": actual.quantity,
        "price": actual.price,
        "amount": actual.amount,
        "currency": actual.currency,
    }


def entry(original: Actual | None, facts: Facts) -> list[Step]:
    """The entry, or the milestone that became due."""
    if original is None:
        return []
    if original.milestone_part_id:
        return [milestone(original.milestone_part, original.currency)]
    if original.entry_id is None:
        return []
    return [entered(original.entry)]


def entered(row) -> Step:
    """The entry as it was created."""
    who = row.resource or "Somebody unknown"
    words = f"{who} entered {number(row.quantity)} {row.unit} of {row.get_transaction_class_display()}"
    words += f" on {day(row.date)} for project {row.project}"
    if row.task:
        words += f", task {row.task}"
    if row.role:
        words += f", as {row.role}"
    cost = f"; it cost {amount(row.cost_net, row.cost_currency)} net" if row.cost_net is not None else ""
    rest = f": “{row.description}”" if row.description else ""
    references = [ref(row)]
    if row.source_id:
        rest += f". It was imported with {row.source}"
        references.append(ref(row.source))
    if row.external_id:
        rest += f" (external id {row.external_id})"
    if row.submitted_at:
        rest += f". Submitted by {somebody(row.submitted_by)} on {on(row.submitted_at)}"
    figures = {"quantity": row.quantity, "date": row.date, "status": row.status}
    open_ = Step("entry", f"{words}{rest}.", figures, references)
    return replace(open_, sentence=f"{words}{cost}{rest}.", without_costs=open_) if cost else open_


def milestone(part, currency: str) -> Step:
    """The milestone, and this customer's part of it."""
    head = part.milestone
    return Step(
        "milestone",
        f"Milestone “{head.name}” of {day(head.date)} is worth {amount(head.amount, currency)}; "
        f"this customer's part is {amount(part.amount, currency)}.",
        {"milestone": head.amount, "part": part.amount},
        [ref(head), ref(part)],
    )


def approval(original: Actual, facts: Facts) -> list[Step]:
    """The action that created the actual: who approved it, when, and with which changes."""
    batch, row = original.batch, original.entry
    if batch.action == Batch.Action.APPROVE:
        # The date can be any date; compare the timestamp with that of the submission.
        words = f"Approved by {somebody(batch.by)} on {day(batch.on)}"
        words += f" (batch {batch.pk}, recorded {on(batch.at)})"
        # The entry has the decision of the valid approval, not of canceled ones (APP-5).
        says = row and not _is_canceled(original, facts)
        if says and row.billable_quantity is not None and row.billable_quantity != row.quantity:
            words += f": {number(row.billable_quantity)} of {number(row.quantity)} {row.unit} billable"
        if says and row.billing_type:
            words += f", set to {row.get_billing_type_display()}"
    else:
        words = f"{batch.get_action_display().capitalize()} by {somebody(batch.by)} on {day(batch.on)}"
        words += f" (batch {batch.pk})"
    figures = {"on": batch.on, "at": batch.at, "by": somebody(batch.by)}
    references = [ref(batch)]
    if original.cost_id and (cost := facts.actuals.get(original.cost_id)):
        # Only sales have a related cost.
        open_ = Step("approval", words + ".", figures, references)
        behind = f". Its cost is {amount(cost.amount, cost.currency)} (actual {cost.pk})."
        step = Step("approval", words + behind, figures | {"cost": cost.amount}, [*references, ref(cost)])
        return [replace(step, without_costs=open_)]
    if original.type == _COST:
        sales = [
            a
            for a in facts.of_entry.get(original.entry_id, [])
            if a.cost_id == original.pk and not a.reverses_id and a.pk not in facts.part_of
        ]
        if sales:
            sold = ", ".join(
                some(
                    [
                        f"{amount(a.amount, a.currency)} {a.get_billing_type_display()} (actual {a.pk})"
                        for a in sales
                    ]
                )
            )
            words += f". Its sales: {sold}"
            references += [ref(sale) for sale in sales]
        else:
            words += f". {_no_sales(original)}"
    return [Step("approval", words + ".", figures, references)]


def _is_canceled(fact: Actual, facts: Facts) -> bool:
    """Whether the approval that created the actual was canceled."""
    reversal = facts.reversal_of.get(fact.cost_id or fact.pk)
    return reversal is not None and reversal.batch.action == Batch.Action.CANCEL


def _no_sales(cost):
    line, row = cost.contract_line, cost.entry
    if line is None:
        if row and row.imported_billing == row.ImportedBilling.COST_ONLY and not row.billing_type:
            return "It was imported as already invoiced, so there are no sales"
        return "No contract line covered it, so there are no sales"
    if line.billing_method == ContractLine.BillingMethod.FIXED_PRICE:
        return f"Contract line {line} has a fixed price: its milestones are billed, not the work"
    return "There are no sales for it"


def price(original: Actual, facts: Facts) -> list[Step]:
    """The price row that was selected, and the rows that were not."""
    decision = original.price_decision
    if decision is None:
        return [Step("price", f"The price {number(original.price)} was entered by hand.", {}, [])]
    rows = [decision.override, decision.role_price, decision.category_price, decision.product_price]
    chosen = [row for row in rows if row is not None]
    words = f"{decision.get_kind_display().capitalize()} price {number(decision.price)} {original.currency}"
    if decision.price_list:
        words += f" from price list {decision.price_list.code} {decision.price_list.name}"
    if decision.markup:
        words += f": {number(decision.base_price)} plus {number(decision.markup)} % markup"
    remedy = ""
    if decision.is_missing:
        words += "; no price was found, so it is 0"
        if _can_be_approved_again(original, facts):
            words += (
                ". To price it, ask a billing administrator to extend the price list or to add the price, "
            )
            words += "then cancel the approval and approve the entry again"
            remedy = _page_of(decision.price_list)
    reasons = [line for line in decision.reasoning.split("\n") if line]
    figures = {
        "price": decision.price,
        "base_price": decision.base_price,
        "markup": decision.markup,
        "is_missing": decision.is_missing,
        "looked_at": reasons,
    }
    references = [ref(row) for row in [decision, decision.price_list, *chosen] if row is not None]
    step = Step("price", "\n".join([words + ".", *reasons]), figures, references, remedy=remedy)
    if not decision.markup:
        return [step]
    # The base of a markup is a cost.
    plain = words.replace(f"{number(decision.base_price)} and ", "cost and ")
    hidden = {name: value for name, value in figures.items() if name not in ("base_price", "looked_at")}
    return [replace(step, without_costs=Step("price", plain + ".", hidden, references))]


def _can_be_approved_again(original, facts):
    """Whether it is not reversed, and no share of its entry is on a document (APP-5)."""
    if original.entry_id is None or original.pk in facts.reversal_of:
        return False
    shares = (facts.items.get(fact.pk) for fact in facts.of_entry[original.entry_id])
    taken = (BacklogItem.Status.CREATED, BacklogItem.Status.POSTED)
    return not any(share and share.status in taken for share in shares)


def _page_of(price_list):
    if price_list is None:
        return reverse("admin:contracts_pricelist_changelist")
    return reverse("admin:contracts_pricelist_change", args=[price_list.pk])


def rate(original: Actual, facts: Facts) -> list[Step]:
    """The exchange rate of its currency in the books."""
    line = facts.journal_lines.get(original.pk)
    own = original.entity.currency
    if line is None:
        if original.currency == own:
            words = f"{own} is the accounting currency: the rate is 1."
        else:
            words = f"It is not in an integration journal yet, so there is no rate for {original.currency}."
        return [Step("rate", words, {}, [])]
    agreed = original.contract.fixed_exchange_rate if original.contract else None
    words = f"1 {original.currency} = {number(line.exchange_rate)} {own}"
    if original.currency == own:
        words = f"{own} is the accounting currency: the rate is 1"
    elif original.type != _COST and agreed == line.exchange_rate:
        words += f", as agreed in contract {original.contract.code}"
    words += f"; {amount(line.accounting_amount, own)} in the books"
    figures = {"rate": line.exchange_rate, "accounting_amount": line.accounting_amount}
    return [Step("rate", words + ".", figures, [ref(line)])]


def rounding(original: Actual, facts: Facts) -> list[Step]:
    """Quantity times price, or the percentage of a split amount, and how it was rounded."""
    shares = facts.other_shares(original)
    if _is_lump(original, shares):
        whole = sum((share.amount for share in shares), Decimal(0))
        exact = money.exact_percentage(whole, original.split)
        said = f"{number(original.split)} % of {amount(whole, original.currency)}"
        rounded = money.rounded(exact, original.currency)
        return [_rounded(original, said, exact, rounded)]
    # Exact for all numbers: a plain product of two decimals has only 28 digits.
    exact = money.exact_percentage(original.quantity, original.price.scaleb(2))
    said = f"{number(original.quantity)} × {number(original.price)}"
    rounded = money.priced(original.quantity, original.price, original.currency)
    return [_rounded(original, said, exact, rounded)]


def _is_lump(original, shares):
    """Whether the amount itself was split, so that each share has quantity 1: at cost, or a fee (MON-9)."""
    return (
        len(shares) > 1
        and original.transaction_class in (TransactionClass.EXPENSE, TransactionClass.FEE)
        and all(share.quantity == 1 and share.price == share.amount for share in shares)
        and all(share.split is not None for share in shares)
    )


def _rounded(original, said, exact, rounded) -> Step:
    exact = Decimal(formatting.typed(exact))
    figures = {"exact": exact, "amount": original.amount}
    if exact == original.amount:
        words = f"{said} = {amount(original.amount, original.currency)}, nothing to round."
        return Step("rounding", words, figures, [])
    words = f"{said} = {formatting.number(exact)} {original.currency}"
    words += (
        ", exactly"
        if exact == rounded
        else f", rounded half away from zero to {amount(rounded, original.currency)}"
    )
    if rounded != original.amount:
        why = "takes the rest of the split" if original.is_rounding_share else "keeps its given amount"
        words += f"; this share {why}: {amount(original.amount, original.currency)}"
        figures["rest"] = original.amount - rounded
    return Step("rounding", words + ".", figures, [])


def split(original: Actual, facts: Facts) -> list[Step]:
    """The customer of the share, and the shares of the other customers."""
    if original.contract_customer_id is None:
        return []
    shares = facts.other_shares(original)
    customer = original.contract_customer.customer
    if len(shares) < 2 and (original.split is None or original.split == 100):
        words = f"{customer} is billed for all of it."
    else:
        parts = [
            f"{share.contract_customer.customer} {number(share.split or Decimal(0))} % = "
            f"{amount(share.amount, share.currency)}"
            f"{' (takes the rounding)' if share.is_rounding_share else ''}"
            for share in shares
        ]
        whole = sum((share.amount for share in shares), Decimal(0))
        words = f"{customer}'s share. All shares: {'; '.join(some(parts))}; together "
        words += f"{amount(whole, original.currency)}."
    figures = {
        "shares": [
            {"actual": s.pk, "percent": s.split, "quantity": s.quantity, "amount": s.amount} for s in shares
        ]
    }
    references = [ref(original.contract_customer), *(ref(s) for s in shares if s.pk != original.pk)]
    return [Step("split", words, figures, references)]


def limit(original: Actual, facts: Facts) -> list[Step]:
    """The result of the test against the not-to-exceed limits."""
    item = facts.items.get(original.pk)
    if item is None:
        return []
    status = item.limit_status
    words = {
        BacklogItem.LimitStatus.COMMITTED: "Within every limit that is set.",
        BacklogItem.LimitStatus.NOT_APPLICABLE: "No limit applies.",
        BacklogItem.LimitStatus.NOT_EVALUATED: "Not tested against the limits.",
    }.get(status)
    figures = {"status": status}
    if status == BacklogItem.LimitStatus.FAILED:
        over = amount(item.limit_over, item.currency)
        words = f"Over the limit of the {item.get_limit_level_display()} by {over}."
        figures |= {"level": item.limit_level, "over": item.limit_over}
    return [Step("limit", words, figures, [ref(item)])]


def claim(original: Actual, facts: Facts) -> list[Step]:
    """The status of its backlog item, and the detail that claims it."""
    item = facts.items.get(original.pk)
    if item is None:
        return []
    return [claim_of(item, facts)]


def claim_of(item: BacklogItem, facts: Facts) -> Step:
    """The same for a given item, such as a milestone's."""
    words = f"Backlog item {item.pk} is {item.get_status_display()}"
    figures, references = {"status": item.status, "amount": item.amount}, [ref(item)]
    if adjusted := facts.adjustments.get(item.pk):
        words += f"; {adjusted.get_kind_display()} of {amount(adjusted.amount, item.currency)}"
        words += f": {adjusted.reason}"
        references.append(ref(adjusted))
    if detail := facts.claims.get(item.pk):
        words += f"; on {detail.line.proforma}"
        references.append(ref(detail))
    else:
        words += "; not on a proforma"
    return Step("backlog", " ".join([words + ".", *_why_open(item)]), figures, references)


def _why_open(item) -> list[str]:
    """Why an open item can't be billed today, one sentence for each reason."""
    if item.status not in obstacles.OPEN:
        return []
    item = obstacles.loaded(BacklogItem.objects.filter(pk=item.pk)).get()
    found = obstacles.of(item, obstacles.Step.MARK, on=item.contract.entity.today())
    return [row.reason(item).sentence for row in found]


def proforma(detail, original: Actual | None, facts: Facts) -> list[Step]:
    """The detail that bills it, its edited values, and the actuals that confirming created."""
    if detail is None:
        return []
    document = detail.line.proforma
    own = document.currency
    words = f"On {document}, line {detail.line.number}: {number(detail.quantity)} {detail.unit} × "
    words += f"{number(detail.price)} = {amount(detail.amount, own)}, {detail.get_billing_type_display()}"
    words = words.replace("  ", " ")
    if detail.corrects_id:
        words += f"; corrects a detail of {detail.corrects.line.proforma}"
    elif original is None and detail.backlog_item and detail.backlog_item.milestone_part_id:
        words += f"; the milestone's part was {amount(detail.backlog_item.amount, own)}"
    elif original is None:
        words += "; added by hand"
    elif edited := _edited(detail, original):
        words += f"; edited, before: {edited}"
    if document.run_id:
        words += f"; created by {document.run}"
    if document.status == ProformaInvoice.Status.CONFIRMED:
        words += f"; confirmed by {somebody(document.confirmed_by)} on {on(document.confirmed_at)}"
    else:
        words += f"; the proforma is {document.get_status_display()}"
    references = [ref(document), ref(detail)] + ([ref(document.run)] if document.run_id else [])
    for override in facts.overrides.get(document.pk, []):
        words += f"; {somebody(override.by)} allowed it over the {override.get_level_display()} limit by "
        words += f"{amount(override.over, own)}: {override.reason}"
        references.append(ref(override))
    made = [(part, facts.actuals[part.actual_id]) for part in facts.parts.get(detail.pk, [])]
    figures = {
        "quantity": detail.quantity,
        "price": detail.price,
        "amount": detail.amount,
        "actuals": [{"actual": a.pk, "part": part.part, "amount": a.amount} for part, a in made],
    }
    lines = [f"{part.get_part_display()}: {amount(a.amount, a.currency)} (actual {a.pk})" for part, a in made]
    references += [ref(a) for _, a in made]
    return [Step("proforma", "\n".join([words + ".", *lines]), figures, references)]


def _edited(detail, original):
    was = (original.quantity, original.price, original.amount, original.billing_type)
    if was == (detail.quantity, detail.price, detail.amount, detail.billing_type):
        return ""
    return (
        f"{number(original.quantity)} × {number(original.price)} = "
        f"{amount(original.amount, original.currency)}, {original.get_billing_type_display()}"
    )
