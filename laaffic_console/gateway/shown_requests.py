"""On the page of one thing: the newest requests about it, and where all of them are listed."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from laaffic_console.gateway.services.ledger import ledger

SHOWN = 10
SEE = "gateway.view_ledgerentry"


def about(kind: str, pk: int, reader: User | AnonymousUser) -> dict[str, Any]:
    """What gateway/requests.html shows of the newest requests about a row."""
    newest = list(ledger.requests_about(kind, pk)[: SHOWN + 1])
    has_more = len(newest) > SHOWN and reader.has_perm(SEE)
    return {"requests": newest[:SHOWN], "all_requests": _listed(kind, pk) if has_more else ""}


def _listed(kind: str, pk: int) -> str:
    return reverse("admin:gateway_ledgerentry_changelist", query={"about": f"{kind}:{pk}"})
