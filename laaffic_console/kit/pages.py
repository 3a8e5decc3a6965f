"""What the console's own pages need from the admin around them."""

from typing import Any, TypeVar

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

Row = TypeVar("Row", bound=Model)


def page(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, template: str, title: str, **context: Any
) -> TemplateResponse:
    """A page in the admin's frame."""
    return TemplateResponse(
        request,
        template,
        {**model_admin.admin_site.each_context(request), "title": title, "opts": model_admin.opts, **context},
    )


def own_page(row: Any, what: str = "change", *more: Any) -> str:
    """The address of a row's page, or of another view of its admin; a proxy's rows have those of what it stands for."""
    return page_of(row._meta.concrete_model, row.pk, what, *more)


def page_of(model: type[Model], pk: Any, what: str = "change", *more: Any) -> str:
    """The same, where only its number is at hand."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=[pk, *more])


def next_page(request: HttpRequest, otherwise: str) -> str:
    """Where `next` of the request leads, if that is a page of this console."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_here = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_here else otherwise


# On an action of unfold, which draws it as a link: console.js posts there; without it the link opens `ask_first`.
POSTED = {"data-post": True}


def ask_first(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, title: Any, sentence: Any, *, back: str
) -> TemplateResponse | None:
    """The page with a button that answers a GET of an address that acts; None for a POST, which may act."""
    if request.method == "POST":
        return None
    return page(
        model_admin, request, "console/ask_first.html", title, sentence=sentence, button=title, back=reverse(back)
    )


def may_see_contacts(request: HttpRequest) -> bool:
    """Whether any page may show them whom a number belongs to, and what is known of that person."""
    return bool(request.user.has_perm("messaging.view_contact"))


def require(request: HttpRequest, *permissions: str) -> None:
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def posted_row(request: HttpRequest, rows: QuerySet[Row], pk: int) -> Row:
    """What a button's POST is about; 404 for every other method, and for what is not there."""
    if request.method != "POST":
        raise Http404
    return get_object_or_404(rows, pk=pk)


def add_problems(form: BaseForm, problem: ValidationError) -> None:
    """Put a service's errors at the fields they are about; what the form does not have goes on top."""
    if not hasattr(problem, "error_dict"):
        form.add_error(None, problem)
        return
    for field, errors in problem.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)
