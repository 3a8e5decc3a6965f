"""The page before a launch, the same for every kind of draft: it shows what the launch would do, and its button does
just that. What a kind has of its own is a subclass: the facts that it shows, and the launch."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise

from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.ledger.open_acts import FIELD, StillOpen
from laaffic_console.identity.models import profile_of
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import page, require
from messaging.admin.rules import approvals
from messaging.admin.shared import undo_field
from messaging.models import CampaignState
from messaging.services.launching import checks, restored_drafts, seals
from messaging.services.launching.checks import Check, Level, NotSeen

Draft = TypeVar("Draft", bound=Model)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a launch would do, as its page shows it."""

    checks: Sequence[Check]
    seal: Any  # what the launch compares with what is true then; JSON (seals.py)
    starts_at: dt.datetime
    is_later: bool
    button: str  # what it does
    approval: dict[str, Any] | None
    is_counted: bool = True  # all that the figures are of; nothing is launched before
    more: dict[str, Any] = field(default_factory=dict)  # the kind's own, for its template


class LaunchPage(ABC, Generic[Draft]):
    template: ClassVar[str]
    right: ClassVar[str]  # to launch
    not_yours: ClassVar[str | Promise]

    def __init__(self, admin: "ModelAdmin[Any]", request: HttpRequest, draft: Draft) -> None:
        self.admin, self.request, self.draft = admin, request, draft

    @abstractmethod
    def facts(self) -> Facts | None:
        """None where the draft has nothing to show yet; `problems` says why."""

    @abstractmethod
    def launch(self, seen: Any, sentences: dict[str, str]) -> None:
        """Launch it as the page showed it (seals.py), or raise NotSeen, StillOpen, NotNow or ValidationError."""

    def reasons(self) -> dict[str, str]:
        """{check: why it is launched anyway}, as posted."""
        prefix = "reason:"
        posted = self.request.POST
        return {key.removeprefix(prefix): posted[key] for key in posted if key.startswith(prefix)}

    def again(self) -> str:
        """Why it is launched although the same may have arrived."""
        return self.request.POST.get(FIELD, "") or self.reasons().get(restored_drafts.KEY, "")

    @abstractmethod
    def fresh(self) -> Draft:
        """The draft as it is now, after a launch that was refused."""

    @abstractmethod
    def address(self) -> str:
        """The draft's own page."""

    def edit_address(self) -> str:
        return self.address()

    @abstractmethod
    def can_undo(self) -> bool: ...

    def may_edit(self) -> bool:
        return self.admin.has_change_permission(self.request, self.draft)

    def problems(self) -> list[str]:
        return []

    def answer(self) -> HttpResponse:
        if self.request.method != "POST":
            return self.show()
        require(self.request, self.right)
        if asked := approvals.ask_again(self.request, self.draft):
            return asked
        try:
            self.launch(*self._sealed())
        except StillOpen as problem:
            return self.show(repeated=problem.sentence)
        except NotSeen as problem:
            return self.show(missing=problem.sentences)
        except ValidationError as problem:
            return self._refused(problem.messages)
        return HttpResponseRedirect(self.address())

    def _refused(self, problems: Sequence[str]) -> HttpResponse:
        """Show the problems on this page, or on the draft's own page if somebody else has launched it by now."""
        self.draft = self.fresh()
        if cast(Any, self.draft).state == CampaignState.DRAFT.value:
            return self.show(problems=problems)
        for problem in problems:
            messages.error(self.request, masks.in_text(problem))
        return HttpResponseRedirect(self.address())

    def show(self, *, missing: Sequence[str] = (), problems: Sequence[str] = (), repeated: str = "") -> HttpResponse:
        """`missing`: what was not ticked or not said. `repeated`: why the same launch asks for a reason."""
        facts = self.facts()
        return page(
            self.admin,
            self.request,
            self.template,
            str(self.draft),
            draft=self.draft,
            is_shown=facts is not None,
            missing=missing,
            problems=[*self.problems(), *problems],
            repeated=repeated,
            may_launch=self.request.user.has_perm(self.right),
            not_yours=self.not_yours,
            may_edit=self.may_edit(),
            edit_address=self.edit_address(),
            can_undo=self.can_undo(),
            **undo_field.context(self.request),
            **(self._shown(facts) if facts else {}),
        )

    def _sealed(self) -> tuple[Any, dict[str, str]]:
        return seals.read(self.draft, self.request.POST.get("shown", ""))

    def _shown(self, facts: Facts) -> dict[str, Any]:
        _seen, sentences = self._sealed()
        return {
            "checks": [_check_words(self.request, check, sentences) for check in facts.checks],
            "has_ticks": any(check.level == Level.TICK for check in facts.checks),
            "is_stopped": checks.is_stopped(facts.checks) or not facts.is_counted,
            "approval": facts.approval,
            "balance": balance_history.latest(),
            "starts_at": facts.starts_at,
            "server_clock": timezone.localtime(facts.starts_at),
            "reader": profile_of(self.request.user),
            "is_later": facts.is_later,
            "button": facts.button,
            "shown_token": seals.token(self.draft, facts.seal, checks.sentences_of(facts.checks)),
            **facts.more,
        }


def _check_words(request: HttpRequest, check: Check, sentences: dict[str, str]) -> dict[str, Any]:
    """A check with what somebody has said to it already, a tick only to the same sentence."""
    posted = request.POST
    same = check.moves or sentences.get(check.key) == check.sentence
    return {
        "key": check.key,
        "level": check.level.value,
        "sentence": check.sentence,
        "about": "" if check.moves else check.sentence,  # an answer to it counts for no other sentence (live.js)
        "ticked": same and check.key in posted.getlist("seen"),
        "reason": posted.get(f"reason:{check.key}", ""),
    }
