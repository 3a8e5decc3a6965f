"""From events to notices: one row in the transaction of what happens, and nothing asked; a worker does the rest."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from laaffic_console.events.kinds import Kind
from laaffic_console.events.models import Event
from laaffic_console.events.readers import Reader
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import Waiting, as_said

JOB = "laaffic_console.notices.jobs.hand_out"

OF_EVENT = {
    Kind.APPROVAL_ASKED: Notify.ASKED,
    Kind.APPROVAL_GIVEN: Notify.GIVEN,
    Kind.APPROVAL_REFUSED: Notify.REFUSED,
    Kind.APPROVAL_VOIDED: Notify.VOIDED,
    Kind.APPROVAL_WITHDRAWN: Notify.WITHDRAWN,
    Kind.CAMPAIGN_DRIFT: Notify.DRIFT,
    Kind.IMPORT_FINISHED: Notify.IMPORT,
    Kind.BALANCE_LOW: Notify.BALANCE,
    Kind.BUDGET_WARNED: Notify.BUDGET,
    Kind.BUDGET_USED_UP: Notify.BUDGET,
    Kind.WEBHOOK_DISABLED: Notify.WEBHOOK,
}
OF_STATE = {"held": Notify.HELD, "finished": Notify.FINISHED}
KINDS = {*(kind.value for kind in OF_EVENT), Kind.CAMPAIGN_STATE.value}


def wanted() -> set[str]:
    """The kinds to take notice of, always the same few: what happens to single messages is not among them."""
    return KINDS


def take(events: Sequence[Event]) -> None:
    rows = [row for event in events if event.kind in KINDS and (row := _row(event))]
    if rows:
        Waiting.objects.bulk_create(rows)
        bell.ring_once_a_second(JOB)


def tell(kind: Notify, about: str, said: Mapping[str, str]) -> None:
    """Tell people of what is not an event, in the transaction that notes that they were told."""
    Waiting.objects.create(kind=kind, about=about, said=as_said(**said), at=timezone.now())
    bell.ring_once_a_second(JOB)


def _row(event: Event) -> Waiting | None:
    facts = event.told
    kind = OF_STATE.get(facts.get("state", "")) if event.kind == Kind.CAMPAIGN_STATE else OF_EVENT[Kind(event.kind)]
    if kind is None:
        return None
    said = as_said(**_said(kind, facts))
    by = "" if kind in (Notify.IMPORT, Notify.FINISHED) else facts.get("by", "")
    return Waiting(kind=kind, about=event.about, said=said, by=by, at=event.at)


def _said(kind: Notify, facts: Mapping[str, Any]) -> dict[str, Any]:
    if kind == Notify.IMPORT:
        counts = {name: facts[name] for name in ("added", "updated", "invalid")}
        counted = _("%(added)s added, %(updated)s updated, %(invalid)s invalid") % counts
        return {"name": facts["file"], "reason": facts["explanation"] or counted}
    if kind == Notify.WEBHOOK:
        return {"name": facts["url"]}
    if kind == Notify.BALANCE:
        return {name: facts[name] for name in ("balance", "currency", "limit")}
    said = {name: facts.get(name, "") for name in ("name", "by", "country", "asked_by")}
    return {**said, "reason": facts.get("reason") or facts.get("note") or ""}


READER = Reader(wanted, take)
