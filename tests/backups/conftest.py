"""A sandbox, an application and contacts, as campaigns have them."""

from tests.messaging.conftest import application, group, lose_answers, run_jobs, sandbox

__all__ = ["application", "group", "lose_answers", "run_jobs", "sandbox"]
