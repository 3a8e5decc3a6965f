"""Refusals of the services of pools and owned numbers."""

from laaffic_console.kit.words.not_now import NotNow


class Overtaken(NotNow):
    """Laaffic's settings are not those that the person who changes them has seen."""
