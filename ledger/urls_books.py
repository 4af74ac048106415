from django.urls import path

from ledger.views import invoices, vouchers

urlpatterns = [
    path("invoices/", invoices.Invoices.as_view(), name="invoices"),
    path("invoices/download/", invoices.DownloadInvoices.as_view(), name="download_invoices"),
    path("invoices/<int:pk>/", invoices.InvoicePage.as_view(), name="invoice"),
    path("invoices/<int:pk>/pdf/", invoices.InvoicePdf.as_view(), name="invoice_pdf"),
    path("vouchers/", vouchers.Vouchers.as_view(), name="vouchers"),
    path("vouchers/<int:pk>/", vouchers.VoucherPage.as_view(), name="voucher"),
]
