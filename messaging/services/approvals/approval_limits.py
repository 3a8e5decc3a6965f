"""The limits above which a launch needs a second person: those on the console's page, else its environment's."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.kit.sql.constant_sql import Select
from laaffic_console.kit.words import limits
from messaging.models import ApprovalLimits

ONLY = 1  # the one row there is


@dataclass(frozen=True, slots=True)
class Limits:
    """0 of either: it never decides."""

    recipients: int
    cost: Decimal | Mapping[str, Decimal]

    @property
    def are_set(self) -> bool:
        return bool(self.recipients or self.cost)


def now() -> Limits:
    [(recipients, cost)] = _kept.rows() or [(None, "")]
    return Limits(
        settings.LAAFFIC_APPROVAL_RECIPIENTS if recipients is None else recipients,
        limits.read(cost) if cost else settings.LAAFFIC_APPROVAL_COST,
    )


@Select
def _kept() -> "QuerySet[ApprovalLimits, Any]":
    return ApprovalLimits.objects.filter(pk=ONLY).order_by().values_list("recipients", "cost")


def row() -> ApprovalLimits:
    """The one that is edited, as its migration made it: it says nothing until somebody does."""
    return ApprovalLimits.objects.get_or_create(pk=ONLY)[0]


def save(kept: ApprovalLimits) -> None:
    """ValidationError names the field that is wrong."""
    kept.cost = kept.cost.strip()
    try:
        check_cost(kept.cost)
    except ValidationError as problem:
        raise ValidationError({"cost": problem.messages}) from problem
    kept.full_clean()
    kept.save()


def check_cost(given: str) -> None:
    """ValidationError with what to write instead."""
    try:
        limits.read(given)
    except ValueError as problem:
        said = _("“%(text)s” is not an amount. Write one such as 50, or one for each currency: USD 1000, EUR 900.")
        raise ValidationError(said % {"text": given}) from problem
