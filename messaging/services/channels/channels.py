"""The channels that a campaign can be sent on. One door out (ledger#one-door-out): freezing, claiming, pace, ledger,
settling and reports are the same for all of them, and a channel says only what differs.

Another app adds a channel with `register` when it is made ready; messaging need not know it.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from django.conf import settings

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import LaafficClient, Refused, SendResult
from messaging.models import Batch, Campaign
from messaging.services.channels.outgoing import Claim
from messaging.text import merge_fields
from messaging.text.merge_fields import Template

Post = Callable[[LaafficClient, Claim], SendResult]


class NotReady(Exception):
    """The campaign cannot be sent as it stands; the sentence says why and what to do. It is held."""


class NotYet(Exception):
    """Another process is at what it needs. Nobody has to do anything: it is looked at again by itself."""


class SendingChannel(ABC):
    key: ClassVar[str]  # Campaign.channel, and the suppression list's
    application_channel: ClassVar[str]  # of the applications that can carry it
    recipients_per_call: ClassVar[int] = 1000
    longest_text: ClassVar[int] = 1024  # Unicode code points
    is_ready_at_once: ClassVar[bool] = True  # its poster asks nobody
    has_replies: ClassVar[bool] = True
    stopped_like: ClassVar[str] = ""  # another channel whose opt-outs count here too

    @property
    def recipients_at_once(self) -> int:
        """How many one request may carry here."""
        of_setting: int = settings.LAAFFIC_RECIPIENTS_PER_CALL
        return min(self.recipients_per_call, of_setting)

    @property
    def suppressed_on(self) -> tuple[str, str, str]:
        """The channels whose entries of the suppression list stop it; its own twice where there is no other."""
        return self.key, self.stopped_like or self.key, Channel.ALL.value

    def problems(self, campaign: Campaign) -> dict[str, list[str]]:
        """{field: sentences} beyond the text itself."""
        return {}

    def saved(self, campaign: Campaign) -> None:  # noqa: B027 - most channels' drafts refer to nothing
        """A draft was saved: what it refers to is in use from here on."""

    def title(self, campaign: Campaign) -> str:
        """A second text that goes out with the first; its merge fields are filled in too. "" where there is none."""
        return ""

    def merged_title(self, template: Template, values: Mapping[str, str]) -> str:
        """The title as one recipient reads it, within what the interface takes."""
        return merge_fields.render(template, values)

    def segments(self, text: str) -> int:
        """How many are billed for one text."""
        return 1

    def tries_for(self, campaign: Campaign) -> dt.timedelta:
        """How long Laaffic goes on by itself with who was not reached; until then no end is a failure."""
        return dt.timedelta()

    def takes_several_texts(self, campaign: Campaign) -> bool:
        """Whether one request can carry more than one content."""
        return False

    @abstractmethod
    def interface(self, texts: int) -> str:
        """The interface, as the ledger names it, of a request with so many different texts."""

    @abstractmethod
    def poster(self, campaign: Campaign) -> Post:
        """What sends a claim of this campaign. It runs in threads, so whatever it needs of the database is read here.

        NotReady holds the campaign; NotYet leaves it to another time. The poster's own errors are LaafficError;
        anything else counts as unknown.
        """

    def makes_ready_again(self, campaign: Campaign, refusal: Refused, left_at: dt.datetime) -> bool:
        """Laaffic has no longer what a request that left then needs: whether the next poster brings it there again."""
        return False

    @abstractmethod
    def look_for_reports(self, client: LaafficClient, batch: Batch, asking: Patience) -> None:
        """Ask for what is overdue of this batch: reports that did not come, and what is unknown."""

    def reconcile(self, application: Application, start: dt.datetime, end: dt.datetime) -> int:
        """Everything the vendor's records say of what was sent between two moments; how many there were."""
        return 0


_channels: dict[str, SendingChannel] = {}


def register(channel: SendingChannel) -> None:
    _channels[channel.key] = channel


def named(key: str) -> SendingChannel:
    return _channels[key]


def of(campaign: Campaign) -> SendingChannel:
    return _channels[campaign.channel]


def texts_of(campaign: Campaign) -> str:
    """Everything of a campaign in which merge fields are filled in."""
    return campaign.text + of(campaign).title(campaign)


def segments_when_frozen(campaign: Campaign) -> int:
    """The segments on each message's row at first. A text with fields is counted when merged, and the answer writes it.

    An answer of single segments writes none (services/batches/answers.py), so a row that is to be counted begins
    with one.
    """
    return 1 if merge_fields.fields(texts_of(campaign)) else of(campaign).segments(campaign.text)


def carried_by(application: Application) -> list[SendingChannel]:
    return [channel for channel in _channels.values() if channel.application_channel == application.channel]
