"""A company for tests, its contracts, and the entries of its people."""

from decimal import Decimal
from types import SimpleNamespace

from django.utils import timezone

from contracts import models as contracts
from tests.factories.memory import remembered
from tests.factories.rows import (
    ActualFactory,
    BacklogItemFactory,
    BillingTaxGroupFactory,
    CategoryFactory,
    CategoryPriceFactory,
    ContractCustomerFactory,
    ContractLineCategoryFactory,
    ContractLineFactory,
    ContractLineRoleFactory,
    ContractLineTaskFactory,
    ContractPriceListFactory,
    CustomerFactory,
    EntryFactory,
    ItemTaxGroupFactory,
    LegalEntityFactory,
    LineCustomerFactory,
    MembershipFactory,
    MilestoneFactory,
    NumberSequenceFactory,
    OrganizationalUnitFactory,
    PaymentTermFactory,
    PriceListFactory,
    ProductFactory,
    ProductPriceFactory,
    ProjectContractFactory,
    ProjectFactory,
    ResourceFactory,
    RoleFactory,
    RolePriceFactory,
    TaskFactory,
    UserFactory,
)


@remembered
def company(
    code="NO1", currency="NOK", *, books=True, cost_price=100, sales_price=200, customers=1, **entity
):
    """A legal entity in which an hour can become an invoice; returns a namespace of its parts.

    entity, books; billing_tax_group (DOMESTIC), item_tax_group (SERVICES), payment_term (30 days net); role,
    time (category), travel (expense category, at cost), fee (category), product (cost 50, price 80), unit,
    cost_list (an hour costs `cost_price`), sales_list (an hour sells for `sales_price`); customer, customers;
    project, task; resource with user `member`; `manager` (manages the project) with a resource
    `manager_resource`; `accountant`; `administrator`; `auditor`.

    The fiscal years 2024 to 2027 are open, unless `books` is False; then there are number sequences only.
    """
    entity = LegalEntityFactory(code=code, currency=currency, **entity)
    it = SimpleNamespace(entity=entity, books=_open_books(entity) if books else None)
    for kind in contracts.NumberSequence.Kind.values:
        NumberSequenceFactory(entity=entity, kind=kind, format=kind[:3].upper() + "-{year}-{seq:06}")
    it.billing_tax_group = BillingTaxGroupFactory(entity=entity, code="DOMESTIC")
    it.item_tax_group = ItemTaxGroupFactory(entity=entity, code="SERVICES")
    if entity.milestone_item_tax_group_id is None:
        entity.milestone_item_tax_group = it.item_tax_group
        entity.save(update_fields=["milestone_item_tax_group"])

    _people(it)
    it.role = RoleFactory(entity=entity, code="CONSULTANT", name="Consultant")
    it.unit = OrganizationalUnitFactory(entity=entity, code="CONSULTING", name="Consulting")
    it.resource = ResourceFactory(
        entity=entity, code="ANNA", name="Anna", role=it.role, unit=it.unit, user=it.member
    )
    it.manager_resource = ResourceFactory(
        entity=entity, code="MAGNE", name="Magne", role=it.role, unit=it.unit, user=it.manager
    )

    it.time = _category(it, "time", "WORK", "Work")
    it.travel = _category(it, "expense", "TRAVEL", "Travel")
    it.fee = _category(it, "fee", "FEE", "Fee")
    it.product = ProductFactory(entity=entity, code="CABLE", name="Cable", item_tax_group=it.item_tax_group)
    it.cost_list = PriceListFactory(entity=entity, code="COST", name="Costs", kind="cost")
    it.sales_list = PriceListFactory(entity=entity, code="SALES", name="Sales")
    it.cost_price = RolePriceFactory(price_list=it.cost_list, price=Decimal(cost_price))
    it.sales_price = RolePriceFactory(price_list=it.sales_list, price=Decimal(sales_price))
    CategoryPriceFactory(price_list=it.sales_list, category=it.travel)
    ProductPriceFactory(price_list=it.cost_list, product=it.product, price=Decimal(50))
    ProductPriceFactory(price_list=it.sales_list, product=it.product, price=Decimal(80))

    it.payment_term = PaymentTermFactory(entity=entity, code="NET30", name="30 days")
    it.customers = [customer(it) for _ in range(customers)]
    it.customer = it.customers[0] if it.customers else None
    it.project = ProjectFactory(entity=entity, code=f"{code}-P1", name="Bridge")
    it.project.managers.add(it.manager)
    it.task = TaskFactory(project=it.project, code="DESIGN", name="Design")
    return it


