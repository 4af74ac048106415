"""Forms for expenses, material, hours, and the import of entries."""

from dataclasses import dataclass
from pathlib import Path

from django import forms
from django.urls import reverse_lazy

from actuals.importing import CHOICES, CREATABLE, FIELDS, Mapping
from actuals.importing.programs import headings_of
from actuals.importing.tables import normalized
from actuals.models import Entry, EntryImport
from actuals.operations import stamp
from contracts.models import Category, CategoryPrice, ItemTaxGroup, Product, Project, Role, Task
from invoicing_site.floor import bounds, checked, currencies, formatting, money
from invoicing_site.floor.figures import FigureField
from invoicing_site.floor.reasons import Reason
from invoicing_site.floor.wording import counted
from invoicing_site.screens.forms import DayField, RowField, TextField
from invoicing_site.screens.lists import key_of

MOST_RECEIPT_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """An uploaded file, with the media type of its content."""

    content: bytes
    name: str
    media_type: str


def receipt_type(content: bytes) -> str:
    """The media type by the first bytes; empty if the file is not a receipt."""
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        return "image/heic"
    return ""


_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


class ReceiptField(forms.FileField):
    """A PDF or an image, checked by its content."""

    widget = forms.FileInput(
        attrs={
            "accept": "application/pdf,image/png,image/jpeg,image/webp,image/heic",
            "capture": "environment",
        }
    )

    def clean(self, data, initial=None):
        file = super().clean(data, initial)
        if not file or not hasattr(file, "read"):
            return None
        if file.size > MOST_RECEIPT_BYTES:
            raise forms.ValidationError("The receipt is larger than 10 MB. Upload a smaller picture.")
        content = file.read()
        media_type = receipt_type(content)
        if not media_type:
            raise forms.ValidationError("A receipt must be a PDF or a picture (PNG, JPEG, WebP, HEIC).")
        return Upload(content, Path(file.name).name, media_type)


class _ProjectSelect(forms.Select):
    """A select box of projects that loads the tasks of the project."""

    def __init__(self):
        super().__init__(
            attrs={
                "hx-get": reverse_lazy("project_tasks"),
                "hx-target": "#id_task",
                "hx-trigger": "change",
            }
        )


def open_projects(entity, also=None):
    projects = Project.objects.filter(entity=entity).open_for_entries()
    return projects | Project.objects.filter(pk=also) if also else projects


def task_choices(tasks):
    """The tasks, grouped by project."""
    groups = {}
    for task in tasks.select_related("project").order_by("project__code", "code"):
        groups.setdefault(str(task.project), []).append((task.pk, str(task)))
    return [("", "No task"), *groups.items()]


