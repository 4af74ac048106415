"""One factory per table: it creates one row, and the rows that it requires."""

import datetime
from decimal import Decimal

import factory
from django.db import transaction
from django.utils import timezone
from factory import LazyAttribute, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from actuals import models as actuals
from actuals.operations import wait_for_journal
from backlog import models as backlog
from contracts import models as contracts
from invoicing_site.models import User
from tests.factories.memory import remembered

LONG_AGO = datetime.date(2020, 1, 1)
DAY = datetime.date(2025, 3, 10)


class _Factory(DjangoModelFactory):
    """A factory that writes rows from memory if it can."""

    class Meta:
        abstract = True

    @classmethod
    def create(cls, **fields):
        return _created(cls, **fields)


@remembered
def _created(factory, **fields):
    return super(_Factory, factory).create(**fields)


class UserFactory(_Factory):
    class Meta:
        model = User

    username = Sequence(lambda n: f"user{n}")
    first_name = LazyAttribute(lambda user: user.username.title())
    email = LazyAttribute(lambda user: f"{user.username}@example.com")
    password = factory.django.Password("secret")


class LegalEntityFactory(_Factory):
    class Meta:
        model = contracts.LegalEntity

    code = Sequence(lambda n: f"E{n}")
    name = LazyAttribute(lambda entity: f"Company {entity.code}")
    currency = "NOK"
    country = "NO"
    time_zone = "Europe/Oslo"
    iban, bic = "NO12 0000 0000 018", "DEMONO22"  # required for a payer abroad


class MembershipFactory(_Factory):
    class Meta:
        model = contracts.Membership

    user = SubFactory(UserFactory)
    entity = SubFactory(LegalEntityFactory)
    role = contracts.Membership.Role.MEMBER


class _OfEntity(_Factory):
    """A row of a legal entity with a code and a name."""

    class Meta:
        abstract = True

    entity = SubFactory(LegalEntityFactory)
    code = Sequence(lambda n: f"C{n}")
    name = LazyAttribute(lambda row: f"{row.code}")


class OrganizationalUnitFactory(_OfEntity):
    class Meta:
        model = contracts.OrganizationalUnit

    code = Sequence(lambda n: f"UNIT{n}")


class PaymentTermFactory(_OfEntity):
    class Meta:
        model = contracts.PaymentTerm

    code = Sequence(lambda n: f"TERM{n}")
    method = contracts.PaymentTerm.Method.NET
    days = 30


class BillingTaxGroupFactory(_OfEntity):
    class Meta:
        model = contracts.BillingTaxGroup
        django_get_or_create = ("entity", "code")

    code = "DOMESTIC"


class ItemTaxGroupFactory(_OfEntity):
    class Meta:
        model = contracts.ItemTaxGroup
        django_get_or_create = ("entity", "code")

    code = "SERVICES"


class ExchangeRateFactory(_Factory):
    class Meta:
        model = contracts.ExchangeRate

    entity = SubFactory(LegalEntityFactory)
    currency = "EUR"
    valid_from = LONG_AGO
    rate = Decimal("11.60")


class NumberSequenceFactory(_Factory):
    class Meta:
        model = contracts.NumberSequence
        django_get_or_create = ("entity", "kind")

    entity = SubFactory(LegalEntityFactory)
    kind = contracts.NumberSequence.Kind.INVOICE
    format = "INV-{year}-{seq:06}"


class CustomerFactory(_Factory):
    class Meta:
        model = contracts.Customer

    entity = SubFactory(LegalEntityFactory)
    number = Sequence(lambda n: f"{10000 + n}")
    name = LazyAttribute(lambda customer: f"Customer {customer.number}")
    currency = SelfAttribute("entity.currency")
    street, postal_code, city = "Storgata 1", "0155", "Oslo"
    email = LazyAttribute(lambda customer: f"{customer.number}@example.com")


class CustomerContactFactory(_Factory):
    class Meta:
        model = contracts.CustomerContact

    customer = SubFactory(CustomerFactory)
    name = Sequence(lambda n: f"Contact {n}")
    email = Sequence(lambda n: f"contact{n}@example.com")


