"""What the queue calls: each looks at our own tables for work, so a second call changes nothing."""

from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, sweeps
from messaging.services.audience import audience, audience_counts
from messaging.services.batches import answers, waiting
from messaging.services.budgets import shares
from messaging.services.campaigns import asking_back, campaigns, canaries, starting
from messaging.services.contacts import name_index
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import deliveries as email_deliveries
from messaging.services.email import starting as email_starting
from messaging.services.email import trial_emails
from messaging.services.figures import drift, proofs
from messaging.services.imports import consent_imports, imports
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import undo as import_undo
from messaging.services.mms import attachments
from messaging.services.replies import opt_in_questions, reply_pulls
from messaging.services.reports import report_pulls, report_pushes
from messaging.services.sending import forgotten, sending
from messaging.services.tallies import hour_tallies


def send_campaign(campaign_id: int) -> None:
    sending.send(campaign_id)


def freeze_audience(campaign_id: int) -> None:
    audience.freeze(campaign_id)


def start_launched(campaign_id: int) -> None:
    starting.start_launched(campaign_id)


def count_audience() -> None:
    audience_counts.count_open()


def apply_sms_reports() -> bool:
    return report_pushes.INBOX.apply_waiting()


def write_answers() -> None:
    answers.write_waiting()


def pull_reports() -> None:
    report_pulls.pull_due()


def make_proofs() -> None:
    proofs.make_next()


def follow_calendars() -> None:
    waiting.follow_calendars()


def follow_canaries() -> None:
    canaries.follow()


def follow_account() -> None:
    isolation.run_all(campaigns.follow_account, email_starting.follow_account)


def sweep() -> None:
    sweeps.run(
        "messaging",
        campaigns.follow_account,
        email_starting.follow_account,
        waiting.follow_calendars,
        forgotten.sweep,
        canaries.follow,
        hour_tallies.fold,
        drift.sweep,
        shares.sweep,
        imports.sweep,
        consent_imports.sweep,
        import_undo.sweep,
        import_forecast.sweep,
        name_index.sweep,
        attachments.sweep,
        email_campaigns.sweep,
        trial_emails.sweep,
        inbox.ring_for_waiting,
        _ring_for_due,
    )


def _ring_for_due() -> None:
    if answers.anything_waiting():
        bell.ring(answers.JOB)
    if report_pulls.anything_due():
        bell.ring(report_pulls.JOB)
    if asking_back.anything_waiting():
        bell.ring(opt_in_questions.JOB)
    if reply_pulls.anything_due():
        bell.ring(reply_pulls.JOB)
    if email_deliveries.anything_due():
        bell.ring(email_deliveries.JOB)
