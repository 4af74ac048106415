"""Which line covers a piece of work, and whether it is charged."""

import datetime

import pytest
from django.utils import timezone

from contracts.chargeability import Coverage, colliding_lines
from contracts.models import ContractRevision
from tests import factories
from tests.factories import CategoryFactory, ContractRevisionFactory, ProjectFactory, RoleFactory, TaskFactory

DAY = datetime.date(2025, 3, 10)


@pytest.fixture
def it(db):
    return factories.company(books=False)


def contract_of(it, *lines, confirmed=True, **fields):
    return factories.contract(it, lines=lines, confirmed=confirmed, **fields)


def ask(it, **fields):
    work = {
        "transaction_class": "time",
        "project_id": it.project.pk,
        "task_id": it.task.pk,
        "date": DAY,
        "role_id": it.role.pk,
        "category_id": None,
    }
    return Coverage.load(it.entity, [it.project.pk]).line_for(**{**work, **fields})


def is_chargeable(it, **fields):
    return ask(it, **fields).is_chargeable


def expense(it, **fields):
    return {"transaction_class": "expense", "category_id": it.travel.pk, **fields}


# Covered or not: CON-2, CON-3, CON-6


def test_a_line_on_the_entire_project_covers_every_task_and_none(it):
    """CON-2"""
    line = contract_of(it, {}).lines.get()

    assert ask(it).line == line
    assert ask(it, task_id=None).line == line
    assert ask(it, task_id=TaskFactory(project=it.project).pk).line == line


def test_another_project_is_not_covered(it):
    """CON-2"""
    contract_of(it, {})
    other = ProjectFactory(entity=it.entity)

    assert Coverage.load(it.entity, [other.pk]).line_for("time", other.pk, None, DAY) is None


def test_a_line_on_selected_tasks_covers_these_only(it):
    """CON-3: and not the tasks below them, nor work without a task."""
    line = contract_of(it, {"tasks": [it.task]}).lines.get()
    child = TaskFactory(project=it.project, parent=it.task)

    assert ask(it).line == line
    assert ask(it, task_id=child.pk) is None
    assert ask(it, task_id=None) is None


@pytest.mark.parametrize("excluded", ["time", "expense", "material", "fee"])
def test_a_class_that_is_not_included_is_not_available(it, excluded):
    """CON-3"""
    contract_of(it, {f"includes_{excluded}": False})

    for transaction_class in ("time", "expense", "material", "fee"):
        found = ask(it, transaction_class=transaction_class)
        assert (found is None) is (transaction_class == excluded)


def test_classes_of_one_project_can_be_on_different_lines(it):
    """CON-2"""
    others = {"includes_expense": False, "includes_material": False, "includes_fee": False}
    hours, rest = contract_of(it, others, {"includes_time": False}).lines.all()

    assert ask(it).line == hours
    assert ask(it, **expense(it)).line == rest


@pytest.mark.parametrize("status", ["draft", "closed"])
def test_only_confirmed_contracts_cover_anything(it, status):
    """CON-6"""
    contract = contract_of(it, {})
    contract.status = status
    contract.save()

    assert ask(it) is None


@pytest.mark.parametrize(("day", "covered"), [(4, False), (5, True), (20, True), (21, False)])
def test_a_line_covers_its_own_days(it, day, covered):
    """CON-2"""
    contract_of(it, {"starts": datetime.date(2025, 3, 5), "ends": datetime.date(2025, 3, 20)})

    assert (ask(it, date=datetime.date(2025, 3, day)) is not None) is covered


def test_another_entitys_lines_cover_nothing(it):
    """CON-2"""
    contract_of(it, {})
    other = factories.company("SE1", "SEK", books=False)

    assert Coverage.load(other.entity, [it.project.pk]).line_for("time", it.project.pk, None, DAY) is None


def revised(it, contract, *, status):
    """Line 1 is replaced by line 2 from 15 March on."""
    revision = ContractRevisionFactory(
        contract=contract, effective_on=datetime.date(2025, 3, 15), status=status
    )
    if status == ContractRevision.Status.CONFIRMED:
        revision.confirmed_at = timezone.now()
        revision.save()
    old = contract.lines.get()
    return old, factories.contract_line(contract, project=it.project, revision=revision, replaces=old)


def test_a_draft_revision_covers_nothing(it):
    """CON-6"""
    old, new = revised(it, contract_of(it, {}), status="draft")

    assert ask(it).line == old
    assert ask(it, date=datetime.date(2025, 3, 31)).line == old


def test_a_confirmed_revision_applies_from_its_day(it):
    """CON-10"""
    old, new = revised(it, contract_of(it, {}), status="confirmed")

    assert ask(it, date=datetime.date(2025, 3, 14)).line == old
    assert ask(it, date=datetime.date(2025, 3, 15)).line == new


# Chargeable or not: CON-3


def test_tasks_do_not_matter_on_the_entire_project(it):
    """CON-3"""
    contract = contract_of(it, {})
    factories.ContractLineTaskFactory(line=contract.lines.get(), task=it.task, is_chargeable=False)

    assert is_chargeable(it)


@pytest.mark.parametrize("transaction_class", ["time", "expense", "material", "fee"])
def test_a_selected_task_that_is_not_chargeable_charges_nothing(it, transaction_class):
    """CON-3"""
    contract_of(it, {"tasks": [(it.task, False)]})

    assert not is_chargeable(it, transaction_class=transaction_class)


@pytest.mark.parametrize(
    ("on_the_line", "in_the_master", "expected"),
    [
        (None, True, True),
        (None, False, False),
        (True, False, True),
        (False, True, False),
        (True, True, True),
        (False, False, False),
    ],
)
def test_time_uses_the_line_and_then_the_role(it, on_the_line, in_the_master, expected):
    """CON-3"""
    role = RoleFactory(entity=it.entity, is_chargeable=in_the_master)
    contract_of(it, {"roles": [] if on_the_line is None else [(role, on_the_line)]})

    assert is_chargeable(it, role_id=role.pk) is expected


