"""Actions on many rows at once: each asks in a form of its own, and then works on the selection as a set.

Rows that were ticked are named one by one. *All* of a filter may be others by the time somebody has read the question:
what is done applies to those that were counted there, and if they are more or fewer now it is asked again.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from laaffic_console.kit.pages import add_problems, page
from laaffic_console.kit.words.figures import number

SALT = "rows that a question was asked about"
Act = Callable[[Any, QuerySet[Any]], str]


class NoQuestion(forms.Form):
    """The form of an action that has no fields: only its button has to be pressed."""


def ask(
    model_admin: "ModelAdmin[Any]",
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    action: str,
    title: str,
    form_class: Callable[..., forms.Form],
    act: Act,
    explanation: str = "",
    button: str = "",
    is_danger: bool = False,
) -> HttpResponse | None:
    """Ask, or do it and say what `act` says was done; None leads back to the list.

    `act` is given the form and the rows; its ValidationError is shown in the form, and "" says nothing.
    """
    form = form_class(request.POST if "_confirmed" in request.POST else None)
    if form.is_bound and form.is_valid():
        try:
            said = act(form, _as_asked(request, queryset))
        except ValidationError as problem:
            add_problems(form, problem)
        else:
            if said:
                messages.success(request, said)
            return None
    return form_page(
        model_admin,
        request,
        queryset,
        action=action,
        title=title,
        form=form,
        explanation=explanation,
        button=button or title,
        is_danger=is_danger,
    )


def form_page(
    model_admin: "ModelAdmin[Any]",
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    form: forms.Form,
    address: str = "",
    back: str = "",
    **context: Any,
) -> HttpResponse:
    """`address`: where it is posted, and `back` where it leads back to; both are the list where neither is given."""
    name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist"
    rows = f"{reverse(name)}?{request.GET.urlencode()}" if request.GET else reverse(name)
    return page(
        model_admin,
        request,
        "messaging/bulk_action.html",
        form=form,
        selected=request.POST.getlist("_selected_action"),
        across=request.POST.get("select_across", "0"),
        how_many=(how_many := queryset.count()),
        shown=signing.dumps([how_many, _newest(queryset)], salt=SALT),
        address=address or rows,
        back=back or rows,
        media=model_admin.media + form.media,
        **context,
    )


def _as_asked(request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
    """The rows that the question was about. ValidationError where *all* are not so many any more."""
    if request.POST.get("select_across") != "1":
        return queryset
    try:
        how_many, newest = signing.loads(request.POST.get("_shown", ""), salt=SALT)
    except signing.BadSignature:
        raise ValidationError(_("Look at how many it concerns, then press again.")) from None
    asked = queryset.filter(pk__lte=newest)
    if asked.count() != how_many or newest != _newest(queryset):
        said = _("%(before)s rows were shown here; the list has changed since. Look again, then press again.")
        raise ValidationError(said % {"before": number(how_many)})
    return asked


def _newest(queryset: QuerySet[Any]) -> int:
    return queryset.order_by().aggregate(newest=Max("pk"))["newest"] or 0
