"""Debian's Chromium, driven by Playwright against the live site."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = os.environ.get("LEDGERLINE_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed")
    # No sandbox: it refuses to work for root, and it meets our own pages only. No calls home.
    switches = ("no-sandbox", "disable-quic", "disable-background-networking", "disable-component-update")
    quiet = [f"--{switch}" for switch in switches]
    return {**browser_type_launch_args, "executable_path": chromium, "args": quiet}


@pytest.fixture
def page(page):
    """A page that reports no error and breaks no rule of what it may load."""
    complaints = []

    def listen(message):
        # Asked for by the browser itself, where a page names no icon.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


@pytest.fixture(scope="session")
def base_url(live_server):
    return live_server.url
