"""How far this machine's clock is from the gateway's. Signatures are good for half an hour (laaffic-api#signature)."""

import time

from django.utils import timezone

from laaffic_console.gateway.services.client.account import laaffic_client

# NTP slows it down and speeds it up with the clock, but does not set it; on Linux it goes on while the machine sleeps.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_began = (timezone.now().timestamp(), time.clock_gettime(_STEADY))
WARN_BEYOND = 60.0  # seconds; far from the gateway's tolerance, far beyond what NTP and an answer's age explain


def observed_here() -> float | None:
    """Seconds that the gateway's clock is ahead, as its latest answer to this process says; None before any."""
    if not laaffic_client.cache_info().currsize:
        return None
    return laaffic_client().observed_skew


def is_off(skew: float | None) -> bool:
    return skew is not None and abs(skew) > WARN_BEYOND


def set_forward() -> float:
    """Seconds by which this machine's clock was set forward, or back, since this process began."""
    began, steady = _began
    return timezone.now().timestamp() - began - (time.clock_gettime(_STEADY) - steady)


def possibly_ahead() -> float:
    """Seconds that this clock may be ahead, or behind: what it was set by, or what the gateway's answers say."""
    return max(set_forward(), -(observed_here() or 0.0), key=abs)
