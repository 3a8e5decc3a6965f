"""What the buttons on the page of a launched draft do: every kind asks its service, and answers in the same way."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from laaffic_console.gateway.services.ledger.open_acts import FIELD, StillOpen
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import next_page, own_page
from laaffic_console.kit.words.people import signed_in
from messaging.admin.shared import resuming
from messaging.services.refusals import FewFirstFailed

TAKE_BACK, RESUME = "take-back", "resume"


def act(
    request: HttpRequest, draft: Any, verb: str, service: Callable[..., Any], *, may_repeat: bool = False
) -> HttpResponse:
    """`may_repeat`: its resume can make a request that may have arrived, and takes the reason for doing it anyway."""
    told: dict[str, Any] = resuming.asked(request) if verb == RESUME else {}
    if verb == RESUME and may_repeat:
        told["again"] = request.POST.get(FIELD, "")
    try:
        service(draft.pk, by=signed_in(request), **told)
    except StillOpen as problem:
        say_why(request, problem)
        return HttpResponseRedirect(f"{own_page(draft)}?{FIELD}=yes")
    except ValidationError as problem:
        _say_why(request, draft, problem)
    else:
        if verb == TAKE_BACK:
            messages.success(request, _("Taken back: nothing has left."))
            return HttpResponseRedirect(own_page(draft, "review"))
    return HttpResponseRedirect(next_page(request, own_page(draft)))


def _say_why(request: HttpRequest, draft: Any, problem: ValidationError) -> None:
    """A row of a list asks nothing, neither about a new cost nor about a latest end: its page does."""
    own = own_page(draft)
    if isinstance(problem, FewFirstFailed):
        _say_with_link(request, problem, own_page(draft, "go_on"), _("Go on now"))
        return
    if next_page(request, own) == own:
        say_why(request, problem)
        return
    _say_with_link(request, problem, own, _("Open the page of “%(name)s”") % {"name": draft.name})


def _say_with_link(request: HttpRequest, problem: ValidationError, address: str, words: str) -> None:
    link = format_html('<a class="c-link" href="{}">{}</a>', address, words)
    for sentence in problem.messages:
        said = format_html("{} {}", masks.in_text(sentence), link)
        messages.error(request, said)
