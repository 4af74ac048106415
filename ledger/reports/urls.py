from django.urls import path

from ledger.reports.views import accounts, customers, projects, receivables

urlpatterns = [
    path("reports/", accounts.Reports.as_view(), name="reports"),
    path("reports/trial-balance/", accounts.TrialBalancePage.as_view(), name="trial_balance"),
    path("reports/aged-receivables/", receivables.AgedReceivables.as_view(), name="aged_receivables"),
    path("accounts/<int:pk>/", accounts.AccountPage.as_view(), name="account"),
    path("customers/", customers.Customers.as_view(), name="customers"),
    path("customers/<int:pk>/", customers.CustomerPage.as_view(), name="customer"),
    path("projects/", projects.Projects.as_view(), name="projects"),
    path("projects/<int:pk>/", projects.ProjectPage.as_view(), name="project"),
]
