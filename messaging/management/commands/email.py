"""The command `email`: email campaigns from the shell."""

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.gateway.management import outcomes
from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.kit.process.commands import ConsoleCommand
from messaging.management import sending_arguments
from messaging.management.commands.campaign import as_text
from messaging.management.named import application_of
from messaging.management.sending_arguments import add_hours, add_purpose, hours_of, moment_of, purpose_of
from messaging.management.written_files import written
from messaging.models import EmailCampaign
from messaging.registered import export_kinds
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import choices as email_choices
from messaging.services.email import counting as email_counting
from messaging.services.email import drafts as email_drafts
from messaging.services.email import starting as email_starting
from messaging.services.email.trial_emails import TestFailed, TestUnknown, send_test


class Command(ConsoleCommand):
    help = f"Send email campaigns and report on them. {outcomes.HELP}"
    given_by = {
        **sending_arguments.GIVEN_BY,
        "trigger_id": ["trigger"],
        "scheduled_at": ["at"],
        "template_data": ["data"],
    }

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        send = verbs.add_parser("send", help="a template to everybody of a list kept at Laaffic, now or at a time")
        send.add_argument("--app", required=True, metavar="APPID")
        send.add_argument("--from", required=True, dest="from_address", metavar="ADDRESS")
        send.add_argument("--list", required=True, dest="receiver_id", metavar="RECEIVER_ID")
        send.add_argument("--template", required=True, dest="template_id", metavar="TEMPLATE_ID")
        send.add_argument("--subject", required=True, help="1 to 100 characters")
        send.add_argument("--name", default="", help="the campaign's; the subject if it is not given")
        send.add_argument("--language", default="")
        send.add_argument("--ad-flag", type=int, choices=[0, 1, 2], help="0 none, 1 before, 2 after the subject")
        send.add_argument("--trigger", type=int, metavar="ID")
        send.add_argument("--unsubscribe", action="store_true", default=None, help="add a link to unsubscribe")
        send.add_argument("--at", default="", metavar="WHEN", help="2026-12-01T09:00")
        add_hours(send)
        add_purpose(send)
        send.add_argument(
            "--consent-known-by", default="", metavar="HOW", help="why everybody on the list is known to have agreed"
        )
        launch = verbs.add_parser("launch", help="send a draft, now or at its time")
        launch.add_argument("id", type=int)
        test = verbs.add_parser("test", help="one mail with a campaign's template, sender and subject (sendEmail)")
        test.add_argument("id", type=int)
        test.add_argument("address")
        test.add_argument("--data", default="", metavar="JSON", help='the template\'s variables: {"code": "1234"}')
        for verb in (send, launch, test):
            outcomes.add_again(verb)
        lookup = verbs.add_parser("lookup", help="ask for templates, recipient lists and sender addresses")
        lookup.add_argument("app", metavar="APPID")
        resolve = verbs.add_parser("resolve", help="settle a lost answer by a person's word")
        word = resolve.add_mutually_exclusive_group(required=True)
        word.add_argument("--send-again", action="store_true")
        word.add_argument("--write-off", action="store_true")
        resolve.add_argument("--reason", required=True, metavar="WHY")
        dossier = verbs.add_parser("dossier", help="all that is known of it, signed, to a .zip file (verify_dossier)")
        dossier.add_argument("id", type=int)
        dossier.add_argument("file", type=Path, metavar="FILE")
        others = [verbs.add_parser(verb) for verb in ("report", "prove", "cancel", "resume")]
        for verb in [resolve, *others]:
            verb.add_argument("id", type=int)
        outcomes.add_again(verbs.choices["resume"])
        for verb in [send, launch, test, lookup, resolve, *others]:
            verb.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "dossier":
            self.stdout.write(written(export_kinds.EMAIL_DOSSIER, options["id"], options["file"]))
            return
        try:
            document = getattr(self, options["verb"])(options)
        except StillOpen as problem:
            raise outcomes.refused_repeat(problem) from problem
        except ValidationError as problem:
            raise self.refused(problem) from problem
        except outcomes.NotKnown as problem:
            outcomes.tell_not_known(self, problem, as_json=options["json"])
        except TestFailed as problem:
            raise CommandError(str(problem)) from problem
        except EmailCampaign.DoesNotExist as problem:
            raise CommandError(f"There is no email campaign {options['id']}.") from problem
        shown = json.dumps(document) if options["json"] else as_text(document)
        self.answer(shown, not_asked(document) or outcomes.not_as_proved(document.get("disagreements", [])))

    def send(self, options: dict[str, Any]) -> dict[str, Any]:
        """{"id", "state"}; the worker sends it."""
        campaign = email_drafts.create(
            name=options["name"] or options["subject"][:100],
            application=application_of(Channel.EMAIL, options["app"]),
            from_address=options["from_address"],
            receiver_id=options["receiver_id"],
            template_id=options["template_id"],
            subject=options["subject"],
            language=options["language"],
            ad_flag=options["ad_flag"],
            trigger_id=options["trigger"],
            unsubscribe=options["unsubscribe"],
            scheduled_at=moment_of(options["at"], "--at"),
            purpose=purpose_of(options),
            consent_known_by=options["consent_known_by"],
            **hours_of(options),
        )
        try:
            return standing(email_starting.launch(campaign.pk, again=options["again"]))
        except StillOpen:
            campaign.delete()  # the same command with a reason rewrites it
            raise
        except ValidationError as problem:
            why = self.refused(problem)
            raise CommandError(
                f"{why}\nIt is kept as draft {campaign.pk}: manage.py email launch {campaign.pk} sends it."
            ) from problem

    def launch(self, options: dict[str, Any]) -> dict[str, Any]:
        return standing(email_starting.launch(options["id"], again=options["again"]))

    def test(self, options: dict[str, Any]) -> dict[str, Any]:
        """{"said": sentence}"""
        campaign = EmailCampaign.objects.select_related("application").get(pk=options["id"])
        try:
            return {"said": send_test(campaign, options["address"], options["data"], again=options["again"])}
        except TestUnknown as problem:
            raise outcomes.NotKnown({"said": str(problem)}, problem) from problem

    def lookup(self, options: dict[str, Any]) -> dict[str, Any]:
        """{"template": [ids], "list": […], "sender": […], "problems": [sentence]}"""
        document: dict[str, Any] = {}
        problems = []
        for found in email_choices.refresh(application_of(Channel.EMAIL, options["app"])):
            document[found.kind] = list(found.choices.values_list("value", flat=True))
            problems += [f"{found.get_kind_display()}: {found.problem}"] if found.problem else []
        return {**document, "problems": problems}

    def report(self, options: dict[str, Any]) -> dict[str, Any]:
        return email_counting.report(EmailCampaign.objects.get(pk=options["id"]))

    def prove(self, options: dict[str, Any]) -> dict[str, Any]:
        return email_counting.prove(EmailCampaign.objects.get(pk=options["id"]))

    def cancel(self, options: dict[str, Any]) -> dict[str, Any]:
        return standing(email_campaigns.cancel(options["id"]))

    def resume(self, options: dict[str, Any]) -> dict[str, Any]:
        return standing(email_starting.resume(options["id"], again=options["again"]))

    def resolve(self, options: dict[str, Any]) -> dict[str, Any]:
        settle = email_campaigns.send_again if options["send_again"] else email_campaigns.write_off
        return standing(settle(options["id"], reason=options["reason"]))


def not_asked(document: dict[str, Any]) -> CommandError | None:
    return CommandError("\n".join(document["problems"])) if document.get("problems") else None


def standing(campaign: EmailCampaign) -> dict[str, Any]:
    return {"id": campaign.pk, "state": campaign.state}
