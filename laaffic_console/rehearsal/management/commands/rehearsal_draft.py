import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import Spoken
from messaging.models import Campaign, ContactGroup
from messaging.services import campaigns
from voice.services.tts_channel import TtsOptions

# Only when the longest possible call has ended, records can be said to lack it: the shortest that Laaffic takes.
BRIEF = Spoken(text="", max_ringing_time=20, max_duration=1)


class Command(BaseCommand):
    help = "A draft of a spoken message whose calls are over soon: what a rehearsal launches."

    def add_arguments(self, parser: CommandParser) -> None:
        for name in ("--name", "--app", "--text", "--group"):
            parser.add_argument(name, required=True)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        draft = campaigns.create(
            name=options["name"],
            application=Application.objects.get(app_id=options["app"]),
            sender_id="",
            text=options["text"],
            groups=[ContactGroup.objects.get(name=options["group"])],
            channel=Campaign.Channel.VOICE,
            channel_options=TtsOptions(BRIEF).as_json(),
        )
        self.stdout.write(json.dumps({"id": draft.pk}) if options["json"] else f"id: {draft.pk}")
