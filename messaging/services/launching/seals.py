"""A signed hidden field that keeps what a page before a launch has shown: the launch's effects and its checks."""

from typing import Any

from django.core import signing

SALT = "before launch"


def token(draft: Any, shown: Any, sentences: dict[str, str]) -> str:
    """`shown`: what the launch compares with what is true then, as JSON: a digest, or all of it, to say what differs.
    `sentences`: {check: as it was shown}, which a tick is about.
    """
    return signing.dumps([draft._meta.label_lower, draft.pk, shown, sentences], salt=SALT)


def read(draft: Any, posted: str) -> tuple[Any, dict[str, str]]:
    """("", {}) from a page that showed nothing of this draft."""
    try:
        kind, pk, shown, sentences = signing.loads(posted, salt=SALT)
    except signing.BadSignature:
        return "", {}
    return (shown, sentences) if (kind, pk) == (draft._meta.label_lower, draft.pk) else ("", {})
