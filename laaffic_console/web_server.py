"""How gunicorn serves the console: `laaffic-console web`, or `gunicorn` beside manage.py. Environment wins.

A request is read and answered by one thread, so anyone who sends slowly holds one: only a proxy that buffers requests
(deploy/nginx.conf) keeps slow clients away altogether.
"""

import gc
import logging
import os
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from laaffic_console import environment

wsgi_app = "laaffic_console.wsgi"
worker_class = "laaffic_console.patient_worker.PatientWorker"
# Threads are cheap while they wait for a slow client: so the console withstands so many of those without a proxy.
try:
    bind, workers, threads = environment.web_server()
    graceful_timeout = environment.patience_of_a_request()  # what has left for Laaffic is answered before it ends
except ImproperlyConfigured as wrong:
    sys.exit(str(wrong))
# Each thread has a connection of its own to SQLite, and keeps it for a minute: conf.py gives it less memory.
os.environ["CONSOLE_IN_THREADS"] = "1"
# Seconds; also how long a client that has said nothing may stay.
keepalive = 5
timeout = 120
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
control_socket_disable = True
# Of a socket in the file system: a proxy whose user is in the server's group connects. No other file is made with it.
umask = 0o007 if bind.startswith("unix:") else 0o077


def on_starting(server: Any) -> None:
    """Loaded once, here, and shared by the processes that are forked when the address is listened at: a new version
    loads beside the one that serves (backups/services/web_turn.py), and who replaces a killed process answers at once.
    """
    server.app.wsgi()
    from laaffic_console.backups.services import web_turn

    web_turn.wait()
    gc.collect()
    gc.freeze()  # what was loaded stays: nobody goes through it again, and its memory stays shared


def worker_exit(server: Any, worker: Any) -> None:
    """Exit at once: to take apart all that was loaded takes a second or more, in which an upgrade shows no page."""
    if worker.booted:
        logging.shutdown()
        os._exit(0)
