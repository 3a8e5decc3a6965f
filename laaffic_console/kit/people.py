"""Who asks."""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def signed_in(request: HttpRequest) -> User:
    """Whoever acts on a page. The admin lets no stranger this far; one who came all the same is refused."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
