"""Admin of legal entities with their parameters, and a base class for records of an entity."""

from django import forms
from django.contrib import admin

from contracts.admin.people import LocksAdministrators, MembershipRows
from contracts.models import (
    ExchangeRate,
    LegalEntity,
    NumberSequence,
    OrganizationalUnit,
    PaymentTerm,
)
from invoicing_site.accounts.administered import reach_of
from invoicing_site.admin.base import AdministeredForm, EntityAdmin, RowsInline
from invoicing_site.floor import files


class MembershipInline(MembershipRows):
    tab = True


class NumberSequenceInline(RowsInline):
    model = NumberSequence
    entity_path = "entity"
    tab = True
    fields = ["kind", "format"]


class LegalEntityForm(AdministeredForm):
    new_logo = forms.ImageField(
        required=False, label="New logo", help_text="PNG or JPEG, for invoices from now on"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk and "milestone_item_tax_group" in self.fields:
            groups = self.fields["milestone_item_tax_group"]
            assert isinstance(groups, forms.ModelChoiceField)
            assert groups.queryset is not None
            groups.queryset = groups.queryset.filter(entity=self.instance)


@admin.register(LegalEntity)
class LegalEntityAdmin(LocksAdministrators, EntityAdmin):
    entity_path = "pk"
    form = LegalEntityForm
    list_display = ["code", "name", "currency", "country", "time_zone"]
    search_fields = ["code", "name", "organization_number"]
    inlines = [MembershipInline, NumberSequenceInline]
    fixed = ["code", "currency"]
    readonly_fields = ["logo"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("code", "name"),
                    ("currency", "country"),
                    ("time_zone", "language"),
                    "fiscal_year_start_month",
                ]
            },
        ),
        (
            "Seller on documents",
            {
                "fields": [
                    "street",
                    ("postal_code", "city"),
                    ("organization_number", "vat_number"),
                    "in_company_register",
                    ("email", "phone"),
                    "website",
                    ("electronic_address_scheme", "electronic_address"),
                ]
            },
        ),
        (
            "Payment",
            {
                "fields": [
                    "bank_account",
                    ("iban", "bic"),
                    "payment_reference_kind",
                    ("kid_length", "kid_holds"),
                ]
            },
        ),
        ("Appearance of invoices", {"fields": ["accent_color", "logo", "new_logo"]}),
        (
            "Approval and separation of duties",
            {
                "fields": [
                    ("allow_own_approval", "require_proposal_approval"),
                    ("separate_confirm_and_post", "require_order_reference"),
                    "invoices_in_advance",
                ]
            },
        ),
        (
            "Booking and tax",
            {
                "fields": [
                    ("journal_grouping", "journal_max_lines"),
                    "closed_period",
                    ("tax_group_source", "milestone_item_tax_group"),
                    ("posts_journals_by_clock", "posts_invoices_by_clock"),
                ]
            },
        ),
    ]

    def has_add_permission(self, request):
        """Only a superuser creates a legal entity, because it has no administrator yet."""
        return reach_of(request).administered.everything

    def has_delete_permission(self, request, obj=None):
        return self.has_add_permission(request) and super().has_delete_permission(request, obj)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "website":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        if upload := form.cleaned_data.get("new_logo"):
            upload.seek(0)
            obj.logo = files.store(
                upload.read(), name=upload.name, media_type=upload.content_type, by=request.user
            )
        super().save_model(request, obj, form, change)

    def construct_change_message(self, request, form, formsets, add=False):
        detail = super().construct_change_message(request, form, formsets, add)
        if "new_logo" in detail.get("after", {}):
            detail["before"].pop("new_logo", None)
            del detail["after"]["new_logo"]
            detail["before"]["logo"] = form.initial.get("logo")
            detail["after"]["logo"] = form.instance.logo.sha256
        return detail


class OfEntityAdmin(EntityAdmin):
    """Admin of models with a code and a name in a legal entity."""

    list_display = ["code", "name", "entity"]
    search_fields = ["code", "name"]
    ordering = ["code"]


@admin.register(OrganizationalUnit)
class OrganizationalUnitAdmin(OfEntityAdmin):
    pass


@admin.register(PaymentTerm)
class PaymentTermAdmin(OfEntityAdmin):
    list_display = ["code", "name", "method", "days", "day_of_month", "entity"]


class ExchangeRateForm(AdministeredForm):
    is_sure = forms.BooleanField(
        required=False,
        label="This rate is right",
        help_text="Needed if it is more than ten times the previous rate, or less than a tenth of it",
    )

    def refusals(self):
        if self.errors or self.cleaned_data.get("is_sure") or not (other := self.instance.neighbor()):
            return
        if not other.rate / 10 <= self.instance.rate <= other.rate * 10:
            yield (
                "rate",
                f"{other} differs a lot from this. Check it, and tick “This rate is right” if it is correct.",
            )


@admin.register(ExchangeRate)
class ExchangeRateAdmin(EntityAdmin):
    form = ExchangeRateForm
    list_display = ["currency", "valid_from", "rate", "rate_type", "source", "entity"]
    list_filter = ["rate_type", "currency"]
    search_fields = ["currency", "source"]
    ordering = ["-valid_from", "currency"]


@admin.register(NumberSequence)
class NumberSequenceAdmin(EntityAdmin):
    list_display = ["kind", "format", "last_number", "entity"]
    list_filter = ["kind"]
    search_fields = ["format"]
    ordering = ["entity", "kind"]
    fixed = ["kind"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("counters")
