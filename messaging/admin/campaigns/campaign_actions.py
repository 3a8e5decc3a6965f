"""Pages beside a campaign's own: deciding on unknown messages, changing the pace while it runs, and follow-ups."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from laaffic_console.kit.forms.form_fields import field_of
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.masking.refusals_said import say_why
from laaffic_console.kit.pages import add_problems, own_page, page, require
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.said import ngettext
from laaffic_console.kit.words.stored_words import reason_in_words
from messaging.models import Campaign, CampaignState
from messaging.services.batches import unknown
from messaging.services.campaigns import campaigns, follow_ups, resolving
from messaging.services.tallies import counting
from messaging.wire.incurable import is_incurable

NOT_REPLIED = "not-replied"
FOLLOW_UPS = {
    "copy": (gettext_lazy("Copy"), follow_ups.copy),
    "retry": (gettext_lazy("Retry the failed"), follow_ups.retry_failed),
    "new": (gettext_lazy("Send to new contacts"), follow_ups.to_new_contacts),
    NOT_REPLIED: (gettext_lazy("Send to those who have not replied"), follow_ups.to_not_replied),
}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=150,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept with each message, with your name."),
    )


class RetryForm(forms.Form):
    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Send again to those who failed with"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose at least one reason."),
            "invalid_choice": gettext_lazy(
                "Reports have come in since this page was opened, and some of these reasons are gone. Look again, then "
                "make the draft."
            ),
        },
        help_text=gettext_lazy(
            "Not ticked: what another try cannot fix, such as a number that is not in use or somebody who blocked you."
        ),
    )

    suppress = forms.BooleanField(
        required=False,
        help_text=gettext_lazy("Not those that are ticked above: they get another try."),
    )

    def __init__(
        self, *args: Any, failed: Sequence[tuple[str, int]], not_in_use: dict[str, int], **kwargs: Any
    ) -> None:
        """`not_in_use`: {reason: messages} whose numbers may be suppressed by anyone who sees the form."""
        super().__init__(*args, **kwargs)
        n = sum(not_in_use.values())
        if not n:
            del self.fields["suppress"]
        else:
            self.fields["suppress"].label = ngettext(
                "Put %(n)s number that is not in use on the suppression list",
                "Put %(n)s numbers that are not in use on the suppression list",
                n,
            ) % {"n": number(n)}
            self.fields["reasons"].required = not self._suppresses()
        # A place in the list stands for the reason: a reason can be empty.
        self.kept = {_key(reason): reason for reason, _n in failed}
        field_of(self, "reasons", forms.ChoiceField).choices = [
            (_key(reason), _with_count(reason, n)) for reason, n in failed
        ]
        self.initial["reasons"] = [_key(reason) for reason, _n in failed if not is_incurable(reason)]

    def _suppresses(self) -> bool:
        """Then a draft need not be made as well."""
        return self.is_bound and bool(self.data.get("suppress"))

    def chosen(self) -> list[str]:
        return [self.kept[key] for key in self.cleaned_data["reasons"]]


def _key(reason: str) -> str:
    """A key for the reason that stays the same when its count changes."""
    return hashlib.sha256(reason.encode()).hexdigest()[:16]


def _with_count(reason: str, n: int) -> str:
    words = in_text(reason_in_words(reason)) or _("no reason given")
    counted = ngettext("%(n)s message", "%(n)s messages", n) % {"n": number(n)}
    return f"{words} ({counted})"


class PaceForm(forms.Form):
    rate_per_second = forms.IntegerField(
        label=gettext_lazy("Recipients a second"),
        min_value=1,
        max_value=100_000,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Empty: as fast as the application allows. The next batch keeps it."),
    )


def unknown_view(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The page of a campaign's unknown messages: what is known of each lost answer, and “send again” or “write off”."""
    require(request, "messaging.view_campaign", "messaging.resolve_campaign")
    newest = unknown.newest(campaign)  # before the rows are read: what is lost between the two is not meant
    form = ReasonForm(request.POST or None)
    words = {"send_again": resolving.send_again, "write_off": resolving.write_off}
    if request.method == "POST" and request.POST.get("word") in words and form.is_valid():
        seen = dates.read(request.POST.get("seen", "")) or unknown.NOTHING
        try:
            settled = words[request.POST["word"]](
                campaign.pk, reason=form.cleaned_data["reason"], by=signed_in(request), seen=seen
            )
        except NotNow as problem:
            say_why(request, problem)
            return _back(campaign)
        _say_settled(request, settled, newer=unknown.newest(campaign) > seen)
        return _back(campaign)
    return page(
        admin,
        request,
        "messaging/campaign/unknown.html",
        campaign.name,
        campaign=campaign,
        form=form,
        newest=newest.isoformat(),
        lost=unknown.of(campaign),
        is_cancelled=resolving.is_cancelled(campaign.pk),
        how_many=counting.state_counts(campaign)["unknown"],
    )


