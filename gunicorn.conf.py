"""gunicorn reads this file by itself when it is started beside it; laaffic_console/web_server.py says what."""

from laaffic_console.web_server import *  # noqa: F403 - each name is a setting
