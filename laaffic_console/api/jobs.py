"""Functions of the API that the queue and a restore call."""

from django.db.models import Q
from django.utils import timezone

from laaffic_console.api.handling import idempotency
from laaffic_console.api.models import ApiToken
from laaffic_console.gateway.services.database import isolation


def sweep() -> None:
    isolation.run_all(idempotency.forget_old)


def after_restore() -> dict[str, int]:
    idempotency.lose_running()
    good = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    return {"tokens": ApiToken.objects.filter(good, revoked_at=None).count()}
