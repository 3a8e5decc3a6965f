"""A form that comes when nobody is signed in any more, or with a token from before the last sign-in, is not lost.

What was typed is shown again, and only a person's click sends it. Nothing of it is stored here: until then it travels
in the page itself, signed, so that no other site can make one up.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views import csrf

from laaffic_console.kit.forms.asking_again import DoneLater
from laaffic_console.kit.forms.edits import SECRET
from laaffic_console.kit.forms.shared_rows import in_words
from laaffic_console.kit.pages import next_page

KEPT = "kept"  # on the sign-in page
ENDS_AT = "kept_until"  # in the session: the page whose POST ends what has to be done first
SALT = "a form that was kept"
LASTS = 24 * 3600
_PART = re.compile(r"_\d$")  # the end of an input's name in a field with several, such as a date and a time
ASKED_AGAIN = ("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn")
NOT_KEPT = (*SECRET, "csrfmiddlewaretoken", KEPT)  # in the names of fields
# What pages carry in hidden fields to say what they have shown, and what their buttons are about: nobody has typed it.
MARKS = {
    *("action", "agreed", "approval", "archive", "ask_null_words", "by_clicks", "chosen", "digest", "event", "file_id"),
    *("last", "last_at", "list", "part", "past_end", "query", "seen", "seen_listed", "seen_pair", "seen_version"),
    *("select_across", "shown", "shown_encoding", "shown_sheet", "sort", "step", "unread", "until"),
}
ASKS = "asks_form"  # on a view
View = TypeVar("View", bound=Callable[..., HttpResponse])
LONG = 80  # characters from which a value is shown in a box of several lines


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a form was going, and its fields as (name, value), in their order."""

    address: str
    fields: list[tuple[str, str]]
    files: list[str]
    page: str  # on which it was

    def shown(self, form: forms.BaseForm | None) -> list[dict[str, Any]]:
        """The console's own marks and what was left empty stay hidden; the rest can be read, and corrected if written.

        What came several times under one name was ticked in a list: it is shown once, with all that was ticked.
        """
        values: dict[str, list[str]] = {}
        for name, value in self.fields:
            values.setdefault(name, []).append(value)
        asked = form.fields if form else {}
        return [
            {
                "name": name,
                "label": _label(name, asked.get(name) or asked.get(_PART.sub("", name))),
                "values": several,
                "value": several[0],
                "chosen": _chosen(asked.get(name), several),
                "is_long": len(several[0]) > LONG or "\n" in several[0],
                "is_hidden": name[:1] == "_" or not any(several) or _is_mark(name, asked),
            }
            for name, several in values.items()
        ]

    def has_typed(self, form: forms.BaseForm | None) -> bool:
        """Whether it holds more than a button, which does not say what it does: it is pressed again on its page."""
        asked = form.fields if form else {}
        return any(not _is_mark(name, asked) for name, _value in self.fields)


def asks(form: type[forms.BaseForm], *rights: str) -> Callable[[View], View]:
    """Mark a view with the form that it asks, and the rights of who is told the names of its fields and choices."""

    def mark(view: View) -> View:
        setattr(view, ASKS, (form, rights))
        return view

    return mark


