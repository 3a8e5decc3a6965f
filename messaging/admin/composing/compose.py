"""The page on which a campaign is written, and beside the form what it would do as it stands."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.identity.models import profile_of
from laaffic_console.kit.forms.shared_rows import in_words
from laaffic_console.kit.pages import may_see_contacts
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.plain_text import sendable
from messaging.admin.composing.compose_form import RECIPIENTS, ComposeForm
from messaging.admin.shared import channel_pages
from messaging.admin.shared.clocks import moment_in
from messaging.models import Campaign, Contact
from messaging.services.audience import rules
from messaging.services.campaigns import drafts, previews, sketches
from messaging.services.channels import channels
from messaging.services.forecast import balance_forecast, forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.gates import sending_hours
from messaging.text import segments

SALT = "what a sketch has counted"
OF_THE_SKETCH = ("application", "sender_id", "paste", "purpose", "calendar", "rate_per_second", "scheduled_at")
FOLDS: list[channel_pages.Fold] = [
    ("hours", gettext_lazy("Hours and lateness"), ("calendar", "latest_start_minutes", "latest_end")),
    ("pace", gettext_lazy("Pace and limits"), ("rate_per_second", "error_limit")),
    ("purpose", gettext_lazy("Purpose"), ("purpose",)),
    ("few", gettext_lazy("A few first"), ("canary", "canary_wait", "canary_reports", "canary_least")),
]


def lone(applications: QuerySet[Application]) -> Application | None:
    """The one there is: nobody has to choose it."""
    first_two = list(applications.order_by("pk")[:2])
    return first_two[0] if len(first_two) == 1 else None


def context(admin: Any, request: HttpRequest, form: ComposeForm) -> dict[str, Any]:
    applications: QuerySet[Application] = admin.applications()
    chosen = str(form["application"].value() or "")
    only = lone(applications)
    versions: Any = getattr(form.fields.get("template_version"), "queryset", None)
    may_test = request.user.has_perm("messaging.launch_campaign") and may_see_contacts(request)
    return {
        "form": form,
        "beside_form": "campaign_form",
        "estimate_address": estimate_address(admin),
        "pages": channel_pages.named(form.channel),
        "lone": only if only is not None and chosen in ("", str(only.pk)) else None,
        "senders": sketches.senders(list(applications)),
        "template_texts": dict(versions.values_list("pk", "text")) if versions is not None else {},
        "folds": folds(form),
        "profile": profile_of(request.user),
        "may_test": may_test,
    }


def estimate_address(admin: "ModelAdmin[Any]") -> str:
    return reverse(f"admin:{admin.opts.app_label}_{admin.opts.model_name}_estimate")


def folds(form: ComposeForm) -> list[dict[str, Any]]:
    """The folded parts of the form: each has a line that says what is set, and is open if a field of it is wrong."""
    return [
        {
            "key": key,
            "title": title,
            "fields": [form[name] for name in names if name in form.fields],
            "says": _says(form, names),
            "is_open": any(form[name].errors for name in names if name in form.fields),
        }
        for key, title, names in (*channel_pages.named(form.channel).folds, *FOLDS)
    ]


def _says(form: ComposeForm, names: Iterable[str]) -> str:
    usual = Campaign()
    parts = []
    for name in names:
        if name not in form.fields:
            continue
        field = form.fields[name]
        value = form.cleaned_data.get(name) if form.is_bound and hasattr(form, "cleaned_data") else form[name].initial
        if value in (None, "") or value == getattr(usual, name, field.initial):
            continue
        parts.append(f"{field.label}: {in_words(field, value)}")
    return " · ".join(parts) or _("as usual")


# Beside it


def estimate_view(admin: "ModelAdmin[Any]", request: HttpRequest) -> HttpResponse:
    """The form as it stands, stored nowhere; an answer counts for a moment, and asks to be asked again."""
    if not (request.user.has_perm("messaging.add_campaign") or request.user.has_perm("messaging.change_campaign")):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    given = request.POST.copy()
    given.pop("numbers", None)  # what is pasted goes up by itself, and only what has arrived counts
    form: Any = admin.get_form(request)(given)
    form.full_clean()
    beside = {**_beside(request, form), "estimate_address": estimate_address(admin)}
    return TemplateResponse(request, "messaging/compose/live.html", beside)


def _beside(request: HttpRequest, form: ComposeForm) -> dict[str, Any]:
    given = form.cleaned_data
    written = sendable(form.data.get("text", ""))  # also one with a mistake
    problem = drafts.problem_with_text(written, channels.named(form.channel).longest_text) if written.strip() else ""
    chosen = {name: given.get(name) for name in ("groups", "excluded_groups", "audiences")}
    columns = {name: given[name] for name in OF_THE_SKETCH if given.get(name)}
    sketch = sketches.of(
        text="" if problem else written,
        local_time=given.get("local_time") or "",
        **{**columns, "paste": form.paste, "channel": form.channel, "channel_options": form.options()},
        **{name: list(those) for name, those in chosen.items() if those},
    )
    wrong = _wrong_options(form, sketch)
    sketch.channel_options = {name: value for name, value in sketch.channel_options.items() if name not in wrong}
    people = sketches.people_of(sketch) if sketch.text else []
    facts = _figures(request, form, sketch, people) if "application" in columns else {}
    return {
        "problems": [*([problem] if problem else []), *wrong.values()],
        "written": written,
        "folds": folds(form),
        "rules": rules.kept(sketch),
        "pages": channel_pages.of(sketch),
        "is_addressed": bool(sketch.paste or any(chosen.values())),
        **_phone(request, sketch, written, people),
        **facts,
    }


def _wrong_options(form: ComposeForm, sketch: Campaign) -> dict[str, str]:
    """{field: problems} of those of the channel's own fields in which something is typed."""
    by_channel = channels.of(sketch).problems(sketch)
    said = {name: form.errors.get(name) or by_channel.get(name) for name in form.own_fields if form[name].value()}
    return {name: " ".join(map(str, sentences)) for name, sentences in said.items() if sentences}


