"""No text that somebody else wrote tells a number to people who see masked ones: every page, list, file and API answer.

A row of everything is made, and each column of text holds a number of its own, so that what is found names its column.
A new column is looked for as well: it is masked where it is shown, or `WHOLE` says why it is not.
"""

import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client
from django.utils import timezone

from laaffic_console.api import tokens
from laaffic_console.dashboard.site import ConsoleSite
from laaffic_console.exporting import kinds
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.ledger import subjects
from laaffic_console.kit.masking import masks
from messaging.conditions import conditions
from messaging.models import Approval
from tests.dashboard import doors

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]

APPS = {
    *("api", "audit", "dashboard", "events", "exporting", "gateway", "messaging", "notices", "numbers", "reports"),
    "voice",
}
NUMBER = re.compile(r"4477009\d{5}")
NOT_MADE = {"messaging.batchanswer", "reports.reportlink"}  # read as what they are, and shown to nobody

# Columns that hold whole what stands in them, and why.
WHOLE = {
    "codes, ids and addresses of machines": """
        api.apitoken.digest api.repeatablerequest.* audit.auditentry.address audit.auditentry.digest
        audit.auditentry.object_id audit.auditentry.object_kind audit.audithead.* dashboard.chosenlanguage.code
        dashboard.sentform.* dashboard.hiddencolumns.list_of dashboard.savedfilter.list_of events.event.mark
        events.event.order_key events.delivery.order_key events.webhook.url events.webhook.secret
        events.webhook.old_secret events.webhook.problem events.delivery.problem
        exporting.export.kind exporting.export.key gateway.accounthold.code
        gateway.accounthold.scope gateway.application.app_id gateway.ledgerentry.interface
        gateway.ledgerentry.about_kind gateway.ledgerentry.digest gateway.ledgerentry.worker gateway.ledgerentry.code
        gateway.lease.* gateway.orphanreport.key gateway.orphanreport.gateway_id gateway.orphanreport.order_id
        gateway.pushedbody.mark gateway.ratepacer.name gateway.trouble.name gateway.workerheartbeat.*
        messaging.audiencecount.* messaging.batch.* messaging.budgetshare.* messaging.campaign.local_time
        messaging.contact.time_zones messaging.contact.language messaging.contactimport.encoding
        messaging.earlierattempt.* messaging.emailcampaign.receiver_id messaging.emailcampaign.template_id
        messaging.emailcampaign.language messaging.emailcampaign.mark messaging.emailcampaign.task_id
        messaging.emailmessage.key messaging.emailmessage.email_id messaging.emailmessage.task_id
        messaging.emailmessage.raw_state messaging.gatetally.gate messaging.importforecast.key
        messaging.message.gateway_id messaging.message.report_source messaging.messageevent.source
        messaging.mmsattachment.digest messaging.mmsattachment.gateway_id messaging.reply.key
        messaging.reply.gateway_id notices.notice.subject notices.watched.name numbers.binding.bind_id
        numbers.ownednumber.app_id numbers.syncstatus.name voice.audiofile.digest voice.audiofile.file_id
        voice.callrecord.voice_id voice.callrecord.termination_code voice.callrecord.bill_period
        voice.callrecord.voice_file_id voice.callrecord.recording_id voice.callrecord.task_id voice.grouptask.key
        voice.grouptask.launch_token voice.grouptask.vendor_status voice.grouptask.numbers_digest
        voice.ringing.call_id voice.ringing.task_id voice.calltally.outcome voice.sipcall.called_info
        voice.sipcall.voice_id
        voice.voicesync.name reports.reportlink.digest
    """,
    "read as what they are": """
        messaging.approvallimits.cost messaging.approval.cost messaging.calendar.hours
        messaging.calendar.left_out reports.report.query
    """,
    "names that people give to things, and the words beside them": """
        api.apitoken.name exporting.export.title exporting.export.file_name gateway.application.name
        messaging.audience.name messaging.calendar.name messaging.campaign.name
        messaging.contactgroup.name messaging.contactgroup.description messaging.contactimport.file_name
        messaging.contactimport.sheet messaging.consentimport.file_name messaging.emailcampaign.name
        messaging.emailcampaign.consent_known_by messaging.emailcampaign.receiver_name
        messaging.emailcampaign.template_name messaging.emailchoice.value messaging.emailchoice.name
        messaging.messagetemplate.name messaging.templateversion.name messaging.mmsattachment.name
        messaging.savedanswer.title reports.report.name voice.audiofile.name voice.grouptask.name
        voice.grouptask.task_name
    """,
    "texts that are sent to everybody": """
        messaging.campaign.text messaging.emailcampaign.subject messaging.messagetemplate.text
        messaging.templateversion.text messaging.savedanswer.text voice.grouptask.text voice.grouptask.sms_text
    """,
    "what a person has replied": """
        messaging.conversation.last_said messaging.reply.content messaging.reply.opt_out
    """,
    "numbers, phones and addresses that are the account's own": """
        gateway.application.sender_id messaging.campaign.sender_id messaging.conversation.sent_to
        messaging.emailcampaign.from_address messaging.reply.sent_to numbers.binding.pns_number_a
        numbers.binding.pns_number_b numbers.binding.pool_number numbers.bindingrequest.pool_number
        numbers.numberpool.* numbers.ownednumber.* numbers.poolversion.* voice.callrecord.display_number
        voice.callrecord.operator voice.callrecord.phone_group voice.callrecord.phone_name
        voice.grouptask.display_number voice.grouptask.sms_sender_id voice.ringing.sip_account
        voice.ringing.agent_group voice.ringing.unanswered
        voice.sipcall.account voice.sipcall.display_number voice.sipphone.*
        messaging.reply.operator
    """,
    "people who work here": """
        audit.auditentry.person exporting.export.asked_by_name exporting.exportdownload.by_name
        messaging.proof.asked_by_name notices.waiting.by reports.report.addresses
    """,
}
NOT_MASKED = {column for columns in WHOLE.values() for column in columns.split()}

