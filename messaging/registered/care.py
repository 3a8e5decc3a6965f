"""What is asked before a message leaves: gates, budgets, approvals."""

from messaging.services.approvals import approvable
from messaging.services.budgets import budget_gate, earlier_requests
from messaging.services.campaigns.approval import CampaignDrafts
from messaging.services.email import states as email_states
from messaging.services.email.approval import EmailDrafts
from messaging.services.gates import canary, consent, frequency, gates, retries, sending_hours


def register_all() -> None:
    for kind in (canary, retries, consent, sending_hours, frequency, budget_gate):
        gates.register(kind.KIND)
    earlier_requests.told_by(email_states.ABOUT, email_states.earlier)
    approvable.register(CampaignDrafts())
    approvable.register(EmailDrafts())
