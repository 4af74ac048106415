"""What has changed since a preview was made: fingerprints of what its plans looked at (RUN-4)."""

import hashlib
from decimal import Decimal

from contracts.models import ProjectContract
from invoicing_site.floor import formatting, wording
from invoicing_site.floor.querysets import in_chunks
from proforma.inputs import Scope, contracts_to_look_at, load_inputs
from proforma.models import RunPlanLine
from proforma.plans import plan_contract

# Contracts that are planned in one commit.
CHUNK = 200


# Differences that a refusal names; of more it gives the number.
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
    """One fingerprint over all contracts of a plan for which something is due."""
    lines = [f"{pk} {digest}" for pk, digest in sorted(digests.items()) if digest]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def difference(preview) -> str:
    """Sentences on the contracts that would be billed otherwise than the plan says."""
    then = dict(preview.run_contracts.values_list("contract", "digest"))
    now = current_digests(preview)
    changed = sorted(pk for pk in then.keys() | now.keys() if then.get(pk, "") != now.get(pk, ""))
    told = [_told(preview, contract) for contract in ProjectContract.objects.filter(pk__in=changed[:_NAMED])]
    more = len(changed) - _NAMED
    if more > 0:
        told.append(f"And {wording.counted(more, 'more contract has', 'more contracts have')} changed.")
    return " ".join(told)


def _told(preview, contract):
    planned = RunPlanLine.objects.filter(run_contract__run=preview, run_contract__contract=contract, code="")
    then = (
        sum(planned.values_list("items", flat=True)),
        sum(planned.values_list("amount", flat=True), Decimal(0)),
    )
    inputs = load_inputs([contract.pk], as_of=preview.as_of, scope=Scope.of(preview))[contract.pk]
    proformas = plan_contract(inputs, as_of=preview.as_of).proformas
    now = sum(len(found.shares) for found in proformas), sum((found.net for found in proformas), Decimal(0))
    if then == now:
        return (
            f"Contract {contract} has other work for the same amount, other orders or other schedule entries."
        )
    return (
        f"Contract {contract} had {wording.counted(then[0], 'row')} of "
        f"{formatting.currency_last(then[1], contract.currency)} "
        f"and now has {now[0]} of {formatting.amount(now[1], contract.currency)}."
    )
