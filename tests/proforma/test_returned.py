"""Returned work is billed again from the same items, any number of times."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from actuals.models import Actual
from backlog.models import BacklogItem
from invoicing_site.floor.errors import Refused
from proforma import operations
from proforma.models import DetailActual, ProformaInvoice
from proforma.returned import recreated_from
from tests import factories

pytestmark = pytest.mark.django_db

MAR_31 = date(2025, 3, 31)


def confirmed(company, contract):
    (draft,) = operations.create_proformas([contract], cutoff=MAR_31, on=MAR_31, by=company.manager)
    return operations.confirm(draft, by=company.manager, on=MAR_31)


def test_actuals_of_repeated_returns_replace_the_first_original(company, contract, ready):
    """PRP-6, PRO-5: 8 h × 200 confirmed, returned, confirmed, returned and confirmed: billed 1,600 in all."""
    item = ready(contract, "8", "200")
    proforma = confirmed(company, contract)
    for _ in range(2):
        draft = operations.return_proforma(proforma, by=company.accountant, on=MAR_31)
        proforma = operations.confirm(draft, by=company.manager, on=MAR_31)

    again = Actual.objects.filter(detail_actual__part=DetailActual.Part.AGAIN)
    assert list(again.values_list("replaces", "amount")) == [(item.actual_id, Decimal(1600))] * 2
    net = dict(Actual.objects.values_list("type").annotate(net=Sum("amount")))
    assert (net["unbilled"], net["billed"]) == (0, 1600)
    assert BacklogItem.objects.get().status == "posted"


def test_a_correction_is_not_returned(company, contract, ready):
    """PRP-6, COR-3: otherwise the corrected proforma would stay as it was, next to the new one."""
    ready(contract)
    proforma = confirmed(company, contract)
    correction = ProformaInvoice.objects.get(pk=proforma.pk)
    correction.pk, correction.number = None, "C-1"
    correction.kind, correction.corrects = "correction", proforma
    correction.batch = factories.BatchFactory(entity=company.entity)
    correction.save()

    with pytest.raises(
        Refused, match="Proforma C-1 is a correction, and a correction can't be returned"
    ) as refusal:
        operations.return_proforma(correction, by=company.accountant, on=MAR_31)
    assert refusal.value.code == "CORRECTION-NOT-RETURNED"


def test_a_draft_names_the_proforma_it_was_returned_from(company, contract, ready):
    """PRP-6: even if the day on the draft was changed since; nobody can change it after confirming."""
    ready(contract)
    proforma = confirmed(company, contract)
    assert recreated_from(proforma) is None
    draft = operations.return_proforma(proforma, by=company.accountant, on=MAR_31)
    ProformaInvoice.objects.filter(pk=draft.pk).update(accounting_date=date(2025, 4, 30))
    draft.refresh_from_db()

    assert (draft.returned_from, proforma.returned_as) == (proforma, draft)
    assert recreated_from(draft) == (proforma, MAR_31, company.accountant)
    operations.confirm(draft, by=company.manager, on=date(2025, 4, 30))
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        ProformaInvoice.objects.filter(pk=draft.pk).update(returned_from=None)


def test_a_correction_was_never_returned(company, contract, ready):
    """PRP-6"""
    ready(contract)
    proforma = confirmed(company, contract)
    draft = operations.return_proforma(proforma, by=company.accountant, on=MAR_31)
    with pytest.raises(IntegrityError, match="what_is_returned_is_an_invoice"), transaction.atomic():
        ProformaInvoice.objects.filter(pk=draft.pk).update(kind="correction", corrects=proforma)
