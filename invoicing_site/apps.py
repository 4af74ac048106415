"""Ledgerline's floor and roof as one Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class InvoicingSiteConfig(AppConfig):
    name = "invoicing_site"
    verbose_name = "Ledgerline"

    def ready(self):
        from invoicing_site.accounts import signing_in
        from invoicing_site.admin import choices
        from invoicing_site.floor import characters, guards

        # With this sender each fires once for a migrate: before its first step, and after its last one.
        pre_migrate.connect(guards.make_way_before_migrate, sender=self, dispatch_uid="guards.make_way")
        post_migrate.connect(guards.install_after_migrate, sender=self, dispatch_uid="guards.install")

        signing_in.connect()
        choices.connect()
        characters.watch_columns()
