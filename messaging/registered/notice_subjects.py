"""What of messaging people are told of, and who has to do with it (laaffic_console/notices)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Model
from django.urls import reverse

from laaffic_console.notices import subjects
from laaffic_console.notices.subjects import Subject
from messaging.models import Campaign, ContactImport, EmailCampaign


def register_all() -> None:
    campaigns = _drafted(Campaign, "campaign", "campaign", is_reported=True)
    subjects.register(replace(campaigns, ends_unnoticed=_single))
    subjects.register(_drafted(EmailCampaign, "email_campaign", "email campaign", is_reported=True))
    subjects.register(
        Subject(
            "import",
            view="messaging.view_contactimport",
            address=page("admin:messaging_contactimport_change"),
            owners=owners(ContactImport, "created_by_id"),
        )
    )
    # Anyone who may approve lifts one; anyone who may change it gives it more.
    subjects.register(
        Subject("budget", "messaging.view_budget", lambda key: _budgets(), act="messaging.approve_campaign")
    )


def _drafted(model: type[Model], kind: str, ledger: str, *, is_reported: bool) -> Subject:
    name = model._meta.model_name
    return Subject(
        kind,
        view=f"messaging.view_{name}",
        address=page(f"admin:messaging_{name}_change"),
        act=f"messaging.resolve_{name}",
        approve=f"messaging.approve_{name}",
        owners=owners(model, "launched_by_id", "created_by_id"),
        authors=authors(model),
        name=named(model),
        ledger=ledger,
        is_reported=is_reported,
    )


def _single(keys: Collection[str]) -> set[str]:
    """Single messages of people and scripts, answers and tests are campaigns too, and a script sends thousands."""
    single = Campaign.objects.filter(pk__in=[int(key) for key in keys]).exclude(kind=Campaign.Kind.CAMPAIGN)
    return {f"{pk}" for pk in single.order_by().values_list("pk", flat=True)}


def _budgets() -> str:
    return reverse("admin:messaging_budget_changelist")


def page(name: str) -> Callable[[str], str]:
    return lambda key: reverse(name, args=[key])


def owners(model: type[Model], *columns: str) -> Callable[[Collection[str]], Mapping[str, Sequence[int]]]:
    """A finder {key: users}: whom these columns name, in their order (who launched it, else who made it)."""

    def find(keys: Collection[str]) -> dict[str, list[int]]:
        rows: Any = model._default_manager.filter(pk__in=[int(key) for key in keys]).values_list("pk", *columns)
        return {f"{pk}": list(filter(None, people)) for pk, *people in rows}

    return find


def authors(model: type[Model]) -> Callable[[str], Collection[int]]:
    """Anyone who wrote it cannot approve it."""

    def find(key: str) -> set[int]:
        row: Any = model._default_manager.filter(pk=int(key)).first()
        if row is None:
            return set()
        return {row.created_by_id or 0, *row.authors.values_list("pk", flat=True)}

    return find


def named(model: type[Model]) -> Callable[[str], str]:
    return lambda key: str(model._default_manager.filter(pk=int(key)).first() or key)
