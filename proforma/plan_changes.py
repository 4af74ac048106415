"""Changes since a preview: hashes of the inputs of its plans (RUN-4)."""

import hashlib
from decimal import Decimal

from contracts.models import ProjectContract
from invoicing_site.floor.querysets import in_chunks
from invoicing_site.floor.reasons import Amount, Reason
from proforma.inputs import Scope, contracts_to_look_at, load_inputs
from proforma.models import RunPlanLine
from proforma.plans import plan_contract

# Contracts that are planned in one commit.
CHUNK = 200

# A refusal names at most this many changed contracts, and gives the number of the others.
_NAMED = 3


def current_digests(preview) -> dict[int, str]:
    """The digest of each contract's inputs as they are now, within the preview's restrictions."""
    scope = Scope.of(preview)
    pks = contracts_to_look_at(preview.entity, as_of=preview.as_of, scope=scope)
    digests: dict[int, str] = {}
    for chunk in in_chunks(pks, CHUNK):
        inputs = load_inputs(chunk, as_of=preview.as_of, scope=scope)
        digests |= {pk: found.digest(preview.as_of) for pk, found in inputs.items()}
    return digests


def digest_of(digests: dict[int, str]) -> str:
    """One hash over all contracts of a plan for which something is due."""
    lines = [f"{pk} {digest}" for pk, digest in sorted(digests.items()) if digest]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def difference(preview) -> list[Reason]:
    """The contracts whose plan would be different now."""
    then = dict(preview.run_contracts.values_list("contract", "digest"))
    now = current_digests(preview)
    changed = sorted(pk for pk in then.keys() | now.keys() if then.get(pk, "") != now.get(pk, ""))
    contracts = ProjectContract.objects.filter(pk__in=changed[:_NAMED])
    found = [_difference(preview, contract) for contract in contracts]
    if len(changed) > _NAMED:
        found.append(Reason("PLAN-MORE-CONTRACTS", count=len(changed) - _NAMED))
    return found


def _difference(preview, contract) -> Reason:
    planned = RunPlanLine.objects.filter(run_contract__run=preview, run_contract__contract=contract, code="")
    then = (
        sum(planned.values_list("items", flat=True)),
        sum(planned.values_list("amount", flat=True), Decimal(0)),
    )
    inputs = load_inputs([contract.pk], as_of=preview.as_of, scope=Scope.of(preview))[contract.pk]
    proformas = plan_contract(inputs, as_of=preview.as_of).proformas
    now = sum(len(found.shares) for found in proformas), sum((found.net for found in proformas), Decimal(0))
    if then == now:
        return Reason("PLAN-SAME-AMOUNT", contract=contract)
    return Reason(
        "PLAN-OTHER-AMOUNT",
        contract=contract,
        count=then[0],
        planned=Amount(then[1], contract.currency),
        rows=now[0],
        now=Amount(now[1], contract.currency),
    )
