"""A contact's attributes as lines that a person edits: `city: Pune`."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from laaffic_console.kit.words.plain_text import composed
from messaging.files.contact_rows import MAX_ATTRIBUTE
from messaging.text.merge_fields import is_built_in, is_name


def as_lines(attributes: Mapping[str, object]) -> str:
    return "\n".join(f"{name}: {_on_one_line(value)}" for name, value in sorted(attributes.items()))


def from_lines(text: str, before: Mapping[str, object]) -> dict[str, str]:
    """ValidationError names each line that is none. A value of several lines that nobody touched stays as it was."""
    attributes: dict[str, str] = {}
    problems = []
    for number, line in enumerate(composed(text).splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if problem := _problem(name, colon, value, attributes):
            problems.append(_("Line %(n)d: %(problem)s") % {"n": number, "problem": problem})
        elif value:
            kept = composed(str(before.get(name, "")))
            attributes[name] = kept if _on_one_line(kept) == value else value
    if problems:
        raise ValidationError(problems)
    return attributes


def _problem(name: str, colon: str, value: str, taken: Mapping[str, str]) -> str:
    if not colon:
        return _("write a name, a colon and a value.")
    if not is_name(name):
        said = _(
            "“%(name)s” is not a name: use letters a to z, Chinese characters, digits and _, and no digit at its start."
        )
        return said % {"name": name}
    if is_built_in(name):
        return _("“%(name)s” has a field of its own above.") % {"name": name}
    if name in taken:
        return _("“%(name)s” is there twice.") % {"name": name}
    if len(value) > MAX_ATTRIBUTE:
        return _("%(n)d characters; at most %(limit)d are kept.") % {"n": len(value), "limit": MAX_ATTRIBUTE}
    return ""


def _on_one_line(value: object) -> str:
    return " ".join(str(value).split())
