"""A refusal that is about how things stand."""

from django.core.exceptions import ValidationError


class NotNow(ValidationError):
    """What is asked is in order, but the present state of what it is about, or who asks, does not permit it.

    A page shows it as any other error; the API answers 409 and not 400, since another body would not help.
    """

    def __str__(self) -> str:
        """Its sentences, where a ValidationError would show a list of them."""
        return " ".join(self.messages)


def is_about_now(problem: ValidationError) -> bool:
    """Whether all that it says is about how things stand: a NotNow, or an error by field with nothing but those."""
    if isinstance(problem, NotNow):
        return True
    by_field = problem.error_dict.values() if hasattr(problem, "error_dict") else [problem.error_list]
    return all(isinstance(one, NotNow) for errors in by_field for one in errors)
