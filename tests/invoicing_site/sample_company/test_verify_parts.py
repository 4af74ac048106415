"""Verifying the chain in ranges, and only what was added after a seal (PST-7)."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from invoicing_site.floor import seals
from invoicing_site.models import Seal
from invoicing_site.verify import look
from ledger.models import LedgerEntry, Voucher
from tests.invoicing_site.sample_company.alterations import behind_the_guards


def changed(voucher):
    with behind_the_guards():
        Voucher.objects.filter(pk=voucher.pk).update(text="Changed")


def test_ranges_of_the_chain_find_what_the_whole_chain_does(ledger, monkeypatch):
    """PST-7: each range starts from the stored hash of the voucher before it."""
    entity = ledger.company.entity
    vouchers = list(Voucher.objects.filter(entity=entity).order_by("position"))
    changed(vouchers[1])
    with behind_the_guards():
        Voucher.objects.filter(pk=vouchers[2].pk).update(previous_hash="0" * 64)
    whole = list(look(entity))
    monkeypatch.setattr("invoicing_site.verify.chain._RANGE", 2)
    assert list(look(entity)) == whole
    assert [found.number for found in whole if found.code == "CHAIN"] == [
        vouchers[1].number,
        vouchers[2].number,
        vouchers[2].number,
    ]


def test_since_a_seal_later_vouchers_are_verified_and_earlier_ones_are_not(ledger):
    """PST-7: the newest vouchers too, which are not sealed yet."""
    seals.seal_all()
    vouchers = list(Voucher.objects.filter(entity=ledger.company.entity).order_by("position"))
    seal = Seal.objects.first()
    early, late = vouchers[0], vouchers[-1]
    with behind_the_guards():
        Seal.objects.update(heads={"vouchers": {"NO1": f"{late.position - 1} {late.previous_hash}"}})
        seal.refresh_from_db()
        Seal.objects.filter(pk=seal.pk).update(digest=seals.digest_of(seal, seal.parts.all()))
    assert list(look(since=Seal.objects.first())) == []
    changed(early)
    assert list(look(since=Seal.objects.first())) == []
    changed(late)
    found = list(look(since=Seal.objects.first()))
    assert [(each.code, each.number) for each in found] == [("CHAIN", late.number)]


def test_since_a_seal_a_later_row_without_a_seal_is_named(ledger):
    """PST-7: rows that were inserted with the triggers off are in no seal and no note."""
    seals.seal_all()
    seal = Seal.objects.first()
    entry = LedgerEntry.objects.order_by("pk").last()
    with behind_the_guards():
        LedgerEntry.objects.filter(pk=entry.pk).update(number=900)
        entry.pk = None
        entry.save(force_insert=True)
    found = [each.where for each in look(since=seal) if each.code == "SEAL"]
    assert found == [f"ledger.ledgerentry:{entry.pk}"]


def test_the_command_says_what_it_does_not_verify_since_a_seal(sample):
    """PST-7"""
    seals.seal_all()
    out, err = StringIO(), StringIO()
    call_command("verify_ledger", since_seal="last", stdout=out, stderr=err)
    number = Seal.objects.first().number
    assert out.getvalue() == f"Everything after seal {number} is as it was posted.\n"
    assert "Not verified: older vouchers and rows" in err.getvalue()


def test_an_unknown_seal_and_too_few_jobs_are_refused(sample):
    """PST-7"""
    for options in (*({"since_seal": seal} for seal in ("99", "x", "²", "9" * 5000)), {"jobs": 0}):
        with pytest.raises(CommandError):
            call_command("verify_ledger", **options)
    if connection.vendor == "sqlite":
        with pytest.raises(CommandError, match="on SQLite only 1"):
            call_command("verify_ledger", jobs=2)
