"""Pages and CSV files are compressed; files that already are, and the headers, stay as they are."""

import gzip

import pytest
from django.urls import reverse

from backlog.operations import approve
from tests.factories import company, contract, ready_item, time_entry
from tests.journeys.steps import drafted, invoiced, journalled

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def it(client):
    it = company()
    it.deal = contract(it, confirmed=True)
    client.force_login(it.manager)
    return it


def content(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def both(client, address):
    """The response to a browser without compression, and to one with it."""
    return client.get(address), client.get(address, headers=GZIP)


def test_pages_are_compressed(it, client):
    plain, packed = both(client, reverse("backlog"))
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert packed["Content-Length"] == str(len(packed.content))
    assert len(packed.content) < len(plain.content) / 2
    assert b"Time and material backlog" in gzip.decompress(packed.content)
    for name in ("Content-Security-Policy", "Permissions-Policy", "X-Frame-Options", "Content-Type"):
        assert packed[name] == plain[name]


def test_csv_files_are_compressed_while_they_are_written(it, client):
    for _ in range(30):
        ready_item(it, it.deal, status="not_ready")
    plain, packed = both(client, f"{reverse('backlog')}?_export=csv")
    assert packed.streaming
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Disposition"] == plain["Content-Disposition"]
    rows = content(plain)
    assert rows.count(b"\n") == 31
    assert gzip.decompress(content(packed)) == rows


def test_files_that_are_compressed_already_are_left_alone(it, client):
    approve([time_entry(it, "8")], by=it.manager)
    journalled(it)
    [draft] = drafted(it, it.deal)
    invoice = invoiced(it, draft)
    for address in (reverse("invoice_pdf", args=[invoice.pk]), f"{reverse('backlog')}?_export=xlsx"):
        plain, packed = both(client, address)
        assert packed.status_code == 200
        assert "Content-Encoding" not in packed
        assert content(packed)[:4] == content(plain)[:4]
