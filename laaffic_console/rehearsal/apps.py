"""The app of rehearsals, for its commands."""

from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "laaffic_console.rehearsal"
    label = "rehearsal"
