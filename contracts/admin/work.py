"""Admin of customers, projects, roles, categories, products and resources."""

from django.contrib import admin

from contracts.admin.entity import OfEntityAdmin
from contracts.models import (
    Category,
    Customer,
    CustomerContact,
    MeasureUnit,
    Product,
    Project,
    ProjectGroup,
    Resource,
    ResourcePosition,
    Role,
    Task,
)
from invoicing_site.admin.base import AdministeredForm, EntityAdmin, RowsInline


class CustomerContactInline(RowsInline):
    model = CustomerContact


@admin.register(Customer)
class CustomerAdmin(EntityAdmin):
    list_display = ["number", "name", "currency", "payment_term", "billing_tax_group", "city", "entity"]
    list_filter = ["currency", "language", "delivery"]
    search_fields = ["number", "name", "organization_number"]
    inlines = [CustomerContactInline]
    fieldsets = [
        (None, {"fields": ["entity", ("number", "name"), ("currency", "language")]}),
        (
            "Billing",
            {
                "fields": [
                    ("payment_term", "billing_tax_group"),
                    "buyer_reference",
                    "payment_reference_kind",
                    ("kid_length", "kid_holds"),
                ]
            },
        ),
        ("Identifiers", {"fields": [("organization_number", "vat_number")]}),
        (
            "Delivery of documents",
            {"fields": ["delivery", ("electronic_address_scheme", "electronic_address")]},
        ),
        (
            "Address and contact",
            {"fields": ["street", ("postal_code", "city"), "country", ("contact_name", "email")]},
        ),
    ]


@admin.register(ProjectGroup)
class ProjectGroupAdmin(OfEntityAdmin):
    pass


class TaskForm(AdministeredForm):
    def refusals(self):
        parent = self.instance.parent if self.instance.parent_id else None
        if parent and parent.project_id != self.instance.project_id:
            yield "parent", f"“{parent}” belongs to another project."
        step = parent
        while step is not None:
            if self.instance.pk and step.pk == self.instance.pk:
                yield "parent", "A task can't be its own parent."
                return
            step = step.parent


class TaskInline(RowsInline):
    model = Task
    form = TaskForm
    entity_path = "project__entity"
    per_page = 50
    show_change_link, hide_title = True, False


@admin.register(Project)
class ProjectAdmin(EntityAdmin):
    list_display = ["code", "name", "group", "is_open", "starts", "ends", "entity"]
    list_filter = ["is_open"]
    search_fields = ["code", "name"]
    inlines = [TaskInline]
    fieldsets = [
        (None, {"fields": ["entity", ("code", "name"), ("group", "is_open"), "managers"]}),
        ("Dates and tax", {"fields": [("starts", "ends"), "billing_tax_group"]}),
    ]


@admin.register(Task)
class TaskAdmin(EntityAdmin):
    on_index = False
    form = TaskForm
    entity_path = "project__entity"
    list_display = ["code", "name", "project", "parent"]
    search_fields = ["code", "name", "project__code"]
    fixed = ["project"]


@admin.register(Role)
class RoleAdmin(OfEntityAdmin):
    list_display = ["code", "name", "is_chargeable", "entity"]
    list_filter = ["is_chargeable"]


@admin.register(Category)
class CategoryAdmin(OfEntityAdmin):
    list_display = [
        "code",
        "name",
        "transaction_class",
        "is_chargeable",
        "is_disbursement",
        "item_tax_group",
        "entity",
    ]
    list_filter = ["transaction_class", "is_chargeable", "is_disbursement"]
    fixed = ["transaction_class"]


@admin.register(MeasureUnit)
class MeasureUnitAdmin(EntityAdmin):
    list_display = ["unit", "code", "entity"]
    search_fields = ["unit", "code"]
    ordering = ["unit"]


@admin.register(Product)
class ProductAdmin(OfEntityAdmin):
    list_display = ["code", "name", "unit", "item_tax_group", "entity"]


class ResourcePositionInline(RowsInline):
    """Promotions and transfers: a role and a unit from a date (APP-9)."""

    model = ResourcePosition
    entity_path = "resource__entity"
    hide_title = True


@admin.register(Resource)
class ResourceAdmin(OfEntityAdmin):
    inlines = [ResourcePositionInline]
    list_display = ["code", "name", "user", "role", "unit", "is_active", "entity"]
    list_filter = ["is_active"]
