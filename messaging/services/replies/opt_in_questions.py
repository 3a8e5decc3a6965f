"""Double opt-in: START asks to be asked, and a yes to that question gives consent."""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Max, Q
from django.utils import timezone

from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.said import gettext as _
from messaging import msisdn
from messaging.models import OptInQuestion, Reply, ReplyPull
from messaging.services.channels import channels
from messaging.services.contacts import suppression
from messaging.subscribers import subscriber
from messaging.text.reply_word_matching import reply_word_in

JOB = "messaging.jobs.ask_back"
ONCE_IN = dt.timedelta(days=1)
ANSWERED_WITHIN = dt.timedelta(days=7)


def want(row: Reply, channel: str) -> None:
    """START: ask them, unless they were asked within a day or are suppressed by others than themselves."""
    question, _is_new = OptInQuestion.objects.select_for_update().get_or_create(
        subscriber=subscriber(row.number), defaults={"number": row.number, "channel": channel, "wanted_at": row.at}
    )
    question.number, question.channel, question.wanted_at = row.number, channel, row.at
    question.is_open = not is_suppressed(question)
    if question.is_open and (question.asked_at is None or question.asked_at < timezone.now() - ONCE_IN):
        question.is_to_ask, question.campaign, question.problem = True, None, ""
        if (restored_at := _last_restore()) is not None and row.at <= restored_at:
            question.is_to_ask, question.asked_at, question.problem = False, restored_at, _asked_perhaps()
        else:
            bell.ring(JOB)
    question.save()


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
    return OptInQuestion.objects.filter(subscriber=subscriber(number), is_open=True).exclude(problem="").first()


def may_have_been_made(question: OptInQuestion) -> bool:
    """Between a backup and the restore that has ended it: no row says whether it was."""
    return question.campaign_id is None and ReplyPull.objects.filter(restored_at=question.asked_at).exists()


def close(numbers: Sequence[str]) -> None:
    """STOP: who was to be asked is not, and an earlier yes says nothing any more."""
    subscribers = {subscriber(number) for number in numbers}
    OptInQuestion.objects.filter(subscriber__in=subscribers).update(is_open=False, is_to_ask=False)


def confirmed(rows: Sequence[Reply]) -> list[tuple[Reply, OptInQuestion]]:
    """The new replies that say yes to a question, each with that question, which is closed by it."""
    said = {subscriber(row.number): row for row in rows if _says_yes(row)}
    if not said:
        return []
    # Where the last question could not be made, a yes answers none; after a restore no row says that it was made.
    is_made = Q(campaign__isnull=False) | Q(asked_at__in=ReplyPull.objects.values("restored_at"))
    asked = OptInQuestion.objects.filter(is_made, subscriber__in=said, is_open=True).order_by("pk")
    found = []
    for question in asked.filter(asked_at__gte=timezone.now() - ANSWERED_WITHIN, is_to_ask=False):
        row = said[question.subscriber]
        if row.at > question.wanted_at:  # both by the gateway's clock
            found.append((row, question))
    OptInQuestion.objects.filter(pk__in=[question.pk for _row, question in found]).update(is_open=False)
    return found


def _says_yes(row: Reply) -> bool:
    if row.opt_out or len(row.number) > msisdn.MAX_DIGITS:
        return False
    return reply_word_in(row.content, settings.OPT_IN_CONFIRM_WORDS) is not None
