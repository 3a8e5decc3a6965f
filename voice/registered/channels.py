"""What voice sends, what its requests are about, and what can be done with one person's number."""

from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.ledger import subjects
from messaging.people import contact_actions
from messaging.people.contact_actions import ContactAction
from messaging.registered import person_acts
from messaging.services.channels import channels
from voice.models import AudioFile, GroupTask, SipCall, SipPhone
from voice.services.audio import uploads
from voice.services.calls import matching as call_matching
from voice.services.calls import sip_calls
from voice.services.group_calls import states as group_state
from voice.services.phones import evidence as phone_evidence
from voice.services.spoken.channel import TtsChannel

CALL_CONTACT = "voice.admin.calls.call_contact"
CALL_FORM = "voice.admin.calls.call_form"
SAY_TO_CONTACTS = "voice.admin.spoken.say_to_contacts"


def register_all() -> None:
    channels.register(TtsChannel())
    subjects.register(
        {
            uploads.ABOUT: AudioFile,
            group_state.ABOUT: GroupTask,
            call_matching.ABOUT: SipCall,
            phone_evidence.ADDED: Application,
            phone_evidence.RESET: SipPhone,
        }
    )
    contact_actions.register(ContactAction("call", _("Call from a SIP phone …"), "voice.add_sipcall", CALL_CONTACT))
    contact_actions.register(
        ContactAction("say", _("Send a spoken message …"), "messaging.add_campaign", SAY_TO_CONTACTS)
    )
    person_acts.register(
        person_acts.PersonAct(
            "call", _("Call"), "voice.add_sipcall", CALL_FORM, sip_calls.SUPPRESSED_ON, _("Suppressed: is not called.")
        )
    )
