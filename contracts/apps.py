from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "contracts"
    verbose_name = "Contracts"

    def ready(self):
        from contracts import requesters
        from invoicing_site.floor import jobs

        jobs.check_requesters_with(requesters.recheck_permission_in)
