"""The data of the demo company. All names, numbers and addresses are invented.

Months are counted from the first day of the demo; amounts are for a demo of twelve months.
"""

from dataclasses import dataclass

# The users; each has one role in both companies. The password is for the demo only.
PASSWORD = "demo-only"

# user name: first name, last name, role. Two accountants, because the one who confirmed may not post.
USERS = {
    "member": ("Anna", "Eksempel", "member"),
    "manager": ("Magne", "Eksempel", "manager"),
    "accountant": ("Rita", "Eksempel", "accountant"),
    "accountant2": ("Vera", "Eksempel", "accountant"),
    "administrator": ("Ada", "Eksempel", "administrator"),
    "auditor": ("Rolf", "Eksempel", "auditor"),
}


@dataclass(frozen=True)
class Company:
    code: str
    name: str
    currency: str
    country: str
    time_zone: str
    language: str
    number: str
    bank_account: str
    iban: str
    bic: str


COMPANIES = (
    Company(
        code="NO1",
        name="Ledgerline Rådgivning AS (demo)",
        currency="NOK",
        country="NO",
        time_zone="Europe/Oslo",
        language="nb",
        number="999000002",
        bank_account="0000 00 00018",
        iban="NO12 0000 0000 018",
        bic="DEMONO22",
    ),
    Company(
        code="HR1",
        name="Ledgerline Studio d.o.o. (demo)",
        currency="EUR",
        country="HR",
        time_zone="Europe/Zagreb",
        language="en",
        number="00000000001",
        bank_account="0000000-0000000001",
        iban="HR31 0000 0000 0000 0000 1",
        bic="DEMOHR22",
    ),
)

# code: name, cost and sales price of an hour in NOK, the same in EUR
ROLES = {
    "ADVISOR": ("Chief advisor", "820", "1790", "62", "135"),
    "SENIOR": ("Senior consultant", "690", "1480", "48", "112"),
    "CONSULTANT": ("Consultant", "560", "1190", "36", "88"),
    "TRAINEE": ("Trainee", "390", "790", "24", "58"),
}

# company: person's code, name, role. The first is the user "member".
PEOPLE = {
    "NO1": (
        ("ANNA", "Anna Eksempel", "SENIOR"),
        ("BJARNE", "Bjarne Eksempel", "ADVISOR"),
        ("CAMILLA", "Camilla Eksempel", "CONSULTANT"),
        ("DAGNY", "Dagny Eksempel", "CONSULTANT"),
        ("EMIL", "Emil Eksempel", "SENIOR"),
        ("FRODE", "Frode Eksempel", "TRAINEE"),
    ),
    "HR1": (
        ("IVA", "Iva Primjer", "SENIOR"),
        ("JOSIP", "Josip Primjer", "CONSULTANT"),
        ("KATA", "Kata Primjer", "ADVISOR"),
    ),
}

# code: name, class, item tax group, whether it is a disbursement
CATEGORIES = {
    "WORK": ("Work", "time", "SERVICES", False),
    "TRAVEL": ("Travel", "expense", "SERVICES", False),
    "HOTEL": ("Hotel", "expense", "SERVICES", False),
    "MILEAGE": ("Mileage", "expense", "SERVICES", False),
    "PUBLIC": ("Public fees paid for the customer", "expense", "OUTSIDE", True),
    "HOSTING": ("Hosting", "fee", "SERVICES", False),
}

# company: number, name, company number (Germans: VAT number), country, language, billing tax group,
# payment term, buyer reference
CUSTOMERS = {
    "NO1": (
        ("10001", "Fjordlys Kraft AS (demo)", "000010014", "NO", "nb", "DOMESTIC", "NET30", ""),
        ("10002", "Havblikk Rederi AS (demo)", "000010022", "NO", "nb", "DOMESTIC", "NET14", ""),
        ("10003", "Nordvik Kommune (demo)", "000010030", "NO", "nb", "DOMESTIC", "NET30", "DEMO-4711"),
        ("10004", "Tindefall Sparebank (demo)", "000010049", "NO", "nb", "DOMESTIC", "EOM15", ""),
        ("10005", "Brisen Helse AS (demo)", "000010057", "NO", "nb", "DOMESTIC", "NET30", ""),
        ("10006", "Lakselva Sjømat AS (demo)", "000010065", "NO", "nb", "DOMESTIC", "NET14", ""),
        (
            "10007",
            "Wolkenfeld Maschinen GmbH (demo)",
            "DE999000009",
            "DE",
            "en",
            "EXPORT",
            "NET30",
            "WF-DEMO",
        ),
        ("10008", "Sørhav Forsikring AS (demo)", "000010081", "NO", "nb", "DOMESTIC", "EOM15", ""),
    ),
    "HR1": (
        ("20001", "Plavi Val Turizam d.o.o. (demo)", "00000000010", "HR", "en", "DOMESTIC", "NET30", ""),
        ("20002", "Kamen Grad Promet d.o.o. (demo)", "00000000028", "HR", "en", "DOMESTIC", "NET14", ""),
        ("20003", "Bergfalke Logistik GmbH (demo)", "DE999000017", "DE", "en", "EU", "NET30", "BF-DEMO"),
        ("20004", "Brume du Nord SARL (demo)", "000000018", "FR", "en", "EU", "EOM15", ""),
    ),
}


