"""The command `register_app`: an application of the Laaffic account."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError, transaction

from laaffic_console.gateway.management.switched_off import of_another_product, where_to_switch_on
from laaffic_console.gateway.models import APPLICATION_CHANNELS, Application
from laaffic_console.kit.audit import acts, row_changes
from laaffic_console.kit.process.commands import ConsoleCommand


class Command(ConsoleCommand):
    help = "Tell the console about an application (appId) of the Laaffic account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app_id", metavar="APPID")
        parser.add_argument("--channel", required=True, choices=[channel.value for channel in APPLICATION_CHANNELS])
        parser.add_argument("--name", default="")
        parser.add_argument("--sender-id", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        existing = Application.objects.filter(app_id=options["app_id"]).first()
        if existing and existing.channel != options["channel"]:
            raise CommandError(of_another_product(existing))
        application = existing or Application(app_id=options["app_id"], channel=options["channel"])
        before = row_changes.kept(application)
        application.name = options["name"] or application.name
        application.sender_id = options["sender_id"] or application.sender_id
        try:
            application.full_clean()
        except ValidationError as problem:
            raise self.refused(problem) from problem
        try:
            with transaction.atomic():
                _save(application, before, is_new=existing is None)
        except IntegrityError as problem:
            raise CommandError(
                f"{application.app_id} was registered by somebody else a moment ago. Run it again to change it."
            ) from problem
        self.stdout.write(
            f"{'Updated' if existing else 'Registered'} {application} for {application.get_channel_display()}"
        )
        if not application.is_active:
            self.stderr.write(where_to_switch_on(application))


def _save(application: Application, before: row_changes.Before, *, is_new: bool) -> None:
    if is_new:
        application.save()
        acts.record(acts.Act.ADDED, application)
        return
    application.save(update_fields=["name", "sender_id"])  # a rate that somebody has just set stays
    row_changes.record(application, before)
