"""Double opt-in: START asks to be asked, and a yes to that question gives consent."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.said import gettext as _
from messaging import msisdn
from messaging.models import Approval, Campaign, CampaignState, OptInQuestion, Reply, ReplyPull
from messaging.services.channels import channels
from messaging.services.contacts import suppression
from messaging.services.replies import departures
from messaging.services.replies.departures import Departure
from messaging.services.tallies import counting
from messaging.subscribers import subscriber
from messaging.text.reply_word_matching import reply_word_in

JOB = "messaging.jobs.ask_back"
ONCE_IN = dt.timedelta(days=1)
ANSWERED_WITHIN = dt.timedelta(days=7)


def want(row: Reply, channel: str) -> None:
    """START: ask them, unless they were asked within a day, are about to be, or are suppressed by others than
    themselves."""
    question, _is_new = OptInQuestion.objects.select_for_update().get_or_create(
        subscriber=subscriber(row.number), defaults={"number": row.number, "channel": channel, "wanted_at": row.at}
    )
    question.number, question.channel, was_open = row.number, channel, question.is_open
    question.is_open = not is_suppressed(question)
    is_to_be_asked = question.is_open and _may_be_asked(question)
    if is_to_be_asked or not was_open:  # otherwise a yes to the question that they have counts, before this START too
        question.wanted_at = row.at
    if is_to_be_asked:
        question.is_to_ask, question.campaign, question.problem = True, None, ""
        if (restored_at := _last_restore()) is not None and row.at <= restored_at:
            question.is_to_ask, question.asked_at, question.problem = False, restored_at, _asked_perhaps()
        else:
            bell.ring(JOB)
    question.save()


def _may_be_asked(question: OptInQuestion) -> bool:
    """Not while an earlier question may still leave: it waits, is held or paused, or is a draft about which a second
    person has been asked. Any other draft was refused, and keeps nobody from asking after a day."""
    asked_at = question.asked_at
    if (campaign := question.campaign) is not None:
        if (left := departures.of_one_person([campaign.pk]).get(campaign.pk)) is not None:
            asked_at = left.at
        elif campaign.state in counting.OVER:
            asked_at = None
        elif campaign.state != CampaignState.DRAFT or question.is_to_ask or _is_awaited(campaign):
            return False
    return asked_at is None or asked_at < timezone.now() - ONCE_IN


def _is_awaited(draft: Campaign) -> bool:
    open_ones = [Approval.Outcome.ASKED, Approval.Outcome.APPROVED]
    return Approval.objects.filter(campaign=draft, outcome__in=open_ones).exists()


def _last_restore() -> dt.datetime | None:
    found: dt.datetime | None = ReplyPull.objects.aggregate(at=Max("restored_at"))["at"]
    return found


def _asked_perhaps() -> str:
    return _("The console was restored from a backup, and they may have been asked since. Their consent counts.")


def end_restored(until: dt.datetime) -> None:
    """Note questions that waited at the backup as perhaps asked: nobody is asked twice, and a yes counts."""
    waiting = OptInQuestion.objects.filter(is_to_ask=True)
    waiting.update(is_to_ask=False, asked_at=until, problem=_asked_perhaps())


def is_suppressed(question: OptInQuestion) -> bool:
    on = channels.named(question.channel).suppressed_on
    return bool(suppression.suppressed_among([question.number], channels=on))


def not_made(number: str) -> OptInQuestion | None:
    """The question that could not be made, or that a restore has ended, and that nothing has answered since."""
    asked = OptInQuestion.objects.filter(subscriber=subscriber(number), is_open=True).exclude(problem="").first()
    if asked is None or departures.of_one_person([asked.campaign_id] if asked.campaign_id else []):
        return None  # a draft that waited for a second person has been launched since
    return asked


def may_have_been_made(question: OptInQuestion) -> bool:
    """Between a backup and the restore that has ended it: no row says whether it was."""
    return question.campaign_id is None and ReplyPull.objects.filter(restored_at=question.asked_at).exists()


def close(numbers: Sequence[str]) -> None:
    """STOP: who was to be asked is not, and an earlier yes says nothing any more."""
    subscribers = {subscriber(number) for number in numbers}
    OptInQuestion.objects.filter(subscriber__in=subscribers).update(is_open=False, is_to_ask=False)


def confirmed(rows: Sequence[Reply]) -> list[tuple[Reply, OptInQuestion]]:
    """The new replies that say yes to a question, each with that question, which is closed by it."""
    said: dict[str, list[Reply]] = defaultdict(list)
    for row in sorted(filter(_says_yes, rows), key=lambda row: row.at):
        said[subscriber(row.number)].append(row)
    if not said:
        return []
    by_restore = Exists(ReplyPull.objects.filter(restored_at=OuterRef("asked_at")))
    asked = OptInQuestion.objects.filter(subscriber__in=said, is_open=True, is_to_ask=False).order_by("pk")
    questions = list(asked.annotate(by_restore=by_restore))
    left = departures.of_one_person([one.campaign_id for one in questions if one.campaign_id])
    found: list[tuple[Reply, OptInQuestion]] = []
    for question in questions:
        departure = left.get(question.campaign_id or 0)
        for row in said[question.subscriber]:
            if row.at > question.wanted_at and _answers(row, question, departure):  # both by the gateway's clock
                found.append((row, question))
                break
    OptInQuestion.objects.filter(pk__in=[question.pk for _row, question in found]).update(is_open=False)
    return found


def _answers(row: Reply, question: Any, left: Departure | None) -> bool:
    """Whether it was written after the question had left, and soon enough: of one that was not sent a yes answers
    nothing, however likely it is that they mean it. After a restore no row says whether and when it was sent."""
    if left is None:
        return bool(question.by_restore) and question.asked_at >= timezone.now() - ANSWERED_WITHIN
    if left.has_failed or row.at > left.at + ANSWERED_WITHIN:
        return False
    return left.surely_not_before is None or row.at >= left.surely_not_before - departures.CLOCKS_APART


def _says_yes(row: Reply) -> bool:
    if row.opt_out or len(row.number) > msisdn.MAX_DIGITS:
        return False
    return reply_word_in(row.content, settings.OPT_IN_CONFIRM_WORDS) is not None
