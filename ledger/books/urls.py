from django.urls import path

from ledger.books import views

urlpatterns = [
    path("vouchers/", views.Vouchers.as_view(), name="vouchers"),
    path("vouchers/<int:pk>/", views.VoucherPage.as_view(), name="voucher"),
]
