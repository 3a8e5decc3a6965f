"""A second person's word on a group call."""

from laaffic_console.api.approvals.views import ApproveView, AskView, RefuseView, StandingView, WithdrawView
from laaffic_console.api.models import Scope
from laaffic_console.api.voice.group_views import LAUNCH, VIEW
from voice.models import GroupTask

APPROVE = "voice.approve_grouptask"


class GroupCallApprovalView(StandingView):
    model = GroupTask
    rights = {"GET": [VIEW]}


class GroupCallAskView(AskView):
    model = GroupTask
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}


class GroupCallWithdrawView(WithdrawView):
    model = GroupTask
    scopes = {"POST": Scope.VOICE}
    rights = {"POST": [VIEW, LAUNCH]}


class GroupCallApproveView(ApproveView):
    model = GroupTask
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [VIEW, APPROVE]}


class GroupCallRefuseView(RefuseView):
    model = GroupTask
    scopes = {"POST": Scope.APPROVE}
    rights = {"POST": [VIEW, APPROVE]}
