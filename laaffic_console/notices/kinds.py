"""What people are told of, how it is worded, and what of it comes by email unless they say otherwise."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy

from laaffic_console.kit.words import stored_words
from laaffic_console.kit.words.figures import money, number
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext, read


class Notify(models.TextChoices):
    ASKED = "asked", gettext_lazy("An approval is asked for")
    GIVEN = "given", gettext_lazy("Your approval was given")
    REFUSED = "refused", gettext_lazy("Your approval was refused")
    VOIDED = "voided", gettext_lazy("Your approval is void after an edit")
    WITHDRAWN = "withdrawn", gettext_lazy("A request for approval was withdrawn")
    HELD = "held", gettext_lazy("Your campaign is held")
    FINISHED = "finished", gettext_lazy("Your campaign has finished")
    DRIFT = "drift", gettext_lazy("Your campaign costs more or less than expected")
    UNKNOWN = "unknown", gettext_lazy("Messages or requests are unknown for an hour")
    IMPORT = "import", gettext_lazy("Your import is done")
    BALANCE = "balance", gettext_lazy("The balance is low")
    BUDGET = "budget", gettext_lazy("A budget is nearly or all used up")
    WORKER = "worker", gettext_lazy("A worker is silent")
    CALLBACKS = "callbacks", gettext_lazy("No callbacks come")
    WEBHOOK = "webhook", gettext_lazy("A webhook was disabled")
    MORE = "more", gettext_lazy("More notices")  # in one row, past what one person is told in an hour


# Nobody chooses about MORE: it follows what it stands for.
CHOICES = [kind for kind in Notify if kind is not Notify.MORE]
# Everything is under the bell; by email what waits for a person or costs money.
INFORMS = frozenset({Notify.GIVEN, Notify.WITHDRAWN, Notify.FINISHED, Notify.IMPORT})  # and asks nobody to act
BY_EMAIL = frozenset(CHOICES) - INFORMS

WORDS = {
    Notify.ASKED: gettext_lazy("%(by)s asks for approval of “%(name)s”"),
    Notify.GIVEN: gettext_lazy("%(by)s approved “%(name)s”"),
    Notify.REFUSED: gettext_lazy("%(by)s refused approval of “%(name)s”: %(reason)s"),
    Notify.VOIDED: gettext_lazy("The approval of “%(name)s” is void: it was changed"),
    Notify.WITHDRAWN: gettext_lazy("%(by)s no longer asks for approval of “%(name)s”"),
    Notify.HELD: gettext_lazy("“%(name)s” is held: %(reason)s"),
    Notify.FINISHED: gettext_lazy("“%(name)s” has finished"),
    Notify.DRIFT: gettext_lazy("“%(name)s” costs more or less than expected in %(country)s: %(reason)s"),
    Notify.UNKNOWN: gettext_lazy("“%(name)s”: what happened to a request is unknown for more than an hour"),
    Notify.IMPORT: gettext_lazy("The import of %(name)s is done: %(reason)s"),
    Notify.BALANCE: gettext_lazy("The balance is %(balance)s, under its limit of %(limit)s"),
    Notify.BUDGET: gettext_lazy("%(reason)s"),
    Notify.WORKER: gettext_lazy("The worker on %(name)s is silent"),
    Notify.CALLBACKS: gettext_lazy("Messages were accepted over an hour ago, and no callback has come since"),
    Notify.WEBHOOK: gettext_lazy("The webhook %(name)s was disabled"),
}


class _Known(dict[str, Any]):
    """Values of which a missing one, as in a row of an older version, is shown as a dash, never as an error."""

    def __missing__(self, key: str) -> str:
        return "–"


def in_words(kind: str, said: Mapping[str, Any], count: int = 1) -> str:
    """One line, in its reader's language."""
    if kind == Notify.MORE:
        return _more(said, count)
    values = said if kind != Notify.BALANCE else _with_currency(said)
    known = _Known(
        {name: stored_words.in_words(read(f"{value}")) for name, value in values.items() if value not in ("", None)}
    )
    line = " ".join((str(WORDS[Notify(kind)]) % known).split())
    return line if count == 1 else _("%(line)s (%(n)d times)") % {"line": line, "n": count}


def _with_currency(said: Mapping[str, Any]) -> dict[str, str]:
    """Amounts as their reader writes them, with their currency; Laaffic usually does not name the balance's."""
    currency = said.get("currency") or ""
    return {name: money(Decimal(said[name]), currency) for name in ("balance", "limit") if said.get(name)}


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """PostgreSQL keeps no order of keys in JSON."""
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))


def _more(said: Mapping[str, Any], count: int) -> str:
    parts = [
        f"{number(n)} × {Notify(kind).label}" for kind, n in _most_first(said.get("kinds", {})) if kind in Notify.values
    ]
    head = ngettext("%(n)d more within this hour", "%(n)d more within this hour", count) % {"n": count}
    return f"{head}: {'; '.join(parts)}" if parts else head
