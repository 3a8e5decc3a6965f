"""What messaging sends, what its requests are about, and what can be sent to one person."""

from django.utils.translation import gettext_lazy as _

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.ledger import subjects
from messaging.models import Campaign, EmailCampaign, MmsAttachment
from messaging.registered import person_acts
from messaging.services.channels import channels
from messaging.services.email import states as email_states
from messaging.services.mms import attachments
from messaging.services.mms.mms_channel import MmsChannel
from messaging.services.sms.sms_channel import SmsChannel

SMS_FORM = "messaging.admin.contacts.contacts.sms_form"


def register_all() -> None:
    channels.register(SmsChannel())
    channels.register(MmsChannel())
    subjects.register({"campaign": Campaign, email_states.ABOUT: EmailCampaign, attachments.ABOUT: MmsAttachment})
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
