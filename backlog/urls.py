from django.urls import path

from backlog.views import aging, approvals, items, milestones

urlpatterns = [
    path("approvals/", approvals.Approvals.as_view(), name="approvals"),
    path("approvals/approve/", approvals.Approve.as_view(), name="approve_entries"),
    path("approvals/reject/", approvals.Reject.as_view(), name="reject_entries"),
    path("approvals/done/", approvals.Approved.as_view(), name="approved"),
    path("approvals/done/cancel/", approvals.CancelApprovals.as_view(), name="cancel_approvals"),
    path("approvals/<int:pk>/", approvals.Approval.as_view(), name="approval"),
    path("approvals/<int:pk>/preview/", approvals.ApprovalPreview.as_view(), name="approval_preview"),
    path("approvals/<int:pk>/reject/", approvals.RejectOne.as_view(), name="reject_entry"),
    path("approvals/<int:pk>/cancel/", approvals.CancelApproval.as_view(), name="cancel_approval"),
    path("backlog/", items.Backlog.as_view(), name="backlog"),
    path("backlog/mark-ready/", items.MarkReady.as_view(), name="mark_ready"),
    path("backlog/mark-not-ready/", items.MarkNotReady.as_view(), name="mark_not_ready"),
    path("backlog/hold/", items.Hold.as_view(), name="hold_items"),
    path("backlog/release/", items.ReleaseHold.as_view(), name="release_holds"),
    path("backlog/test-limits/", items.Evaluate.as_view(), name="evaluate_items"),
    path("backlog/actions/<int:pk>/undo/", items.Undo.as_view(), name="undo_marking"),
    path("backlog/aging/", aging.Aging.as_view(), name="aging"),
    path("milestones/", milestones.Milestones.as_view(), name="milestones"),
    path("milestones/mark-ready/", milestones.MarkReady.as_view(), name="mark_milestones_ready"),
    path("milestones/mark-not-ready/", milestones.MarkNotReady.as_view(), name="mark_milestones_not_ready"),
    path("milestones/<int:pk>/", milestones.Progress.as_view(), name="bill_progress"),
]
