"""Admin of price lists. A list that a confirmed contract uses can be extended; its prices can't change."""

from django.contrib import admin

from contracts.models import (
    CategoryPrice,
    ContractPriceList,
    PriceList,
    PriceMarkup,
    ProductPrice,
    ProjectContract,
    RolePrice,
    RolePriceOverride,
)
from invoicing_site.admin.base import AdministeredForm, EntityAdmin, LookupInline, RowsInline
from invoicing_site.admin.columns import chip

OVERRIDE = "add a dated override."
NEW_LIST = "use another list for draft contracts."


def contract_using(price_list):
    """A confirmed contract that uses the price list, or None."""
    if price_list is None or price_list.pk is None:
        return None
    uses = ContractPriceList.objects.filter(
        price_list=price_list, contract__status=ProjectContract.Status.CONFIRMED
    )
    use = uses.select_related("contract").order_by("pk").first()
    return use and use.contract


def in_use(price_list):
    """The reason why its prices can't change; empty if they can."""
    contract = contract_using(price_list)
    if contract is None:
        return ""
    return (
        f"Price list “{price_list}” is used by confirmed contract {contract.code}, so its prices can't change"
    )


class PriceListForm(AdministeredForm):
    def refusals(self):
        changed = set(self.changed_data) - {"valid_to", "name"}
        if self.instance.pk and changed and (sentence := in_use(self.instance)):
            yield None, f"{sentence}. Only its name and its last day can be changed."


class FrozenPriceForm(AdministeredForm):
    """A row of a price list; existing rows of a used list can't be changed."""

    remedy = NEW_LIST

    def list_of(self):
        return self.instance.price_list

    def refusals(self):
        if not self.has_changed() or not (sentence := in_use(self.list_of())):
            return
        if not self.instance._state.adding:
            yield None, f"{sentence}; {self.remedy}"
        elif covered := self.priced_before():
            yield None, f"{sentence}, and {covered}; {self.remedy}"

    def priced_before(self):
        """An existing row for the work of a new row, which would therefore change a price."""
        return ""


class RolePriceForm(FrozenPriceForm):
    remedy = OVERRIDE

    def priced_before(self):
        rows = RolePrice.objects.filter(price_list=self.instance.price_list_id)
        if self.instance.role_id is not None:
            rows = rows.filter(role=self.instance.role_id) | rows.filter(role=None)
        return "the list already has a price for this work" if rows.exists() else ""


class MarkupForm(FrozenPriceForm):
    def priced_before(self):
        return "a markup would be added to them"


class OverrideForm(FrozenPriceForm):
    remedy = OVERRIDE

    def list_of(self):
        return self.instance.role_price.price_list


class PriceInline(RowsInline):
    """Rows of a price list, or of a row in one; existing rows of a used list are read-only."""

    def has_change_permission(self, request, obj=None):
        price_list = obj.price_list if isinstance(obj, RolePrice) else obj
        return super().has_change_permission(request, obj) and not in_use(price_list)

    def has_add_permission(self, request, obj=None):
        return super().has_change_permission(request, obj)


class RolePriceInline(PriceInline):
    model, form, entity_path = RolePrice, RolePriceForm, "price_list__entity"
    show_change_link, hide_title = True, False
    per_page = 50
    tab = True


class CategoryPriceInline(PriceInline):
    model, form, entity_path = CategoryPrice, FrozenPriceForm, "price_list__entity"
    per_page = 50
    tab = True


class ProductPriceInline(PriceInline):
    model, form, entity_path = ProductPrice, FrozenPriceForm, "price_list__entity"
    per_page = 50
    tab = True


class PriceMarkupInline(PriceInline):
    model, form, entity_path = PriceMarkup, MarkupForm, "price_list__entity"
    tab = True


class UseInline(LookupInline):
    """The contracts that use the list."""

    model = ContractPriceList
    verbose_name_plural = "used by contracts"
    fields = ["contract"]
    tab = True

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("contract").order_by("contract__code")


@admin.register(PriceList)
class PriceListAdmin(EntityAdmin):
    form = PriceListForm
    fixed = ["kind", "currency"]
    list_display = [
        "code",
        "name",
        chip("kind", sales="success", cost="info"),
        "currency",
        "valid_from",
        "valid_to",
        "customer",
        "contract",
        "unit",
        "entity",
    ]
    list_filter = ["kind", "currency"]
    search_fields = ["code", "name", "customer__name", "contract__code"]
    inlines = [RolePriceInline, CategoryPriceInline, ProductPriceInline, PriceMarkupInline, UseInline]
    fieldsets = [
        (None, {"fields": ["entity", ("code", "name"), ("kind", "currency"), ("valid_from", "valid_to")]}),
        (
            "Owner (empty: the standard list of the legal entity)",
            {"fields": [("customer", "contract"), "unit"]},
        ),
    ]

    def keeps_rows(self, obj):
        sentence = in_use(obj)
        return sentence and f"{sentence}; {NEW_LIST}"


class OverrideInline(PriceInline):
    model, form, entity_path = RolePriceOverride, OverrideForm, "role_price__price_list__entity"
    ordering = ["valid_from"]
    per_page = 50


@admin.register(RolePrice)
class RolePriceAdmin(EntityAdmin):
    """A role price with its overrides; opened from its list."""

    on_index = False
    form = RolePriceForm
    entity_path = "price_list__entity"
    fixed = ["price_list"]
    inlines = [OverrideInline]
    fields = ["price_list", ("role", "price"), ("company", "unit")]
    list_display = ["price_list", "role", "company", "unit", "price"]
    search_fields = ["price_list__code", "role__code", "role__name"]
    ordering = ["price_list", "pk"]

    def get_readonly_fields(self, request, obj=None):
        stands = ["role", "price", "company", "unit"] if obj and in_use(obj.price_list) else []
        return [*super().get_readonly_fields(request, obj), *stands]

    def keeps_rows(self, obj):
        sentence = in_use(obj.price_list)
        return sentence and f"{sentence}; {OVERRIDE}"
