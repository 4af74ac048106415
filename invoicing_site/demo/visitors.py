"""Who a visitor of the demo may be: asked by the sign-in page, which offers them as buttons."""

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
    "accountant2": "Posts the invoices of what Rita confirmed herself.",
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
    """The demo's people who still have the demo's password; nobody in production or without the demo.

    The password is printed in the README: whoever is named here could sign in with it anyway.
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


@lru_cache(maxsize=32)  # a hash is slow to check on purpose, and all of them share one
def _is_the_demos(encoded):
    return check_password(PASSWORD, encoded)
