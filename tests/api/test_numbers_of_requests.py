"""What a request says as a number is one: true is not 1, and “nan” is none."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework import serializers

from laaffic_console.api import urls
from laaffic_console.api.handling import unread_keys as unknown
from laaffic_console.api.handling.views import ApiView


def _parts(shape: Any) -> Iterator[Any]:
    yield shape
    for part in shape.fields.values() if isinstance(shape, serializers.Serializer) else [getattr(shape, "child", None)]:
        yield from _parts(part) if part is not None else ()


def _view(kind: Any) -> Any:
    made = kind()
    made.setup(RequestFactory().post("/"))
    return made


def _number_fields() -> list[Any]:
    kinds = [one.callback.cls for one in urls.urlpatterns if hasattr(one.callback, "cls")]
    views = [_view(kind) for kind in kinds if issubclass(kind, ApiView)]
    described = [unknown.described(view, method) for view in views for method in ("POST", "PATCH")]
    bodies = [one.body for one in described if one.body is not None]
    kinds = (serializers.IntegerField, serializers.FloatField, serializers.DecimalField)
    return [field for body in bodies for field in _parts(body) if isinstance(field, kinds)]


@pytest.mark.parametrize("odd", [True, False, "nan", "inf", "-Infinity", "true", [], {}])
def test_no_number_of_any_body_takes_what_is_none(odd: Any) -> None:
    fields = _number_fields()

    assert len(fields) > 25
    for field in fields:
        with pytest.raises(serializers.ValidationError):
            field.run_validation(odd)


def test_a_speed_is_still_a_speed() -> None:
    speeds = [field for field in _number_fields() if field.field_name == "speed"]

    assert [field.run_validation(given) for field in speeds for given in (1, 1.5, "2")] == [1.0, 1.5, 2.0] * len(speeds)
    assert len(speeds) > 2
