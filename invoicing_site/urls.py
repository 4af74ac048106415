"""All addresses except /health/, which a middleware answers first. Each room has its own urls.py."""

from django.contrib import admin
from django.urls import include, path

from invoicing_site.explain import page
from invoicing_site.pages import audit_trail, header, jobs, seals
from invoicing_site.pages.home import Home

urlpatterns = [
    path("", Home.as_view(), name="home"),
    path("", include("invoicing_site.accounts.signing_in")),
    path("entity/", header.ChooseEntity.as_view(), name="choose_entity"),
    path("views/save/", header.SaveView.as_view(), name="save_view"),
    path("views/<int:pk>/delete/", header.DeleteView.as_view(), name="delete_view"),
    path("notices/", header.Notices.as_view(), name="notices"),
    path("notices/read/", header.ReadNotices.as_view(), name="read_notices"),
    path("jobs/<int:pk>/", jobs.JobPage.as_view(), name="job"),
    path("jobs/<int:pk>/try-again/", jobs.TryJobAgain.as_view(), name="try_job_again"),
    path("search/", header.Search.as_view(), name="search"),
    path("explain/<slug:kind>/<int:pk>/", page.Explain.as_view(), name="explain"),
    path("audit/", audit_trail.AuditTrail.as_view(), name="audit_trail"),
    path("audit/<int:pk>/", audit_trail.AuditEventPage.as_view(), name="audit_event"),
    path("audit/seals/", seals.Seals.as_view(), name="seals"),
    path("audit/seals/newest/", seals.NewestSeal.as_view(), name="newest_seal"),
    path("favicon.ico", header.favicon),
    path("", include("actuals.urls")),
    path("", include("contracts.urls")),
    path("", include("backlog.urls")),
    path("", include("proforma.urls")),
    path("", include("ledger.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "invoicing_site.pages.errors.server_error"