class EntryForm(forms.Form):
    """One entry of any class; a subclass adds what its class needs."""

    template_fields = ()
    transaction_class = ""
    date = DayField(label="Date")
    project = RowField(Project.objects.none(), label="Project", widget=_ProjectSelect())
    task = RowField(Task.objects.none(), label="Task", required=False)
    description = TextField(label="Description", max_length=500, required=False)
    stamp = TextField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args, entity, entry=None, **kwargs):
        if entry is not None:
            kwargs["initial"] = {**self.stored(entry), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.entity, self.entry = entity, entry
        self.fields["date"].of_work(entity.today())
        self.fields["project"].queryset = open_projects(entity, entry and entry.project_id)
        chosen = self["project"].value()
        tasks = Task.objects.filter(project__in=self.fields["project"].queryset)
        if chosen:
            tasks = tasks.filter(project=key_of(str(chosen)))
        self.fields["task"].queryset = Task.objects.filter(project__in=self.fields["project"].queryset)
        self.fields["task"].choices = task_choices(tasks)
        if "category" in self.fields:
            self.fields["category"].queryset = Category.objects.filter(
                entity=entity, transaction_class=self.transaction_class
            )

    def stored(self, entry):
        names = [name for name in self.base_fields if name not in ("stamp", "receipt")]
        values = {name: getattr(entry, name) for name in names}
        if values.get("quantity") is not None:
            values["quantity"] = formatting.typed(entry.quantity)
        for name in ("cost_net", "cost_tax", "cost_tax_deductible"):
            if values.get(name) is not None:
                values[name] = str(money.rounded(values[name], entry.cost_currency))
        return {**values, "stamp": stamp(entry)}

    def clean_task(self):
        task, project = self.cleaned_data.get("task"), self.cleaned_data.get("project")
        if task and project and task.project_id != project.pk:
            raise forms.ValidationError(f"This task belongs to another project. Choose a task of {project}.")
        return task


class TimeForm(EntryForm):
    transaction_class = Entry.Class.TIME
    role = RowField(Role.objects.none(), label="Role", required=False)
    category = RowField(Category.objects.none(), label="Category", required=False)
    quantity = FigureField(label="Hours", max_digits=6, decimal_places=4, min_value=0)

    field_order = ("date", "quantity", "project", "task", "role", "category", "description")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = Role.objects.filter(entity=self.entity)


class ExpenseForm(EntryForm):
    transaction_class = Entry.Class.EXPENSE
    category = RowField(Category.objects.none(), label="Category")
    quantity = FigureField(
        label="Quantity",
        max_digits=15,
        decimal_places=4,
        initial=1,
        help_text="Kilometers or nights, for example; otherwise 1.",
    )
    unit = forms.ChoiceField(label="Unit", help_text="Needed if the category has a price per unit.")
    cost_currency = TextField(
        label="Currency",
        max_length=3,
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "size": 4}),
    )
    cost_net = FigureField(
        label="Net amount", max_digits=19, decimal_places=4, min_value=0, help_text="The total without tax."
    )
    cost_tax = FigureField(
        label="Tax",
        max_digits=19,
        decimal_places=4,
        min_value=0,
        required=False,
        help_text="As on the receipt.",
    )
    cost_tax_deductible = FigureField(
        label="Deductible tax",
        max_digits=19,
        decimal_places=4,
        min_value=0,
        required=False,
        help_text="The part of the tax that can be deducted: all, some or 0.",
    )
    receipt = ReceiptField(label="Receipt", required=False, help_text="PDF or picture, at most 10 MB.")

    field_order = (
        "date",
        "category",
        "project",
        "task",
        "quantity",
        "unit",
        "cost_currency",
        "cost_net",
        "cost_tax",
        "cost_tax_deductible",
        "receipt",
        "description",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        priced = CategoryPrice.objects.filter(price_list__entity=self.entity).order_by()
        units = {*priced.values_list("unit", flat=True).distinct(), self.entry.unit if self.entry else "each"}
        self.fields["unit"].choices = [(unit, unit) for unit in ("each", *sorted(units - {"each"}))]

    def clean_cost_currency(self):
        currency = self.cleaned_data["cost_currency"].strip().upper()
        if reason := currencies.problem(currency):
            raise forms.ValidationError(reason.sentence)
        return currency

    def clean(self):
        cleaned = super().clean()
        currency = cleaned.get("cost_currency")
        for name in ("cost_net", "cost_tax", "cost_tax_deductible"):
            value = cleaned.get(name)
            if currency and value is not None and (reason := checked.too_fine(value, currency)):
                self.add_error(name, reason.sentence)
        tax, deductible = cleaned.get("cost_tax") or 0, cleaned.get("cost_tax_deductible")
        if tax and deductible is None and "cost_tax_deductible" not in self.errors:
            self.add_error("cost_tax_deductible", "Enter the deductible part of the tax, or 0.")
        elif deductible and deductible > tax:
            self.add_error("cost_tax_deductible", "This is more than the tax.")
        net = cleaned.get("cost_net")
        if currency and net is not None and (why := bounds.amount_too_large(net + tax, currency)):
            self.add_error("cost_net", Reason("EXPENSE-TOO-LARGE", why=why).sentence)
        if (cleaned.get("quantity") or 1) <= 0:
            self.add_error("quantity", "The quantity must be greater than zero.")
        elif reason := bounds.quantity_too_large(cleaned.get("quantity") or 1):
            self.add_error("quantity", reason.sentence)
        return cleaned


class MaterialForm(EntryForm):
    transaction_class = Entry.Class.MATERIAL
    product = RowField(Product.objects.none(), label="Product")
    quantity = FigureField(label="Quantity", max_digits=15, decimal_places=4)
    receipt = ReceiptField(label="Receipt", required=False, help_text="PDF or picture, at most 10 MB.")

    field_order = ("date", "product", "quantity", "project", "task", "receipt", "description")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = Product.objects.filter(entity=self.entity)

    def clean_quantity(self):
        quantity = self.cleaned_data["quantity"]
        if quantity <= 0:
            raise forms.ValidationError("The quantity must be greater than zero.")
        if reason := bounds.quantity_too_large(quantity):
            raise forms.ValidationError(reason.sentence)
        return quantity


FORMS = {each.transaction_class: each for each in (TimeForm, ExpenseForm, MaterialForm)}


class ImportFileForm(forms.Form):
    """The file, and the program that wrote it."""

    format = forms.ChoiceField(
        label="Program",
        required=False,
        choices=[("", "Recognized by its headings"), *EntryImport.Format.choices],
    )
    file = forms.FileField(
        label="File",
        help_text="CSV or XLSX, at most 50 MB. Nothing is imported before you confirm.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )


class ImportChoicesForm(forms.Form):
    """Decisions on some rows of a file, and the program that wrote it."""

    format = forms.ChoiceField(
        label="Program",
        choices=EntryImport.Format.choices,
        help_text="Recognized by its headings, unless you choose.",
    )

    time_category = TextField(required=False, max_length=60)

    def __init__(self, *args, found=None, unnamed=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.found, self.unnamed = found or {}, unnamed
        if unnamed:
            n = counted(unnamed.rows, "row")
            self.fields["time_category"] = forms.ChoiceField(
                label=f"Category for time without a category ({n})",
                choices=[(category.code, str(category)) for category in unnamed.offered],
                initial=unnamed.category and unnamed.category.code,
                help_text="Its item tax group determines the tax.",
            )
        for name, choice in CHOICES.items():
            found = self.found.get(name)
            rows = f": {found.in_words()}" if found else ""
            offered = (found and found.answers) or choice.answers
            self.fields[name] = forms.ChoiceField(
                label=f"{choice.rows}{rows}",
                required=False,
                choices=[(answer, choice.answers[answer]) for answer in offered],
                initial=choice.default,
                widget=forms.RadioSelect,
            )

    def shown(self):
        """The program, and the decisions that the rows of the file need."""
        asked = (name for name, found in self.found.items() if len(found.answers) != 1)
        categories = [self["time_category"]] if self.unnamed and len(self.unnamed.offered) > 1 else []
        return [self["format"], *categories, *(self[name] for name in asked)]

    def answers(self) -> dict[str, str]:
        """The answers that differ from the defaults."""
        given = {name: self.cleaned_data[name] for name in CHOICES}
        return {name: answer for name, answer in given.items() if answer not in ("", CHOICES[name].default)}


_WORDS = {"class": "Class", "external_id": "External id", "deductible_tax": "Deductible tax"}


def field_words(name):
    return _WORDS.get(name, name.capitalize())


class MappingForm(forms.Form):
    """The column of the file for each field, and a value for rows without one."""

    date_format = TextField(
        label="Date format",
        required=False,
        max_length=30,
        help_text="Such as DD.MM.YYYY. If empty: YYYY-MM-DD, such as 2026-03-31.",
    )
    decimal = forms.ChoiceField(
        label="Decimal sign",
        required=False,
        choices=[("", "Recognized from the numbers"), (",", "Comma"), (".", "Point")],
    )
    zone = TextField(
        label="Time zone",
        required=False,
        max_length=60,
        help_text="Such as UTC or Europe/Oslo. If empty: the default of the program.",
    )
    sheet = TextField(label="Sheet", required=False, max_length=60, help_text="If empty: the first one.")

    def __init__(self, *args, entity, header, format_, preset, may_create, **kwargs):
        super().__init__(*args, **kwargs)
        self.format, self.header = format_, header
        for name in FIELDS:
            rule = preset.get(name, "")
            usual = [heading for heading in header if normalized(heading) in headings_of([rule])]
            otherwise = f"Default: {', '.join(usual)}" if usual else "Not in the file"
            self.fields[f"column-{name}"] = forms.ChoiceField(
                label=f"Column of {field_words(name)}",
                required=False,
                choices=[("", otherwise), *[(heading, heading) for heading in header if heading]],
            )
            self.fields[f"constant-{name}"] = TextField(
                label=f"{field_words(name)} if there is no column", required=False, max_length=200
            )
        if may_create:
            self.fields["create"] = forms.MultipleChoiceField(
                label="Create missing records",
                required=False,
                choices=[(kind, kind.capitalize()) for kind in CREATABLE],
                widget=forms.CheckboxSelectMultiple,
                help_text="Otherwise, rows with unknown names are errors.",
            )
            self.fields["item_tax_group"] = RowField(
                ItemTaxGroup.objects.filter(entity=entity),
                label="Item tax group of new categories and products",
                required=False,
                to_field_name="code",
            )

    def lines(self):
        """For each field: its label, its column, and its default value."""
        return [(field_words(name), self[f"column-{name}"], self[f"constant-{name}"]) for name in FIELDS]

    def options(self):
        names = ("date_format", "zone", "decimal", "sheet", "create", "item_tax_group")
        return [self[name] for name in names if name in self.fields]

    def mapping(self) -> Mapping:
        cleaned = self.cleaned_data
        columns = {name: cleaned[f"column-{name}"] for name in FIELDS}
        constants = {name: cleaned[f"constant-{name}"].strip() for name in FIELDS}
        group = cleaned.get("item_tax_group")
        return Mapping(
            format=self.format,
            columns={name: rule for name, rule in columns.items() if rule},
            constants={name: value for name, value in constants.items() if value},
            date_format=cleaned["date_format"].strip(),
            zone=cleaned["zone"].strip(),
            decimal=cleaned["decimal"],
            sheet=cleaned["sheet"].strip(),
            create=tuple(cleaned.get("create", ())),
            item_tax_group=group.code if group else "",
        )
