import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
application = get_wsgi_application()

from laaffic_console.checks import refuse_to_serve  # noqa: E402 - needs the settings

refuse_to_serve()
