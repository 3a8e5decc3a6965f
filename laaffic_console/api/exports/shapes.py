"""What requests and answers about exports and reports look like."""

from typing import Any

from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from laaffic_console.exporting.models import Export as Row
from laaffic_console.reports.reporting import COLUMNS, DIMENSIONS

# Exports about one row, by their names in requests, with the parameter that says which row.
OF_ONE = {
    "campaign recipients": "campaign",
    "campaign dossier": "campaign",
    "email campaign recipients": "campaign",
    "email campaign dossier": "campaign",
    "group call recipients": "task",
    "group call dossier": "campaign",
}
LISTS = {
    "messages": "messaging.message",
    "contacts": "messaging.contact",
    "suppression": "messaging.suppressionentry",
    "consents": "messaging.consent",
    "replies": "messaging.reply",
    "emails": "messaging.emailmessage",
    "calls": "voice.sipcall",
    "call records": "voice.callrecord",
    "group calls": "voice.grouptask",
    "bindings": "numbers.binding",
    "pools": "numbers.numberpool",
    "owned numbers": "numbers.ownednumber",
    "ledger": "gateway.ledgerentry",
}


class ExportRequest(serializers.Serializer):
    kind = serializers.ChoiceField(choices=[*OF_ONE, *LISTS])
    id = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, help_text="of the campaign or the group call"
    )
    query = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text="of a list: as in its page's address, behind the ?"
    )
    format = serializers.ChoiceField(choices=Row.Format.choices, required=False, help_text="csv; zip of a dossier")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        needs, other = ("id", "query") if data["kind"] in OF_ONE else ("query", "id")
        if other in data:
            raise serializers.ValidationError(f"“{data['kind']}” takes no “{other}”. Leave it out.")
        if needs == "id" and "id" not in data:
            raise serializers.ValidationError(f"Say in “id” of which one the {data['kind']} are.")
        return data


class ExportQuery(ListQuery):
    state = serializers.ChoiceField(choices=Row.State.choices, required=False)


class Export(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    format = serializers.ChoiceField(choices=Row.Format.choices)
    state = serializers.ChoiceField(choices=Row.State.choices)
    problem = serializers.CharField(allow_blank=True)
    rows = serializers.IntegerField()
    rows_expected = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField()
    asked_by = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    is_there = serializers.BooleanField(
        help_text="…/file has it; a finished export without it is to be asked for again"
    )


class Names(serializers.CharField):
    """Names separated by commas, in a query."""

    def to_internal_value(self, data: Any) -> list[str]:
        return [one.strip() for one in super().to_internal_value(data).split(",") if one.strip()]


ONLY = ("channel", "application", "country", "campaign", "sender", "person")


class ReportQuery(serializers.Serializer):
    first = serializers.DateField(help_text="the first day")
    last = serializers.DateField(help_text="the last day, included")
    by = Names(required=False, max_length=200, help_text=f"with commas between: {', '.join(DIMENSIONS)}")
    columns = Names(required=False, max_length=1000, help_text=f"with commas between: {', '.join(COLUMNS)}")
    compare = serializers.BooleanField(required=False, default=False, help_text="with as many days before")
    channel = Names(required=False, max_length=200, help_text="only these, with commas between; - for none")
    application = Names(required=False, max_length=1000, help_text="only these appIds")
    country = Names(required=False, max_length=1000, help_text="only these, such as IN")
    campaign = Names(required=False, max_length=1000, help_text="only these: 12, email:12 or group:12")
    sender = Names(required=False, max_length=1000, help_text="only these sender IDs")
    person = Names(required=False, max_length=1000, help_text="only what these people launched, by user name")


class Figures(serializers.Serializer):
    """The same document as `manage.py report --json`, here with “from”, “to” and “before”."""

    by = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.DictField(), help_text="what they are by, and the columns")
    totals = serializers.DictField(help_text="the columns")
