"""Users and what they are in which legal entity."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from unfold.forms import (
    AdminPasswordChangeForm,
    PaginationInlineFormSet,
    UserChangeForm,
    UserCreationForm,
)

from contracts.models import LegalEntity, Membership
from contracts.models.entity import last_administrator
from invoicing_site.admin_base import EntityAdmin, RowsInline, reach_of
from invoicing_site.models import User

admin.site.unregister(Group)  # the five roles decide, group permissions do not


class MembershipFormSet(PaginationInlineFormSet):
    """Memberships of a person or of a company; none of them leaves a company without an administrator."""

    def clean(self):
        super().clean()
        typed = [form for form in self.forms if getattr(form, "cleaned_data", None)]
        given = {form for form in typed if form not in self.deleted_forms and self._administers(form)}
        leaving = [form.instance.pk for form in self.initial_forms if form in typed and form not in given]
        joined = [form.instance.entity_id for form in given if form not in self.initial_forms]
        alone = Membership.objects.filter(pk__in=leaving).left_alone(but_for=joined)
        if sentence := last_administrator(alone):
            raise ValidationError(sentence)

    @staticmethod
    def _administers(form):
        return form.cleaned_data.get("role") == Membership.Role.ADMINISTRATOR


class KeepsAdministrators:
    """Nothing is deleted that would leave a company without a billing administrator."""

    def memberships_of(self, rows):
        return Membership.objects.filter(pk__in=rows)

    def keeps_rows(self, obj):
        return last_administrator(self.memberships_of([obj.pk]).left_alone())

    def get_deleted_objects(self, objs, request):
        *found, protected = super().get_deleted_objects(objs, request)
        sentence = last_administrator(self.memberships_of([obj.pk for obj in objs]).left_alone())
        return *found, [*protected, *([sentence] if sentence else [])]


class MembershipInline(RowsInline):
    model, formset = Membership, MembershipFormSet
    entity_path = "entity"

    def get_min_num(self, request, obj=None, **kwargs):
        """Somebody without any membership would be out of the reach of whoever made them."""
        return 0 if reach_of(request).administered.everything else 1

    def get_formset(self, request, obj=None, **kwargs):
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def get_queryset(self, request):
        rows, seen = super().get_queryset(request), reach_of(request).seen
        rows = rows.select_related("user", "entity")
        return rows if seen.everything else rows.filter(entity__in=seen.ids)


class UserForm(UserChangeForm):
    def clean(self):
        cleaned = super().clean()
        taken = {"is_active", "is_staff"}.intersection(self.changed_data)
        stays = all(cleaned.get(name) for name in taken)
        if not stays and (sentence := last_administrator(self.instance.memberships.left_alone())):
            raise ValidationError(sentence)
        return cleaned


@admin.register(User)
class UserAdmin(KeepsAdministrators, EntityAdmin, DjangoUserAdmin):
    """People. An administrator sets up those who work for their own legal entities and nobody else."""

    has_one_entity = False
    form, add_form, change_password_form = UserForm, UserCreationForm, AdminPasswordChangeForm
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
    ]
    add_fieldsets = [
        (None, {"fields": ["username", ("first_name", "last_name"), ("email", "language"), "is_staff"]}),
        ("Password", {"fields": ["usable_password", "password1", "password2"]}),
    ]

    def memberships_of(self, rows):
        return Membership.objects.filter(user__in=rows)

    def render_change_form(self, request, context, *args, **kwargs):
        if kwargs.get("add") and context.get("errors"):
            messages.error(request, "Type the password again: it is not kept between two tries.")
        return super().render_change_form(request, context, *args, **kwargs)

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
class MembershipAdmin(KeepsAdministrators, EntityAdmin):
    list_display = ["user", "role", "entity", "sees_costs", "overrides_limits"]
    list_filter = ["role", "sees_costs", "overrides_limits"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["entity", "role", "user"]
    fixed = ["user"]
