"""What a draft of any channel says of when it may reach people, and for what.

Which words explain it differs by channel: an email has no people's clocks, a group call goes on at Laaffic.
"""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.words.planned_years import PlannedMomentField
from messaging.models.calendars import Calendar

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise


class Purpose(models.TextChoices):
    UNSPECIFIED = "", _("Not specified")
    MARKETING = "marketing", _("Marketing")
    TRANSACTIONAL = "transactional", _("Transactional")


def purpose_field(help_text: "_StrOrPromise", **more: Any) -> "models.CharField[str, str]":
    """The purpose of a draft; `more` is for one model's column only, such as a default kept by the database."""
    return models.CharField(
        _("purpose"),
        max_length=13,
        choices=Purpose,
        default=Purpose.UNSPECIFIED,
        blank=True,
        help_text=help_text,
        **more,
    )


def calendar_field(drafts: str, help_text: "_StrOrPromise") -> "models.ForeignKey[Calendar | None, Calendar | None]":
    """Empty: its application's. `drafts` is what the calendar calls those that have it."""
    return models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name=drafts,
        verbose_name=_("calendar"),
        help_text=help_text,
    )


def latest_end_field(help_text: "_StrOrPromise") -> PlannedMomentField:
    return PlannedMomentField(_("not after"), null=True, blank=True, help_text=help_text)
