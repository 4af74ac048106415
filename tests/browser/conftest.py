"""Debian's Chromium, driven by Playwright against the live site."""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client

_AXE = Axe().axe_script
# All rules in the light theme; in the dark theme only colors differ.
RULES = {
    "light": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "dark": {"type": "rule", "values": ["color-contrast"]},
}


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = os.environ.get("LEDGERLINE_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed")
    # No sandbox: it does not work for root, and only our own pages are loaded. No telemetry.
    switches = ("no-sandbox", "disable-quic", "disable-background-networking", "disable-component-update")
    quiet = [f"--{switch}" for switch in switches]
    return {**browser_type_launch_args, "executable_path": chromium, "args": quiet}


@pytest.fixture
def page(page):
    """A page without console errors, violations of the content policy, and server errors."""
    complaints = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "response",
        lambda response: response.status >= 500 and complaints.append(f"{response.status} {response.url}"),
    )
    yield page
    assert complaints == []


@pytest.fixture(scope="session")
def base_url(live_server):
    return live_server.url


@pytest.fixture
def sign_in(page, base_url):
    """Sign in as a user: gives the browser a session, without the form."""

    def become(user):
        client = Client()
        client.force_login(user)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "url": base_url}
        page.context.clear_cookies()
        page.context.add_cookies([cookie | {"value": client.cookies[settings.SESSION_COOKIE_NAME].value}])

    return become


@pytest.fixture
def accessible(page):
    """Check the current page with axe, in the light and optionally the dark theme; returns the findings."""

    def violations(in_dark=True):
        found = []
        page.evaluate(_AXE)
        for scheme in ("light", "dark") if in_dark else ("light",):
            page.emulate_media(
                color_scheme=scheme, reduced_motion="reduce"
            )  # no color transition in progress
            answer = page.evaluate("rules => axe.run({runOnly: rules})", RULES[scheme])
            for each in answer["violations"]:
                where = [node["target"] for node in each["nodes"][:3]]
                found.append(f"{page.url} ({scheme}) {each['id']}: {each['help']} {where}")
        return found

    return violations