@dataclass(frozen=True)
class Line:
    """A contract line; `shares` are its customers' splits if they differ from the contract's."""

    name: str = "Consulting"
    tasks: tuple = ()
    amount: int = 0  # a fixed price, with its milestones as pairs (month, amount), or a number of equal ones
    milestones: tuple = ()
    equal: int = 0
    limit: int = 0
    customer_limit: int = 0  # of the line's first customer


@dataclass(frozen=True)
class Deal:
    """A contract with its project and its team.

    `billing` is an invoice frequency, or the number of months between invoices that are created by hand.
    """

    code: str
    name: str
    customers: tuple
    team: tuple
    lines: tuple = (Line(),)
    billing: str | int = "MONTHLY"
    currency: str = ""
    agreed_rate: str = ""
    profile: str = ""
    limit: int = 0
    customer_limit: int = 0  # of the first customer
    starts: int = 0
    until: int = 0  # the month in which the work ended
    is_draft: bool = False
    order: str = ""
    tasks: tuple = ("ANALYSIS", "BUILD", "SUPPORT")
    sells: str = ""  # further classes in addition to time and travel: "material" or "fee"


_THIRDS = (("10001", "33.33"), ("10002", "33.33"), ("10008", "33.34"))

DEALS = {
    "NO1": (
        Deal("C-1001", "Grid operations support", (("10001", "100"),), ("ANNA", "CAMILLA"), sells="fee"),
        Deal(
            "C-1002", "Fleet reporting", (("10002", "100"),), ("DAGNY", "EMIL"), billing="BIWEEKLY", starts=10
        ),
        Deal(
            "C-1003",
            "Citizen services under a framework agreement",
            (("10003", "100"),),
            ("ANNA", "DAGNY", "FRODE"),
            billing=3,
            order="NK-DEMO-2211",
        ),
        Deal(
            "C-1004",
            "Payment hub, fixed price",
            (("10004", "100"),),
            ("BJARNE", "EMIL"),
            lines=(
                Line(
                    "Payment hub",
                    amount=1200000,
                    milestones=((2, 240000), (5, 360000), (9, 360000), (14, 240000)),
                ),
            ),
        ),
        Deal("C-1005", "Shared weather data", _THIRDS, ("CAMILLA", "EMIL"), billing="QUARTERLY"),
        Deal("C-1006", "Patient logistics", (("10005", "100"),), ("ANNA", "BJARNE"), billing=3, limit=330000),
        Deal(
            "C-1007",
            "Catch traceability",
            (("10006", "100"),),
            ("DAGNY", "FRODE"),
            lines=(Line(limit=240000),),
            billing="QUARTERLY",
        ),
        Deal(
            "C-1008",
            "Emergency plans",
            (("10005", "50"), ("10003", "50")),
            ("BJARNE", "CAMILLA"),
            billing=3,
            customer_limit=200000,
        ),
        Deal(
            "C-1009",
            "Claims and lending data",
            (("10004", "60"), ("10008", "40")),
            ("ANNA", "EMIL"),
            billing="QUARTERLY",
            lines=(Line(customer_limit=220000),),
        ),
        Deal(
            "C-1010",
            "Plant monitoring",
            (("10007", "100"),),
            ("BJARNE", "DAGNY"),
            currency="EUR",
            billing="QUARTERLY",
        ),
        Deal(
            "C-1011",
            "Spare parts portal at an agreed rate",
            (("10007", "100"),),
            ("CAMILLA", "EMIL"),
            currency="EUR",
            agreed_rate="11.40",
            billing=3,
        ),
        Deal(
            "C-1012",
            "Actuarial models",
            (("10008", "100"),),
            ("ANNA", "BJARNE"),
            billing="QUARTERLY",
            profile="ACCRUE",
        ),
        Deal(
            "C-1013",
            "Substation digital twin",
            (("10001", "100"),),
            ("DAGNY", "FRODE"),
            lines=(Line("Digital twin", amount=900000, milestones=((3, 300000), (8, 300000), (13, 300000))),),
            profile="BALANCE",
        ),
        Deal(
            "C-1014",
            "Smokehouse automation, not signed yet",
            (("10006", "100"),),
            ("CAMILLA", "FRODE"),
            starts=10,
            is_draft=True,
        ),
        Deal(
            "C-1015",
            "Branch offices: advice and delivery",
            (("10004", "100"),),
            ("BJARNE", "EMIL"),
            billing="QUARTERLY",
            lines=(
                Line("Advice", tasks=("ANALYSIS",)),
                Line(
                    "Delivery",
                    tasks=("BUILD", "SUPPORT"),
                    amount=480000,
                    milestones=((4, 160000), (7, 160000), (11, 160000)),
                ),
            ),
        ),
        Deal(
            "C-1016",
            "Sensors in public buildings",
            (("10003", "100"),),
            ("CAMILLA", "DAGNY", "FRODE"),
            billing="QUARTERLY",
            sells="material",
        ),
        Deal(
            "C-1017",
            "Cold chain between ship and shore",
            (("10002", "70"), ("10006", "30")),
            ("ANNA", "EMIL"),
            lines=(Line("Cold chain", amount=640000, equal=4),),
        ),
    ),
    "HR1": (
        Deal("C-2001", "Booking platform", (("20001", "100"),), ("IVA", "JOSIP"), sells="fee"),
        Deal("C-2002", "Shop renewal", (("20002", "100"),), ("JOSIP", "KATA"), billing=3, until=7),
        Deal(
            "C-2003",
            "Route planner, fixed price",
            (("20003", "100"),),
            ("KATA", "IVA"),
            lines=(Line("Route planner", amount=90000, milestones=((3, 30000), (6, 30000), (12, 30000))),),
        ),
        Deal("C-2004", "Harbor fog alerts", (("20004", "100"),), ("IVA", "JOSIP"), billing=3),
        Deal(
            "C-2005",
            "Warehouse assistant",
            (("20003", "100"),),
            ("JOSIP", "KATA"),
            billing="QUARTERLY",
            profile="ACCRUE",
        ),
        Deal(
            "C-2006",
            "Stock counts",
            (("20002", "75"), ("20001", "25")),
            ("IVA", "KATA"),
            billing="QUARTERLY",
            lines=(Line(limit=34000),),
        ),
        Deal(
            "C-2007",
            "Season forecast",
            (("20001", "100"),),
            ("KATA", "JOSIP"),
            lines=(Line("Season forecast", amount=48000, equal=4),),
            profile="BALANCE",
        ),
        Deal("C-2008", "Design office", (("20004", "100"),), ("IVA", "KATA"), billing="QUARTERLY"),
    ),
}

