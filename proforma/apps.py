from django.apps import AppConfig


class ProformaConfig(AppConfig):
    name = "proforma"
    verbose_name = "Proforma invoices"

    def ready(self):
        from proforma import tasks  # noqa: F401  its jobs are known by being imported