# JSON with a number where people's are.
JSON: dict[str, Callable[[str], Any]] = {
    "audit.auditentry.summary": lambda n: {"why": f"rang {n}", "changes": [["Number", n, ""]]},
    "gateway.ledgerentry.summary": lambda n: {"callee": n, "all the same": f"rang {n}"},
    "gateway.orphanreport.report": lambda n: {"mobile": n},
    "gateway.pushedbody.problems": lambda n: [f"no mobile {n}"],
    "messaging.campaign.extra_numbers": lambda n: [n],
    "messaging.consentimport.errors": lambda n: [{"row": 2, "column": "number", "value": n, "reason": f"not {n}"}],
    "messaging.contact.attributes": lambda n: {"mobile": n},
    "messaging.contactimport.left_out": lambda n: {n: 3},
    "messaging.contactimport.readings": lambda n: [{"encoding": "cp1252", "languages": ["en"], "words": [n]}],
    "messaging.importforecast.reasons": lambda n: [["phone", f"{n} is too short", 12, 3]],
    "messaging.message.merge_values": lambda n: {"mobile": n},
    "messaging.paste.merged": lambda n: [[1, n]],
    "messaging.paste.problems": lambda n: [[1, n, f"not {n}"]],
    "messaging.proof.disagreements": lambda n: [f"nobody knows {n}"],
    "notices.notice.said": lambda n: {"name": n, "why": f"no route to {n}", "reason": f"no route to {n}"},
}
TEXT = {"events.event.data": lambda n: json.dumps({"number": n}), "dashboard.savedfilter.query": lambda n: f"q={n}"}


PERSON = "a person's number"  # the same one everywhere, so that pages show what is known of this person
PEOPLES = {"number", "subscriber", "callee", "phone_a", "phone_b", "called"}


