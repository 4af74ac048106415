"""The missing set-up of a legal entity before its first invoice can be posted: a list for administrators."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import F, Q
from django.urls import reverse

from contracts.models import (
    ExchangeRate,
    LegalEntity,
    Membership,
    NumberSequence,
    PriceList,
    ProjectContract,
)
from invoicing_site.admin.base import offered
from ledger.models import BillingTaxGroupCode, FiscalPeriod, ItemTaxGroupCode, PostingAccount, TaxRate
from ledger.setup.fiscal_years import ends_soon, what_to_do


@dataclass(frozen=True)
class Step:
    """One step of the set-up: what is missing (empty if it is done), and the page to add it."""

    title: str
    missing: str
    url: str


def steps_for(entity: LegalEntity) -> list[Step]:
    """All steps before the first invoice can be posted, in the order of the set-up."""
    today = entity.today()
    return [
        _step("People", "contracts_membership", entity, _roles(entity)),
        _step("Number sequences", "contracts_numbersequence", entity, _sequences(entity)),
        _step("Fiscal periods", "ledger_fiscalyear", entity, _periods(entity, today)),
        _step("Accounts to post to", "ledger_postingaccount", entity, _accounts(entity)),
        _step("Posting profile", "ledger_profileassignment", entity, _profile(entity)),
        _step("Tax", "ledger_taxcode", entity, _tax(entity, today)),
        _step("Sales prices", "contracts_pricelist", entity, _prices(entity, today)),
        _step("Exchange rates", "contracts_exchangerate", entity, _rates(entity, today)),
        _step("Contracts", "contracts_projectcontract", entity, _contracts(entity)),
    ]


def _step(title, page, entity, missing):
    address = reverse(f"admin:{page}_changelist")
    return Step(title, missing, f"{address}?{urlencode({'legal_entity': entity.pk})}")


def _roles(entity):
    held = set(entity.memberships.values_list("role", flat=True))
    role = Membership.Role
    lacking = [each.label for each in (role.MEMBER, role.MANAGER, role.ACCOUNTANT) if each not in held]
    return f"There is no {_listed(lacking, 'or')}." if lacking else ""


def _sequences(entity):
    there = set(entity.number_sequences.values_list("kind", flat=True))
    lacking = [kind.label for kind in NumberSequence.Kind if kind not in there]
    return f"No number sequence for: {_listed(lacking)}." if lacking else ""


def _periods(entity, today):
    periods = FiscalPeriod.objects.filter(entity=entity, status=FiscalPeriod.Status.OPEN)
    if not periods.filter(starts__lte=today, ends__gte=today).exists():
        return "No open period includes today."
    last = ends_soon(entity)
    return what_to_do(last).sentence if last else ""


def _accounts(entity):
    there = PostingAccount.objects.filter(entity=entity, profile=None, transaction_class="", category=None)
    there = set(there.values_list("purpose", flat=True))
    lacking = [purpose.label for purpose in PostingAccount.Purpose if purpose not in there]
    return f"No general posting account for: {_listed(lacking)}." if lacking else ""


def _profile(entity):
    everywhere = entity.profile_assignments.filter(project=None, contract=None, group=None)
    return "" if everywhere.exists() else "No posting profile is assigned to all projects."


def _tax(entity, today):
    rated = TaxRate.objects.filter(tax_code__entity=entity, valid_from__lte=today).values("tax_code")
    who = BillingTaxGroupCode.objects.filter(tax_code__in=rated).values("tax_code")
    if ItemTaxGroupCode.objects.filter(tax_code__in=who).exists():
        return ""
    return "No tax code with a rate is in both a billing tax group and an item tax group."


def _prices(entity, today):
    lists = entity.price_lists.filter(Q(valid_to=None) | Q(valid_to__gte=today), valid_from__lte=today)
    if lists.filter(kind=PriceList.Kind.SALES, role_prices__isnull=False).exists():
        return ""
    return "No sales price list that is valid today has a price for a role."


def _rates(entity, today):
    own = Q(currency=F("entity__currency"))
    used = set(ProjectContract.objects.filter(~own, entity=entity).values_list("currency", flat=True))
    official = ExchangeRate.objects.filter(
        entity=entity, rate_type=ExchangeRate.RateType.SPOT, valid_from__lte=today
    )
    lacking = sorted(used - set(official.values_list("currency", flat=True)))
    return f"No official exchange rate for: {_listed(lacking)}." if lacking else ""


def _contracts(entity):
    if ProjectContract.objects.filter(entity=entity).exists():
        return ""
    return "No contract yet: it needs a customer, a project and a price list."


def _listed(words, last="and"):
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def dashboard(request, context):
    """The administration's home page: the groups of the sidebar, and the steps of the selected entity."""
    seen = offered(admin.site, request, LegalEntity, seen=True)
    chosen = seen.filter(pk=request.entity.pk).first() if request.entity else None
    entity = chosen or seen.order_by("code").first()
    if entity is not None:
        steps = steps_for(entity)
        context |= {"company": entity, "steps": steps, "lacking": sum(bool(each.missing) for each in steps)}
    return context
