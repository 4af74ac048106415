import datetime
import json

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from contracts.models import Customer, LegalEntity, Project, ProjectContract
from invoicing_site.querysets import totals
from proforma.models import InvoiceRun, LineDetail, RunContract, RunPlanLine
from proforma.operations import preview_invoicing, run_invoicing


class Command(BaseCommand):
    help = (
        "Creates the proformas of everything that is due: schedule entries, milestones. "
        "May be started at any time, any number of times. A contract that fails is told and the others go on."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser):
        parser.add_argument("--entity", metavar="CODE", help="legal entity; without it, all of them in turn")
        parser.add_argument(
            "--as-of",
            "--on",
            type=datetime.date.fromisoformat,
            metavar="DATE",
            help="what is due up to this day; the entity's own today unless given",
        )
        restrict = "only this one; may be given again"
        parser.add_argument("--contract", action="append", default=[], metavar="CODE", help=restrict)
        parser.add_argument("--customer", action="append", default=[], metavar="NUMBER", help=restrict)
        parser.add_argument("--project", action="append", default=[], metavar="CODE", help=restrict)
        parser.add_argument("--preview", action="store_true", help="store a plan and claim nothing")
        parser.add_argument("--by", metavar="USER", help="in whose name; the system's unless given")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, entity, as_of, contract, customer, project, preview, by, **options):
        entities = LegalEntity.objects.order_by("pk")
        if entity:
            entities = [self._one(entities, "legal entity", code=entity)]
        elif contract or customer or project:
            raise CommandError("Codes belong to a legal entity: say which by --entity.")
        if by is not None:
            by = self._one(get_user_model().objects, "user", username=by)
        operation = preview_invoicing if preview else run_invoicing
        told = []
        for entity in entities:
            run = operation(
                entity,
                as_of=as_of or entity.today(),
                by=by,
                trigger=InvoiceRun.Trigger.COMMAND,
                contracts=self._all(ProjectContract, entity, "code", contract),
                customers=self._all(Customer, entity, "number", customer),
                projects=self._all(Project, entity, "code", project),
            )
            told.append(self._report(run))
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
        else:
            for report in told:
                self._print(report)

    def _one(self, rows, kind, **key):
        found = rows.filter(**key).first()
        if found is None:
            raise CommandError(f"There is no {kind} “{next(iter(key.values()))}”.")
        return found

    def _all(self, model, entity, key, values):
        rows = model.objects.filter(entity=entity)
        return [self._one(rows, model._meta.verbose_name, **{key: value}) for value in values] or None

    def _report(self, run):
        """What the run page shows, as plain values."""
        if run.kind == InvoiceRun.Kind.PREVIEW:
            amounts = totals(RunPlanLine.objects.filter(run_contract__run=run, code=""))
            made = RunPlanLine.objects.filter(run_contract__run=run, code="").count()
        else:
            details = LineDetail.objects.chargeable().filter(line__proforma__run=run)
            amounts = totals(details, by="line__proforma__currency")
            made = run.proformas.count()
        return {
            "entity": run.entity.code,
            "run": run.pk,
            "kind": run.kind,
            "as_of": str(run.as_of),
            "proformas": made,
            "totals": {currency: str(amount) for currency, amount in amounts.items()},
            "contracts": [
                {
                    "contract": row.contract.code,
                    "outcome": row.outcome,
                    "code": row.code,
                    "message": row.message,
                }
                for row in run.run_contracts.select_related("contract").order_by("contract__code")
            ],
        }

    def _print(self, report):
        amounts = ", ".join(f"{amount} {currency}" for currency, amount in report["totals"].items())
        self.stdout.write(
            f"{report['entity']}: {report['kind']} {report['run']} as of {report['as_of']}, "
            f"{len(report['contracts'])} contracts, {report['proformas']} proformas"
            + (f", {amounts}" if amounts else "")
        )
        for row in report["contracts"]:
            failed = row["outcome"] == RunContract.Outcome.FAILED
            text = f"  {row['contract']}: {RunContract.Outcome(row['outcome']).label}"
            text += f": {row['message']}" if row["message"] else ""
            (self.stderr if failed else self.stdout).write(text)
