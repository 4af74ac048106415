"""Admin of tax, periods, accounts, profiles, dimensions and layouts."""

from django.contrib import admin

from contracts.admin.agreement import TaxGroupAdmin
from contracts.models import BillingTaxGroup, ItemTaxGroup, LegalEntity
from invoicing_site.admin.base import AdministeredForm, EntityAdmin, RowsInline
from invoicing_site.admin.columns import chip
from ledger.models import (
    Account,
    BillingTaxGroupCode,
    DefaultDimension,
    Dimension,
    DimensionValue,
    FiscalPeriod,
    FiscalYear,
    ItemTaxGroupCode,
    PostingAccount,
    Profile,
    ProfileAssignment,
    ProposalLayout,
    TaxCode,
    TaxRate,
    Voucher,
)
from ledger.setup.fiscal_years import months, next_year


class BillingTaxGroupCodeInline(RowsInline):
    model, entity_path = BillingTaxGroupCode, "group__entity"


@admin.register(BillingTaxGroup)
class BillingTaxGroupAdmin(TaxGroupAdmin):
    inlines = [BillingTaxGroupCodeInline]


class ItemTaxGroupCodeInline(RowsInline):
    model, entity_path = ItemTaxGroupCode, "group__entity"


@admin.register(ItemTaxGroup)
class ItemTaxGroupAdmin(TaxGroupAdmin):
    inlines = [ItemTaxGroupCodeInline]


class TaxRateInline(RowsInline):
    model = TaxRate


