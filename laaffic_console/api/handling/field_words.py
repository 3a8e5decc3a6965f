"""Messages for values that do not fit their field: they say what would fit, and not only that this does not."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

OBJECT = "Give a JSON object, with names in quotation marks and their values."
LIST = "Give a JSON list: values in square brackets, with commas between."


def put_into(fields: Iterable[serializers.Field]) -> None:
    """Put the messages into these fields, and into the fields that they hold."""
    for field in fields:
        field.error_messages.update(_of(field))
        put_into(_inner(field))


def _inner(field: Any) -> list[serializers.Field]:
    if isinstance(field, serializers.Serializer):
        return list(field.fields.values())
    return [field.child] if getattr(field, "child", None) is not None else []


def _of(field: serializers.Field) -> dict[str, str]:
    if isinstance(field, serializers.ChoiceField):
        known = ", ".join(str(choice).replace("{", "{{").replace("}", "}}") for choice in field.choices if choice != "")
        return {"invalid_choice": f"“{{input}}” is not possible here. Choose from: {known}."}
    if isinstance(field, serializers.Serializer):
        return {"invalid": OBJECT}
    if isinstance(field, serializers.DictField):
        return {"not_a_dict": OBJECT}
    if isinstance(field, serializers.ListField | serializers.ListSerializer):
        return {"not_a_list": LIST}
    if isinstance(field, serializers.FileField):
        return {"invalid": "Send the file as a part with a file name, as “curl --form file=@NAME” does."}
    return {}
