"""Budgets: what an application's campaigns may send or spend in a day or a month, what is left, and a person's word.

What counts, and when, docs/approval.md says. The counting itself is in shares.py, the gate in budget_gate.py.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_noop

from laaffic_console.gateway.models import Application
from laaffic_console.kit.audit.acts import Act, record, record_event
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.figures import in_percent, money
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext, parts_of
from messaging.models import Budget, BudgetCounter, Campaign, CampaignState, EmailCampaign
from messaging.services import events
from messaging.services.budgets import earlier_requests, shares

MICROS = shares.MICROS
MOST_HELD = 100  # that are looked at for what holds them
WARN_AT = 80  # percent

OF_DAY = gettext_noop("The budget of %(app)s for a day, %(limit)s, is used up. The next day begins on %(when)s, 00:00.")
OF_MONTH = gettext_noop(
    "The budget of %(app)s for a month, %(limit)s, is used up. The next month begins on %(when)s, 00:00."
)
TOO_LITTLE = gettext_noop(
    "Of the budget of %(app)s, %(limit)s, %(left)s are left: it does not fit, and leaves whole or not at all."
)
TOO_BIG = gettext_noop(
    "The budget of %(app)s, %(limit)s, is too small for it, also when nothing of that has gone: it leaves whole or not "
    "at all."
)
SIZE_NOT_KNOWN = gettext_noop(
    "How many addresses are on its list is not known, and the budget of %(app)s, %(limit)s, counts them. Look the list "
    "up again, then resume it, or have an approver lift the budget."
)


class NewPeriod(NotNow):
    """The day or month that somebody was asked about is over."""


class LiftedAlready(NotNow):
    """Nobody needs to say it twice."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget as it is in the period of today."""

    budget: Budget
    counter: BudgetCounter  # not stored while nothing of it has gone

    @property
    def used(self) -> Decimal:
        return as_amount(self.budget, self.counter.used)

    @property
    def left(self) -> Decimal:
        return max(self.budget.limit - self.used, Decimal(0))

    @property
    def percent(self) -> int:
        """Rounded down: 100 only when all of it has gone."""
        return int(100 * self.counter.used // units(self.budget))

    @property
    def is_warned(self) -> bool:
        return self.percent >= WARN_AT

    @property
    def is_exceeded(self) -> bool:
        """Its limit was set below what had gone already, or reports came in dearer than expected."""
        return self.used > self.budget.limit


def today() -> dt.date:
    """Today's date in the console's time zone, whatever the zone of the person who asks."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def day_of(moment: dt.datetime) -> dt.date:
    """The day whose budget counts for what leaves then."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def period_start(budget: Budget, day: dt.date) -> dt.date:
    return day if budget.per == Budget.Per.DAY else day.replace(day=1)


def next_start(budget: Budget, day: dt.date) -> dt.date:
    if budget.per == Budget.Per.DAY:
        return day + dt.timedelta(days=1)
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def units(budget: Budget) -> int:
    """Its limit in what its counters count: whole messages, or millionths of its currency."""
    return int(budget.limit * MICROS) if budget.currency else int(budget.limit)


def as_amount(budget: Budget, counted: int) -> Decimal:
    return Decimal(counted) / MICROS if budget.currency else Decimal(counted)


def in_words(budget: Budget, amount: Decimal) -> str:
    """1,000 messages, or 12.50 USD."""
    if budget.currency:
        return money(amount, budget.currency)
    n = int(amount)
    return ngettext("%(n)s message", "%(n)s messages", n) % {"n": number_format(n, force_grouping=True)}


def used_in_words(standing: Standing) -> str:
    """850 messages, 85%; beyond its limit a share says nothing any more."""
    used = in_words(standing.budget, standing.used)
    if standing.is_exceeded:
        beyond = in_words(standing.budget, standing.used - standing.budget.limit)
        return _("%(used)s: %(beyond)s above the limit") % {"used": used, "beyond": beyond}
    return _("%(used)s, %(percent)s") % {"used": used, "percent": in_percent(standing.percent)}


def put(application: Application, *, per: str, limit: Decimal, currency: str = "") -> Budget:
    """Make or change the limit; what has gone of the period stays counted."""
    with transaction.atomic():
        budget = Budget.objects.select_for_update().filter(application=application, per=per, currency=currency).first()
        is_new = budget is None
        budget = budget or Budget(application=application, per=per, currency=currency)
        budget.limit = limit
        budget.full_clean()
        budget.save()
        said = _("Budget set: %(limit)s") if is_new else _("Budget changed: %(limit)s")
        record_event(budget, said % {"limit": in_words(budget, limit)}, None, Act.ADDED if is_new else Act.CHANGED)
        if is_new:
            begin(budget)
    return budget


@transaction.atomic
def create(application: Application, *, per: str, limit: Decimal, currency: str = "") -> Budget:
    """ValidationError names the field that is wrong, also where there is such a budget."""
    budget = Budget(application=application, per=per, currency=currency, limit=limit)
    budget.full_clean()
    budget.save()
    begin(budget)
    record(Act.ADDED, budget, changes=[[Budget._meta.get_field("limit").verbose_name, "", in_words(budget, limit)]])
    return budget


def save_limit(budget: Budget) -> None:
    """Store a new limit; what is used of the current period stays counted."""
    budget.full_clean()
    budget.save(update_fields=["limit", "updated_at"])


def begin(budget: Budget) -> None:
    """A new budget: what its application has sent in this period already counts, as far as Laaffic has answered."""
    start = dt.datetime.combine(period_start(budget, today()), dt.time.min, timezone.get_default_timezone())
    used, earlier = shares.sent_since(budget, start), earlier_requests.of(budget, start)
    if not used and not earlier:
        return
    [counter] = locked_counters([budget])
    if used:
        shares.take_for_good(counter, used)
    for one in earlier:
        shares.take_of_request(counter, one.entry, shares.needed(budget, one.recipients, one.cost))


def standings(application: Application | None = None, day: dt.date | None = None) -> list[Standing]:
    """Every budget, or those of one application, each with its counter of today, or of this day."""
    rows = Budget.objects.select_related("application").order_by("application__app_id", "per", "currency")
    return _standings(list(rows if application is None else rows.filter(application=application)), day or today())


def standing(budget: Budget) -> Standing:
    return _standings([budget], today())[0]


def _standings(budgets: list[Budget], day: dt.date) -> list[Standing]:
    starts = {period_start(budget, day) for budget in budgets}
    counters = BudgetCounter.objects.filter(budget__in=budgets, starts_on__in=starts)
    kept = {(counter.budget_id, counter.starts_on): counter for counter in counters}
    found = []
    for budget in budgets:
        start = period_start(budget, day)
        counter = kept.get((budget.pk, start)) or BudgetCounter(budget=budget, starts_on=start)
        found.append(Standing(budget, counter))
    return found


def nearly_used() -> list[Standing]:
    """The budgets that need attention: four fifths are used, and nobody has lifted the limit."""
    return [one for one in standings() if one.is_warned and one.counter.lifted_at is None]


def locked_counters(chosen: list[Budget]) -> list[BudgetCounter]:
    """The counters of today, made where there are none, locked by rising id (docs/mechanisms/locks.md)."""
    starts = {budget.pk: period_start(budget, today()) for budget in chosen}
    found = _locked(starts)
    if missing := starts.keys() - {counter.budget_id for counter in found}:
        fresh = [BudgetCounter(budget_id=pk, starts_on=starts[pk]) for pk in sorted(missing)]
        BudgetCounter.objects.bulk_create(fresh, ignore_conflicts=True)
        found = _locked(starts)
    return found


def counter_at(budget: Budget, counter: BudgetCounter, moment: dt.datetime | None) -> BudgetCounter:
    """The counter for what leaves then: a period that is yet to begin has used nothing."""
    starts_on = period_start(budget, day_of(moment)) if moment is not None else counter.starts_on
    return BudgetCounter(budget=budget, starts_on=starts_on) if starts_on > counter.starts_on else counter


def _locked(starts: dict[int, dt.date]) -> list[BudgetCounter]:
    first, last = min(starts.values()), max(starts.values())  # of a day and of a month: there are no others
    rows: list[BudgetCounter] = _counters.objects(BudgetCounter, budgets=list(starts), first=first, last=last)
    return [counter for counter in rows if counter.starts_on == starts[counter.budget_id]]


@Select
def _counters() -> "QuerySet[BudgetCounter]":
    of_today = Q(starts_on=Given("first")) | Q(starts_on=Given("last"))
    rows = BudgetCounter.objects.select_for_update().filter(of_today, budget__id__among=Given("budgets"))
    return rows.order_by("pk")


def lift(budget_id: int, *, reason: str, by: User | None = None, day: dt.date | None = None) -> BudgetCounter:
    """A person's word: no limit for the rest of this day or month. What is held is resumed by a person, too.

    `day`: when this person was asked; NewPeriod where that was in another day or month.
    """
    if is_blank(reason):
        raise ValidationError({"reason": _("Say why: it is kept with your name.")})
    with transaction.atomic():
        budget = Budget.objects.get(pk=budget_id)
        [counter] = locked_counters([budget])
        if day is not None and counter.starts_on != period_start(budget, day):
            raise NewPeriod(_new_period(budget))
        if counter.lifted_at is not None:
            raise LiftedAlready(_("This budget is lifted already, until its next period begins."))
        counter.lifted_at, counter.lifted_by, counter.lift_reason = timezone.now(), by, reason.strip()[:200]
        counter.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        record_event(budget, _("Budget lifted: %(why)s") % {"why": reason.strip()[:200]}, by)
    return counter


def _new_period(budget: Budget) -> str:
    if budget.per == Budget.Per.DAY:
        return _("A new day has begun since you looked, with a budget of its own: look at what has gone of that.")
    return _("A new month has begun since you looked, with a budget of its own: look at what has gone of that.")


def used_up(budget: Budget) -> str:
    """The sentence with which a campaign is held."""
    words = {
        "app": str(budget.application),
        "limit": in_words(budget, budget.limit),
        "when": next_start(budget, today()),
    }
    said = _(OF_DAY if budget.per == Budget.Per.DAY else OF_MONTH)
    return joined([said % words, _("Resume it then, or have an approver lift the budget.")])


def size_not_known(budget: Budget) -> str:
    """The sentence with which what takes everybody at once is held, if nobody knows how many that are."""
    return _(SIZE_NOT_KNOWN) % {"app": str(budget.application), "limit": in_words(budget, budget.limit)}


def too_little_left(budget: Budget, counter: BudgetCounter, needs: int) -> str:
    """The sentence with which what takes everybody at once is held."""
    if needs > units(budget):
        said = _(TOO_BIG) % {"app": str(budget.application), "limit": in_words(budget, budget.limit)}
        return joined([said, _("Raise the budget, or have an approver lift it.")])
    left = max(units(budget) - counter.used, 0)
    if not left:
        return used_up(budget)
    said = _(TOO_LITTLE)
    words = {
        "app": str(budget.application),
        "limit": in_words(budget, budget.limit),
        "left": in_words(budget, as_amount(budget, left)),
    }
    next_one = _("The next period begins on %(when)s, 00:00. Resume it then, or have an approver lift the budget.")
    return joined([said % words, next_one % {"when": next_start(budget, today())}])


def has_said(sentence: str) -> bool:
    """Whether it speaks of a budget: where it is shown there is a word on them. Nothing else depends on it."""
    return any(part.words in (OF_DAY, OF_MONTH, TOO_LITTLE, TOO_BIG, SIZE_NOT_KNOWN) for part in parts_of(sentence))


def holds_any(application: Application) -> bool:
    """Whether a campaign or email campaign of it, of the latest that are held, is held by a budget. For pages alone."""
    for kind in (Campaign, EmailCampaign):
        held = kind._default_manager.filter(application=application, state=CampaignState.HELD).order_by("-pk")
        if any(has_said(reason) for reason in held.values_list("hold_reason", flat=True)[:MOST_HELD]):
            return True
    return False


def has_room_again(application: Application, sentence: str) -> bool:
    """Something is left by now of the budgets of it that this says are used up, enough or not. For pages alone."""
    spent = [part for part in parts_of(sentence) if part.words in (OF_DAY, OF_MONTH)]
    are_its_own = spent and all((part.values or {}).get("app") == str(application) for part in spent)
    known = standings(application) if are_its_own else []
    return bool(known) and all(one.counter.lifted_at is not None or one.left > 0 for one in known)


def warn_if_nearly_used(counter: BudgetCounter, budget: Budget) -> bool:
    """Whether four fifths have gone now for the first time in this period, which is told then."""
    if counter.warned_at is not None or 100 * counter.used < WARN_AT * units(budget):
        return False
    counter.warned_at = timezone.now()
    counter.save(update_fields=["warned_at"])
    events.budget_warned(budget, as_amount(budget, counter.used), 100 * counter.used // units(budget), warning(budget))
    return True


def warning(budget: Budget) -> str:
    said = _("%(percent)s of a budget of %(app)s has gone: %(limit)s for each month.")
    if budget.per == Budget.Per.DAY:
        said = _("%(percent)s of a budget of %(app)s has gone: %(limit)s for each day.")
    return said % {
        "percent": in_percent(WARN_AT),
        "app": str(budget.application),
        "limit": in_words(budget, budget.limit),
    }
