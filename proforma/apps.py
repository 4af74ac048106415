from django.apps import AppConfig


class ProformaConfig(AppConfig):
    name = "proforma"
    verbose_name = "Proforma invoices"
