"""The verbs of the proforma, by what they act on."""

from proforma.operations.confirmations import confirm, confirm_many
from proforma.operations.details import add_detail, edit_details, remove_details
from proforma.operations.doubts import in_advance
from proforma.operations.headers import edit_header, take_party
from proforma.operations.limits import limits_at_stake
from proforma.operations.many import create_for_each, delete_many, submit_many
from proforma.operations.proformas import (
    add_items,
    create_for_items,
    create_proformas,
    delete_draft,
    lock,
    pending,
    refresh,
    return_to_draft,
    submit_for_review,
    what_waits,
)
from proforma.operations.returns import continued_by, made_again_from, take_back
from proforma.operations.runs import (
    begin_run,
    carry_out,
    execute_in_background,
    execute_preview,
    invoice_contract,
    preview_invoicing,
    resume_silent_runs,
    run_invoicing,
    start_run,
)
from proforma.operations.twice import maybe_twice

__all__ = [
    "add_detail",
    "add_items",
    "begin_run",
    "carry_out",
    "confirm",
    "confirm_many",
    "continued_by",
    "create_for_each",
    "create_for_items",
    "create_proformas",
    "delete_draft",
    "delete_many",
    "edit_details",
    "edit_header",
    "execute_in_background",
    "execute_preview",
    "in_advance",
    "invoice_contract",
    "limits_at_stake",
    "lock",
    "made_again_from",
    "maybe_twice",
    "pending",
    "preview_invoicing",
    "refresh",
    "remove_details",
    "resume_silent_runs",
    "return_to_draft",
    "run_invoicing",
    "start_run",
    "submit_for_review",
    "submit_many",
    "take_back",
    "take_party",
    "what_waits",
]
