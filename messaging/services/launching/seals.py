"""What a page before a launch has shown, in a hidden field: what it does, as a digest, and its checks' sentences."""

from typing import Any

from django.core import signing

SALT = "before launch"


def token(draft: Any, digest: str, sentences: dict[str, str]) -> str:
    return signing.dumps([draft._meta.label_lower, draft.pk, digest, sentences], salt=SALT)


def read(draft: Any, posted: str) -> tuple[str, dict[str, str]]:
    """("", {}) from a page that showed nothing of this draft."""
    try:
        kind, pk, digest, sentences = signing.loads(posted, salt=SALT)
    except signing.BadSignature:
        return "", {}
    return (digest, sentences) if (kind, pk) == (draft._meta.label_lower, draft.pk) else ("", {})
