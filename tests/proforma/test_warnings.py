"""Warnings before a draft is confirmed, and the bounds of the input (APP-10, CON-12, CON-9)."""

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse

from backlog.operations import approve
from backlog.previews import preview
from contracts.models import ProjectContract
from invoicing_site.floor.errors import Refused
from invoicing_site.verify import findings
from ledger.invoicing.estimates import estimate
from ledger.invoicing.operations import posting
from proforma.edits import edited
from proforma.models import LineDetail, ProformaInvoice
from proforma.operations import (
    add_detail,
    confirm,
    copy_party,
    create_for_items,
    create_proformas,
    edit_details,
    edit_header,
    remove_details,
    run_invoicing,
)
from proforma.orders import orders_that_fit_some
from proforma.warnings import warnings_of, warnings_to_ask
from tests import factories
from tests.background import do_jobs
from tests.ledger import billing

D = Decimal
MAR_2, MAR_31 = date(2025, 3, 2), date(2025, 3, 31)


@pytest.fixture
def no1(db):
    return factories.company(sales_price=200)


@pytest.fixture
def contract(no1):
    return factories.contract(no1, confirmed=True)


@pytest.fixture
def draft(no1, contract):
    """4 h × 200."""
    return drafted(no1, contract)


def drafted(no1, contract, hours="4"):
    item = factories.ready_item(no1, contract, quantity=D(hours), price=D(200), date=MAR_2)
    (draft,) = create_for_items([item], on=MAR_31, by=no1.manager)
    return draft


def typed(no1, draft, **fields):
    fields = {"transaction_class": "time", "date": MAR_2, "quantity": D(2), "price": D(180), **fields}
    fields.setdefault("contract_line", draft.contract.lines.get())
    return add_detail(draft, by=no1.manager, **fields)


def order(contract, number="PO-A", amount="10000"):
    return factories.PurchaseOrderFactory(
        contract_customer=contract.customers.get(), number=number, amount=D(amount)
    )


# By hand


def test_time_by_hand_has_no_more_hours_than_a_day(no1, draft):
    """APP-10: 24 h are accepted, more are not, in the operation and in the form."""
    typed(no1, draft, quantity=D(24))
    with pytest.raises(Refused, match="24.5 hours are more than 2 Mar 2025 has") as refused:
        typed(no1, draft, quantity=D("24.5"))
    assert refused.value.code == "DETAIL-LONG-DAY"
    with pytest.raises(Refused, match="hours are more than"):
        typed(no1, draft, quantity=D(99999999999))


def test_work_after_today_can_t_be_confirmed(no1, draft):
    """APP-10: a draft can have it; the refusal names a solution, which works."""
    tomorrow = no1.entity.today() + timedelta(days=1)
    detail = typed(no1, draft, date=tomorrow)
    assert warnings_of(draft)[0].sentence.startswith(
        f"Proforma {draft.number} can't be confirmed yet. 1 detail is work"
    )
    with pytest.raises(
        Refused, match="If a date of a detail added by hand is wrong, add it again"
    ) as refused:
        confirm(draft, by=no1.manager, on=MAR_31)
    assert refused.value.code == "DATE-AHEAD-BY-HAND"
    detail.delete()
    assert confirm(draft, by=no1.manager, on=MAR_31).status == "confirmed"


def ahead_of(no1, days=16):
    """A draft with a milestone of 5,000 that is dated 31 December; today is the 15th."""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    item = billing.milestone(contract, date=no1.entity.today() + timedelta(days=days))
    return billing.drafted(no1, item), item


def test_a_milestone_after_today_can_t_be_confirmed(no1, client):
    """PRP-8: its invoice can't be dated before it; by button, in the background, by command."""
    draft, item = ahead_of(no1)
    sentence = (
        f"Proforma {draft.number} can't be confirmed yet. 1 detail is a milestone dated after today "
        "(31 Dec 2026). Remove what is dated after today, or confirm the proforma on 31 Dec 2026 or later."
    )
    assert list(map(str, warnings_of(draft))) == [sentence]
    with pytest.raises(Refused) as refused:
        confirm(draft, by=no1.manager)
    assert (refused.value.message, refused.value.code) == (sentence, "DATE-AHEAD")
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert page.count("1 detail is a milestone dated after today") == 2  # above, and in the question
    client.post(reverse("confirm_proforma", args=[draft.pk]))
    client.post(reverse("confirm_proformas"), {"pk": draft.pk})
    do_jobs("confirm_proformas")
    draft.refresh_from_db()
    assert (draft.status, draft.confirm_job, draft.confirm_error.sentence) == ("draft", "failed", sentence)
    output = StringIO()
    call_command("confirm_proformas", entity="NO1", by=no1.manager.username, stdout=output)
    assert f"{draft.number}: {sentence}" in output.getvalue()
    with time_machine.travel("2026-12-31 09:00Z"):
        assert warnings_of(draft) == []
        assert confirm(draft, by=no1.manager).status == "confirmed"


