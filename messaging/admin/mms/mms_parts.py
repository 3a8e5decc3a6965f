"""What an MMS campaign has beside its text, for the pages that show campaigns."""

from dataclasses import dataclass

from messaging.admin.mms.attachments import clock_of
from messaging.admin.shared.channel_pages import Beside
from messaging.media import attachment_content
from messaging.models import Campaign, MmsAttachment
from messaging.services.mms.mms_channel import RANDOM_TITLE, MmsOptions


@dataclass(frozen=True, slots=True)
class ShownPart:
    attachment: MmsAttachment
    text: str
    clock: tuple[str, str]  # (state, words)


@dataclass(frozen=True, slots=True)
class MmsParts:
    title: str
    is_random: bool
    parts: list[ShownPart]

    @property
    def size(self) -> int:
        return sum(part.attachment.size for part in self.parts)


def of(campaign: Campaign) -> Beside:
    options = MmsOptions.of(campaign)
    found = MmsAttachment.objects.in_bulk(options.attachments)
    parts = [_part(found[pk]) for pk in options.attachments if pk in found]
    return Beside("messaging/mms/mms_parts.html", MmsParts(options.title, options.mms_type == RANDOM_TITLE, parts))


def _part(attachment: MmsAttachment) -> ShownPart:
    text = attachment_content.text_of(bytes(attachment.content)) if attachment.is_text else ""
    return ShownPart(attachment, text, clock_of(attachment))
