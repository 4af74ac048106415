"""The demo users on the sign-in page."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.hashers import check_password

from contracts.models import LegalEntity, Membership
from invoicing_site.demo.catalogue import COMPANIES, PASSWORD, USERS
from invoicing_site.models import User

_DOES = {
    "member": "Enters hours and expenses, and submits them for approval.",
    "manager": "Approves work, marks it ready to invoice, confirms proforma invoices.",
    "accountant": "Posts journals and invoices, and closes periods.",
    "accountant2": "Posts invoices that Rita confirmed.",
    "administrator": "Sets up customers, contracts, prices and tax.",
    "auditor": "Sees everything and changes nothing.",
}


@dataclass(frozen=True)
class Visitor:
    username: str
    name: str
    role: str
    does: str
    password: str = PASSWORD

    @property
    def initials(self):
        return "".join(word[0] for word in self.name.split())[:2]


def visitors() -> list[Visitor]:
    """The demo users that still have the demo password; none in production or without the demo.

    The password is in the README, so listing these users gives no additional access.
    """
    codes = {company.code for company in COMPANIES}
    if settings.PRODUCTION or LegalEntity.objects.filter(code__in=codes).count() != len(codes):
        return []
    users = User.objects.filter(username__in=USERS, is_active=True, is_superuser=False)
    there = {user.username: user for user in users if _is_the_demos(user.password)}
    return [
        Visitor(name, str(there[name]), str(Membership.Role(USERS[name][-1]).label), _DOES[name])
        for name in USERS
        if name in there
    ]


@lru_cache(maxsize=32)  # checking a hash is slow by design, and all of them share one
def _is_the_demos(encoded):
    return check_password(PASSWORD, encoded)
