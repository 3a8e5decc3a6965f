import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
application = get_wsgi_application()

from laaffic_console.checks.serving import refuse_to_serve  # noqa: E402 - needs the settings
from laaffic_console.dashboard.site import load_pages  # noqa: E402

refuse_to_serve()
load_pages()  # before the first request, which would wait for it
