"""Which rows a user can see, and what the user can do with them (SEC-1)."""

from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from actuals.models import Entry
from contracts.models import (
    Customer,
    Membership,
    Project,
    ProjectContract,
    may,
    overrides_limits,
    sees_costs,
)
from contracts.models.permissions import PERMISSIONS
from invoicing_site.models import User
from tests.factories import UserFactory, company, contract, time_entry
from tests.factories.rows import LegalEntityFactory, MembershipFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def joined(it, role, **fields):
    user = UserFactory(**fields)
    MembershipFactory(user=user, entity=it.entity, role=role)
    return user


def again(user):
    """The same user, without cached roles."""
    return User.objects.get(pk=user.pk)


@pytest.fixture
def it():
    it = company()
    it.deal = contract(it)
    return it


def seen(model, user):
    return list(model.objects.visible_to(user).order_by("pk"))


def test_accountants_and_auditors_see_the_whole_company(it):
    """SEC-1"""
    for user in (it.accountant, it.auditor):
        assert seen(ProjectContract, user) == [it.deal]
        assert seen(Customer, user) == [it.customer]


def test_members_see_no_contracts(it):
    """SEC-1"""
    assert seen(ProjectContract, it.member) == []


def test_a_manager_reaches_the_contracts_that_name_them(it):
    """SEC-1"""
    other = joined(it, "manager")
    assert seen(ProjectContract, other) == []
    it.deal.managers.add(other)
    assert seen(ProjectContract, again(other)) == [it.deal]
    assert seen(Customer, again(other)) == [it.customer]


def test_a_manager_reaches_the_contracts_that_bill_their_project(it):
    """SEC-1"""
    other = joined(it, "manager")
    it.project.managers.add(other)
    assert seen(ProjectContract, other) == [it.deal]
    assert seen(Project, other) == [it.project]


def test_managing_a_project_without_the_role_gives_no_access(it):
    """SEC-1"""
    nobody = UserFactory()
    it.project.managers.add(nobody)
    it.deal.managers.add(nobody)
    assert seen(ProjectContract, nobody) == []
    assert seen(Project, again(joined(it, "member"))) == []


def test_a_role_in_one_company_is_none_in_another(it):
    """SEC-1"""
    away = company(code="AWAY")
    away.project.managers.add(it.manager)
    contract(away)
    assert seen(Project, it.manager) == [it.project]
    assert seen(ProjectContract, it.manager) == [it.deal]


def test_an_inactive_user_has_no_roles(it):
    it.accountant.is_active = False
    it.accountant.save()
    assert seen(ProjectContract, again(it.accountant)) == []


def test_members_see_their_own_entries_and_managers_those_of_their_projects(it):
    """SEC-1, APP-2"""
    own = time_entry(it)
    elsewhere = time_entry(it, project=ProjectFactory(entity=it.entity))
    assert seen(Entry, it.member) == [own, elsewhere]
    assert seen(Entry, it.manager) == [own]
    assert seen(Entry, joined(it, "member")) == []
    assert seen(Entry, it.accountant) == [own, elsewhere]


def test_a_manager_of_the_contract_only_cannot_approve(it):
    """APP-2: approvers are the managers of the project."""
    other = joined(it, "manager")
    it.deal.managers.add(other)
    time_entry(it)
    assert list(Entry.objects.reachable(other, "entry.approve")) == []


def test_a_row_is_listed_once(it):
    both = joined(it, "manager")
    it.deal.managers.add(both, it.manager)
    contract(it).managers.add(both)
    it.project.managers.add(both)
    for model in (ProjectContract, Customer, Project):
        rows = seen(model, both)
        assert len(rows) == len(set(rows)), model


def test_a_forbidden_action_on_a_visible_row_is_refused_with_its_name(it):
    """SEC-1"""
    with pytest.raises(PermissionDenied, match="Your roles don't let you"):
        ProjectContract.objects.all().require(it.auditor, "contract.confirm", it.deal.pk)
    with pytest.raises(ProjectContract.DoesNotExist):
        ProjectContract.objects.all().require(it.member, "contract.confirm", it.deal.pk)
    assert ProjectContract.objects.all().require(it.manager, "contract.confirm", it.deal.pk) == it.deal


def test_an_auditor_who_is_also_a_manager_can_change_managed_rows_only(it):
    """SEC-1: sees all rows as auditor, changes only rows they manage."""
    both = joined(it, "auditor")
    MembershipFactory(user=both, entity=it.entity, role="manager")
    assert seen(ProjectContract, both) == [it.deal]
    assert list(ProjectContract.objects.reachable(both, "contract.confirm")) == []


def test_costs_need_a_role_or_the_extra_permission(it):
    assert sees_costs(it.accountant, it.entity)
    assert sees_costs(it.auditor, it.entity)
    assert not sees_costs(it.manager, it.entity)
    it.manager.memberships.update(sees_costs=True)
    assert sees_costs(again(it.manager), it.entity)


def test_extra_permissions_of_a_membership_count_in_its_company_only(it):
    """SEC-1 PRO-6: a user who can see costs or exceed limits in one company is a plain manager in another."""
    other = LegalEntityFactory()
    MembershipFactory(user=it.manager, entity=other, role="manager", sees_costs=True, overrides_limits=True)
    user = again(it.manager)
    assert sees_costs(user, other)
    assert overrides_limits(user, other)
    assert not sees_costs(user, it.entity)
    assert not overrides_limits(user, it.entity)


def test_administrators_cannot_post_and_auditors_cannot_change_anything():
    """Section 11: no posting for administrators, nothing but reading for auditors."""
    role = Membership.Role
    for permission, roles in PERMISSIONS.items():
        if role.AUDITOR in roles:
            assert permission.endswith(".view"), permission
        if role.ADMINISTRATOR in roles:
            assert permission == "setup.change"


def test_may_checks_one_company_or_any(it):
    away = company(code="AWAY")
    assert may(it.manager, "backlog.mark", it.entity)
    assert not may(it.manager, "backlog.mark", away.entity)
    assert may(it.manager, "backlog.mark")
    assert not may(it.auditor, "backlog.mark")


def test_a_deleted_row_is_not_refused_for_its_role(it):
    """SEC-1: a row that is deleted during the check is not a question of roles."""
    entry = time_entry(it, status="draft")
    rows, get = Entry.objects.all(), QuerySet.get

    def gone_afterwards(self, *args, **kwargs):
        row = get(self, *args, **kwargs)
        Entry.objects.filter(pk=entry.pk).delete()
        return row

    with mock.patch.object(QuerySet, "get", gone_afterwards):
        assert rows.require(it.member, "entry.write", entry.pk) == entry
    with pytest.raises(Entry.DoesNotExist):
        rows.require(it.member, "entry.write", entry.pk)
