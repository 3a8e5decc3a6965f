"""The one client of this process, made from the settings, and whom it speaks to."""

import functools
from urllib.parse import urlsplit

from django.conf import settings

from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import LaafficClient


class NotConfigured(Exception):
    """The credentials are missing; the sentence says what to do."""


@functools.cache
def laaffic_client() -> LaafficClient:
    return client_with(settings.LAAFFIC_TIMEOUTS)


def require_configured() -> LaafficClient:
    """The client of `laaffic_client`; NotNow where there is none."""
    try:
        return laaffic_client()
    except NotConfigured as problem:
        raise NotNow(str(problem)) from problem


def client_with(timeouts: tuple[float, float]) -> LaafficClient:
    """A client of one's own, for a caller that waits less long (connect, read; seconds) than all others."""
    if not settings.LAAFFIC_API_KEY or not settings.LAAFFIC_API_SECRET:
        raise NotConfigured(
            "LAAFFIC_API_KEY and LAAFFIC_API_SECRET are not set. Put both into the environment or .env and restart."
        )
    return LaafficClient(
        api_key=settings.LAAFFIC_API_KEY,
        api_secret=settings.LAAFFIC_API_SECRET,
        base_url=settings.LAAFFIC_BASE_URL,
        paths=settings.LAAFFIC_PATHS,
        number_info_list=settings.LAAFFIC_NUMBER_INFO_LIST,
        time_zone=settings.LAAFFIC_TIME_ZONE,
        timeouts=timeouts,
        pool_size=32,
    )


def is_sandbox() -> bool:
    """The gateway is on this machine: what is sent reaches no phone."""
    return urlsplit(settings.LAAFFIC_BASE_URL).hostname in ("127.0.0.1", "localhost", "::1")
