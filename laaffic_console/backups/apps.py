"""The app of backups, restores and upgrades."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "laaffic_console.backups"
    label = "backups"