class KeptFormMiddleware:
    """Between the admin, which sends everybody who is not signed in away, and its sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, DoneLater):
            forget(request)  # what an earlier question kept is not this one's
        if request.method != "POST" or response.status_code != 302:
            return response
        if request.path in _proving_pages():
            return _proved(request, response)
        if isinstance(response, DoneLater):
            return _ask_again(request, response)
        is_sent_away = response["Location"].startswith(reverse("admin:login"))
        if is_sent_away and not request.user.is_authenticated and _is_page(request):
            return _sign_in(request, _of(request))
        if is_sent_away and "?" in response["Location"] and _is_own_sign_in(request):  # not led on
            return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': _of(request).page})}")
        return response


def _proving_pages() -> list[str]:
    """The pages where somebody proves who they are: the sign-in, its second step, what far-reaching acts ask once more,
    and the end of setting up a compulsory second factor."""
    return [*map(reverse, ("admin:login", "mfa_authenticate", *ASKED_AGAIN, "mfa_view_recovery_codes"))]


def _proved(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Show the kept form after the proof. It waits in the session for a second step; beginning again forgets it."""
    if request.path == reverse("admin:login"):
        forget(request)
    if request.session.get(ENDS_AT, request.path) != request.path:
        return response
    token = request.POST.get(KEPT) or request.session.get(KEPT, "")
    kept = _read(token)
    if kept and not request.user.is_authenticated:
        request.session[KEPT] = token
    if not kept or not request.user.is_authenticated:
        return response
    forget(request)
    return _show(request, kept)


def forget(request: HttpRequest) -> None:
    """A form that waited in the session is shown no more."""
    request.session.pop(KEPT, None)
    request.session.pop(ENDS_AT, None)


def _ask_again(request: HttpRequest, response: DoneLater) -> HttpResponse:
    """A form that was sent to an address that asks who is there first."""
    if response.keeps_form and _is_page(request):
        request.session[KEPT] = _signed(_of(request))
        if response.ends_at:
            request.session[ENDS_AT] = reverse(response.ends_at)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show our own page's form again, whose token has changed since. What another site sends is refused as ever."""
    is_post = request.method == "POST" and _is_ours(request)
    if is_post and _is_own_sign_in(request) and settings.CSRF_COOKIE_NAME in request.COOKIES:  # else it goes on forever
        messages.warning(request, _("The page was older than your last sign-in, so nothing was done. Do it once more."))
        return HttpResponseRedirect(f"/{_of(request).page.lstrip('/')}")  # never another host's
    if not is_post or not _is_page(request):
        return csrf.csrf_failure(request, reason=reason)
    is_sign_in = request.path == reverse("admin:login")
    kept = _read(request.POST.get(KEPT, "")) if is_sign_in else _of(request)
    if not request.user.is_authenticated:
        return _sign_in(request, kept)
    return _show(request, kept or Kept("", [], [], next_page(request, reverse("admin:index"))), status=403)


def not_stored(request: HttpRequest, why: str, page: str) -> HttpResponse:
    """A page with what was typed in a form whose row takes no change any more: to copy from, not to send."""
    kept = replace(_of(request), address="", page=page)
    return _page(request, kept, title=_("Not stored"), why=why, status=409)


def to_send_again(request: HttpRequest, why: str) -> HttpResponse:
    """A page with what was typed and not stored: once it is sent again, its page says what is wrong by now."""
    return _show(request, _of(request), why=why, status=409)


def _of(request: HttpRequest) -> Kept:
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if not any(word in name.lower() for word in NOT_KEPT)
        for value in values
    ]
    files = [file.name or "" for file in request.FILES.values() if isinstance(file, UploadedFile)]
    came_from = urlsplit(request.headers.get("Referer", ""))
    page = f"{came_from.path}?{came_from.query}".rstrip("?") if came_from.netloc == request.get_host() else ""
    return Kept(request.get_full_path(), fields, files, page or request.get_full_path())


def _sign_in(request: HttpRequest, kept: Kept | None) -> HttpResponse:
    """The sign-in page, with what was typed in it."""
    request.method = "GET"
    wanted = kept.page if kept else next_page(request, reverse("admin:index"))
    said = {"app_path": f"{reverse('admin:login')}?{urlencode({'next': wanted})}", "next": wanted}
    if kept and kept.fields:
        said[KEPT] = _signed(kept)
    request.current_app = admin.site.name
    response = admin.site.login(request, said)
    response.status_code = 403  # a client that is not a browser must not take this for done
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.render()
    return response


