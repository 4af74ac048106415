"""The texts of the audit trail's actions: one for each action that the code records (SEC-3)."""

_WORDS = {
    "actuals.amend": "Entry changed",
    "actuals.delete": "Entries deleted",
    "actuals.enter": "Entry created",
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
    "backlog.reject": "Entries rejected",
    "backlog.release": "Hold on backlog released",
    "backlog.reset": "Limit results of the backlog reset",
    "backlog.split_off": "Milestone split for billing in parts",
    "backlog.undo": "Marking of the backlog undone",
    "contracts.apply_default_customers": "Contract's customers copied to a line",
    "contracts.apply_default_price_lists": "Default price lists attached to a contract",
    "contracts.generate_milestones": "Milestones created for a contract line",
    "contracts.generate_schedule": "Invoice schedule created for a contract line",
    "invoicing_site.change_mail_address": "Email address changed",
    "invoicing_site.change_password": "Password changed",
    "invoicing_site.choose_password": "Password chosen with a link",
    "invoicing_site.refuse_sign_in": "Sign-in refused",
    "invoicing_site.send_password_link": "Link to choose a password sent",
    "invoicing_site.sign_in": "Signed in",
    "invoicing_site.sign_out": "Signed out",
    "ledger.add_fiscal_year": "Fiscal year added with its periods",
    "ledger.approve_proposal": "Proposal approved",
    "ledger.back_to_draft": "Journal returned to draft",
    "ledger.close_period": "Period closed",
    "ledger.draw": "Document created",
    "ledger.edit_journal_lines": "Journal lines edited",
    "ledger.edit_proposal": "Proposal edited",
    "ledger.edit_proposal_lines": "Proposal lines edited",
    "ledger.fill_lines": "Lines of a proposal filled in",
    "ledger.format_sections": "Sections of a proposal arranged",
    "ledger.open_books": "Books of a legal entity opened",
    "ledger.post": "Invoice posted",
    "ledger.post_journal": "Journal posted",
    "ledger.put_on_hold": "Period put on hold",
    "ledger.refill_lines": "Lines of a proposal filled in again",
    "ledger.reject_proposal": "Proposal rejected",
    "ledger.reopen_period": "Period reopened",
    "ledger.rebuild_queue": "Queue of waiting actuals corrected",
    "ledger.request_change": "Change to a proposal requested",
    "ledger.reset_approval": "Approval of a proposal reset",
    "ledger.return_proposal": "Proposal returned to the project manager",
    "ledger.save_layout": "Format of a proposal saved as default",
    "ledger.submit_proposal": "Proposal submitted for approval",
    "ledger.create_proposal": "Proposal created from a confirmed proforma",
    "ledger.add_to_journals": "Actuals added to journals",
    "proforma.add_detail": "Detail added to a proforma by hand",
    "proforma.add_items": "Ready work added to a proforma",
    "proforma.confirm": "Proforma confirmed",
    "proforma.confirm_many": "Confirmation of several proformas requested",
    "proforma.create": "Proforma created",
    "proforma.delete_draft": "Draft proforma deleted",
    "proforma.edit_details": "Details of a proforma edited",
    "proforma.edit_header": "Header of a proforma edited",
    "proforma.preview_invoicing": "Preview of an invoice run started",
    "proforma.refresh": "Proforma refreshed from the backlog",
    "proforma.remove_details": "Details removed from a proforma",
    "proforma.return_to_draft": "Proforma returned to draft",
    "proforma.run_invoicing": "Invoice run started",
    "proforma.submit_for_review": "Proforma submitted for review",
    "proforma.return_proforma": "Confirmed proforma returned and copied to a draft",
}
# Actions of the administration on rows of any kind, and of an import on the records that it creates.
_VERBS = {"add": "Set-up added", "change": "Set-up changed", "delete": "Set-up deleted", "create": "Created"}


def in_words(action: str) -> str:
    """The text of an action, such as “Set-up changed: price list”; of an unknown action, its name."""
    if action in _WORDS:
        return _WORDS[action]
    name = action.rpartition(".")[2]
    verb, _, thing = name.partition("_")
    if verb in _VERBS and thing:
        return f"{_VERBS[verb]}: {thing.replace('_', ' ')}"
    return name.replace("_", " ").capitalize()


def known(action: str) -> bool:
    """Whether the action has its own text."""
    verb, _, thing = action.rpartition(".")[2].partition("_")
    return action in _WORDS or bool(verb in _VERBS and thing)
