"""The app of voice: what it registers with gateway, messaging and the pages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

CALL_CONTACT = "voice.admin.calls.call_contact"
CALL_FORM = "voice.admin.calls.call_form"
SAY_TO_CONTACTS = "voice.admin.spoken.say_to_contacts"


class VoiceConfig(AppConfig):
    name = "voice"
    label = "voice"
    verbose_name = _("Voice")

    def ready(self) -> None:
        from laaffic_console.gateway.models import Application, Channel, PushKind
        from laaffic_console.gateway.services.inbox import inbox
        from laaffic_console.gateway.services.ledger import subjects
        from laaffic_console.gateway.services.work import bell, moments
        from laaffic_console.kit.registers import gauges
        from laaffic_console.reports import links, reporting
        from messaging.people import contact_actions
        from messaging.registered import person_acts
        from messaging.services.approvals import approvable
        from messaging.services.channels import channels
        from messaging.services.contacts import people
        from messaging.services.figures import proofs
        from messaging.services.gates import frequency
        from voice import meanings
        from voice.models import AudioFile, GroupTask, SipCall, SipPhone
        from voice.registered import console_entries, export_kinds, findable, notice_subjects, person_entries
        from voice.registered.gauges import group_calls
        from voice.services.audio import uploads
        from voice.services.calls import matching as call_matching
        from voice.services.calls import sip_calls as calls
        from voice.services.group_calls import budgets as group_budgets
        from voice.services.group_calls import care as group_care
        from voice.services.group_calls import erasing as group_erasing
        from voice.services.group_calls import proving as task_proving
        from voice.services.group_calls import states as group_state
        from voice.services.group_calls import waiting as group_waiting
        from voice.services.group_calls.approval import GroupTaskDrafts
        from voice.services.phones import evidence as phone_evidence
        from voice.services.records import pushes
        from voice.services.records.period_report_source import CallReports
        from voice.services.spoken.channel import TtsChannel
        from voice.services.syncing import COPIES

        subjects.register(
            {
                uploads.ABOUT: AudioFile,
                group_state.ABOUT: GroupTask,
                call_matching.ABOUT: SipCall,
                phone_evidence.ADDED: Application,
                phone_evidence.RESET: SipPhone,
            }
        )
        channels.register(TtsChannel())
        frequency.counts_too(Channel.VOICE, group_care.had, group_care.has_left_since)
        frequency.counts_too(Channel.SMS, group_care.had_sms, group_care.has_sms_since)
        people.taken_out_too(group_erasing.take_out)
        group_budgets.register()
        approvable.register(GroupTaskDrafts())
        proofs.register(
            proofs.Proved(
                "group_task", GroupTask, task_proving.prove, lambda task: task.number_count, task_proving.is_over
            )
        )
        reporting.register(CallReports())
        links.register("group call", links.Behind(GroupTask, "admin:voice_grouptask_change", "voice.view_grouptask"))
        export_kinds.register_all()
        gauges.register(group_calls)
        findable.register_all()
        console_entries.register_all()
        meanings.register_all()
        person_entries.register_all()
        notice_subjects.register_all()
        bell.sweep_with("voice.jobs.sweep")
        COPIES.may_take_long()
        moments.await_with(group_waiting.START_JOB, group_waiting.launches_due)
        inbox.applied_by(PushKind.VOICE_REPORT, pushes.INBOX.job, is_retried=True)
        inbox.applied_by(PushKind.VOICE_RINGING, pushes.RINGING.job)
        contact_actions.register(
            contact_actions.ContactAction("call", _("Call from a SIP phone …"), "voice.add_sipcall", CALL_CONTACT)
        )
        contact_actions.register(
            contact_actions.ContactAction(
                "say", _("Send a spoken message …"), "messaging.add_campaign", SAY_TO_CONTACTS
            )
        )
        person_acts.register(
            person_acts.PersonAct(
                "call", _("Call"), "voice.add_sipcall", CALL_FORM, calls.SUPPRESSED_ON, _("Suppressed: is not called.")
            )
        )
