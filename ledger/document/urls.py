from django.urls import path

from ledger.document import views

urlpatterns = [
    path("invoices/", views.Invoices.as_view(), name="invoices"),
    path("invoices/download/", views.DownloadInvoices.as_view(), name="download_invoices"),
    path("invoices/<int:pk>/", views.InvoicePage.as_view(), name="invoice"),
    path("invoices/<int:pk>/pdf/", views.InvoicePdf.as_view(), name="invoice_pdf"),
]