def _say_settled(request: HttpRequest, settled: int, *, newer: bool) -> None:
    said = ngettext("%(n)d message was settled by hand.", "%(n)d messages were settled by hand.", settled)
    messages.success(request, said % {"n": settled})
    if newer:
        messages.warning(request, _("More answers have been lost since you looked: those messages are unknown still."))


def pace_view(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign) -> HttpResponse:
    require(request, "messaging.view_campaign", "messaging.launch_campaign")
    form = PaceForm(request.POST or None, initial={"rate_per_second": campaign.rate_per_second})
    if request.method == "POST" and form.is_valid() and _change_pace(request, campaign, form):
        return _back(campaign)
    return page(admin, request, "messaging/campaign/pace.html", campaign.name, campaign=campaign, form=form)


def _change_pace(request: HttpRequest, campaign: Campaign, form: PaceForm) -> bool:
    given: dict[str, Any] = form.cleaned_data
    try:
        campaigns.change_pace(campaign.pk, rate_per_second=given["rate_per_second"], by=signed_in(request))
    except NotNow as problem:
        say_why(request, problem)
    except ValidationError as problem:
        add_problems(form, problem)
        return False
    return True


def follow_ups_of(request: HttpRequest, campaign: Campaign, counts: dict[str, int]) -> list[tuple[str, Any]]:
    """(verb, its words) of what makes sense after this campaign, and this person may do."""
    if not request.user.has_perm("messaging.add_campaign"):
        return []
    may_add_audiences = request.user.has_perm("messaging.add_audience")
    over = campaign.state in (CampaignState.FINISHED, CampaignState.CANCELLED)
    sense = {
        "copy": True,
        "retry": over and bool(counts["rejected"] or counts["undelivered"]),
        "new": over and campaign.kind == Campaign.Kind.CAMPAIGN,
        NOT_REPLIED: may_add_audiences and follow_ups.makes_sense_to_not_replied(campaign, counts),
    }
    return [(verb, words) for verb, (words, _service) in FOLLOW_UPS.items() if sense[verb]]


def follow_up_view(request: HttpRequest, campaign: Campaign, verb: str) -> HttpResponse:
    """Make the draft, and open it."""
    require(request, "messaging.view_campaign", "messaging.add_campaign")
    if request.method != "POST" or verb not in FOLLOW_UPS:
        raise Http404
    if verb == NOT_REPLIED:
        require(request, "messaging.add_audience")
        return _follow_up(request, campaign, follow_ups.to_not_replied, also=_of_not_replied(campaign))
    return _follow_up(request, campaign, FOLLOW_UPS[verb][1])


def _of_not_replied(campaign: Campaign) -> str:
    """What a person should know before they launch the draft to those who have not replied."""
    said = _(
        "It has the text of “%(name)s”: write what they should read now. Who replies before you launch it is left out."
    )
    said %= {"name": campaign.name}
    if follow_ups.had_bare_numbers(campaign):
        said += " " + _("It goes only to contacts: numbers that were pasted and belong to no contact are left out.")
    return said


def retry_view(admin: "ModelAdmin[Any]", request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The reasons with their counts. A POST from elsewhere has no choice: the reasons are those ticked at first."""
    require(request, "messaging.view_campaign", "messaging.add_campaign")
    is_answered = request.method == "POST" and "chosen" in request.POST
    may_suppress = request.user.has_perm("messaging.add_suppressionentry")
    form = RetryForm(
        request.POST if is_answered else None,
        failed=follow_ups.failed_by_reason(campaign),
        not_in_use=follow_ups.not_in_use(campaign) if may_suppress else {},
    )
    if is_answered and form.is_valid():
        if form.cleaned_data.get("suppress") and not _suppress(request, campaign, form.chosen()):
            return _back(campaign)
        if not form.chosen():
            return _back(campaign)
        return _follow_up(request, campaign, functools.partial(follow_ups.retry_failed, reasons=form.chosen()))
    if request.method == "POST" and not is_answered:
        return _follow_up(request, campaign, follow_ups.retry_failed)
    return page(admin, request, "messaging/campaign/retry.html", campaign.name, campaign=campaign, form=form)


def _suppress(request: HttpRequest, campaign: Campaign, retried: Sequence[str]) -> bool:
    try:
        found = follow_ups.suppress_not_in_use(campaign.pk, but=retried, by=signed_in(request))
    except NotNow as problem:
        say_why(request, problem)
        return False
    said = _("Suppression list: %(added)s added, %(there)s on it already.")
    messages.success(request, said % {"added": number(found.added), "there": number(found.already_there)})
    return True


def _follow_up(
    request: HttpRequest, campaign: Campaign, make: Callable[..., Campaign], *, also: str = ""
) -> HttpResponse:
    """`also`: what is said of the draft, beside that it is one."""
    try:
        draft = make(campaign.pk, by=signed_in(request))
    except ValidationError as problem:
        say_why(request, problem)
    else:
        messages.success(request, _("A draft. Nothing is sent before you launch it."))
        if also:
            messages.info(request, also)
        return HttpResponseRedirect(own_page(draft))
    return _back(campaign)


def _back(campaign: Campaign) -> HttpResponse:
    return HttpResponseRedirect(own_page(campaign))
