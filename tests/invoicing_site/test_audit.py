"""Audit events, and the text of a refusal."""

import pickle
from decimal import Decimal as D

from invoicing_site.floor import audit
from invoicing_site.floor.errors import Refused
from invoicing_site.models import AuditEvent, User


def test_an_action_leaves_an_event(db):
    """SEC-3"""
    ada = User.objects.create(username="ada")

    audit.record("rate changed", ada, by=ada, entity="NL01", before=D("100.00"), after=D("110.00"))

    event = AuditEvent.objects.get()
    assert (event.action, event.by, event.entity) == ("rate changed", ada, "NL01")
    assert (event.subject_type, event.subject_id) == ("invoicing_site.user", str(ada.pk))
    assert event.subject_text == "ada"
    assert event.detail == {"before": "100.00", "after": "110.00"}


def test_an_event_needs_no_user_and_no_subject(db):
    """SEC-3"""
    event = audit.record("nightly run", None, contracts=3)

    assert (event.by, event.subject_type, event.subject_id) == (None, "", "")


def test_a_long_name_is_shortened_in_the_event(db):
    """SEC-3"""
    event = audit.record("renamed", User(pk=1, username="x" * 400))

    assert len(event.subject_text) == 300


def test_a_refusal_is_a_sentence_with_a_code_and_a_remedy():
    """MON-8"""
    refusal = Refused("AMOUNT-DECIMALS", amount=D("1.5"), currency="JPY", remedy="ledger:rates")
    copy = pickle.loads(pickle.dumps(refusal))

    assert str(copy) == "1.5 has more decimals than JPY allows."
    assert (copy.code, copy.remedy) == ("AMOUNT-DECIMALS", "ledger:rates")
