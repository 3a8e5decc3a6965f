"""What answers about templates, calendars and budgets look like."""

from rest_framework import serializers

from messaging.models import Budget as Row


class TemplateRequest(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    text = serializers.CharField(trim_whitespace=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class Template(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class TemplateVersion(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    name = serializers.CharField(help_text="as it was called then")
    text = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class Calendar(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hours = serializers.ListField(child=serializers.CharField(), help_text="such as mon-fri 09:00-20:00")
    left_out = serializers.ListField(child=serializers.CharField(), help_text="dates")
    applications = serializers.ListField(child=serializers.CharField(), help_text="appIds whose campaigns keep it")


class Budget(serializers.Serializer):
    application = serializers.CharField()
    per = serializers.ChoiceField(choices=Row.Per.choices)
    currency = serializers.CharField(allow_blank=True, help_text="empty: the limit is a number of messages")
    limit = serializers.CharField()
    used = serializers.CharField()
    left = serializers.CharField()
    percent = serializers.IntegerField()
    starts_on = serializers.DateField(help_text="the period of today")
    is_lifted = serializers.BooleanField(help_text="by an approver's word, until the period ends")


class Budgets(serializers.Serializer):
    items = Budget(many=True)
