"""The application that web processes serve; with settings that are wrong it ends at once."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from laaffic_console.kit import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
FAILED_TO_BOOT = 3  # gunicorn ends with it; after any other it would start the process again, for ever
garbage.look_seldom()

try:
    application = get_wsgi_application()

    from laaffic_console.checks.serving import refuse_to_serve  # needs the settings
    from laaffic_console.dashboard.site import load_pages

    refuse_to_serve()
except ImproperlyConfigured as wrong:
    sys.stderr.write(f"{wrong}\n")
    sys.exit(FAILED_TO_BOOT)
load_pages()  # before the first request, which would wait for it