@admin.register(TaxCode)
class TaxCodeAdmin(EntityAdmin):
    list_display = ["code", "name", "category", "standard_code", "account", "entity"]
    list_filter = ["category"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    inlines = [TaxRateInline]


class PeriodForm(AdministeredForm):
    """The dates of a period with postings can't be changed."""

    def refusals(self):
        period, year = self.instance, self.cleaned_data.get("year") or self.instance.year
        if self.has_changed() and period.pk and Voucher.objects.filter(period=period).exists():
            yield None, f"{period} has vouchers. Its dates can't be changed."
        if period.starts and period.ends and year.starts and year.ends:
            if period.starts < year.starts or period.ends > year.ends:
                yield "ends", f"A period must be within its year, {year.starts} to {year.ends}."
            others = FiscalPeriod.objects.filter(entity=year.entity_id).exclude(pk=period.pk)
            other = others.filter(starts__lte=period.ends, ends__gte=period.starts).first()
            if other and self.has_changed():
                yield "starts", f"These days overlap with the period from {other.starts} to {other.ends}."


class PeriodInline(RowsInline):
    model, form = FiscalPeriod, PeriodForm
    entity_path = "year__entity"
    fields = ["number", "starts", "ends", "status"]
    readonly_fields = ["status"]


@admin.register(FiscalYear)
class FiscalYearAdmin(EntityAdmin):
    list_display = ["name", "year", "starts", "ends", "entity"]
    search_fields = ["name"]
    ordering = ["entity", "-starts"]
    inlines = [PeriodInline]

    def get_changeform_initial_data(self, request):
        """The year after the last one of the selected legal entity, or its first one."""
        initial = super().get_changeform_initial_data(request)
        entity = LegalEntity.objects.filter(pk=initial.get("entity")).first()
        if entity:
            year = next_year(entity)
            for name in ("name", "year", "starts", "ends"):
                initial.setdefault(name, getattr(year, name))
        return initial

    def save_related(self, request, form, formsets, change):
        """A new year without periods gets one per month."""
        super().save_related(request, form, formsets, change)
        if not change and not form.instance.periods.exists():
            FiscalPeriod.objects.bulk_create(months(form.instance))

    def save_formset(self, request, form, formset, change):
        """A period gets the legal entity of its year."""
        for row in formset.forms:
            if row.instance.pk is None:
                row.instance.entity = form.instance.entity
        super().save_formset(request, form, formset, change)


@admin.register(FiscalPeriod)
class FiscalPeriodAdmin(EntityAdmin):
    form = PeriodForm
    fixed = ["year"]
    fields = ["entity", "year", ("number", "status"), ("starts", "ends")]
    readonly_fields = ["status"]
    list_display = [
        "starts",
        "ends",
        "year",
        "number",
        chip("status", open="success", hold="warning", closed=""),
        "entity",
    ]
    list_filter = ["status"]
    search_fields = ["year__name"]
    ordering = ["entity", "-starts"]

    def has_add_permission(self, request):
        """Periods are added on the page of their year."""
        return False


@admin.register(Account)
class AccountAdmin(EntityAdmin):
    list_display = ["number", "name", "kind", "control", "is_active", "entity"]
    list_filter = ["kind", "control", "is_active"]
    search_fields = ["number", "name"]
    fieldsets = [
        (None, {"fields": ["entity", ("number", "name"), ("kind", "control"), "is_active"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        settled = Account.SETTLED if obj and obj.why_fixed() else ()
        return list(dict.fromkeys([*super().get_readonly_fields(request, obj), *settled]))

    def keeps_rows(self, obj):
        return obj.why_fixed()


@admin.register(PostingAccount)
class PostingAccountAdmin(EntityAdmin):
    list_display = ["purpose", "profile", "transaction_class", "category", "account", "entity"]
    list_filter = ["purpose"]
    search_fields = ["account__number", "account__name", "profile__code"]
    ordering = ["entity", "purpose"]


@admin.register(Profile)
class ProfileAdmin(EntityAdmin):
    list_display = [
        "code",
        "name",
        "cost",
        "accrue_time",
        "accrue_expense",
        "accrue_material",
        "accrue_fee",
        "on_account",
        "entity",
    ]
    list_filter = ["cost", "on_account"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    fieldsets = [
        (None, {"fields": ["entity", ("code", "name"), ("cost", "on_account")]}),
        (
            "Accrue revenue of",
            {"fields": [("accrue_time", "accrue_expense"), ("accrue_material", "accrue_fee")]},
        ),
    ]


@admin.register(ProfileAssignment)
class ProfileAssignmentAdmin(EntityAdmin):
    list_display = ["profile", "project", "contract", "group", "entity"]
    search_fields = ["profile__code", "profile__name", "project__code", "contract__code"]
    ordering = ["entity", "pk"]


class DimensionValueInline(RowsInline):
    model = DimensionValue


@admin.register(Dimension)
class DimensionAdmin(EntityAdmin):
    list_display = ["code", "name", "entity"]
    search_fields = ["code", "name"]
    ordering = ["code"]
    inlines = [DimensionValueInline]


@admin.register(DimensionValue)
class DimensionValueAdmin(EntityAdmin):
    on_index = False
    entity_path = "dimension__entity"
    fixed = ["dimension"]
    list_display = ["code", "name", "dimension"]
    search_fields = ["code", "name"]
    ordering = ["dimension", "code"]


class DefaultDimensionForm(AdministeredForm):
    def refusals(self):
        value, dimension = self.cleaned_data.get("value"), self.cleaned_data.get("dimension")
        if value and dimension and value.dimension_id != dimension.pk:
            yield "value", f"“{value}” is a value of another dimension."


@admin.register(DefaultDimension)
class DefaultDimensionAdmin(EntityAdmin):
    form = DefaultDimensionForm
    entity_path = "dimension__entity"
    list_display = ["dimension", "value", "project", "contract_line"]
    search_fields = ["project__code", "contract_line__contract__code", "value__code"]
    ordering = ["dimension", "pk"]


@admin.register(ProposalLayout)
class ProposalLayoutAdmin(EntityAdmin):
    list_display = [
        "mode",
        "summary_by",
        "section_for_each_line",
        "with_annex",
        "customer",
        "contract",
        "entity",
    ]
    list_filter = ["mode"]
    search_fields = ["customer__name", "contract__code"]
    ordering = ["entity", "pk"]
