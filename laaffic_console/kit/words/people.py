"""The person behind a request, and the names of the roles."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

VIEWER, OPERATOR, APPROVER, ADMINISTRATOR = ROLES = ("Viewer", "Operator", "Approver", "Administrator")


def signed_in(request: HttpRequest) -> User:
    """Anyone who acts on a page. The admin lets no stranger this far; one who came anyway is refused."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def username(user: User | None) -> str:
    """What files, events and the API call a person who did something; "" for nobody, or a person who is deleted."""
    return user.get_username() if user else ""
