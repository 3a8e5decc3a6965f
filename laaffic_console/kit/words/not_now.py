"""A refusal that is about how things stand."""

from django.core.exceptions import ValidationError


class NotNow(ValidationError):
    """What is asked is in order, but the present state of what it is about does not permit it.

    A page shows it as any other error; the API answers 409 and not 400, since another body would not help.
    """
