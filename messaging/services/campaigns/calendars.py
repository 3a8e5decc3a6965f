"""Calendars: kept, given to applications, and put aside once, by an approver's word."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from messaging.hours import opening_hours
from messaging.hours.opening_hours import InvalidHours
from messaging.models import ApplicationCalendar, Calendar, Campaign, CampaignState
from messaging.services import steps
from messaging.services.batches import waiting
from messaging.services.gates import sending_hours

NAMED = 5  # of those that keep a calendar


def check(calendar: Calendar) -> None:
    """ValidationError names the field that is wrong."""
    try:
        opening_hours.read(calendar.hours)
    except InvalidHours as problem:
        raise ValidationError({"hours": str(problem)}) from problem
    try:
        opening_hours.read(calendar.hours, calendar.left_out)
    except InvalidHours as problem:
        raise ValidationError({"left_out": str(problem)}) from problem


@transaction.atomic
def save(calendar: Calendar, columns: Iterable[str] = ()) -> Calendar:
    """Keep it, or the `columns` of one that was edited; what waits by it is looked at again."""
    calendar.full_clean()
    check(calendar)
    if calendar.pk is None:
        calendar.save()
    else:
        calendar.save(update_fields={*columns, "changed_at"})
    follow()
    return calendar


def delete(calendar: Calendar) -> None:
    """NotNow while an application or a campaign has it, also one that is over: it says when that sent."""
    try:
        calendar.delete()
    except ProtectedError as problem:
        names = ", ".join(f"“{one}”" for one in sorted(problem.protected_objects, key=str)[:NAMED])
        said = _("The calendar “%(name)s” is kept by %(names)s. Give them another one, or change its hours instead.")
        raise NotNow(said % {"name": calendar.name, "names": names}) from problem


@transaction.atomic
def add_part(
    name: str, *, hours: Sequence[str], countries: Sequence[str] = (), left_out: Sequence[str] = ()
) -> Calendar:
    """Give a calendar these hours and dates, for these countries or in general, instead of what it had for them.

    A new one that is given hours for some countries alone has them for everybody: elsewhere it would never be closed.
    """
    calendar = Calendar.objects.select_for_update().filter(name=name).first()
    is_new = calendar is None
    calendar = calendar or Calendar(name=name)
    before = {"hours": calendar.hours, "left_out": calendar.left_out}
    try:
        if is_new and countries:
            calendar.hours = opening_hours.with_part("", (), hours)
        calendar.hours = opening_hours.with_part(calendar.hours, countries, hours)
        calendar.left_out = opening_hours.with_part(calendar.left_out, countries, left_out)
    except InvalidHours as problem:
        raise ValidationError(str(problem)) from problem
    save(calendar, ["hours", "left_out"])
    after = {"hours": calendar.hours, "left_out": calendar.left_out}
    named = {field.name: field.verbose_name for field in Calendar._meta.fields}
    changes = [[named[field], before[field], after[field]] for field in after if before[field] != after[field]]
    record(Act.ADDED if is_new else Act.CHANGED, calendar, changes=changes)
    return calendar


@transaction.atomic
def give(application: Application, calendar: Calendar | None) -> ApplicationCalendar:
    """Campaigns of this application that name no calendar keep this one from now on."""
    given, is_new = ApplicationCalendar.objects.get_or_create(application=application, defaults={"calendar": calendar})
    if not is_new:
        given = ApplicationCalendar.objects.select_for_update(of=("self",)).get(pk=given.pk)
    before, given.calendar = None if is_new else given.calendar, calendar
    if is_new or before != calendar:
        given.save()
        named = ApplicationCalendar._meta.get_field("calendar").verbose_name
        change = [named, str(before or "–"), str(calendar or "–")]
        record(Act.ADDED if is_new else Act.CHANGED, given, changes=[change])
        follow()
    return given


def follow() -> None:
    """Have a worker look again at what waits by a calendar, which was changed."""
    bell.ring(waiting.JOB)


def send_outside_hours(campaign_id: int, *, reason: str, by: User | None) -> Campaign:
    """Once, for this campaign: neither hours nor its recipients' own time keep anything of it back.

    Who may say so the door asks: it takes an approver's right.
    """
    if is_blank(reason):
        raise ValidationError(_("Say why it is sent outside its hours."))
    with transaction.atomic():
        campaign = steps.locked(Campaign, campaign_id)
        steps.require(
            campaign, [CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD], _("sent outside its hours")
        )
        if campaign.outside_hours:
            return campaign
        if not campaign.local_time and sending_hours.rules_of(campaign) is None:
            raise NotNow(sending_hours.has_no_hours())
        campaign.outside_hours = True
        campaign.save(update_fields=["outside_hours"])
        said = _("Sent outside its hours: %(reason)s") % {"reason": reason.strip()}
        steps.note(campaign, said, by, Act.APPROVAL)
    waiting.look_again([campaign_id])
    return campaign
