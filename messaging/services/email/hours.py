"""When an email campaign's request may leave, by its calendar: it goes to a whole list at once.

Where the people on the list are nobody here knows, so it is the calendar's general hours on the console's own clock.
"""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from laaffic_console.kit.words.said import gettext as _
from messaging.models import EmailCampaign
from messaging.services.gates import sending_hours

NOWHERE = ("", (settings.TIME_ZONE,))


def opens_at(campaign: EmailCampaign, moment: dt.datetime) -> dt.datetime | None:
    """The first moment from this one on; this one where no calendar holds. None: the calendar has no hour at all."""
    rules = None if campaign.outside_hours else sending_hours.rules_for(campaign.application_id, campaign.calendar_id)
    return moment if rules is None else sending_hours.common_opening(rules, [NOWHERE], moment)


def ended(campaign: EmailCampaign, moment: dt.datetime) -> str:
    """The sentence of its latest end, once that has passed; "" before."""
    if campaign.latest_end is None or campaign.latest_end > moment:
        return ""
    return sending_hours.after_its_end(campaign.latest_end)


def begins_too_late(campaign: EmailCampaign) -> str:
    """A sentence if the draft's time and calendar make it begin after its latest end, else ""."""
    begins = max(campaign.scheduled_at or timezone.now(), timezone.now())
    opens = opens_at(campaign, begins) or begins
    if campaign.latest_end is None or campaign.latest_end > opens:
        return ""
    return sending_hours.begins_after_its_end(campaign.latest_end)


def never() -> str:
    return _("Its calendar has no hour in which it could leave. Change the calendar, then resume.")


def waits() -> str:
    return _("Outside the sending hours of its calendar.")
