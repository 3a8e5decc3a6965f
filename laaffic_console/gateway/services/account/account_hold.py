"""The account-wide pause: after −10 or a credential code nothing more leaves until Laaffic accepts again.

Every request would be refused in the same way, so one refusal stops them all, with one sentence why. A probe asks for
the balance, less and less often; when it is accepted, with funds where these were missing, the hold ends by itself and
what it stopped goes on. The apps that own campaigns or calls name a job that follows: it runs when a hold begins,
changes its sentence or ends.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, Channel, LedgerEntry
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell, due, leases, patience
from laaffic_console.kit.audit.acts import Act, record_event
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.laaffic import Balance, Code, LaafficClient, LaafficError, OutcomeUnknown, Refused, Remedy

FIRST_PROBE = 15  # seconds
LONGEST_WAIT = 300
AGAIN = dt.timedelta(minutes=15)  # refused again within this time of its end, it is the same trouble
CAMPAIGN = "campaign:"
LOST = "lost"  # no refusal: answers do not come
PROBE_JOB = "laaffic_console.gateway.jobs.probe_account"
HOLDING = (Remedy.HOLD_ACCOUNT, Remedy.RESIGN)  # a clock that is still wrong after re-signing stops everything too

_followers: list[str] = []


def follow_with(job: str) -> None:
    """Let an app name the job that stops what is held and wakes what may go on; called from its AppConfig."""
    if job not in _followers:
        _followers.append(job)


def place(refusal: Refused, *, entry_id: int | None = None) -> None:
    """Hold what this refusal is about. A second refusal of the same kind changes nothing."""
    entries = LedgerEntry.objects.select_related("application")
    entry = None if entry_id is None else entries.filter(pk=entry_id).first()
    application = entry.application if entry and refusal.entry.of_application else None
    _place(application, code=refusal.code, sentence=code_words.refused(refusal), entry=entry)


def place_because(sentence: str) -> None:
    """Hold the account for a reason of our own: the credentials are missing."""
    _place(None, code="", sentence=sentence, entry=None)


def place_for_lost_answers(
    sentence: str, *, campaign_id: int | None = None, is_new_trouble: bool = False
) -> AccountHold:
    """Hold one campaign, or with None the account, until Laaffic answers a harmless request.

    Where all went well since the last hold, this is new trouble, and Laaffic is asked as soon as the first time.
    """
    scope = "account" if campaign_id is None else of_campaign(campaign_id)
    return _place(None, code=LOST, sentence=sentence, entry=None, scope=scope, is_new_trouble=is_new_trouble)


def of_campaign(campaign_id: int) -> str:
    """The scope of a hold that applies to this campaign alone."""
    return f"{CAMPAIGN}{campaign_id}"


def lost_last_ended(scopes: list[str]) -> dt.datetime | None:
    """When a hold for lost answers ended last in one of these scopes."""
    ended = AccountHold.objects.filter(scope__in=scopes, code=LOST, released_at__isnull=False)
    return ended.order_by("-released_at").values_list("released_at", flat=True).first()


def last_began(application_id: int) -> dt.datetime | None:
    """When the last stop of this application began; it may span holds that followed each other without a gap."""
    concerned = AccountHold.objects.filter(Q(application=None) | Q(application=application_id))
    concerned = concerned.exclude(scope__startswith=CAMPAIGN)
    began = concerned.aggregate(at=Max("placed_at"))["at"]
    if began is None:
        return None
    stood = Q(released_at=None) | Q(released_at__gte=began)
    earliest: dt.datetime = concerned.filter(stood).aggregate(at=Min("placed_at"))["at"]
    return earliest


def open_holds(application_id: int | OuterRef | Given) -> QuerySet[AccountHold]:
    """What stops this application now: holds of its own and of the whole account."""
    return wide_ones().filter(Q(application=None) | Q(application=application_id))


def wide_ones() -> QuerySet[AccountHold]:
    """What is held now beyond a single campaign: the account, and applications."""
    return AccountHold.objects.filter(released_at=None).exclude(scope__startswith=CAMPAIGN)


def open_hold_of_campaign(campaign_id: int) -> AccountHold | None:
    """What stops this campaign and no other."""
    held: AccountHold | None = _of_campaign.first(AccountHold, scope=of_campaign(campaign_id))
    return held


def campaigns_held() -> list[int]:
    """Which campaigns have a hold of their own."""
    scopes = AccountHold.objects.filter(scope__startswith=CAMPAIGN, released_at=None).values_list("scope", flat=True)
    return [held for scope in scopes if (held := campaign_of(scope)) is not None]


def campaign_of(scope: str) -> int | None:
    """The campaign that a hold of this scope stops alone; None where it stops more."""
    return int(scope.removeprefix(CAMPAIGN)) if scope.startswith(CAMPAIGN) else None


def is_of_campaign(hold: str, sentence: str) -> Q:
    """Rows whose field `hold` names an open hold of a single campaign, and whose field `sentence` has its sentence."""
    return Q(**{f"{hold}__released_at": None, f"{hold}__scope__startswith": CAMPAIGN, f"{hold}__sentence": F(sentence)})


@Select
def _of_campaign() -> QuerySet[AccountHold]:
    return AccountHold.objects.filter(scope=Given("scope"), released_at=None).order_by("id")[:1]


def stop_for(application_id: int) -> AccountHold | None:
    """The hold that stops this application, the oldest where there are two; None when it may send."""
    held: AccountHold | None = _stopping.first(AccountHold, application=application_id)
    return held


@Select
def _stopping() -> QuerySet[AccountHold]:
    return open_holds(Given("application")).order_by("id")[:1]


def is_anything_held() -> bool:
    """The account, an application or a campaign: only then is it worth asking which."""
    return bool(_held.rows())


@Select
def _held() -> "QuerySet[AccountHold, Any]":
    return AccountHold.objects.filter(released_at=None).order_by().values_list("pk")[:1]


def is_held(application_id: int) -> bool:
    return open_holds(application_id).exists()


def may_go_on() -> Any:
    """A condition on ledger requests, for the statement that lets them leave."""
    return ~Exists(open_holds(OuterRef("application_id")))


def release(hold_id: int, *, because: str, by: User | None = None) -> bool:
    """End a hold and ring for what it stopped; False when it had ended already."""
    held = AccountHold.objects.filter(pk=hold_id, released_at=None)
    ended = held.update(released_at=timezone.now(), released_because=because[:300], released_by=by) == 1
    if ended:
        record_event(AccountHold.objects.get(pk=hold_id), because, by, Act.HOLD_ENDED)
        _ring_followers()
    return ended


def end_by_hand(hold_id: int, by: User) -> bool:
    """A person knows that its cause is gone; False when it had ended already."""
    return release(hold_id, because="Ended by a person.", by=by)


def probe_due() -> bool:
    return AccountHold.objects.filter(is_due(), released_at=None).exists()


def is_due() -> Q:
    """Holds whose probe is due; none is asked about more seldom than LONGEST_WAIT."""
    return due.come("next_probe_at", [(Q(), dt.timedelta(seconds=LONGEST_WAIT))])


def probe(*, at_once: bool = False) -> None:
    """Ask Laaffic whether what is held may go on: what is due, or everything when a person asks."""
    with leases.lease("probe-account", patience.LEASE_SECONDS) as lease:
        if lease is None:
            return
        asking = patience.Patience(lease)
        open_ones = AccountHold.objects.filter(released_at=None).select_related("application", "entry__application")
        for hold in (open_ones if at_once else open_ones.filter(is_due())).order_by("next_probe_at", "pk"):
            if not asking.may_ask():
                break  # the holds that were asked about wait for longer now, so the others come first the next time
            _probe(hold)


def tell(balance: Balance) -> None:
    """An answer to getBalance that somebody else has asked for: it ends what a probe would end."""
    for hold in AccountHold.objects.filter(released_at=None, application=None):
        _weigh(hold, balance)


@transaction.atomic
def _place(
    application: Application | None,
    *,
    code: str,
    sentence: str,
    entry: LedgerEntry | None,
    scope: str = "",
    is_new_trouble: bool = False,
) -> AccountHold:
    now = timezone.now()
    scope = scope or (f"application:{application.pk}" if application else "account")
    before = None if is_new_trouble else _shortly_before(scope, code, now)
    wait = min(2 * before.probe_wait, LONGEST_WAIT) if before else FIRST_PROBE
    carried = before.funds if before else None
    # The balance that was too little is read at once: after a top-up the first probe would take the new one for it.
    first = dt.timedelta(seconds=wait if carried is None else 0)
    given = {
        "application": application,
        "code": code,
        "sentence": sentence,
        "entry": entry,
        "placed_at": now,
        "probe_wait": wait,
        "funds": carried,
        "next_probe_at": database_clock.now() + first if _can_be_asked(application) else None,
    }
    hold, is_new = AccountHold.objects.get_or_create(scope=scope, released_at=None, defaults=given)
    if is_new:
        _ring_followers()
    return hold


def _shortly_before(scope: str, code: str, now: dt.datetime) -> AccountHold | None:
    """The same hold, where it ended a moment ago: a probe may see funds where a send finds too little."""
    lately = AccountHold.objects.filter(scope=scope, code=code, released_at__gt=now - AGAIN)
    return lately.order_by("-id").first()


def _probe(hold: AccountHold) -> None:
    try:
        client = laaffic_client()
        if hold.application is None:
            _ask_for_account(client, hold)
            return
        if not _can_be_asked(hold.application):
            return
        _ask_for(client, hold.application)
    except NotConfigured as problem:
        _ask_later(hold, str(problem), sentence=str(problem), code="")
    except Refused as refusal:
        if hold.code == LOST:
            release(hold.pk, because="Laaffic answers again.")
        elif refusal.calls_for in HOLDING and refusal.entry.of_application == (hold.application is not None):
            _ask_later(hold, str(refusal), sentence=code_words.refused(refusal, repeats=True), code=refusal.code)
        else:
            _ask_later(hold, str(refusal))
    except LaafficError as problem:
        _ask_later(hold, str(problem))
    else:
        release(hold.pk, because="Laaffic accepts the key for this application.")


def _can_be_asked(application: Application | None) -> bool:
    """An account that may send no email yet may read all the same, so a person ends that hold."""
    return application is None or application.channel != Channel.EMAIL


def _ask_for_account(client: LaafficClient, hold: AccountHold) -> None:
    """getBalance speaks for the account; where answers are waited for, a gateway that lacks it is asked otherwise."""
    try:
        balance = client.get_balance()
    except OutcomeUnknown as problem:
        used = hold.entry.application if hold.entry else Application.objects.order_by("pk").first()
        if hold.code != LOST or used is None or (problem.http_status or 0) not in range(400, 500):
            raise
        _ask_for(client, used)
        release(hold.pk, because="Laaffic answers again.")
        return
    balance_history.record(balance)
    _weigh(hold, balance)


def _ask_for(client: LaafficClient, application: Application) -> None:
    """A free read that names the application, of its own product."""
    app_id = application.app_id
    match Channel(application.channel):
        case Channel.VOICE:
            client.voice.phones(app_id=app_id, size=1)
        case Channel.NUMBER:
            client.numbers.query_bindings(app_id=app_id, size=1)
        case _:
            now = timezone.now()
            client.get_sent_records(app_id=app_id, start=now - dt.timedelta(minutes=1), end=now)


def _weigh(hold: AccountHold, balance: Balance) -> None:
    if hold.code != Code.NO_FUNDS:
        answers = hold.code == LOST
        release(hold.pk, because="Laaffic answers again." if answers else "Laaffic accepts the credentials.")
    elif funds(balance) > max(hold.funds or Decimal(), Decimal()):
        AccountHold.objects.filter(pk=hold.pk).update(funds=funds(balance))
        release(hold.pk, because=f"There are funds again: the balance is {balance.balance}.")
    else:
        if hold.funds is not None and funds(balance) < hold.funds:  # spent since: less than then is more than now
            AccountHold.objects.filter(pk=hold.pk).update(funds=funds(balance))
        _ask_later(hold, f"the balance is {balance.balance}")


def funds(balance: Balance) -> Decimal:
    """What can be spent: the balance, the bonus and the credit line (laaffic-api#getbalance)."""
    return balance.balance + (balance.gift or 0) + (balance.credit or 0)


def _ask_later(hold: AccountHold, answer: str, *, sentence: str | None = None, code: str | None = None) -> None:
    wait = min(2 * hold.probe_wait, LONGEST_WAIT)
    changed = {"last_answer": answer[:300], "probe_wait": wait}
    changed["next_probe_at"] = database_clock.now() + dt.timedelta(seconds=wait)
    if sentence is not None and code is not None and sentence != hold.sentence:
        changed |= {"sentence": sentence, "code": code}
        _ring_followers()
    AccountHold.objects.filter(pk=hold.pk, released_at=None).update(**changed)


def _ring_followers() -> None:
    for job in _followers:
        bell.ring(job)
