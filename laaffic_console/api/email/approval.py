"""A second person's word on an email campaign."""

from laaffic_console.api.approvals.views import ApproveView, AskView, RefuseView, StandingView, WithdrawView
from laaffic_console.api.email.views import LAUNCH, VIEW
from messaging.models import EmailCampaign

APPROVE = "messaging.approve_emailcampaign"


class EmailApprovalView(StandingView):
    model = EmailCampaign
    rights = {"GET": [VIEW]}


class EmailAskView(AskView):
    model = EmailCampaign
    rights = {"POST": [VIEW, LAUNCH]}


class EmailWithdrawView(WithdrawView):
    model = EmailCampaign
    rights = {"POST": [VIEW, LAUNCH]}


class EmailApproveView(ApproveView):
    model = EmailCampaign
    rights = {"POST": [VIEW, APPROVE]}


class EmailRefuseView(RefuseView):
    model = EmailCampaign
    rights = {"POST": [VIEW, APPROVE]}