def test_work_and_milestones_after_today_are_separate(no1):
    """PRP-8 APP-10: the date of an entry may be a typing error.

    A planned milestone is removed or has to wait.
    """
    draft, item = ahead_of(no1)
    typed(no1, draft, date=date(2026, 12, 20))
    assert warnings_of(draft)[0].sentence == (
        f"Proforma {draft.number} can't be confirmed yet. 2 details are work and milestones dated after "
        "today (the first on 20 Dec 2026). Remove what is dated after today, or confirm the proforma on "
        "31 Dec 2026 or later. If a date of a detail added by hand is wrong, add it again with the right "
        "date."
    )


def test_if_the_company_invoices_in_advance_it_is_a_warning(no1, client):
    """PRP-8: for milestones and for work by hand."""
    type(no1.entity).objects.update(invoices_in_advance=True)
    no1.entity.refresh_from_db()
    draft, item = ahead_of(no1)
    sentence = (
        "1 detail is a milestone dated after today (31 Dec 2026). The legal entity invoices in advance, so "
        "it can be confirmed."
    )
    assert list(map(str, warnings_of(draft))) == [sentence]
    client.force_login(no1.manager)
    answer = client.post(reverse("confirm_proformas"), {"pk": draft.pk}, follow=True)
    assert f"Proforma {draft.number}: {sentence}" in answer.content.decode()
    do_jobs("confirm_proformas")
    draft.refresh_from_db()
    assert draft.status == "confirmed"


def test_work_invoiced_in_advance_can_be_posted(no1):
    """PRP-8 PST-4: a milestone of 31 December and 2 h × 180 by hand of the 20th, posted on the 15th."""
    type(no1.entity).objects.update(invoices_in_advance=True)
    no1.entity.refresh_from_db()
    draft, _ = ahead_of(no1)
    typed(no1, draft, date=date(2026, 12, 20))
    (warning,) = warnings_of(draft)
    assert warning.sentence == (
        "2 details are work and milestones dated after today (the first on 20 Dec 2026). The legal "
        "entity invoices in advance, so it can be confirmed."
    )
    today = no1.entity.today()
    proposal = billing.proposed(no1, proforma=confirm(draft, by=no1.manager), on=today)
    invoice = posting.post(proposal, by=no1.accountant, on=today)
    assert (invoice.net, invoice.tax) == (D(5360), D(1340))
    assert findings() == []


def test_a_run_includes_no_milestone_after_its_day(no1):
    """RUN-1 PRP-8: neither does a scheduled run."""
    contract = factories.contract(no1, method="fixed", confirmed=True)
    today = no1.entity.today()
    factories.ScheduleEntryFactory(line=contract.lines.get(), run_date=today, cutoff=today)
    billing.milestone(contract, amount="100", date=today)
    billing.milestone(contract, amount="200", date=today + timedelta(days=1))
    run = run_invoicing(no1.entity, as_of=today)
    (draft,) = run.proformas.all()
    assert [str(each.amount) for each in LineDetail.objects.on_proforma(draft)] == ["100.0000"]
    assert warnings_of(draft) == []


def test_work_by_hand_outside_the_dates_gets_a_warning(no1, contract, draft, client):
    """CON-12 APP-10: outside the contract's dates, and outside the project's; approved work gets none."""
    ProjectContract.objects.filter(pk=contract.pk).update(starts=date(2025, 3, 10), ends=date(2025, 3, 20))
    no1.project.starts = date(2025, 3, 5)
    no1.project.save()
    assert warnings_of(draft) == []
    typed(no1, draft, description="Setup")
    first, second = map(str, warnings_of(draft))
    assert first == (
        "“Setup”, added by hand, is dated 2 Mar 2025, and line "
        f"{contract.lines.get()} of contract {contract} covers work from 10 Mar 2025 until 20 Mar 2025 only. "
        "Check the date."
    )
    assert second.startswith("“Setup”, added by hand, is dated outside of project NO1-P1, which runs from")
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert page.count("added by hand, is dated outside of project") == 2  # above, and in the question


