"""Admin of contracts: drafts are editable, confirmed and closed ones read-only. No status changes."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import PROTECT, ManyToOneRel

from contracts.models import (
    ContractCustomer,
    ContractLine,
    ContractLineCategory,
    ContractLineRole,
    ContractLineTask,
    ContractPriceList,
    InvoiceFrequency,
    LineCustomer,
    Milestone,
    ProjectContract,
    PurchaseOrder,
    Retainer,
    ScheduleEntry,
)
from contracts.operations import apply_default_customers, apply_default_price_lists, generate_schedule
from invoicing_site.admin.base import (
    AdministeredForm,
    EntityAdmin,
    LookupAdmin,
    LookupInline,
    RowsInline,
    offered,
)
from invoicing_site.admin.columns import amount, chip, sentence
from invoicing_site.floor import wording
from invoicing_site.floor.errors import Refused
from invoicing_site.screens import remedies

STATUS = chip("status", draft="info", confirmed="success", closed="")


class OfContractAdmin(EntityAdmin):
    """A contract or a part of it: editable while the contract is a draft."""

    def contract_of(self, obj):
        return obj.contract

    def closed_to_change(self, obj):
        contract = self.contract_of(obj)
        if contract.status == ProjectContract.Status.DRAFT:
            return ""
        return f"Contract {contract.code} is {contract.get_status_display()} and can't be changed."

    def contracts_offered(self, request):
        drafts = offered(self.admin_site, request, ProjectContract)
        return drafts.filter(status=ProjectContract.Status.DRAFT)


class ContractCustomerInline(RowsInline):
    model = ContractCustomer
    entity_path = "contract__entity"
    fields = ["customer", "is_primary", "split", "is_rounding", "limit", "payment_term"]
    show_change_link, hide_title = True, False


class ContractPriceListForm(AdministeredForm):
    def refusals(self):
        contract = self.instance.contract
        chosen = self.cleaned_data.get("price_list")
        if chosen and (chosen.kind != "sales" or chosen.currency != contract.currency):
            yield "price_list", f"Choose a sales price list in the contract's currency, {contract.currency}."


class ContractPriceListInline(RowsInline):
    model, form = ContractPriceList, ContractPriceListForm
    entity_path = "contract__entity"


class ContractLineInline(RowsInline):
    model = ContractLine
    entity_path = "contract__entity"
    fields = [
        "number",
        "name",
        "billing_method",
        "project",
        "entire_project",
        "contract_amount",
        "estimate",
        "limit",
        "frequency",
        "billing_starts",
    ]
    show_change_link, hide_title = True, False
    per_page = 50


@admin.register(ProjectContract)
class ProjectContractAdmin(OfContractAdmin):
    fixed = ["currency"]  # CON-7
    list_display = ["code", "name", "currency", STATUS, "unit", "starts", "ends", "entity"]
    list_filter = ["status", "currency"]
    search_fields = ["code", "name", "customers__customer__name"]
    readonly_fields = ["status", "confirmed_at", "confirmed_by", "closed_at", "closed_as_lost"]
    inlines = [ContractCustomerInline, ContractPriceListInline, ContractLineInline]
    fieldsets = [
        (None, {"fields": ["entity", ("code", "name"), ("currency", "status"), "managers"]}),
        (
            "Terms",
            {
                "fields": [
                    ("starts", "ends"),
                    ("limit", "fixed_exchange_rate"),
                    ("unit", "billing_tax_group"),
                    "place_of_delivery",
                ]
            },
        ),
        (
            "Confirmed and closed",
            {
                "classes": ["collapse"],
                "fields": [("confirmed_at", "confirmed_by"), "closed_at", "closed_as_lost"],
            },
        ),
    ]

    def contract_of(self, obj):
        return obj

    def save_related(self, request, form, formsets, change):
        """A new contract gets the default price lists unless some were selected (PRC-6)."""
        super().save_related(request, form, formsets, change)
        contract = form.instance
        if not change and not contract.contract_price_lists.exists():
            apply_default_price_lists(contract, by=request.user)
        _give_customers(contract.lines.all(), by=request.user)


def _give_customers(lines, *, by):
    """Lines without customers get those of their contract (CON-1)."""
    for line in lines.filter(customers=None, contract__customers__isnull=False).distinct():
        apply_default_customers(line, by=by)


class OfLineForm(AdministeredForm):
    """A row of a line: its task must belong to the line's project."""

    def refusals(self):
        task = self.cleaned_data.get("task")
        if task and task.project_id != self.instance.line.project_id:
            yield "task", f"“{task}” belongs to another project than the line."


