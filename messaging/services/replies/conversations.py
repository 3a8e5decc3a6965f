"""Conversations: moved on by what people answer, and looked after by us."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.kit.audit import acts
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from messaging.models import Conversation, ConversationNote, Reply
from messaging.models.conversations import SNIPPET
from messaging.subscribers import subscriber

ANSWER = "messaging.answer_conversation"
LONGEST_NOTE = 2000
REPEATED_WITHIN = dt.timedelta(minutes=1)
ROWS = 200  # in one statement

COLUMNS = ["subscriber", "number", "sent_to", "state", "unread", "last_at", "last_said"]
NEWEST = ["number", "sent_to", "last_at", "last_said"]  # the newest reply says these; a late one is unread anyway


def move_on(replies: Sequence[Reply]) -> None:
    """New replies, in the transaction that keeps them: their conversations are open and unread, made where missing.

    In the order of the subscribers, so that no two writers deadlock.
    """
    found: dict[str, list[Reply]] = {}
    for reply in replies:
        found.setdefault(subscriber(reply.number), []).append(reply)
    rows = [_row(key, found[key]) for key in sorted(found)]
    table = Conversation._meta.db_table
    newest = ", ".join(
        f"{name} = CASE WHEN excluded.last_at >= {table}.last_at THEN excluded.{name} ELSE {table}.{name} END"
        for name in NEWEST
    )
    marks = f"({', '.join(['%s'] * len(COLUMNS))})"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS):
            piece = rows[start : start + ROWS]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES {', '.join([marks] * len(piece))} "  # noqa: S608 - our own columns
                f"ON CONFLICT (subscriber) DO UPDATE SET unread = {table}.unread + excluded.unread, "
                f"state = excluded.state, {newest}",
                [value for row in piece for value in row],
            )


def _row(key: str, replies: Iterable[Reply]) -> list[Any]:
    told = list(replies)
    last = max(told, key=lambda reply: reply.at)
    at = connection.ops.adapt_datetimefield_value(last.at)
    said = " ".join(last.content.split())[:SNIPPET]
    return [key, last.number, last.sent_to, Conversation.State.OPEN.value, len(told), at, said]


def seen(pk: int, *, unread: int, last_at: dt.datetime) -> None:
    """Somebody who may answer has had it before them as it was then: read for everybody, unless more has come since."""
    Conversation.objects.filter(pk=pk, unread=unread, unread__gt=0, last_at=last_at).update(unread=0)


def mark_unread(pk: int) -> None:
    Conversation.objects.filter(pk=pk, unread=0).update(unread=1)


def finish(pk: int, *, by: User, shown: tuple[int, dt.datetime] | None = None) -> None:
    """Done until somebody writes again.

    `shown`: what was unread and when the last reply came, as the ending person saw it. NotNow where more has come
    that nobody has seen.
    """
    with transaction.atomic():
        conversation = _locked(pk)
        if conversation.unread and shown is not None and shown != (conversation.unread, conversation.last_at):
            raise NotNow(_("They have written again in the meantime. Read it, then end the conversation."))
        if conversation.state != Conversation.State.DONE:
            Conversation.objects.filter(pk=pk).update(state=Conversation.State.DONE, unread=0)
            acts.record(acts.Act.STEPPED, conversation, event=_("Done"))


def reopen(pk: int, *, by: User) -> None:
    with transaction.atomic():
        conversation = _locked(pk)
        if conversation.state != Conversation.State.OPEN:
            Conversation.objects.filter(pk=pk).update(state=Conversation.State.OPEN)
            acts.record(acts.Act.STEPPED, conversation, event=_("Opened again"))


def who_may_answer() -> QuerySet[User]:
    found: QuerySet[User] = User.objects.with_perm(ANSWER, backend="django.contrib.auth.backends.ModelBackend")
    return found.filter(is_staff=True).order_by("username")


def assign(pk: int, *, to: User | None, by: User) -> None:
    """To somebody who may answer, or to nobody. NotNow for anybody else."""
    with transaction.atomic():
        # Locked, and before the conversation, as by what switches an account off: it lets go of this one too.
        if to is not None and not (_locked_account(to) and who_may_answer().filter(pk=to.pk).exists()):
            raise NotNow(_("%(name)s may not answer conversations. Choose somebody who may.") % {"name": to})
        conversation = _locked(pk)
        if conversation.assigned_to_id == (to.pk if to else None):
            return
        Conversation.objects.filter(pk=pk).update(assigned_to=to)
        said = _("Assigned to %(name)s") % {"name": to} if to else _("Assigned to nobody")
        acts.record(acts.Act.STEPPED, conversation, event=said)


def _locked_account(user: User) -> bool:
    """Whether it is there still."""
    locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk", flat=True)
    return bool(list(locked))


def hold_for_answer(pk: int) -> None:
    """Lock it until the answer is launched: nobody else answers or erases it until then. NotNow where it is gone."""
    if not Conversation.objects.select_for_update(no_key=True).filter(pk=pk).exists():
        raise NotNow(_("This conversation was deleted with the person's data: no answer is sent."))


def take(pk: int, *, by: User) -> None:
    """It becomes mine, unless somebody else has it: taking it away from them is assigning. NotNow then."""
    with transaction.atomic():
        if not (_locked_account(by) and who_may_answer().filter(pk=by.pk).exists()):
            raise NotNow(_("%(name)s may not answer conversations. Choose somebody who may.") % {"name": by})
        conversation = _locked(pk)
        owner = conversation.assigned_to_id
        if owner == by.pk:
            return
        if owner is not None:
            name = User.objects.get(pk=owner)
            raise NotNow(_("%(name)s has taken this conversation. It can be assigned to you.") % {"name": name})
        Conversation.objects.filter(pk=pk).update(assigned_to=by)
        acts.record(acts.Act.STEPPED, conversation, event=_("Assigned to %(name)s") % {"name": by})


def note(pk: int, text: str, *, by: User) -> ConversationNote:
    """ValidationError where `checked_note` raises it. The last note once more, by the same person within a minute, is
    a click or a request that was repeated: it is kept once."""
    said = checked_note(text)
    with transaction.atomic():
        conversation = _locked(pk)
        last = conversation.notes.order_by("-at", "-pk").first()
        if last is not None and (last.text, last.by_id) == (said, by.pk) and last.at > timezone.now() - REPEATED_WITHIN:
            return last
        return ConversationNote.objects.create(conversation=conversation, text=said, by=by)


def checked_note(text: str) -> str:
    """The note as it is stored; ValidationError if it is blank or too long."""
    said = text.replace("\r\n", "\n").replace("\0", "").strip()
    if is_blank(said):
        raise ValidationError(_("Write the note: it is empty."))
    if len(said) > LONGEST_NOTE:
        raise ValidationError(
            _("The note has %(n)d characters; at most %(limit)d are possible.")
            % {"n": len(said), "limit": LONGEST_NOTE}
        )
    return said


def _locked(pk: int) -> Conversation:
    return Conversation.objects.select_for_update(no_key=True).get(pk=pk)


def unread_for(user: User, limit: int) -> int:
    """How many open conversations have something new for this person, theirs and nobody's; it stops at `limit`."""
    unread = Conversation.objects.filter(unread__gt=0, state=Conversation.State.OPEN).order_by()
    # Two questions, each one stretch of an index: one with "or" would look at everybody's.
    n = sum(len(unread.filter(whose).values_list("pk", flat=True)[:limit]) for whose in _theirs(user))
    return min(n, limit)


def _theirs(user: User) -> list[Q]:
    return [Q(assigned_to=user.pk), Q(assigned_to=None)]


def let_go(instance: User, **kwargs: Any) -> None:
    """After an account was saved: one that may not answer keeps no conversation, so others see what is new there."""
    theirs = Conversation.objects.filter(assigned_to=instance)
    if theirs.exists() and not who_may_answer().filter(pk=instance.pk).exists():
        theirs.update(assigned_to=None)


def let_go_of_rights(action: str = "", **kwargs: Any) -> None:
    """After rights, or roles with them, were taken from people: as `let_go`, for everybody."""
    if action.startswith("pre_") or action == "post_add":
        return
    gone = User.objects.exclude(pk__in=who_may_answer().order_by().values("pk")).values_list("pk", flat=True)
    Conversation.objects.filter(assigned_to__in=list(gone)).update(assigned_to=None)
