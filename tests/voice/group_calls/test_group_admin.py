"""The pages of group-call tasks."""

import datetime as dt
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.identity.models import Profile
from laaffic_console.kit.forms.shared_rows import SEEN
from laaffic_console.kit.words.said import read
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ContactGroup, SuppressionEntry
from tests.messaging.conftest import add_contacts
from tests.messaging.mms.attachment_samples import mpeg, picture
from tests.messaging.pages import hidden
from tests.voice.group_calls.group_samples import FIRST, at_sandbox, listed, seen_through, written
from tests.voice.test_audio import silent_wave
from voice.models import AudioFile, GroupTask, TaskKind, TaskState
from voice.services.audio import uploads
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import copies as group_copies
from voice.services.group_calls import tasks as group_tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]

ADD = "admin:voice_grouptask_add"
LIST = "admin:voice_grouptask_changelist"


def given(application: Application, **changed: Any) -> dict[str, Any]:
    """What a browser sends for a form that nobody touched beyond a name, a text and numbers."""
    form = {
        "name": "Spring",
        "application": application.pk,
        "source": 3,
        "text": "Hello",
        "language": "EN",
        "speaking_rate": "1.0",
        "loop_count": 1,
        "max_talk": 60,
        "max_ringing_time": 60,
        "numbers": f"+{FIRST}\n+{FIRST + 1}\n+{FIRST}",
        "sms_answer_seconds": 10,
        "sms_key": 1,
        "agent_on_key": "on",
        "agent_key": 0,
        "outbound_control": "on",
        "callout_rate": 1,
    }
    return form | changed


def own(task: GroupTask, what: str = "change", *more: str) -> str:
    return reverse(f"admin:voice_grouptask_{what}", args=[task.pk, *more])


def seen_by(answer: Any) -> dict[str, str]:
    token = re.search(rf'name="{SEEN}" value="([^"]+)"', answer.content.decode())
    assert token is not None
    return {SEEN: unescape(token[1])}


def errors_of(client: Client, form: dict[str, Any], address: str = "") -> dict[str, list[str]]:
    answer = client.post(address or reverse(ADD), form, headers={"X-Requested-With": "fetch"})
    return dict(answer.json()["errors"])


