"""Fields of date and time, as browsers show and send them."""

from typing import Any

from django import forms

FORMAT = "%Y-%m-%dT%H:%M"
TYPED = [FORMAT, f"{FORMAT}:%S", "%Y-%m-%d %H:%M"]


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format=FORMAT)
