"""The addresses of the REST API, under /api/v1."""

from collections.abc import Iterable
from typing import Any

from django.urls import URLPattern, path, re_path

from laaffic_console.api import account_views, schema
from laaffic_console.api.approvals import views as approvals
from laaffic_console.api.campaigns import acts as campaign_acts
from laaffic_console.api.campaigns import views as campaigns
from laaffic_console.api.campaigns.amounts import AmountView
from laaffic_console.api.campaigns.proving import ProofsView
from laaffic_console.api.campaigns.unknown import UnknownView
from laaffic_console.api.contacts import consent_views, import_views, person_views
from laaffic_console.api.contacts import views as contacts
from laaffic_console.api.conversations import acts as conversation_acts
from laaffic_console.api.conversations import saved
from laaffic_console.api.conversations import views as conversations
from laaffic_console.api.email import acts as email_acts
from laaffic_console.api.email import approval as email_approval
from laaffic_console.api.email import drafts as email_drafts
from laaffic_console.api.email import look_up
from laaffic_console.api.email import views as email
from laaffic_console.api.exports import views as taken
from laaffic_console.api.handling import problems
from laaffic_console.api.messages import message_views, reply_views
from laaffic_console.api.mms import views as mms
from laaffic_console.api.numbers import acts as number_acts
from laaffic_console.api.numbers import sync as numbers_sync
from laaffic_console.api.numbers import views as numbers
from laaffic_console.api.reports import views as reports
from laaffic_console.api.rules import budget_views, setting_views
from laaffic_console.api.rules import views as rules
from laaffic_console.api.voice import (
    audio_views,
    call_acts,
    group_acts,
    group_approval,
    group_drafts,
    group_views,
    phone_views,
)
from laaffic_console.api.voice import sync as voice_sync
from laaffic_console.api.voice import views as voice


def _of(name: str, views: dict[str, Any]) -> Iterable[URLPattern]:
    """The addresses of one resource: its list under "", each row under <pk>, and its acts and facts behind that."""
    for rest, view in views.items():
        yield path(f"v1/{name}{rest}", view.as_view())


