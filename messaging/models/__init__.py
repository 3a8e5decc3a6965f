"""The models of messaging, to be imported from here."""

from messaging.models.approval_limits import ApprovalLimits
from messaging.models.approvals import Approval
from messaging.models.attachments import MmsAttachment
from messaging.models.audience_counts import AudienceCount
from messaging.models.audiences import Audience
from messaging.models.budgets import Budget, BudgetCounter, BudgetShare
from messaging.models.calendars import ApplicationCalendar, Calendar
from messaging.models.campaign_bases import HoldKind
from messaging.models.campaigns import IS_CAMPAIGN, Addressed, Campaign, CampaignEvent, CampaignState
from messaging.models.canaries import Canary, CanaryMessage
from messaging.models.consents import Consent, ConsentEvent, ConsentImport, ConsentState, OptInQuestion
from messaging.models.contacts import (
    Contact,
    ContactGroup,
    Erasure,
    GroupMembership,
    OtherSpelling,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.models.conversations import Conversation, ConversationAnswer, ConversationNote, SavedAnswer
from messaging.models.emails import (
    Delivery,
    EmailCampaign,
    EmailCampaignEvent,
    EmailCampaignState,
    EmailChoice,
    EmailLookup,
    EmailMessage,
    EmailTally,
    Submission,
)
from messaging.models.frequency import FrequencyCap
from messaging.models.gate_tallies import GateTally
from messaging.models.group_names import rename_in_audiences  # noqa: F401 - the receiver of renamed groups
from messaging.models.hour_tallies import DeliveryTimeTally, HourTally, SentTally
from messaging.models.imports import BadRow, ContactImport, ImportedChange, ImportForecast, ImportUndo
from messaging.models.kept_while_used import keep_while_used  # noqa: F401 - its module has the receivers that ask
from messaging.models.messages import (
    EXCEPTIONAL,
    IS_EXCEPTIONAL_MESSAGE,
    IS_OPEN_BATCH,
    ActivityTally,
    Batch,
    BatchAnswer,
    BatchState,
    EarlierAttempt,
    Message,
    MessageEvent,
    MessageState,
    OutcomeTally,
)
from messaging.models.mms_campaigns import MmsCampaign
from messaging.models.pastes import Paste, PastedNumber
from messaging.models.prices import ListPrice
from messaging.models.proofs import IS_OPEN_PROOF, Proof
from messaging.models.replies import Reply, ReplyPull
from messaging.models.templates import MessageTemplate, TemplateVersion

__all__ = [
    "EXCEPTIONAL",
    "IS_CAMPAIGN",
    "IS_EXCEPTIONAL_MESSAGE",
    "IS_OPEN_BATCH",
    "IS_OPEN_PROOF",
    "ActivityTally",
    "Addressed",
    "ApplicationCalendar",
    "Approval",
    "ApprovalLimits",
    "Audience",
    "AudienceCount",
    "BadRow",
    "Batch",
    "BatchAnswer",
    "BatchState",
    "Budget",
    "BudgetCounter",
    "BudgetShare",
    "Calendar",
    "Campaign",
    "CampaignEvent",
    "CampaignState",
    "Canary",
    "CanaryMessage",
    "Consent",
    "ConsentEvent",
    "ConsentImport",
    "ConsentState",
    "Contact",
    "ContactGroup",
    "ContactImport",
    "Conversation",
    "ConversationAnswer",
    "ConversationNote",
    "Delivery",
    "DeliveryTimeTally",
    "EarlierAttempt",
    "EmailCampaign",
    "EmailCampaignEvent",
    "EmailCampaignState",
    "EmailChoice",
    "EmailLookup",
    "EmailMessage",
    "EmailTally",
    "Erasure",
    "FrequencyCap",
    "GateTally",
    "GroupMembership",
    "HoldKind",
    "HourTally",
    "ImportForecast",
    "ImportUndo",
    "ImportedChange",
    "ListPrice",
    "Message",
    "MessageEvent",
    "MessageState",
    "MessageTemplate",
    "MmsAttachment",
    "MmsCampaign",
    "OptInQuestion",
    "OtherSpelling",
    "OutcomeTally",
    "Paste",
    "PastedNumber",
    "Proof",
    "Reply",
    "ReplyPull",
    "SavedAnswer",
    "SentTally",
    "Submission",
    "SuppressionEntry",
    "SuppressionRelease",
    "TemplateVersion",
]
