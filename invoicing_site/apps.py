"""The Django app of the shared parts of Ledgerline."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class InvoicingSiteConfig(AppConfig):
    name = "invoicing_site"
    verbose_name = "Ledgerline"

    def ready(self):
        from invoicing_site.accounts import signing_in
        from invoicing_site.admin import choices
        from invoicing_site.floor import characters, guards, seals, searching

        # With this sender, each signal is sent once per `migrate`: before its first step and after its last
        # one.
        pre_migrate.connect(guards.drop_before_migrate, sender=self, dispatch_uid="guards.make_way")
        post_migrate.connect(guards.install_after_migrate, sender=self, dispatch_uid="guards.install")
        post_migrate.connect(searching.install_after_migrate, sender=self, dispatch_uid="searching.install")
        pre_migrate.connect(seals.note_before_migrate, sender=self, dispatch_uid="seals.note_before")
        post_migrate.connect(seals.note_after_migrate, sender=self, dispatch_uid="seals.note_after")

        signing_in.connect()
        choices.connect()
        characters.watch_columns()