class LineTaskInline(RowsInline):
    model, form, entity_path, tab = ContractLineTask, OfLineForm, "line__contract__entity", True


class LineRoleInline(RowsInline):
    model, entity_path, tab = ContractLineRole, "line__contract__entity", True


class LineCategoryInline(RowsInline):
    model, entity_path, tab = ContractLineCategory, "line__contract__entity", True
    verbose_name_plural = "contract line categories"


class LineCustomerForm(AdministeredForm):
    def refusals(self):
        share = self.cleaned_data.get("contract_customer")
        if share and share.contract_id != self.instance.line.contract_id:
            yield (
                "contract_customer",
                "This customer is on another contract. Choose a customer of the line's contract.",
            )


class LineCustomerInline(RowsInline):
    model, form, entity_path, tab = LineCustomer, LineCustomerForm, "line__contract__entity", True


class MilestoneInline(RowsInline):
    model, form, entity_path, tab = Milestone, OfLineForm, "line__contract__entity", True
    fields = ["number", "name", "date", "amount", "task"]
    per_page = 50


class ScheduleInline(LookupInline):
    model, tab = ScheduleEntry, True
    fields = ["run_date", "cutoff", "status", "ran_at", "what_happened"]
    readonly_fields = ["what_happened"]
    what_happened = staticmethod(sentence("result"))


