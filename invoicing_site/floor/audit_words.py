"""The audit trail's actions in plain words: one sentence for each that the code records (SEC-3)."""

_WORDS = {
    "actuals.amend": "Entry changed",
    "actuals.delete": "Entries deleted",
    "actuals.enter": "Entry made",
    "actuals.import": "Entries imported from a file",
    "actuals.recall": "Entries recalled by their owner",
    "actuals.save_week": "Week of hours saved",
    "actuals.submit": "Entries submitted for approval",
    "backlog.approve": "Entries approved",
    "backlog.cancel_approval": "Approval canceled",
    "backlog.confirm_contract": "Contract confirmed",
    "backlog.evaluate": "Work tested against limits again",
    "backlog.hold": "Backlog put on hold",
    "backlog.mark_not_ready": "Backlog marked not ready",
    "backlog.mark_ready": "Backlog marked ready to invoice",
    "backlog.reject": "Entries sent back",
    "backlog.release": "Backlog taken off hold",
    "backlog.reset": "Limit results of the backlog reset",
    "backlog.split_off": "Milestone split for billing in parts",
    "backlog.undo": "Marking of the backlog undone",
    "contracts.apply_default_customers": "Contract's customers copied to a line",
    "contracts.apply_default_price_lists": "Default price lists attached to a contract",
    "contracts.generate_milestones": "Milestones made for a contract line",
    "contracts.generate_schedule": "Invoice schedule made for a contract line",
    "invoicing_site.change_mail_address": "Mail address changed",
    "invoicing_site.change_password": "Password changed",
    "invoicing_site.choose_password": "Password chosen by the link that was sent",
    "invoicing_site.refuse_sign_in": "Sign-in refused",
    "invoicing_site.send_password_link": "Link to choose a password sent",
    "invoicing_site.sign_in": "Signed in",
    "invoicing_site.sign_out": "Signed out",
    "ledger.add_fiscal_year": "Fiscal year added with its periods",
    "ledger.approve_proposal": "Proposal approved",
    "ledger.back_to_draft": "Journal put back to draft",
    "ledger.close_period": "Period closed",
    "ledger.draw": "Document drawn",
    "ledger.edit_journal_lines": "Journal lines edited",
    "ledger.edit_proposal": "Proposal edited",
    "ledger.edit_proposal_lines": "Proposal lines edited",
    "ledger.fill_lines": "Proposal filled with its lines",
    "ledger.format_sections": "Sections of a proposal arranged",
    "ledger.open_books": "Books of a company opened",
    "ledger.post": "Invoice posted",
    "ledger.post_journal": "Journal posted",
    "ledger.put_on_hold": "Period put on hold",
    "ledger.refill_lines": "Proposal filled anew from its proforma",
    "ledger.reject_proposal": "Proposal rejected",
    "ledger.reopen_period": "Period opened again",
    "ledger.request_change": "Change to a proposal requested",
    "ledger.reset_approval": "Approval of a proposal started over",
    "ledger.return_proposal": "Proposal returned to the project manager",
    "ledger.save_layout": "Layout of a proposal saved as default",
    "ledger.submit_proposal": "Proposal submitted for approval",
    "ledger.take_up": "Confirmed proforma taken up as a proposal",
    "ledger.take_up_actuals": "Actuals taken up into journals",
    "proforma.add_detail": "Detail added to a proforma by hand",
    "proforma.add_items": "Ready work added to a proforma",
    "proforma.confirm": "Proforma confirmed",
    "proforma.confirm_many": "Confirming of many proformas asked for",
    "proforma.create": "Proforma created",
    "proforma.delete_draft": "Draft proforma deleted",
    "proforma.edit_details": "Details of a proforma edited",
    "proforma.edit_header": "Head of a proforma edited",
    "proforma.preview_invoicing": "Preview of an invoice run started",
    "proforma.refresh": "Proforma refreshed from the backlog",
    "proforma.remove_details": "Details removed from a proforma",
    "proforma.return_to_draft": "Proforma returned to draft",
    "proforma.run_invoicing": "Invoice run started",
    "proforma.submit_for_review": "Proforma submitted for review",
    "proforma.take_back": "Confirmed proforma taken back to a draft",
}
# What the administration does with any kind of row, and an import with what it meets for the first time.
_VERBS = {"add": "Set-up added", "change": "Set-up changed", "delete": "Set-up deleted", "create": "Created"}


def in_words(action: str) -> str:
    """Proforma confirmed; Set-up changed: price list. Of what no code records any more, its name in words."""
    if action in _WORDS:
        return _WORDS[action]
    name = action.rpartition(".")[2]
    verb, _, thing = name.partition("_")
    if verb in _VERBS and thing:
        return f"{_VERBS[verb]}: {thing.replace('_', ' ')}"
    return name.replace("_", " ").capitalize()


def known(action: str) -> bool:
    """Whether the action has words of its own."""
    verb, _, thing = action.rpartition(".")[2].partition("_")
    return action in _WORDS or bool(verb in _VERBS and thing)
