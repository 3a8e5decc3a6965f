"""Asking after the account: every few minutes for its balance, and at once when a person tests the connection."""

import datetime as dt
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import AccountHold, Application, BalanceReading, Channel
from laaffic_console.gateway.services.account import account_hold, balance_history
from laaffic_console.gateway.services.client import clock, code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.laaffic import Family, LaafficError, NotSent, OutcomeUnknown, Refused, lookup

READ_JOB = "laaffic_console.gateway.jobs.read_balance"
ASK_AGAIN = 60.0  # seconds before a reading that failed is tried again


def is_due() -> bool:
    return balance_history.is_due() and not leases.is_held("balance")


def read() -> None:
    """The job: keep a reading; what getBalance is refused for, everything would be refused for."""
    if not balance_history.is_due() or leases.take("balance", ASK_AGAIN) is None:
        return
    workers.beat_through_request()
    try:
        balance = laaffic_client().get_balance()
    except Refused as refusal:
        if refusal.calls_for in account_hold.HOLDING:
            account_hold.place(refusal)
    except (NotConfigured, LaafficError):
        return  # the health page shows how old the last reading is
    else:
        balance_history.record(balance)
        account_hold.tell(balance)


@dataclass(slots=True)
class ConnectionTest:
    """What came of a test: sentences for a person, and the figures where there are any."""

    is_well: bool
    sentences: list[str] = field(default_factory=list)
    reading: BalanceReading | None = None


def try_connection(application: Application | None = None) -> ConnectionTest:
    """Ask Laaffic for the balance, and an SMS application for its records of the last minute. Costs nothing.

    An answer counts as a probe: it ends the holds that it disproves.
    """
    try:
        client = laaffic_client()
        balance = client.get_balance()
        found = ConnectionTest(True, reading=balance_history.record(balance))
        account_hold.tell(balance)
        found.sentences.append(_("The credentials are right. Balance: %(amount)s.") % {"amount": found.reading})
        if application is not None and application.channel == Channel.SMS:
            now = timezone.now()
            client.get_sent_records(app_id=application.app_id, start=now - dt.timedelta(minutes=1), end=now)
            for hold in AccountHold.objects.filter(released_at=None, application=application):
                account_hold.release(hold.pk, because="Laaffic accepts the key for this application.")
            found.sentences.append(_("The key may use %(application)s.") % {"application": application})
    except NotConfigured as problem:
        return ConnectionTest(False, [str(problem)])
    except LaafficError as problem:
        found = ConnectionTest(False, [explain(problem)])
    found.sentences += clock_sentence()
    return found


def explain(problem: LaafficError) -> str:
    """A failed read in words that say what to do."""
    match problem:
        case Refused():
            return code_words.refused(problem)
        case OutcomeUnknown() if problem.code:
            advice = _(lookup(Family.ACCOUNT, problem.code).advice)
            return _("Laaffic answers with %(code)s. %(advice)s") % {"code": problem.code, "advice": advice}
        case NotSent():
            said = _(
                "Laaffic cannot be reached (%(why)s). Check LAAFFIC_BASE_URL and this machine's way to the internet."
            )
            return said % {"why": problem.message}
    return _("No usable answer from Laaffic (%(why)s). Check LAAFFIC_BASE_URL.") % {"why": problem.message}


def clock_sentence() -> list[str]:
    skew = clock.observed_here()
    if skew is None:
        return []
    if not clock.is_off(skew):
        return [_("The clocks agree.")]
    ahead = _("behind") if skew > 0 else _("ahead of")
    said = _("This machine's clock is %(seconds)d s %(ahead)s Laaffic's: switch on time synchronisation (NTP).")
    return [said % {"seconds": round(abs(skew)), "ahead": ahead}]
