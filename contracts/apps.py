from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "contracts"
    verbose_name = "Contracts"

    def ready(self):
        from contracts import askers
        from invoicing_site.floor import jobs

        jobs.check_askers_with(askers.recheck_permission_in)
