"""Admin of users and their memberships of legal entities."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.forms import (  # type: ignore[import-untyped]  # Unfold has no type hints
    PaginationInlineFormSet,
    UserChangeForm,
)

from contracts.models import LegalEntity, Membership
from contracts.models.entity import last_administrator
from contracts.operations.role_notices import notify_of_role
from contracts.two_people import notified_of_roles, own_role
from invoicing_site.accounts import password_links
from invoicing_site.accounts.administered import reach_of
from invoicing_site.admin.base import AdministeredForm, EntityAdmin, RowsInline
from invoicing_site.floor.errors import Refused
from invoicing_site.models import User

admin.site.unregister(Group)  # only the five roles count, not group permissions


def _given(forms, by):
    """The reason why `by` can't give one of the memberships in the forms; empty if all are allowed."""
    for form in forms:
        before = Membership.objects.filter(pk=form.instance.pk).first() if form.instance.pk else None
        complete = form.instance.user_id and form.instance.entity_id
        if complete and form.has_changed() and (sentence := own_role(by, form.instance, before)):
            return sentence
    return ""


class MembershipFormSet(PaginationInlineFormSet):
    """Memberships of a user or of a legal entity; a legal entity must keep a billing administrator."""

    by = None  # the user who saves them; set by the inline for each request

    def save_new(self, form, commit=True):
        membership = super().save_new(form, commit)
        notify_of_role(membership, self.by)
        return membership

    def save_existing(self, form, obj, commit=True):
        membership = super().save_existing(form, obj, commit)
        notify_of_role(membership, self.by, changed=True)
        return membership

    def clean(self):
        super().clean()
        typed = [form for form in self.forms if getattr(form, "cleaned_data", None)]
        given = {form for form in typed if form not in self.deleted_forms and self._administers(form)}
        leaving = [form.instance.pk for form in self.initial_forms if form in typed and form not in given]
        joined = [form.instance.entity_id for form in given if form not in self.initial_forms]
        alone = Membership.objects.filter(pk__in=leaving).left_alone(but_for=joined)
        if sentence := last_administrator(alone):
            raise ValidationError(sentence)
        kept = [form for form in typed if form not in self.deleted_forms]
        if any("user" in form.changed_data for form in kept if form in self.initial_forms):
            raise ValidationError(
                "You can't move a membership to another person. Delete the row and add a new one."
            )
        if sentence := _given(kept, self.by):
            raise ValidationError(sentence)

    @staticmethod
    def _administers(form):
        return form.cleaned_data.get("role") == Membership.Role.ADMINISTRATOR


class LocksAdministrators:
    """If two administrators remove each other at the same time, process one request after the other."""

    def lock(self, request):
        rows = Membership.objects.filter(role=Membership.Role.ADMINISTRATOR)
        administered = reach_of(request).administered
        list((rows if administered.everything else rows.filter(entity__in=administered.ids)).locked())


class KeepsAdministrators(LocksAdministrators):
    """Refuses a deletion that would leave a legal entity without a billing administrator."""

    def memberships_of(self, rows):
        return Membership.objects.filter(pk__in=rows)

    def keeps_rows(self, obj):
        return last_administrator(self.memberships_of([obj.pk]).left_alone())

    def get_deleted_objects(self, objs, request):
        *found, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]  # a mixin
        sentence = last_administrator(self.memberships_of([obj.pk for obj in objs]).left_alone())
        return *found, [*protected, *([sentence] if sentence else [])]


class MembershipRows(RowsInline):
    """Memberships on the page of a user or of a legal entity."""

    model, formset = Membership, MembershipFormSet
    entity_path = "entity"

    def get_formset(self, request, obj=None, **kwargs):
        found = super().get_formset(request, obj, **kwargs)
        found.by = request.user
        return found

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user", "entity")


class MembershipInline(MembershipRows):
    def get_min_num(self, request, obj=None, **kwargs):
        """Require one membership, because without one the creator could no longer see the new user."""
        return 0 if reach_of(request).administered.everything else 1

    def get_formset(self, request, obj=None, **kwargs):
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def get_queryset(self, request):
        rows, seen = super().get_queryset(request), reach_of(request).seen
        return rows if seen.everything else rows.filter(entity__in=seen.ids)


class UserForm(UserChangeForm):
    by: User  # the user who saves it; set by the admin for each request

    def clean_email(self):
        """Refuse to change the address of a user with a password, because password links are sent there.

        The address of an invited user without a password can be corrected. The people who are notified of
        role changes get a notice.
        """
        email, person = self.cleaned_data["email"], self.instance
        free = self.by.is_superuser or person == self.by or not person.has_usable_password()
        if email != person.email and not free:
            raise ValidationError(
                f"Only {person} can change this address, with “Email address” in the menu under their name, "
                "because links to choose a password are sent to it."
            )
        return email

    def clean(self):
        cleaned = super().clean()
        taken = {"is_active", "is_staff"}.intersection(self.changed_data)
        stays = all(cleaned.get(name) for name in taken)
        if not stays and (sentence := last_administrator(self.instance.memberships.left_alone())):
            raise ValidationError(sentence)
        return cleaned