def test_time_by_hand_is_taxed_like_other_time(no1, draft):
    """JRN-3 PRO-3: by the group of the company's time categories; if these differ, it must be selected."""
    assert typed(no1, draft).item_tax_group == no1.item_tax_group
    assert estimate(draft).tax == D("290.00")  # 25 % of 800 + 360
    other = factories.ItemTaxGroupFactory(entity=no1.entity, code="OTHER")
    factories.CategoryFactory(entity=no1.entity, transaction_class="time", code="X", item_tax_group=other)
    assert typed(no1, draft).item_tax_group is None
    (missing,) = [estimate(draft, may_edit=True).why_not.params["why"]]
    assert missing.code == "ITEM-GROUP-MISSING"
    assert [each.code for each in missing.params["ways"]] == ["CHOOSE-AT-DETAIL"], "no category can have one"
    assert typed(no1, draft, item_tax_group=other).item_tax_group == other


def test_the_form_offers_the_item_tax_group(no1, draft, client):
    """JRN-3 PRO-3"""
    group = no1.books.item_tax_groups["OUTSIDE"]
    client.force_login(no1.manager)
    address = reverse("add_detail", args=[draft.pk])
    data = {"contract_line": draft.contract.lines.get().pk, "transaction_class": "time", "date": "2025-03-02"}
    data |= {"quantity": "1", "price": "10", "billing_type": "non_chargeable", "item_tax_group": group.pk}
    assert client.post(address, data).status_code == 302
    assert LineDetail.objects.by_hand().get().item_tax_group == group


def test_work_by_hand_outside_the_dates_of_the_order_has_a_solution(no1, contract):
    """CON-12: work added by hand is in no backlog."""
    po = order(contract)
    draft = drafted(no1, contract)
    po.valid_to = MAR_2
    po.save()
    with pytest.raises(Refused, match="Add it to a proforma without an order, or enter another") as refused:
        typed(no1, draft, date=MAR_31)
    assert refused.value.code == "ORDER-DATES-OF-DETAIL"
    assert "backlog" not in refused.value.message


# Tax


def test_a_tax_group_outside_the_scope_is_not_mixed_with_other_work(no1, contract, draft):
    """PRO-1 PRP-7: alone it is allowed; then the draft has only such work."""
    outside = no1.books.item_tax_groups["OUTSIDE"]
    added = typed(no1, draft, transaction_class="fee", category=no1.fee)
    with pytest.raises(Refused, match="enter it as work of the project") as refused:
        edit_details([added], by=no1.manager, item_tax_group=outside)
    assert refused.value.code == "SCOPE-MIXED-BY-HAND"
    approved = LineDetail.objects.on_proforma(draft).exclude(pk=added.pk)
    with pytest.raises(Refused, match="create a proforma for it alone from the backlog"):
        edit_details(approved, by=no1.manager, item_tax_group=outside)
    assert set(LineDetail.objects.values_list("item_tax_group__code", flat=True)) == {"SERVICES"}
    edit_details(LineDetail.objects.on_proforma(draft), by=no1.manager, item_tax_group=outside)
    assert ProformaInvoice.objects.get(pk=draft.pk).is_outside_scope


def test_the_message_names_who_decides_the_tax_group(no1, draft, client):
    """PRP-7: for work that a journal books."""
    client.force_login(no1.manager)
    detail = LineDetail.objects.on_proforma(draft).get()
    data = {"quantity": "4", "price": "200", "billing_type": "chargeable"}
    data |= {"billing_tax_group": detail.billing_tax_group_id}
    data |= {"item_tax_group": no1.books.item_tax_groups["OUTSIDE"].pk}
    address = reverse("edit_detail", args=[detail.pk])
    answer = client.post(address, data, follow=True).content.decode()
    assert "the invoice takes the tax groups that accountants give it in the integration journal" in answer


def test_an_edited_tax_group_or_text_is_listed(no1, draft, client):
    """PRO-3: with the original value."""
    (detail,) = LineDetail.objects.on_proforma(draft)
    assert not edited(LineDetail.objects.all()).exists()
    group = factories.ItemTaxGroupFactory(entity=no1.entity, code="OTHER")
    for changes in ({"item_tax_group": group}, {"description": "New"}, {"internal_description": "Inside"}):
        before = {name: getattr(detail, name) for name in changes}
        edit_details([detail], by=no1.manager, **changes)
        assert list(edited(LineDetail.objects.all())) == [detail], changes
        edit_details([detail], by=no1.manager, **before)
        assert not edited(LineDetail.objects.all()).exists(), changes
    edit_details([detail], by=no1.manager, item_tax_group=group, description="New")
    client.force_login(no1.manager)
    page = client.get(f"{draft.get_absolute_url()}?show=edited").content.decode()
    assert "Edited 1" in page
    assert "was SERVICES" in page
    assert "text was “" in page


