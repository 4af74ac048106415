from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "ledger"
    verbose_name = "Ledger"

    def ready(self):
        from contracts import tax_groups
        from invoicing_site.floor import seals
        from ledger import tasks  # noqa: F401  its jobs and receivers are known by being imported
        from ledger.books.chain import heads, lost
        from ledger.setup.tax_groups import outside_scope

        tax_groups.answered_by(outside_scope)
        seals.include_chain("vouchers", heads, lost)
