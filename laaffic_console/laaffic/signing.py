"""The signature (laaffic-api#signature): MD5 of key, secret and time, over nothing else: the vendor's choice."""

import hashlib

CONTENT_TYPE = "application/json;charset=UTF-8"


def sign(api_key: str, api_secret: str, timestamp: str) -> str:
    """32 hex characters for a timestamp in seconds."""
    return hashlib.md5(f"{api_key}{api_secret}{timestamp}".encode(), usedforsecurity=False).hexdigest()


def headers(api_key: str, api_secret: str, now: float) -> dict[str, str]:
    """The four headers of a request, the same for GET and POST."""
    timestamp = str(int(now))
    return {
        "Content-Type": CONTENT_TYPE,
        "Api-Key": api_key,
        "Timestamp": timestamp,
        "Sign": sign(api_key, api_secret, timestamp),
    }
