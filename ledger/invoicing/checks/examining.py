"""How checks are registered and run.

A check looks at what was loaded and returns what is wrong as reasons, with the page where it can be fixed. A
proposal with errors can't be posted; warnings do not stop it.
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from invoicing_site.floor.errors import Refused
from invoicing_site.floor.reasons import Reason
from ledger.invoicing.load import InvoiceFacts
from ledger.invoicing.plan import InvoicePlan, plan_invoice
from ledger.models import InvoiceProposal

ERROR, WARNING = "error", "warning"

# The checks behind these refusals; other refusals have the name of their check as code.
_CHECKS = {
    "PERIOD-MISSING": "PERIOD-OPEN",
    "PERIOD-CLOSED": "PERIOD-OPEN",
    "ACCOUNT-INACTIVE": "ACCOUNT-MISSING",
    "ACCOUNT-MISSING-FOR": "ACCOUNT-MISSING",
    "TAX-ACCOUNT-MISSING": "ACCOUNT-MISSING",
    "BILLING-GROUP-MISSING": "TAX-MISSING",
    "ITEM-GROUP-MISSING": "TAX-MISSING",
    "TAX-CODE-MISSING": "TAX-MISSING",
    "TAX-RATE-MISSING": "TAX-MISSING",
}


@dataclass(frozen=True)
class CheckResult:
    """One result of a check: `code` is the name of the check, `reason` says what it found."""

    code: str
    severity: str
    reason: Reason

    @property
    def message(self) -> str:
        return self.reason.sentence

    @property
    def remedy(self) -> str:
        """The URL name or path of the page where it can be fixed; empty if there is none."""
        return self.reason.remedy

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR

    @classmethod
    def of_refusal(cls, refusal: Refused) -> "CheckResult":
        """The error for a refusal, under the name of the check that finds it."""
        return cls(_CHECKS.get(refusal.code, refusal.code), ERROR, refusal.reason)


@dataclass(frozen=True)
class Examined:
    """The arguments of a check. The plan is set for checks that need it."""

    facts: InvoiceFacts
    plan: InvoicePlan | None


@dataclass(frozen=True)
class Examination:
    """The results of all checks, and the plan with the totals if it could be made (PRP-5)."""

    facts: InvoiceFacts
    plan: InvoicePlan | None
    results: list[CheckResult]

    @property
    def errors(self) -> list[CheckResult]:
        return [result for result in self.results if result.is_error]

    def refuse_errors(self):
        """Refused with the reasons of all errors."""
        if errors := self.errors:
            raise Refused.because(*(error.reason for error in errors))


Check = Callable[[Examined], Iterable[CheckResult]]
_before_planning: dict[str, Check] = {}
_of_the_plan: dict[str, Check] = {}


def named(code: str, *, needs_plan: bool = False):
    """Register a check under its name; one that needs the plan runs only if there is one."""

    def register(check: Check) -> Check:
        assert code not in codes(), f"The check {code} exists already."
        (_of_the_plan if needs_plan else _before_planning)[code] = check
        return check

    return register


def codes() -> list[str]:
    """The names of all checks, in the order in which they run."""
    return [*_before_planning, *_of_the_plan]


def check(proposal: InvoiceProposal, *, on: datetime.date) -> list[CheckResult]:
    """The results of the checks if the proposal is posted on that day, errors first."""
    proposal = InvoiceProposal.objects.select_related("dimensions").get(pk=proposal.pk)
    return examine(InvoiceFacts.load(proposal, on=on)).results


def examine(facts: InvoiceFacts) -> Examination:
    """Run all checks, and make the plan if nothing that it needs is missing."""
    results = _made(_before_planning, Examined(facts, None))
    plan = None
    if facts.proposal.status != InvoiceProposal.Status.BLOCKED:
        try:
            plan = plan_invoice(facts)
        except Refused as refusal:
            error = CheckResult.of_refusal(refusal)
            if error.code not in {result.code for result in results}:
                results.append(error)
    if plan:
        results += _made(_of_the_plan, Examined(facts, plan))
    results.sort(key=lambda result: not result.is_error)
    return Examination(facts, plan, results)


def _made(checks, examined) -> list[CheckResult]:
    return [result for check in checks.values() for result in check(examined)]
