"""Error pages: what happened, what to do, and a link home."""

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.urls import path

from invoicing_site.urls import urlpatterns as ours

PAGES = ["400", "403", "403_csrf", "404", "414", "500", "503"]

# The first declares the cascade layers; the last overrides the others.
_SHEETS = ("tokens", "base", "layout", "components", "forms", "tables", "overlays", "rooms", "media")
STYLES = [f"css/{sheet}.css" for sheet in _SHEETS]


def raises(error):
    def view(request):
        raise error

    view.login_required = False
    return view


urlpatterns = [
    path("refused/", raises(PermissionDenied())),
    path("suspicious/", raises(SuspiciousOperation("not this"))),
    path("broken/", raises(RuntimeError("secret detail"))),
    *ours,
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("/nowhere/", 404, "Page not found"),
        ("/refused/", 403, "You may not do this"),
        ("/suspicious/", 400, "This request could not be read"),
        ("/broken/", 500, "Internal error"),
    ],
)
def test_every_error_has_its_page(address, status, sentence):
    """Without a database: none of these tests may ask it."""
    answer = Client(raise_request_exception=False).get(address)
    page = answer.content.decode()
    assert answer.status_code == status
    assert f"<h1>{sentence}</h1>" in page
    assert "secret detail" not in page
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", PAGES)
def test_error_pages_need_no_context_and_link_home(name):
    page = render_to_string(f"{name}.html")
    assert 'href="/"' in page
    assert page.count("<h1>") == 1
    assert "<script>" not in page
    assert "style=" not in page


def loaded(template):
    """The static files that a page names, in order; included templates are resolved."""
    own, styles = (get_template(name).template.source for name in (template, "partials/styles.html"))
    source = own.replace('{% include "partials/styles.html" %}', styles)
    return [part.split("'")[0] for part in source.split("{% static '")[1:]]


def test_the_style_sheets_come_in_one_order():
    """The first declares the cascade layers, so every page must load it first."""
    for template in ("base.html", "bare.html"):
        assert [name for name in loaded(template) if name.startswith("css/")] == STYLES
    with open(finders.find(STYLES[0]), encoding="utf-8") as first:
        assert "@layer reset, tokens," in first.read(500)


def test_the_files_they_load_exist():
    """In production a missing file would break the error page itself."""
    names = loaded("bare.html")
    assert names == ["icon.svg", *STYLES, "js/theme.js"]
    assert [name for name in names if finders.find(name) is None] == []
