from django.urls import include, path

from ledger.views import journals, proposal_approvals, proposal_lines, proposal_posting, proposals

urlpatterns = [
    path("journals/", journals.Journals.as_view(), name="journals"),
    path("journals/waiting/", journals.WaitingActuals.as_view(), name="waiting_actuals"),
    path("journals/take-up/", journals.TakeUpActuals.as_view(), name="take_up_actuals"),
    path("journals/post/", journals.PostChosenJournals.as_view(), name="post_chosen_journals"),
    path("journals/back-to-draft/", journals.ChosenBackToDraft.as_view(), name="back_to_draft_chosen"),
    path("journals/lines/edit/", journals.EditJournalLines.as_view(), name="edit_journal_lines"),
    path("journals/<int:pk>/", journals.JournalPage.as_view(), name="journal"),
    path("journals/<int:pk>/progress/", journals.JournalProgress.as_view(), name="journal_progress"),
    path("journals/<int:pk>/post/", journals.PostJournal.as_view(), name="post_journal"),
    path("journals/<int:pk>/back-to-draft/", journals.BackToDraft.as_view(), name="back_to_draft"),
    path("proposals/", proposals.Proposals.as_view(), name="proposals"),
    path("proposals/take-up/", proposals.TakeUpProformas.as_view(), name="take_up_proformas"),
    path("proposals/fill/", proposals.FillProposals.as_view(), name="fill_proposals"),
    path("proposals/check/", proposal_posting.CheckProposals.as_view(), name="check_proposals"),
    path("proposals/check/<slug:word>/", proposal_posting.ProposalChecks.as_view(), name="proposal_checks"),
    path(
        "proposals/check/<slug:word>/post/", proposal_posting.PostProposals.as_view(), name="post_proposals"
    ),
    path(
        "proposals/posting/<slug:word>/", proposal_posting.PostingProgress.as_view(), name="proposals_posting"
    ),
    path("proposals/approve/", proposal_approvals.ApproveProposals.as_view(), name="approve_proposals"),
    path("proposals/stuck/", proposal_approvals.StuckProposals.as_view(), name="stuck_proposals"),
    path("proposals/lines/edit/", proposal_lines.EditProposalLines.as_view(), name="edit_proposal_lines"),
    path("proposals/lines/move/", proposal_lines.MoveProposalLines.as_view(), name="move_proposal_lines"),
    path("proposals/<int:pk>/", proposals.ProposalPage.as_view(), name="proposal"),
    path("proposals/<int:pk>/edit/", proposals.EditProposal.as_view(), name="edit_proposal"),
    path("proposals/<int:pk>/fill/", proposals.FillProposal.as_view(), name="fill_proposal"),
    path("proposals/<int:pk>/refill/", proposals.RefillProposal.as_view(), name="refill_proposal"),
    path("proposals/<int:pk>/lines/", proposal_lines.ProposalLines.as_view(), name="proposal_lines"),
    path("proposals/<int:pk>/sections/", proposal_lines.EditSections.as_view(), name="proposal_sections"),
    path("proposals/<int:pk>/sections/save/", proposal_lines.SaveLayout.as_view(), name="save_layout"),
    path(
        "proposals/<int:pk>/sections/for-lines/",
        proposal_lines.SectionsForLines.as_view(),
        name="sections_for_lines",
    ),
    path("proposals/<int:pk>/sections/one/", proposal_lines.OneSection.as_view(), name="one_section"),
    path("proposals/<int:pk>/preview/", proposals.PreviewPage.as_view(), name="proposal_preview_page"),
    path("proposals/<int:pk>/preview.pdf", proposals.Preview.as_view(), name="proposal_preview"),
    path("proposals/<int:pk>/submit/", proposal_approvals.SubmitProposal.as_view(), name="submit_proposal"),
    path(
        "proposals/<int:pk>/approve/", proposal_approvals.ApproveProposal.as_view(), name="approve_proposal"
    ),
    path("proposals/<int:pk>/reject/", proposal_approvals.RejectProposal.as_view(), name="reject_proposal"),
    path("proposals/<int:pk>/change/", proposal_approvals.RequestChange.as_view(), name="request_change"),
    path("proposals/<int:pk>/return/", proposal_approvals.ReturnProposal.as_view(), name="return_proposal"),
    path("proposals/<int:pk>/reset/", proposal_approvals.ResetApproval.as_view(), name="reset_approval"),
    path("proposals/<int:pk>/post/", proposal_posting.PostProposal.as_view(), name="post_proposal"),
    path("", include("ledger.urls_books")),
    path("", include("ledger.urls_reports")),
]
