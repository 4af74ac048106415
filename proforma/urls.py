from django.urls import path

from proforma.views import contracts, drafts, hub, proformas, runs

urlpatterns = [
    path("contracts/", contracts.Contracts.as_view(), name="contracts"),
    path("contracts/<int:pk>/", contracts.Contract.as_view(), name="contract"),
    path("contracts/<int:pk>/confirm/", contracts.ConfirmContract.as_view(), name="confirm_contract"),
    path("hub/", hub.Hub.as_view(), name="hub"),
    path("hub/<int:pk>/mark-ready/", hub.MarkContract.as_view(), name="hub_mark_contract"),
    path("hub/<int:pk>/lines/<int:line>/mark-ready/", hub.MarkLine.as_view(), name="hub_mark_line"),
    path("proformas/", proformas.Proformas.as_view(), name="proformas"),
    path("proformas/new/", proformas.NewProforma.as_view(), name="new_proforma"),
    path("proformas/from-backlog/", proformas.CreateFromBacklog.as_view(), name="create_from_backlog"),
    path(
        "proformas/from-milestones/",
        proformas.CreateFromMilestones.as_view(),
        name="create_from_milestones",
    ),
    path("proformas/confirm/", proformas.ConfirmMany.as_view(), name="confirm_proformas"),
    path("proformas/confirming/", proformas.Confirming.as_view(), name="confirming"),
    path("proformas/submit/", proformas.SubmitMany.as_view(), name="submit_proformas"),
    path("proformas/delete/", proformas.DeleteMany.as_view(), name="delete_proformas"),
    path("proformas/<int:pk>/", drafts.Proforma.as_view(), name="proforma"),
    path("proformas/<int:pk>/edit/", drafts.EditHeader.as_view(), name="edit_proforma"),
    path("proformas/<int:pk>/details/edit/", drafts.EditDetails.as_view(), name="edit_details"),
    path("proformas/<int:pk>/details/remove/", drafts.RemoveDetails.as_view(), name="remove_details"),
    path("proformas/<int:pk>/details/add/", drafts.AddDetail.as_view(), name="add_detail"),
    path("proformas/<int:pk>/pending/add/", drafts.AddPending.as_view(), name="add_pending"),
    path("proformas/<int:pk>/refresh/", drafts.Refresh.as_view(), name="refresh_proforma"),
    path("proformas/<int:pk>/copy-party/", drafts.CopyParty.as_view(), name="copy_party"),
    path("proformas/<int:pk>/submit/", drafts.Submit.as_view(), name="submit_proforma"),
    path("proformas/<int:pk>/return/", drafts.ReturnToDraft.as_view(), name="return_proforma"),
    path("proformas/<int:pk>/delete/", drafts.Delete.as_view(), name="delete_proforma"),
    path("proformas/<int:pk>/confirm/", drafts.Confirm.as_view(), name="confirm_proforma"),
    path(
        "proformas/<int:pk>/confirm-over-limit/", drafts.ConfirmOverLimit.as_view(), name="confirm_over_limit"
    ),
    path("details/<int:pk>/edit/", drafts.EditDetail.as_view(), name="edit_detail"),
    path("runs/", runs.Runs.as_view(), name="runs"),
    path("runs/new/", runs.NewRun.as_view(), name="new_run"),
    path("runs/<int:pk>/", runs.Run.as_view(), name="run"),
    path("runs/<int:pk>/execute/", runs.Execute.as_view(), name="execute_preview"),
]
