from django.urls import path

from actuals.views import entries, expenses, imports, receipts, weeks

urlpatterns = [
    path("time/", weeks.WeekPage.as_view(), name="week"),
    path("time/tasks/", weeks.ProjectTasks.as_view(), name="project_tasks"),
    path("time/<str:day>/", weeks.WeekPage.as_view(), name="week"),
    path("entries/", entries.Entries.as_view(), name="entries"),
    path("entries/submit/", entries.SubmitMany.as_view(), name="submit_entries"),
    path("entries/recall/", entries.RecallMany.as_view(), name="recall_entries"),
    path("entries/delete/", entries.DeleteMany.as_view(), name="delete_entries"),
    path("entries/<int:pk>/", entries.EntryPage.as_view(), name="entry"),
    path("entries/<int:pk>/edit/", expenses.Edit.as_view(), name="edit_entry"),
    path("entries/<int:pk>/submit/", entries.Submit.as_view(), name="submit_entry"),
    path("entries/<int:pk>/recall/", entries.Recall.as_view(), name="recall_entry"),
    path("entries/<int:pk>/delete/", entries.Delete.as_view(), name="delete_entry"),
    path("entries/<int:pk>/receipt/", receipts.Receipt.as_view(), name="receipt"),
    path("expenses/", expenses.Expenses.as_view(), name="expenses"),
    path("expenses/new/", expenses.NewExpense.as_view(), name="new_expense"),
    path("expenses/material/", expenses.NewMaterial.as_view(), name="new_material"),
    path("expenses/submit/", expenses.SubmitMany.as_view(), name="submit_expenses"),
    path("expenses/delete/", expenses.DeleteMany.as_view(), name="delete_expenses"),
    path("import/", imports.Imports.as_view(), name="imports"),
    path("import/new/", imports.Upload.as_view(), name="import_file"),
    path("import/columns/", imports.Columns.as_view(), name="import_columns"),
    path("import/preview/", imports.PreviewPage.as_view(), name="import_preview"),
    path("import/<int:pk>/", imports.ImportPage.as_view(), name="import"),
    path("import/<int:pk>/entries/", imports.Imported.as_view(), name="imported_entries"),
]
