"""A file field that shows its file's name itself."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile


class FileInput(forms.ClearableFileInput):
    """Unfold's script writes a chosen file's name into the first text field that it finds around the file field, on a
    page of ours into somebody's “new group”. This one brings a text field of its own, which is never shown or sent."""

    template_name = "console/file_input.html"
    sent: str | None = ""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "c-file-input", **(attrs or {})})

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The value; the widget, which each form has of its own, remembers which file was sent with the form."""
        value = super().value_from_datadict(data, files, name)
        self.sent = value.name if isinstance(value, UploadedFile) else ""
        return value

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """A browser does not send a file again with a form that came back, so its name is shown beside the field."""
        context = super().get_context(name, value, attrs)
        context["widget"]["sent"] = self.sent
        return context
