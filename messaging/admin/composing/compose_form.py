"""The form of the page on which a campaign is written: one time, and whose clock shows it."""

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.forms.moments import FORMAT, MomentInput
from laaffic_console.kit.words import planned_years
from messaging.admin.composing.campaign_form import CampaignForm
from messaging.admin.shared import clocks
from messaging.admin.shared.clocks import CONSOLE, MINE, zone_of
from messaging.models import Campaign
from messaging.services.gates import sending_hours

RECIPIENTS = "recipients"


class MomentWidget(UnfoldAdminTextInputWidget):
    input_type = MomentInput.input_type


class ComposeForm(CampaignForm):
    """`scheduled_at` and `local_time` follow from `send_at` and `clock`; a form without these says them itself."""

    reader_zone: ClassVar[str] = ""  # of who fills it in; "" where they have not said

    send_at = forms.CharField(label=gettext_lazy("Send at"), required=False, widget=MomentWidget)
    clock = forms.ChoiceField(label=clocks.LABEL, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field_of(self, "clock", forms.ChoiceField).choices = _clocks(self.reader_zone)
        self.fields["send_at"].help_text = _("Empty: at once.")
        self.initial = {**_shown(self.instance, self.reader_zone), **self.initial}
        if "sender_id" in self.fields:
            self.fields["sender_id"].widget.attrs["list"] = "sender-ids"

    def clean(self) -> dict[str, Any] | None:
        if self.data.get(self.add_prefix("clock")):
            self._take_time()
        return super().clean()

    def _take_time(self) -> None:
        """Read the time from the form. If it was not changed, the stored moment is kept to the second."""
        given = self.cleaned_data
        at: dt.datetime | None = self.instance.scheduled_at
        wall: str = self.instance.local_time
        if {"send_at", "clock"} & set(self.changed_data):
            try:
                at, wall = _read(given.get("send_at") or "", given.get("clock") or CONSOLE, self.reader_zone)
            except ValidationError as problem:
                self.add_error("send_at", problem)
                return
        given["scheduled_at"], given["local_time"] = at, wall
        self.instance.local_time = wall  # an empty one that was not sent would not be set


def _clocks(own: str) -> list[tuple[str, Any]]:
    return [*clocks.choices(own), (RECIPIENTS, _("each recipient, wherever they are"))]


def _shown(campaign: Campaign, own: str) -> dict[str, str]:
    if campaign.local_time:
        return {"send_at": campaign.local_time.replace(" ", "T"), "clock": RECIPIENTS}
    clock = MINE if own else CONSOLE
    at = campaign.scheduled_at
    return {"send_at": at.astimezone(zone_of(clock, own)).strftime(FORMAT) if at else "", "clock": clock}


def _read(said: str, clock: str, own: str) -> tuple[dt.datetime | None, str]:
    """(the moment, "") or (None, a time on every recipient's wall); ValidationError."""
    if not said:
        return None, ""
    try:
        wall = sending_hours.read_wall_time(said.replace("T", " ")[:16])
    except ValueError as problem:
        unread = _("“%(text)s” is not a time. Write it like 2026-11-27 09:00.") % {"text": said}
        raise ValidationError(unread) from problem
    planned_years.check_year(wall)
    if clock == RECIPIENTS:
        return None, wall.strftime(sending_hours.LOCAL_TIME)
    with timezone.override(zone_of(clock, own)):
        return from_current_timezone(wall), ""
