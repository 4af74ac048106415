"""The data of documents and electronic invoices is stored on the posted invoice, and hashed."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from contracts.models import ContractCustomer, Customer, LegalEntity, MeasureUnit
from invoicing_site.floor.errors import Refused
from ledger.books import chain
from ledger.document import drawing, shown
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import edit_header
from ledger.models import CustomerInvoice, InvoiceLine, InvoiceTax, TaxCode
from proforma import operations as proformas
from proforma.models import DetailActual
from tests import factories
from tests.ledger.billing import MARCH_31, drafted, milestone, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def no1():
    return factories.company(name="Fjordlys AS", country="NO")


@factories.remembered
def posted(no1, *items):
    return post(proposed(no1, *items), by=no1.accountant, on=MARCH_31)


def test_every_column_of_a_posted_invoice_is_in_the_chain():
    """PST-7: the whole stored invoice."""
    links = {CustomerInvoice: {"id", "voucher_id"}, InvoiceLine: {"id", "invoice_id"}}
    links[InvoiceTax] = {"id", "invoice_id"}
    for model, own in links.items():
        columns = {field.attname for field in model._meta.concrete_fields} - own
        assert columns == set(chain.FORMATS[chain.CURRENT][model].split())


def test_a_line_stores_the_code_of_its_unit(no1, contract):
    """DOC-2: hours are HUR, and a company's own unit has the code that the company selected."""
    MeasureUnit.objects.create(entity=no1.entity, unit="each", code="EA")
    hours, pieces = work(no1, contract), work(no1, contract, unit="each")
    boxes = work(no1, contract, unit="box")
    factories.contract_line(contract, method="fixed", contract_amount=Decimal(5000))
    invoice = posted(no1, hours, pieces, boxes, milestone(contract))
    codes = dict(invoice.lines.order_by("number").values_list("unit", "unit_code"))
    assert codes == {"h": "HUR", "each": "EA", "box": "", "": "C62"}


def test_the_reason_for_no_tax_is_stored_with_the_tax(no1, contract):
    """PST-3 DOC-2"""
    no1.customer.billing_tax_group = no1.books.billing_tax_groups["EU"]
    no1.customer.save()
    invoice = posted(no1, work(no1, contract))
    TaxCode.objects.filter(code="REVERSE").update(exemption_code="")
    (tax,) = invoice.taxes.all()
    assert (tax.category, tax.exemption_code) == ("AE", "VATEX-EU-AE")


@pytest.mark.parametrize(
    ("category", "code", "sentence"),
    [
        ("S", "VATEX-EU-AE", "VATEX-EU-AE is not a reason for category S, standard: leave it empty."),
        (
            "O",
            "VATEX-EU-132",
            "VATEX-EU-132 is not a reason for category O, outside scope: choose VATEX-EU-O, or leave it "
            "empty.",
        ),
        (
            "E",
            "VATEX-EU-O",
            "VATEX-EU-O is not a reason for category E, exempt: choose another, or leave it empty.",
        ),
    ],
)
def test_a_reason_must_be_valid_for_its_tax_category(no1, category, code, sentence):
    """DOC-2"""
    tax = TaxCode(entity=no1.entity, code="X", name="X", category=category, exemption_code=code)
    with pytest.raises(ValidationError) as refused:
        tax.full_clean()
    assert refused.value.message_dict == {"exemption_code": [sentence]}


def test_codes_that_are_not_on_the_list_are_refused(no1):
    """DOC-2"""
    no1.customer.electronic_address_scheme, no1.customer.electronic_address = "0000", "1"
    with pytest.raises(ValidationError, match="Value '0000' is not a valid choice"):
        no1.customer.full_clean()
    with pytest.raises(ValidationError, match="Value 'XYZ' is not a valid choice"):
        MeasureUnit(entity=no1.entity, unit="box", code="XYZ").full_clean()


@pytest.mark.parametrize(("scheme", "address"), [("0192", ""), ("", "987654321")])
def test_an_electronic_address_has_its_scheme(no1, scheme, address):
    values = {"electronic_address_scheme": scheme, "electronic_address": address}
    for rows in (Customer.objects.filter(entity=no1.entity), LegalEntity.objects.filter(pk=no1.entity.pk)):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**values)


def test_the_place_of_delivery_is_the_contracts_unless_the_accountant_enters_another(no1, contract):
    """DOC-4"""
    first = proposed(no1, work(no1, contract))
    assert first.place_of_delivery == "Oslo", "the city it is billed to, where nobody said where"
    contract.place_of_delivery = "Svolvær harbour"
    contract.save()
    second = proposed(no1, work(no1, contract))
    assert second.place_of_delivery == "Svolvær harbour"
    edit_header(second, by=no1.accountant, place_of_delivery="Quay 4, Svolvær")
    invoice = post(second, by=no1.accountant, on=MARCH_31)
    assert invoice.place_of_delivery == "Quay 4, Svolvær"


def test_norwegian_documents_show_the_place_of_delivery(no1, contract):
    """DOC-4"""
    contract.place_of_delivery = "Svolvær harbour"
    contract.save()
    invoice = posted(no1, work(no1, contract))
    assert ("Place of delivery", "Svolvær harbour") in shown.page(shown.content_of(invoice))["facts"]
    invoice.language = "nb"
    assert ("Leveringssted", "Svolvær harbour") in shown.page(shown.content_of(invoice))["facts"]
    invoice.seller_country = "SE"
    facts = shown.page(shown.content_of(invoice))["facts"]
    assert "Svolvær harbour" not in [value for _, value in facts]


