"""MMS: one text with up to three attachments to at most a thousand numbers a request (laaffic-api#mmssend).

A request has no orderIds, and its answer none either: ids are matched by number. Reports come as for SMS.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.laaffic import LaafficClient, Refused, SendResult
from laaffic_console.laaffic.mms import MAX_ATTACHMENTS, MAX_TITLE
from messaging.models import Batch, Campaign, MmsAttachment
from messaging.services.campaigns import drafts
from messaging.services.channels.channels import NotReady, NotYet, Post, SendingChannel
from messaging.services.channels.outgoing import Claim
from messaging.services.mms import attachments
from messaging.services.mms.attachments import BeingUploaded, UploadFailed
from messaging.services.reports import report_pulls
from messaging.text import merge_fields, segments
from messaging.text.merge_fields import Template

GIVEN_TITLE, RANDOM_TITLE = "1", "2"  # mmsType


@dataclass(frozen=True, slots=True)
class MmsOptions:
    """What a campaign's `channel_options` hold for an MMS."""

    title: str = ""
    mms_type: str = GIVEN_TITLE
    attachments: tuple[int, ...] = ()

    @classmethod
    def of(cls, campaign: Campaign) -> "MmsOptions":
        kept: dict[str, Any] = campaign.channel_options
        return cls(
            kept.get("title", ""),
            kept.get("mms_type", GIVEN_TITLE),
            tuple(int(pk) for pk in kept.get("attachments", [])),
        )

    def as_json(self) -> dict[str, Any]:
        return {"title": self.title, "mms_type": self.mms_type, "attachments": list(self.attachments)}


class MmsChannel(SendingChannel):
    key = Channel.MMS.value
    application_channel = Channel.SMS
    is_ready_at_once = False
    stopped_like = Channel.SMS.value  # it comes from the same sender: who said STOP to that wants no picture either

    def problems(self, campaign: Campaign) -> dict[str, list[str]]:
        options = MmsOptions.of(campaign)
        found = {
            "title": problem_with_title(options),
            "attachments": problem_with_attachments(options),
            "text": problem_with_random_title(campaign.text) if options.mms_type == RANDOM_TITLE else "",
        }
        return {field: [sentence] for field, sentence in found.items() if sentence}

    def saved(self, campaign: Campaign) -> None:
        attachments.mark_used(MmsOptions.of(campaign).attachments)

    def title(self, campaign: Campaign) -> str:
        return MmsOptions.of(campaign).title

    def merged_title(self, template: Template, values: Mapping[str, str]) -> str:
        """Cut where it grows too long, and without values that leave nothing to read: the whole request would be
        refused for either.
        """
        title = merge_fields.render(template, values).strip()
        if is_blank(title):
            title = merge_fields.render(template, {}).strip()
        return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1].rstrip() + "…"

    def interface(self, texts: int) -> str:
        return "mmsSend"

    def poster(self, campaign: Campaign) -> Post:
        """A function that posts one claim. Files whose ids would lapse within hours are uploaded again first."""
        options = MmsOptions.of(campaign)
        try:
            files = attachments.live_ids(options.attachments)
        except BeingUploaded as problem:
            raise NotYet from problem
        except UploadFailed as problem:
            raise NotReady(str(problem)) from problem
        app_id = campaign.application.app_id

        def post(client: LaafficClient, claimed: Claim) -> SendResult:
            return client.mms.send(
                app_id=app_id,
                numbers=claimed.numbers,
                content=claimed.texts[0].text,
                attachment_ids=files,
                title=claimed.texts[0].title,
                random_title=options.mms_type == RANDOM_TITLE,
            )

        return post

    def makes_ready_again(self, campaign: Campaign, refusal: Refused, left_at: dt.datetime) -> bool:
        return attachments.forget_ids(MmsOptions.of(campaign).attachments, refusal.file_ids, left_at)

    def look_for_reports(self, client: LaafficClient, batch: Batch, asking: Patience) -> None:
        report_pulls.look_for_reports(client, batch, asking)

    def reconcile(self, application: Application, start: dt.datetime, end: dt.datetime) -> int:
        return report_pulls.reconcile(application, start, end)


def problem_with_title(options: MmsOptions) -> str:
    if is_blank(options.title):
        return _("Write a title: phones show it above the text.")
    if problem := _problem_with_its_fields(options):
        return problem
    over = len(_unfilled(options.title)) - MAX_TITLE
    if over > 0:
        return ngettext(
            "The title has %(n)d characters; at most %(limit)d are possible. Shorten it by one character.",
            "The title has %(n)d characters; at most %(limit)d are possible. Shorten it by %(over)d characters.",
            over,
        ) % {"n": MAX_TITLE + over, "limit": MAX_TITLE, "over": over}
    return "" if options.mms_type in (GIVEN_TITLE, RANDOM_TITLE) else _("Choose how the title is used.")


def _unfilled(title: str) -> str:
    """The title at its shortest, as for a contact who has none of its fields."""
    return merge_fields.render(merge_fields.parse(title), {})


def _problem_with_its_fields(options: MmsOptions) -> str:
    try:
        fields = merge_fields.fields(options.title)
    except merge_fields.MergeError as error:
        return str(error)
    if unknown := drafts.unknown_fields(options.title):
        return drafts.problem_with_unknown_fields(unknown)
    if fields and options.mms_type == RANDOM_TITLE:
        return _("Laaffic varies a title for everybody alike: write it without merge fields, or send it as it is.")
    if is_blank(_unfilled(options.title)):
        return _(
            "For a contact who has none of its fields the title would be empty. "
            "Say something else too, or {{name|friend}}."
        )
    return ""


def problem_with_attachments(options: MmsOptions) -> str:
    chosen = options.attachments
    if not chosen:
        return _("Choose at least one attachment. A message without one is sent cheaper as an SMS.")
    if len(chosen) > MAX_ATTACHMENTS:
        return _("%(n)d attachments are chosen; an MMS carries at most %(limit)d. Take %(over)d away.") % {
            "n": len(chosen),
            "limit": MAX_ATTACHMENTS,
            "over": len(chosen) - MAX_ATTACHMENTS,
        }
    if len(set(chosen)) < len(chosen):
        return _("The same attachment is chosen twice. Take one away.")
    known = set(MmsAttachment.objects.filter(pk__in=chosen).values_list("pk", flat=True))
    if missing := [pk for pk in chosen if pk not in known]:
        return _("There is no attachment %(pk)d in the library. Choose another.") % {"pk": missing[0]}
    return ""


def problem_with_random_title(text: str) -> str:
    """With random titles the vendor takes one billing unit of text (laaffic-api#mmssend)."""
    try:
        has_fields = bool(merge_fields.parse(text).fields)
    except merge_fields.MergeError:
        return ""  # said where texts are checked
    if has_fields or segments.count(text).segments > 1:
        return _(
            "With random titles the text may fill one segment only and hold no merge fields. "
            "Shorten it, or use the title as given."
        )
    return ""
