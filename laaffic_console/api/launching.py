"""The check before the launch and the launch itself, for drafts whose pages share one seal (launching/seals.py)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.api.handling import problems
from laaffic_console.api.handling.problems import Problem
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.not_now import NotNow
from messaging.services.launching import checks, restored_drafts, seals
from messaging.services.launching.checks import Check, NotSeen
from messaging.services.refusals import EndNotAsked


def shown(draft: Any, digest: str, found: Sequence[Check]) -> dict[str, Any]:
    """What the launch checks find, and the token that a launch sends back, so that nothing else is launched."""
    return {
        "checks": told(found),
        "shown": seals.token(draft, digest, checks.sentences_of(found)),
    }


def told(found: Sequence[Check]) -> list[dict[str, str]]:
    return [{"key": one.key, "level": one.level.value, "sentence": in_text(one.sentence)} for one in found]


def read(draft: Any, asked: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The digest that was shown, and the sentences; Problem if the token belongs to another draft."""
    digest, sentences = seals.read(draft, asked["shown"])
    if not digest:
        raise problems.at("shown", _("“shown” does not belong to this draft. Take it from GET …/check."))
    return digest, sentences


def again(asked: Mapping[str, Any]) -> str:
    """Why it is launched although the same may have arrived; a restored draft may have that among its reasons."""
    return str(asked["again"] or asked["reasons"].get(restored_drafts.KEY, ""))


def reasons(asked: Mapping[str, Any]) -> dict[str, str]:
    why = {restored_drafts.KEY: asked["again"]} if asked["again"] else {}
    return {**why, **asked["reasons"]}


def require_seen(found: Sequence[Check], asked: Mapping[str, Any], sentences: Mapping[str, str]) -> dict[str, str]:
    try:
        return checks.require(found, ticked=set(asked["seen"]), reasons=reasons(asked), sentences=sentences)
    except NotSeen as problem:
        raise not_seen(problem) from problem


def not_seen(problem: NotSeen) -> Problem:
    said = _("%(said)s Name what you have seen in “seen”, and give the reasons in “reasons”.")
    return Problem(409, said % {"said": " ".join(problem.sentences)})


Row = TypeVar("Row")


def take_step(find: Callable[[], Row], step: Callable[[Row], Row], *, is_done: Callable[[Row], bool]) -> Row:
    """The row after the step, or as it is where the step was taken already, if only a moment ago by another request
    that was under way beside this one.
    """
    found = find()
    if is_done(found):
        return found
    try:
        return step(found)
    except EndNotAsked as problem:
        raise end_not_asked() from problem
    except NotNow:
        if is_done(standing := find()):
            return standing
        raise


def end_not_asked() -> Problem:
    return Problem(409, _("Its latest end has passed. Send “past_end”: true where the rest is to leave all the same."))


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a ValidationError into NotNow: the fault is in what was written earlier, not in this request."""
    try:
        yield
    except NotNow:
        raise
    except ValidationError as problem:
        raise NotNow(problem) from problem


def was_launched(one: Any) -> bool:
    """Whether it was launched: a caller who launches it again lost the answer and is told its state, whatever it is by
    now. To say that a held or finished one "cannot be launched" would read as if nothing had left."""
    return one.state != "draft" and not (one.state == "cancelled" and one.launched_at is None)


def require_draft(one: Any, draft: str) -> None:
    if one.state != draft:
        said = _("“%(name)s” is %(state)s: only a draft can be checked.")
        raise Problem(409, said % {"name": one.name, "state": one.get_state_display().lower()})
