"""Drafts of campaigns, edited by anyone who names some of their fields, and deleted."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.plain_text import sendable
from laaffic_console.kit.words.said import gettext as _
from messaging.models import Campaign, CampaignState
from messaging.services import steps
from messaging.services.approvals import shown
from messaging.services.campaigns import drafts
from messaging.services.refusals import Overtaken

CHOSEN = ("groups", "excluded_groups", "audiences")
EDITED = (
    *("name", "application_id", "sender_id", "text", "channel_options", "extra_numbers", "paste_id"),
    *("rate_per_second", "scheduled_at", "latest_start_minutes", "error_limit", "calendar_id", "local_time"),
    *("latest_end", "purpose", "canary", "canary_wait", "canary_reports", "canary_least"),
)


def as_seen(campaign: Campaign) -> str:
    """A digest of all that can be edited, with which `edit` knows whether somebody else has changed it."""
    columns = [getattr(campaign, name) for name in EDITED]
    return shown.digest([columns, [sorted(_pks(getattr(campaign, name).all())) for name in CHOSEN]])


def _pks(rows: Iterable[Any]) -> list[int]:
    return [one.pk for one in rows]


@transaction.atomic
def edit(
    campaign_id: int, fields: Mapping[str, Any], *, options: Mapping[str, Any], seen: str, by: User | None = None
) -> Campaign:
    """Give a draft these fields, as `create` takes them, and its channel these `options`; the others stay.

    `seen`: as the person who edits it has seen it (`as_seen`); Overtaken where somebody has edited it since. What is so
    already changes nothing.
    """
    campaign = steps.locked(Campaign, campaign_id)
    if not (changes := _changes(campaign, _as_kept(campaign, fields, options))):
        return campaign
    steps.require(campaign, [CampaignState.DRAFT], _("edited"))
    if seen != as_seen(campaign):
        raise Overtaken(
            _(
                "Somebody else has saved this in the meantime. Your changes are not saved yet: check them and save "
                "again."
            )
        )
    told = [_told(campaign, name, value) for name, value in changes.items()]
    for name in changes.keys() - set(CHOSEN):
        setattr(campaign, name, changes[name])
    chosen = {name: changes.get(name, list(getattr(campaign, name).all())) for name in CHOSEN}
    drafts.save(campaign, **chosen, columns=changes.keys() - set(CHOSEN), by=by)
    record(Act.CHANGED, campaign, changes=told)
    return campaign


def _as_kept(campaign: Campaign, fields: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are stored; otherwise a repeated edit would look like a new one."""
    found = dict(fields)
    if options:
        found["channel_options"] = {**campaign.channel_options, **options}
    if "text" in found:
        found["text"] = sendable(found["text"])
    if "sender_id" in found:
        application = found.get("application", campaign.application)
        found["sender_id"] = found["sender_id"] or application.sender_id
    return found


def _changes(campaign: Campaign, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields whose values differ from the campaign's."""
    return {name: value for name, value in given.items() if _compared(_now(campaign, name)) != _compared(value)}


def _now(campaign: Campaign, name: str) -> Any:
    return list(getattr(campaign, name).all()) if name in CHOSEN else getattr(campaign, name)


def _compared(value: Any) -> Any:
    return sorted(_pks(value)) if isinstance(value, list) and value and hasattr(value[0], "pk") else value


def _told(campaign: Campaign, name: str, value: Any) -> list[Any]:
    """[field name, before, after] for the audit log. Numbers are only counted there, never named."""
    words = [_in_words(name, one) for one in (_now(campaign, name), value)]
    field: Any = Campaign._meta.get_field(name)
    return [field.verbose_name, *words]


def _in_words(name: str, value: Any) -> str:
    if name == "extra_numbers":
        return str(len(value))
    if name == "paste":
        return str(value.numbers if value else 0)
    said = ", ".join(map(str, value)) if isinstance(value, list) else value
    return "–" if said in (None, "") else str(said)[:300]


@transaction.atomic
def delete(campaign_id: int) -> None:
    """A draft, with the word that was asked for it. What was launched stays."""
    # Wholly, unlike other acts: what is counted for it in the meantime would be left without its campaign.
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    steps.require(campaign, [CampaignState.DRAFT], _("deleted"))
    campaign.delete()