# The header


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"country": "XX"}, "“XX” is not a country"),
        ({"organization_number": "12345"}, "“12345” is not a valid organization number in NO"),
        ({"bill_to_name": "Others AS", "vat_number": "NO12MVA"}, "is not a valid VAT number"),
    ],
)
def test_a_header_with_a_wrong_country_or_number_is_refused(no1, draft, client, changes, sentence):
    """CON-9 DOC-5: by the operation and by the form."""
    with pytest.raises(Refused, match=sentence) as refused:
        edit_header(draft, by=no1.manager, **changes)
    assert refused.value.code == "BAD-NUMBER"
    draft.refresh_from_db()
    client.force_login(no1.manager)
    data = {name: getattr(draft, name) or "" for name in ("bill_to_name", "country", "organization_number")}
    data |= {"cutoff": "2025-03-31", "accounting_date": "2025-03-31", **changes}
    answer = client.post(reverse("edit_proforma", args=[draft.pk]), data)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()


def test_a_country_cannot_change_under_a_number_of_another_country(no1, draft):
    """CON-9: 12345 is not a valid number in Norway, whichever of the two is entered last."""
    draft = edit_header(draft, by=no1.manager, country="DE", organization_number="12345")
    with pytest.raises(Refused, match="“12345” is not a valid organization number in NO"):
        edit_header(draft, by=no1.manager, country="NO")


def test_wrong_numbers_of_the_customer_are_accepted(no1, draft):
    """CON-11: a wrong number is corrected on the customer."""
    no1.customer.organization_number = "12345"
    no1.customer.save()
    assert copy_party(draft, by=no1.manager).organization_number == "12345"


def test_an_unknown_order_number_gets_a_warning(no1, contract, draft, client):
    """CON-12: only if the customer has orders."""
    draft = edit_header(draft, by=no1.manager, order_reference="PO-X")
    assert warnings_of(draft) == []
    order(contract)
    sentence = (
        "The contract has no order PO-X for this customer, only PO-A, so the amount left is not checked."
    )
    assert [str(each)[: len(sentence)] for each in warnings_of(draft)] == [sentence]
    client.force_login(no1.manager)
    assert client.get(draft.get_absolute_url()).content.decode().count(sentence) == 2
    order(contract, "PO-X")
    assert warnings_of(draft) == [], "it counts under the order that was added"
    assert warnings_of(edit_header(draft, by=no1.manager, order_reference="PO-X")) == []


# Orders


def test_the_amount_over_an_order_is_the_same_on_every_page(no1, contract, client):
    """CON-12: 50 h × 200 of 10,000 and 2 h × 180 by hand: 360 over, on draft, header and contract."""
    order(contract)
    draft = drafted(no1, contract, "50")
    typed(no1, draft)
    sentence = "Order PO-A is for 10,000.00 NOK. Proformas under it come to 10,360.00 NOK, which is 360.00"
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert page.count(sentence) == 2
    for address in (draft.get_absolute_url(), contract.get_absolute_url()):
        text = client.get(address).content.decode()
        assert "over " in text
        assert "360.00" in text
        assert "−360.00" not in text
        assert "left of" not in text


def test_the_question_counts_all_warnings(no1, contract):
    """APP-10 CON-12: an order that is too small and three possible duplicates: two are shown, two counted."""
    order(contract, amount="100")
    draft = edit_header(drafted(no1, contract), by=no1.manager, order_reference="PO-A")
    typed(no1, draft, resource=no1.resource, task=no1.task)
    approve([factories.time_entry(no1, "1", date=MAR_2) for _ in range(3)], by=no1.manager)
    warnings = warnings_of(draft)
    assert len(warnings) == 4
    asked = list(map(str, warnings_to_ask(draft, warnings)))
    assert asked[0].startswith("Order PO-A is for 100.00 NOK. Proformas under it come to 1,160.00 NOK")
    assert asked[1].startswith("Possible duplicate")
    assert asked[2:] == ["The page shows 2 more warnings."]


def test_the_page_of_a_contract_shows_the_status_posted(no1, contract, client):
    """PST-1: like the proforma and the list of proformas."""
    item = billing.work(no1, contract, hours="4", price="200")
    posting.post(billing.proposed(no1, item), by=None, on=MAR_31)
    client.force_login(no1.manager)
    page = client.get(contract.get_absolute_url()).content.decode()
    row = page[page.index("The last proformas and their invoices") :]
    assert "Posted" in row[: row.index("</table>")]
    assert "Confirmed" not in row[: row.index("</table>")]


