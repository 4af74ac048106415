"""The hashes that PostgreSQL calculates are those that posting stored (PST-7)."""

import pytest
from django.db import connection

from invoicing_site.verify import hashed
from ledger.models import Voucher
from tests.invoicing_site.sample_company.alterations import behind_the_guards

pytestmark = pytest.mark.postgres  # SQLite calculates no vouchers


def test_all_vouchers_are_found_unchanged_without_python(sample):
    """PST-7: also invoices; otherwise verifying would be correct, but slow."""
    entity = sample.company.entity
    keys = set(Voucher.objects.filter(entity=entity).values_list("pk", flat=True))
    assert {kind for (kind,) in Voucher.objects.filter(entity=entity).values_list("kind")} >= {
        "journal",
        "invoice",
    }
    assert hashed.unchanged(entity, 1, len(keys)) == keys


def test_a_changed_voucher_is_left_to_python(ledger):
    """PST-7"""
    entity, first = ledger.company.entity, Voucher.objects.order_by("position").first()
    with behind_the_guards():
        Voucher.objects.filter(pk=first.pk).update(text="Changed")
    assert first.pk not in hashed.unchanged(entity, 1, 1)


@pytest.mark.django_db
def test_texts_are_written_in_ascii_as_in_a_voucher():
    """PST-7: the text of a hash is JSON in ASCII."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {hashed._escaped('to_json(%s::text)::text')}", ['Pål – "č"\n'])
        assert cursor.fetchone()[0] == r'"P\u00e5l \u2013 \"\u010d\"\n"'