class Seeds:
    """Which number stands in which column."""

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}

    def number(self, column: str) -> str:
        found = next((number for number, named in self.columns.items() if named == column), "")
        found = found or f"4477009{len(self.columns):05d}"
        self.columns[found] = column
        return found

    def text(self, column: str, longest: int | None = None) -> str:
        number = self.number(column)
        return f"no route to {number}" if longest is None or longest >= 40 else number

    def put_into(self, row: models.Model, made: dict[str, models.Model]) -> None:
        columns = row._meta.concrete_fields
        values = {column.attname: value for column in columns for value in self._value(column, row, made)}
        type(row)._base_manager.filter(pk=row.pk).update(**values)

    def _value(self, field: Any, row: models.Model, made: dict[str, models.Model]) -> Iterator[Any]:
        label = row._meta.concrete_model._meta.label_lower
        column = f"{label}.{field.name}"
        if isinstance(field, models.ForeignKey):
            other = made.get(field.related_model._meta.label_lower)
            if field.null and other is not None and other is not row and column not in ONE_OF_TWO:
                yield other.pk
        elif field.choices or field.primary_key or NOT_MASKED & {column, f"{label}.*"}:
            return
        elif field.name in PEOPLES and isinstance(field, models.CharField):
            yield self.number(PERSON)
        elif column in JSON:
            yield JSON[column](self.number(column))
        elif column in TEXT:
            yield TEXT[column](self.number(column))
        elif (
            isinstance(field, models.CharField | models.TextField)
            and not isinstance(field, models.FileField)
            and (not field.max_length or field.max_length >= 12)
        ):
            yield self.text(column, field.max_length)


ONE_OF_TWO = {f"messaging.{kind}.{of}" for kind in ("approval", "proof") for of in ("email_campaign", "group_task")}

# What a campaign, an email campaign, a group call and requests to Laaffic are in turn while pages are looked at.
STATES = (
    {"emailcampaign": "draft", "ledgerentry": "prepared"},
    {
        "campaign": "held",
        "emailcampaign": "held",
        "grouptask": "held",
        "ledgerentry": "refused",
        "contactimport": "failed",
    },
    {
        "campaign": "finished",
        "emailcampaign": "unknown",
        "grouptask": "failed",
        "ledgerentry": "unknown",
        "contactimport": "finished",
    },
)
CHANGING = re.compile(
    r"/admin/$|/(campaigns|email-campaigns|group-calls|calls|imports|attachments|messages|conversations)/|"
    r"/admin/(messaging/(campaign|emailcampaign|message|contactimport|mms|proof|approval|conversation)|voice/|health)"
)


@pytest.fixture
def seeds() -> Seeds:
    return Seeds()


@pytest.fixture
def made(seeds: Seeds, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> dict[str, models.Model]:
    settings.LAAFFIC_PUSH_TOKENS = [doors.TOKEN]
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    monkeypatch.setattr(ConsoleSite, "get_sidebar_list", lambda site, request: [])  # the same on every page
    for logger in ("django.request", "laaffic_console.api.handling.problems"):
        monkeypatch.setattr(logging.getLogger(logger), "disabled", True)
    rows: dict[str, models.Model] = {}
    for model in sorted(apps.get_models(), key=lambda model: model._meta.label_lower):
        if model._meta.app_label in APPS and model._meta.label_lower not in NOT_MADE:
            doors.one(model, rows)
    for row in [*rows.values()]:
        if row._meta.app_label in APPS:
            seeds.put_into(row, rows)
    for label, values in AS_THEY_ARE.items():
        apps.get_model(label)._base_manager.update(**values)
    about_each(rows, seeds)
    return rows


NOW = timezone.now()
COUNTRY = conditions.as_json(conditions.OneOf("country", ("IN",)))
# Of which a page makes something only where it holds what it usually does.
AS_THEY_ARE: dict[str, dict[str, Any]] = {
    "messaging.approvallimits": {"cost": "50"},  # what a group call costs nobody knows before: it needs a second person
    "messaging.audience": {"condition": "country = IN", "tree": COUNTRY},
    "messaging.batch": {"first_message_id": 1, "last_message_id": 2**31},
    "messaging.calendar": {"hours": "mon-fri 09:00-20:00"},
    "events.delivery": {"problem": "broken"},
    "events.webhook": {"problem": "broken"},
    "messaging.budgetcounter": {"lifted_at": NOW},
    "messaging.campaign": {"total": 3, "text": "Is {{mobile}} still yours?"},
    "messaging.emailtally": {"messages": 3, "submission": 10},
    "messaging.message": {"state": 60},
    "messaging.paste": {"invalid": 1, "numbers": 1},
    "messaging.proof": {"state": "finished", "finished_at": NOW, "wrong": 1},
    **{f"messaging.{name}tally": {"state": 60, "messages": 3} for name in ("outcome", "hour", "sent")},
    "numbers.syncstatus": {"name": "bindings"},
    "voice.voicesync": {"name": "sip records"},
    "reports.report": {"query": ""},
}


def about_each(made: dict[str, models.Model], seeds: Seeds) -> None:
    """Requests to Laaffic about everything, one with evidence and one that has a reason alone; and who edited it."""
    now, reason = timezone.now(), seeds.text("gateway.ledgerentry.reason")
    user = User.objects.create_user("editor")
    for kind, model in subjects._models.items():
        for evidence in ("", seeds.text("gateway.ledgerentry.evidence")):
            LedgerEntry.objects.create(
                interface="sms/send",
                about_kind=kind,
                about_id=made[model._meta.label_lower].pk,
                reason=reason,
                evidence=evidence,
                prepared_at=now,
                left_at=now,
            )
    asked_note = seeds.text("messaging.approval.asked_note")
    Approval.objects.create(group_task_id=made["voice.grouptask"].pk, recipients=1, asked_note=asked_note)
    for row in made.values():
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=seeds.text("admin.logentry.object_repr"),
            action_flag=2,
            change_message="[]",  # names of columns
        )


