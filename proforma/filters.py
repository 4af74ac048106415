"""Filters of contracts, proformas and runs."""

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q

from backlog.models import BacklogItem
from contracts.models import (
    ContractCustomer,
    ContractLine,
    Customer,
    ProjectContract,
    ScheduleEntry,
    managers_of,
)
from invoicing_site.screens.finding import RowFilter
from invoicing_site.screens.forms import ChoicesFilter, DayFilter, SearchFilter
from proforma.models import InvoiceRun, ProformaInvoice, RunContract, was_returned


class _OfContracts(django_filters.FilterSet):
    """Common filters of all lists of contracts."""

    q = SearchFilter("code", "name", placeholder="Code or name")
    customer = RowFilter(label="Customer", model=Customer, method="of_customer")
    manager = RowFilter(
        label="Project manager",
        method="of_manager",
        queryset=lambda request: managers_of(ProjectContract, request.entity),
        empty_label="Anyone",
    )

    def of_customer(self, rows, name, customers):
        shares = ContractCustomer.objects.filter(customer__in=customers.keys)
        return rows.filter(pk__in=shares.values("contract"))

    def of_manager(self, rows, name, managers):
        managed = ProjectContract.managers.through.objects.filter(user__in=managers.keys)
        return rows.filter(pk__in=managed.values("projectcontract"))


class ContractFilter(_OfContracts):
    status = ChoicesFilter(label="Status", choices=ProjectContract.Status.choices)
    billing_method = ChoicesFilter(
        label="Billing method", choices=ContractLine.BillingMethod.choices, method="with_lines_of"
    )

    class Meta:
        model = ProjectContract
        fields = []

    def with_lines_of(self, rows, name, methods):
        lines = ContractLine.objects.filter(contract=OuterRef("pk"), billing_method__in=methods)
        return rows.filter(Exists(lines)) if methods else rows


class HubFilter(_OfContracts):
    has = ChoicesFilter(
        label="With",
        method="with_work",
        choices=[
            ("not_ready", "work not ready"),
            ("ready", "work ready to invoice"),
            ("failed", "work over a limit"),
            ("draft", "an open draft"),
            ("due", "an invoice date that is due"),
        ],
    )
    contract = RowFilter(label="Contract", model=ProjectContract, field_name="pk")

    class Meta:
        model = ProjectContract
        fields = []

    def with_work(self, rows, name, chosen):
        items = BacklogItem.objects.open().filter(contract=OuterRef("pk"))
        schedule = ContractLine.objects.filter(
            contract=OuterRef("pk"),
            schedule__status__in=ScheduleEntry.STILL_DUE,
            schedule__run_date__lte=self.request.entity.today(),
        )
        conditions = {
            "not_ready": Exists(
                items.filter(status=BacklogItem.Status.NOT_READY).exclude(limit_status="failed")
            ),
            "ready": Exists(items.ready()),
            "failed": Exists(items.filter(limit_status=BacklogItem.LimitStatus.FAILED)),
            "draft": Exists(ProformaInvoice.objects.open().filter(contract=OuterRef("pk"))),
            "due": Exists(schedule),
        }
        found = Q()
        for word in chosen:
            found |= Q(conditions[word])
        return rows.filter(found)


class ProformaFilter(django_filters.FilterSet):
    q = SearchFilter(
        "number", "name", "contract__code", "customer__name", placeholder="Number, contract, customer"
    )
    status = ChoicesFilter(
        label="Status",
        choices=[*ProformaInvoice.Status.choices, ("posted", "posted"), ("returned", "returned")],
        method="of_status",
    )
    confirm_job = ChoicesFilter(
        label="Confirming in the background", choices=ProformaInvoice.ConfirmJob.choices
    )
    customer = RowFilter(label="Customer", model=Customer)
    contract = RowFilter(label="Contract", model=ProjectContract)
    since = DayFilter(label="Cutoff from", field_name="cutoff", lookup_expr="gte")
    until = DayFilter(label="Cutoff to", field_name="cutoff", lookup_expr="lte")
    run = django_filters.NumberFilter(label="Run number", field_name="run", max_value=2**63 - 1)

    class Meta:
        model = ProformaInvoice
        fields = []

    def of_status(self, rows, name, chosen):
        if not chosen:
            return rows
        # Returned and posted proformas have the status confirmed; the filter shows them separately.
        posted = Q(Exists(rows.model.objects.filter(pk=OuterRef("pk"), proposal__invoice__isnull=False)))
        found = Q(status__in=chosen) & ~was_returned() & ~posted
        if "posted" in chosen:
            found |= posted
        return rows.filter(found | was_returned()) if "returned" in chosen else rows.filter(found)


class RunFilter(django_filters.FilterSet):
    kind = ChoicesFilter(label="Kind", choices=InvoiceRun.Kind.choices)
    trigger = ChoicesFilter(label="Started by", choices=InvoiceRun.Trigger.choices)
    failed = django_filters.BooleanFilter(
        label="With failures", widget=forms.CheckboxInput, method="with_failures"
    )
    since = DayFilter(label="As of, from", field_name="as_of", lookup_expr="gte")
    until = DayFilter(label="As of, to", field_name="as_of", lookup_expr="lte")

    class Meta:
        model = InvoiceRun
        fields = []

    def with_failures(self, rows, name, chosen):
        if not chosen:
            return rows
        failed = RunContract.objects.visible_to(self.request.user).filter(outcome=RunContract.Outcome.FAILED)
        return rows.filter(pk__in=failed.values("run"))
