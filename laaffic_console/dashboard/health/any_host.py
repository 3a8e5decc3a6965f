"""Anyone who watches a process asks it by the address of its own machine, which is not a name of ALLOWED_HOSTS."""

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

PATHS = ("/healthz", "/readyz")  # they make no address of the request's Host


class HostMiddleware(CommonMiddleware):
    """Like Django's, which refuses a Host that is not in ALLOWED_HOSTS; but PATHS are answered under any."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info in PATHS else super().process_request(request)
