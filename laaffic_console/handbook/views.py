"""The pages of the help: the index with its search, each text, and the pictures that they show."""

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from laaffic_console.handbook import pages, searching
from laaffic_console.kit.words.plain_text import plain


def index_view(request: HttpRequest) -> HttpResponse:
    """The handbook's index; with `q`, what is found instead."""
    asked = plain(request.GET.get("q", "").replace("\0", ""))[: searching.LONGEST]
    if not asked:
        return _page(request, pages.INDEX, _("Help"))
    return _page(request, None, _("Search the help"), asked=asked, hits=searching.find(asked, pages.spoken()))


def page_view(request: HttpRequest, help_page: str) -> HttpResponse:
    if help_page == pages.INDEX or help_page not in pages.names():
        raise Http404
    return _page(request, help_page, pages.title(help_page, pages.spoken()))


def picture_view(request: HttpRequest, picture: str) -> FileResponse:
    path = pages.pictures().get(picture)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), content_type="image/png")


def _page(request: HttpRequest, name: str | None, title: str, **context: object) -> HttpResponse:
    language = pages.spoken()
    shown = {**admin.site.each_context(request), "title": title, "name": name, **context}
    shown |= {"groups": pages.groups(language), "contents_language": pages.html_language(pages.INDEX, language)}
    if name is not None:
        shown |= _text(name, language)
    return TemplateResponse(request, "handbook/page.html", shown)


def _text(name: str, language: str) -> dict[str, object]:
    return {
        "html": mark_safe(pages.html(name, language)),  # noqa: S308 - of our own files, drawn without their HTML
        "headings": pages.headings(name, language),
        "top": pages.top_anchor(name),
        "text_language": pages.html_language(name, language),
        "is_missing": pages.is_missing(name, language),
    }
