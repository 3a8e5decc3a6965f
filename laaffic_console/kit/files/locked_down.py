"""Bytes that somebody gave us, shown to people."""

from django.http import HttpResponse


def locked_down(response: HttpResponse, policy: str) -> HttpResponse:
    """The response, whatever its bytes, without sniffing; opened by itself, without script, form, origin or load.

    `policy`: what may be loaded nevertheless.
    """
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = f"default-src 'none'; {policy}; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
