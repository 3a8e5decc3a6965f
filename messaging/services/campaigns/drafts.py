"""Drafts of campaigns: written, edited, and what speaks against them before their audience is known."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Required, TypedDict, Unpack

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client.account import require_configured
from laaffic_console.kit.noting import Noting
from laaffic_console.kit.sql.constant_sql import Insert
from laaffic_console.kit.words import planned_years
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank, sendable
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from messaging.models import Audience, Calendar, Campaign, CampaignState, Contact, ContactGroup, Paste, TemplateVersion
from messaging.services import steps
from messaging.services.approvals import approvals
from messaging.services.campaigns import canary_sizes
from messaging.services.channels import channels
from messaging.services.gates import sending_hours
from messaging.services.saved_audiences import audience_sql
from messaging.services.text import merge_samples
from messaging.text import merge_fields, segments

noting = Noting[Campaign]("a draft that is made")
MAX_EXTRA_NUMBERS = 1000
FIRST_CLOCK = dt.timezone(dt.timedelta(hours=14))  # on earth that shows a time


class Columns(TypedDict, total=False):
    """What a draft is made of, by columns of `Campaign`; None, and what is left out, are the model's default."""

    name: Required[str]
    application: Required[Application]
    sender_id: Required[str]
    text: Required[str]
    template_version: TemplateVersion | None
    paste: Paste | None
    rate_per_second: int | None
    scheduled_at: dt.datetime | None
    latest_start_minutes: int | None
    error_limit: int | None
    calendar: Calendar | None
    local_time: str
    latest_end: dt.datetime | None
    canary: str
    canary_wait: int | None
    canary_reports: int | None
    canary_least: int | None
    retry_of: Campaign | None
    kind: str
    purpose: str
    channel: str
    channel_options: dict[str, Any] | None


def create(
    *,
    groups: Iterable[ContactGroup] = (),
    excluded_groups: Iterable[ContactGroup] = (),
    audiences: Iterable[Audience] = (),
    numbers: Iterable[str] = (),
    by: User | None = None,
    is_noted: bool = True,
    **columns: Unpack[Columns],
) -> Campaign:
    """A draft to these groups, audiences and single `numbers`; ValidationError names the field that is wrong.

    Not `is_noted`: `starting.launch_new` notes in the same transaction that it was created.
    """
    given: dict[str, Any] = {name: value for name, value in columns.items() if value is not None}
    campaign = Campaign(extra_numbers=list(numbers), **given)
    return save(campaign, groups=groups, excluded_groups=excluded_groups, audiences=audiences, by=by, is_noted=is_noted)


def save(
    campaign: Campaign,
    *,
    groups: Iterable[ContactGroup],
    excluded_groups: Iterable[ContactGroup],
    audiences: Iterable[Audience] = (),
    columns: Iterable[str] = (),
    by: User | None = None,
    is_noted: bool = True,
    is_told: bool = True,
) -> Campaign:
    """Keep a new draft, or the `columns` of one that was edited; ValidationError names the field that is wrong.

    NotNow where it is no longer a draft. Not `is_told`: a form records with all that it has given that it was created.
    """
    campaign.text = sendable(campaign.text)
    campaign.sender_id = campaign.sender_id or campaign.application.sender_id
    # The text and the sender ID: check_content, in words of its own. The application has just been read.
    campaign.full_clean(exclude=["created_by", "text", "sender_id", "application"])
    check_content(campaign)
    is_new = campaign.pk is None
    chosen: dict[str, list[Any]] = {
        "groups": list(groups),
        "excluded_groups": list(excluded_groups),
        "audiences": list(audiences),
    }
    with transaction.atomic(savepoint=not is_new):  # an edit that is refused shows its page again
        is_edited = True
        if is_new:
            campaign.created_by = by
            _write([campaign])
        else:
            stored = steps.locked(Campaign, campaign.pk)
            steps.require(stored, [CampaignState.DRAFT], _("edited"))
            if campaign.kind == Campaign.Kind.TEST:  # once edited, it may go to others than the one number of a test
                campaign.kind = Campaign.Kind.CAMPAIGN
            edited = {*columns, "sender_id", "kind"}
            is_edited = steps.is_edited(stored, campaign, edited) or _are_others(stored, chosen)
            campaign.save(update_fields=edited)
        for name, those in chosen.items():
            _choose(campaign, name, those, is_new=is_new)
        channels.of(campaign).saved(campaign)
        if is_new:
            noting.tell(campaign)
        if is_edited:
            steps.kept(campaign, by, is_new=is_new, is_noted=is_noted)
        if is_new and is_noted and is_told:
            steps.tell(campaign)
        if not is_new:
            approvals.void_if_changed(campaign, by=by)
    return campaign


def _are_others(stored: Campaign, chosen: dict[str, list[Any]]) -> bool:
    return any(
        set(getattr(stored, name).values_list("pk", flat=True)) != {one.pk for one in those}
        for name, those in chosen.items()
    )


_write = Insert(Campaign, keys=True)


def _choose(campaign: Campaign, name: str, those: Sequence[Any], *, is_new: bool) -> None:
    """A new draft has none yet that might have to go."""
    if those or not is_new:
        getattr(campaign, name).set(those)


