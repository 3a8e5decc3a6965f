"""The app of the sandbox, for its command."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "laaffic_console.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox"
