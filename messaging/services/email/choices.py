"""What an account offers for its mails: templates, recipient lists and sender addresses, as of the last look-up."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import require_configured
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from laaffic_console.laaffic import LaafficClient, LaafficError, NotSent, Refused
from messaging.models import EmailChoice, EmailLookup

logger = logging.getLogger(__name__)

Kind = EmailLookup.Kind
Row = tuple[str, str, dict[str, Any]]  # value, name, detail


class Found(NamedTuple):
    rows: list[Row]
    unreadable: int


def _templates(client: LaafficClient, app_id: str) -> Found:
    offered = client.email.templates(app_id=app_id)
    rows: list[Row] = []
    for found in offered:
        detail = {"subject": found.subject[:200], "language": found.language[:16], "status": found.status[:40]}
        rows.append((found.template_id, found.name, detail))
    return Found(rows, offered.unreadable)


def _lists(client: LaafficClient, app_id: str) -> Found:
    offered = client.email.recipient_lists(app_id=app_id)
    rows: list[Row] = []
    for found in offered:
        rows.append((found.receiver_id, found.name, {"count": found.count, "description": found.description[:200]}))
    return Found(rows, offered.unreadable)


def _senders(client: LaafficClient, app_id: str) -> Found:
    offered = client.email.sender_addresses(app_id=app_id)
    return Found([(address, "", {}) for address in offered], offered.unreadable)


ASK: dict[str, Callable[[LaafficClient, str], Found]] = {
    Kind.TEMPLATE: _templates,
    Kind.LIST: _lists,
    Kind.SENDER: _senders,
}


def refresh_all() -> list[EmailLookup]:
    """Look up everything for every email application; each row says what came of it."""
    applications = Application.objects.filter(channel=Channel.EMAIL, is_active=True)
    return [lookup for application in applications for lookup in refresh(application)]


def refresh(application: Application, kinds: Iterable[str] = tuple(ASK)) -> list[EmailLookup]:
    """Ask the account; where a look-up fails the choices of the last one stay, with their age and the problem."""
    if application.channel != Channel.EMAIL or not application.is_active:
        said = _("“%(name)s” is not an email application that is in use. Choose one that is.")
        is_right = application.channel == Channel.EMAIL
        raise (NotNow if is_right else ValidationError)({"application": said % {"name": application.name}})
    client = require_configured()
    done = []
    for kind in kinds:
        done.append(_look_up(client, application, kind))
        if done[-1].problem and not done[-1].may_ask_on:  # type: ignore[attr-defined]
            break  # the next would wait for the same silence
    return done


def _look_up(client: LaafficClient, application: Application, kind: str) -> EmailLookup:
    now = timezone.now()
    problem, may_ask_on, answer = "", True, None
    try:
        answer = ASK[kind](client, application.app_id)
        problem = _unreadable(answer.unreadable) if answer.unreadable else ""
    except LaafficError as error:
        problem, may_ask_on = _in_words(error), isinstance(error, Refused)
        logger.warning("looking up %s of %s: %s", kind, application.app_id, error)
    with transaction.atomic():
        found = {"asked_at": now, "problem": problem} | ({"answered_at": now} if answer else {})
        lookup, _is_new = EmailLookup.objects.update_or_create(application=application, kind=kind, defaults=found)
        if answer:
            _replace(lookup, *answer)
    lookup.may_ask_on = may_ask_on  # type: ignore[attr-defined]
    return lookup


def _in_words(error: LaafficError) -> str:
    match error:
        case Refused():
            return code_words.refused(error)
        case NotSent():
            return _("the gateway cannot be reached (%(why)s)") % {"why": error.message}
    return _("no usable answer (%(why)s)") % {"why": error.message}


def _unreadable(n: int) -> str:
    said = ngettext(
        "%(n)d row of the answer cannot be read, so what is not named in the others stays as it was.",
        "%(n)d rows of the answer cannot be read, so what is not named in the others stays as it was.",
        n,
    )
    return said % {"n": n}


def _replace(lookup: EmailLookup, rows: Iterable[Row], unreadable: int = 0) -> None:
    """By what was answered. What it may be about that cannot be read stays: a choice, or the size of a list."""
    before = {choice.value: choice for choice in lookup.choices.all()}
    by_value = {value[:254]: (name, detail) for value, name, detail in rows if value}
    for value, (_name, detail) in by_value.items():
        if value in before and detail.get("count", 0) is None:
            detail["count"] = before[value].detail.get("count")
    gone = lookup.choices.filter(value__in=by_value) if unreadable else lookup.choices.all()
    gone.delete()
    EmailChoice.objects.bulk_create(
        EmailChoice(lookup=lookup, value=value, name=name[:200], detail=detail)
        for value, (name, detail) in by_value.items()
    )


def offered(kind: str) -> list[EmailChoice]:
    """The choices of every active application, for a form."""
    choices = EmailChoice.objects.filter(lookup__kind=kind, lookup__application__is_active=True)
    return list(choices.select_related("lookup__application")[:500])


def known(application: Application, kind: str, value: str) -> EmailChoice | None:
    return EmailChoice.objects.filter(lookup__application=application, lookup__kind=kind, value=value).first()


def lookup_of(application: Application, kind: str) -> EmailLookup | None:
    return EmailLookup.objects.filter(application=application, kind=kind).first()
