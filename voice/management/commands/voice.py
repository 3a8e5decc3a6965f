"""Voice from the shell: the same services as the admin's."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.gateway.management import outcomes, switched_off
from laaffic_console.gateway.models import Application, Channel, EntryState
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.kit.process import document_text
from laaffic_console.kit.process.commands import ConsoleCommand, content_of
from laaffic_console.laaffic import InvalidRequest, LaafficError
from messaging.management import draft_arguments
from messaging.management.written_files import written
from voice.management import group_arguments, spoken_arguments
from voice.models import AudioFile, GroupTask, SipCall, SipPhone
from voice.registered import export_kinds
from voice.services import syncing
from voice.services.asking import lookups, scheduling
from voice.services.asking.lookups import AskFailed
from voice.services.audio import content as audio_content
from voice.services.audio import elsewhere as audio_elsewhere
from voice.services.audio import uploads
from voice.services.audio.uploads import UploadFailed, UploadUnknown
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import tasks as group_tasks
from voice.services.phones import changes as phone_changes
from voice.services.phones import sip_phones as phones
from voice.services.phones.changes import ResetUnknown
from voice.services.syncing import SyncFailed

OF_CALLS = {"callee": ["number"], "phone": ["account"]}


class Command(ConsoleCommand):
    help = f"Copy Laaffic's voice lists, upload audio, call from a SIP phone, launch group-call tasks. {outcomes.HELP}"
    given_by = {**draft_arguments.GIVEN_BY, **spoken_arguments.GIVEN_BY, **group_arguments.GIVEN_BY, **OF_CALLS}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        sync = verbs.add_parser("sync", help="read SIP phones and call records now")
        upload = verbs.add_parser("upload", help="add an audio file to the library and upload it")
        upload.add_argument("file", type=Path)
        upload.add_argument("--name", default="", help="5 to 32 characters with the suffix; else the file's own name")
        call = verbs.add_parser("call", help="call a number from a SIP phone")
        call.add_argument("account", help="of the SIP phone")
        call.add_argument("number", help="with its country code")
        call.add_argument("--app", default="", help="appId, where two applications have the account")
        call.add_argument("--display-number", default="")
        outcomes.add_again(call)
        files = verbs.add_parser("files", help="the audio files that Laaffic has, wherever they were uploaded")
        take = verbs.add_parser("take", help="take a file that was uploaded elsewhere into the library, by its id")
        take.add_argument("file_id")
        record = verbs.add_parser("record", help="ask for the record of one call, and keep it")
        record.add_argument("voice_id")
        record.add_argument("--sip", action="store_true", help="a call from a SIP phone; else a spoken or group call")
        phone = verbs.add_parser("phone", help="add SIP phones at Laaffic, or give one a new password")
        phone.add_argument("action", choices=["add", "reset"])
        phone.add_argument("account", nargs="?", default="", help="reset: of the SIP phone")
        phone.add_argument("--app", default="", help="appId, where there are two")
        phone.add_argument("--group", default="", help="add: 4 to 32 characters")
        phone.add_argument("--name", default="", help="add: 4 to 32 characters, not used yet")
        phone.add_argument("--quantity", type=int, default=1, metavar="N", help="add: 1 to 50")
        phone.add_argument("--display-number", default="", help="add: 7 to 13 digits")
        for verb in (sync, upload, call, files, take, record, phone):
            verb.add_argument("--json", action="store_true", help="one JSON document on standard output")
        spoken_arguments.add(verbs.add_parser("say", help="write a spoken message; `campaign launch` calls"))
        group_arguments.add(verbs.add_parser("group", help="group-call tasks: one announcement to many numbers"))

    def handle(self, *args: Any, **options: Any) -> None:
        if options.get("group_verb") == "dossier":
            self.stdout.write(written(export_kinds.TASK_DOSSIER, options["id"], options["file"]))
            return
        try:
            document = getattr(self, f"_{options['verb']}")(options)
        except StillOpen as problem:
            raise outcomes.refused_repeat(problem) from problem
        except outcomes.NotKnown as problem:
            outcomes.tell_not_known(self, problem, as_json=options["json"])
        except ValidationError as problem:
            raise self.refused(problem) from problem
        except (UploadFailed, SyncFailed, NotConfigured, LaafficError, InvalidRequest) as problem:
            raise CommandError(str(problem)) from problem
        what_to_do = self._unknown(document, options) if isinstance(document, dict) else ""
        shown = json.dumps(document) if options["json"] else as_text(document)
        disagreements = document.get("disagreements", []) if isinstance(document, dict) else []
        otherwise = outcomes.unknown(what_to_do) if what_to_do else outcomes.not_as_proved(disagreements)
        self.answer(shown, otherwise)

    def _unknown(self, document: dict[str, Any], options: dict[str, Any]) -> str:
        """What to do next if the outcome is unknown; "" otherwise."""
        asks_only = options["verb"] not in ("call", "group", "phone") or options.get("group_verb") == "show"
        if asks_only or document.get("state") != EntryState.UNKNOWN:
            return ""
        if options["verb"] == "phone":
            return (
                "Laaffic's answer was lost. Run manage.py voice sync: the list will show whether the phones were added."
            )
        if options["verb"] == "call":
            return calls.advice(SipCall.objects.select_related("entry").get(pk=document["id"]))
        advice = group_tasks.advice(GroupTask.objects.get(pk=document["id"]))
        return f"{advice} manage.py voice group show {document['id']}"

    def _sync(self, options: dict[str, Any]) -> dict[str, Any]:
        """{list: rows read}; all lists are tried before the first error is raised."""
        names = scheduling.names()
        if not names:
            raise switched_off.why(Channel.VOICE) or CommandError(
                "Register an application first: manage.py register_app APPID --channel voice"
            )
        read: dict[str, Any] = {}
        failed = []
        for name in names:
            try:
                read[name] = scheduling.sync(name)
            except SyncFailed as problem:
                failed.append(f"{name}: {problem}")
        if failed:
            raise CommandError("\n".join(failed))
        return read

    def _upload(self, options: dict[str, Any]) -> dict[str, Any]:
        file: Path = options["file"]
        data, size = content_of(file, settings.AUDIO_MAX_BYTES)
        if too_large := audio_content.problem_with_size(size):
            raise CommandError(f"{file}: {too_large}")
        kept, is_new = uploads.add(data, options["name"] or uploads.suggested_name(file.name))
        document = {"id": kept.pk, "name": kept.name, "new": is_new, "file_id": "", "seconds": kept.seconds}
        try:
            return {**document, "file_id": uploads.upload(kept.pk).file_id}
        except UploadUnknown as problem:
            raise outcomes.NotKnown(document, problem) from problem

    def _files(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        """Laaffic's audio files with their ids; `ours`: the library has a file of this name."""
        listed = list(laaffic_client().voice.every_audio_file())
        ours = set(AudioFile.objects.values_list("name", flat=True))
        return [
            {
                "file_id": file.file_id,
                "name": file.name,
                "uploaded_at": file.uploaded_at.isoformat(timespec="seconds") if file.uploaded_at else "",
                "ours": file.name in ours,
            }
            for file in listed
        ]

    def _take(self, options: dict[str, Any]) -> dict[str, Any]:
        kept = audio_elsewhere.take(options["file_id"])
        return {"id": kept.pk, "name": kept.name, "file_id": kept.file_id}

    def _record(self, options: dict[str, Any]) -> dict[str, Any]:
        try:
            found = lookups.about_id(options["voice_id"], is_sip=options["sip"])
        except AskFailed as problem:
            hint = "" if options["sip"] else "\nA call from a SIP phone is asked for with --sip."
            raise CommandError(f"Call {options['voice_id']}: {problem}{hint}") from problem
        return {
            "voice_id": found.voice_id,
            "callee": found.callee,
            "outcome": str(found.outcome),
            "seconds": found.duration,
            "cost": None if found.cost is None else str(found.cost),
            "currency": found.currency,
            "mark": found.called_info,
        }

    def _phone(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add phones or reset a password; a new password is printed here and kept nowhere."""
        if options["action"] == "reset" and not options["account"]:
            raise CommandError("Say which phone: manage.py voice phone reset ACCOUNT")
        if options["action"] == "reset":
            try:
                made = phone_changes.reset(self._listed(options))
            except ResetUnknown as problem:
                document = {"account": options["account"], "password": ""}
                raise outcomes.NotKnown(document, " ".join(problem.messages)) from problem
            return {"account": made.account, "password": made.password}
        call = phone_changes.add(
            application=self._application(options["app"]),
            **{name: options[name] for name in ("group", "name", "quantity", "display_number")},
        )
        return {"state": str(call.state), "call": call.pk}

    def _application(self, app_id: str) -> Application:
        ours = [one for one in syncing.COPIES.applications() if app_id in ("", one.app_id)]
        if len(ours) == 1:
            return ours[0]
        if ours:
            raise CommandError("There are several applications for voice. Name one: --app APPID")
        raise switched_off.why(Channel.VOICE, app_id) or CommandError(
            f"Register it first: manage.py register_app {app_id or 'APPID'} --channel voice"
        )

    def _group(self, options: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
        return group_arguments.run(options)

    def _say(self, options: dict[str, Any]) -> dict[str, Any]:
        return spoken_arguments.run(options)

    def _call(self, options: dict[str, Any]) -> dict[str, Any]:
        made = calls.place(
            phone=self._listed(options),
            callee=options["number"],
            display_number=options["display_number"],
            again=options["again"],
        )
        state = made.entry.state if made.entry else EntryState.PREPARED
        if state in (EntryState.REFUSED, EntryState.NOT_SENT):
            raise CommandError(calls.advice(made))
        return {"id": made.pk, "state": str(state), "voice_id": made.voice_id, "mark": made.called_info}

    def _listed(self, options: dict[str, Any]) -> SipPhone:
        found = phones.usable().filter(account=options["account"])
        if options["app"]:
            found = found.filter(application__app_id=options["app"])
        listed = list(found[:2])
        if len(listed) == 1:
            return listed[0]
        if listed:
            raise CommandError(f"Two applications have a phone {options['account']}: say which with --app.")
        raise CommandError(f"Unknown SIP phone {options['account']}. Check its name, or run: manage.py voice sync")


def as_text(document: dict[str, Any] | list[dict[str, Any]]) -> str:
    documents = document if isinstance(document, list) else [document]
    if not documents:
        return "There is none of these."
    return "\n".join(line for one in documents for line in document_text.lines(one))
