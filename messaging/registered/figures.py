"""What is counted, added up in reports, and proved."""

from laaffic_console.kit.registers import gauges
from laaffic_console.reports import reporting
from messaging.models import Campaign, EmailCampaign
from messaging.registered.gauges import campaigns_and_messages
from messaging.services.email import counting as email_counting
from messaging.services.email.period_report_source import EmailReports
from messaging.services.figures import proofs, proving
from messaging.services.figures.period_report_source import MessageReports
from messaging.services.figures.proofs import Proved
from messaging.services.tallies import counting


def register_all() -> None:
    gauges.register(campaigns_and_messages)
    reporting.register(MessageReports())
    reporting.register(EmailReports())
    proofs.register(
        Proved("campaign", Campaign, proving.prove, lambda sent: sent.total, lambda sent: sent.state in counting.OVER)
    )
    proofs.register(
        Proved(
            "email_campaign",
            EmailCampaign,
            lambda sent, look: email_counting.prove(sent),
            lambda sent: email_counting.counts(sent)["total"],
            lambda sent: sent.state in email_counting.OVER,
        )
    )
