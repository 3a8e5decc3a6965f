"""`manage.py voice group …`: group-call tasks from the shell, by the same services as the admin's."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import CommandError

from laaffic_console.gateway.management import outcomes
from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.kit.process.commands import belongs, content_of
from laaffic_console.kit.words.plain_text import capitals
from messaging.management.named import application_of, group_named, region_named
from messaging.management.sending_arguments import add_hours, add_purpose, hours_of, moment_of, purpose_of
from messaging.services.contacts import suppression
from voice.models import Announcement, AudioFile, GroupTask, TaskState
from voice.services.asking import group_calls as group_sync
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import proving as task_proving
from voice.services.group_calls import tasks as group_tasks
from voice.services.group_calls import waiting as group_waiting

NEWEST = 50
OF_SMS = ("sms_text", "sms_sender_id", "sms_on_answer", "sms_on_key", "sms_on_failure", "sms_on_ringing")

GIVEN_BY = {
    "windows": ["window"],
    "numbers": ["group"],
    "sms_application": ["sms_app"],
    "sms_answer_seconds": ["sms_on_answer"],
    "sms_key": ["sms_on_key"],
}


def add(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="group_verb", required=True)
    _add_create(verbs.add_parser("create", help="write a draft; with --launch call at once"))
    for verb, words in (
        ("launch", "hand a draft to Laaffic"),
        ("show", "one task as Laaffic has it now"),
        ("cancel", "stop a task that waits or calls"),
        ("resume", "try a held task again, now; its latest end no longer counts once it has passed"),
        ("prove", "derive every figure of a task again; exit 1 where one disagrees"),
        ("again", "repeat a finished task, to all or --failed; it is launched at once"),
    ):
        own = verbs.add_parser(verb, help=words)
        own.add_argument("id", type=int)
        if verb == "again":
            own.add_argument("--failed", action="store_true", help="only those who were not reached")
        if verb in ("launch", "again", "resume"):
            outcomes.add_again(own)
        _add_json(own)
    dossier = verbs.add_parser("dossier", help="all that is known of a task, signed, to a .zip file (verify_dossier)")
    dossier.add_argument("id", type=int)
    dossier.add_argument("file", type=Path, metavar="FILE")
    dossier.set_defaults(json=False)
    listed = verbs.add_parser("list", help=f"the newest {NEWEST} tasks")
    listed.add_argument("--state", choices=TaskState.values)
    _add_json(listed)


def _add_create(parser: ArgumentParser) -> None:
    parser.add_argument("--name", required=True)
    parser.add_argument("--app", required=True, help="appId of a voice application")
    played = parser.add_mutually_exclusive_group(required=True)
    played.add_argument("--text", default="", help="spoken to the callee")
    played.add_argument("--audio", default="", help="name of a file of the audio library")
    parser.add_argument("--in-request", action="store_true", help="the audio file travels with the task")
    parser.add_argument("--language", default="EN")
    parser.add_argument("--speaking-rate", type=float, default=1.0)
    parser.add_argument("--loops", type=int, default=1)
    parser.add_argument("--group", action="append", default=[], help="a contact group; may be repeated")
    parser.add_argument("--file", type=Path, help="CSV, XLSX or a plain list of numbers")
    parser.add_argument("--region", default="", help="country of numbers without a country code, such as IN")
    parser.add_argument("--skip-invalid", action="store_true", help="leave out invalid numbers")
    parser.add_argument("--max-talk", type=int, default=60, help="seconds after the answer (Laaffic's maxCalls)")
    parser.add_argument("--max-ringing", type=int, default=60)
    parser.add_argument("--display-number", default="")
    parser.add_argument("--send-at", default="", help="like 2026-05-03T09:00, in TIME_ZONE unless it says its own")
    add_hours(parser)
    add_purpose(parser)
    parser.add_argument("--window", action="append", default=[], metavar="HH:MM-HH:MM", help="at most three")
    parser.add_argument("--sms-app", default="", help="appId of an SMS application: an SMS after the call")
    parser.add_argument("--sms-text", default="")
    parser.add_argument("--sms-sender-id", default="")
    parser.add_argument("--sms-on-answer", type=int, metavar="SECONDS")
    parser.add_argument("--sms-on-key", type=int, metavar="KEY")
    parser.add_argument("--sms-on-failure", action="store_true")
    parser.add_argument("--sms-on-ringing", action="store_true")
    parser.add_argument("--agent-group", type=int, help="transfer answered calls to this group")
    parser.add_argument("--agent-key", type=int, help="only on this key")
    parser.add_argument("--callout-rate", type=int, help="calls for each free agent; else 1")
    parser.add_argument("--launch", action="store_true")
    outcomes.add_again(parser)
    _add_json(parser)


def _add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def run(options: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
    verbs: dict[str, Callable[[dict[str, Any]], Any]] = {
        "create": _create,
        "launch": lambda given: _launched(_found(given["id"]), given["again"]),
        "show": _show,
        "cancel": lambda given: _cancel(_found(given["id"])),
        "resume": lambda given: _resumed(_found(given["id"]), given["again"]),
        "prove": lambda given: task_proving.prove(_found(given["id"])),
        "again": _again,
        "list": _list,
    }
    result: dict[str, Any] | list[dict[str, Any]] = verbs[options["group_verb"]](options)
    return result


def _create(options: dict[str, Any]) -> dict[str, Any]:
    task = GroupTask(
        name=options["name"],
        application=application_of(Channel.VOICE, options["app"]),
        source=_source(options),
        audio=_audio(options["audio"]),
        text=options["text"],
        language=capitals(options["language"]),
        speaking_rate=options["speaking_rate"],
        loop_count=options["loops"],
        max_talk=options["max_talk"],
        max_ringing_time=options["max_ringing"],
        display_number=options["display_number"],
        send_at=moment_of(options["send_at"], "--send-at"),
        windows=[window.split("-") for window in options["window"]],
        purpose=purpose_of(options),
        **hours_of(options),
        **_sms(options),
        **_transfer(options),
    )
    audience = None
    if options["group"] or options["file"]:
        audience = group_callees.gather(
            groups=[group_named(name) for name in options["group"]],
            upload=_upload(options["file"]) if options["file"] else None,
            region=region_named(options["region"]),
            skip_invalid=options["skip_invalid"],
            with_sms=task.hang_up_sms,
        )
    group_tasks.save(task, audience=audience)
    return _launched_new(task, options["again"]) if options["launch"] else as_json(task)


def _again(options: dict[str, Any]) -> dict[str, Any]:
    task = _found(options["id"])
    known = set(task.children.values_list("pk", flat=True))
    draft = group_copies.again(task, failed_only=options["failed"])
    return _launched_new(draft, options["again"], was_there=draft.pk in known)


def _source(options: dict[str, Any]) -> Announcement:
    belongs(options, "audio", ["in_request"])
    if not options["audio"]:
        return Announcement.TEXT
    return Announcement.IN_REQUEST if options["in_request"] else Announcement.LIBRARY


def _sms(options: dict[str, Any]) -> dict[str, Any]:
    belongs(options, "sms_app", OF_SMS)
    if not options["sms_app"]:
        return {}
    seconds, key = options["sms_on_answer"], options["sms_on_key"]
    return {
        "hang_up_sms": True,
        "sms_application": application_of(Channel.SMS, options["sms_app"]),
        "sms_text": options["sms_text"],
        "sms_sender_id": options["sms_sender_id"],
        "sms_on_answer": seconds is not None,
        "sms_answer_seconds": 10 if seconds is None else seconds,
        "sms_on_key": key is not None,
        "sms_key": 1 if key is None else key,
        "sms_on_failure": options["sms_on_failure"],
        "sms_on_ringing": options["sms_on_ringing"],
    }


def _transfer(options: dict[str, Any]) -> dict[str, Any]:
    belongs(options, "agent_group", ("agent_key", "callout_rate"))
    group, key = options["agent_group"], options["agent_key"]
    if group is None:
        return {}
    rate = 1 if options["callout_rate"] is None else options["callout_rate"]
    told = {"agent_on_key": key is not None, "agent_key": key or 0, "callout_rate": rate}
    return {"to_agent": True, "agent_group": group, **told}


def _launched(task: GroupTask, again: str) -> dict[str, Any]:
    return _as_it_went(group_tasks.launch(task.pk, again=again))


def _resumed(task: GroupTask, again: str) -> dict[str, Any]:
    resumed = group_waiting.resume(task.pk, again=again)
    if resumed.state == TaskState.HELD:
        raise CommandError(resumed.hold_reason)
    return _as_it_went(resumed)


def _as_it_went(task: GroupTask) -> dict[str, Any]:
    if task.state == TaskState.DRAFT:
        raise CommandError(group_tasks.advice(task))
    return as_json(task)


def _launched_new(task: GroupTask, again: str, *, was_there: bool = False) -> dict[str, Any]:
    """Launch a new task; one that may not leave stays as a draft, to be approved and launched later.

    `was_there`: the draft is somebody else's, or may have been launched before a restore, as its own mark says.
    """
    try:
        return _launched(task, again)
    except (ValidationError, CommandError) as problem:
        if isinstance(problem, StillOpen) and not was_there:
            task.delete()  # the same command with a reason makes it again
            raise
        kept = f"It is kept as draft {task.pk}: manage.py voice group launch {task.pk} launches it."
        if isinstance(problem, ValidationError):
            problem.add_note(kept)
            raise
        raise CommandError(f"{problem}\n{kept}") from problem


def _cancel(task: GroupTask) -> dict[str, Any]:
    try:
        return as_json(group_tasks.stop(task.pk))
    except group_tasks.CancelUnknown as problem:
        raise outcomes.NotKnown(as_json(task), " ".join(problem.messages)) from problem


def _show(options: dict[str, Any]) -> dict[str, Any]:
    task = _found(options["id"])
    if task.is_open or task.state == TaskState.UNKNOWN:
        group_sync.sync()
        task.refresh_from_db()
    return as_json(task)


def _list(options: dict[str, Any]) -> list[dict[str, Any]]:
    tasks = GroupTask.objects.filter(is_template=False)
    if options["state"]:
        tasks = tasks.filter(state=options["state"])
    return [as_json(task) for task in tasks[:NEWEST]]


def as_json(task: GroupTask) -> dict[str, Any]:
    return {
        "id": task.pk,
        "name": task.name,
        "state": str(task.state),
        "task_name": task.task_name,
        "key": task.key,
        "purpose": task.purpose,
        "numbers": task.number_count,
        "twice": task.left_twice,
        "suppressed": task.left_suppressed,
        "no_consent": task.left_no_consent,
        "capped": task.left_capped,
        "invalid": task.left_invalid,
        "total": task.total,
        "called": task.called,
        "connected": task.connected,
        "failed": task.failed,
        "connect_rate": task.connect_rate,
        "sms_sent": task.sms_sent,
        "keys": task.keys_pressed,
        "cost": None if task.cost is None else str(task.cost),
        "currency": task.currency,
    }


def _found(pk: int) -> GroupTask:
    task = GroupTask.objects.select_related("application").filter(pk=pk, is_template=False).first()
    if task is None:
        raise CommandError(f"There is no task {pk}: manage.py voice group list shows them.")
    return task


def _audio(name: str) -> AudioFile | None:
    if not name:
        return None
    kept = AudioFile.objects.filter(name=name).first()
    if kept is None:
        raise CommandError(f"The library has no file “{name}”: manage.py voice upload adds one.")
    return kept


def _upload(file: Path) -> "SimpleUploadedFile":
    data, size = content_of(file, suppression.MAX_BYTES)
    upload = SimpleUploadedFile(file.name, data)
    upload.size = size
    return upload
