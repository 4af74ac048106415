"""Which account is used for a purpose, and which cost and revenue profile applies (JRN-5, MON-8)."""

from collections import defaultdict

from contracts.models import Category, LegalEntity, Project, ProjectContract
from invoicing_site.floor.errors import Refused
from ledger.models import Account, PostingAccount, Profile, ProfileAssignment

_ACCOUNTS = "admin:ledger_postingaccount_changelist"


class AccountBook:
    """The posting accounts of one entity, read in one query."""

    def __init__(self, entity: LegalEntity, rows: list[PostingAccount]):
        self._entity = entity
        self._rows = defaultdict(list)
        for row in rows:
            self._rows[row.purpose].append(row)
        self._found: dict[tuple, Account | Refused] = {}

    @classmethod
    def load(cls, entity: LegalEntity) -> "AccountBook":
        return cls(entity, list(PostingAccount.objects.filter(entity=entity).select_related("account")))

    def account(
        self,
        purpose: str,
        *,
        profile: Profile | None = None,
        transaction_class: str = "",
        category_id: int | None = None,
    ) -> Account:
        """The account of the most specific row that fits; an empty field of a row means any.

        Of two equally specific rows, the one with the category wins, then the one with the profile.
        Refused if no row fits (ACCOUNT-MISSING), or if its account is inactive (ACCOUNT-INACTIVE).
        """
        asked = (purpose, profile.pk if profile else None, transaction_class, category_id)
        if asked not in self._found:
            # A refusal is stored too: thousands of lines may need the missing account.
            try:
                self._found[asked] = self._search(*asked)
            except Refused as refusal:
                self._found[asked] = refusal
        found = self._found[asked]
        if isinstance(found, Refused):
            raise Refused.because(found.reason)
        return found

    def _search(self, purpose, profile_id, transaction_class, category_id):
        fitting = [
            row
            for row in self._rows[purpose]
            if row.profile_id in (None, profile_id)
            and row.transaction_class in ("", transaction_class)
            and row.category_id in (None, category_id)
        ]
        label = PostingAccount.Purpose(purpose).label
        if not fitting:
            if case := self._case(profile_id, transaction_class, category_id):
                raise Refused(
                    "ACCOUNT-MISSING-FOR", entity=self._entity, purpose=label, case=case, remedy=_ACCOUNTS
                )
            raise Refused("ACCOUNT-MISSING", entity=self._entity, purpose=label, remedy=_ACCOUNTS)
        account = max(fitting, key=_specificity).account
        if not account.is_active:
            raise Refused(
                "ACCOUNT-INACTIVE", account=account, entity=self._entity, purpose=label, remedy=_ACCOUNTS
            )
        return account

    def _case(self, profile_id, transaction_class, category_id) -> list[str]:
        """The purpose of the account, as text. Queries, so it is called only for a refusal."""
        case = [f"class {transaction_class}"] if transaction_class else []
        if category_id is not None:
            case.append(f"category {Category.objects.get(pk=category_id)}")
        if profile_id is not None:
            case.append(f"profile {Profile.objects.get(pk=profile_id)}")
        return case


def _specificity(row):
    given = row.category_id is not None, row.profile_id is not None, row.transaction_class != ""
    return sum(given), given


class ProfileBook:
    """The cost and revenue profiles of one entity and where they apply, read in one query."""

    def __init__(self, entity: LegalEntity, assignments: list[ProfileAssignment]):
        self._entity = entity
        self._by_project, self._by_contract, self._by_group, self._rest = {}, {}, {}, None
        for row in assignments:
            if row.project_id is not None:
                self._by_project[row.project_id] = row.profile
            elif row.contract_id is not None:
                self._by_contract[row.contract_id] = row.profile
            elif row.group_id is not None:
                self._by_group[row.group_id] = row.profile
            else:
                self._rest = row.profile

    @classmethod
    def load(cls, entity: LegalEntity) -> "ProfileBook":
        return cls(entity, list(ProfileAssignment.objects.filter(entity=entity).select_related("profile")))

    def profile(self, project: Project | None, contract: ProjectContract | None) -> Profile:
        """The profile of the project, else of the contract, else of the project's group, else of the entity.

        Refused (PROFILE-MISSING) if none of them has one.
        """
        found = (
            (project and self._by_project.get(project.pk))
            or (contract and self._by_contract.get(contract.pk))
            or (project and self._by_group.get(project.group_id))
            or self._rest
        )
        if not found:
            what = project or contract or self._entity
            raise Refused(
                "PROFILE-MISSING", what=what, entity=self._entity, remedy="admin:ledger_profile_changelist"
            )
        return found
