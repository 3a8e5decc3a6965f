"""The conversations that a list shows: those of one view, with the people searched for, page after page."""

import datetime as dt

from django.contrib.auth.models import User
from django.db.models import Q

from laaffic_console.kit.registers.search_kinds import Query, beginning_with
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.plain_text import whole_number
from messaging.models import Conversation
from messaging.models.conversations import Conversations
from messaging.services.contacts import people_search
from messaging.subscribers import subscriber

USUAL = "open"
VIEWS = (USUAL, "mine", "unassigned", "unread", "done")
LONGEST = 100  # characters that are looked for
FOUND = 50  # contacts that a name stands for


def of(user: User, view: str, asked: str = "", *, by_contact: bool) -> Conversations:
    """The newest first. A search looks in open and done alike where the view is the usual one."""
    rows = Conversation.objects.select_related("assigned_to").order_by("-last_at", "-pk")
    if asked:
        rows = rows.filter(_named(asked, by_contact=by_contact))
    return rows if asked and view == USUAL else _in_view(rows, user, view)


def _in_view(rows: Conversations, user: User, view: str) -> Conversations:
    state = Conversation.State
    match view:
        case "mine":
            return rows.filter(assigned_to=user.pk, state=state.OPEN)
        case "unassigned":
            return rows.filter(assigned_to=None, state=state.OPEN)
        case "unread":
            return rows.unread()
        case "done":
            return rows.filter(state=state.DONE)
    return rows.filter(state=state.OPEN)


def _named(asked: str, *, by_contact: bool) -> Q:
    """Conversations by the beginning or another spelling of a number; `by_contact`: also by what finds a contact."""
    query = Query.read(asked)
    meant = [contact.number for contact in people_search.find(query, FOUND)] if by_contact else []
    condition = Q(subscriber__in={subscriber(number) for number in meant})
    if query.may_be_a_number:
        condition |= beginning_with("number", query.digits)
        condition |= Q(subscriber__in={subscriber(number) for number in people_search.numbers_meant(query)})
    return condition


def page(rows: Conversations, cursor: str, size: int) -> tuple[list[Conversation], str]:
    """The page behind the row that the cursor names, and the next page's cursor; an unreadable one is the first."""
    if (place := place_of(cursor)) is not None:
        at, row = place
        rows = rows.filter(Q(last_at__lt=at) | Q(pk__lt=row), last_at__lte=at)
    found = list(rows[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return found[:size], f"{last.last_at.isoformat()}~{last.pk}" if last else ""


def place_of(cursor: str) -> tuple[dt.datetime, int] | None:
    """The moment and the id of the row that it names; None where nobody can read it."""
    moment, _sep, pk = cursor.partition("~")
    at, row = dates.read(moment), whole_number(pk)
    return None if at is None or row is None else (at, row)
