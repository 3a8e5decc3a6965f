"""An act becomes an entry in the transaction that does it, and is sealed as soon as that is committed.

What scripts do is sealed by the sweep, with the next act of a person or before anybody verifies: their requests come by
the hundred a second, and a transaction more for each, all behind one head, would cost more than many of these acts.
"""

import json
from typing import Any

from django.db import models, transaction
from django.utils.text import capfirst

from laaffic_console.audit.models import AuditEntry
from laaffic_console.audit.services import chain
from laaffic_console.kit.audit.acts import Told
from laaffic_console.kit.sql.constant_sql import Insert
from laaffic_console.kit.words import said

LONGEST = 2000  # characters of one detail
NAME = "_object"  # in the summary: how the object is called, where that is words and not a name


def write(told: Told) -> None:
    kind, pk, own_label = _object(told.about)
    label = told.label or own_label
    named = {NAME: label} if isinstance(label, said.Said) else {}
    entry = AuditEntry(
        kind=told.kind,
        person_id=told.actor.person_id,
        person=_text(told.actor.name, 150),
        address=told.actor.address[:45],
        object_kind=kind,
        object_id=pk,
        object_label=_text(said.in_english(label), 200),  # what the search compares
        summary=_storable({**told.details, **named}),
    )
    _keep([entry])
    if not told.actor.is_script:
        transaction.on_commit(chain.seal, robust=True)  # what fails there, the sweep seals


_keep = Insert(AuditEntry, keys=True)


def _object(about: models.Model | type[models.Model] | None) -> tuple[str, str, str]:
    if about is None:
        return "", "", ""
    if isinstance(about, type):
        return about._meta.label_lower, "", str(said.lasting(about._meta.verbose_name_plural))
    kind = about._meta.verbose_name
    is_only = str(about) == capfirst(kind)  # the only row of its kind
    return about._meta.label_lower, str(about.pk or "")[:40], str(said.lasting(kind)) if is_only else str(about)


def _text(words: str, longest: int) -> str:
    """The text as both databases can keep it: cut to `longest`, without NUL and halves of characters."""
    return words.encode("utf-8", "replace").decode().replace("\0", "")[:longest]


def _storable(details: dict[str, Any]) -> Any:
    return _clean(json.loads(json.dumps(_kept(details), default=str)))


def _kept(value: Any) -> Any:
    """A sentence with its words, for readers of another language than the person who acted."""
    if isinstance(value, dict):
        return {name: _kept(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(part) for part in value]
    value = said.lasting(value)
    held = said.kept(value) if isinstance(value, said.Said) else value
    return held if len(str(held)) <= LONGEST else value


def _clean(value: Any) -> Any:
    """Figures with a point are kept as text: a database may write 1.10 as 1.1, and the digest would differ."""
    match value:
        case str():
            return _text(value, LONGEST)
        case bool() | int() | None:
            return value
        case float():
            return str(value)
        case list():
            return [_clean(part) for part in value]
    return {_text(str(name), 200): _clean(part) for name, part in value.items()}
