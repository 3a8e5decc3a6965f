"""What the ledger's states, Laaffic's codes and the columns of reports mean, for the pages."""

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import EntryState
from laaffic_console.kit.registers import meanings
from laaffic_console.laaffic import CodeEntry, Family
from laaffic_console.laaffic.codes import every_table

OF_ENTRIES: dict[str, Promise] = {
    EntryState.PREPARED: _("Written down; the request has not left."),
    EntryState.IN_FLIGHT: _("The request may have left; its answer is awaited."),
    EntryState.ACCEPTED: _("Laaffic took the request."),
    EntryState.REFUSED: _("Laaffic said no; its code and its reason are shown beside it."),
    EntryState.NOT_SENT: _("It is certain that Laaffic never saw it."),
    EntryState.UNKNOWN: _(
        "Laaffic's answer was lost, or a backup was restored. "
        "It is not sent again by itself; evidence or a person settles it."
    ),
    EntryState.LAPSED: _("Its answer was lost, and what was asked for would be over by now: no longer looked for."),
}

# The meanings of columns, by the names in `reporting.COLUMNS`.
OF_COLUMNS: dict[str, Promise] = {
    "sent": _("Laaffic accepted it: the sum of delivered, undelivered, expired and awaited."),
    "delivered": _("A report said that it arrived."),
    "delivered_percent": _("The share of what was sent that arrived, rounded down."),
    "failed": _("Undelivered and rejected together."),
    "undelivered": _("A report said that it did not arrive."),
    "rejected": _("Laaffic did not take it, so it was not sent."),
    "expired": _("No report came in time, or it was written off."),
    "awaited": _("Accepted, and its report may still come."),
    "unknown": _("Laaffic's answer was lost and nothing has settled it; not among the sent."),
    "segments": _("As billed: what reports named, 0 where they named none."),
    "cost": _("What reports said was charged; messages whose end is not known do not count yet."),
    "cost_per_delivered": _("All that was charged in a currency, over the delivered that were charged in it."),
    "price_not_told": _("Their end is known, and no report named a price: their cost and segments are in no sum."),
    "median_seconds": _("Half of the delivered arrived within this time after Laaffic took them."),
    "p95_seconds": _("95 of 100 of the delivered arrived within this time after Laaffic took them."),
    "replies": _("What people wrote back."),
    "opt_outs": _("Replies with a word that opts out."),
    "reasons": _("The failed by what Laaffic or the carrier said of them."),
}

OF_HEADERS: dict[str, Promise] = {
    "application.rate_per_second": _("Recipients a second over all its campaigns; empty means no limit."),
    "application.connections": _("Requests that may be under way at the same time for one campaign."),
    "ledgerentry.took": _("From its departure to its answer, or to what settled it."),
    "ledgerentry.shown_code": _("Laaffic's answer as a number; each says what it means."),
    "ledgerentry.about": _("What it was done for: a campaign, an attachment."),
    "pushedbody.entries": _("Reports, replies or records that came in this one request."),
    "pushedbody.failed": _("Entries that could not be read or applied; its page says why."),
    "orphanreport.tries": _("How often the message that it belongs to was looked for."),
    "accounthold.next_probe_at": _(
        "When Laaffic is next asked something harmless, to see whether it takes requests again."
    ),
    "workerheartbeat.restarts": _("How often its processes were restarted."),
    "workerheartbeat.shown_skew": _("How far the machine's clock is from Laaffic's."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
    meanings.register("ledger", OF_ENTRIES, "states#requests")
    meanings.register("column", OF_COLUMNS, "reports#columns")
    for family, entries in every_table().items():
        heading = "email-codes" if family == Family.EMAIL else "codes"
        said = {f"{family.value} {code}": _sentence(family, entry) for code, entry in entries.items()}
        meanings.register("code", said, f"laaffic-api#{heading}")


def _sentence(family: Family, entry: CodeEntry) -> Promise:
    advice = entry.advice_alone if family == Family.NUMBER else entry.advice  # no campaign binds numbers
    return format_lazy("{meaning}. {advice}", meaning=_(entry.meaning), advice=_(advice))


def family_of(channel: str) -> Family:
    """The table in which an answer's code is looked up: that of the application's product, else that of the account."""
    families = {"sms": Family.SMS, "email": Family.EMAIL, "voice": Family.VOICE, "number": Family.NUMBER}
    return families.get(channel, Family.ACCOUNT)