def _phone(request: HttpRequest, sketch: Campaign, written: str, people: Sequence[Contact]) -> dict[str, Any]:
    """The text as a contact reads it; who may not see contacts sees it as it was written."""
    may_see = may_see_contacts(request)
    read = sketches.read_by(sketch, request.POST.get("_as", ""), people) if may_see and sketch.text else None
    text, pages = read.text if read else written, channel_pages.of(sketch)
    return {
        "read": read,
        "shown_text": read.shown if read else written,
        "unfit": previews.unfit(sketch, read.contact, text) if read else "",
        "text_count": segments.count(text),
        "why_otherwise": previews.why_otherwise(written, text) if pages.has_segments and read else "",
        "is_plain": previews.is_plain(written),
        "may_see_contacts": may_see,
        "phone_title": pages.preview_of % {"who": read.contact} if read else _("As it is written"),
        "beside": pages.beside(previews.as_read(sketch, read.contact if read else None)),
    }


def _figures(request: HttpRequest, form: ComposeForm, sketch: Campaign, people: Sequence[Contact]) -> dict[str, Any]:
    planned, told = sketches.planned(sketch, _told(request), people)
    starts_at = forecast.starts_at(sketch)
    zone = form.reader_zone or str(timezone.get_current_timezone())
    ends_at = _ends(planned, starts_at)
    wall = sending_hours.wall_time(sketch.local_time)
    return {
        "forecast": planned,
        "counted": planned.counted,
        "after": balance_forecast.of(planned.cost),
        "balance": balance_history.latest(),
        "goes_on": not planned.counted.is_done,
        "told": signing.dumps(told, salt=SALT, compress=True),
        "starts_at": moment_in(zone, starts_at) if sketch.scheduled_at else "",
        "ends_at": ends_at and moment_in(zone, ends_at),
        "zone": zone,
        "wall_time": wall and dates.wall(wall),
        "is_by_their_clocks": form.cleaned_data.get("clock") == RECIPIENTS,
    }


def _told(request: HttpRequest) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = signing.loads(request.POST.get("_told", ""), salt=SALT)
    except signing.BadSignature:
        return None
    return told


def _ends(planned: Forecast, starts_at: dt.datetime) -> dt.datetime | None:
    if not planned.rate or not planned.recipients:
        return None
    return starts_at + dt.timedelta(seconds=planned.recipients / planned.rate)
