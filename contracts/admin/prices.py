"""Price lists. One that a confirmed contract uses can be extended; no price in it changes."""

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

OVERRIDE = "add an override from a day on."
NEW_LIST = "contracts that are still drafts can be given another list."


def contract_using(price_list):
    """A confirmed contract that the price list counts for, or None."""
    if price_list is None or price_list.pk is None:
        return None
    uses = ContractPriceList.objects.filter(
        price_list=price_list, contract__status=ProjectContract.Status.CONFIRMED
    )
    use = uses.select_related("contract").order_by("pk").first()
    return use and use.contract


def in_use(price_list):
    """The sentence that says why its prices stand still, or nothing."""
    contract = contract_using(price_list)
    if contract is None:
        return ""
    return f"Price list “{price_list}” is in use by the confirmed contract {contract.code}: its prices stand"


class PriceListForm(AdministeredForm):
    def refusals(self):
        changed = set(self.changed_data) - {"valid_to", "name"}
        if self.instance.pk and changed and (sentence := in_use(self.instance)):
            yield None, f"{sentence}. Only its name and its last day can be changed."


class FrozenPriceForm(AdministeredForm):
    """A row of a price list: in a list that is in use, those there stay as they are."""

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
        """What in the list prices already what a new row would price, so that it would change a price."""
        return ""


class RolePriceForm(FrozenPriceForm):
    remedy = OVERRIDE

    def priced_before(self):
        rows = RolePrice.objects.filter(price_list=self.instance.price_list_id)
        if self.instance.role_id is not None:
            rows = rows.filter(role=self.instance.role_id) | rows.filter(role=None)
        return "a row in it prices this work already" if rows.exists() else ""


class MarkupForm(FrozenPriceForm):
    def priced_before(self):
        return "a markup would stack on them"


class OverrideForm(FrozenPriceForm):
    remedy = OVERRIDE

    def list_of(self):
        return self.instance.role_price.price_list


class PriceInline(RowsInline):
    """Rows of a price list, or of a row in one: where the list is in use, those there are only looked at."""

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
    """The contracts that the list counts for."""

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
        ("Owner, unless it is the company's standard", {"fields": [("customer", "contract"), "unit"]}),
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
    """One role price with its overrides; opened from its list."""

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
