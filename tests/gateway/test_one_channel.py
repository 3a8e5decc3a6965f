"""One list of channels; applications, campaigns and the suppression list name parts of it."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import Choices, TextChoices

from laaffic_console.gateway.models import (
    APPLICATION_CHANNELS,
    CAMPAIGN_CHANNELS,
    SUPPRESSION_CHANNELS,
    Application,
    Channel,
)
from messaging.models import SuppressionEntry
from messaging.services.channels import channels


def all_below(kind: type[Choices]) -> set[type[Choices]]:
    return {below for one in kind.__subclasses__() for below in {one, *all_below(one)}}


class OneChannelTests:
    def test_no_other_list_of_channels(self) -> None:
        ours = {one for one in all_below(TextChoices) if not one.__module__.startswith(("django.", "tests."))}

        assert {one for one in ours if len({*one.values} & {*Channel.values}) > 1} == {Channel}

    def test_each_field_offers_a_part_of_it(self) -> None:
        parts = [{(one.value, one.label) for one in part} for part in (APPLICATION_CHANNELS, CAMPAIGN_CHANNELS)]
        parts.append({(one.value, one.label) for one in SUPPRESSION_CHANNELS})
        fields = [
            field
            for model in apps.get_models()
            if not model._meta.proxy
            for field in model._meta.concrete_fields
            if field.name == "channel" and field.choices
        ]

        assert len(fields) == 8
        assert all(set(field.flatchoices) in parts for field in fields)

    def test_every_channel_that_sends_is_one_of_them(self) -> None:
        for key in CAMPAIGN_CHANNELS:
            channel = channels.named(key)

            assert channel.application_channel in APPLICATION_CHANNELS
            assert set(channel.suppressed_on) <= {one.value for one in SUPPRESSION_CHANNELS}
            assert {type(name) for name in channel.suppressed_on} == {str}  # they go into SQL as they are

    @pytest.mark.django_db
    def test_what_is_no_part_is_refused(self) -> None:
        with pytest.raises(CommandError, match="invalid choice"):
            call_command("register_app", "abc", "--channel", "mms")
        with pytest.raises(ValidationError, match="not a valid choice"):
            Application(app_id="abc", channel=Channel.MMS).full_clean()
        with pytest.raises(ValidationError, match="not a valid choice"):
            SuppressionEntry(number="919876500000", channel=Channel.NUMBER).full_clean()
