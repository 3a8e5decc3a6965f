"""How far this machine's clock is from the gateway's. Signatures are good for half an hour (wire §1)."""

from laaffic_console.gateway.services.account import laaffic_client

WARN_BEYOND = 60.0  # seconds; far from the gateway's tolerance, far beyond what NTP and an answer's age explain


def observed_here() -> float | None:
    """Seconds that the gateway's clock is ahead, as its latest answer to this process says; None before any."""
    if not laaffic_client.cache_info().currsize:
        return None
    return laaffic_client().observed_skew


def is_off(skew: float | None) -> bool:
    return skew is not None and abs(skew) > WARN_BEYOND
