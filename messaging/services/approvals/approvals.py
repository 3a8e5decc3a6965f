"""Asking for a second person's word, and giving it: the same for every kind of draft."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from laaffic_console.events.kinds import Kind
from laaffic_console.kit.words.figures import money, number
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext
from messaging.models import Approval, Campaign
from messaging.models.about_drafts import DRAFTS
from messaging.services import events
from messaging.services.approvals import approvable, approval_rules, shown
from messaging.services.approvals.approvable import DRAFT, Plan

# What happened to a request that nobody can decide, or withdraw, any more.
SINCE: dict[str, str] = {
    Approval.Outcome.APPROVED: gettext_noop("%(who)s has approved “%(name)s” already, at %(when)s."),
    Approval.Outcome.REFUSED: gettext_noop("%(who)s has refused “%(name)s” already, at %(when)s."),
    Approval.Outcome.WITHDRAWN: gettext_noop(
        "%(who)s has withdrawn the request for approval of “%(name)s”, at %(when)s. It can be asked for again."
    ),
    Approval.Outcome.VOID: gettext_noop(
        "“%(name)s” was changed since approval was asked for. It has to be asked for again."
    ),
}
OPEN = (Approval.Outcome.ASKED, Approval.Outcome.APPROVED)


def ask(pk: int, *, by: User, note: str = "", model: type[Model] = Campaign) -> Approval:
    """Ask for the draft as it stands; what was asked for before is void."""
    kind = approvable.kind(model)
    approval_rules.prepare(model, pk, within_request=True)
    with transaction.atomic():
        draft = kind.locked(pk)
        _require_draft(draft)
        kind.check_ready(draft)
        plan = kind.plan(draft)
        if plan.shown is None:
            raise NotNow(_("Its recipients are still being counted. Ask when all are known."))
        draft.approvals.filter(outcome__in=OPEN).update(outcome=Approval.Outcome.VOID)
        approval = Approval.objects.create(
            **{kind.draft: draft},
            bound_to=shown.as_json(plan.shown),
            recipients=plan.recipients,
            cost=_said(plan),
            asked_by=by,
            asked_note=note.strip()[:200],
        )
        n = _("not known how many") if plan.recipients is None else number(plan.recipients)
        said = ngettext(
            "Approval asked for: %(n)s recipient", "Approval asked for: %(n)s recipients", plan.recipients or 0
        )
        kind.note(draft, said % {"n": n}, by)
        events.approval(Kind.APPROVAL_ASKED, approval, by=by.get_username())
    return approval


def decide(
    pk: int,
    *,
    by: User,
    approve: bool,
    note: str = "",
    seen: tuple[str, str] | None = None,
    model: type[Model] = Campaign,
) -> Approval:
    """Approve or refuse what was asked for, as it was when it was asked for.

    `seen`: (id, digest) of the approval that was on the page; another one than that is not decided.
    """
    kind = approvable.kind(model)
    approval_rules.prepare(model, pk, within_request=True)
    with transaction.atomic():
        draft = kind.locked(pk)
        _require_draft(draft)
        approval = _asked(draft, seen)
        if approve and is_author(draft, by):
            raise NotNow(_("You wrote this: another person has to approve it."))
        if approval.asked_by_id == by.pk:
            raise NotNow(_("You asked for this approval: another person has to give it."))
        if not approve and is_blank(note):
            raise ValidationError(_("Say why you refuse it: the person who asked will read it."))
        if approve and (changed := approval_rules.changed_since(approval, draft, kind.plan(draft))):
            raise NotNow(
                _("It was changed since approval was asked for: %(parts)s. It has to be asked for again.")
                % {"parts": joined(changed, ", ")}
            )
        approval.outcome = Approval.Outcome.APPROVED if approve else Approval.Outcome.REFUSED
        approval.decided_by, approval.decided_at, approval.note = by, timezone.now(), note.strip()[:300]
        approval.save()
        said = _("Approved") if approve else _("Approval refused: %(why)s") % {"why": approval.note}
        kind.note(draft, said, by)
        told = Kind.APPROVAL_GIVEN if approve else Kind.APPROVAL_REFUSED
        events.approval(told, approval, by=by.get_username())
    return approval


def withdraw(pk: int, *, by: User, seen: tuple[str, str] | None = None, model: type[Model] = Campaign) -> Approval:
    """Take the request back: nobody is asked any more, and the draft can be changed or asked for again.

    `seen`: see decide.
    """
    kind = approvable.kind(model)
    with transaction.atomic():
        draft = kind.locked(pk)
        _require_draft(draft)
        approval = _asked(draft, seen)
        approval.outcome, approval.bound_to = Approval.Outcome.WITHDRAWN, {}  # so that it can count for no draft
        approval.decided_by, approval.decided_at = by, timezone.now()
        approval.save()
        kind.note(draft, _("Request for approval withdrawn"), by)
        events.approval(Kind.APPROVAL_WITHDRAWN, approval, by=by.get_username())
    return approval


def _asked(draft: Any, seen: tuple[str, str] | None) -> Approval:
    approval: Approval | None = draft.approvals.filter(outcome=Approval.Outcome.ASKED).first()
    if approval is None:
        raise NotNow(_not_asked(draft))
    if seen is not None and seen != identity(approval):
        raise NotNow(_("Approval was requested again since you looked. Look at it as it is now."))
    return approval


def _not_asked(draft: Any) -> str:
    """A sentence: what has happened to the latest request since somebody looked at it."""
    latest = approval_rules.latest(draft)
    said = SINCE.get(latest.outcome) if latest else None
    if latest is None or said is None:
        return _("No approval is asked for “%(name)s” at the moment.") % {"name": draft.name}
    who = latest.decided_by or _("somebody")
    return _(said) % {"who": str(who), "when": latest.decided_at, "name": draft.name}


def void_if_changed(draft: Any, *, by: User | None) -> None:
    """After an edit: say at once that the approval does not count any more."""
    approval = draft.approvals.filter(outcome__in=OPEN).first()
    if approval is None:
        return
    if changed := _changed_by_edit(approval, draft):
        Approval.objects.filter(pk=approval.pk, outcome__in=OPEN).update(outcome=Approval.Outcome.VOID)
        said = _("Approval void, changed: %(parts)s") % {"parts": joined(changed, ", ")}
        approvable.kind_of(draft).note(draft, said, by)
        events.approval(Kind.APPROVAL_VOIDED, approval, by=username(by))


def without_dropped(draft: Any) -> None:
    """The draft itself has dropped who was suppressed since: the word on it counts for those who are left."""
    approval = draft.approvals.filter(outcome__in=OPEN).first()
    plan = approvable.kind_of(draft).plan(draft) if approval else None
    if approval and plan and plan.shown:
        approval.bound_to = {**approval.bound_to, "people": plan.shown.people}
        approval.save(update_fields=["bound_to"])


def changed_since(draft: Any, approval: Approval) -> list[str]:
    """What of a draft is not as it was when a void approval was asked for; nothing where it was only asked again."""
    return _changed_by_edit(approval, draft) if approval.outcome == Approval.Outcome.VOID else []


def _changed_by_edit(approval: Approval, draft: Any) -> list[str]:
    """The names of the draft's own parts that were edited; who is in its groups is compared only at the launch."""
    kind = approvable.kind_of(draft)
    return shown.changed_parts(approval.bound_to.get("parts", {}), kind.parts(draft), kind.names)


