"""Merge fields: `{{name}}`, or `{{name|friend}}` with what to say when the contact has none."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BUILT_IN = ("number", "name", "first_name", "email", "country", "language")

_field = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,39})\s*(?:\|([^{}]*))?\}\}")


class MergeError(ValueError):
    """A text whose braces are no fields; the sentence names the place."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    fallback: str


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Field, ...]

    @property
    def fields(self) -> list[str]:
        return list(dict.fromkeys(part.name for part in self.parts if isinstance(part, Field)))


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Template:
    parts: list[str | Field] = []
    position = 0
    for match in _field.finditer(text):
        parts += [_literal(text, position, match.start()), Field(match.group(1), (match.group(2) or "").strip())]
        position = match.end()
    parts.append(_literal(text, position, len(text)))
    return Template(tuple(part for part in parts if part != ""))


def _literal(text: str, start: int, end: int) -> str:
    literal = text[start:end]
    for braces in ("{{", "}}"):
        if (at := literal.find(braces)) >= 0:
            near = text[start + at : start + at + 20]
            raise MergeError(
                f"“{near}” at character {start + at + 1} is no merge field. Write one like {{{{name}}}} "
                "or {{name|friend}}: letters, digits and _ between two braces."
            )
    return literal


def fields(text: str) -> list[str]:
    return parse(text).fields


def unknown_fields(text: str, known: Iterable[str]) -> list[str]:
    there = set(known)
    return [name for name in fields(text) if name not in there]


def render(template: Template, values: Mapping[str, str]) -> str:
    """A field without value and fallback says nothing. Values are text: braces in them stay as they are."""
    return "".join(
        part if isinstance(part, str) else (values.get(part.name) or part.fallback) for part in template.parts
    )


def with_derived(values: Mapping[str, str]) -> dict[str, str]:
    """`first_name` is the first word of the name."""
    name = values.get("name", "").split()
    return {**values, "first_name": name[0] if name else ""}
