import re

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from contracts.models import LegalEntity
from invoicing_site.demo.catalogue import COMPANIES
from invoicing_site.demo.setting import make_users

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _no_failed_attempts():
    cache.clear()


def test_an_administrator_signs_in_and_sees_the_admin(page, admin_user):
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def test_a_visitor_of_the_demo_signs_in_with_one_click(page, accessible):
    for company in COMPANIES:
        LegalEntity.objects.create(code=company.code, name=company.name, currency=company.currency)
    make_users()
    page.goto("/sign-in/?next=/password/")
    assert accessible() == []

    page.get_by_role("button", name="Rita Eksempel, project accountant").click()

    expect(page.get_by_role("heading", name="Change your password")).to_be_visible()


def test_a_wrong_password_is_shown_in_an_accessible_error(page, admin_user, accessible):
    page.goto("/sign-in/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("User name or password is wrong")
    assert accessible() == []