def test_a_changed_place_of_delivery_breaks_the_chain(no1, contract):
    """PST-7"""
    invoice = posted(no1, work(no1, contract))

    def claims():
        kept = CustomerInvoice.objects.get(pk=invoice.pk)
        details = DetailActual.objects.filter(detail__line__proforma=kept.proposal.proforma_id)
        rows = (kept.lines.all(), kept.taxes.all(), kept.references.all(), details.select_related("actual"))
        return chain.claims_of_invoice(kept, *rows)

    assert claims() == invoice.voucher.claims_hash
    kept = CustomerInvoice.objects.get(pk=invoice.pk)
    for name in ("place_of_delivery", "payment_reference_kind", "buyer_electronic_address_scheme"):
        before = chain.canonical(kept)
        setattr(kept, name, "rf")
        assert chain.canonical(kept) != before


# Due date and terms


def test_a_due_date_that_was_entered_replaces_the_terms(no1, contract):
    """PRP-2: 30 days net from 31 March is 30 April; 15 April was agreed."""
    proposal = proposed(no1, work(no1, contract))
    edit_header(proposal, by=no1.accountant, due_date=datetime.date(2025, 4, 15))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert invoice.payment_terms == "By 15 Apr 2025"
    printed = drawing.html(shown.content_of(invoice))
    assert "30 days net" not in printed
    assert "By 15 Apr 2025" in printed


def test_a_due_date_that_agrees_with_the_terms_keeps_them(no1, contract):
    """PRP-2"""
    proposal = proposed(no1, work(no1, contract))
    edit_header(proposal, by=no1.accountant, due_date=datetime.date(2025, 4, 30))
    assert post(proposal, by=no1.accountant, on=MARCH_31).payment_terms == "30 days net"


# Parties


def test_a_customer_renamed_between_confirming_and_posting_prints_one_party(no1, contract):
    """CON-9: name, address and numbers are those of the proforma."""
    customer = no1.customer
    customer.name, customer.organization_number, customer.vat_number = (
        "Nordlys AS",
        "911111111",
        "NO911111111",
    )
    customer.save()
    proposal = proposed(no1, work(no1, contract))
    customer.name, customer.organization_number = "Sørlys AS", "922222222"
    customer.vat_number = "NO922222222"
    customer.street, customer.city = "Nygata 2", "Arendal"
    customer.electronic_address_scheme, customer.electronic_address = "0192", "922222222"
    customer.save()
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert (invoice.buyer_name, invoice.buyer_organization_number, invoice.buyer_vat_number) == (
        "Nordlys AS",
        "911111111",
        "NO911111111",
    )
    assert (invoice.buyer_street, invoice.buyer_city) == ("Storgata 1", "Oslo")
    assert (invoice.buyer_electronic_address_scheme, invoice.buyer_electronic_address) == ("", "")


def test_a_bill_to_with_its_own_name_has_its_own_numbers(no1, contract):
    """CON-9"""
    no1.customer.organization_number, no1.customer.vat_number = "911111111", "NO911111111"
    no1.customer.electronic_address_scheme, no1.customer.electronic_address = "0192", "911111111"
    no1.customer.save()
    shares = ContractCustomer.objects.filter(contract=contract)
    shares.update(bill_to_name="Lyskjeden Regnskap AS")
    bare = posted(no1, work(no1, contract))
    assert (bare.buyer_name, bare.buyer_organization_number, bare.buyer_vat_number) == (
        "Lyskjeden Regnskap AS",
        "",
        "",
    )
    assert (bare.buyer_electronic_address_scheme, bare.buyer_electronic_address) == ("", "")
    shares.update(
        organization_number="933333337",
        vat_number="NO933333337",
        electronic_address_scheme="0192",
        electronic_address="933333337",
    )
    invoice = posted(no1, work(no1, contract))
    assert (invoice.buyer_organization_number, invoice.buyer_vat_number) == ("933333337", "NO933333337")
    assert invoice.buyer_electronic_address == "933333337"


def test_numbers_belong_to_a_name(no1, contract):
    """CON-9"""
    with pytest.raises(IntegrityError), transaction.atomic():
        ContractCustomer.objects.filter(contract=contract).update(organization_number="933333337")


def test_a_draft_always_has_a_buyer(no1, contract):
    """PRO-2"""
    draft = drafted(no1, work(no1, contract))
    with pytest.raises(Refused, match="Enter the name of the buyer"):
        proformas.edit_header(draft, by=no1.manager, bill_to_name="")
    with pytest.raises(Refused, match="Enter the country of the buyer"):
        proformas.edit_header(draft, by=no1.manager, country="")
    draft = proformas.edit_header(
        draft, by=no1.manager, bill_to_name="Lyskjeden Regnskap AS", organization_number="933333337"
    )
    assert (draft.bill_to_name, draft.organization_number) == ("Lyskjeden Regnskap AS", "933333337")


def test_terms_that_were_removed_from_the_draft_stay_removed(no1, contract):
    """PRP-9: no terms mean due today, even if the customer has terms.

    The page of the proforma shows the same.
    """
    draft = drafted(no1, work(no1, contract))
    proformas.edit_header(draft, by=no1.manager, payment_term=None)
    proposal = proposed(no1, proforma=proformas.confirm(draft, by=no1.manager, on=MARCH_31))
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert (invoice.due_date, invoice.payment_terms) == (MARCH_31, "")
