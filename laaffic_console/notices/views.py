"""The bell in the header, the page of all notices, and the page on which somebody chooses what they are told."""

import datetime as dt
from collections.abc import Sequence

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.forms.kept_forms import asks
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import whole_number
from laaffic_console.notices.kinds import CHOICES
from laaffic_console.notices.models import Notice
from laaffic_console.notices.own_subjects import OWNER
from laaffic_console.notices.services import choices, reading

IN_BELL = 8
ON_A_PAGE = 50


def bell_view(request: HttpRequest) -> HttpResponse:
    """The part of each page that asks again by itself."""
    user = signed_in(request)
    newest = list(reading.unread(user)[:IN_BELL])
    n = reading.count(user) if len(newest) == IN_BELL else len(newest)
    shown = f"{n}+" if n >= reading.MANY else f"{n}"
    context = {"notices": newest, "n": n, "shown": shown, **_last_of(newest)}
    # If the only worker is silent, nobody hands out a notice of it.
    context["lacks_worker"] = user.has_perm(OWNER) and not workers.alive()
    return TemplateResponse(request, "notices/bell.html", context)


def list_view(request: HttpRequest) -> HttpResponse:
    unread_first = reading.of(signed_in(request)).order_by(F("read_at").desc(nulls_first=True), "-last_at", "-pk")
    found = Paginator(unread_first, ON_A_PAGE).get_page(request.GET.get("p"))
    unread = [one for one in found if one.read_at is None]
    context = {"found": found, "has_unread": bool(unread), **_last_of(unread)}
    return _page(request, "notices/list.html", _("Notices"), **context)


def open_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it as read, and go on to what it is about."""
    if request.method != "POST":
        raise Http404
    opens = "stay" not in request.POST
    notice = reading.mark(signed_in(request), pk, _moment(request.POST.get("until", "")), opens=opens)
    if notice is None:
        raise Http404
    return HttpResponseRedirect(notice.address if opens and notice.address else reverse("notices"))


def read_all_view(request: HttpRequest) -> HttpResponse:
    """Mark all as read up to the last that was shown: nobody has seen what has come since."""
    last, until = whole_number(request.POST.get("last", "")), _moment(request.POST.get("until", ""))
    if request.method != "POST" or last is None or until is None:
        raise Http404
    reading.mark_all(signed_in(request), last, until)
    return HttpResponseRedirect(reverse("notices"))


def _last_of(shown: Sequence[Notice]) -> dict[str, object]:
    """What "Mark all as read" posts: the id bounds the rows, the moment what was counted on them."""
    until = max((one.last_at for one in shown), default=None)
    return {"last": max((one.pk for one in shown), default=0), "until": until.isoformat() if until else ""}


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


class ChoicesForm(forms.Form):
    """What the table on the page posts, for a form that is kept: what is ticked has a name."""

    told = tuple((kind.value, kind.label) for kind in CHOICES)
    bell = forms.MultipleChoiceField(label=gettext_lazy("Bell"), choices=told)
    email = forms.MultipleChoiceField(label=gettext_lazy("Email"), choices=told)


@asks(ChoicesForm)
def choices_view(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if request.method == "POST":
        bell, email = set(request.POST.getlist("bell")), set(request.POST.getlist("email"))
        choices.keep(user, {kind: (kind.value in bell, kind.value in email) for kind in CHOICES})
        messages.success(request, _("Saved: from now on you are notified of these."))
        return HttpResponseRedirect(reverse("my_notices"))
    context = {"table": choices.table(user), "address": user.email, "sends": settings.EMAIL_IS_SET}
    return _page(request, "notices/choices.html", _("My notices"), **context)


def _page(request: HttpRequest, template: str, title: str, **context: object) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})
