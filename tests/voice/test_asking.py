"""One call or one task that a person asks Laaffic about."""

import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.laaffic import Source, Spoken
from laaffic_console.laaffic.call_records import from_row
from laaffic_console.sandbox.testing import RunningSandbox
from tests.voice.group_calls.group_samples import written
from voice.models import CallRecord, GroupTask, SipCall, SipPhone, TaskState, VoiceSync
from voice.services.asking import records_pulls
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import tasks as group_tasks
from voice.services.records import call_records

pytestmark = pytest.mark.django_db(transaction=True)

CALLEE = "919876500000"


def asked(client: Client, name: str, pk: int) -> str:
    page: Any = client.post(reverse(f"admin:voice_{name}_ask", args=[pk]), follow=True)
    return str(page.content.decode())


class CallTests:
    def test_its_record_comes_at_once(self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client) -> None:
        made = calls.place(phone=phone, callee=CALLEE)
        time.sleep(0.05)
        assert (
            "Ask Laaffic about this call"
            in admin_client.get(reverse("admin:voice_sipcall_change", args=[made.pk])).content.decode()
        )

        assert "Laaffic has answered" in asked(admin_client, "sipcall", made.pk)

        made.refresh_from_db()
        assert made.record is not None
        assert made.record.voice_id == made.voice_id

    def test_one_that_goes_on_is_said(self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client) -> None:
        sandbox.sandbox.options.ring_seconds = (600, 601)
        made = calls.place(phone=phone, callee=CALLEE)

        assert "or none yet" in asked(admin_client, "sipcall", made.pk)

    def test_without_an_id_the_list_is_read(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        made = calls.place(phone=phone, callee=CALLEE)

        assert "gave no id" in asked(admin_client, "sipcall", made.pk)
        assert VoiceSync.objects.get(name=records_pulls.SIP).requested_at is not None

    def test_laaffic_away_is_no_error_page(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client, settings: LazySettings
    ) -> None:
        made = calls.place(phone=phone, callee=CALLEE)
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:1/v3"
        account.laaffic_client.cache_clear()

        assert "No usable answer from Laaffic" in asked(admin_client, "sipcall", made.pk)


class RecordTests:
    @pytest.mark.parametrize("kind", [3, 2, None])
    def test_what_is_missing_is_added(
        self, sandbox: RunningSandbox, phone: SipPhone, admin_client: Client, kind: int | None
    ) -> None:
        voice = records_pulls.laaffic_client().voice
        if kind == 2:
            voice_id = voice.speak(app_id="voiceApp", callee=CALLEE, spoken=Spoken(text="Hello"))
        else:
            voice_id = voice.call(app_id="voiceApp", account=phone.account, callee=CALLEE)
        call_records.take([from_row({"voiceId": voice_id, "callee": CALLEE, "type": kind})], Source.VOICE_PUSH)
        time.sleep(0.05)
        record = CallRecord.objects.get()
        assert record.cost is None

        assert "Laaffic has answered" in asked(admin_client, "callrecord", record.pk)

        record.refresh_from_db()
        assert record.cost is not None

    def test_an_id_that_is_none(self, admin_client: Client, sandbox: RunningSandbox) -> None:
        record = CallRecord.objects.create(
            voice_id="a/b?c", callee=CALLEE, kind=2, at=timezone.now(), outcome="failed", first_seen_at=timezone.now()
        )
        assert "is not an id of a call" in asked(admin_client, "callrecord", record.pk)


class TaskTests:
    def test_it_is_asked_for_at_once(
        self, sandbox: RunningSandbox, application: Application, quick: None, admin_client: Client
    ) -> None:
        task = group_tasks.launch(written(application).pk)
        GroupTask.objects.filter(pk=task.pk).update(total=None, called=None)
        time.sleep(0.1)

        assert "Laaffic has answered" in asked(admin_client, "grouptask", task.pk)

        task.refresh_from_db()
        assert task.total == 12

    def test_a_task_that_laaffic_lacks_stays_as_it_was(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = group_tasks.launch(written(application).pk)
        GroupTask.objects.filter(pk=task.pk).update(task_name="something else", state=TaskState.CALLING)

        assert "does not have this task" in asked(admin_client, "grouptask", task.pk)
        task.refresh_from_db()
        assert task.state == TaskState.CALLING

    def test_laaffic_away_leaves_it_as_it_was(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, settings: LazySettings
    ) -> None:
        task = group_tasks.launch(written(application).pk)
        before = GroupTask.objects.values().get(pk=task.pk)
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:1/v3"
        account.laaffic_client.cache_clear()

        assert "No usable answer from Laaffic" in asked(admin_client, "grouptask", task.pk)

        assert GroupTask.objects.values().get(pk=task.pk) == before

    def test_a_draft_is_nowhere(self, application: Application, admin_client: Client) -> None:
        address = reverse("admin:voice_grouptask_ask", args=[written(application).pk])
        assert admin_client.post(address).status_code == 404
        assert admin_client.get(address).status_code == 404


def test_who_may(phone: SipPhone, application: Application, client: Client) -> None:
    call = SipCall.objects.create(application=application, account="a", callee=CALLEE, called_info="x")
    user = User.objects.create_user("eve", is_staff=True)
    views = Permission.objects.filter(codename__in=["view_sipcall", "view_callrecord", "view_grouptask"])
    user.user_permissions.set(views)
    client.force_login(user)
    for name, pk in (("sipcall", call.pk), ("grouptask", written(application).pk), ("callrecord", 1)):
        assert client.post(reverse(f"admin:voice_{name}_ask", args=[pk])).status_code == 403
