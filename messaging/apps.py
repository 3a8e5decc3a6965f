"""The app of messaging: what it registers with gateway, events, exports and pages."""

from django.apps import AppConfig
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save
from django.utils.translation import gettext_lazy as _

SMS_FORM = "messaging.admin.contacts.contacts.sms_form"


class MessagingConfig(AppConfig):
    name = "messaging"
    label = "messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from django.conf import settings
        from django.contrib.auth.models import Group, User

        from laaffic_console.gateway.models import Channel, PushKind
        from laaffic_console.gateway.services.account import account_hold
        from laaffic_console.gateway.services.database import perseverance
        from laaffic_console.gateway.services.inbox import inbox
        from laaffic_console.gateway.services.ledger import subjects
        from laaffic_console.gateway.services.work import bell, long_jobs, moments
        from laaffic_console.gateway.services.work.long_jobs import LongJob
        from laaffic_console.kit.registers import gauges
        from laaffic_console.reports import reporting
        from messaging import job_names, meanings, search_indexes
        from messaging.models import Campaign, EmailCampaign, MmsAttachment
        from messaging.people import person_timeline
        from messaging.registered import (
            console_entries,
            export_kinds,
            findable,
            health_signs,
            notice_subjects,
            person_acts,
            person_entries,
            report_links,
        )
        from messaging.registered.gauges import campaigns_and_messages
        from messaging.services.approvals import approvable
        from messaging.services.batches import waiting
        from messaging.services.budgets import budget_gate, earlier_requests
        from messaging.services.campaigns import starting
        from messaging.services.campaigns.approval import CampaignDrafts
        from messaging.services.channels import channels
        from messaging.services.email import callbacks
        from messaging.services.email import counting as email_counting
        from messaging.services.email import deliveries as email_deliveries
        from messaging.services.email import starting as email_starting
        from messaging.services.email import states as email_states
        from messaging.services.email.approval import EmailDrafts
        from messaging.services.email.period_report_source import EmailReports
        from messaging.services.figures import proofs, proving, thread
        from messaging.services.figures.period_report_source import MessageReports
        from messaging.services.figures.proofs import Proved
        from messaging.services.gates import canary, consent, frequency, gates, retries, sending_hours
        from messaging.services.imports import consent_imports, imports, uploaded
        from messaging.services.imports import forecast as import_forecast
        from messaging.services.mms import attachments
        from messaging.services.mms.mms_channel import MmsChannel
        from messaging.services.replies import conversations, reply_pulls, reply_pushes
        from messaging.services.reports import report_pulls, report_pushes
        from messaging.services.sms.sms_channel import SmsChannel
        from messaging.services.tallies import counting

        post_migrate.connect(search_indexes.create, sender=self)
        post_save.connect(conversations.let_go, settings.AUTH_USER_MODEL, dispatch_uid="conversations of who left")
        for given in (User.groups.through, User.user_permissions.through, Group.permissions.through):
            uid = f"conversations of who may not answer: {given.__name__}"
            m2m_changed.connect(conversations.let_go_of_rights, given, dispatch_uid=uid)
        post_delete.connect(conversations.let_go_of_rights, Group, dispatch_uid="conversations of a role that went")
        subjects.register({"campaign": Campaign, email_states.ABOUT: EmailCampaign, attachments.ABOUT: MmsAttachment})
        findable.register_all()
        console_entries.register_all()
        health_signs.register_all()
        meanings.register_all()
        gauges.register(campaigns_and_messages)
        person_entries.register_all()
        notice_subjects.register_all()
        person_timeline.register(thread.NOTES)
        channels.register(SmsChannel())
        channels.register(MmsChannel())
        person_acts.register(
            person_acts.PersonAct(
                "send-sms",
                _("Send SMS"),
                "messaging.add_campaign",
                SMS_FORM,
                channels.named(Channel.SMS).suppressed_on,
                _("Suppressed: gets no SMS."),
            )
        )
        gates.register(canary.KIND)
        gates.register(retries.KIND)
        gates.register(consent.KIND)
        gates.register(sending_hours.KIND)
        gates.register(frequency.KIND)
        gates.register(budget_gate.KIND)
        earlier_requests.told_by(email_states.ABOUT, email_states.earlier)
        approvable.register(CampaignDrafts())
        approvable.register(EmailDrafts())
        long_jobs.register(LongJob(proofs.JOB, proofs.is_waiting, proofs.TASK_SECONDS))
        proofs.register(
            Proved(
                "campaign", Campaign, proving.prove, lambda sent: sent.total, lambda sent: sent.state in counting.OVER
            )
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
        reporting.register(MessageReports())
        reporting.register(EmailReports())
        bell.sweep_with("messaging.jobs.sweep")
        moments.await_with(starting.START_JOB, starting.launches_due)
        for asking in (report_pulls.JOB, email_deliveries.JOB, reply_pulls.JOB):
            bell.may_take(asking, report_pulls.task_seconds())
        for reads_a_file in (imports.JOB, import_forecast.JOB, consent_imports.JOB):
            bell.may_take(reads_a_file, uploaded.TASK_SECONDS)
        bell.may_take(job_names.SEND_CAMPAIGN, perseverance.PATIENCE + settings.Q_CLUSTER["timeout"])
        moments.await_with(job_names.SEND_CAMPAIGN, waiting.moments_due)
        moments.await_with(email_starting.START_JOB, email_starting.launches_due)
        moments.await_with(email_starting.MOMENT_JOB, email_starting.requests_due)
        account_hold.follow_with(job_names.FOLLOW_ACCOUNT)
        inbox.applied_by(PushKind.SMS_REPORT, report_pushes.INBOX.job, is_retried=True)
        inbox.applied_by(PushKind.SMS_REPLY, reply_pushes.INBOX.job)
        inbox.applied_by(PushKind.EMAIL_REPORT, callbacks.INBOX.job, is_retried=True)
        export_kinds.register_all()
        report_links.register_all()
