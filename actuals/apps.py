from django.apps import AppConfig


class ActualsConfig(AppConfig):
    name = "actuals"
    verbose_name = "Actuals"