class NewUserForm(forms.ModelForm):
    """A new user, who gets a mail with a link to choose a password."""

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "language", "is_staff"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].help_text = "A link to choose a password is sent here."

    def save(self, commit=True):
        self.instance.set_unusable_password()
        return super().save(commit)


@admin.register(User)
class UserAdmin(KeepsAdministrators, EntityAdmin, DjangoUserAdmin):
    """Users. An administrator can change users who work for the administrator's legal entities only."""

    has_one_entity = False
    form, add_form = UserForm, NewUserForm
    inlines = [MembershipInline]
    list_display = ["username", "first_name", "last_name", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["username", "first_name", "last_name", "email"]
    filter_horizontal = []
    readonly_fields = ["own_password", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": [("username", "own_password")]}),
        ("Person", {"fields": [("first_name", "last_name"), ("email", "language")]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", ("last_login", "date_joined")]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", ("first_name", "last_name"), ("email", "language"), "is_staff"]}),
    ]

    @admin.display(description="Password")
    def own_password(self, user):
        chosen = "Chosen by the user" if user.has_usable_password() else "Not chosen yet"
        where = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html(
            '{}. <a class="text-primary-600 dark:text-primary-500" href="{}">Send a link to choose one</a>',
            chosen,
            where,
        )

    def memberships_of(self, rows):
        return Membership.objects.filter(user__in=rows)

    def within(self, rows, entities):
        members = Membership.objects.filter(entity__in=entities.ids)
        return rows.filter(pk__in=members.values("user"))

    def has_change_permission(self, request, obj=None):
        """Only users without other legal entities, because a password gives access to all of them."""
        if not super().has_change_permission(request, obj):
            return False
        administered = reach_of(request).administered
        if obj is None or administered.everything:
            return True
        elsewhere = obj.memberships.exclude(entity__in=administered.ids)
        return not obj.is_superuser and not elsewhere.exists()

    def add_view(self, request, form_url="", extra_context=None):
        """Without the transaction that Django opens here, because operations are not repeated inside one."""
        return self._add_view(request, form_url, extra_context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        found = super().get_form(request, obj, change=change, **kwargs)
        found.by = request.user
        return found

    def get_readonly_fields(self, request, obj=None):
        kept = [] if reach_of(request).administered.everything else ["is_superuser"]
        return [*super().get_readonly_fields(request, obj), *kept]

    def get_autocomplete_fields(self, request):
        return []

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if not change:
            self._send_link(request, obj)
        elif "email" in form.changed_data:
            old, watching = form.initial.get("email", ""), notified_of_roles(obj)
            password_links.notify_of_address(obj, old, by=request.user, watching=watching)

    def _send_link(self, request, user):
        try:
            sent = password_links.send(
                user, by=request.user, request=request, watching=notified_of_roles(user)
            )
        except Refused as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, sent)

    def user_change_password(self, request, id, form_url=""):
        """Send the user a link to choose a password; nobody else sets it."""
        user = self.get_object(request, id)
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user == request.user:
            return redirect("password_change")
        if request.method == "POST":
            self._send_link(request, user)
            return redirect("admin:invoicing_site_user_change", user.pk)
        context = {**self.admin_site.each_context(request), "person": user, "opts": self.opts}
        context |= {
            "title": f"Send {user} a link to choose a password",
            "has_mail_server": settings.EMAIL_HOST,
        }
        return TemplateResponse(request, "admin/send_password_link.html", context)

    def entity_code(self, obj):
        """The user's only legal entity; events of users with several are visible to superusers only."""
        codes = LegalEntity.objects.filter(memberships__user=obj).values_list("code", flat=True).distinct()
        return codes[0] if len(codes) == 1 else ""


class MembershipForm(AdministeredForm):
    by: User  # the user who saves it; set by the admin for each request

    def refusals(self):
        if sentence := _given([self], self.by):
            yield None, sentence


@admin.register(Membership)
class MembershipAdmin(KeepsAdministrators, EntityAdmin):
    form = MembershipForm
    list_display = ["user", "role", "entity", "sees_costs", "overrides_limits"]
    list_filter = ["role", "sees_costs", "overrides_limits"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["entity", "role", "user"]
    fixed = ["user"]

    def get_form(self, request, obj=None, change=False, **kwargs):
        found = super().get_form(request, obj, change, **kwargs)
        found.by = request.user
        return found

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if form.has_changed():
            notify_of_role(obj, request.user, changed=change)
