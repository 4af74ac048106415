"""Signing in and out, changing the password; each action is recorded in the audit log.

This is the only sign-in page. The admin's own page redirects here, because it does not limit attempts.
"""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash, views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.urls import path, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.module_loading import import_string
from django.views.generic import FormView, RedirectView

from invoicing_site.accounts import password_links, throttling
from invoicing_site.floor import audit, transaction
from invoicing_site.models import User

_NAME_LENGTH = 150


class SignInForm(AuthenticationForm):
    """User name and password; checked only if this user, at this address, does not have to wait."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": ("User name or password is wrong. Check capital letters and try again."),
        "too_soon": (
            "User name or password was wrong several times. Wait %(wait)s, then try again. Nothing is "
            "locked, and your password is unchanged. If you have forgotten it, choose a new one below."
        ),
    }
    wait = 0

    def clean(self):
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return self.cleaned_data
        address = throttling.address_of(self.request)
        self.wait = throttling.begin(name, address)
        if self.wait:
            raise ValidationError(
                self.error_messages["too_soon"], code="too_soon", params={"wait": _in_words(self.wait)}
            )
        super().clean()
        throttling.succeed(name, address)
        return self.cleaned_data


def _in_words(seconds):
    """The time to wait, rounded up."""
    number, unit = (seconds, "second") if seconds <= 90 else (-(-seconds // 60), "minute")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


class SignIn(views.LoginView):
    """The sign-in page. In the demo, buttons fill in the name and password of a demo user."""

    authentication_form = SignInForm

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        chosen = self.request.POST.get("demo")
        for visitor in self.visitors:
            if visitor.username == chosen:
                kwargs["data"] = {"username": chosen, "password": visitor.password}
        return kwargs

    def get_context_data(self, **kwargs):
        return super().get_context_data(visitors=self.visitors, **kwargs)

    def form_invalid(self, form):
        response = super().form_invalid(form)
        if form.wait:
            response.status_code = 429
            response.headers["Retry-After"] = str(form.wait)
        return response

    @cached_property
    def visitors(self):
        """The demo users, who sign in with one click; the setting is empty in production."""
        return import_string(settings.DEMO_VISITORS)() if settings.DEMO_VISITORS else []


@method_decorator(login_not_required, name="dispatch")
class SignOut(views.LogoutView):
    """Sign out, by POST only; without a session, redirect to the sign-in page."""


class ChangePassword(views.PasswordChangeView):
    """Change the user's own password; all other sessions of the user end."""

    def form_valid(self, form):
        user = _set_password(form, "invoicing_site.change_password", self.request)
        update_session_auth_hash(self.request, user)
        return HttpResponseRedirect(self.get_success_url())


@transaction.atomic
def _set_password(form, action, request):
    """Save the new password. The caller updates the session and shows the message after the commit."""
    user = form.save()
    audit.record(action, user, by=user, **_from(request))
    return user


class AddressForm(forms.Form):
    """The user's own email address; changing it needs the password."""

    email = forms.EmailField(label="Email address", max_length=254)
    password = forms.CharField(label="Your password", strip=False, widget=forms.PasswordInput)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self):
        if not self.user.check_password(self.cleaned_data["password"]):
            raise ValidationError("The password is wrong.")
        return self.cleaned_data["password"]


class ChangeAddress(FormView):
    """Change the user's own email address; the old address gets a message."""

    form_class = AddressForm
    template_name = "registration/mail_address.html"
    success_url = reverse_lazy("home")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"user": self.request.user}

    def get_initial(self):
        return {"email": self.request.user.email}

    def form_valid(self, form):
        user = _set_address(self.request.user, form.cleaned_data["email"], self.request)
        messages.success(self.request, f"Your email address is {user.email}.")
        return super().form_valid(form)


@transaction.atomic
def _set_address(user, address, request):
    user = User.objects.get(pk=user.pk)
    old, user.email = user.email, address
    user.save(update_fields=["email"])
    if old != user.email:
        action, change = "invoicing_site.change_mail_address", {"before": old, "after": user.email}
        audit.record(action, user, by=user, **change, **_from(request))
        password_links.notify_of_address(user, old, by=user)
    return user


class ForgottenForm(forms.Form):
    """An email address. The answer is the same whether a user has it or not."""

    email = forms.EmailField(label="Email address", max_length=254)


class Forgotten(FormView):
    """Request a link to choose a new password; a user gets at most one in five minutes."""

    form_class = ForgottenForm
    template_name = "registration/password_forgotten.html"
    success_url = reverse_lazy("password_reset_done")

    def form_valid(self, form):
        for user in User.objects.filter(email__iexact=form.cleaned_data["email"], is_active=True)[:10]:
            if throttling.first_in(f"password-link:{user.pk}", seconds=5 * 60):
                password_links.send(user, by=user, request=self.request)
        return super().form_valid(form)


class Sent(views.PasswordResetDoneView):
    """The next step, the same for every address."""

    template_name = "registration/password_sent.html"

    def get_context_data(self, **context):
        return super().get_context_data(has_mail_server=settings.EMAIL_HOST, **context)


class ChoosePassword(views.PasswordResetConfirmView):
    """The page of the link: choose a password. It ends all sessions of the user."""

    template_name = "registration/password_choose.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form):
        _set_password(form, "invoicing_site.choose_password", self.request)
        del self.request.session[views.INTERNAL_RESET_SESSION_TOKEN]
        messages.success(self.request, "Your password is changed. Sign in with the new one.")
        return HttpResponseRedirect(self.get_success_url())


def connect():
    """Record sign-ins, refused sign-ins and sign-outs; called once, when the apps are ready."""
    for signal, receiver in (
        (user_logged_in, _signed_in),
        (user_login_failed, _refused),
        (user_logged_out, _signed_out),
    ):
        signal.connect(receiver, dispatch_uid=f"signing_in.{receiver.__name__}")


@transaction.atomic
def _signed_in(sender, request, user, **_):
    audit.record("invoicing_site.sign_in", user, by=user, **_from(request))


@transaction.atomic
def _refused(sender, credentials, request=None, **_):
    # Some people type their password here by mistake, so store no more characters than a user name can have.
    name = str(credentials.get("username", ""))[:_NAME_LENGTH]
    audit.record("invoicing_site.refuse_sign_in", None, username=name, **_from(request))


@transaction.atomic
def _signed_out(sender, request, user, **_):
    if user is not None:
        audit.record("invoicing_site.sign_out", user, by=user, **_from(request))


def _from(request):
    return {"address": throttling.address_of(request)}


def _leads_to(name):
    return login_not_required(RedirectView.as_view(pattern_name=name, query_string=True))


urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="login"),
    path("sign-out/", SignOut.as_view(), name="logout"),
    path("password/", ChangePassword.as_view(), name="password_change"),
    path("mail-address/", ChangeAddress.as_view(), name="mail_address"),
    path("password/forgotten/", login_not_required(Forgotten.as_view()), name="password_reset"),
    path(
        "password/forgotten/sent/",
        login_not_required(Sent.as_view()),
        name="password_reset_done",
    ),
    path(
        "password/choose/<uidb64>/<token>/",
        login_not_required(ChoosePassword.as_view()),
        name="password_reset_confirm",
    ),
    path("password/changed/", views.PasswordChangeDoneView.as_view(), name="password_change_done"),
    # These come before the admin's own pages with the same addresses.
    path("admin/login/", _leads_to("login")),
    path("admin/password_change/", _leads_to("password_change")),
]
