"""Why an attempt failed: kept as a code and what belongs to it, and worded when somebody reads it."""

from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.words.said import lasting

WORDS = {
    "address": _("%(detail)s is an address that webhooks may not reach. WEBHOOKS_MAY_REACH can allow its network."),
    "name": _("The name %(detail)s is not known. Correct the address, or wait until its name server answers."),
    "lookup": _("No name server answered within 5 seconds for %(detail)s. Check this machine's name servers."),
    "url": _("%(detail)s is not an address. Make a webhook with the right one, and delete this one."),
    "plain": _("It is http and not https, and its address %(detail)s is not in WEBHOOKS_MAY_REACH: nothing was sent."),
    "unreachable": _("The connection failed (%(detail)s). Check that it runs and that this machine may reach it."),
    "tls": _("TLS failed (%(detail)s). Check its certificate."),
    "timeout": _("It did not answer within %(detail)s seconds. Answer at once, and work afterwards."),
    "broken": _("The connection broke before an answer came (%(detail)s)."),
    "unreadable": _("Its answer is not HTTP (%(detail)s). Check that the address leads to a web server."),
    "redirect": _("It answered %(detail)s. Redirects are not followed: give the address where they lead."),
    "gone": _("It answered 410: it no longer wants events, so the webhook was disabled."),
    "status": _("It answered %(detail)s; only 2xx says that it took the event."),
    "secret": _("Its secret cannot be read: SECRET_KEY has changed. Give it a new secret."),
    "failing": _("Nothing was taken for %(detail)s days, so it was disabled. Correct it, then resume it."),
    "unwanted": _("Its kind of event was deselected before it left, so it was not sent."),
    "own": _("The console had an internal error (%(detail)s). Its log says more."),
}
# It says nothing about the event: another one would have failed as well.
OF_TARGET = frozenset(
    {"address", "name", "lookup", "url", "plain", "unreachable", "tls", "timeout", "broken", "secret"}
)


def in_words(code: str, detail: str = "") -> str:
    """A sentence; "" where nothing failed."""
    return str(lasting(WORDS[code]) % {"detail": detail}) if code in WORDS else ""
