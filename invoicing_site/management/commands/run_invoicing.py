import json
from decimal import Decimal

from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder

from contracts.models import Customer, LegalEntity, Project, ProjectContract
from invoicing_site.floor import formatting
from invoicing_site.floor.errors import Refused
from invoicing_site.floor.querysets import totals
from invoicing_site.floor.wording import counted
from invoicing_site.management.base import EntityCommand, day
from invoicing_site.management.wording import plain, spoken
from proforma.models import InvoiceRun, LineDetail, RunContract, RunPlanLine
from proforma.operations import preview_invoicing, run_invoicing
from proforma.plans import REASONS

_RESTRICTIONS = (
    ("contracts", ProjectContract, "code", "contract"),
    ("customers", Customer, "number", "customer"),
    ("projects", Project, "code", "project"),
)


class Command(EntityCommand):
    help = (
        "Create the proformas that are due, for schedule entries and milestones. "
        "You can run it at any time and repeat it. If a contract fails, it is reported, and the others "
        "continue. Without --entity, all legal entities are processed."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "--as-of",
            type=day,
            metavar="DATE",
            help="due up to this date; default: the date of the action; only a preview can use a future date",
        )
        restrict = "only this one; can be repeated"
        parser.add_argument("--contract", action="append", default=[], metavar="CODE", help=restrict)
        parser.add_argument("--customer", action="append", default=[], metavar="NUMBER", help=restrict)
        parser.add_argument("--project", action="append", default=[], metavar="CODE", help=restrict)
        parser.add_argument("--preview", action="store_true", help="store a plan only")

    def handle(self, *args, **options):
        """Run for one entity or for all: a refusal of one does not stop the others."""
        if options["entity"]:
            entities = [self.the_entity(options["entity"])]
        elif options["contract"] or options["customer"] or options["project"]:
            raise CommandError("Codes belong to a legal entity: choose it with --entity.")
        else:
            entities = LegalEntity.objects.order_by("pk")
        by = self.the_user(options["by"])
        answers, refusals = [], []
        for entity in entities:
            try:
                answers.append(self.act(entity, by, options["on"] or entity.today(), options))
            except Refused as refusal:
                refusals.append(str(refusal))
        if options["json"]:
            self.stdout.write(json.dumps(answers, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        else:
            for answer in answers:
                for line in self.lines(answer):
                    self.stdout.write(line)
                for row in answer["contracts"]:
                    if row["outcome"] == RunContract.Outcome.FAILED:
                        self.stderr.write(f"  {row['contract']}: {row['said']}: {row['message']}")
        if refusals:
            raise CommandError("\n".join(refusals))

    def act(self, entity, by, on, options):
        restrictions = {
            name: self.chosen(model.objects.filter(entity=entity), field, options[option])
            for name, model, field, option in _RESTRICTIONS
            if options[option]
        }
        operation = preview_invoicing if options["preview"] else run_invoicing
        run = operation(
            entity, as_of=options["as_of"] or on, by=by, trigger=InvoiceRun.Trigger.COMMAND, **restrictions
        )
        return _report(run)

    def lines(self, answer):
        is_preview = answer["kind"] == InvoiceRun.Kind.PREVIEW
        made = f"{counted(answer['proformas'], 'proforma')} {'would be created' if is_preview else 'created'}"
        amounts = [spoken(Decimal(amount), currency) for currency, amount in answer["totals"].items()]
        yield ", ".join(
            [
                f"{answer['entity']}: {answer['kind']} {answer['run']} as of {answer['as_of']}",
                counted(len(answer["contracts"]), "contract"),
                made,
                *amounts,
            ]
        )
        for row in answer["contracts"]:
            if row["outcome"] != RunContract.Outcome.FAILED:
                yield f"  {row['contract']}: {row['said']}" + (
                    f": {row['message']}" if row["message"] else ""
                )
            yield from (f"    {_planned(line)}" for line in row.get("plan", ()))
            yield from (f"    {_left_out(line)}" for line in row.get("left_out", ()))


def _report(run):
    """The content of the run page as plain values."""
    plans = RunPlanLine.objects.filter(run_contract__run=run)
    if run.kind == InvoiceRun.Kind.PREVIEW:
        amounts, made = totals(plans.filter(code="")), plans.filter(code="").count()
    else:
        details = LineDetail.objects.chargeable().filter(line__proforma__run=run)
        amounts, made = totals(details, by="line__proforma__currency"), run.proformas.count()
    contracts = {
        row.pk: {
            "contract": row.contract.code,
            "outcome": row.outcome,
            "said": row.get_outcome_display(),
            "code": row.reason.code if row.reason else "",
            "message": row.reason.sentence if row.reason else "",
        }
        for row in run.run_contracts.select_related("contract").order_by("contract__code")
    }
    if run.kind == InvoiceRun.Kind.PREVIEW:
        for row in contracts.values():
            row |= {"plan": [], "left_out": []}
        lines = plans.select_related("contract_customer__customer", "purchase_order").order_by(
            "run_date", "pk"
        )
        for line in lines:
            contracts[line.run_contract_id]["left_out" if line.code else "plan"].append(_plan_line(line))
    return {
        "entity": run.entity.code,
        "run": run.pk,
        "kind": run.kind,
        "as_of": run.as_of,
        "proformas": made,
        "totals": {currency: plain(amount, currency) for currency, amount in amounts.items()},
        "contracts": list(contracts.values()),
    }


def _plan_line(line):
    """One line of a stored plan: a proforma and its difference from the previous one, or a reason."""
    customer = line.contract_customer.customer
    plan_line = {
        "customer": customer.number,
        "name": customer.name,
        "items": line.items,
        "amount": plain(line.amount, line.currency),
        "currency": line.currency,
    }
    if line.code:
        return plan_line | {"code": line.code, "reason": REASONS.get(line.code, "")}
    before = line.previous_amount
    return plan_line | {
        "run_date": line.run_date,
        "order": line.purchase_order.number if line.purchase_order else None,
        "outside_scope": line.is_outside_scope,
        "previous": None if before is None else plain(before, line.currency),
        "change": None if before is None else plain(line.amount - before, line.currency),
    }


def _planned(line):
    before = "the first"
    if line["previous"] is not None:
        places = formatting.decimals(line["currency"])
        change = formatting.change(Decimal(line["change"]), places)
        before = f"{change} since {formatting.number(Decimal(line['previous']), places)}"
    order = f", order {line['order']}" if line["order"] else ""
    outside = ", outside the scope of tax" if line["outside_scope"] else ""
    return (
        f"{line['run_date']}, {line['customer']} {line['name']}{order}{outside}: "
        f"{counted(line['items'], 'row')}, {spoken(Decimal(line['amount']), line['currency'])} ({before})"
    )


def _left_out(line):
    return (
        f"left out, {line['customer']} {line['name']}: {counted(line['items'], 'row')}, "
        f"{spoken(Decimal(line['amount']), line['currency'])}, {line['code']}: {line['reason']}"
    )