def check_content(campaign: Campaign) -> None:
    """What can be said about a draft without its audience."""
    channel = channels.of(campaign)
    problems = channel.problems(campaign)
    if campaign.application.channel != channel.application_channel:
        problems["application"] = [
            _("%(app)s is an application for %(channel)s. Choose one for %(wanted)s.")
            % {
                "app": campaign.application,
                "channel": campaign.application.get_channel_display(),
                "wanted": Channel(channel.application_channel).label,
            }
        ]
    if text_problem := problem_with_text(campaign.text, channel.longest_text):
        problems["text"] = [text_problem]
    if len(campaign.sender_id) > 32:
        problems["sender_id"] = [_("A sender ID has at most 32 characters.")]
    elif not campaign.sender_id.isprintable():
        problems["sender_id"] = [_("The sender ID contains a line break or an invisible character. Type it again.")]
    if len(campaign.extra_numbers) > MAX_EXTRA_NUMBERS:
        problems["extra_numbers"] = [
            _("These are %(n)d numbers; at most %(limit)d fit here. Import them as contacts and choose their group.")
            % {"n": len(campaign.extra_numbers), "limit": MAX_EXTRA_NUMBERS}
        ]
    if campaign.paste is not None and not campaign.paste.is_complete:
        problems["paste"] = [_("Not all of the pasted lines have arrived. Paste them once more.")]
    problems.update(_problems_with_time(campaign))
    problems.update(_problems_with_canary(campaign))
    if problems:
        raise ValidationError(problems)


def _problems_with_time(campaign: Campaign) -> dict[str, list[str]]:
    """{field: problems} of its times. After a launch at recipients' own time `scheduled_at` is its first moment."""
    if campaign.latest_end and campaign.scheduled_at and campaign.latest_end <= campaign.scheduled_at:
        return {"latest_end": [_ends_first()]}
    if not campaign.local_time:
        return {}
    try:
        wall = sending_hours.read_wall_time(campaign.local_time)
        planned_years.check_year(wall)
    except (ValueError, ValidationError):
        said = _("“%(text)s” is not a time. Write it like 2026-11-27 09:00.")
        return {"local_time": [said % {"text": campaign.local_time}]}
    if campaign.scheduled_at and campaign.state == CampaignState.DRAFT:
        return {"local_time": [_("Give one of the two: a moment to send at, or a time by each recipient's own clock.")]}
    if campaign.latest_end and campaign.latest_end <= wall.replace(tzinfo=FIRST_CLOCK):
        return {"latest_end": [_ends_first()]}
    return {}


def _ends_first() -> str:
    return _("It would end before it starts. Choose a later moment, or leave it empty.")


def _problems_with_canary(campaign: Campaign) -> dict[str, list[str]]:
    if campaign.canary:
        try:
            canary_sizes.read(campaign.canary)
        except canary_sizes.InvalidSize as problem:
            return {"canary": [str(problem)]}
    return {}


def problems_of(campaign: Campaign, check: Callable[[Campaign], None] = check_content) -> list[str]:
    """What `check_content` or `check_ready` says, as sentences."""
    try:
        check(campaign)
    except ValidationError as problem:
        return list(problem.messages)
    return []


def problem_with_text(text: str, longest: int = segments.LIMIT_CHARACTERS) -> str:
    if is_blank(text):
        return _("Write a text: it is empty.")
    if len(text) > longest:
        over = len(text) - longest
        return ngettext(
            "The text has %(n)d characters; at most %(limit)d are possible. Shorten it by one character.",
            "The text has %(n)d characters; at most %(limit)d are possible. Shorten it by %(over)d characters.",
            over,
        ) % {"n": len(text), "limit": longest, "over": over}
    try:
        unknown = unknown_fields(text)
    except merge_fields.MergeError as error:
        return str(error)
    return problem_with_unknown_fields(unknown) if unknown else ""


def unknown_fields(text: str) -> list[str]:
    """Contacts are looked at only where a field is none that every contact has. MergeError for a text that is wrong."""
    merge_fields.check_fallbacks(text)
    beside = merge_fields.unknown_fields(text, merge_fields.BUILT_IN)
    if not beside:
        return []
    return [name for name in merge_fields.unknown_fields(text, known_fields()) if not _is_of_anybody(name)]


def _is_of_anybody(name: str) -> bool:
    """All contacts are looked at: the newest may come from a file with columns of its own."""
    return Contact.objects.filter(attributes__has_key=name).order_by().exists()


def problem_with_unknown_fields(unknown: Sequence[str]) -> str:
    return _("No contact has a field called %(fields)s. Fields are: %(known)s.") % {
        "fields": ", ".join("{{" + name + "}}" for name in unknown),
        "known": ", ".join(sorted(known_fields())),
    }


def known_fields() -> set[str]:
    """Merge fields that mean something: the built-in ones and the attributes of contacts from all over the table."""
    found = merge_samples.sampled().exclude(attributes={}).values_list("attributes", flat=True)
    return {*merge_fields.BUILT_IN, *(name for attributes in found for name in attributes)}


def check_ready(campaign: Campaign) -> None:
    check_content(campaign)
    if not campaign.application.is_active:
        raise NotNow({"application": _("This application is switched off.")})
    is_to_some = campaign.extra_numbers or campaign.paste_id
    if not is_to_some and not campaign.groups.exists() and not campaign.audiences.exists():
        raise NotNow({"groups": _("Choose who gets it: select groups or an audience, or paste numbers.")})
    if not has_somebody(campaign):
        raise NotNow({"groups": _("These groups are empty. Import contacts, or choose other groups.")})
    require_configured()


def has_somebody(campaign: Campaign) -> bool:
    """At first sight; whether anybody meets an audience's condition is known when all have been counted."""
    if campaign.extra_numbers or campaign.paste_id or campaign.audiences.exists():
        return True
    return bool(audience_sql.first_of(list(campaign.groups.values_list("pk", flat=True)), 1))
