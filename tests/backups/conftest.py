"""A sandbox, an application and contacts, as campaigns have them."""

from tests.messaging.conftest import application, group, run_jobs, sandbox

__all__ = ["application", "group", "run_jobs", "sandbox"]
