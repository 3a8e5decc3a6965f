"""An outage of the database is a line in the log; a fault of ours keeps its trace."""

import logging
import traceback

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from django.db.utils import Error

from laaffic_console.kit.process.outage_logs import OutagesInOneLine

GONE = OperationalError("server closed the connection unexpectedly\n\tThis probably means the server terminated")
BUG = ProgrammingError("syntax error at or near SELEKT")


class PsycopgError(Exception):
    __module__ = "psycopg"


def logged(problem: Exception, name: str = "django.request") -> logging.LogRecord:
    problem.__cause__ = PsycopgError() if isinstance(problem, DatabaseError) else None
    record = logging.LogRecord(
        name, logging.ERROR, "x.py", 1, "Internal Server Error: %s", ("/hooks/",), (type(problem), problem, None)
    )
    assert OutagesInOneLine().filter(record)
    return record


@pytest.mark.parametrize("problem", [GONE, OperationalError("database is locked"), OperationalError("disk is full")])
def test_an_outage_is_one_line_that_says_why(problem: OperationalError) -> None:
    record = logged(problem)

    first = str(problem).splitlines()[0]
    assert record.getMessage() == f"Internal Server Error: /hooks/: OperationalError: {first}"
    assert (record.exc_info, record.exc_text) == (None, None)


@pytest.mark.parametrize("problem", [BUG, OperationalError("no such column: typo"), ValueError("database is locked")])
def test_a_fault_of_ours_keeps_its_trace(problem: Exception) -> None:
    assert logged(problem).exc_info is not None


@pytest.mark.parametrize(("problem", "is_short"), [(GONE, True), (InterfaceError("closed"), True), (BUG, False)])
def test_a_failed_job_s_trace_is_taken_out_of_its_text(problem: Error, is_short: bool) -> None:
    """As django-q writes it."""
    try:
        try:
            raise PsycopgError("the server has gone")
        except PsycopgError as cause:
            raise problem from cause
    except Error as raised:
        result = f"{raised} : {traceback.format_exc()}"
    record = logging.LogRecord("django-q", logging.ERROR, "x.py", 1, f"Failed 'send' (one) - {result}", (), None)

    OutagesInOneLine().filter(record)

    assert ("Traceback" not in record.getMessage()) is is_short
    assert "Failed 'send'" in record.getMessage()