@pytest.fixture
def blind(made: dict[str, models.Model]) -> User:
    """May do everything but see numbers: whoever may read what was pushed as it came reads it as it came."""
    user = User.objects.create_user("blind", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename__in=("see_numbers", "read_pushedbody")))
    apps.get_model("notices.notice")._base_manager.update(user=user, kind="held")
    return user


def test_no_page_and_no_answer_tells_a_number(made: dict[str, models.Model], seeds: Seeds, blind: User) -> None:
    client, found, opened, broken = Client(raise_request_exception=False), defaultdict(set), 0, set()
    client.force_login(blind)
    token = tokens.create("x", user=blind)[1]
    of_name = {type(row)._meta.model_name: type(row) for row in made.values() if not row._meta.proxy}
    for states in STATES:
        for name, state in states.items():
            of_name[name]._base_manager.update(state=state)
        for address in addresses(made, seeds):
            if states is not STATES[0] and not CHANGING.search(address):
                continue
            headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if address.startswith("/api/") else {}
            answer = client.get(address, **headers)
            opened += answer.status_code == 200
            if answer.status_code >= 500:
                broken.add(address)
            for number in NUMBER.findall(text_of(answer)):
                if number not in address:  # the page says what was searched for
                    found[seeds.columns[number]].add(f"{address} {states}")
    assert broken <= {"/readyz"}
    assert opened > 500
    assert {column: sorted(places)[:6] for column, places in found.items()} == {}


def addresses(made: dict[str, models.Model], seeds: Seeds) -> list[str]:
    number = seeds.number(PERSON)
    pages = ["/admin/messaging/campaign/compare/?ids=1", "/admin/reports/report/show/?by=campaign&period=7_days"]
    searches = [f"/admin/search/?q={number}", f"/admin/search/?s={number}&extended=1"]
    return [*(door.address for door in doors.doors(made)), *pages, *searches]


def test_no_file_tells_a_number(made: dict[str, models.Model], seeds: Seeds, blind: User) -> None:
    found = defaultdict(set)
    of = {"query": "", "task": made["voice.grouptask"].pk}
    for name, kind in kinds._kinds.items():
        if masks.SEE not in kind.rights:
            campaign = made["messaging.emailcampaign" if "email" in name else "messaging.campaign"].pk
            rows = list(masks.masked_columns(kind.rows({**of, "campaign": campaign}, blind)))
            assert len(rows) > 1, name
            for number in NUMBER.findall(str(rows)):
                found[seeds.columns[number]].add(name)
    assert dict(found) == {}


def text_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body, errors="replace")
