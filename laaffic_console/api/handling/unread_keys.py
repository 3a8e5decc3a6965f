"""Request keys that no view reads are refused before anything is done, with what was probably meant: a misspelt filter
would otherwise list everything, and a misspelt moment would send at once.

The known keys are those of openapi.json: both are read from `extend_schema` of the view's method.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from laaffic_console.api.handling.parsers import stands_twice_in_address
from laaffic_console.api.handling.problems import Problem

MOST_NAMED = 3  # unknown keys that a refusal names
LONGEST_NAMED = 100
FORMAT = "format"  # many clients add it to every address


@dataclass(frozen=True, slots=True)
class Described:
    """The query and the body that a method of a view takes; `body` is None if it takes none."""

    query: tuple[str, ...]
    body: serializers.BaseSerializer | None


@dataclass(frozen=True, slots=True)
class Unknown:
    within: str
    key: str
    allowed: Sequence[str]

    @property
    def field(self) -> str:
        return f"{self.within}.{_short(self.key)}".lstrip(".")


def refuse(view: Any, request: Any) -> None:
    """Raise Problem for a query or a body with a key that nobody reads."""
    asked = described(view, request.method)
    _refuse_in_query(asked.query, request.query_params)
    if asked.body is None:
        _refuse_any(request.data)
    elif found := list(_in_body(asked.body, request.data)):
        raise _problem(found)


def _refuse_in_query(allowed: Sequence[str], query: Any) -> None:
    if found := [Unknown("", key, allowed) for key in query if key not in (*allowed, FORMAT)]:
        raise _problem(found)
    if query.get(FORMAT, "json") != "json":
        raise Problem(400, _("Every answer is JSON. Leave “format” out of the address, or ask for json."))
    if twice := next((key for key, values in query.lists() if len(values) > 1), None):
        raise stands_twice_in_address(twice)


def _refuse_any(body: Any) -> None:
    if isinstance(body, Mapping):
        if body:
            raise _problem([Unknown("", key, ()) for key in body])
    elif body:
        raise Problem(400, _("Nothing was done: this request takes no body. Leave it out."))


def _in_body(shape: Any, given: Any, within: str = "") -> Iterator[Unknown]:
    """The unknown keys of a body and of its parts; a value that should be an object is refused when it is read."""
    if isinstance(getattr(shape, "child", None), serializers.Serializer) and isinstance(given, list):
        for place, one in enumerate(given):
            yield from _in_body(shape.child, one, f"{within}.{place}")
    if not isinstance(shape, serializers.Serializer) or not isinstance(given, Mapping):
        return
    for key, value in given.items():
        if key in shape.fields:
            yield from _in_body(shape.fields[key], value, f"{within}.{key}")
        else:
            yield Unknown(within, str(key), list(shape.fields))


def _problem(found: Sequence[Unknown]) -> Problem:
    named = found[:MOST_NAMED]
    sentences = [_sentence(one) for one in named]
    said = _("Nothing was done. %(sentences)s") % {"sentences": " ".join(sentences)}
    errors = [{"field": one.field, "detail": text} for one, text in zip(named, sentences, strict=True)]
    return Problem(400, said, errors=errors)


def _sentence(one: Unknown) -> str:
    if not one.allowed:
        return _("Unknown field “%(name)s”. No fields are taken here: leave it out.") % {"name": one.field}
    known = ", ".join(one.allowed)
    if meant := difflib.get_close_matches(_short(one.key).lower(), one.allowed, n=1):
        said = _("Unknown field “%(name)s”. Did you mean “%(meant)s”? Known fields: %(known)s.")
        return said % {"name": one.field, "meant": meant[0], "known": known}
    return _("Unknown field “%(name)s”. Known fields: %(known)s.") % {"name": one.field, "known": known}


def _short(key: str) -> str:
    return key[:LONGEST_NAMED]


def described(view: Any, method: str) -> Described:
    """What a method of a view takes. Kept: finding it out takes longer than reading a request with it."""
    asked = type(view), "GET" if method == "HEAD" else method
    if asked not in _kept:
        _kept[asked] = _gathered(view, asked[1])
    return _kept[asked]


_kept: dict[tuple[type, str], Described] = {}


def _gathered(view: Any, method: str) -> Described:
    annotated = getattr(getattr(view, method.lower(), None), "kwargs", {}).get("schema")
    if annotated is None:
        return Described((), None)
    schema = annotated()
    schema.view, schema.method = view, method
    shapes = [one for one in schema.get_override_parameters() if isinstance(one, type)]
    body = schema.get_request_serializer() if method in ("POST", "PATCH", "DELETE") else None
    return Described(tuple(name for shape in shapes for name in shape().fields), _made(body))


def _made(body: Any) -> serializers.BaseSerializer | None:
    """An empty instance of the body's serializer; for an upload, `extend_schema` gives {media type: serializer}."""
    shape = next(iter(body.values())) if isinstance(body, dict) else body
    return None if shape is None else shape()
