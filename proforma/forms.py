"""Forms of proformas and runs; the operations check the rules."""

from django import forms
from django.utils.text import capfirst

from actuals.models import BillingType
from contracts.identifiers import require_valid_numbers
from contracts.models import (
    BillingTaxGroup,
    Category,
    ContractLine,
    Customer,
    ItemTaxGroup,
    PaymentTerm,
    Product,
    Project,
    ProjectContract,
    Resource,
    Role,
    Task,
    TransactionClass,
)
from invoicing_site.floor import formatting
from invoicing_site.floor.figures import FigureField
from invoicing_site.floor.seen import stamp
from invoicing_site.floor.wording import counted
from invoicing_site.screens.forms import DayField, RowField, RowsField, TextField, Watched, WatchedRows
from proforma.models import LineDetail, ProformaInvoice
from proforma.operations.details import BY_HAND
from proforma.operations.details import EDITABLE as DETAIL_EDITABLE
from proforma.operations.headers import EDITABLE, wrong_now
from proforma.parties import NUMBERS

# The number of changed details that are named.
_NAMED = 5

_BILLING_TYPES = [(value, str(label).capitalize()) for value, label in BillingType.choices]


def _figure(name, **kwargs):
    return FigureField(column=LineDetail._meta.get_field(name), **kwargs)


def _words(model, name, **kwargs):
    column = model._meta.get_field(name)
    kwargs.setdefault("label", capfirst(column.verbose_name))
    kwargs.setdefault("required", False)
    return TextField(max_length=column.max_length, **kwargs)


