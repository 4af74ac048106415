"""Every page of ours as each role meets it: no console error, nothing axe objects to, no sideways scroll."""

import pytest

from tests.test_access import ADDRESSES, WHO, path_of, people, world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# They answer with a file.
FILES = {"invoice_pdf", "proposal_preview", "receipt", "proposal_checks", "proposals_posting"}
# They are drawn into a page, and looked at there.
PARTS = {"project_tasks", "journal_progress", "approval_preview"}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


def pages_of(letter):
    """What this role may open."""
    for name, (allowed, *_) in WHO.items():
        view = getattr(ADDRESSES[name].callback, "view_class", None)
        if (
            letter in allowed
            and name not in FILES | PARTS
            and not (view and "get" not in view.http_method_names)
        ):
            yield name


def examines(letter, name):
    """Whether axe looks at the page as this role meets it: once a page, and at every first page."""
    return name == "home" or letter == next(each for each in "PAUMD" if each in WHO[name][0])


def too_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize("letter", ["M", "P", "A", "U", "D"])
def test_every_page_is_accessible_and_fits(letter, page, base_url, sign_in, accessible):
    it = world("NO1")
    sign_in(people(it)[letter])
    found = []
    for name in pages_of(letter):
        page.set_viewport_size(DESK)
        page.goto(base_url + path_of(name, it))
        if examines(letter, name):
            found += accessible()
        found += [f"{name} is too wide for a desk"] * too_wide(page)
        page.set_viewport_size(PHONE)
        found += [f"{name} is too wide for a phone"] * too_wide(page)
    assert found == [], "\n".join(found)


def test_the_sign_in_page(page, base_url, accessible):
    page.goto(base_url + "/sign-in/")
    assert accessible() == []
