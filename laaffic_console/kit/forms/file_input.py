"""A file field that shows its file's name itself."""

from typing import Any

from django import forms


class FileInput(forms.ClearableFileInput):
    """Unfold's script writes a chosen file's name into the first text field that it finds around the file field, on a
    page of ours into somebody's “new group”. This one brings a text field of its own, which is never shown or sent."""

    template_name = "console/file_input.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "c-file-input", **(attrs or {})})
