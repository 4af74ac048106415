from django.urls import path

from ledger.closing import views

urlpatterns = [
    path("periods/", views.Periods.as_view(), name="periods"),
    path("periods/years/<int:pk>/next/", views.AddFiscalYear.as_view(), name="add_fiscal_year"),
    path("periods/<int:pk>/", views.PeriodPage.as_view(), name="period"),
    path("periods/<int:pk>/close/", views.ClosePeriod.as_view(), name="close_period"),
    path("periods/<int:pk>/hold/", views.HoldPeriod.as_view(), name="hold_period"),
    path("periods/<int:pk>/reopen/", views.ReopenPeriod.as_view(), name="reopen_period"),
]
