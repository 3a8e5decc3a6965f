"""What requests and answers about bindings, pools and owned numbers look like."""

from typing import Any

from rest_framework import serializers

from laaffic_console.api.handling.views import Flag, ListQuery
from laaffic_console.api.shapes import SENT_STATES, why_again
from phone_numbers.models import Binding as Row
from phone_numbers.models import BindingRequest, OwnedNumber, PoolVersion
from phone_numbers.pool_config import MAX_CONCURRENCY, MAX_POOL_NUMBER
from phone_numbers.services.binding_changes import MAX_SECONDS
from phone_numbers.services.owned_changes import SECONDS, TEXTS

KINDS = {"axb": 1, "axxb": 2}
Texts = serializers.ListField


class BindRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId of an application for numbers")
    a = serializers.CharField(max_length=60)
    b = serializers.CharField(max_length=60)
    pool = serializers.CharField(max_length=MAX_POOL_NUMBER, help_text="poolNumber")
    seconds = serializers.IntegerField(min_value=1, max_value=MAX_SECONDS, required=False, default=3600)
    kind = serializers.ChoiceField(choices=list(KINDS), required=False, default="axb")
    again = why_again()


class UnbindRequest(serializers.Serializer):
    seen = serializers.CharField(
        max_length=64, required=False, help_text="of GET: the binding of no other two numbers is ended"
    )
    again = why_again()


class BindingQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60, help_text="A, B or what they see; all of it")
    is_live = Flag()


class Binding(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    bind_id = serializers.CharField()
    a = serializers.CharField()
    b = serializers.CharField()
    a_sees = serializers.CharField(allow_blank=True)
    b_sees = serializers.CharField(allow_blank=True)
    pool = serializers.CharField(allow_blank=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.ChoiceField(choices=Row.Ending.choices, allow_blank=True)
    seen = serializers.CharField(help_text="for the two numbers: send it to unbind")


class AskedBinding(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the request")
    verb = serializers.ChoiceField(choices=BindingRequest.Verb.choices)
    state = serializers.ChoiceField(
        choices=SENT_STATES, allow_null=True, help_text="unknown: the list will show it soon"
    )
    binding = Binding(allow_null=True, help_text="once it is known")
    at = serializers.DateTimeField()


class PoolChange(serializers.Serializer):
    """A field that is left out stays as it is in our version."""

    whitelist = Texts(child=serializers.CharField(max_length=60), required=False, help_text="all addresses")
    concurrency = serializers.IntegerField(min_value=0, max_value=MAX_CONCURRENCY, required=False)
    numbers = Texts(child=serializers.CharField(max_length=40), required=False, help_text="all numbers")
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, help_text="apply this one")
    rename = serializers.CharField(max_length=MAX_POOL_NUMBER, required=False)
    seen = serializers.CharField(max_length=80, help_text="of GET: nothing else is replaced")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if "version" in data and set(data) - {"version", "seen"}:
            raise serializers.ValidationError("Give either a “version” to apply again, or what is to change.")
        return data


class AdoptRequest(serializers.Serializer):
    seen = serializers.CharField(max_length=80, help_text="of GET: nothing else is taken over")


class PoolRequest(serializers.Serializer):
    pool = serializers.CharField(max_length=MAX_POOL_NUMBER, help_text="poolNumber")
    whitelist = Texts(child=serializers.CharField(max_length=60))
    concurrency = serializers.IntegerField(min_value=0, max_value=MAX_CONCURRENCY)
    numbers = Texts(child=serializers.CharField(max_length=40), required=False, default=list)
    at_laaffic = serializers.BooleanField(
        default=False, help_text="Laaffic has it and does not list it: all its settings are replaced"
    )


class Version(serializers.Serializer):
    id = serializers.IntegerField()
    pool = serializers.CharField()
    number = serializers.IntegerField()
    origin = serializers.ChoiceField(choices=PoolVersion.Origin.choices)
    state = serializers.ChoiceField(choices=SENT_STATES, allow_null=True)
    whitelist = Texts(child=serializers.CharField())
    concurrency = serializers.IntegerField()
    numbers = Texts(child=serializers.CharField())
    at = serializers.DateTimeField()


class PoolListed(serializers.Serializer):
    id = serializers.IntegerField()
    pool = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    drifted = serializers.BooleanField(help_text="Laaffic holds something else than our version")
    gone = serializers.BooleanField()
    whitelist = Texts(child=serializers.CharField(), help_text="at Laaffic")
    concurrency = serializers.IntegerField(allow_null=True)
    numbers = Texts(child=serializers.CharField())
    seen = serializers.CharField(help_text="send it with a change")


class Pool(PoolListed):
    difference = serializers.DictField(help_text="between our version and what Laaffic holds")
    versions = Version(many=True, help_text="the newest 50")


class OwnedQuery(ListQuery):
    is_gone = Flag()


class OwnedChange(serializers.Serializer):
    """A field that is left out stays as it is at Laaffic."""

    remark = serializers.CharField(max_length=TEXTS["remark"], required=False, allow_blank=True)
    app_id = serializers.CharField(max_length=TEXTS["app_id"], required=False, allow_blank=True)
    inbound_prefix = serializers.CharField(max_length=TEXTS["inbound_prefix"], required=False, allow_blank=True)
    in_addresses = serializers.CharField(max_length=TEXTS["in_addresses"], required=False, allow_blank=True)
    out_addresses = serializers.CharField(max_length=TEXTS["out_addresses"], required=False, allow_blank=True)
    voicemail = serializers.BooleanField(required=False)
    voicemail_seconds = serializers.IntegerField(min_value=SECONDS[0], max_value=SECONDS[1], required=False)
    seen = serializers.CharField(max_length=64, help_text="of GET: nothing else is replaced")


class VoicemailRequest(serializers.Serializer):
    file = serializers.FileField(help_text="mp3, wav or m4a, at most 5 MB")
    seen = serializers.CharField(max_length=64, help_text="of GET: nothing else is replaced")


class Owned(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    country = serializers.CharField(allow_blank=True)
    type = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=[one.name.lower() for one in OwnedNumber.State], allow_null=True)
    due_date = serializers.DateField(allow_null=True)
    auto_renew = serializers.BooleanField(allow_null=True)
    remark = serializers.CharField(allow_blank=True)
    app_id = serializers.CharField(allow_blank=True)
    inbound_prefix = serializers.CharField(allow_blank=True)
    in_addresses = serializers.CharField(allow_blank=True)
    out_addresses = serializers.CharField(allow_blank=True)
    voicemail = serializers.BooleanField(allow_null=True)
    voicemail_seconds = serializers.IntegerField(allow_null=True)
    gone_at = serializers.DateTimeField(allow_null=True)
    seen = serializers.CharField(help_text="send it with a change")


class OwnedChanged(Owned):
    request = serializers.ChoiceField(
        choices=SENT_STATES, allow_null=True, help_text="state of the last change; unknown: the list will show it soon"
    )
