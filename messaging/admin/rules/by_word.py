"""Decisions of a person on a campaign, with a reason that is kept."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import own_page, page
from laaffic_console.kit.words.people import signed_in


class WordForm(forms.Form):
    def __init__(self, data: Any, *, longest: int) -> None:
        """`longest`: characters of the reason, as many as the campaign's history has room for."""
        super().__init__(data)
        self.fields["reason"] = forms.CharField(
            label=gettext_lazy("Why"),
            max_length=longest,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
            help_text=gettext_lazy("Kept in the campaign's history, with your name."),
        )


def by_word_view(
    admin: Any,
    request: HttpRequest,
    campaign: Any,
    act: Callable[..., Any],
    *,
    longest: int,
    done: str | Callable[[Any], str],
    template: str,
    title: str,
    shown: Callable[[], dict[str, Any]] = dict,
) -> HttpResponse:
    """`campaign`: of any kind. `act` is called with its id, `reason` and `by`; `done` is shown when it has, of what it
    answered where that decides it; its refusal when not.

    `shown` gives what the page shows beside the form, and is asked only when the page is drawn.
    """
    form, back = WordForm(request.POST or None, longest=longest), own_page(campaign)
    if request.method == "POST" and form.is_valid():
        try:
            acted = act(campaign.pk, reason=form.cleaned_data["reason"], by=signed_in(request))
        except ValidationError as problem:
            say_why(request, problem)
        else:
            messages.success(request, done if isinstance(done, str) else done(acted))
        return HttpResponseRedirect(back)
    return page(admin, request, template, title, form=form, campaign=campaign, back=back, **shown())
