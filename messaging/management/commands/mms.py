"""The command `mms`: attachments, and campaigns with them."""

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.gateway.management import outcomes
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.process.commands import ConsoleCommand, content_of
from messaging.management import draft_arguments
from messaging.management.commands.campaign import as_text
from messaging.media import attachment_content
from messaging.models import MmsAttachment
from messaging.services.campaigns import drafts
from messaging.services.mms import attachments
from messaging.services.mms.attachments import UploadedWithoutId, UploadFailed, UploadUnknown
from messaging.services.mms.mms_channel import GIVEN_TITLE, RANDOM_TITLE, MmsOptions


class Command(ConsoleCommand):
    help = (
        "Keep and upload MMS attachments, and create MMS campaigns; `campaign launch` and the like do the rest. "
        f"{outcomes.HELP}"
    )
    given_by = {**draft_arguments.GIVEN_BY, "attachments": ["file"]}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        upload = verbs.add_parser("upload", help="keep files in the library and give them to Laaffic for three days")
        upload.add_argument("file", nargs="+", type=Path)
        upload.add_argument("--json", action="store_true")
        keep_id = verbs.add_parser("keep-id", help="the id of an upload that Laaffic answered without one")
        keep_id.add_argument("attachment", type=int, metavar="ATTACHMENT")
        keep_id.add_argument("gateway_id", metavar="GATEWAY_ID")
        keep_id.add_argument("--json", action="store_true")
        create = verbs.add_parser("create", help="a draft with one to three attachments")
        draft_arguments.add(create)
        create.add_argument("--title", required=True, help="at most 80 characters")
        create.add_argument("--random-title", action="store_true", help="let Laaffic vary it; the text is one segment")
        create.add_argument("--text", required=True)
        create.add_argument("--file", required=True, action="append", type=Path, help="one to three times, in order")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = VERBS[options["verb"]](self, options)
        except ValidationError as problem:
            raise self.refused(problem) from problem
        except UploadFailed as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(document))
        elif "attachments" in document:
            self.stdout.write(as_lines(document["attachments"]))
        else:
            self.stdout.write(as_text(document))

    def upload(self, options: dict[str, Any]) -> dict[str, Any]:
        """{"attachments": [{"id", "name", "type", "bytes", "gateway_id", "lapses_at"}]}; a live id is kept.

        One file that fails keeps no other from being uploaded. People see the lines of the others anyway.
        """
        kept = [kept_file(path) for path in options["file"]]
        rows, uploaded, problems = [], [], list[UploadFailed]()
        for attachment in kept:
            try:
                live = attachment if attachment.is_live else self.uploaded(attachment)
                uploaded.append(row_of(live))
            except UploadFailed as problem:
                live = attachment
                problems.append(problem)
            rows.append(row_of(live))
        document = {"attachments": rows}
        said = "\n".join(map(str, problems))
        if any(isinstance(problem, UploadUnknown) for problem in problems):
            unknown = outcomes.NotKnown(document, said)
            outcomes.tell_not_known(self, unknown, as_json=options["json"], text=as_lines(uploaded))
        if problems:
            self.answer("" if options["json"] else as_lines(uploaded), CommandError(said))
        return document

    def uploaded(self, attachment: MmsAttachment) -> MmsAttachment:
        """One that Laaffic took without telling an id is not a failure: standard error says what to do."""
        try:
            return attachments.upload(attachment.pk)
        except UploadedWithoutId as problem:
            self.stderr.write(str(problem))
            return attachment

    def keep_id(self, options: dict[str, Any]) -> dict[str, Any]:
        live = attachments.keep_id(options["attachment"], options["gateway_id"])
        return {"attachments": [row_of(live)]}

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        chosen = MmsOptions(
            title=options["title"],
            mms_type=RANDOM_TITLE if options["random_title"] else GIVEN_TITLE,
            attachments=tuple(kept_file(path).pk for path in options["file"]),
        )
        campaign = drafts.create(
            **draft_arguments.fields_of(options, Channel.MMS),
            sender_id="",
            text=options["text"],
            channel_options=chosen.as_json(),
        )
        return {"id": campaign.pk, **draft_arguments.told_of(campaign.paste)}


def row_of(live: MmsAttachment) -> dict[str, Any]:
    return {
        "id": live.pk,
        "name": live.name,
        "type": live.file_type,
        "bytes": live.size,
        "gateway_id": live.gateway_id,
        "lapses_at": live.lapses_at.isoformat(timespec="seconds") if live.lapses_at else "",
    }


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "\n".join("{id}\t{type}\t{gateway_id}\tuntil {lapses_at}\t{name}".format(**row) for row in rows)


def kept_file(path: Path) -> MmsAttachment:
    data, size = content_of(path, attachment_content.MAX_BYTES)
    try:
        return attachments.add(data, path.name, size=size)[0]
    except ValidationError as problem:
        raise CommandError(f"{path.name}: {' '.join(problem.messages)}") from problem


VERBS = {"upload": Command.upload, "keep-id": Command.keep_id, "create": Command.create}
