"""What requests and answers about saved reports look like."""

from rest_framework import serializers

from laaffic_console.reports.models import Report as Row
from laaffic_console.reports.models import Sending
from laaffic_console.reports.services import saving


class ReportRequest(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    query = serializers.CharField(
        max_length=saving.LONGEST_QUERY,
        allow_blank=True,
        help_text="as in the address of the reports' page, behind the ?: period=last_month&by=channel",
    )
    is_shared = serializers.BooleanField(required=False, help_text="everybody who may see reports sees it")
    schedule = serializers.ChoiceField(choices=Row.Schedule.choices, required=False, help_text="sent by email")
    weekday = serializers.ChoiceField(choices=Row.Weekday.choices, required=False, help_text="0 is Monday")
    month_day = serializers.IntegerField(min_value=1, max_value=28, required=False)
    hour = serializers.IntegerField(min_value=0, max_value=23, required=False, help_text="by the console's clock")
    format = serializers.ChoiceField(choices=Row.Format.choices, required=False)
    users = serializers.ListField(
        child=serializers.CharField(max_length=150),
        max_length=saving.MOST_RECIPIENTS,
        required=False,
        help_text="names of people of this console, at the address in their account",
    )
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=254), max_length=saving.MOST_RECIPIENTS, required=False
    )


class ReportChange(ReportRequest):
    """A field that is left out stays as it is."""

    name = serializers.CharField(max_length=100, required=False)
    query = serializers.CharField(max_length=saving.LONGEST_QUERY, allow_blank=True, required=False)


class LastSending(serializers.Serializer):
    state = serializers.ChoiceField(choices=Sending.State.choices)
    made_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    recipients = serializers.IntegerField()
    problem = serializers.CharField(allow_blank=True)


class SavedReport(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    owner = serializers.CharField()
    query = serializers.CharField()
    is_shared = serializers.BooleanField()
    schedule = serializers.ChoiceField(choices=Row.Schedule.choices)
    weekday = serializers.IntegerField()
    month_day = serializers.IntegerField()
    hour = serializers.IntegerField()
    format = serializers.ChoiceField(choices=Row.Format.choices)
    users = serializers.ListField(child=serializers.CharField())
    addresses = serializers.ListField(child=serializers.CharField(), help_text="only of one's own")
    next_at = serializers.DateTimeField(allow_null=True, help_text="null: it is not sent by itself")
    last_sending = LastSending(allow_null=True)
