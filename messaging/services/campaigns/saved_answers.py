"""Texts that are put into the answer box of a conversation by a click."""

from django.core.exceptions import ValidationError

from laaffic_console.kit.words.plain_text import sendable
from messaging.models import SavedAnswer
from messaging.services.campaigns import drafts


def text_of(typed: str) -> str:
    """The text as it can be sent; ValidationError where it cannot."""
    text = sendable(typed)
    if problem := drafts.problem_with_text(text):
        raise ValidationError(problem)
    return text


def keep(answer: SavedAnswer) -> None:
    """Save one, new or changed. ValidationError, by field."""
    try:
        answer.text = text_of(answer.text)
    except ValidationError as problem:
        raise ValidationError({"text": problem.messages}) from problem
    answer.title = answer.title.strip()
    answer.full_clean()
    answer.save()
