"""Entries about somebody, as a conversation and a person's history show them: sent, answered, noted."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from laaffic_console.api.documents import moment
from laaffic_console.api.handling.views import USUAL_ROWS, ListQuery, not_a_cursor, unwrapped, wrapped
from messaging.people import person_timeline
from messaging.people.person_timeline import Person, Shown, Source


class LongCursorQuery(ListQuery):
    """A query of a list whose cursors hold a moment too."""

    cursor = serializers.CharField(max_length=200, required=False, help_text="“next” of the page before")


class TimelineEntry(serializers.Serializer):
    id = serializers.IntegerField(help_text="within its kind")
    kind = serializers.CharField(help_text="what it is, such as messages, replies, notes or calls")
    at = serializers.DateTimeField()
    title = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)


def page(person: Person, sources: Iterable[Source], query: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the entries, the newest first."""
    cursor = unwrapped(query["cursor"]) if "cursor" in query else ""
    if "cursor" in query and not person_timeline.is_cursor(cursor):
        raise not_a_cursor()
    shown, following = person_timeline.page(person, sources, cursor, query.get("limit") or USUAL_ROWS)
    return {"items": [_entry(one) for one in shown], "next": wrapped(following) if following else None}


def _entry(shown: Shown) -> dict[str, Any]:
    entry = shown.entry
    told = {"title": str(entry.title), "text": str(entry.text)}
    return {"id": entry.pk, "kind": shown.source.name, "at": moment(entry.at), **told}
