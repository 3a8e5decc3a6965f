"""The field of a text that will be sent, with a counter while it is written, and the merge fields to put in."""

import json
from typing import Any

from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from messaging.services.text import merge_samples
from messaging.text import segments


class TextWidget(UnfoldAdminTextareaWidget):
    """A text field that counts segments while somebody writes."""

    class Media:
        css = {"all": ["messaging/segment_counter.css"]}
        js = ["messaging/segment_tables.js", "messaging/segment_counter.js"]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        given = {
            "rows": 6,
            **(attrs or {}),
            "data-segment-counter": f"{(attrs or {}).get('id', name)}-counter",
            "data-labels": json.dumps(labels()),
            "data-fields": json.dumps(merge_samples.stand_ins()),
        }
        return super().get_context(name, value, given)


class MergeTextWidget(TextWidget):
    """The text field of a channel without segments: it counts only characters."""

    limit = segments.LIMIT_CHARACTERS

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value, {**(attrs or {}), "data-characters-only": str(self.limit)})


def labels() -> dict[str, str]:
    """What the counter in the browser says, in the operator's language."""
    return {
        "characters": _("{n} of {limit} characters"),
        "too_long_one": _("too long by {n} character"),
        "too_long_other": _("too long by {n} characters"),
        "segments_one": _("{n} segment"),
        "segments_other": _("{n} segments"),
        "at_least_one": _("fields vary: at least {n} segment"),
        "at_least_other": _("fields vary: at least {n} segments"),
        "between": _("{least} to {most} segments, typically {typical}"),
        "units_left": _("{n} left in this segment"),
        "forces_one": _("“{character}” at {places} forces UCS-2"),
        "forces_other": _("“{character}” at {places} force UCS-2"),
        "invisible_one": _("An invisible character ({character}) at {places} forces UCS-2"),
        "invisible_other": _("Invisible characters ({character}) at {places} force UCS-2"),
        "and_more": _("{list} and {n} more"),
        "others_one": _("{n} other character forces UCS-2"),
        "others_other": _("{n} other characters force UCS-2"),
        "replace": _("Replace with “{replacement}”"),
        "replace_by_space": _("Replace with a space"),
        "replace_by_line": _("Replace with a new line"),
        "remove": _("Remove"),
        "replace_all": _("Replace all"),
        "insert": _("Put in:"),
        "fallback": _("or, where it is missing,"),
        "saves": _("Without them: {after} instead of {before} segments"),
        "can_be_too_long": _("Too long for some: with the longest values {n} characters, and those are not sent"),
    }
