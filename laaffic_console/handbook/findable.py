"""What search everywhere finds of the help: its passages, for the words of a question."""

import re
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import search_kinds
from laaffic_console.kit.registers.search_kinds import Kind, Query, Result

SHOWN = 3
# A number, an id or two letters ask for a thing; nothing is explained of them.
SAYS_SOMETHING = re.compile(r"[^\W\d_]{3}|[\u3400-\u9fff]{2}")


def register_all() -> None:
    search_kinds.register(
        Kind("help", _("Help"), "help", "", passages, more=lambda query: _all(query.text), place=99, most=SHOWN)
    )


def passages(query: Query, limit: int) -> list[Result]:
    from laaffic_console.handbook import pages, searching  # a worker reads no Markdown

    language = pages.spoken()
    if not SAYS_SOMETHING.search(query.text) or not searching.is_quick(language):
        return []
    found = searching.find(query.text, language)[:limit]
    return [
        Result(" › ".join(filter(None, [hit.title, hit.heading])), hit.plain, hit.address, hit.language)
        for hit in found
    ]


def _all(asked: str) -> str:
    return f"{reverse('help')}?{urlencode({'q': asked})}"