class NewProformas(forms.Form):
    cutoff = DayField(label="Work up to", help_text="The cutoff: later work is not included.")
    contracts = RowsField(
        queryset=None,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one contract."},
    )

    def __init__(self, *args, contracts, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["contracts"].queryset = contracts


class Header(Watched, forms.Form):
    """The editable header of a proforma."""

    name = _words(ProformaInvoice, "name")
    cutoff = DayField(label="Cutoff", help_text="For the next refresh; details on the draft are kept.")
    accounting_date = DayField(label="Accounting date")
    payment_term = forms.ModelChoiceField(PaymentTerm.objects.none(), required=False, empty_label="None")
    order_reference = _words(ProformaInvoice, "order_reference", label="Order number")
    buyer_reference = _words(ProformaInvoice, "buyer_reference")
    bill_to_name = _words(ProformaInvoice, "bill_to_name", label="Bill to", required=True)
    contact_name = _words(ProformaInvoice, "contact_name", label="Contact")
    street = _words(ProformaInvoice, "street")
    postal_code = _words(ProformaInvoice, "postal_code")
    city = _words(ProformaInvoice, "city")
    country = _words(ProformaInvoice, "country", required=True, help_text="Two letters, such as NO")
    organization_number = _words(ProformaInvoice, "organization_number", help_text="Of the buyer")
    vat_number = _words(ProformaInvoice, "vat_number", label="VAT number")
    electronic_address_scheme = forms.ChoiceField(
        choices=[("", "None"), *ProformaInvoice._meta.get_field("electronic_address_scheme").choices],
        required=False,
    )
    electronic_address = _words(ProformaInvoice, "electronic_address")
    description = _words(
        ProformaInvoice, "description", widget=forms.Textarea, help_text="The customer can read this."
    )

    def __init__(self, *args, proforma, **kwargs):
        kwargs["initial"] = {name: getattr(proforma, name) for name in EDITABLE}
        super().__init__(*args, **kwargs)
        self.fields["payment_term"].queryset = PaymentTerm.objects.filter(entity=proforma.entity_id)
        self.watch(stamp([proforma], *EDITABLE))

    def clean_country(self):
        return self.cleaned_data["country"].upper()

    def clean(self):
        cleaned = super().clean()
        if bool(cleaned.get("electronic_address")) != bool(cleaned.get("electronic_address_scheme")):
            self.add_error("electronic_address", "Enter an electronic address together with its scheme.")
        party = {name: cleaned.get(name) or "" for name in ("country", *NUMBERS)}
        try:
            require_valid_numbers(ProformaInvoice(**party))
        except forms.ValidationError as wrong:
            for name in wrong_now(wrong, self.changed_data):
                self.add_error(name, wrong.error_dict[name])
        return cleaned


class _DetailFields(forms.Form):
    """The fields of a detail that can be changed."""

    quantity = _figure("quantity", required=False)
    price = _figure("price", required=False)
    billing_type = forms.ChoiceField(choices=[("", "Unchanged"), *_BILLING_TYPES], required=False)
    billing_tax_group = forms.ModelChoiceField(
        BillingTaxGroup.objects.none(), required=False, empty_label="Unchanged"
    )
    item_tax_group = forms.ModelChoiceField(
        ItemTaxGroup.objects.none(), required=False, empty_label="Unchanged"
    )
    description = _words(LineDetail, "description", label="Description for the customer")
    internal_description = _words(LineDetail, "internal_description")

    def __init__(self, *args, entity, fixed_amount=False, **kwargs):
        super().__init__(*args, **kwargs)
        for name, model in (("billing_tax_group", BillingTaxGroup), ("item_tax_group", ItemTaxGroup)):
            self.fields[name].queryset = model.objects.filter(entity=entity)
        if fixed_amount:  # a milestone: its amount is agreed on the contract line
            del self.fields["quantity"], self.fields["price"]


class EditDetails(WatchedRows, _DetailFields):
    """The same change for several details; an empty field changes nothing."""

    def __init__(self, *args, details, **kwargs):
        super().__init__(*args, **kwargs)
        self.details = {detail.pk: detail for detail in details}
        self.watch_each(self.details.values(), *DETAIL_EDITABLE)

    def changes(self):
        """The entered values, for `edit_details`."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}

    def changed_meanwhile(self):
        changed = [self.details[pk] for pk in self.changed_keys()]
        if not changed:
            return (
                "Somebody removed selected details while you were typing. "
                "Press the button again to change the rest."
            )
        now = [_now_reads(detail) for detail in changed[:_NAMED]]
        more = f"; and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        return (
            f"Somebody changed {counted(len(changed), 'chosen detail')} while you were typing. Now: "
            f"{'; '.join(now)}{more}. Press the button again to save your input."
        )


def _now_reads(detail):
    name = detail.description or detail.get_transaction_class_display()
    figures = f"{formatting.quantity(detail.quantity)} {detail.unit}".strip()
    price = formatting.amount(detail.price, detail.line.proforma.currency)
    return f"“{name[:60]}” {figures} × {price}, {detail.get_billing_type_display()}"


class EditDetail(Watched, _DetailFields):
    """The editable fields of one detail, with their present values."""

    def __init__(self, *args, detail, **kwargs):
        kwargs["initial"] = {name: getattr(detail, name) for name in DETAIL_EDITABLE}
        is_fixed = detail.transaction_class in (TransactionClass.MILESTONE, TransactionClass.RETAINER)
        super().__init__(*args, fixed_amount=is_fixed, **kwargs)
        self.fields["billing_type"].choices = _BILLING_TYPES
        for name in ("quantity", "price", "billing_type"):
            if name in self.fields:
                self.fields[name].required = True
        for name in ("billing_tax_group", "item_tax_group"):
            if getattr(detail, f"{name}_id") is not None:
                self.fields[name].required, self.fields[name].empty_label = True, None
        self.watch(stamp([detail], *DETAIL_EDITABLE))

    def changes(self):
        """The differences from the detail; texts can be emptied here."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


class AddDetail(forms.Form):
    """Work added by hand, without an entry."""

    contract_line = forms.ModelChoiceField(ContractLine.objects.none(), empty_label=None)
    transaction_class = forms.ChoiceField(
        label="Class", choices=[(kind.value, str(kind.label).capitalize()) for kind in BY_HAND]
    )
    date = DayField()
    quantity = _figure("quantity")
    unit = _words(LineDetail, "unit", help_text="If empty: hours for time")
    price = _figure("price")
    billing_type = forms.ChoiceField(choices=_BILLING_TYPES)
    task = RowField(Task.objects.none(), required=False)
    resource = RowField(Resource.objects.none(), required=False)
    role = RowField(Role.objects.none(), required=False)
    category = RowField(Category.objects.none(), required=False, help_text="Required for expenses and fees.")
    product = RowField(Product.objects.none(), required=False, help_text="Required for material.")
    item_tax_group = forms.ModelChoiceField(
        ItemTaxGroup.objects.none(), required=False, empty_label="From the category or product"
    )
    description = _words(LineDetail, "description", label="Description for the customer")
    internal_description = _words(LineDetail, "internal_description")

    def __init__(self, *args, proforma, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["date"].of_work(proforma.entity.today())
        lines = ContractLine.objects.filter(
            contract=proforma.contract_id, customers__contract_customer=proforma.contract_customer_id
        )
        self.fields["contract_line"].queryset = lines
        projects = list(lines.order_by().values_list("project", flat=True).distinct())
        self.fields["task"].queryset = Task.objects.filter(project__in=projects)
        for name in ("resource", "role", "category", "product", "item_tax_group"):
            model = self.fields[name].queryset.model
            self.fields[name].queryset = model.objects.filter(entity=proforma.entity_id)
        self.fields["category"].queryset = self.fields["category"].queryset.filter(
            transaction_class__in=BY_HAND
        )


class ConfirmOverLimit(forms.Form):
    reason = TextField(
        label="Reason for confirming over the limit",
        max_length=500,
        widget=forms.Textarea,
        help_text="It is recorded permanently, with your name.",
    )


class NewRun(forms.Form):
    as_of = DayField(label="As of", help_text="Invoice dates up to this date are included.")
    contracts = RowsField(queryset=None, required=False)
    customers = RowsField(queryset=None, required=False)
    projects = RowsField(queryset=None, required=False)

    def __init__(self, *args, user, entity, **kwargs):
        super().__init__(*args, **kwargs)
        mine = ProjectContract.objects.reachable(user, "run.start").filter(entity=entity).confirmed()
        self.fields["contracts"].queryset = mine
        self.fields["customers"].queryset = Customer.objects.filter(
            contract_customers__contract__in=mine.order_by().values("pk")
        ).distinct()
        self.fields["projects"].queryset = Project.objects.filter(
            contract_lines__contract__in=mine.order_by().values("pk")
        ).distinct()
        for name in ("contracts", "customers", "projects"):
            self.fields[name].widget.attrs["size"] = 8
            self.fields[name].help_text = "If none is selected: all of yours."

    def restriction(self):
        """The restrictions of the run; always to contracts, because users run only their own."""
        chosen = self.cleaned_data
        found = {name: list(chosen[name]) for name in ("customers", "projects") if chosen[name]}
        return {"contracts": list(chosen["contracts"] or self.fields["contracts"].queryset), **found}
