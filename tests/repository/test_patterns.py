"""A pattern that a value is to match is matched to its very end: `$` lets a last line break through."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from laaffic_console.gateway.models import Application

OURS = ("laaffic_console", "messaging", "voice", "phone_numbers")


def patterns() -> Iterator[tuple[str, str]]:
    for model in apps.get_models():
        if model.__module__.startswith(OURS):
            for field in model._meta.local_fields:
                for validator in field.validators:
                    if isinstance(validator, RegexValidator):
                        yield f"{model._meta.label}.{field.name}", validator.regex.pattern


def test_each_pattern_of_a_field_reaches_to_the_end() -> None:
    found = dict(patterns())

    assert len(found) > 5
    assert [field for field, pattern in found.items() if not pattern.endswith(r"\Z")] == []


@pytest.mark.parametrize("app_id", ["A1b2_C-3\n", "A1 b2", "", "é"])
def test_an_app_id_that_no_header_could_carry_is_refused(app_id: str) -> None:
    with pytest.raises(ValidationError):
        Application(app_id=app_id, channel="sms").clean_fields()
