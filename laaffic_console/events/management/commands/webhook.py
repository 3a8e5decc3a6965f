"""manage.py webhook create URL --events KIND,… · list · rotate ID · pause ID · resume ID · test ID · delete ID"""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.events import sealed
from laaffic_console.events.kinds import CHOICES
from laaffic_console.events.models import Webhook
from laaffic_console.events.services import webhooks
from laaffic_console.kit.process.commands import ConsoleCommand

Said = tuple[dict[str, Any], str]


class Command(ConsoleCommand):
    help = "Webhooks: addresses that are told what happens. Create one, list, rotate, pause, resume, test, delete them."
    given_by = {"kinds": ["events"]}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="its secret is printed now and never again")
        create.add_argument("url", metavar="URL")
        create.add_argument("--events", nargs="*", metavar="KIND,…", help="default: every event")
        create.add_argument("--json", action="store_true")
        listing = verbs.add_parser("list", help="every webhook, without its secret")
        listing.add_argument("--json", action="store_true")
        for verb, what in (
            ("rotate", "a new secret; the old one signs too for a day more"),
            ("pause", "nothing leaves, and its events wait"),
            ("resume", "what waits leaves now; also after it was disabled"),
            ("test", "one event for this webhook alone"),
            ("delete", "with the log of its deliveries"),
        ):
            one = verbs.add_parser(verb, help=what)
            one.add_argument("id", type=int, metavar="ID")
            one.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        act = {"create": self.create, "list": self.list}.get(options["verb"]) or self.change
        try:
            document, text = act(options)
        except ValidationError as problem:
            raise self.refused(problem) from problem
        self.stdout.write(json.dumps(document) if options["json"] else text)

    def create(self, options: dict[str, Any]) -> Said:
        given = [kind.strip() for kind in ",".join(options["events"] or []).split(",") if kind.strip()]
        every = [kind for kind, _label in CHOICES]
        return made(*webhooks.create(options["url"], given or ([] if options["events"] is not None else every)))

    def list(self, options: dict[str, Any]) -> Said:
        rows = [of_webhook(webhook) for webhook in Webhook.objects.all()]
        lines = ["{id}\t{state}\t{url}".format(**row) for row in rows]
        nothing = "There is no webhook. Make one: manage.py webhook create URL"
        return {"webhooks": rows}, "\n".join(lines) or nothing

    def change(self, options: dict[str, Any]) -> Said:
        webhook = Webhook.objects.filter(pk=options["id"]).first()
        if webhook is None:
            raise CommandError(f"There is no webhook {options['id']}. See manage.py webhook list")
        return getattr(self, options["verb"])(webhook)  # type: ignore[no-any-return]

    def rotate(self, webhook: Webhook) -> Said:
        return made(webhook, webhooks.rotate(webhook))

    def pause(self, webhook: Webhook) -> Said:
        webhooks.pause(webhook)
        return changed(webhook)

    def resume(self, webhook: Webhook) -> Said:
        webhooks.resume(webhook)
        return changed(webhook)

    def test(self, webhook: Webhook) -> Said:
        event_id = webhooks.test(webhook).event.webhook_id
        said = f"{event_id} is written down. {webhooks.when_it_leaves(webhook)}"
        return {"id": webhook.pk, "webhook_id": event_id}, said

    def delete(self, webhook: Webhook) -> Said:
        pk = webhook.pk
        webhooks.delete(webhook)
        return {"id": pk, "state": "deleted"}, f"Webhook {pk} is gone."


def made(webhook: Webhook, secret: str) -> Said:
    return {"id": webhook.pk, "secret": secret}, f"{secret}\nIt is not shown again. The webhook's id is {webhook.pk}."


def changed(webhook: Webhook) -> Said:
    webhook.refresh_from_db()
    return {"id": webhook.pk, "state": webhook.state}, f"Webhook {webhook.pk} is {webhook.state}."


def of_webhook(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "events": webhook.kinds,
        "state": webhook.state,
        "secret_is_readable": sealed.is_readable(webhook.secret),
        "failing_since": webhook.failing_since.isoformat() if webhook.failing_since else None,
        "last_ok_at": webhook.last_ok_at.isoformat() if webhook.last_ok_at else None,
        "problem": webhook.problem,
    }
