"""Merge fields: `{{name}}`, or `{{name|friend}}` with what to say when the contact has none.

A single brace is a brace. Two of them that make no field are a mistake in the text, told before anything is sent.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import is_blank

BUILT_IN = ("number", "name", "first_name", "email", "country", "language")  # any other is an attribute of the contact

SPACE = " \t\r\n\u00a0"
HAN = "\u3400-\u4dbf\u4e00-\u9fff\u3005\u3007"  # a column is called 城市 where its file is written in Chinese
NAME = f"[A-Za-z_{HAN}][A-Za-z0-9_{HAN}]{{0,39}}"
FIELD = rf"\{{\{{[{SPACE}]*({NAME})[{SPACE}]*(?:\|([^{{}}]*))?\}}\}}"  # means the same in the browser

_field = re.compile(FIELD)
_name = re.compile(NAME)


class MergeError(ValueError):
    """A text whose braces are not fields; the sentence names the place."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    fallback: str


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Field, ...]

    @property
    def fields(self) -> list[str]:
        """Each name once, in the order of the text."""
        return list(dict.fromkeys(part.name for part in self.parts if isinstance(part, Field)))

    @property
    def fields_without_fallback(self) -> list[str]:
        """The fields without a fallback somewhere in the text, which are empty there for contacts without the value."""
        return list(dict.fromkeys(part.name for part in self.parts if isinstance(part, Field) and not part.fallback))


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Template:
    """Raises MergeError."""
    parts: list[str | Field] = []
    position = 0
    for match in _field.finditer(text):
        parts += [_literal(text, position, match.start()), Field(match[1], (match[2] or "").strip(SPACE))]
        position = match.end()
    parts.append(_literal(text, position, len(text)))
    return Template(tuple(part for part in parts if part != ""))


def _literal(text: str, start: int, end: int) -> str:
    literal = text[start:end]
    places = [at for braces in ("{{", "}}") if (at := literal.find(braces)) >= 0]
    if places:
        raise MergeError(_complaint(text, start + min(places)))
    return literal


def _complaint(text: str, at: int) -> str:
    return _kind_of_mistake(text, at) % {"text": text[at : at + 20], "n": at + 1}


def _kind_of_mistake(text: str, at: int) -> str:
    if text.startswith("}}", at):
        return _("“%(text)s” at character %(n)d closes no merge field: write {{ before the field's name.")
    close, again = text.find("}}", at + 2), text.find("{{", at + 2)
    if close < 0 or 0 <= again < close:
        return _("“%(text)s” at character %(n)d is a merge field that is not closed: write }} after its name.")
    name = text[at + 2 : close].partition("|")[0].strip(SPACE)
    if not name:
        return _(
            "“%(text)s” at character %(n)d is a merge field without a name: write one like {{name}} or {{name|friend}}."
        )
    if not _name.fullmatch(name):
        return _(
            "“%(text)s” at character %(n)d is not a merge field: a name has letters a to z, Chinese characters, "
            "digits and _, at most 40 of them, and no digit at its start."
        )
    return _(
        "“%(text)s” at character %(n)d is not a merge field: what is said instead of a missing value has no braces."
    )


def problem_where_none_are_filled_in(text: str) -> str:
    """For what everybody gets as it stands: a field in it would go out as it was written."""
    if "{{" not in text and "}}" not in text:
        return ""
    return _("Merge fields are not filled in here: everybody gets the same words. Write it without {{ and }}.")


def fields(text: str) -> list[str]:
    return parse(text).fields


def check_fallbacks(text: str) -> None:
    """MergeError where the word for a missing value has only invisible characters; an empty one is fine.

    For texts that are written now: `parse` still reads those that were launched with one.
    """
    for part in parse(text).parts:
        if isinstance(part, Field) and part.fallback and is_blank(part.fallback):
            raise MergeError(
                _("{{%(name)s|…}} has nothing behind the | that can be seen. Write a word there, or leave out the |.")
                % {"name": part.name}
            )


def unknown_fields(text: str, known: Iterable[str]) -> list[str]:
    there = set(known)
    return [name for name in fields(text) if name not in there]


def render(template: Template, values: Mapping[str, str]) -> str:
    """A field without value and fallback says nothing. Values are text: braces in them stay as they are."""
    return "".join(
        [part if isinstance(part, str) else values.get(part.name) or part.fallback for part in template.parts]
    )


def with_derived(values: Mapping[str, str]) -> dict[str, str]:
    """`first_name` is the contact's own where it has one, else the first word of the name."""
    name = values.get("name", "").split()
    return {**values, "first_name": values.get("first_name") or (name[0] if name else "")}


def is_name(text: str) -> bool:
    """Whether a merge field can be called that."""
    return bool(_name.fullmatch(text))


def is_built_in(name: str) -> bool:
    """Whether every contact has it; a first name may also be an attribute, where it is not the name's first word."""
    return name in BUILT_IN and name != "first_name"
