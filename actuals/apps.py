from django.apps import AppConfig


class ActualsConfig(AppConfig):
    name = "actuals"
    verbose_name = "Actuals"

    def ready(self):
        from actuals import tasks  # noqa: F401  its jobs are known by being imported
