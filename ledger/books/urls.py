from django.urls import path

from ledger.books.views import periods, vouchers
from ledger.document import views

urlpatterns = [
    path("invoices/", views.Invoices.as_view(), name="invoices"),
    path("invoices/download/", views.DownloadInvoices.as_view(), name="download_invoices"),
    path("invoices/<int:pk>/", views.InvoicePage.as_view(), name="invoice"),
    path("invoices/<int:pk>/pdf/", views.InvoicePdf.as_view(), name="invoice_pdf"),
    path("vouchers/", vouchers.Vouchers.as_view(), name="vouchers"),
    path("vouchers/<int:pk>/", vouchers.VoucherPage.as_view(), name="voucher"),
    path("periods/", periods.Periods.as_view(), name="periods"),
    path("periods/years/<int:pk>/next/", periods.AddFiscalYear.as_view(), name="add_fiscal_year"),
    path("periods/<int:pk>/", periods.PeriodPage.as_view(), name="period"),
    path("periods/<int:pk>/close/", periods.ClosePeriod.as_view(), name="close_period"),
    path("periods/<int:pk>/hold/", periods.HoldPeriod.as_view(), name="hold_period"),
    path("periods/<int:pk>/reopen/", periods.ReopenPeriod.as_view(), name="reopen_period"),
]
