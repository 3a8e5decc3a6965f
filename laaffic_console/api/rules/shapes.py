"""What requests and answers about templates, calendars, budgets, caps, prices and approval limits look like."""

from typing import Any

from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from laaffic_console.gateway.models.channels import CAMPAIGN_CHANNELS, choices_of
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.plain_text import capitals
from messaging.models import Budget as Row


class TemplateRequest(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    text = serializers.CharField(trim_whitespace=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class TemplateChange(serializers.Serializer):
    name = serializers.CharField(max_length=120, required=False)
    text = serializers.CharField(trim_whitespace=False, required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="kept with a new text")


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


HOURS = "such as mon-fri 09:00-20:00, or IN, BD: mon-sat 10:00-19:00"
DATES = "such as 2026-12-25, or IN: 2026-08-15"
LINE, LINES = 1000, 1000


class CalendarRequest(serializers.Serializer):
    name = serializers.CharField(max_length=60)
    hours = serializers.ListField(child=serializers.CharField(max_length=LINE), max_length=LINES, help_text=HOURS)
    left_out = serializers.ListField(
        child=serializers.CharField(max_length=LINE), max_length=LINES, required=False, default=list, help_text=DATES
    )


class CalendarChange(serializers.Serializer):
    """A field that is left out stays as it is; a list is replaced as a whole."""

    name = serializers.CharField(max_length=60, required=False)
    hours = serializers.ListField(
        child=serializers.CharField(max_length=LINE), max_length=LINES, required=False, help_text=HOURS
    )
    left_out = serializers.ListField(
        child=serializers.CharField(max_length=LINE), max_length=LINES, required=False, help_text=DATES
    )


class ApplicationCalendarRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId")
    calendar = serializers.CharField(max_length=120, allow_null=True, help_text="its name; null: none")


class ApplicationCalendar(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    calendar = serializers.CharField(allow_null=True)


class Calendar(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    hours = serializers.ListField(child=serializers.CharField(), help_text="such as mon-fri 09:00-20:00")
    left_out = serializers.ListField(child=serializers.CharField(), help_text="dates")
    applications = serializers.ListField(child=serializers.CharField(), help_text="appIds whose campaigns keep it")


class Limit(serializers.DecimalField):
    """A number of messages, or an amount in the budget's currency."""

    def __init__(self, **given: Any) -> None:
        super().__init__(max_digits=16, decimal_places=6, help_text="messages, or an amount", **given)


class BudgetRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId")
    per = serializers.ChoiceField(choices=Row.Per.choices, required=False, default=Row.Per.DAY.value)
    currency = serializers.CharField(
        max_length=8,
        required=False,
        allow_blank=True,
        default="",
        help_text="such as USD; empty: the limit is messages",
    )
    limit = Limit()


class BudgetChange(serializers.Serializer):
    limit = Limit(required=False)


class BudgetLiftRequest(serializers.Serializer):
    why = serializers.CharField(max_length=200, help_text="kept with your name, and shown in the list")
    starts_on = serializers.DateField(help_text="as GET had it: the period that is lifted, and no other")


class Budget(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    per = serializers.ChoiceField(choices=Row.Per.choices)
    currency = serializers.CharField(allow_blank=True, help_text="empty: the limit is a number of messages")
    limit = serializers.CharField()
    used = serializers.CharField()
    left = serializers.CharField()
    percent = serializers.IntegerField()
    starts_on = serializers.DateField(help_text="the period of today")
    is_lifted = serializers.BooleanField(help_text="by an approver's word, until the period ends")


MOST = 2**31 - 1
MOST_PRICES = 1000


class Cap(serializers.IntegerField):
    def __init__(self, **given: Any) -> None:
        said = "messages for one person; 0: no limit, null: the console's own"
        super().__init__(min_value=0, max_value=MOST, required=False, allow_null=True, help_text=said, **given)


class FrequencyCapRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId")
    per_day = Cap()
    per_week = Cap()


class FrequencyCapChange(serializers.Serializer):
    per_day = Cap()
    per_week = Cap()


class FrequencyCap(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    per_day = serializers.IntegerField(allow_null=True)
    per_week = serializers.IntegerField(allow_null=True)


class PriceQuery(ListQuery):
    channel = serializers.ChoiceField(choices=choices_of(CAMPAIGN_CHANNELS), required=False)


def letters(n: int, said: str) -> serializers.RegexField:
    return serializers.RegexField(rf"^[A-Za-z]{{{n}}}\Z", help_text=said, error_messages={"invalid": f"Give {said}."})


class PriceGiven(serializers.Serializer):
    channel = serializers.ChoiceField(choices=choices_of(CAMPAIGN_CHANNELS), required=False, default="sms")
    country = letters(2, "two letters, such as IN")
    price = serializers.DecimalField(max_digits=12, decimal_places=6, min_value=0, help_text="of a segment")
    currency = letters(3, "three letters, such as USD")

    def validate_country(self, written: str) -> str:
        """Refuse a code such as “UK” that no number's country has: its price would be on the list and never count."""
        return countries.read(written)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "currency": capitals(data["currency"])}


class PricesRequest(serializers.Serializer):
    prices = serializers.ListField(child=PriceGiven(), allow_empty=False, max_length=MOST_PRICES)


class ListPrice(serializers.Serializer):
    id = serializers.IntegerField()
    channel = serializers.ChoiceField(choices=choices_of(CAMPAIGN_CHANNELS))
    country = serializers.CharField()
    price = serializers.CharField()
    currency = serializers.CharField()
    charged = serializers.CharField(allow_null=True, help_text="each, as the last reports say")
    charged_currency = serializers.CharField(allow_blank=True)


class PricesKept(serializers.Serializer):
    prices = serializers.IntegerField(help_text="how many countries were given a price")


class ApprovalLimitsChange(serializers.Serializer):
    recipients = serializers.IntegerField(
        min_value=0,
        max_value=MOST,
        required=False,
        allow_null=True,
        help_text="0: never; null: as the environment says",
    )
    cost = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="1000, or USD 1000, EUR 900; empty: the environment"
    )


class ApprovalLimits(serializers.Serializer):
    recipients = serializers.IntegerField(allow_null=True)
    cost = serializers.CharField(allow_blank=True)
    recipients_in_force = serializers.IntegerField(help_text="with what the environment says")
    cost_in_force = serializers.CharField()
