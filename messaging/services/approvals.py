"""Asking for a second person's word, and giving it."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.figures import money
from messaging.models import Approval, Campaign, CampaignState
from messaging.services import approval_rules, campaigns, forecast, shown

OPEN = (Approval.Outcome.ASKED, Approval.Outcome.APPROVED)


def ask(campaign_id: int, *, by: User, note: str = "") -> Approval:
    """Ask for the draft as it stands; what was asked for before is void."""
    approval_rules.prepare(campaign_id, within_request=True)
    with transaction.atomic():
        campaign = campaigns.locked(campaign_id)
        _require_draft(campaign)
        campaigns.check_ready(campaign)
        planned = forecast.of(campaign)
        campaign.approvals.filter(outcome__in=OPEN).update(outcome=Approval.Outcome.VOID)
        approval = Approval.objects.create(
            campaign=campaign,
            bound_to=shown.as_json(shown.of(campaign, planned)),
            recipients=planned.recipients,
            cost=_said(planned),
            asked_by=by,
            asked_note=note.strip()[:200],
        )
        campaigns.note(campaign, _("Approval asked for: %(n)s recipients") % {"n": f"{planned.recipients:,}"}, by)
    return approval


def decide(
    campaign_id: int, *, by: User, approve: bool, note: str = "", seen: tuple[str, str] | None = None
) -> Approval:
    """Approve or refuse what was asked for, as it was when it was asked for.

    `seen`: (id, digest) of the approval that was on the page; another one than that is not decided.
    """
    approval_rules.prepare(campaign_id, within_request=True)
    with transaction.atomic():
        campaign = campaigns.locked(campaign_id)
        _require_draft(campaign)
        approval = campaign.approvals.filter(outcome=Approval.Outcome.ASKED).first()
        if approval is None:
            raise campaigns.NotAllowed(_("Nobody asks for approval of “%(name)s” now.") % {"name": campaign.name})
        if seen is not None and seen != identity(approval):
            raise campaigns.NotAllowed(
                _("Approval was asked for anew since this page was shown. This is how it stands now: look at it again.")
            )
        if approve and is_author(campaign, by):
            raise campaigns.NotAllowed(_("You wrote this campaign: another person has to approve it."))
        if approval.asked_by_id == by.pk:
            raise campaigns.NotAllowed(_("You asked for this approval: another person has to give it."))
        if not approve and not note.strip():
            raise ValidationError(_("Say why you refuse it: whoever asked will read it."))
        if approve and (changed := approval_rules.changed_since(approval, campaign, forecast.of(campaign))):
            raise campaigns.NotAllowed(
                _("It was changed since approval was asked for: %(parts)s. It has to be asked for again.")
                % {"parts": ", ".join(changed)}
            )
        approval.outcome = Approval.Outcome.APPROVED if approve else Approval.Outcome.REFUSED
        approval.decided_by, approval.decided_at, approval.note = by, timezone.now(), note.strip()[:300]
        approval.save()
        said = _("Approved") if approve else _("Approval refused: %(why)s") % {"why": approval.note}
        campaigns.note(campaign, said, by)
    return approval


def void_if_changed(campaign: Campaign, *, by: User | None) -> None:
    """After an edit: say at once that the approval does not count any more."""
    approval = campaign.approvals.filter(outcome__in=OPEN).first()
    if approval is None:
        return
    if changed := _changed_by_edit(approval, campaign):
        Approval.objects.filter(pk=approval.pk, outcome__in=OPEN).update(outcome=Approval.Outcome.VOID)
        campaigns.note(campaign, _("Approval void, changed: %(parts)s") % {"parts": ", ".join(changed)}, by)


def _changed_by_edit(approval: Approval, campaign: Campaign) -> list[str]:
    """By what the draft itself says: who is in its groups is looked at when it is launched."""
    return shown.changed_parts(approval.bound_to.get("parts", {}), shown.parts_of(campaign))


def identity(approval: Approval) -> tuple[str, str]:
    """(id, digest): what the form of a decision posts, as it was shown."""
    seen = shown.from_json(approval.bound_to)
    return str(approval.pk), seen.digest if seen else ""


def is_author(campaign: Campaign, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether they made it or edited it, whoever asks for its approval."""
    return campaign.created_by_id == user.pk or campaign.authors.filter(pk=user.pk or 0).exists()


def waiting_for(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Approval]:
    """What this person may decide."""
    asked = Approval.objects.filter(outcome=Approval.Outcome.ASKED, campaign__state=CampaignState.DRAFT)
    if not user.has_perm("messaging.approve_campaign"):  # type: ignore[union-attr]
        return asked.none()
    asked = asked.exclude(asked_by=user.pk).exclude(campaign__created_by=user.pk).exclude(campaign__authors=user.pk)
    return asked.select_related("campaign", "asked_by").order_by("asked_at")


def _require_draft(campaign: Campaign) -> None:
    if campaign.state != CampaignState.DRAFT:
        raise campaigns.NotAllowed(_("“%(name)s” is no draft any more.") % {"name": campaign.name})


def _said(planned: forecast.Forecast) -> str:
    """194.08 EUR + 94.10 USD"""
    sums = planned.cost.by_currency.items()
    return " + ".join(money(total, currency) for currency, total in sums)[:120]