urlpatterns = [
    path("v1/openapi.json", schema.schema_view, name="api_schema"),
    path("v1/docs", schema.docs_view, name="api_docs"),
    *_of("messages", {"": message_views.MessagesView, "/<int:pk>": message_views.MessageView}),
    *_of("messages", {"/<int:pk>/amount": AmountView}),
    *_of(
        "campaigns",
        {
            "": campaigns.CampaignsView,
            "/<int:pk>": campaigns.CampaignView,
            "/<int:pk>/check": campaigns.CheckView,
            "/<int:pk>/launch": campaigns.LaunchView,
            "/<int:pk>/pause": campaigns.PauseView,
            "/<int:pk>/resume": campaigns.ResumeView,
            "/<int:pk>/cancel": campaigns.CancelView,
            "/<int:pk>/take-back": campaign_acts.TakeBackView,
            "/<int:pk>/pace": campaign_acts.PaceView,
            "/<int:pk>/go-on": campaign_acts.GoOnView,
            "/<int:pk>/outside-hours": campaign_acts.OutsideHoursView,
            "/<int:pk>/test": campaign_acts.TestMessageView,
            "/<int:pk>/copy": campaign_acts.CopyView,
            "/<int:pk>/retry": campaign_acts.RetryView,
            "/<int:pk>/new-contacts": campaign_acts.NewContactsView,
            "/<int:pk>/not-replied": campaign_acts.NotRepliedView,
            "/<int:pk>/suppress-not-in-use": campaign_acts.SuppressNotInUseView,
            "/<int:pk>/unknown": UnknownView,
            "/<int:pk>/proofs": ProofsView,
            "/<int:pk>/approval": approvals.CampaignApprovalView,
            "/<int:pk>/approval/ask": approvals.CampaignAskView,
            "/<int:pk>/approval/withdraw": approvals.CampaignWithdrawView,
            "/<int:pk>/approval/approve": approvals.CampaignApproveView,
            "/<int:pk>/approval/refuse": approvals.CampaignRefuseView,
            "/<int:pk>/report": campaigns.ReportView,
            "/<int:pk>/recipients": campaigns.RecipientsView,
        },
    ),
    *_of("approvals", {"": approvals.ApprovalsView}),
    *_of("spoken-messages", {"": voice.SpokenView}),
    *_of("mms", {"": mms.MmsView}),
    *_of(
        "attachments",
        {
            "": mms.AttachmentsView,
            "/<int:pk>": mms.AttachmentView,
            "/<int:pk>/upload": mms.AttachmentUploadView,
        },
    ),
    *_of(
        "email-campaigns",
        {
            "": email.EmailCampaignsView,
            "/<int:pk>": email_drafts.EmailCampaignView,
            "/<int:pk>/test": email_drafts.EmailTestView,
            "/<int:pk>/approval": email_approval.EmailApprovalView,
            "/<int:pk>/approval/ask": email_approval.EmailAskView,
            "/<int:pk>/approval/withdraw": email_approval.EmailWithdrawView,
            "/<int:pk>/approval/approve": email_approval.EmailApproveView,
            "/<int:pk>/approval/refuse": email_approval.EmailRefuseView,
            "/<int:pk>/check": email.EmailCheckView,
            "/<int:pk>/launch": email.EmailLaunchView,
            "/<int:pk>/resume": email.ResumeEmailView,
            "/<int:pk>/cancel": email.CancelEmailView,
            "/<int:pk>/take-back": email_acts.TakeBackEmailView,
            "/<int:pk>/edit": email_acts.EditEmailView,
            "/<int:pk>/outside-hours": email_acts.EmailOutsideHoursView,
            "/<int:pk>/unknown": email_acts.LostEmailView,
            "/<int:pk>/report": email.EmailReportView,
            "/<int:pk>/recipients": email.EmailRecipientsView,
        },
    ),
    *_of("email-choices", {"": email.EmailChoicesView, "/look-up": look_up.LookUpView}),
    *_of("contacts", {"": contacts.ContactsView, "/<int:pk>": contacts.ContactView}),
    *_of(
        "groups",
        {
            "": contacts.GroupsView,
            "/<int:pk>": contacts.GroupView,
            "/<int:pk>/add": contacts.AddMembersView,
            "/<int:pk>/remove": contacts.RemoveMembersView,
        },
    ),
    *_of(
        "audiences",
        {"": contacts.AudiencesView, "/<int:pk>": contacts.AudienceView, "/<int:pk>/count": contacts.AudienceCountView},
    ),
    *_of(
        "imports",
        {
            "": import_views.ImportsView,
            "/<int:pk>": import_views.ImportView,
            "/<int:pk>/reading": import_views.ImportReadingView,
            "/<int:pk>/start": import_views.ImportStartView,
            "/<int:pk>/cancel": import_views.ImportCancelView,
            "/<int:pk>/undo": import_views.ImportUndoView,
            "/<int:pk>/undo/confirm": import_views.UndoConfirmView,
            "/<int:pk>/undo/keep": import_views.UndoKeepView,
            "/<int:pk>/bad-rows": import_views.BadRowsView,
            "/<int:pk>/bad-rows/file": import_views.BadRowsFileView,
        },
    ),
    *_of(
        "consents",
        {
            "": consent_views.ConsentsView,
            "/said": consent_views.SaidView,
            "/imports": consent_views.ConsentImportsView,
            "/imports/<int:pk>": consent_views.ConsentImportView,
        },
    ),
    *_of(
        "suppression",
        {
            "": consent_views.SuppressionView,
            "/<int:pk>": consent_views.SuppressedView,
            "/<int:pk>/allow-again": consent_views.AllowAgainView,
        },
    ),
    *_of("persons", {"/history": person_views.PersonHistoryView, "/erase": person_views.ErasePersonView}),
    *_of("replies", {"": reply_views.RepliesView}),
    *_of(
        "conversations",
        {
            "": conversations.ConversationsView,
            "/<int:pk>": conversations.ConversationView,
            "/<int:pk>/messages": conversations.ThreadView,
            "/<int:pk>/answer": conversation_acts.AnswerView,
            "/<int:pk>/note": conversation_acts.NoteView,
            "/<int:pk>/assign": conversation_acts.AssignView,
            "/<int:pk>/take": conversation_acts.TakeView,
            "/<int:pk>/done": conversation_acts.DoneView,
            "/<int:pk>/reopen": conversation_acts.ReopenView,
            "/<int:pk>/unread": conversation_acts.UnreadView,
            "/<int:pk>/seen": conversation_acts.SeenView,
        },
    ),
    *_of("saved-answers", {"": saved.SavedAnswersView, "/<int:pk>": saved.SavedAnswerView}),
    *_of(
        "sip-phones",
        {"": phone_views.PhonesView, "/<int:pk>/password": phone_views.PhonePasswordView, "/sync": voice_sync.PHONES},
    ),
    *_of(
        "calls",
        {
            "": voice.CallsView,
            "/<int:pk>": voice.CallView,
            "/<int:pk>/again": call_acts.CallAgainView,
            "/<int:pk>/ask": call_acts.AskCallView,
            "/<int:pk>/unknown": call_acts.LostCallView,
        },
    ),
    *_of(
        "call-records",
        {
            "": voice.RecordsView,
            "/<int:pk>": voice.RecordView,
            "/<int:pk>/ask": call_acts.AskRecordView,
            "/<int:pk>/cost": call_acts.CostView,
            "/sync": voice_sync.RECORDS,
        },
    ),
    *_of(
        "audio-files",
        {
            "": audio_views.AudioFilesView,
            "/<int:pk>": audio_views.AudioFileView,
            "/<int:pk>/upload": audio_views.AudioUploadView,
            "/elsewhere": audio_views.ElsewhereView,
        },
    ),
    *_of(
        "group-calls",
        {
            "": group_drafts.GroupCallsView,
            "/<int:pk>": group_drafts.GroupCallView,
            "/<int:pk>/copy": group_drafts.CopyGroupCallView,
            "/<int:pk>/again": group_drafts.RepeatGroupCallView,
            "/<int:pk>/update": group_drafts.UpdateGroupCallView,
            "/<int:pk>/template": group_drafts.KeepTemplateView,
            "/<int:pk>/approval": group_approval.GroupCallApprovalView,
            "/<int:pk>/approval/ask": group_approval.GroupCallAskView,
            "/<int:pk>/approval/withdraw": group_approval.GroupCallWithdrawView,
            "/<int:pk>/approval/approve": group_approval.GroupCallApproveView,
            "/<int:pk>/approval/refuse": group_approval.GroupCallRefuseView,
            "/<int:pk>/check": group_views.GroupCallCheckView,
            "/<int:pk>/launch": group_views.GroupCallLaunchView,
            "/<int:pk>/cancel": group_views.GroupCallCancelView,
            "/<int:pk>/take-back": group_acts.TakeBackGroupCallView,
            "/<int:pk>/resume": group_acts.ResumeGroupCallView,
            "/<int:pk>/outside-hours": group_acts.GroupCallOutsideHoursView,
            "/<int:pk>/ask": group_acts.AskGroupCallView,
            "/<int:pk>/unknown": group_acts.LostGroupCallView,
            "/<int:pk>/recipients": group_acts.CalleesView,
            "/sync": voice_sync.GROUP_CALLS,
        },
    ),
    *_of(
        "bindings",
        {
            "": numbers.BindingsView,
            "/<int:pk>": numbers.BindingView,
            "/<int:pk>/unbind": numbers.UnbindView,
            "/sync": numbers_sync.BINDINGS,
        },
    ),
    *_of("binding-requests", {"": number_acts.BindingRequestsView, "/<int:pk>": numbers.BindingRequestView}),
    *_of(
        "pools",
        {
            "": numbers.PoolsView,
            "/<int:pk>": numbers.PoolView,
            "/<int:pk>/adopt": number_acts.AdoptView,
            "/sync": numbers_sync.POOLS,
        },
    ),
    *_of(
        "owned-numbers",
        {
            "": numbers.OwnedNumbersView,
            "/<int:pk>": numbers.OwnedNumberView,
            "/<int:pk>/voicemail": number_acts.VoicemailView,
            "/sync": numbers_sync.OWNED,
        },
    ),
    *_of("templates", {"": rules.TemplatesView, "/<int:pk>": rules.TemplateView}),
    *_of("templates", {"/<int:pk>/versions": rules.TemplateVersionsView}),
    *_of("calendars", {"": rules.CalendarsView, "/<int:pk>": rules.CalendarView}),
    *_of("application-calendars", {"": rules.ApplicationCalendarsView}),
    *_of(
        "budgets",
        {"": budget_views.BudgetsView, "/<int:pk>": budget_views.BudgetView, "/<int:pk>/lift": budget_views.LiftView},
    ),
    *_of("frequency-caps", {"": setting_views.FrequencyCapsView, "/<int:pk>": setting_views.FrequencyCapView}),
    *_of("prices", {"": setting_views.PricesView, "/<int:pk>": setting_views.PriceView}),
    *_of("approval-limits", {"": setting_views.ApprovalLimitsView}),
    *_of(
        "exports",
        {
            "": taken.ExportsView,
            "/<int:pk>": taken.ExportView,
            "/<int:pk>/cancel": taken.ExportCancelView,
            "/<int:pk>/file": taken.ExportFileView,
        },
    ),
    *_of(
        "reports",
        {"": reports.ReportsView, "/<int:pk>": reports.ReportView, "/<int:pk>/send": reports.SendReportView},
    ),
    *_of("report", {"": taken.ReportView}),
    *_of("balance", {"": account_views.BalanceView}),
    *_of(
        "account-holds",
        {
            "": account_views.AccountHoldsView,
            "/<int:pk>": account_views.AccountHoldView,
            "/<int:pk>/ask": account_views.AskAccountHoldView,
            "/<int:pk>/end": account_views.EndAccountHoldView,
        },
    ),
    *_of("health", {"": account_views.HealthView}),
    re_path(r"[\s\S]+", problems.nothing_here),  # also an address with a line feed, which no converter takes
]