class ProjectGroupFactory(_OfEntity):
    class Meta:
        model = contracts.ProjectGroup

    code = Sequence(lambda n: f"GROUP{n}")


class ProjectFactory(_OfEntity):
    class Meta:
        model = contracts.Project

    code = Sequence(lambda n: f"P{n}")
    name = LazyAttribute(lambda project: f"Project {project.code}")


class TaskFactory(_Factory):
    class Meta:
        model = contracts.Task

    project = SubFactory(ProjectFactory)
    code = Sequence(lambda n: f"T{n}")
    name = LazyAttribute(lambda task: f"Task {task.code}")


class RoleFactory(_OfEntity):
    class Meta:
        model = contracts.Role

    code = Sequence(lambda n: f"ROLE{n}")


class CategoryFactory(_OfEntity):
    class Meta:
        model = contracts.Category

    transaction_class = contracts.Category.Class.TIME
    code = Sequence(lambda n: f"CAT{n}")
    item_tax_group = SubFactory(ItemTaxGroupFactory, entity=SelfAttribute("..entity"))


class ProductFactory(_OfEntity):
    class Meta:
        model = contracts.Product

    code = Sequence(lambda n: f"PROD{n}")
    item_tax_group = SubFactory(ItemTaxGroupFactory, entity=SelfAttribute("..entity"))


class ResourceFactory(_OfEntity):
    class Meta:
        model = contracts.Resource

    code = Sequence(lambda n: f"R{n}")
    name = LazyAttribute(lambda resource: f"Resource {resource.code}")
    role = SubFactory(RoleFactory, entity=SelfAttribute("..entity"))


class PriceListFactory(_OfEntity):
    class Meta:
        model = contracts.PriceList

    code = Sequence(lambda n: f"LIST{n}")
    kind = contracts.PriceList.Kind.SALES
    currency = SelfAttribute("entity.currency")
    valid_from = LONG_AGO


class RolePriceFactory(_Factory):
    class Meta:
        model = contracts.RolePrice

    price_list = SubFactory(PriceListFactory)
    price = Decimal(200)


class RolePriceOverrideFactory(_Factory):
    class Meta:
        model = contracts.RolePriceOverride

    role_price = SubFactory(RolePriceFactory)
    valid_from = LONG_AGO
    price = Decimal(250)


class PriceMarkupFactory(_Factory):
    class Meta:
        model = contracts.PriceMarkup

    price_list = SubFactory(PriceListFactory)
    name = Sequence(lambda n: f"Markup {n}")
    percent = Decimal(50)


class CategoryPriceFactory(_Factory):
    class Meta:
        model = contracts.CategoryPrice

    price_list = SubFactory(PriceListFactory)
    category = SubFactory(
        CategoryFactory, entity=SelfAttribute("..price_list.entity"), transaction_class="expense"
    )
    method = contracts.CategoryPrice.Method.AT_COST


class ProductPriceFactory(_Factory):
    class Meta:
        model = contracts.ProductPrice

    price_list = SubFactory(PriceListFactory)
    product = SubFactory(ProductFactory, entity=SelfAttribute("..price_list.entity"))
    price = Decimal(80)


class ProjectContractFactory(_OfEntity):
    class Meta:
        model = contracts.ProjectContract

    code = Sequence(lambda n: f"PC{n:04}")
    name = LazyAttribute(lambda contract: f"Contract {contract.code}")
    status = contracts.ProjectContract.Status.DRAFT
    confirmed_at = LazyAttribute(lambda contract: None if contract.status == "draft" else timezone.now())
    currency = SelfAttribute("entity.currency")


class ContractRevisionFactory(_Factory):
    class Meta:
        model = contracts.ContractRevision

    contract = SubFactory(ProjectContractFactory)
    number = Sequence(lambda n: n + 1)
    effective_on = DAY
    reason = "More work"


class ContractCustomerFactory(_Factory):
    """The only customer of a contract: primary, 100 %, takes the rounding."""

    class Meta:
        model = contracts.ContractCustomer

    contract = SubFactory(ProjectContractFactory)
    customer = SubFactory(
        CustomerFactory,
        entity=SelfAttribute("..contract.entity"),
        currency=SelfAttribute("..contract.currency"),
    )
    is_primary = True
    split = Decimal(100)
    is_rounding = True


