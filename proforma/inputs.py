"""The inputs of a plan, loaded in a constant number of queries: open backlog items and schedule entries."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import BooleanField, Case, Count, F, Max, Min, Q, When
from django.db.models.functions import Coalesce

from actuals.models import BillingType
from backlog import obstacles
from backlog.models import BacklogItem
from backlog.obstacles import Step
from contracts import tax_groups
from contracts.models import LineCustomer, ProjectContract, ScheduleEntry, TransactionClass
from invoicing_site.floor.querysets import ExactSum
from invoicing_site.floor.reasons import Reason
from proforma.orders import load_orders
from proforma.plans import NO_SCHEDULE, ContractInputs, Due, Share, Waiting

CONFIRMED = ProjectContract.Status.CONFIRMED


@dataclass(frozen=True)
class Scope:
    """The restrictions of a run, as primary keys; None means no restriction (RUN-3)."""

    contracts: frozenset[int] | None = None
    customers: frozenset[int] | None = None
    projects: frozenset[int] | None = None

    @classmethod
    def of(cls, run):
        """The restrictions of a run: three queries."""
        return cls(
            *(
                frozenset(rows.values_list("pk", flat=True)) or None
                for rows in (run.contracts, run.customers, run.projects)
            )
        )

    def entries(self, entries):
        """Schedule entries within the restrictions."""
        if self.contracts is not None:
            entries = entries.filter(line__contract__in=self.contracts)
        if self.customers is not None:
            entries = entries.filter(
                line__in=LineCustomer.objects.filter(contract_customer__customer__in=self.customers).values(
                    "line"
                )
            )
        if self.projects is not None:
            entries = entries.filter(line__project__in=self.projects)
        return entries

    def items(self, items):
        """Backlog items within the restrictions."""
        if self.contracts is not None:
            items = items.filter(contract__in=self.contracts)
        if self.customers is not None:
            items = items.filter(contract_customer__customer__in=self.customers)
        if self.projects is not None:
            items = items.filter(contract_line__project__in=self.projects)
        return items


EVERYTHING = Scope()


def due_entries(as_of: date):
    """Schedule entries that are due, on lines of the contract and of confirmed revisions."""
    in_force = Q(line__revision=None) | Q(line__revision__status="confirmed")
    return ScheduleEntry.objects.filter(in_force, status__in=ScheduleEntry.STILL_DUE, run_date__lte=as_of)


def contracts_to_look_at(entity, *, as_of: date, scope: Scope = EVERYTHING) -> list[int]:
    """Confirmed contracts of the entity with a due schedule entry, a ready milestone or retainer, or ready
    work without a schedule entry: three queries."""
    contracts = ProjectContract.objects.filter(entity=entity, status=CONFIRMED)
    entries = scope.entries(due_entries(as_of).filter(line__contract__in=contracts))
    ready = scope.items(BacklogItem.objects.ready().dated_until(as_of).filter(contract__in=contracts))
    missed = obstacles.any_of([obstacles.BY_CODE[NO_SCHEDULE]], on=as_of)
    found = set(entries.values_list("line__contract", flat=True).distinct())
    for items in (ready.filter(actual=None), ready.filter(missed)):
        found |= set(items.values_list("contract", flat=True).distinct())
    return sorted(found)


def load_inputs(contract_pks, *, as_of: date, scope: Scope = EVERYTHING) -> dict[int, ContractInputs]:
    """The inputs of a run as of that day, for each of the contracts: eleven queries in all."""
    inputs = {pk: ContractInputs(pk) for pk in contract_pks}
    line_customers = _customers_left_out(contract_pks, scope)
    for contract, due in _due(contract_pks, as_of, scope):
        inputs[contract].due.append(due._replace(is_whole=due.line_id not in line_customers))
    items = scope.items(BacklogItem.objects.filter(contract__in=contract_pks))
    _add_items(inputs, items.dated_until(as_of), Step.RUN, as_of)
    return inputs


def load_inputs_by_hand(contract_pks, *, cutoff: date, on: date) -> dict[int, ContractInputs]:
    """The inputs for creating by hand, for each of the contracts, up to the cutoff: seven queries in all."""
    inputs = {pk: ContractInputs(pk) for pk in contract_pks}
    items = BacklogItem.objects.filter(contract__in=contract_pks)
    _add_items(inputs, items.dated_until(cutoff), Step.DRAFT, on)
    return inputs


def load_shares(items) -> list[Share]:
    """The shares of a queryset of backlog items in any status: three queries."""
    rows = list(items.order_by("pk").values_list(*_COLUMNS, *_TAXED, *_TEXTS))
    outside = frozenset()
    for entity in {row[len(_COLUMNS)] for row in rows}:
        outside |= tax_groups.outside_scope(entity)
    return [_share(row, outside) for row in rows]


def _add_items(inputs, items, step, on):
    for share in load_shares(obstacles.free(items.ready(), step, on=on)):
        inputs[share.contract_id].shares.append(share)
    for contract, orders in groupby(load_orders(inputs), key=lambda order: order.contract_id):
        inputs[contract].orders = list(orders)
    waiting = obstacles.with_obstacle(items.open(), step, on=on).exclude(obstacle="")
    for contract, group in _waiting(waiting):
        inputs[contract].waiting.append(group)


def _due(contract_pks, as_of, scope):
    entries = scope.entries(due_entries(as_of).filter(line__contract__in=contract_pks))
    columns = ("line__contract", "pk", "line", "run_date", "cutoff")
    for contract, *entry in entries.order_by("run_date", "line").values_list(*columns):
        yield contract, Due(*entry)


def _customers_left_out(contract_pks, scope):
    """Lines of which the run bills only some customers: their schedule entries stay due."""
    if scope.customers is None:
        return set()
    shares = LineCustomer.objects.filter(line__contract__in=contract_pks, split__gt=0)
    return set(shares.exclude(contract_customer__customer__in=scope.customers).values_list("line", flat=True))


# Columns of a share, in the order of its fields. Work has its own; for a milestone they come from its line.
_ACTUAL = "actual__"
_COLUMNS = (
    "pk",
    "contract",
    "contract_customer",
    "contract_line",
    "date",
    "amount",
    "retainer",
    "milestone_part",
    *(
        f"{_ACTUAL}{name}"
        for name in (
            "transaction_class",
            "billing_type",
            "project",
            "task",
            "resource",
            "role",
            "category",
            "product",
            "quantity",
            "unit",
            "price",
        )
    ),
    "description",
    "internal_description",
)
_TAXED = (
    "contract__entity",
    "contract__entity__tax_group_source",
    Coalesce("actual__project__billing_tax_group", "contract_line__project__billing_tax_group"),
    "contract__billing_tax_group",
    "contract_customer__customer__billing_tax_group",
    Case(
        When(actual__transaction_class=TransactionClass.MATERIAL, then=F("actual__product__item_tax_group")),
        When(actual__isnull=False, then=F("actual__category__item_tax_group")),
        default=F("contract__entity__milestone_item_tax_group"),
    ),
)
_TEXTS = (
    "actual__description",
    "milestone_part__milestone__name",
    "milestone_part__milestone__task",
    "contract_line__project",
)


def _share(row, outside):
    *row, actual_text, milestone, milestone_task, line_project = row
    *row, _, source, project, contract, customer, item = row
    billing = tax_groups.billing_group(source, project=project, contract=contract, customer=customer)
    share = Share(*row, billing, item, (billing, item) in outside)
    if share.milestone_part_id is not None:
        return share._replace(
            transaction_class=TransactionClass.MILESTONE,
            billing_type=BillingType.CHARGEABLE,
            project_id=line_project,
            task_id=milestone_task,
            quantity=Share._field_defaults["quantity"],
            unit="",
            price=share.amount,
            description=share.description or milestone,
        )
    if share.retainer_id is not None:
        return share._replace(
            transaction_class=TransactionClass.RETAINER,
            billing_type=BillingType.CHARGEABLE,
            price=share.amount,
        )
    return share if share.description else share._replace(description=actual_text)


def _waiting(items):
    """Open items with an obstacle, by contract, in groups of one day and one obstacle."""
    is_work = Case(When(actual__isnull=False, then=True), default=False, output_field=BooleanField())
    by = ("contract", "contract_customer", "contract_line", "is_work", "date", "obstacle")
    groups = items.with_counted().annotate(is_work=is_work).order_by(*by).values(*by)
    groups = groups.annotate(n=Count("pk"), total=ExactSum("counted"))
    for contract, *group in groups.values_list(*by, "n", "total"):
        yield contract, Waiting(*group)


def pending(proforma):
    """Backlog items that could be added: those of the contract customer without an obstacle (PRO-3)."""
    ready = BacklogItem.objects.ready().on_contract(proforma.contract_id)
    ready = ready.filter(contract_customer=proforma.contract_customer_id)
    return obstacles.free(ready, Step.DRAFT, on=proforma.entity.today())


def ready_by_contract(contracts, also, *, cutoff: date, on: date) -> list[tuple[ProjectContract, dict]]:
    """The contracts with something ready up to the cutoff, and those with the keys in `also`, by code.

    Each with the number of ready items, their amount and their last date.
    """
    items = obstacles.free(BacklogItem.objects.ready().dated_until(cutoff), Step.DRAFT, on=on)
    items = items.filter(contract__in=contracts.order_by().values("pk")).with_counted()
    sums = items.order_by().values("contract")
    sums = sums.annotate(items=Count("pk"), amount=ExactSum("counted"), last=Max("date"))
    found = {row["contract"]: row for row in sums}
    nothing = {"items": 0, "amount": 0, "last": None}
    shown = contracts.filter(pk__in=found.keys() | also).prefetch_related("customers__customer")
    return [(contract, found.get(contract.pk, nothing)) for contract in shown.order_by("code")]


def ready_later(contracts, *, cutoff, on) -> Reason | None:
    """How many items can be billed but are dated after the cutoff; None if there are none."""
    items = BacklogItem.objects.ready().filter(contract__in=contracts, date__gt=cutoff)
    found = obstacles.free(items, Step.DRAFT, on=on).aggregate(n=Count("pk"), first=Min("date"))
    if not found["n"]:
        return None
    return Reason("READY-LATER", count=found["n"], day=found["first"])