def _open_books(entity):
    from ledger.setup.operations import open_books  # the ledger is imported only for tests with books

    return open_books(entity, first_year=2024, last_year=2027)


def _people(it):
    Role = contracts.Membership.Role
    for role in Role:
        user = UserFactory(username=f"{role.value}.{it.entity.code}".lower())
        MembershipFactory(user=user, entity=it.entity, role=role)
        setattr(it, role.value, user)


def _category(it, transaction_class, code, name):
    return CategoryFactory(
        entity=it.entity,
        transaction_class=transaction_class,
        code=code,
        name=name,
        item_tax_group=it.item_tax_group,
    )


@remembered
def customer(company, **fields):
    """A domestic customer of the company, with 30 days to pay."""
    defaults = {"billing_tax_group": company.billing_tax_group, "payment_term": company.payment_term}
    return CustomerFactory(entity=company.entity, **{**defaults, **fields})


@remembered
def contract(
    company,
    *,
    lines=None,
    customers=None,
    rounding=-1,
    method="tm",
    currency=None,
    price_lists=None,
    confirmed=False,
    **fields,
):
    """A draft contract that can be confirmed: one line on the company's project for its first customer.

    `customers`: pairs (customer, split percent); the first is the primary one, `rounding` is the index of the
    one that takes the rounding (by default the last). `lines`: one dict per line with its fields, and
    `method`, `customers` (pairs; by default those of the contract), `tasks`, `roles`, `categories` (rows, or
    pairs of a row and whether it is chargeable) and `milestones` (amounts, or dicts of fields). A fixed-price
    line has contract_amount 10000 and one milestone of that amount by default.

    `price_lists`: by default the company's sales list, if it has the contract's currency. `confirmed=True`
    only sets the status, without calling `backlog.operations.confirm_contract`.
    """
    currency = currency or company.entity.currency
    contract = ProjectContractFactory(entity=company.entity, currency=currency, **fields)
    contract.managers.add(company.manager)
    _shares(
        ContractCustomerFactory,
        [(c, percent) for c, percent in customers or [(company.customer, 100)]],
        rounding,
        key="customer",
        contract=contract,
    )
    if price_lists is None:
        price_lists = [company.sales_list] if company.sales_list.currency == currency else []
    for price_list in price_lists:
        ContractPriceListFactory(contract=contract, price_list=price_list)
    for number, line in enumerate(lines or [{}], 1):
        contract_line(contract, **{"number": number, "method": method, "project": company.project, **line})
    if confirmed:
        contract.status, contract.confirmed_at = "confirmed", timezone.now()
        contract.confirmed_by = company.manager
        contract.save()
    return contract


def _shares(maker, pairs, rounding, *, key, **fields):
    for index, (share, percent) in enumerate(pairs):
        last = {"is_primary": index == 0} if maker is ContractCustomerFactory else {}
        maker(
            **fields,
            **last,
            **{key: share},
            split=Decimal(percent),
            is_rounding=index == rounding % len(pairs),
        )


