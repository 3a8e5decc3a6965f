"""Actions on many rows at once: each asks in a form of its own, and then works on the selection as a set."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from messaging.admin.pages import page


def ask(
    model_admin: "ModelAdmin[Any]",
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    action: str,
    title: str,
    form_class: Callable[..., forms.Form],
    act: Callable[[forms.Form], str],
    explanation: str = "",
    button: str = "",
    is_danger: bool = False,
) -> HttpResponse | None:
    """Ask, or do it and say what `act` says was done; None leads back to the list."""
    form = form_class(request.POST if "_confirmed" in request.POST else None)
    if form.is_bound and form.is_valid():
        messages.success(request, act(form))
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
    """`address`: where it is posted, and `back` where it leads back to; both are the list where nothing is said."""
    name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist"
    rows = f"{reverse(name)}?{request.GET.urlencode()}" if request.GET else reverse(name)
    return page(
        model_admin,
        request,
        "messaging/bulk_action.html",
        form=form,
        selected=request.POST.getlist("_selected_action"),
        across=request.POST.get("select_across", "0"),
        how_many=queryset.count(),
        address=address or rows,
        back=back or rows,
        media=model_admin.media + form.media,
        **context,
    )