@pytest.mark.parametrize(
    ("on_the_line", "in_the_master", "expected"),
    [(None, True, True), (None, False, False), (True, False, True), (False, True, False)],
)
@pytest.mark.parametrize("transaction_class", ["expense", "fee"])
def test_expenses_use_the_line_and_then_the_category(
    it, transaction_class, on_the_line, in_the_master, expected
):
    """CON-3"""
    category = CategoryFactory(
        entity=it.entity, transaction_class=transaction_class, is_chargeable=in_the_master
    )
    contract_of(it, {"categories": [] if on_the_line is None else [(category, on_the_line)]})

    assert is_chargeable(it, transaction_class=transaction_class, category_id=category.pk) is expected


def test_each_class_uses_only_its_own_settings(it):
    """CON-3: time does not use its category, expenses do not use their role, material uses neither."""
    role = RoleFactory(entity=it.entity, is_chargeable=False)
    category = CategoryFactory(entity=it.entity, is_chargeable=False)
    contract_of(it, {})

    assert is_chargeable(it, category_id=category.pk)
    assert is_chargeable(it, **expense(it, role_id=role.pk))
    assert is_chargeable(it, transaction_class="material", role_id=role.pk, category_id=category.pk)


def test_task_and_role_must_both_hold(it):
    """CON-3"""
    role = RoleFactory(entity=it.entity, is_chargeable=False)
    contract_of(it, {"tasks": [it.task]})

    assert is_chargeable(it)
    assert not is_chargeable(it, role_id=role.pk)


def test_coverage_is_read_in_as_many_queries_for_one_line_as_for_twenty(it, django_assert_num_queries):
    """CON-3"""
    projects = [it.project, *(ProjectFactory(entity=it.entity) for _ in range(19))]
    contract_of(it, *({"project": project, "roles": [it.role]} for project in projects))

    with django_assert_num_queries(8):
        coverage = Coverage.load(it.entity, [project.pk for project in projects])
    with django_assert_num_queries(0):
        for project in projects:
            found = coverage.line_for("time", project.pk, None, DAY, it.role.pk)
            assert found.is_chargeable
            assert found.line.contract.currency == "NOK"
            assert [share.contract_customer.split for share in found.line.customers.all()] == [100]


# Collisions: CON-2


def collisions(contract, **fields):
    return [(first.name, second.name) for first, second in colliding_lines(contract, **fields)]


def test_two_lines_on_the_entire_project_collide(it):
    """CON-2"""
    contract_of(it, {"name": "theirs"})
    draft = contract_of(it, {"name": "ours"}, confirmed=False)

    assert collisions(draft) == [("ours", "theirs")]


def test_lines_of_drafts_and_of_closed_contracts_do_not_collide(it):
    """CON-2"""
    contract_of(it, {}, confirmed=False)
    contract_of(it, {}, confirmed=False, status="closed")

    assert collisions(contract_of(it, {}, confirmed=False)) == []


def test_lines_of_one_contract_collide_once_a_pair(it):
    """CON-2"""
    draft = contract_of(it, {"name": "a"}, {"name": "b"}, confirmed=False)

    assert collisions(draft) == [("a", "b")]


def test_lines_without_a_common_class_do_not_collide(it):
    """CON-2"""
    contract_of(it, {"includes_expense": False, "includes_material": False, "includes_fee": False})

    assert collisions(contract_of(it, {"includes_time": False}, confirmed=False)) == []
    assert len(collisions(contract_of(it, {}, confirmed=False))) == 1


@pytest.mark.parametrize(("starts", "collide"), [(1, False), (31, True)])
def test_lines_whose_days_do_not_overlap_do_not_collide(it, starts, collide):
    """CON-2"""
    contract_of(it, {"ends": datetime.date(2025, 3, 31)})
    starts = datetime.date(2025, 3, 31) if starts == 31 else datetime.date(2025, 4, 1)
    draft = contract_of(it, {"starts": starts}, confirmed=False)

    assert bool(collisions(draft)) is collide


def test_selected_tasks_collide_where_they_are_the_same(it):
    """CON-2"""
    other = TaskFactory(project=it.project)
    contract_of(it, {"tasks": [it.task]})

    assert collisions(contract_of(it, {"tasks": [other]}, confirmed=False)) == []
    assert len(collisions(contract_of(it, {"tasks": [other, it.task]}, confirmed=False))) == 1


def test_the_entire_project_collides_with_any_selected_task(it):
    """CON-2: also with a task that is not chargeable, and in either order."""
    contract_of(it, {"tasks": [(it.task, False)]})
    assert len(collisions(contract_of(it, {}, confirmed=False))) == 1

    project = ProjectFactory(entity=it.entity)
    contract_of(it, {"project": project})
    task = TaskFactory(project=project)
    assert len(collisions(contract_of(it, {"project": project, "tasks": [task]}, confirmed=False))) == 1


def test_lines_on_different_projects_do_not_collide(it):
    """CON-2"""
    contract_of(it, {})
    other = ProjectFactory(entity=it.entity)

    assert collisions(contract_of(it, {"project": other}, confirmed=False)) == []


def test_a_revised_line_does_not_collide_with_the_one_it_replaces(it):
    """CON-10"""
    contract = contract_of(it, {"name": "old"})
    _, new = revised(it, contract, status="draft")

    assert collisions(contract) == []
    assert collisions(contract, revision=new.revision) == []
    new.replaces = None
    new.save()
    assert collisions(contract, revision=new.revision) == [("old", new.name)]
