from messaging.jobs.campaigns import (
    apply_sms_reports,
    follow_account,
    freeze_audience,
    pull_reports,
    send_campaign,
    sweep,
    write_answers,
)
from messaging.jobs.imports import run_contact_import

__all__ = [
    "apply_sms_reports",
    "follow_account",
    "freeze_audience",
    "pull_reports",
    "run_contact_import",
    "send_campaign",
    "sweep",
    "write_answers",
]
