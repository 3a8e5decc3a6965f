"""Frequency caps of applications that differ from the console's settings."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.forms.shared_rows import SharedRowAdmin
from messaging.models import FrequencyCap


@admin.register(FrequencyCap)
class FrequencyCapAdmin(SharedRowAdmin, ModelAdmin):
    when_empty = gettext_lazy(
        "The console's own caps hold for every application. Add one where an application differs."
    )
    list_display = ["application", "per_day", "per_week", "updated_at"]
    list_select_related = ["application"]
    list_per_page = 100
    fields = ["application", "per_day", "per_week"]
