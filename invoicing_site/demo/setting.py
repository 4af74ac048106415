"""The two companies with their books, people, prices and customers, as an administrator would enter them."""

import datetime
import random
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from contracts.models import (
    Category,
    CategoryPrice,
    Customer,
    CustomerContact,
    ExchangeRate,
    InvoiceFrequency,
    LegalEntity,
    Membership,
    OrganizationalUnit,
    PaymentTerm,
    PriceList,
    Product,
    ProductPrice,
    Resource,
    Role,
    RolePrice,
)
from invoicing_site.demo.catalogue import (
    CATEGORIES,
    CUSTOMERS,
    PASSWORD,
    PEOPLE,
    ROLES,
    USERS,
    Company,
)
from invoicing_site.models import User
from ledger.models import Dimension, DimensionValue, TaxCode, TaxRate
from ledger.setup.operations import Books, open_books

LONG_AGO = datetime.date(2020, 1, 1)


@dataclass
class World:
    """One company of the demo, with its records by the names of the catalogue."""

    company: Company
    entity: LegalEntity
    users: dict
    books: Books
    rng: random.Random
    starts: datetime.date
    today: datetime.date
    months: int
    every: int  # one of this number of days is worked
    frequencies: dict = field(default_factory=dict)
    people: dict = field(default_factory=dict)
    categories: dict = field(default_factory=dict)
    product: Product | None = None
    customers: dict = field(default_factory=dict)
    departments: dict = field(default_factory=dict)
    deals: dict = field(default_factory=dict)  # code: agreements.Agreed
    entries: int = 0

    def scaled(self, amount: int) -> Decimal | None:
        """Scale an amount of the catalogue, which is for twelve full months, to the work of this demo."""
        return Decimal(amount * self.months // (12 * self.every)) or None

    def on_month(self, month: int) -> datetime.date:
        """The date of the demo for a month of the catalogue."""
        return self.starts + month * (self.today - self.starts) // 12


def make_users() -> dict:
    """Create the users of the catalogue; the administrator gets access to the admin."""
    password = make_password(PASSWORD)  # once, because hashing is slow by design
    return {
        name: User.objects.create(
            username=name,
            password=password,
            first_name=first,
            last_name=last,
            email=f"{name}@ledgerline.example",
            is_staff=name == "administrator",
        )
        for name, (first, last, _) in USERS.items()
    }


def settle(company: Company, users: dict, *, months: int, every: int) -> World:
    """Create a company that is ready for contracts: books, people, prices, customers."""
    entity = LegalEntity.objects.create(
        code=company.code,
        name=company.name,
        currency=company.currency,
        country=company.country,
        time_zone=company.time_zone,
        language=company.language,
        street="Eksempelveien 1",
        postal_code="0000",
        city="Demoby",
        organization_number=company.number,
        vat_number=company.country + company.number,
        in_company_register=company.country == "NO",
        email="post@ledgerline.example",
        website="https://ledgerline.example",
        bank_account=company.bank_account,
        iban=company.iban,
        bic=company.bic,
        separate_confirm_and_post=True,
    )
    today = entity.today()
    starts = _months_before(today.replace(day=1), months)
    books = open_books(entity, first_year=starts.year, last_year=today.year + 1, by=users["administrator"])
    world = World(company, entity, users, books, random.Random(company.code), starts, today, months, every)
    Membership.objects.bulk_create(
        Membership(user=user, entity=entity, role=USERS[name][-1]) for name, user in users.items()
    )
    if company.country == "HR":
        _croatian_tax(entity)
    _frequencies(world)
    _people(world)
    _prices(world)
    _rates(world)
    _customers(world)
    return world


def _months_before(first, months):
    count = first.year * 12 + first.month - 1 - months
    return datetime.date(count // 12, count % 12 + 1, 1)


def _croatian_tax(entity):
    """Replace Norway's reduced rate of the standard books; the standard rate is the same."""
    reduced = TaxCode.objects.get(entity=entity, code="OUT15")
    reduced.code, reduced.name = "OUT13", "Output VAT 13 %"
    reduced.save(update_fields=["code", "name"])
    TaxRate.objects.filter(tax_code=reduced).update(percent=13)


def _frequencies(world):
    rhythms = {
        "MONTHLY": ("Monthly, on the first", {"rhythm": "monthly", "days": "1"}),
        "QUARTERLY": ("Every three months", {"rhythm": "monthly", "days": "1", "every": 3}),
        "BIWEEKLY": ("Every two weeks, on Monday", {"rhythm": "weekly", "every": 2, "weekday": 0}),
    }
    for code, (name, how) in rhythms.items():
        world.frequencies[code] = InvoiceFrequency.objects.create(
            entity=world.entity, code=code, name=name, **how
        )


def _people(world):
    entity = world.entity
    unit = OrganizationalUnit.objects.create(entity=entity, code="CONSULTING", name="Consulting")
    roles = {
        code: Role.objects.create(entity=entity, code=code, name=name) for code, (name, *_) in ROLES.items()
    }
    for index, (code, name, role) in enumerate(PEOPLE[entity.code]):
        user = world.users["member"] if index == 0 and entity.code == "NO1" else None
        world.people[code] = Resource.objects.create(
            entity=entity, code=code, name=name, role=roles[role], unit=unit, user=user
        )
    departments = Dimension.objects.create(entity=entity, code="DEPARTMENT", name="Department")
    for code, name in (("ADVICE", "Advice"), ("DELIVERY", "Delivery")):
        world.departments[code] = DimensionValue.objects.create(dimension=departments, code=code, name=name)
    for code, (name, class_, tax_group, is_disbursement) in CATEGORIES.items():
        world.categories[code] = Category.objects.create(
            entity=entity,
            transaction_class=class_,
            code=code,
            name=name,
            item_tax_group=world.books.item_tax_groups[tax_group],
            is_disbursement=is_disbursement,
        )
    world.product = Product.objects.create(
        entity=entity, code="SENSOR", name="Sensor", item_tax_group=world.books.item_tax_groups["SERVICES"]
    )


def _prices(world):
    own = world.entity.currency
    lists = [("COST", "cost", own), ("SALES", "sales", own)]
    if own != "EUR":
        lists.append(("SALES-EUR", "sales", "EUR"))
    for code, kind, currency in lists:
        prices = PriceList.objects.create(
            entity=world.entity,
            code=code,
            name=f"{kind.capitalize()}, {currency}",
            kind=kind,
            currency=currency,
            valid_from=LONG_AGO,
        )
        price_hours(world, prices, ROLES)
        _price_things(world, prices)


def price_hours(world, prices, roles):
    """Give a price list the prices of an hour of these roles."""
    column = {("cost", "NOK"): 1, ("sales", "NOK"): 2, ("cost", "EUR"): 3, ("sales", "EUR"): 4}
    by_code = {role.code: role for role in world.entity.roles.all()}
    RolePrice.objects.bulk_create(
        RolePrice(
            price_list=prices,
            role=by_code[code],
            price=Decimal(ROLES[code][column[prices.kind, prices.currency]]),
        )
        for code in roles
    )


def _price_things(world, prices):
    in_kroner = prices.currency == "NOK"
    if prices.kind == PriceList.Kind.COST:
        cost = Decimal("1450" if in_kroner else "125")
        ProductPrice.objects.create(price_list=prices, product=world.product, price=cost)
        return
    price_expenses(world, prices)
    ProductPrice.objects.create(
        price_list=prices, product=world.product, price=Decimal("1990" if in_kroner else "172")
    )
    CategoryPrice.objects.create(
        price_list=prices,
        category=world.categories["HOSTING"],
        method=CategoryPrice.Method.PER_UNIT,
        price=Decimal("4900" if in_kroner else "420"),
    )


def price_expenses(world, prices):
    """Travel and public fees at cost, hotels with a markup, mileage by the kilometer."""
    Method = CategoryPrice.Method
    mileage = Decimal("5.30" if prices.currency == "NOK" else "0.50")
    for code, how in (
        ("TRAVEL", {"method": Method.AT_COST}),
        ("PUBLIC", {"method": Method.AT_COST}),
        ("HOTEL", {"method": Method.MARKUP, "markup": Decimal(5)}),
        ("MILEAGE", {"method": Method.PER_UNIT, "price": mileage, "unit": "km"}),
    ):
        CategoryPrice.objects.create(price_list=prices, category=world.categories[code], **how)


def _rates(world):
    """An official rate for each week, with small changes."""
    if world.entity.currency == "EUR":
        return
    ore, rates = 1165, []
    day = world.starts - datetime.timedelta(days=7)
    while day <= world.today:
        rates.append(
            ExchangeRate(
                entity=world.entity,
                currency="EUR",
                valid_from=day,
                rate=Decimal(ore).scaleb(-2),
                source="invented",
            )
        )
        ore += world.rng.randint(-6, 6)
        day += datetime.timedelta(days=7)
    ExchangeRate.objects.bulk_create(rates)


# The VAT number made from a company number.
_VAT_NUMBERS = {"NO": "NO {} MVA", "HR": "HR{}", "DE": "{}", "FR": "FR66{}"}


def _customers(world):
    entity = world.entity
    terms = {
        "NET14": ("14 days", {"method": "net", "days": 14}),
        "NET30": ("30 days", {"method": "net", "days": 30}),
        "EOM15": ("End of month and 15 days", {"method": "eom", "days": 15}),
    }
    terms = {
        code: PaymentTerm.objects.create(entity=entity, code=code, name=name, **how)
        for code, (name, how) in terms.items()
    }
    for number, name, of_company, country, language, group, term, reference in CUSTOMERS[entity.code]:
        customer = Customer.objects.create(
            entity=entity,
            number=number,
            name=name,
            currency="NOK" if country == "NO" else "EUR",
            language=language,
            payment_term=terms[term],
            billing_tax_group=world.books.billing_tax_groups[group],
            organization_number="" if country == "DE" else of_company,
            vat_number=_VAT_NUMBERS[country].format(of_company),
            contact_name="Kim Eksempel",
            email=f"invoice@customer-{number}.example",
            street=f"Eksempelgata {number[-1]}",
            postal_code="0000",
            city="Demoby",
            country=country,
            buyer_reference=reference,
        )
        CustomerContact.objects.create(customer=customer, name="Kim Eksempel", email=customer.email)
        world.customers[number] = customer