@remembered
def contract_line(
    contract,
    *,
    method="tm",
    customers=None,
    rounding=-1,
    tasks=(),
    roles=(),
    categories=(),
    milestones=None,
    **fields,
):
    """A line of the contract, as described in `contract()`, with a share for each customer."""
    if tasks:
        fields.setdefault("entire_project", False)
    fields.setdefault("number", contract.lines.count() + 1)
    line = ContractLineFactory(contract=contract, billing_method=method, **fields)
    by_customer = {c.customer_id: c for c in contract.customers.all()}
    if customers is None:
        for share in by_customer.values():
            LineCustomerFactory(
                line=line, contract_customer=share, split=share.split, is_rounding=share.is_rounding
            )
    else:
        pairs = [(by_customer[c.pk], percent) for c, percent in customers]
        _shares(LineCustomerFactory, pairs, rounding, key="contract_customer", line=line)
    for maker, key, rows in (
        (ContractLineTaskFactory, "task", tasks),
        (ContractLineRoleFactory, "role", roles),
        (ContractLineCategoryFactory, "category", categories),
    ):
        for row in rows:
            row, is_chargeable = row if isinstance(row, tuple) else (row, True)
            maker(line=line, is_chargeable=is_chargeable, **{key: row})
    if milestones is None:
        milestones = [line.contract_amount] if method == "fixed" else []
    for number, milestone in enumerate(milestones, 1):
        milestone = milestone if isinstance(milestone, dict) else {"amount": Decimal(milestone)}
        MilestoneFactory(**{"line": line, "number": number, **milestone})
    return line


@remembered
def time_entry(company, hours="7.5", **fields):
    """Submitted hours of the company's resource on its project and task, entered by the member."""
    return _entry(
        company,
        {
            "transaction_class": "time",
            "resource": company.resource,
            "role": company.role,
            "category": company.time,
            "quantity": Decimal(hours),
            "unit": "h",
        },
        fields,
    )


@remembered
def expense_entry(company, net="100", tax="0", deductible="0", **fields):
    """A submitted expense: net amount, tax, and the deductible part of the tax."""
    return _entry(
        company,
        {
            "transaction_class": "expense",
            "resource": company.resource,
            "category": company.travel,
            "quantity": Decimal(1),
            "unit": "each",
            "cost_currency": company.entity.currency,
            "cost_net": Decimal(net),
            "cost_tax": Decimal(tax),
            "cost_tax_deductible": Decimal(deductible),
        },
        fields,
    )


@remembered
def material_entry(company, quantity="1", **fields):
    """A submitted quantity of the company's product."""
    return _entry(
        company,
        {
            "transaction_class": "material",
            "resource": None,
            "category": None,
            "product": company.product,
            "quantity": Decimal(quantity),
            "unit": company.product.unit,
        },
        fields,
    )


@remembered
def fee_entry(company, price="1000", **fields):
    """A submitted fee with an agreed price."""
    return _entry(
        company,
        {
            "transaction_class": "fee",
            "resource": None,
            "category": company.fee,
            "quantity": Decimal(1),
            "unit": "each",
            "sales_price": Decimal(price),
        },
        fields,
    )


def _entry(company, defaults, fields):
    person = {"submitted_by": company.member, "created_by": company.member}
    where = {"project": company.project, "task": company.task}
    if "project" in fields:
        where["task"] = None
    if fields.get("status") == "draft":
        del person["submitted_by"]
    return EntryFactory(**{**person, **where, **defaults, **fields})


@remembered
def ready_item(company, contract, **fields):
    """A backlog item on the contract's first line, ready to invoice, with its actual.

    `fields` are those of the actual (line=, customer= a contract customer, quantity=, price=, date=, …), or
    the item's status, limit_status, needs_price.
    """
    item = {name: fields.pop(name) for name in ("status", "limit_status", "needs_price") if name in fields}
    fields.setdefault("line", contract.lines.order_by("number").first())
    defaults = {
        "resource": company.resource,
        "role": company.role,
        "category": company.time,
        "task": company.task,
    }
    return BacklogItemFactory(actual=ActualFactory(**{**defaults, **fields}), **item)
