"""What the templates of every app use: figures, dates, masks, countries and explained words."""

import datetime as dt
import json
import math
import re
from typing import Any

from django import template
from django.db.models import Model
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from laaffic_console.dashboard import theme
from laaffic_console.dashboard.lists import saved_filters as saved_filters_of
from laaffic_console.gateway.services.client.account import is_sandbox
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.masking.masked_admin import number_cell, reveal_link
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.registers import meanings, menu
from laaffic_console.kit.words import countries, dates
from laaffic_console.kit.words.figures import in_percent, money, number, pace
from laaffic_console.kit.words.stored_words import in_words, reason_in_words

register = template.Library()
register.filter(in_words)
register.filter(reason_in_words)
register.filter(money)
register.filter(pace)
register.filter(in_percent)
register.filter(number)
register.filter(masked)
register.filter("masked_in_text", in_text)
register.filter(number_cell)
register.filter("country", countries.name_of)
register.filter("country_row", countries.row_of)
register.filter("countries", countries.rows_of)
register.filter(dates.ago)
register.filter(dates.planned)
register.simple_tag(meanings.inline, name="means")
register.simple_tag(meanings.beside, name="means_beside")


@register.filter
def headed(title: Any) -> str:
    """A word of ours as a heading begins; a row's own name as it is written: an address stays in small letters."""
    return str(title) if isinstance(title, Model) else capfirst(str(title))


@register.filter
def seconds_left(moment: dt.datetime) -> int:
    """By the database's clock, by which what waits for the moment begins."""
    return max(0, math.ceil((moment - database_clock.now()).total_seconds()))


@register.filter
def as_in_menu(part: dict[str, Any]) -> str:
    """A breadcrumb, {title, link}: a list has the name by which the menu leads to it."""
    return as_menu_names(part["title"], part.get("link", ""))


@register.filter
def as_menu_names(title: Any, address: Any) -> str:
    """The name by which the menu leads to a list; `title` if it does not."""
    return headed(menu.title_at(str(address or "")) or title)


@register.simple_tag
def means_header(changelist: Any, header: dict[str, Any]) -> SafeString | str:
    """Behind a column's word in a list; Django names the column in the class of its head alone."""
    column = re.search(r"column-(\w+)", header["class_attrib"])
    word = f"{changelist.opts.model_name}.{column[1]}" if column else ""
    return meanings.beside("header", word, header["text"])


@register.simple_tag(takes_context=True)
def reveal(context: Any, row: Model) -> str:
    """The link that shows a masked number, for anyone who may."""
    return reveal_link(context["request"], row)


@register.inclusion_tag("console/saved_filters.html", takes_context=True)
def saved_filters(context: Any, changelist: Any) -> dict[str, Any]:
    """Above a list: the filters that are kept for it, and the form that keeps what it shows now."""
    request = context["request"]
    query = saved_filters_of.cleaned(request.GET.urlencode())
    kept = saved_filters_of.of(changelist.model, request.user, query)
    return {
        "kept": kept,
        "may_keep": bool(query) and not any(one.is_shown_now and one.is_own for one in kept),
        "list": changelist.model._meta.label_lower,
        "query": query,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("console/list_columns.html", takes_context=True)
def list_columns(context: Any, changelist: Any) -> dict[str, Any]:
    """Beside a list's filters: the button, and the dialog in which its columns are chosen."""
    return {
        "columns": changelist.offered_columns,
        "list": changelist.model._meta.label_lower,
        "query": context["request"].GET.urlencode(),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def ago_words() -> str:
    """The words for distances in time, as JSON for console.js, which keeps them fresh."""
    return json.dumps(dates.ago_words())


@register.simple_tag
def sandbox_banner() -> SafeString | str:
    """Striped, on every page, when the gateway is the sandbox."""
    if not is_sandbox():
        return ""
    said = _("Sandbox: what is sent here reaches no phone")
    return format_html('<aside class="c-banner" aria-label="{}">{}</aside>', _("Sandbox"), said)


@register.inclusion_tag("console/act.html", takes_context=True)
def act(context: Context, words: str, page: str, *args: Any, **options: str) -> dict[str, Any]:
    """A button that does one thing, once; `asks` is what it asks first, `shown` names what its page has shown, and
    `agreed` is what somebody agrees to by pressing it."""
    given = {name: options.get(name, "") for name in ("id", "tone", "asks", "shown", "agreed")}
    return {**given, "words": words, "address": reverse(page, args=args), "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("console/keys.html", takes_context=True)
def keys_help(context: Any) -> dict[str, Any]:
    """The help of every page: which keys there are, and where they lead this person."""
    return {"places": theme.places(context["request"])}
