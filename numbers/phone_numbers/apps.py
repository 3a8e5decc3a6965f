from django.apps import AppConfig


class NumbersConfig(AppConfig):
    name = "phone_numbers"
    label = "numbers"
    verbose_name = "Numbers"

    def ready(self) -> None:
        from laaffic_console.gateway.services import bell

        bell.sweep_with("phone_numbers.jobs.sweep")
