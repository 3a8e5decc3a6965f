"""Several campaigns resumed from their list, with what was not resumed and why."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.said import ngettext
from messaging.admin.shared import bulk_actions
from messaging.services.campaigns import several
from messaging.services.campaigns.several import AnyCampaign, Resume, Resumed

MOST = 50  # a page of the list: each is checked as if its own button were pressed
MOST_EMAILS = 10  # for each of them Laaffic may be asked how many are on its list
SHOWN = 20


def ask(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any], resume_one: Resume, *, most: int
) -> HttpResponse | None:
    found = Resumed()

    def act(form: forms.Form, chosen: QuerySet[Any]) -> str:
        nonlocal found
        found = several.resume(_few(chosen, most), resume_one, by=signed_in(request))
        return _went_on(len(found.went_on))

    answer = bulk_actions.ask(
        model_admin,
        request,
        queryset,
        action="resume_chosen",
        title=_("Resume"),
        form_class=bulk_actions.NoQuestion,
        act=act,
        explanation=_(
            "Each goes on as by its own button. What needs your agreement, such as a new cost or a latest end that has "
            "come, stays as it is: you are told which and why."
        ),
    )
    if answer is None:
        _say_stayed(request, found)
    return answer


def _few(chosen: QuerySet[Any], most: int) -> list[AnyCampaign]:
    few = list(chosen.order_by("pk")[: most + 1])
    if len(few) > most:
        raise ValidationError(_("At most %(n)d at once: filter the list, or choose a page of it.") % {"n": most})
    return few


def _went_on(n: int) -> str:
    return ngettext("%(n)s campaign goes on.", "%(n)s campaigns go on.", n) % {"n": number(n)} if n else ""


def _say_stayed(request: HttpRequest, found: Resumed) -> None:
    for campaign, why in found.stayed[:SHOWN]:
        link = format_html('<a class="c-link" href="{}">{}</a>', own_page(campaign), campaign.name)
        messages.warning(request, format_html("{}: {}", link, masks.in_text(why)))
    if (more := len(found.stayed) - SHOWN) > 0:
        messages.warning(request, _("Did not go on either: %(n)s more.") % {"n": number(more)})
