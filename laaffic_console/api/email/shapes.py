"""What requests and answers about email campaigns look like."""

from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from laaffic_console.api.shapes import (
    HOLD_KINDS,
    PURPOSES,
    CareRequest,
    ChangeRequest,
    Check,
    LaafficRequest,
    Moment,
    ResumeRequest,
    seen_request,
    starts_at,
    why_again,
)
from laaffic_console.gateway.models import EntryState
from messaging.models import EmailCampaign as Row
from messaging.models import EmailLookup
from messaging.models.emails import Delivery, Submission

STATES = Row.State.choices
SUBMISSIONS = {one.name.lower(): one.value for one in Submission}
DELIVERIES = {one.name.lower(): one.value for one in Delivery}


class EmailCampaignRequest(CareRequest):
    name = serializers.CharField(max_length=120, required=False, help_text="otherwise the subject")
    application = serializers.CharField(max_length=40, help_text="appId of an email application")
    from_address = serializers.CharField(max_length=254)
    receiver_id = serializers.CharField(max_length=64, help_text="of a recipient list at Laaffic")
    template_id = serializers.CharField(max_length=64, help_text="of an approved template")
    subject = serializers.CharField(max_length=400, trim_whitespace=False)
    language = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
    ad_flag = serializers.ChoiceField(choices=[0, 1, 2], required=False, allow_null=True)
    trigger_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False, allow_null=True)
    unsubscribe = serializers.BooleanField(required=False, allow_null=True, help_text="add a link to unsubscribe")
    scheduled_at = Moment(required=False, allow_null=True)
    consent_known_by = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="how all on the list are known to agree"
    )


class EmailCampaignChange(ChangeRequest):
    name = serializers.CharField(max_length=120, required=False)
    application = serializers.CharField(max_length=40, required=False, help_text="appId of an email application")
    from_address = serializers.CharField(max_length=254, required=False)
    receiver_id = serializers.CharField(max_length=64, required=False, help_text="of a recipient list at Laaffic")
    template_id = serializers.CharField(max_length=64, required=False, help_text="of an approved template")
    subject = serializers.CharField(max_length=400, required=False, trim_whitespace=False)
    language = serializers.CharField(max_length=16, required=False, allow_blank=True)
    ad_flag = serializers.ChoiceField(choices=[0, 1, 2], required=False, allow_null=True)
    trigger_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False, allow_null=True)
    unsubscribe = serializers.BooleanField(required=False, allow_null=True)
    scheduled_at = Moment(required=False, allow_null=True)
    consent_known_by = serializers.CharField(max_length=200, required=False, allow_blank=True)
    calendar = serializers.CharField(max_length=120, required=False, allow_null=True, help_text="its name")
    not_after = Moment(required=False, allow_null=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, required=False, allow_blank=True)
    seen = serializers.CharField(max_length=64, help_text="of GET: nothing else is changed")


class EmailTestRequest(serializers.Serializer):
    address = serializers.CharField(max_length=254)
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        required=False,
        default=dict,
        help_text="of the template's variables",
    )
    again = why_again()


class EmailTestAnswer(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the campaign")
    state = serializers.ChoiceField(
        choices=EntryState.choices, allow_null=True, help_text="unknown: look into the mailbox before you send another"
    )
    note = serializers.CharField(required=False)


class LostEmail(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    seen = serializers.IntegerField(help_text="of the request that a word is about: send it with the word")
    may_have_arrived = serializers.BooleanField()
    requests = LaafficRequest(many=True, help_text="to Laaffic, the newest first")


class EmailWordRequest(serializers.Serializer):
    word = serializers.ChoiceField(choices=["send_again", "write_off"])
    reason = serializers.CharField(max_length=200, help_text="kept in its history")
    seen = seen_request()


class EmailCampaignQuery(ListQuery):
    state = serializers.ChoiceField(choices=STATES, required=False)


class EmailCampaign(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    application = serializers.CharField()
    from_address = serializers.CharField()
    receiver_id = serializers.CharField()
    template_id = serializers.CharField()
    subject = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    hold_reason = serializers.CharField(allow_blank=True)
    hold_kind = serializers.ChoiceField(choices=HOLD_KINDS, allow_blank=True)
    wait_reason = serializers.CharField(allow_blank=True)
    calendar = serializers.CharField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, allow_blank=True)
    consent_known_by = serializers.CharField(allow_blank=True)
    task_id = serializers.CharField(allow_blank=True)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    launched_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    language = serializers.CharField(allow_blank=True)
    ad_flag = serializers.IntegerField(allow_null=True)
    trigger_id = serializers.IntegerField(allow_null=True)
    unsubscribe = serializers.BooleanField(allow_null=True)
    seen = serializers.CharField(help_text="send it with a change")


class EmailStanding(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)


class ResumeEmailRequest(ResumeRequest):
    again = why_again()


class EmailCheckAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    recipients = serializers.IntegerField(allow_null=True, help_text="on the list, as Laaffic told last")
    starts_at = starts_at()
    checks = Check(many=True)
    shown = serializers.CharField(help_text="send it with the launch: nothing else is launched then")


class EmailReport(serializers.Serializer):
    """The same document as `manage.py email report --json`."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    task_id = serializers.CharField(allow_blank=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, allow_blank=True)
    consent_known_by = serializers.CharField(allow_blank=True)
    hold_reason = serializers.CharField(allow_blank=True, help_text="why it is held, such as a frequency cap")
    hold_kind = serializers.ChoiceField(choices=HOLD_KINDS, allow_blank=True)
    addresses_on_list = serializers.IntegerField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class EmailRecipientQuery(ListQuery):
    submission = serializers.ChoiceField(choices=list(SUBMISSIONS), required=False)
    delivery = serializers.ChoiceField(choices=list(DELIVERIES), required=False)


class EmailRecipient(serializers.Serializer):
    id = serializers.IntegerField()
    address = serializers.CharField(allow_blank=True)
    submission = serializers.ChoiceField(choices=list(SUBMISSIONS))
    delivery = serializers.ChoiceField(choices=list(DELIVERIES))
    remark = serializers.CharField(allow_blank=True)
    told_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)


class LookUpRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, required=False, help_text="appId; otherwise all for email")


class LookUp(serializers.Serializer):
    application = serializers.CharField()
    kind = serializers.ChoiceField(choices=EmailLookup.Kind.choices)
    choices = serializers.IntegerField(help_text="how many there are now: GET /email-choices has them")
    problem = serializers.CharField(allow_blank=True, help_text="what hindered it: the choices are those of before")
    answered_at = serializers.DateTimeField(allow_null=True)


class LookedUp(serializers.Serializer):
    lookups = LookUp(many=True)


class EmailChoiceQuery(ListQuery):
    application = serializers.CharField(max_length=40, required=False)
    kind = serializers.ChoiceField(choices=EmailLookup.Kind.choices, required=False)


class EmailChoice(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    kind = serializers.ChoiceField(choices=EmailLookup.Kind.choices)
    value = serializers.CharField(help_text="as a request names it")
    name = serializers.CharField(allow_blank=True)
    answered_at = serializers.DateTimeField(allow_null=True)
