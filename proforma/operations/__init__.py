"""The operations of proformas, by the records that they change."""

from proforma.operations.confirmations import confirm, confirm_many
from proforma.operations.details import add_detail, edit_details, remove_details
from proforma.operations.headers import copy_party, edit_header
from proforma.operations.many import create_for_each, delete_many, submit_many
from proforma.operations.proformas import (
    add_items,
    create_for_items,
    create_proformas,
    delete_draft,
    lock,
    refresh,
    return_to_draft,
    submit_for_review,
)
from proforma.operations.queue import keep_waiting, leave_queue, wait_for_proposal
from proforma.operations.returns import return_proforma
from proforma.operations.runs import (
    begin_run,
    carry_out,
    execute_in_background,
    execute_preview,
    invoice_contract,
    preview_invoicing,
    run_invoicing,
    start_run,
)

__all__ = [
    "add_detail",
    "add_items",
    "begin_run",
    "carry_out",
    "confirm",
    "confirm_many",
    "create_for_each",
    "create_for_items",
    "create_proformas",
    "delete_draft",
    "delete_many",
    "edit_details",
    "edit_header",
    "execute_in_background",
    "execute_preview",
    "invoice_contract",
    "keep_waiting",
    "leave_queue",
    "lock",
    "preview_invoicing",
    "refresh",
    "remove_details",
    "return_to_draft",
    "run_invoicing",
    "start_run",
    "submit_for_review",
    "submit_many",
    "return_proforma",
    "copy_party",
    "wait_for_proposal",
]
