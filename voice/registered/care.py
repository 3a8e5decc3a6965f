"""What is asked before a group call leaves, and what group calls count for in messaging's rules."""

from laaffic_console.gateway.models import Channel
from messaging.services.approvals import approvable
from messaging.services.gates import frequency
from voice.services.group_calls import budgets as group_budgets
from voice.services.group_calls import care as group_care
from voice.services.group_calls.approval import GroupTaskDrafts


def register_all() -> None:
    frequency.counts_too(Channel.VOICE, group_care.had, group_care.has_left_since)
    frequency.counts_too(Channel.SMS, group_care.had_sms, group_care.has_sms_since)
    group_budgets.register()
    approvable.register(GroupTaskDrafts())