def test_the_question_over_a_limit_shows_the_warnings_too(no1, contract, draft, client):
    """PRO-6 CON-12: on the page that asks for the reason."""
    order(contract)
    ProjectContract.objects.filter(pk=contract.pk).update(limit=D("800"))
    draft = edit_header(draft, by=no1.manager, order_reference="PO-X")
    typed(no1, draft)
    no1.manager.memberships.update(overrides_limits=True)
    client.force_login(no1.manager)
    page = client.get(reverse("confirm_over_limit", args=[draft.pk])).content.decode()
    assert "The contract has no order PO-X for this customer" in page


# Approved, and added by hand


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_the_advice_after_approving_differs(no1, draft, is_confirmed):
    """APP-10: before, the entry can be approved as non-chargeable; after, the approval is canceled first."""
    typed(no1, draft, resource=no1.resource, task=no1.task)
    if is_confirmed:
        confirm(draft, by=no1.manager, on=MAR_31)
    entry = factories.time_entry(no1, "1", date=MAR_2)
    remove = "" if is_confirmed else "remove it from the proforma, or "
    (warning,) = preview([entry], by=no1.manager)[entry.pk].approval_warnings
    assert str(warning).endswith(f"If it is the same work, {remove}approve this entry as non-chargeable.")
    (warning,) = approve([entry], by=no1.manager).warnings
    assert str(warning).endswith(
        f"If it is the same work, {remove}cancel this approval and approve the entry as non-chargeable."
    )


# An order for part of the draft


def without_order(no1, contract, *amounts):
    """A draft with an hour of each price on the days from 2 March on, created before there was any order."""
    items = [
        factories.ready_item(
            no1,
            contract,
            quantity=D(1),
            price=D(amount),
            date=MAR_2 + timedelta(days=n),
            description=f"Day {n + 1}",
        )
        for n, amount in enumerate(amounts)
    ]
    (draft,) = create_for_items(items, on=MAR_31, by=no1.manager)
    return draft


def test_a_draft_without_an_order_gets_fitting_advice(no1, contract, client):
    """CON-12: 1,000 and 300 with 1,000 left; the advice is the one that leads to the order."""
    draft = without_order(no1, contract, "1000", "300")
    order(contract, amount="1000")
    (warning,) = warnings_of(draft)
    assert warning.sentence == (
        "Order PO-A has 1,000.00 NOK left of 1,000.00 NOK, which is 300.00 NOK too little. Remove or lower "
        "details until the order has enough left and enter its number in the header, or ask an administrator "
        "to raise the order."
    )


def test_a_draft_shows_how_much_of_it_fits_under_an_order(no1, contract, client):
    """CON-12: six of seven rows of 100 fit under 600; the advice on the page works."""
    draft = without_order(no1, contract, *["100"] * 7)
    order(contract, "PO-B", amount="600")
    sentence = (
        "It has no order number. Order PO-B has enough left for 6 of its 7 details. No order has enough left "
        "for “Day 7” (8 Mar 2025)."
    )
    assert orders_that_fit_some(draft).sentence == sentence
    client.force_login(no1.manager)
    page = client.get(draft.get_absolute_url()).content.decode()
    assert sentence in page
    assert f'href="{reverse("new_proforma")}?contract={contract.pk}"' in page
    remove_details(LineDetail.objects.on_proforma(draft).filter(date__lt=date(2025, 3, 8)), by=no1.manager)
    (made,) = create_proformas([contract], cutoff=MAR_31, on=MAR_31, by=no1.manager)
    assert made.order_reference == "PO-B"
    assert orders_that_fit_some(draft) is None


def test_details_added_by_hand_are_not_suggested_for_removal(no1, contract):
    """CON-12: after removal they are in no backlog."""
    draft = without_order(no1, contract, "100", "500")
    typed(no1, draft, quantity=D(1), price=D(50), date=MAR_2, description="By hand")
    order(contract, "PO-B", amount="100")
    assert orders_that_fit_some(draft).sentence == (
        "It has no order number. Order PO-B has enough left for 1 of its 3 details. No order has enough left "
        "for “By hand” (2 Mar 2025) and “Day 2” (3 Mar 2025)."
    )


@pytest.mark.parametrize("day", ["0026-03-02", "2099-01-01"])
def test_a_day_out_of_range_shows_the_same_range(no1, draft, client, day):
    """APP-10: one field, one sentence; today is 15 December 2026."""
    client.force_login(no1.manager)
    address = reverse("add_detail", args=[draft.pk])
    page = client.post(address, {"date": day}).content.decode()
    assert "Choose a day between 1 Jan 1990 and 16 Dec 2027." in page
    assert "2099." not in page
    assert 'max="2027-12-16"' in page
