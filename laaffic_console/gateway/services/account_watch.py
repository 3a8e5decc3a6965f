"""Asking after the account: every few minutes for its balance, and at once when a person tests the connection."""

import datetime as dt
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.models import AccountHold, Application, BalanceReading, Channel
from laaffic_console.gateway.services import account_hold, balance_history, clock, leases
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.laaffic import LaafficError, NotSent, OutcomeUnknown, Refused

READ_JOB = "laaffic_console.gateway.jobs.read_balance"
ASK_AGAIN = 60.0  # seconds before a reading that failed is tried again

# What each code means for whoever has to mend it (wire §3.1).
IN_PLAIN_WORDS: dict[str, str | Promise] = {
    "-1": gettext_lazy(
        "Laaffic does not know this key, or the secret does not belong to it. Copy both again from the developer "
        "options at Laaffic into LAAFFIC_API_KEY and LAAFFIC_API_SECRET, without spaces, and restart the console."
    ),
    "-2": gettext_lazy(
        "Laaffic takes no requests from this machine's internet address. Have the address added to the whitelist at "
        "Laaffic, or take the restriction off."
    ),
    "-10": gettext_lazy("There is no money on the account. Top it up at Laaffic; what waits goes on by itself."),
    "-12": gettext_lazy("Laaffic had a failure of its own. The credentials may be right; try again in a minute."),
    "-13": gettext_lazy("Laaffic has locked this user. Only your account manager at Laaffic can unlock it."),
    "-15": gettext_lazy("Laaffic was asked too often just now. Wait a minute and try again."),
    "-16": gettext_lazy(
        "This machine's clock and Laaffic's are more than half an hour apart, and correcting for it did not help. "
        "Switch on time synchronisation (NTP) on this machine."
    ),
    "-18": gettext_lazy("Laaffic had a failure of its own. The credentials may be right; try again in a minute."),
    "-29": gettext_lazy(
        "The workspace that this key belongs to is disabled at Laaffic. Enable it there, or use a key of another one."
    ),
    "-30": gettext_lazy("This key is disabled at Laaffic. Enable it in the developer options, or set another key."),
    "-31": gettext_lazy(
        "This machine's internet address is not in the key's whitelist. Add it in the developer options at Laaffic."
    ),
    "-32": gettext_lazy(
        "The key is right, but it may not use this application. Give the key this application at Laaffic, or register "
        "another appId here."
    ),
}


def is_due() -> bool:
    return balance_history.is_due() and not leases.is_held("balance")


def read() -> None:
    """The job: keep a reading; what getBalance is refused for, everything would be refused for."""
    if not balance_history.is_due() or leases.take("balance", ASK_AGAIN) is None:
        return
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
    plain = IN_PLAIN_WORDS.get(problem.code, "")
    match problem:
        case Refused():
            said = _("Laaffic refuses with %(code)s: %(meaning)s. %(advice)s")
            return said % {
                "code": problem.code,
                "meaning": _(problem.meaning),
                "advice": plain or _(problem.advice),
            }
        case OutcomeUnknown() if plain:
            return _("Laaffic answers with %(code)s. %(advice)s") % {"code": problem.code, "advice": plain}
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
