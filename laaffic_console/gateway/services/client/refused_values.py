"""Laaffic's refusal as an error of what was asked: at its field where a value is wrong, and otherwise of how things
stand."""

import re
from collections.abc import Mapping

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from laaffic_console.gateway.services.client import code_words
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import InvalidRequest, LaafficError, Refused
from laaffic_console.laaffic.codes import WRONG_VALUES


def error_of(problem: LaafficError, fields: Mapping[str, str]) -> ValidationError:
    """The problem as an error at a field; `fields`: {a parameter of the interface: the field that gives it}."""
    if isinstance(problem, Refused) and problem.code in WRONG_VALUES:
        return ValidationError({_field(problem.reason, fields): code_words.refused_value(problem)})
    if isinstance(limit := problem.__cause__, InvalidRequest):  # which the client found: nothing has left
        return ValidationError({_field(limit.field, fields): code_words.nothing_was_sent(problem)})
    return NotNow(code_words.nothing_was_sent(problem))


def _field(said: str, fields: Mapping[str, str]) -> str:
    """The field that a refusal is about: Laaffic documents none, but its words may name one."""
    named = (field for parameter, field in fields.items() if re.search(rf"\b{parameter}\b", said))
    return next(named, NON_FIELD_ERRORS)