class WritingTests:
    def test_a_draft_is_written_and_reviewed(self, application: Application, admin_client: Client) -> None:
        SuppressionEntry.objects.create(number=str(FIRST + 1), channel="voice")
        windows = {"windows_0": "09:00", "windows_1": "12:00", "windows_4": "18:00", "windows_5": "20:30"}
        answer = admin_client.post(reverse(ADD), given(application, **windows), follow=True)

        task = GroupTask.objects.get()
        assert task.windows == [["09:00", "12:00"], ["18:00", "20:30"]]
        assert (task.number_count, task.left_twice, task.left_suppressed) == (1, 1, 1)
        assert answer.request["PATH_INFO"] == own(task, "review")
        shown = answer.content.decode()
        assert "Call 1 phone" in shown
        assert "1 was given twice" in shown
        assert "Asia/Shanghai" in shown

    def test_who_wrote_and_edited_it_is_recorded(self, application: Application, admin_client: Client) -> None:
        admin_client.post(reverse(ADD), given(application))
        task = GroupTask.objects.get()
        at = own(task, "edit")
        form = given(application, text="Other", numbers=f"+{FIRST + 5}\n+{FIRST + 6}")
        admin_client.post(at, form)

        entries = AuditEntry.objects.filter(object_kind="voice.grouptask").order_by("pk")
        assert [(entry.kind, entry.person) for entry in entries] == [("added", "admin"), ("changed", "admin")]
        said = [[read(field), *values] for field, *values in entries[1].summary["changes"]]
        assert said == [["text", "Hello", "Other"], ["numbers", "2", "2"]]

    def test_a_line_ends_with_one_character(self, application: Application, admin_client: Client) -> None:
        messenger = Application.objects.create(app_id="sms12345", channel="sms")
        sms = {"hang_up_sms": "on", "sms_application": messenger.pk, "sms_text": "a\r\n" * 400, "sms_on_answer": "on"}
        admin_client.post(reverse(ADD), given(application, **sms, text="Hello\r\nyou"))

        task = GroupTask.objects.get()
        assert (task.text, task.sms_text) == ("Hello\nyou", ("a\n" * 400).strip())

    @pytest.mark.parametrize(("clock", "hour"), [("mine", 4), ("console", 10)])
    def test_it_starts_by_the_clock_of_who_writes_it(
        self, application: Application, admin_client: Client, clock: str, hour: int
    ) -> None:
        Profile.objects.create(user=User.objects.get(username="admin"), time_zone="Asia/Dhaka")
        admin_client.post(reverse(ADD), given(application, send_at="2031-05-01T10:00", clock=clock))

        task = GroupTask.objects.get()
        assert task.send_at == dt.datetime(2031, 5, 1, hour, tzinfo=dt.UTC)
        shown = admin_client.get(own(task, "edit")).content.decode()
        assert "mine: Asia/Dhaka" in shown
        assert f'value="2031-05-01T{hour + 6:02}:00"' in shown

    @pytest.mark.parametrize(
        ("field", "changed"),
        [
            ("numbers", {"numbers": "123456"}),
            ("numbers", {"numbers": "1" * 16}),
            ("numbers", {"numbers": ""}),
            ("speaking_rate", {"speaking_rate": "0.1"}),
            ("max_ringing_time", {"max_ringing_time": "10"}),
            ("max_talk", {"max_talk": "lots"}),
            ("windows", {"windows_0": "12:00", "windows_1": "09:00"}),
            ("windows", {"windows_2": "12:00"}),
            ("send_at", {"send_at": "2020-01-01T10:00"}),
            ("agent_group", {"to_agent": "on"}),
            ("agent_key", {"to_agent": "on", "agent_group": "7", "agent_key": "12"}),
            ("audio", {"source": 1}),
            ("display_number", {"display_number": "+49 1"}),
        ],
    )
    def test_bad_input_is_said_at_its_field_and_nothing_is_lost(
        self, application: Application, admin_client: Client, field: str, changed: dict[str, Any]
    ) -> None:
        answer = admin_client.post(reverse(ADD), given(application, **changed, name="Kept words"))

        assert list(answer.context["form"].said()) == [field]
        assert 'value="Kept words"' in answer.content.decode()
        assert not GroupTask.objects.exists()

    def test_an_sms_without_a_trigger(self, application: Application, admin_client: Client) -> None:
        sms = Application.objects.create(app_id="smsApp", channel="sms")
        form = given(application, hang_up_sms="on", sms_application=sms.pk, sms_text="Bye")

        assert list(errors_of(admin_client, form)) == ["sms_on_answer"]

    def test_what_is_wrong_in_a_part_that_is_off_does_not_matter(
        self, application: Application, admin_client: Client
    ) -> None:
        form = given(application, sms_key="99", agent_key="", callout_rate="x", agent_group="-1", sms_answer_seconds="")
        admin_client.post(reverse(ADD), form)

        assert GroupTask.objects.get().sms_key == 1

    def test_all_problems_are_said_at_once(self, application: Application, admin_client: Client) -> None:
        form = given(application, name="", text="", numbers="12", loop_count=10, windows_0="10:00", windows_1="09:00")

        assert sorted(errors_of(admin_client, form)) == ["loop_count", "name", "numbers", "text", "windows"]

    def test_a_file_of_numbers_and_its_bad_rows(self, application: Application, admin_client: Client) -> None:
        def file() -> SimpleUploadedFile:
            return SimpleUploadedFile("list.csv", f"phone\n+{FIRST}\nnobody\n+{FIRST + 4}\n".encode())

        (said,) = [*errors_of(admin_client, given(application, numbers="", file=file())).values()]
        assert "Row 3" in said[0]

        admin_client.post(reverse(ADD), given(application, numbers="", file=file(), skip_invalid="on"))

        task = GroupTask.objects.get()
        assert group_callees.of(task) == [str(FIRST), str(FIRST + 4)]
        assert (task.left_invalid, task.numbers_from) == (1, "list.csv")

    def test_groups_need_their_permission(
        self, application: Application, group: ContactGroup, admin_client: Client, client: Client
    ) -> None:
        add_contacts(group, 3)
        admin_client.post(reverse(ADD), given(application, groups=[group.pk]))
        assert GroupTask.objects.get().number_count == 3
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(codename__in=["view_grouptask", "add_grouptask", "export_grouptask"])
        )
        client.force_login(user)

        client.post(reverse(ADD), given(application, groups=[group.pk]))

        assert 'name="groups"' not in client.get(reverse(ADD)).content.decode()
        assert GroupTask.objects.order_by("pk").last().number_count == 2  # type: ignore[union-attr]

    def test_a_file_that_travels_with_the_task(self, application: Application, admin_client: Client) -> None:
        bad = SimpleUploadedFile("hello.mp3", picture())
        assert list(errors_of(admin_client, given(application, source=2, audio_file=bad))) == ["audio_file"]

        good = SimpleUploadedFile("hello.mp3", mpeg())
        admin_client.post(reverse(ADD), given(application, source=2, audio_file=good))

        assert GroupTask.objects.get().audio == AudioFile.objects.get(name="hello.mp3")

    def test_a_draft_is_edited_and_keeps_its_numbers(self, application: Application, admin_client: Client) -> None:
        task = written(application, count=5)
        admin_client.post(own(task, "edit"), given(application, numbers="", max_talk=30))

        task.refresh_from_db()
        assert (task.max_talk, task.number_count, len(group_callees.of(task))) == (30, 5, 5)
        assert admin_client.get(own(task, "numbers")).content.decode().split() == ["number", *group_callees.of(task)]
        assert "5 numbers are kept" in admin_client.get(own(task, "edit")).content.decode()

    def test_numbers_that_another_has_given_meanwhile_are_told_and_not_overwritten(
        self, application: Application, admin_client: Client
    ) -> None:
        task, theirs = written(application, count=5), listed(3, FIRST + 100)
        edit = own(task, "edit")
        sent = given(application) | seen_by(admin_client.get(edit))
        group_tasks.save(GroupTask.objects.get(pk=task.pk), audience=theirs)

        told = admin_client.post(edit, sent)
        also = errors_of(admin_client, sent | {"numbers": "", "max_talk": 30}, edit)

        assert "Numbers: stored is “3”, yours is “2”." in unescape(told.content.decode())
        assert "Numbers: now “3”. You had not changed it, so that is taken over." in also["__all__"]
        assert group_callees.of(task) == theirs.numbers
        admin_client.post(edit, sent | seen_by(told))
        assert len(group_callees.of(task)) == 2

    def test_a_held_one_is_asked_for_seldom(self, application: Application, admin_client: Client) -> None:
        task = written(application, count=1)
        GroupTask.objects.update(state=TaskState.HELD, hold_reason="The budget is used up.")

        assert 'hx-trigger="every 10s"' in admin_client.get(own(task)).content.decode()

    def test_windows_come_back(self, application: Application, admin_client: Client) -> None:
        task = written(application, windows=[["09:00", "12:00"], ["18:00", "20:30"]])
        shown = admin_client.get(own(task, "edit")).content.decode()
        for number, time in enumerate(["09:00", "12:00", "18:00", "20:30"]):
            assert f'name="windows_{number}" value="{time}"' in shown

        wrong = given(application, windows_0="12:00", windows_1="09:00")
        assert 'name="windows_0" value="12:00"' in admin_client.post(own(task, "edit"), wrong).content.decode()

    @pytest.mark.thorough
    def test_many_pasted_numbers_fit(self, application: Application, admin_client: Client) -> None:
        many = "\n".join(str(FIRST + n) for n in range(200_001))

        assert "200,001 numbers" in errors_of(admin_client, given(application, numbers=many))["numbers"][0]


