"""A database that is away fails every push, page and job at the same place of the code: a line says it, not a trace.

Twenty pushes a second would fill a log with traces in which a fault of the console's own is not found.
"""

import logging
import re

from laaffic_console.kit.sql import database_troubles

# django-q keeps a failed job as text: what it raised, and the trace.
_JOB = re.compile(
    r" : Traceback \(most recent call last\):\n.*\n"
    r"django\.db\.utils\.(?P<kind>OperationalError|InterfaceError|InternalError):",
    re.DOTALL,
)


class OutagesInOneLine(logging.Filter):
    """Take the trace from what says only that the database is away, locked, full or read-only."""

    def filter(self, record: logging.LogRecord) -> bool:
        problem = record.exc_info[1] if record.exc_info else None
        if problem is not None and database_troubles.is_outage(problem):
            first_line = (str(problem).strip().splitlines() or [""])[0]
            said = f"{record.getMessage()}: {type(problem).__name__}: {first_line}"
            record.msg, record.args, record.exc_info, record.exc_text = said.rstrip(": "), (), None, None
        elif record.name == "django-q" and (failed := _JOB.search(record.getMessage())):
            record.msg, record.args = f"{record.getMessage()[: failed.start()].strip()} ({failed['kind']})", ()
        return True
