"""JSON bodies: one that can be read in two ways, or that no database can store, is refused before it is used."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils.json import strict_constant

from laaffic_console.api.handling.problems import Problem, at

_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # one half of a surrogate pair


class JsonParser(JSONParser):
    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        context = parser_context or {}
        if "request" in context:
            _refuse_packed(context["request"].META.get("HTTP_CONTENT_ENCODING", ""))
        try:
            text = _decoded(stream.read(), context.get("encoding") or settings.DEFAULT_CHARSET)
            found = json.loads(text, parse_constant=strict_constant, object_pairs_hook=_each_once)
        except (ValueError, LookupError) as problem:
            raise ParseError(_why_unreadable(problem)) from problem
        if _HALF.search(text):
            _refuse_halves(found)
        return found


def _why_unreadable(problem: ValueError | LookupError) -> str:
    if isinstance(problem, json.JSONDecodeError):
        at = f"line {problem.lineno}, column {problem.colno}"
        return f"The body is not JSON from {at} on ({problem.msg}). Send all of it, as a JSON library writes it."
    if isinstance(problem, UnicodeDecodeError):
        return f"The body is not {problem.encoding.upper()} from byte {problem.start + 1} on. Send it as UTF-8."
    return f"The body cannot be read as JSON ({str(problem)[:100]}). Send plain JSON, in UTF-8."


def _decoded(raw: bytes, named: str) -> str:
    """The body as text, in the named encoding; if that is UTF-8 or none, the first bytes say which Unicode it is."""
    is_usual = named.lower() in ("utf-8", "utf8")
    return raw.decode(json.detect_encoding(raw) if is_usual else named)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is given twice: one of two texts would be sent, and nobody could say which."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise stands_twice(next(name for name in names if names.count(name) > 1))
    return found


def stands_twice(name: str) -> Problem:
    return at(name[:100], _("“%(name)s” is given twice in the body. Give it once.") % {"name": name[:100]})


def stands_twice_in_address(name: str) -> Problem:
    return at(name[:100], _("“%(name)s” is given twice in the address. Give it once.") % {"name": name[:100]})


def _refuse_halves(found: Any) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        said = _("The body has an incomplete character (a surrogate without its other half). Send it as UTF-8.")
        raise ParseError(said) from problem


def _refuse_packed(encoding: str) -> None:
    if encoding.strip().lower() not in ("", "identity"):
        raise Problem(415, _("The body is compressed. Send it as plain JSON, without Content-Encoding."))