# The state of the last weeks: which contract is left in which state, for each company.
LEFT = {
    "NO1": {
        "ready": ("C-1001", "C-1012"),
        "draft": ("C-1003",),
        "review": ("C-1008",),
        "open": ("C-1011",),
        "blocked": ("C-1010",),
        "no price": ("C-1003", "FRODE"),
        "canceled": ("C-1016",),
        "over": ("C-1006",),
    },
    "HR1": {
        "ready": ("C-2001",),
        "draft": ("C-2008",),
        "review": (),
        "open": ("C-2004",),
        "blocked": ("C-2005",),
        "no price": None,
        "canceled": ("C-2002",),
        "over": ("C-2006",),
    },
}

# The contracts of the small demo: those above, and one of each other kind.
SMALL = {
    *("C-1001", "C-1003", "C-1004", "C-1006", "C-1008", "C-1010", "C-1011", "C-1012", "C-1014", "C-1016"),
    *("C-2001", "C-2002", "C-2004", "C-2005", "C-2006", "C-2007", "C-2008"),
}

# Descriptions of hours, by task.
WORDS = {
    "ANALYSIS": ("Workshop with the users", "Analyzed the present process", "Wrote the requirements"),
    "BUILD": ("Built the first version", "Tests and review", "Deployed to production", "Fixed reported bugs"),
    "SUPPORT": ("Answered questions", "Trained new users", "Monitored the nightly run"),
}
TASK_NAMES = {"ANALYSIS": "Analysis", "BUILD": "Build", "SUPPORT": "Support"}