class PurchaseOrderFactory(_Factory):
    class Meta:
        model = contracts.PurchaseOrder

    contract_customer = SubFactory(ContractCustomerFactory)
    number = Sequence(lambda n: f"PO-{n}")


class ContractPriceListFactory(_Factory):
    class Meta:
        model = contracts.ContractPriceList

    contract = SubFactory(ProjectContractFactory)
    price_list = SubFactory(
        PriceListFactory,
        entity=SelfAttribute("..contract.entity"),
        currency=SelfAttribute("..contract.currency"),
    )


class ContractLineFactory(_Factory):
    class Meta:
        model = contracts.ContractLine

    contract = SubFactory(ProjectContractFactory)
    number = Sequence(lambda n: n + 1)
    name = LazyAttribute(lambda line: f"Line {line.number}")
    billing_method = contracts.ContractLine.BillingMethod.TIME_AND_MATERIAL
    project = SubFactory(ProjectFactory, entity=SelfAttribute("..contract.entity"))
    contract_amount = LazyAttribute(lambda line: Decimal(10000) if line.billing_method == "fixed" else None)


class ContractLineTaskFactory(_Factory):
    class Meta:
        model = contracts.ContractLineTask

    line = SubFactory(ContractLineFactory, entire_project=False)
    task = SubFactory(TaskFactory, project=SelfAttribute("..line.project"))


class ContractLineRoleFactory(_Factory):
    class Meta:
        model = contracts.ContractLineRole

    line = SubFactory(ContractLineFactory)
    role = SubFactory(RoleFactory, entity=SelfAttribute("..line.contract.entity"))


class ContractLineCategoryFactory(_Factory):
    class Meta:
        model = contracts.ContractLineCategory

    line = SubFactory(ContractLineFactory)
    category = SubFactory(
        CategoryFactory, entity=SelfAttribute("..line.contract.entity"), transaction_class="expense"
    )


class LineCustomerFactory(_Factory):
    class Meta:
        model = contracts.LineCustomer

    line = SubFactory(ContractLineFactory)
    contract_customer = SubFactory(ContractCustomerFactory, contract=SelfAttribute("..line.contract"))
    split = Decimal(100)
    is_rounding = True


class InvoiceFrequencyFactory(_OfEntity):
    """Monthly, on the first day."""

    class Meta:
        model = contracts.InvoiceFrequency

    code = Sequence(lambda n: f"FREQ{n}")
    rhythm = contracts.InvoiceFrequency.Rhythm.MONTHLY
    days = LazyAttribute(lambda frequency: "1" if frequency.rhythm == "monthly" else "")


class ScheduleEntryFactory(_Factory):
    class Meta:
        model = contracts.ScheduleEntry

    line = SubFactory(ContractLineFactory)
    run_date = datetime.date(2025, 4, 1)
    cutoff = LazyAttribute(lambda entry: entry.run_date - datetime.timedelta(days=1))


class MilestoneFactory(_Factory):
    class Meta:
        model = contracts.Milestone

    line = SubFactory(ContractLineFactory, billing_method="fixed")
    number = Sequence(lambda n: n + 1)
    name = LazyAttribute(lambda milestone: f"Milestone {milestone.number}")
    date = datetime.date(2025, 3, 31)
    amount = SelfAttribute("line.contract_amount")


class MilestonePartFactory(_Factory):
    class Meta:
        model = contracts.MilestonePart

    milestone = SubFactory(MilestoneFactory)
    contract_customer = SubFactory(
        ContractCustomerFactory, contract=SelfAttribute("..milestone.line.contract")
    )
    amount = SelfAttribute("milestone.amount")


class RetainerScheduleFactory(_Factory):
    class Meta:
        model = contracts.RetainerSchedule

    contract_customer = SubFactory(ContractCustomerFactory)
    name = "Retainer"
    total = Decimal(12000)
    frequency = SubFactory(
        InvoiceFrequencyFactory, entity=SelfAttribute("..contract_customer.contract.entity")
    )
    starts = datetime.date(2025, 1, 1)
    count = 12