def _show(request: HttpRequest, kept: Kept, *, why: str = "", status: int = 200) -> HttpResponse:
    """A page with what was typed, to be sent by a click: an action that was kept is not repeated by itself."""
    return _page(request, kept, title=_("Not sent yet"), why=why, status=status)


def _page(request: HttpRequest, kept: Kept, *, title: str, why: str, status: int) -> HttpResponse:
    form = _form_of(request, kept.address or request.path)
    context = {"title": title, "kept_form": kept, "shown": kept.shown(form), "has_typed": kept.has_typed(form)}
    context["why"] = why
    return render(request, "admin/kept_form.html", {**admin.site.each_context(request), **context}, status=status)


def _form_of(request: HttpRequest, address: str) -> forms.BaseForm | None:
    """The form of a row in the admin, or of a page that names its own (`asks`): it knows what its fields and its
    choices are called. None for any other address."""
    try:
        found = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    if asked := getattr(found.func, ASKS, None):
        form_of_page, rights = asked
        return form_of_page() if request.user.has_perms(rights) else None
    page, kind = getattr(found.func, "model_admin", None), str(found.url_name).rpartition("_")[2]
    if page is None or kind not in ("add", "change"):
        return None
    row = page.get_object(request, unquote(found.kwargs["object_id"])) if kind == "change" else None
    may = page.has_change_permission(request, row) if row else page.has_add_permission(request)
    if not may or (kind == "change" and row is None):
        return None
    form: forms.BaseForm = page.get_form(request, row, change=row is not None)(instance=row)
    return form


def _is_mark(name: str, asked: Mapping[str, forms.Field]) -> bool:
    return name in MARKS and (name not in asked or asked[name].widget.is_hidden)


def _label(name: str, asked: forms.Field | None) -> str:
    return str((asked and asked.label) or name.replace("_", " ").capitalize())


def _chosen(asked: forms.Field | None, values: list[str]) -> str:
    """What was chosen or ticked, in words, or what a field says itself (`kept_words`); "" for what was written, and
    where nobody knows the words."""
    if asked is not None and (words := getattr(asked, "kept_words", None)):
        return str(words(values[0]))
    if isinstance(asked, forms.NullBooleanField) and isinstance(asked.widget, forms.Select):
        return str(dict(asked.widget.choices).get(values[0], values[0]))
    if isinstance(asked, forms.BooleanField):
        return _("Yes")  # a box that is not ticked is not sent
    if not isinstance(asked, forms.ChoiceField):
        return ", ".join(values) if len(values) > 1 else ""
    return ", ".join(_choice(asked, value) for value in values if value)


def _choice(asked: forms.Field, value: str) -> str:
    try:
        return in_words(asked, value)
    except (ValueError, ValidationError):  # no key of such rows
        return value


def _signed(kept: Kept) -> str:
    return signing.dumps(asdict(kept), salt=SALT, compress=True)


def _read(token: str) -> Kept | None:
    try:
        return Kept(**signing.loads(token, salt=SALT, max_age=LASTS))
    except signing.BadSignature:
        return None


def _is_page(request: HttpRequest) -> bool:
    """Whether a person's form in the admin was sent: a script's request gets what it always got."""
    is_form = request.path.startswith(reverse("admin:index")) or request.path == reverse("own_profile")
    return is_form and "X-Requested-With" not in request.headers


def _is_own_sign_in(request: HttpRequest) -> bool:
    """Whether it is a form of one's own sign-in (codes, passwords): nothing of it is kept, its page is opened again."""
    is_form = "X-Requested-With" not in request.headers
    return is_form and request.path.startswith(reverse("mfa_index")) and not _is_page(request)


def _is_ours(request: HttpRequest) -> bool:
    """Whether our own page sent it: every browser names another site as a form's origin, one way or the other."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    came_from = request.headers.get("Origin") or request.headers.get("Referer")
    return came_from is None or urlsplit(came_from).netloc == request.get_host()
