"""Bytes that somebody gave us, shown to people."""

from django.http import HttpResponse


def locked_down(response: HttpResponse, policy: str) -> HttpResponse:
    """Whatever the bytes are: no sniffing of another type, and no script, form, origin or load if opened by itself.

    `policy`: what may be loaded nevertheless.
    """
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = f"default-src 'none'; {policy}; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