class RetainerFactory(_Factory):
    class Meta:
        model = contracts.Retainer

    contract = SelfAttribute("contract_customer.contract")
    contract_customer = SubFactory(ContractCustomerFactory)
    kind = contracts.LegalEntity.RetainerKind.ADVANCE
    name = "Retainer"
    date = DAY
    amount = Decimal(10000)


class ResourcePositionFactory(_Factory):
    class Meta:
        model = contracts.ResourcePosition

    resource = SubFactory(ResourceFactory)
    valid_from = DAY
    role = SelfAttribute("resource.role")
    unit = SelfAttribute("resource.unit")


class EntryFactory(_Factory):
    """7.5 submitted hours."""

    class Meta:
        model = actuals.Entry

    entity = SelfAttribute("project.entity")
    project = SubFactory(ProjectFactory)
    date = DAY
    resource = SubFactory(ResourceFactory, entity=SelfAttribute("..project.entity"))
    category = SubFactory(CategoryFactory, entity=SelfAttribute("..project.entity"))
    quantity = Decimal("7.5")
    status = actuals.Entry.Status.SUBMITTED
    submitted_at = LazyAttribute(lambda entry: None if entry.status == "draft" else timezone.now())
    decided_at = LazyAttribute(
        lambda entry: None if entry.status in ("draft", "submitted") else timezone.now()
    )
    # As submitting sets them for a resource without dated positions.
    priced_role = LazyAttribute(lambda entry: entry.role or (entry.resource and entry.resource.role))
    priced_unit = LazyAttribute(lambda entry: entry.resource and entry.resource.unit)
    priced_company = LazyAttribute(lambda entry: entry.resource and entry.resource.entity)
    role = None


class BatchFactory(_Factory):
    class Meta:
        model = actuals.Batch

    entity = SubFactory(LegalEntityFactory)
    action = actuals.Batch.Action.APPROVE
    on = DAY


class ActualFactory(_Factory):
    """An actual as an approval creates it: unbilled sales of 1 h at 200 for one customer, or a cost."""

    class Meta:
        model = actuals.Actual

    class Params:
        line = SubFactory(ContractLineFactory)
        customer = LazyAttribute(lambda actual: _customer_of(actual.line.contract))

    type = actuals.Actual.Type.UNBILLED_SALES
    transaction_class = "time"
    entity = SelfAttribute("line.contract.entity")
    batch = SubFactory(BatchFactory, entity=SelfAttribute("..entity"), on=SelfAttribute("..accounting_date"))
    date = DAY
    accounting_date = SelfAttribute("date")
    project = SelfAttribute("line.project")
    contract = SelfAttribute("line.contract")
    contract_line = SelfAttribute("line")
    contract_customer = LazyAttribute(lambda actual: None if actual.type == "cost" else actual.customer)
    split = LazyAttribute(lambda actual: None if actual.type == "cost" else Decimal(100))
    quantity = Decimal(1)
    unit = "h"
    price = Decimal(200)
    amount = LazyAttribute(lambda actual: Decimal(actual.quantity) * Decimal(actual.price))
    currency = LazyAttribute(
        lambda actual: (actual.entity if actual.type == "cost" else actual.contract).currency
    )
    booked_by = actuals.Actual.BookedBy.JOURNAL

    @classmethod
    def _create(cls, model_class, *args, **fields):
        actual = super()._create(model_class, *args, **fields)
        with transaction.atomic():
            wait_for_journal([actual])
        return actual


class BacklogItemFactory(_Factory):
    """A share of unbilled sales that is ready to invoice."""

    class Meta:
        model = backlog.BacklogItem

    actual = SubFactory(ActualFactory)
    contract = SelfAttribute("actual.contract")
    contract_line = SelfAttribute("actual.contract_line")
    contract_customer = SelfAttribute("actual.contract_customer")
    date = SelfAttribute("actual.date")
    amount = SelfAttribute("actual.amount")
    currency = SelfAttribute("actual.currency")
    status = backlog.BacklogItem.Status.READY


def _customer_of(contract):
    return contract.customers.filter(is_primary=True).first() or ContractCustomerFactory(contract=contract)
