"""Asking people who wrote START whether they mean it, by a quick message to one number like any other."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined
from messaging.models import Campaign, CampaignState, Conversation, OptInQuestion
from messaging.services import steps
from messaging.services.campaigns import answering, drafts, starting
from messaging.services.refusals import NotApproved
from messaging.services.replies import opt_in_questions

AT_ONCE = 50


def ask_waiting() -> None:
    """Each question once: its campaign is kept with it in one transaction, and launched in the next.

    A launch of what is launched already changes nothing, so a job that was killed between the two goes on here.
    """
    waiting = list(OptInQuestion.objects.filter(is_to_ask=True).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    isolation.each(waiting, _ask, lambda pk: f"question {pk} whether START was meant")
    if len(waiting) == AT_ONCE and not OptInQuestion.objects.filter(pk=waiting[0], is_to_ask=True).exists():
        bell.ring(opt_in_questions.JOB)  # what fails waits for the sweep


def anything_waiting() -> bool:
    return OptInQuestion.objects.filter(is_to_ask=True).exists()


def _ask(pk: int) -> None:
    campaign: Campaign | None = None
    done: dict[str, Any] = {"is_to_ask": False}
    try:
        campaign = _drafted(pk)
        if campaign is not None and campaign.state == CampaignState.DRAFT:
            starting.launch(campaign.pk, by=None)
    except NotApproved as problem:  # the draft stays, for a second person
        done["problem"] = joined(problem.messages)
    except ValidationError as problem:
        if campaign is None or _is_dropped(campaign.pk):
            done |= {"problem": joined(problem.messages), "asked_at": None}
    OptInQuestion.objects.filter(pk=pk, is_to_ask=True).update(**done)


@transaction.atomic
def _is_dropped(campaign_id: int) -> bool:
    """Delete the draft that could not be launched, so that the next START asks again; False where it was launched
    in the meantime."""
    campaign = steps.locked(Campaign, campaign_id)
    if campaign.state != CampaignState.DRAFT:
        return False
    campaign.delete()
    return True


@transaction.atomic
def _drafted(pk: int) -> Campaign | None:
    """The campaign that asks; None where nobody is to be asked any more."""
    question = OptInQuestion.objects.select_for_update().get(pk=pk)
    if not question.is_to_ask or question.campaign_id is not None:
        return question.campaign
    if opt_in_questions.is_suppressed(question):
        raise ValidationError(_("The number is suppressed."))
    conversation = Conversation.objects.filter(subscriber=question.subscriber).first()
    way = answering.usual_way(conversation) if conversation else None
    if way is None:
        raise ValidationError(_("It is not clear which application should ask them: several are possible."))
    question.campaign = drafts.create(
        name=_("Asked back %(when)s") % {"when": timezone.localtime().strftime("%Y-%m-%d %H:%M:%S")},
        application=way.application,
        sender_id=way.sender_id,
        text=settings.LAAFFIC_DOUBLE_OPT_IN_TEXT,
        numbers=[question.number],
        kind=Campaign.Kind.QUICK,
        purpose=Campaign.Purpose.TRANSACTIONAL,  # they wait for it
    )
    question.asked_at = timezone.now()
    question.save(update_fields=["campaign", "asked_at"])
    return question.campaign
