"""Links to choose a password, sent to the user: nobody else sets a user's password."""

from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from invoicing_site.floor import audit, transaction
from invoicing_site.floor.errors import Refused
from invoicing_site.models import Notice


@transaction.atomic
def send(user, *, by, request, watching: Collection[int] = ()) -> str:
    """Send the user a link to choose a password, and notify both; return a sentence with the result.

    `watching` are the keys of the people who are notified of the user's roles. They are notified while the
    user has no password, because until then the first reader of the mail gets the roles. Refused if the user
    is inactive or has no email address. The password does not change until the user chooses another.
    """
    if not user.is_active:
        raise Refused("USER-INACTIVE", user=user)
    if not user.email:
        raise Refused("USER-NO-MAIL", user=user)
    key, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    address = request.build_absolute_uri(reverse("password_reset_confirm", args=[key, token]))
    audit.record("invoicing_site.send_password_link", user, by=by, to=user.email)
    if by != user:
        people = {user.pk, by.pk} | (set() if user.has_usable_password() else set(watching))
        _notify(people, f"{by} sent {user} a link to choose a password, to {user.email}.")
    days = settings.PASSWORD_RESET_TIMEOUT // (24 * 60 * 60)
    _mail(
        [user.email],
        "Choose your password for Ledgerline",
        f"Hello {user},\n\n"
        f"Use this link to choose a password for Ledgerline. Your user name is {user.username}.\n\n"
        f"{address}\n\n"
        f"The link works once, for {days} days. If you did not request it, ignore this message.",
    )
    if not settings.EMAIL_HOST:
        return (
            f"No mail server is configured: the message to {user.email} with a link to choose a password was "
            "written to the mail folder of the server."
        )
    return f"A link to choose a password was sent to {user.email}."


@transaction.atomic
def notify_of_address(user, old, *, by, watching: Collection[int] = ()) -> None:
    """Send a message to the old and the new email address of a user, and notify the people concerned.

    `watching` are the keys of the people who are notified of the user's roles: links go to the new address.
    """
    text = f"{by} changed the email address of {user} from {old or 'none'} to {user.email or 'none'}."
    _notify({user.pk, by.pk, *watching}, text)
    _mail(
        [each for each in (old, user.email) if each],
        "Your email address for Ledgerline was changed",
        f"Hello {user},\n\n{text} Links to choose a password are now sent to the new address. "
        "If this is wrong, contact your administrator and your auditor immediately.",
    )


def _notify(people, text):
    Notice.objects.bulk_create(Notice(user_id=pk, text=text[:500]) for pk in sorted(people))


def _mail(to, subject, text):
    """Send a separate message to each address after the commit; errors of the mail server are only logged."""
    for address in to:
        transaction.on_commit(lambda address=address: send_mail(subject, text, None, [address]))
