"""Every page for each role: no console errors, no accessibility errors (axe), no sideways scrolling."""

import pytest
from playwright.sync_api import expect

from tests.test_access import ADDRESSES, WHO, path_of, people, world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Downloads, which are no pages.
FILES = {"invoice_pdf", "newest_seal", "proposal_preview", "receipt", "proposal_checks", "proposals_posting"}
# They are parts of a page, and are checked there.
PARTS = {"project_tasks", "approval_preview"}
DESK = 1440
# Widths from a phone to a desktop screen: the loaded page is resized, never loaded again.
WIDTHS = (1366, 1280, 1024, 768, 480, 390)


def pages_of(letter):
    """The pages that this role can open."""
    for name, (allowed, *_) in WHO.items():
        view = getattr(ADDRESSES[name].callback, "view_class", None)
        if (
            letter in allowed
            and name not in FILES | PARTS
            and not (view and "get" not in view.http_method_names)
        ):
            yield name


def examines(letter, name):
    """Whether axe checks the page for this role: each page once, and every home page."""
    return name == "home" or letter == next(each for each in "PAUMD" if each in WHO[name][0])


def looks_of(name):
    """The template of a page: pages with the same template have the same colors."""
    view = getattr(ADDRESSES[name].callback, "view_class", None)
    return getattr(view, "template_name", None) or name


def too_wide(page):
    """The problems at these widths: the page scrolls sideways, or a link of the header is cut off."""
    for width in (DESK, *WIDTHS):
        page.set_viewport_size({"width": width, "height": 900})
        if problem := page.evaluate(_PROBLEM):
            yield f"{problem} at {width} px"


_PROBLEM = """() => {
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) return "is too wide";
  const bar = document.querySelector(".topbar nav").getBoundingClientRect();
  const ends = [...document.querySelectorAll(".topbar .places a, .topbar .rest > summary")]
    .map((each) => each.getBoundingClientRect().right);
  return Math.max(0, ...ends) > bar.right + 1 ? "has a head that is cut off" : "";
}"""


@pytest.mark.parametrize("letter", ["M", "P", "A", "U", "D"])
def test_every_page_is_accessible_and_fits(letter, page, base_url, sign_in, accessible):
    it = world("NO1")
    sign_in(people(it)[letter])
    found, seen_in_dark = [], set()
    for name in pages_of(letter):
        page.set_viewport_size({"width": DESK, "height": 900})
        page.goto(base_url + path_of(name, it))
        if examines(letter, name):
            found += accessible(in_dark=looks_of(name) not in seen_in_dark)
            seen_in_dark.add(looks_of(name))
        found += [f"{name} {problem}" for problem in too_wide(page)]
    assert found == [], "\n".join(found)


def test_links_that_do_not_fit_into_the_header_are_under_more(page, base_url, sign_in):
    """An accountant on a phone: three links are visible, the others in a menu that the keyboard opens."""
    it = world("NO1")
    sign_in(it.accountant)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{base_url}/reports/")
    head = page.get_by_role("navigation", name="Main")
    in_sight = head.locator(".places a:visible")
    expect(in_sight).to_have_text(["Contracts", "Backlog", "Proformas"])
    more = head.locator("summary")
    more.focus()
    page.keyboard.press("Enter")
    expect(head.locator(".panel a:visible")).to_have_text(
        ["Journals", "Proposals", "Invoices", "Reports", "Import"]
    )
    expect(head.locator(".panel [aria-current]")).to_have_text("Reports")
    page.set_viewport_size({"width": DESK, "height": 900})
    expect(in_sight).to_have_count(8)
    expect(more).to_be_hidden()


def test_the_sign_in_page(page, base_url, accessible):
    page.goto(base_url + "/sign-in/")
    assert accessible() == []
