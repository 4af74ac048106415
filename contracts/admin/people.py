"""Users and what they are in which legal entity."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from contracts.models import LegalEntity, Membership
from invoicing_site.admin_base import EntityAdmin, RowsInline, reach_of
from invoicing_site.models import User

# What project managers may be given one by one (domain, section 11; PRO-6).
EXTRA_PERMISSIONS = ["view_costs", "override_limit"]

admin.site.unregister(Group)  # the five roles decide, group permissions do not


class MembershipInline(RowsInline):
    model = Membership
    entity_path = "entity"

    def get_min_num(self, request, obj=None, **kwargs):
        """Somebody without any membership would be out of the reach of whoever made them."""
        return 0 if reach_of(request).administered.everything else 1

    def get_formset(self, request, obj=None, **kwargs):
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def get_queryset(self, request):
        rows, seen = super().get_queryset(request), reach_of(request).seen
        return rows if seen.everything else rows.filter(entity__in=seen.ids)


@admin.register(User)
class UserAdmin(EntityAdmin, DjangoUserAdmin):
    """People. An administrator sets up those who work for their own legal entities and nobody else."""

    has_one_entity = False
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    inlines = [MembershipInline]
    list_display = ["username", "first_name", "last_name", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["username", "first_name", "last_name", "email"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": [("username", "password")]}),
        ("Person", {"fields": [("first_name", "last_name"), ("email", "language")]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", ("last_login", "date_joined")]}),
        ("Beyond what the roles give", {"fields": ["user_permissions"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", ("first_name", "last_name"), ("email", "language"), "is_staff"]}),
        ("Password", {"fields": ["usable_password", "password1", "password2"]}),
    ]

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        """Of Django's permissions only the two that no role gives by itself."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "user_permissions":
            field.queryset = Permission.objects.filter(codename__in=EXTRA_PERMISSIONS).order_by("codename")
            field.label, field.help_text = "Extra permissions", ""
            field.label_from_instance = lambda permission: permission.name
        return field

    def within(self, rows, entities):
        members = Membership.objects.filter(entity__in=entities.ids)
        return rows.filter(pk__in=members.values("user"))

    def has_change_permission(self, request, obj=None):
        """Only those who work for nobody else: a password opens every company its owner belongs to."""
        if not super().has_change_permission(request, obj):
            return False
        administered = reach_of(request).administered
        if obj is None or administered.everything:
            return True
        elsewhere = obj.memberships.exclude(entity__in=administered.ids)
        return not obj.is_superuser and not elsewhere.exists()

    def get_readonly_fields(self, request, obj=None):
        kept = [] if reach_of(request).administered.everything else ["is_superuser"]
        return [*super().get_readonly_fields(request, obj), *kept]

    def get_autocomplete_fields(self, request):
        return []

    def user_change_password(self, request, id, form_url=""):
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def entity_code(self, obj):
        """The one legal entity somebody works for; of those who work for several only superusers read."""
        codes = LegalEntity.objects.filter(memberships__user=obj).values_list("code", flat=True).distinct()
        return codes[0] if len(codes) == 1 else ""


@admin.register(Membership)
class MembershipAdmin(EntityAdmin):
    list_display = ["user", "role", "entity"]
    list_filter = ["role"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["entity", "role", "user"]
    fixed = ["user"]
