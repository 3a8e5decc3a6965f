"""The clock by which a moment is written in a form: that of the person who fills it in, or the console's."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.words import dates
from messaging.models import Campaign, EmailCampaign

CONSOLE, MINE = "console", "mine"
LABEL = gettext_lazy("By the clock of")


def choices(own: str) -> list[tuple[str, Any]]:
    mine = [(MINE, _("mine: %(zone)s") % {"zone": own})] if own else []
    return [*mine, (CONSOLE, _("this console: %(zone)s") % {"zone": settings.TIME_ZONE})]


def zone_of(clock: str, own: str) -> ZoneInfo:
    return ZoneInfo(own if clock == MINE and own else settings.TIME_ZONE)


def moment_in(zone: str, moment: dt.datetime) -> str:
    """The moment in words by this zone's clock. A template would convert it to the console's zone."""
    return date_format(moment.astimezone(ZoneInfo(zone)), "DATETIME_FORMAT")


def starts_at(campaign: Campaign | EmailCampaign) -> str:
    """For lists: “starts at …” if it waits for its moment, else ""."""
    if campaign.state != "scheduled" or campaign.scheduled_at is None:
        return ""
    return _("starts at %(when)s") % {"when": dates.planned(campaign.scheduled_at)}


def at_its_moment(does: str, at: dt.datetime | None) -> str:
    """What a button does, and when, where that is later."""
    if at is None or at <= timezone.now():
        return does
    return _("%(does)s at %(when)s") % {"does": does, "when": dates.planned(at)}


class MomentField(forms.DateTimeField):
    """Shown and read by the clock that its form's `clock` names."""

    zone: dt.tzinfo | None = None  # None: the console's

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(self.zone):
            return super().prepare_value(value)

    def to_python(self, value: Any) -> dt.datetime | None:
        with timezone.override(self.zone):
            return super().to_python(value)


class ByAClock(forms.Form):
    """For a form with one moment that somebody may write by their own clock; without `clock` it is the console's."""

    clock = forms.ChoiceField(label=LABEL, required=False)
    reader_zone = ""  # of who fills it in; "" where they have not said

    def go_by_clock(self, moment: str, reader_zone: str) -> None:
        self.reader_zone = reader_zone
        field_of(self, "clock", forms.ChoiceField).choices = choices(reader_zone)
        asked = self.data.get(self.add_prefix("clock"), CONSOLE) if self.is_bound else self.initial.get("clock")
        self.initial["clock"] = asked or (MINE if reader_zone else CONSOLE)
        field_of(self, moment, MomentField).zone = zone_of(self.initial["clock"], reader_zone)

    def again(self) -> dict[str, Any]:
        return {"reader_zone": self.reader_zone, "initial": {"clock": self.initial["clock"]}}