@admin.register(ContractLine)
class ContractLineAdmin(OfContractAdmin):
    entity_path = "contract__entity"
    fixed = ["contract"]
    readonly_fields = ["revision", "replaces"]
    list_display = [
        "contract",
        "number",
        "name",
        "billing_method",
        "project",
        amount("contract_amount", currency="contract__currency"),
        amount("limit", "Not-to-exceed limit", currency="contract__currency"),
        "contract__status",
    ]
    list_filter = ["billing_method", "contract__status"]
    search_fields = ["name", "contract__code", "contract__name", "project__code"]
    inlines = [
        LineCustomerInline,
        LineTaskInline,
        LineRoleInline,
        LineCategoryInline,
        MilestoneInline,
        ScheduleInline,
    ]
    fieldsets = [
        (None, {"fields": ["contract", ("number", "name"), "billing_method"]}),
        (
            "Covers",
            {
                "fields": [
                    ("project", "entire_project"),
                    ("includes_time", "includes_expense"),
                    ("includes_material", "includes_fee"),
                    ("starts", "ends"),
                ]
            },
        ),
        ("Amounts", {"fields": [("contract_amount", "estimate"), "limit"]}),
        ("Invoicing", {"fields": [("frequency", "billing_starts"), ("revision", "replaces")]}),
    ]
    actions = ["plan_invoice_days"]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        _give_customers(ContractLine.objects.filter(pk=form.instance.pk), by=request.user)

    @admin.action(description="Plan invoice dates again")
    def plan_invoice_days(self, request, queryset):
        """Plan invoice dates of lines without any, from the billing start or the date of confirming."""
        for line in offered(self.admin_site, request, ContractLine).filter(pk__in=queryset).order_by("pk"):
            try:
                days = generate_schedule(line, by=request.user)
            except Refused as refusal:
                messages.error(request, remedies.linked_sentence(refusal, request))
            else:
                planned = wording.counted(len(days), "invoice date")
                messages.success(request, f"Line {line}: {planned} planned.")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "contract":
            kwargs["queryset"] = self.contracts_offered(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class PurchaseOrderForm(AdministeredForm):
    def refusals(self):
        """The number of an order can't change after it was used, because it is printed (CON-12)."""
        if "number" in self.changed_data and self.instance.pk and (user := self._user_of_it()):
            yield (
                "number",
                f"{user} bills under order {self.initial['number']}, so its number can't change, only "
                "its dates and amount. Add another number as a new order.",
            )

    def _user_of_it(self):
        """The first record that prevents deleting the order."""
        for link in PurchaseOrder._meta.get_fields(include_hidden=True):
            if isinstance(link, ManyToOneRel) and link.on_delete is PROTECT:
                rows = link.related_model._default_manager.filter(**{link.field.name: self.instance.pk})
                if found := rows.order_by("pk").first():
                    return found
        return None


class OfOrder:
    """The amount of an order number limits its billing; empty means no limit."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # a mixin
        if db_field.name == "amount":
            field.help_text = "Net, in the contract's currency. If empty: no limit"
            field.validators.append(_more_than_nothing)
        return field


def _more_than_nothing(amount):
    if amount <= 0:
        raise ValidationError("An order amount must be more than 0. Leave it empty for no limit.")


class PurchaseOrderInline(OfOrder, RowsInline):
    model = PurchaseOrder
    form = PurchaseOrderForm


@admin.register(ContractCustomer)
class ContractCustomerAdmin(OfContractAdmin):
    """A customer of a contract: share, limit, billing address and order numbers (CON-9)."""

    on_index = False
    entity_path = "contract__entity"
    option_links = ["customer"]
    fixed = ["contract", "customer"]
    list_display = ["contract", "customer", "split", "is_primary", "is_rounding"]
    list_select_related = ["contract", "customer"]
    search_fields = ["contract__code", "customer__name", "customer__number"]
    inlines = [PurchaseOrderInline]
    fieldsets = [
        (None, {"fields": [("contract", "customer"), ("split", "limit"), ("is_primary", "is_rounding")]}),
        (
            "Bill to, if different from the customer",
            {
                "fields": [
                    "bill_to_name",
                    "contact_name",
                    "street",
                    ("postal_code", "city"),
                    "country",
                    ("organization_number", "vat_number"),
                    ("electronic_address_scheme", "electronic_address"),
                    ("payment_term", "buyer_reference"),
                ]
            },
        ),
    ]

    def option(self, obj):
        return f"{obj.contract.code} · {obj.customer}"

    def closed_to_change(self, obj):
        sentence = super().closed_to_change(obj)
        if sentence and obj.contract.status == ProjectContract.Status.CONFIRMED:
            return f"{sentence} Its order numbers can be changed in the list “Order numbers”."
        return sentence

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "contract":
            kwargs["queryset"] = self.contracts_offered(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(OfOrder, EntityAdmin):
    """A customer's order number; not an amendment, so it can be added while the contract runs (CON-11)."""

    entity_path = "contract_customer__contract__entity"
    form = PurchaseOrderForm
    fixed = ["contract_customer"]
    list_display = [
        "number",
        "contract_customer__contract",
        "contract_customer__customer",
        "valid_from",
        "valid_to",
        amount("amount", currency="contract_customer__contract__currency"),
    ]
    search_fields = ["number", "contract_customer__contract__code", "contract_customer__customer__name"]
    ordering = ["contract_customer__contract__code", "number"]
    readonly_fields = ["billed_to"]

    def get_fields(self, request, obj=None):
        return ["billed_to" if obj else "contract_customer", "number", ("valid_from", "valid_to"), "amount"]

    @admin.display(description="Contract and customer")
    def billed_to(self, obj):
        share = obj.contract_customer
        return f"{share.contract} · {share.customer}"

    def closed_to_change(self, obj):
        contract = obj.contract_customer.contract
        if contract.status == ProjectContract.Status.CLOSED:
            return f"Contract {contract.code} is closed. Its order numbers can't be changed."
        return ""


@admin.register(InvoiceFrequency)
class InvoiceFrequencyAdmin(EntityAdmin):
    list_display = [
        "code",
        "name",
        "rhythm",
        "every",
        "days",
        "weekday",
        "nth",
        "cutoff_on_run_day",
        "entity",
    ]
    list_filter = ["rhythm"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    fieldsets = [
        (None, {"fields": ["entity", ("code", "name")]}),
        ("Pattern", {"fields": [("rhythm", "every"), "days", ("weekday", "nth"), "cutoff_on_run_day"]}),
    ]


class TaxGroupAdmin(EntityAdmin):
    """A tax group; its tax codes are set up by the ledger, which registers it."""

    list_display = ["code", "name", "entity"]
    search_fields = ["code", "name"]
    ordering = ["code"]


@admin.register(Milestone)
class MilestoneAdmin(LookupAdmin):
    entity_path = "line__contract__entity"
    list_display = [
        "name",
        "line__contract",
        "line",
        "date",
        amount("amount", currency="line__contract__currency"),
        chip("status", not_started="info", in_progress="warning", completed="success"),
    ]
    list_filter = ["status"]
    search_fields = ["name", "line__name", "line__contract__code"]


@admin.register(Retainer)
class RetainerAdmin(LookupAdmin):
    entity_path = "contract__entity"
    list_display = ["name", "contract", "kind", "date", amount("amount", currency="contract__currency")]
    list_filter = ["kind"]
    search_fields = ["name", "contract__code"]
    ordering = ["-date", "-pk"]
