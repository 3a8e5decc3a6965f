"""What services of pools and owned numbers refuse."""

from laaffic_console.kit.words.not_now import NotNow


class Overtaken(NotNow):
    """What it has at Laaffic is not what the person who changes it has looked at."""