# {what a colleague does between the page and its button: how}
MEANWHILE: dict[str, Callable[[GroupTask], Any]] = {
    "another text": lambda task: GroupTask.objects.filter(pk=task.pk).update(text="Buy now"),
    "another time": lambda task: GroupTask.objects.filter(pk=task.pk).update(
        send_at=timezone.now() + dt.timedelta(hours=5)
    ),
    "other numbers": lambda task: (
        type(task.kept_numbers).objects.filter(pk=task.kept_numbers.pk).update(lines="919876543210")
    ),
    "an opt-out": lambda task: SuppressionEntry.objects.create(number=group_callees.of(task)[0], channel="voice"),
}


class ShownTests:
    @pytest.mark.parametrize("what", MEANWHILE)
    def test_the_button_calls_nobody_when_it_is_not_what_was_shown(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, what: str
    ) -> None:
        task = written(application, count=3)
        stale = {"seen": "night", **hidden(admin_client, own(task, "review"))}
        MEANWHILE[what](task)

        said = admin_client.post(own(task, "review"), stale).content.decode()

        assert "changed since you looked" in said
        assert at_sandbox(sandbox) == []
        assert 'id="launch"' in said
        admin_client.post(own(task, "review"), {"seen": "night", **hidden(admin_client, own(task, "review"))})
        assert len(at_sandbox(sandbox)) == 1

    def test_a_page_that_showed_nothing_calls_nobody(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = written(application, count=3)

        admin_client.post(own(task, "review"), {"seen": "night"})

        task.refresh_from_db()
        assert (at_sandbox(sandbox), task.state) == ([], TaskState.DRAFT)


class LaunchingTests:
    def test_it_is_launched_followed_and_repeated(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = written(application, count=30)
        page = admin_client.post(
            own(task, "review"), {"seen": "night", **hidden(admin_client, own(task, "review"))}, follow=True
        ).content.decode()
        assert "Laaffic has the task" in page

        task = seen_through(task)
        shown = admin_client.get(own(task)).content.decode()
        assert f'data-figure="connected">{task.connected}<' in shown
        assert 'id="percent">100%<' in shown

        made = admin_client.post(own(task, "make", "again"), follow=True)
        assert "Call 30 phones" in made.content.decode()
        draft = GroupTask.objects.get(parent=task)
        admin_client.post(own(draft, "review"), {"seen": "night", **hidden(admin_client, own(draft, "review"))})
        assert len(at_sandbox(sandbox)) == 2

    def test_an_announcement_that_is_cut_short_is_warned_of(
        self, application: Application, admin_client: Client
    ) -> None:
        kept, _new = uploads.add(silent_wave(4), "hello.wav")
        task = written(application, source=2, audio=kept, loop_count=3, max_talk=11)
        assert "lasts 12 s" in admin_client.get(own(task, "review")).content.decode()

        GroupTask.objects.update(max_talk=12)
        assert 'id="cut-short"' not in admin_client.get(own(task, "review")).content.decode()

    def test_a_refusal_is_said_with_what_to_do(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = written(application)
        sandbox.set_faults(status="-26", status_calls=1)

        shown = admin_client.post(
            own(task, "review"), {"seen": "night", **hidden(admin_client, own(task, "review"))}, follow=True
        ).content.decode()

        assert "-26" in shown
        assert "Ask your account manager about the rate" in shown
        assert "Review and launch" in shown

    def test_what_is_unknown_is_settled_by_a_person(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = written(application)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        shown = admin_client.post(
            own(task, "review"), {"seen": "night", **hidden(admin_client, own(task, "review"))}, follow=True
        ).content.decode()
        assert "s answer was lost" in shown
        assert "New task from it" not in shown
        GroupTask.objects.update(looks=1, looked_at=timezone.now())
        assert "did not have it" in admin_client.get(own(task)).content.decode()
        admin_client.post(own(task, "make", "copy"))
        assert GroupTask.objects.count() == 1

        assert "Say how you know" in admin_client.post(own(task, "resolve"), follow=True).content.decode()
        admin_client.post(own(task, "resolve"), {"why": "not in their console", **hidden(admin_client, own(task))})

        task.refresh_from_db()
        assert task.state == TaskState.DRAFT

    def test_change_and_cancel(self, sandbox: RunningSandbox, application: Application, admin_client: Client) -> None:
        task = group_tasks.launch(written(application, send_at=timezone.now() + dt.timedelta(hours=3)).pk)
        GroupTask.objects.update(state=TaskState.WAITING)
        made = admin_client.post(own(task, "make", "update"), follow=True)
        draft = GroupTask.objects.get(parent=task)
        assert made.request["PATH_INFO"] == own(draft, "edit")
        when = timezone.localtime(draft.send_at).strftime("%Y-%m-%dT%H:%M")
        admin_client.post(own(draft, "edit"), given(application, numbers="", max_talk=20, send_at=when))
        admin_client.post(own(draft, "review"), {"seen": "night", **hidden(admin_client, own(draft, "review"))})
        assert at_sandbox(sandbox)[0].given["maxCalls"] == 20

        draft.refresh_from_db()
        GroupTask.objects.filter(pk=draft.pk).update(state=TaskState.WAITING)
        shown = admin_client.post(own(draft, "cancel"), follow=True).content.decode()

        assert "has taken the cancelling" in shown
        draft.refresh_from_db()
        assert draft.state == TaskState.CANCELLED

    def test_who_opts_out_while_it_waits_is_told_and_left_out_by_a_change(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        later = timezone.now() + dt.timedelta(hours=3)
        SuppressionEntry.objects.create(number="4915112345678", channel="voice")
        task = group_tasks.launch(written(application, count=3, send_at=later).pk)
        GroupTask.objects.update(state=TaskState.WAITING)
        SuppressionEntry.objects.create(number="4915112345679", channel="voice")
        assert 'id="opted-out"' not in admin_client.get(own(task)).content.decode()
        SuppressionEntry.objects.create(number=str(FIRST), channel="voice")
        assert "1 of its numbers was suppressed" in admin_client.get(own(task)).content.decode()

        admin_client.post(own(task, "make", "update"))
        draft = GroupTask.objects.get(parent=task)
        admin_client.post(own(draft, "review"), {"seen": "night", **hidden(admin_client, own(draft, "review"))})

        assert at_sandbox(sandbox)[0].given["numberList"] == [str(FIRST + 1), str(FIRST + 2)]
        assert 'id="opted-out"' not in admin_client.get(own(draft)).content.decode()

    def test_templates(self, application: Application, admin_client: Client) -> None:
        task = written(application, max_talk=33)
        admin_client.post(own(task, "template"))
        template = GroupTask.objects.get(is_template=True)
        form = given(application, max_talk=44)
        admin_client.post(own(template, "edit"), form)
        made = admin_client.post(own(template, "make", "copy"), follow=True)

        fresh = GroupTask.objects.filter(is_template=False).first()
        assert fresh is not None
        assert made.request["PATH_INFO"] == own(fresh, "edit")
        assert (fresh.max_talk, fresh.number_count) == (44, 0)
        listed = admin_client.get(reverse(LIST)).context_data["cl"].result_list
        assert template not in listed
        assert list(admin_client.get(reverse(LIST), {"show": "templates"}).context_data["cl"].result_list) == [template]

    @pytest.mark.parametrize("state", [TaskState.FINISHED, TaskState.CANCELLED, TaskState.FAILED])
    def test_of_what_is_over_the_rest_is_called_by_a_new_task(
        self, application: Application, admin_client: Client, state: TaskState
    ) -> None:
        task = written(application)
        GroupTask.objects.filter(pk=task.pk).update(state=state, key="1", called=1, recorded=1)
        assert 'id="unreached"' in admin_client.get(own(task)).content.decode()

        admin_client.post(own(task, "make", "unreached"))

        made = GroupTask.objects.exclude(pk=task.pk).get()
        assert (made.kind, made.number_count) == (TaskKind.SEND, task.number_count)
        assert 'id="unreached"' not in admin_client.get(own(made)).content.decode()

    def test_only_what_never_left_is_deleted(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task, launched = written(application), group_tasks.launch(written(application).pk)
        admin_client.post(own(task, "delete"), {"post": "yes"})
        assert admin_client.post(own(launched, "delete"), {"post": "yes"}).status_code == 403

        assert list(GroupTask.objects.all()) == [launched]

    def test_permissions(
        self, sandbox: RunningSandbox, application: Application, client: Client, admin_client: Client
    ) -> None:
        task = written(application)
        user = User.objects.create_user("eve", is_staff=True)
        client.force_login(user)
        gets = [reverse(LIST), reverse(ADD), own(task), own(task, "edit"), own(task, "review")]
        gets += [reverse("admin:voice_grouptask_export", args=["csv"]), own(task, "numbers")]
        assert {client.get(page).status_code for page in gets} == {403}
        user.user_permissions.set(
            Permission.objects.filter(codename__in=["view_grouptask", "add_grouptask", "export_grouptask"])
        )
        assert {client.get(page).status_code for page in gets} == {200}
        posts = [own(task, "review"), own(task, "cancel"), own(task, "resolve"), own(task, "make", "again")]
        assert {client.post(page, {"why": "x"}).status_code for page in posts} == {403}
        assert at_sandbox(sandbox) == []
        actions = [own(task, "cancel"), own(task, "template"), own(task, "make", "copy")]
        assert {admin_client.get(page).status_code for page in actions} == {404}


class FrontPageTests:
    def test_what_calls_and_what_is_unknown_is_on_the_front_page(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client, client: Client
    ) -> None:
        group_tasks.launch(written(application, name="Under way").pk)
        group_tasks.launch(written(application, name="Nobody knows").pk)
        GroupTask.objects.filter(name="Nobody knows").update(state=TaskState.UNKNOWN)
        written(application, name="Only a draft")

        shown = " ".join(admin_client.get(reverse("admin:index")).content.decode().split())

        assert "Group calls under way" in shown
        assert "<strong>Under way</strong>" in shown
        assert "<strong>Nobody knows</strong> is unknown" in shown
        assert "Only a draft" not in shown
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
        client.force_login(user)
        assert "Group calls under way" not in client.get(reverse("admin:index")).content.decode()


class ListTests:
    def test_totals_and_export_follow_the_filters(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        other = Application.objects.create(app_id="other", channel="voice")
        seen_through(group_tasks.launch(written(application, count=10, name="=Spring").pk))
        seen_through(group_tasks.launch(written(other, count=20).pk))
        written(application)
        query = {"application__id__exact": application.pk, "state": "finished"}
        page = admin_client.get(reverse(LIST), query)
        assert (page.context_data["totals"]["tasks"], page.context_data["totals"]["called"]) == (1, 10)
        assert admin_client.get(reverse(LIST)).context_data["totals"]["called"] == 30

        export = reverse("admin:voice_grouptask_export", args=["csv"])
        lines = b"".join(admin_client.get(export, query).streaming_content).decode("utf-8-sig").splitlines()
        assert len(lines) == 3
        assert lines[1].startswith("'=Spring,")
        assert lines[2].startswith("Total,")
        book = admin_client.get(reverse("admin:voice_grouptask_export", args=["xlsx"]))
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(book.streaming_content))).active
        rows = [[cell.value for cell in row] for row in sheet.rows]
        assert rows[-1][rows[0].index("called")] == 30
        assert len(rows) == 5

    def test_queries_do_not_grow_with_the_list(
        self, application: Application, admin_client: Client, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(20):
            group_copies.template(written(application))
        with django_assert_max_num_queries(20):
            admin_client.get(reverse(LIST))
