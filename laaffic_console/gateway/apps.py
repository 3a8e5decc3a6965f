from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "laaffic_console.gateway"
    label = "gateway"
    verbose_name = "Gateway"
