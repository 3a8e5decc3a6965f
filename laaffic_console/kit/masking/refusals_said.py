"""What a service said when it refused, as the person who asked may see it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from laaffic_console.kit.masking import masks


def say_why(request: HttpRequest, problem: Exception) -> None:
    """Show what a service said when it refused, or why an act failed."""
    for sentence in problem.messages if isinstance(problem, ValidationError) else [str(problem)]:
        messages.error(request, masks.in_text(sentence))
