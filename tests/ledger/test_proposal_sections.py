"""The layout of a proposal: sections, summaries, and defaults (PRP-3)."""

from decimal import Decimal

import pytest

from invoicing_site.floor.errors import Refused
from ledger.invoicing.operations.posting import post
from ledger.invoicing.operations.proposals import format_sections, refill_lines
from ledger.invoicing.sections import SectionFormat
from ledger.models import ProposalLayout
from tests import factories
from tests.ledger.billing import MARCH_31, proposed, work

pytestmark = pytest.mark.django_db


@pytest.fixture
@factories.remembered
def two_lines(no1):
    """A contract with two lines, the second on another project."""
    tower = factories.ProjectFactory(entity=no1.entity, name="Tower")
    return factories.contract(
        no1, lines=[{"name": "Bridge"}, {"name": "Tower", "project": tower}], confirmed=True
    )


def test_each_contract_line_has_a_section_by_default(no1, two_lines):
    """PRP-3"""
    first, second = two_lines.lines.order_by("number")
    items = [work(no1, two_lines, line=second, task=None), work(no1, two_lines, line=first)]

    proposal = proposed(no1, *items)

    sections = proposal.sections.order_by("number")
    assert [(s.number, s.title, s.mode, s.lines.count()) for s in sections] == [
        (1, "Bridge", "detail", 1),
        (2, "Tower", "detail", 1),
    ]


def test_the_most_specific_layout_is_used(no1, two_lines):
    """PRP-3: contract before customer before entity."""
    items = [work(no1, two_lines, line=line, task=None) for line in two_lines.lines.all()]
    entity = no1.entity
    ProposalLayout.objects.create(entity=entity, section_for_each_line=False)
    ProposalLayout.objects.create(entity=entity, customer=no1.customer, mode="summary", summary_by="role")
    proposal = proposed(no1, *items)
    assert [(s.mode, s.summary_by) for s in proposal.sections.all()] == [("summary", "role")] * 2

    ProposalLayout.objects.create(
        entity=entity, contract=two_lines, mode="summary", summary_by="month", section_for_each_line=False
    )
    refill_lines(proposal, by=no1.accountant)
    assert [(s.title, s.summary_by) for s in proposal.sections.all()] == [("", "month")]


def test_formatting_moves_lines_and_does_not_change_amounts(no1, contract):
    """PRP-3 and section 13, 3: sections add up to the lines, before and after"""
    proposal = proposed(no1, *(work(no1, contract, "1", price) for price in ("10.10", "20.20", "30.30")))
    first, second, third = proposal.lines.order_by("number")

    format_sections(
        proposal,
        [
            SectionFormat([third], title="Late work"),
            SectionFormat([second, first], title="Early work", mode="summary", summary_by="week"),
        ],
        by=no1.accountant,
    )

    sections = proposal.sections.order_by("number")
    assert [(s.title, s.mode, sum(line.amount for line in s.lines.all())) for s in sections] == [
        ("Late work", "detail", Decimal("30.30")),
        ("Early work", "summary", Decimal("30.30")),
    ]
    invoice = post(proposal, by=no1.accountant, on=MARCH_31)
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("60.60"), Decimal("15.15"), Decimal("75.75"))
    assert [(line.section_title, line.summary, line.net) for line in invoice.lines.order_by("number")] == [
        ("Late work", "", Decimal("30.30")),
        ("Early work", "Week 11, 2025", Decimal("10.10")),
        ("Early work", "Week 11, 2025", Decimal("20.20")),
    ]


def test_fewer_sections_leave_no_empty_one(no1, two_lines):
    """PRP-3"""
    items = [work(no1, two_lines, line=line, task=None) for line in two_lines.lines.all()]
    proposal = proposed(no1, *items)

    format_sections(proposal, [SectionFormat(list(proposal.lines.all()))], by=no1.accountant)

    assert [section.lines.count() for section in proposal.sections.all()] == [2]


@pytest.mark.parametrize("wrong", ["missing", "twice", "foreign"])
def test_every_line_is_in_exactly_one_section(no1, contract, wrong):
    """PRP-3"""
    proposal = proposed(no1, work(no1, contract), work(no1, contract))
    foreign = proposed(no1, work(no1, contract)).lines.get()
    first, second = proposal.lines.order_by("number")
    sections = {
        "missing": [[first]],
        "twice": [[first, second], [second]],
        "foreign": [[first, second, foreign]],
    }

    with pytest.raises(Refused, match="exactly one section"):
        format_sections(proposal, [SectionFormat(lines) for lines in sections[wrong]], by=no1.accountant)


@pytest.mark.parametrize(
    ("by", "language", "text"),
    [
        ("role", "en", "Consultant"),
        ("task", "en", "Design"),
        ("category", "en", "Work"),
        ("week", "en", "Week 11, 2025"),
        ("week", "nb", "Uke 11, 2025"),
        ("month", "en", "March 2025"),
        ("month", "nb", "mars 2025"),
    ],
)
def test_a_summary_is_named_in_the_customers_language(no1, contract, by, language, text):
    """PRP-3: stored on the invoice."""
    no1.customer.language = language
    no1.customer.save()
    proposal = proposed(no1, work(no1, contract))
    section = SectionFormat([proposal.lines.get()], mode="summary", summary_by=by)
    format_sections(proposal, [section], by=no1.accountant)

    invoice = post(proposal, by=no1.accountant, on=MARCH_31)

    assert invoice.lines.get().summary == text