def identity(approval: Approval) -> tuple[str, str]:
    """(id, digest): what the form of a decision posts, as it was shown."""
    seen = shown.from_json(approval.bound_to)
    return str(approval.pk), seen.digest if seen else ""


def is_author(draft: Any, user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether they made it or edited it, no matter who asks for its approval."""
    return bool(draft.created_by_id == user.pk or draft.authors.filter(pk=user.pk or 0).exists())


def waiting_for(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Approval]:
    """What this person may decide."""
    theirs = [kind for kind in approvable.kinds() if user.has_perms((kind.right("view"), kind.right("approve")))]  # type: ignore[union-attr]
    drafts = Q(pk__in=[])
    for kind in theirs:
        drafts |= Q(**{f"{kind.draft}__state": DRAFT})
    asked = Approval.objects.filter(drafts, outcome=Approval.Outcome.ASKED).exclude(asked_by=user.pk)
    for kind in theirs:
        asked = asked.exclude(**{f"{kind.draft}__created_by": user.pk}).exclude(**{f"{kind.draft}__authors": user.pk})
    return asked.select_related("asked_by", *DRAFTS).order_by("asked_at")


def seen_by(user: AbstractBaseUser | AnonymousUser, rows: "QuerySet[Approval]") -> "QuerySet[Approval]":
    """The approvals of the kinds of draft that this person may see."""
    hidden = [kind for kind in approvable.kinds() if not user.has_perm(kind.right("view"))]  # type: ignore[union-attr]
    return rows.filter(**{kind.draft: None for kind in hidden})


def asked_already(draft: Any, *, by: User) -> Approval | None:
    """The approval that this person has already asked for, if nothing has changed since; else None."""
    approval: Approval | None = draft.approvals.filter(outcome=Approval.Outcome.ASKED, asked_by=by).first()
    if approval is None or draft.state != DRAFT:
        return None
    plan = approvable.kind_of(draft).plan(draft)
    return None if approval_rules.changed_since(approval, draft, plan) else approval


def withdrawn_already(draft: Any, *, by: User, seen: tuple[str, str] | None) -> Approval | None:
    """The approval that this person has withdrawn, if it is still the latest: a repeated call only lost the answer.

    A withdrawn approval is bound to nothing any more, so only the id in `seen` is compared.
    """
    latest = approval_rules.latest(draft)
    if latest is None or (latest.outcome, latest.decided_by_id) != (Approval.Outcome.WITHDRAWN, by.pk):
        return None
    return latest if seen is None or seen[0] == str(latest.pk) else None


def said_already(draft: Any, *, by: User, approve: bool, seen: tuple[str, str]) -> Approval | None:
    """The approval on which this person said the same about what they saw: a repeated call only lost the answer."""
    outcome = Approval.Outcome.APPROVED if approve else Approval.Outcome.REFUSED
    given = draft.approvals.filter(outcome=outcome, decided_by=by)
    return next((one for one in given if identity(one) == seen), None)


def _require_draft(draft: Any) -> None:
    if draft.state != DRAFT:
        raise NotNow(_("“%(name)s” is no longer a draft.") % {"name": draft.name})


def _said(plan: Plan) -> str:
    """194.08 EUR + 94.10 USD"""
    return " + ".join(money(total, currency) for currency, total in plan.cost.items())[:120]
