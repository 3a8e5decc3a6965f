"""When a launch needs a second person, and what their word is bound to: the same for every kind of draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils.formats import number_format

from laaffic_console.kit.words.figures import money
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext
from messaging.models import Approval
from messaging.services.approvals import approvable, approval_limits, shown
from messaging.services.approvals.approvable import Plan
from messaging.services.approvals.approval_limits import Limits
from messaging.services.approvals.shown import Shown
from messaging.services.refusals import NotApproved
from messaging.services.reports.prices import Cost

# The outcomes that say something of a draft as it is; any other, also one that a later version writes, says nothing.
COUNT = (Approval.Outcome.ASKED, Approval.Outcome.APPROVED, Approval.Outcome.REFUSED)


def is_on() -> bool:
    return approval_limits.now().are_set


def prepare(model: type[Model], pk: int, *, within_request: bool = False) -> None:
    """Find out whom it reaches as things stand now, however long that takes: before a lock is held.

    Within a request what takes long is not looked at again: its start is a job's, which does.
    """
    approvable.kind(model).prepare(pk, within_request=within_request, is_on=is_on())


def why_needed(draft: Any, plan: Plan, limits: Limits | None = None) -> str:
    """One sentence; "" where one person is enough. `limits`: as they were read just now."""
    if approvable.kind_of(draft).needs_none(draft):
        return ""
    limits = limits or approval_limits.now()
    return _too_many(plan, limits.recipients) or _too_dear(plan, limits)


def _too_many(plan: Plan, most: int) -> str:
    if most and plan.recipients is None:
        return _("How many recipients it has is not known: a second person has to approve it.")
    if most and plan.recipients is not None and plan.recipients > most:
        return ngettext(
            "It goes to more than %(n)s recipient: a second person has to approve it.",
            "It goes to more than %(n)s recipients: a second person has to approve it.",
            most,
        ) % {"n": number_format(most, force_grouping=True)}
    return ""


def _too_dear(plan: Plan, set_limits: Limits) -> str:
    """Each currency uses a part of its own limit, and the parts are added up: a cost that is split is not less."""
    if not set_limits.cost:
        return ""
    if not plan.has_prices:
        # Where a number of recipients is set too, that decides.
        nobody_bounds_it = not set_limits.recipients
        return _("What it costs is not known before: a second person has to approve it.") if nobody_bounds_it else ""
    limits = {currency: _limit_in(currency, set_limits.cost) for currency, cost in plan.cost.items() if cost}
    if without := [currency for currency, limit in limits.items() if limit is None]:
        return _("No limit is set for its cost in %(currencies)s: a second person has to approve it.") % {
            "currencies": ", ".join(without)
        }
    used = sum((plan.cost[currency] / limit for currency, limit in limits.items() if limit), Decimal(0))
    if used > 1:
        return _more_than(plan.cost, {currency: limit for currency, limit in limits.items() if limit})
    if plan.unpriced:
        return _("What it costs is not known for every country: a second person has to approve it.")
    return ""


def _limit_in(currency: str, given: Decimal | Mapping[str, Decimal]) -> Decimal | None:
    """None where each currency has its own, and this one has none."""
    return given.get(currency) if isinstance(given, Mapping) else Decimal(given)


def _more_than(cost: Mapping[str, Decimal], limits: Mapping[str, Decimal]) -> str:
    if over := [currency for currency, limit in limits.items() if cost[currency] > limit]:
        amount = number_format(limits[over[0]], force_grouping=True)
        return _("It is expected to cost more than %(amount)s: a second person has to approve it.") % {"amount": amount}
    said = " + ".join(
        _("%(cost)s of %(limit)s") % {"cost": money(cost[currency], currency), "limit": money(limit, currency)}
        for currency, limit in limits.items()
    )
    return _(
        "Its cost in several currencies is together above the limit (%(sums)s): a second person has to approve it."
    ) % {"sums": said}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a draft that needs a second person stands: why it does, what is missing, and its latest approval."""

    needed: str
    missing: str
    approval: Approval | None


def standing(draft: Any, known: Any = None) -> Standing | None:
    """None where one person is enough, or whom it reaches is not known yet. `known`: see Approvable.plan."""
    limits = approval_limits.now()
    if not limits.are_set:
        return None
    plan = approvable.kind_of(draft).plan(draft, known)
    needed = why_needed(draft, plan, limits)
    if plan.shown is None or not needed:
        return None
    approval = latest(draft)
    return Standing(needed, stands_against(draft, plan, needed, approval), approval)


def require(draft: Any) -> None:
    """NotApproved where a second person's word is missing; the sentence says why it is needed."""
    if why := missing(draft):
        raise NotApproved(why)


def missing(draft: Any, known: Any = None) -> str:
    """What the launch checks find, in one sentence; "" when nothing does. `known`: see Approvable.plan.

    Of what was launched it also says how it can be approved: nobody can ask for that, or give it, as it is.
    """
    limits = approval_limits.now()
    if not limits.are_set:
        return ""
    kind = approvable.kind_of(draft)
    plan = kind.plan(draft, known)
    needed = why_needed(draft, plan, limits)
    found = stands_against(draft, plan, needed, latest(draft) if needed and plan.shown else None)
    if not found or plan.shown is None or not kind.is_launched(draft):
        return found
    return joined([found, kind.how_to_approve(draft)])


def stands_against(draft: Any, plan: Plan, needed: str, approval: Approval | None) -> str:
    """As `missing`, without its reads: `needed` is the answer of `why_needed`, `approval` the latest one."""
    if plan.shown is None:
        return _("Its recipients are still being counted. Launch it when all are known.")
    if not needed:
        return ""
    if approval is None or approval.outcome not in COUNT:
        return needed
    if approval.outcome == Approval.Outcome.REFUSED:
        return _("%(name)s refused it: %(why)s") % {"name": _who(approval), "why": approval.note}
    if changed := changed_since(approval, draft, plan):
        return _("It was changed since approval was asked for: %(parts)s. Ask again.") % {
            "parts": joined(changed, ", ")
        }
    if approval.outcome == Approval.Outcome.ASKED:
        return _("It waits for a second person's approval.")
    if not _may_still_approve(approval, draft):
        return _("%(name)s approved it, but may not approve any more. Ask again.") % {"name": _who(approval)}
    return ""


def _may_still_approve(approval: Approval, draft: Any) -> bool:
    """A person who has lost the right, or the account, approves nothing that has not left yet."""
    by = approval.decided_by
    return by is not None and by.has_perm(approvable.kind_of(draft).right("approve"))


def _who(approval: Approval) -> str:
    return str(approval.decided_by or _("somebody"))


def latest(draft: Any) -> Approval | None:
    found: Approval | None = draft.approvals.select_related("asked_by", "decided_by").order_by("-pk").first()
    return found


def changed_since(approval: Approval, draft: Any, plan: Plan) -> list[str]:
    """What has changed since the approval was asked for. That some people were suppressed does not count, nor does
    what the steps of a launched campaign have changed.
    """
    seen = shown.from_json(approval.bound_to)
    if seen is None or plan.shown is None:
        return [_("how it is counted")]
    return approvable.kind_of(draft).changes(draft, seen, plan.shown, _learned(seen, plan))


def _learned(seen: Shown, plan: Plan) -> Cost | None:
    """An approver of an unknown cost need not be asked about a known one, unless that is above the limit."""
    was_unknown = bool(seen.unpriced_in) and plan.unpriced < seen.unpriced
    return plan.by_country if was_unknown and not _too_dear(plan, approval_limits.now()) else None
