"""The jobs of messaging, by the names that bells ring for."""

from messaging.jobs.campaigns import (
    apply_sms_reports,
    count_audience,
    follow_account,
    follow_calendars,
    follow_canaries,
    freeze_audience,
    make_proofs,
    pull_reports,
    send_campaign,
    start_launched,
    sweep,
    write_answers,
)
from messaging.jobs.emails import (
    apply_email_reports,
    pull_email_deliveries,
    send_email_at_its_moment,
    send_email_campaign,
    start_launched_email,
)
from messaging.jobs.imports import (
    forecast_contact_import,
    index_names,
    run_consent_import,
    run_contact_import,
    undo_contact_import,
)
from messaging.jobs.replies import apply_sms_replies, ask_back, pull_sms_replies

__all__ = [
    "apply_email_reports",
    "apply_sms_replies",
    "apply_sms_reports",
    "ask_back",
    "count_audience",
    "follow_account",
    "follow_calendars",
    "follow_canaries",
    "forecast_contact_import",
    "freeze_audience",
    "index_names",
    "make_proofs",
    "pull_email_deliveries",
    "pull_reports",
    "pull_sms_replies",
    "run_consent_import",
    "run_contact_import",
    "send_campaign",
    "send_email_at_its_moment",
    "send_email_campaign",
    "start_launched",
    "start_launched_email",
    "sweep",
    "undo_contact_import",
    "write_answers",
]
