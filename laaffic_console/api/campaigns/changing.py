"""A draft of any kind of campaign, edited field by field, and deleted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from laaffic_console.api import shapes
from laaffic_console.api.campaigns import documents
from laaffic_console.api.campaigns.channels import mms, spoken
from laaffic_console.api.handling import lookups, problems
from laaffic_console.api.handling.changing import locked
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.handling.views import ApiView, row
from laaffic_console.api.messages import sending
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.audit.acts import Act, record
from messaging.models import Campaign, ContactGroup, PastedNumber
from messaging.services.campaigns import editing
from messaging.services.refusals import Overtaken

OWN: Mapping[str, Any] = {Channel.MMS: mms, Channel.VOICE: spoken}
PLAIN = (
    *("name", "sender_id", "text", "rate_per_second", "scheduled_at", "local_time", "purpose", "canary"),
    *("latest_start_minutes", "error_limit"),
)
READ: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "audiences": ("audiences", lookups.audiences),
    "calendar": ("calendar", lookups.calendar),
    "not_after": ("latest_end", lambda moment: moment),
}
GROUPS = ("groups", "excluded_groups")


def rows() -> Any:
    return Campaign.objects.select_related("application", "calendar", "paste")


def edited(pk: int, asked: Mapping[str, Any], by: Any) -> Answer:
    draft = row(rows(), pk)
    _require_of_its_kind(draft, asked)
    own = OWN.get(draft.channel)
    try:
        draft = editing.edit(
            pk,
            _fields(draft, asked, by),
            options=own.options_of(asked) if own else {},
            seen=asked["seen"],
            by=by,
        )
    except Overtaken as problem:
        said = _("Somebody has edited this draft since. GET it again, and send its “seen” with what is to change.")
        raise Problem(409, said) from problem
    return Answer(200, documents.whole(draft))


def _require_of_its_kind(draft: Campaign, asked: Mapping[str, Any]) -> None:
    """Refuse fields that only another kind of campaign has: they would be kept, and nothing would send them."""
    others = {name for channel, own in OWN.items() if channel != draft.channel for name in own.NAMES}
    others -= set(OWN[draft.channel].NAMES) if draft.channel in OWN else set()
    others |= {"sender_id"} if draft.channel == Channel.VOICE else set()
    if foreign := sorted(others & asked.keys()):
        said = _("“%(name)s” is not a field of this kind of campaign (%(kind)s). Leave it out.")
        said %= {"name": foreign[0], "kind": draft.get_channel_display()}
        raise problems.at(foreign[0], said)


def _groups(has: Iterable[ContactGroup], names: Sequence[str], field: str) -> list[ContactGroup]:
    """The named groups; also ad hoc ones that the draft has already, such as an earlier campaign's recipients."""
    own = {group.name: group for group in has if group.is_ad_hoc}
    kept = [own[name] for name in dict.fromkeys(names) if name in own]
    return kept + lookups.groups([name for name in names if name not in own], field)


def _fields(draft: Campaign, asked: Mapping[str, Any], by: Any) -> dict[str, Any]:
    """The requested fields of the draft, as its service takes them."""
    found = {name: asked[name] for name in PLAIN if name in asked}
    found |= {column: read(asked[name]) for name, (column, read) in READ.items() if name in asked}
    found |= {name: _groups(getattr(draft, name).all(), asked[name], name) for name in GROUPS if name in asked}
    if "application" in asked:
        found["application"] = lookups.application(asked["application"], draft.application.channel)
    return {**found, **_few_first(draft, asked), **(_numbers(draft, asked["to"], by) if "to" in asked else {})}


def _few_first(draft: Campaign, asked: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: asked[name] for name in shapes.FEW_FIRST if name in asked}
    stray = [name for name, value in given.items() if value is not None]
    if stray and not asked.get("canary", draft.canary):
        raise shapes.belongs_to_canary(stray[0])
    usual = Campaign()
    return {name: getattr(usual, name) if value is None else value for name, value in given.items()}


def _numbers(draft: Campaign, texts: list[str], by: Any) -> dict[str, Any]:
    """The draft's new numbers; nothing if they are the same: stored again, they would be taken for other numbers."""
    numbers = sending.require_numbers(texts)
    if draft.paste and set(_pasted(draft)) == set(numbers):
        return {}
    kept = sending.to_numbers(numbers, by)
    return {"extra_numbers": kept.get("numbers", []), "paste": kept.get("paste")}


def _pasted(draft: Campaign) -> list[str]:
    return list(PastedNumber.objects.filter(paste=draft.paste).values_list("number", flat=True))


def deleted(view: ApiView, pk: int) -> Answer:
    draft = locked(view, rows(), pk, documents.whole)
    editing.delete(pk)
    record(Act.DELETED, draft)
    return Answer(204, {})
