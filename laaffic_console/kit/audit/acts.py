"""What people do, told in one place: `record` says what, the context says who acts now and from where.

Who acts is set at the door: a middleware for each request, the command line for the shell. What a worker does by itself
is nobody's act and is not recorded. Where it is kept, the audit app says: this floor knows no app.
"""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.noting import Noting


class Act(models.TextChoices):
    SIGN_IN = "sign_in", _("Signed in")
    SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
    LOCKED_OUT = "locked_out", _("Sign-in stopped")
    SIGN_OUT = "sign_out", _("Signed out")
    PASSWORD = "password", _("Password changed")
    FACTOR_ADDED = "factor_added", _("Second factor set up")
    FACTOR_REMOVED = "factor_removed", _("Second factor removed")
    FACTORS_RESET = "factors_reset", _("Second factors reset")
    SESSIONS_ENDED = "sessions_ended", _("Sessions ended")
    INVITED = "invited", _("Invited")
    ADDED = "added", _("Added")
    CHANGED = "changed", _("Changed")
    DELETED = "deleted", _("Deleted")
    STEPPED = "steered", _("Launched, paused or resumed")
    APPROVAL = "approval", _("Approval")
    SETTLED = "settled", _("Settled by hand")
    REQUESTED = "requested", _("Asked of Laaffic")
    IMPORTED = "imported", _("Imported")
    EXPORTED = "exported", _("Exported")
    REVEALED = "revealed", _("Number shown")
    SUPPRESSED = "suppressed", _("Suppressed")
    ALLOWED = "allowed", _("Allowed again")
    HOLD_ENDED = "hold_ended", _("Hold ended")
    PRUNED = "pruned", _("Old entries removed")
    RESTORED = "restored", _("Backup restored")


@dataclass(frozen=True, slots=True)
class Actor:
    person_id: int | None
    name: str
    address: str = ""  # the client's; "" in the shell
    query: str = ""  # what the address asked for behind its "?"
    is_shell: bool = False
    is_script: bool = False  # it acts by a token, perhaps a hundred times a second
    sees_numbers: bool = True  # whole ones: see masks


@dataclass(frozen=True, slots=True)
class Told:
    """One act, as the writer gets it."""

    kind: Act
    actor: Actor
    about: models.Model | type[models.Model] | None
    label: str  # what it is about, in words; "" where `about` says it
    details: dict[str, Any]  # for "changes": a list of [field, before, after]


_actor: ContextVar[Callable[[], Actor] | None] = ContextVar("actor", default=None)
noting = Noting[Any]("what each act is about")
_writers: list[Callable[[Told], None]] = []

CONSOLE = Actor(None, "console")


def write_with(writer: Callable[[Told], None]) -> None:
    if writer not in _writers:
        _writers.append(writer)


@contextmanager
def acting(who: Callable[[], Actor]) -> Iterator[None]:
    """`who` is asked when something is recorded: signing in changes it halfway."""
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)


def act_from_shell() -> None:
    """From now on this process acts for the shell's user: a command was typed."""
    _actor.set(lambda: Actor(None, f"shell user {_shell_user()}", is_shell=True))


def actor() -> Actor | None:
    who = _actor.get()
    return who() if who else None


def record(
    kind: Act,
    about: models.Model | type[models.Model] | None = None,
    *,
    label: str = "",
    by: Actor | None = None,
    **details: Any,
) -> None:
    """Keep what is being done, in the transaction that does it. Never a secret, never a full list.

    Nothing is kept where nobody acts; `by` names who does, where that is not the person who is signed in.
    """
    who = by or actor()
    if who is None:
        return
    for writer in _writers:
        writer(Told(kind, who, about, label, details))
    noting.tell(about)


def record_event(about: models.Model, text: str, by: object | None, kind: Act = Act.STEPPED) -> None:
    """Record what a page's own history notes too, when a person did it, and not what followed by itself.

    What a form has added or changed the admin records, with before and after.
    """
    who = actor()
    is_persons = by is not None and kind not in (Act.ADDED, Act.CHANGED)
    if who is not None and (is_persons or who.is_shell):
        record(kind, about, event=text)


def _shell_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return "without a name"
