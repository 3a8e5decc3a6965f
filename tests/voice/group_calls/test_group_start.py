"""Windows of a group call, when it starts by them, and what has to be seen before it is launched."""

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from laaffic_console.gateway.models import Application
from tests.messaging.pages import hidden
from voice.models import AudioFile, GroupTask, TaskNumbers, TaskState
from voice.services.group_calls import hours as group_hours
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls import starting as group_start
from voice.services.group_calls import tasks as group_tasks

pytestmark = pytest.mark.django_db

DAY = [["09:00", "12:00"], ["14:00", "18:00"]]


@pytest.fixture(autouse=True)
def _zone(settings: Any) -> None:
    settings.LAAFFIC_TIME_ZONE = "Asia/Shanghai"


def task(**given: Any) -> GroupTask:
    caller, _new = Application.objects.get_or_create(app_id="voice123", channel="voice")
    made = GroupTask.objects.create(
        **{"name": "Spring", "application": caller, "text": "Hello", "number_count": 2} | given
    )
    TaskNumbers.objects.create(task=made, lines="919876543210\n919876543211")
    return made


def at(moment: str) -> dt.datetime:
    """By the windows' clock."""
    return dt.datetime.fromisoformat(f"{moment}+08:00")


@pytest.mark.parametrize(
    ("windows", "named"),
    [
        ([["09:00", "12:00"], ["11:00", "18:00"]], ("09:00–12:00", "11:00–18:00")),
        ([["11:00", "18:00"], ["09:00", "12:00"]], ("09:00–12:00", "11:00–18:00")),
        ([["09:00", "18:00"], ["10:00", "11:00"]], ("09:00–18:00", "10:00–11:00")),
        ([["09:00", "12:00"], ["09:00", "12:00"]], ("09:00–12:00", "09:00–12:00")),
        ([["08:00", "09:00"], ["17:00", "20:00"], ["08:59", "10:00"]], ("08:00–09:00", "08:59–10:00")),
    ],
)
def test_overlapping_windows_are_refused_with_both_named(windows: list[list[str]], named: tuple[str, str]) -> None:
    with pytest.raises(ValidationError) as problem:
        group_requests.check(task(windows=windows))

    sentence = problem.value.message_dict["windows"][0]
    assert all(window in sentence for window in named)


def test_windows_that_cannot_be_read_count_as_none() -> None:
    odd = task(windows=[["09:00:10", "09:00:50"]], send_at=at("2030-03-01T13:00"))

    assert group_start.starts_at(odd) == odd.send_at


@pytest.mark.parametrize(
    "windows", [DAY, [["09:00", "12:00"], ["12:00", "18:00"]], [["22:00", "23:59"], ["00:00", "06:00"]]]
)
def test_windows_that_do_not_overlap_are_taken(windows: list[list[str]]) -> None:
    group_requests.check(task(windows=windows))


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        *(("2027-03-01T06:59", "2027-03-01T09:00"), ("2027-03-01T09:00", "2027-03-01T09:00")),
        *(("2027-03-01T11:30", "2027-03-01T11:30"), ("2027-03-01T12:30", "2027-03-01T14:00")),
        *(("2027-03-01T18:01", "2027-03-02T09:00"), ("2027-12-31T23:59", "2028-01-01T09:00")),
    ],
)
def test_it_starts_in_the_first_window_from_now_on(now: str, starts: str) -> None:
    assert group_start.starts_at(task(windows=DAY), at(now)) == at(starts)


def test_its_own_time_counts_before_now() -> None:
    later = task(windows=DAY, send_at=at("2030-03-01T13:00"))

    assert group_start.starts_at(later) == at("2030-03-01T14:00")


def test_the_clocks_are_those_of_the_numbers() -> None:
    places = group_hours.places_of(["919876543210", "12125550100", "13105550100"])
    shown = group_start.clocks(places, dt.datetime(2027, 3, 1, 18, tzinfo=dt.UTC))

    by_country = {clock.country: clock for clock in shown}
    assert by_country["IN"].first.endswith("23:30")
    assert (by_country["US"].first[-5:], by_country["US"].last[-5:]) == ("10:00", "13:00")


def test_a_start_at_night_needs_a_tick(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    night = task(windows=[["00:00", "00:30"]])  # in Shanghai; 21:30 in India
    launched: list[int] = []
    monkeypatch.setattr(group_tasks, "launch", lambda pk, **_given: launched.append(pk) or night)
    review = reverse("admin:voice_grouptask_review", args=[night.pk])

    shown = hidden(admin_client, review)
    refused = admin_client.post(review, shown).content.decode()
    shown_then = list(launched)
    admin_client.post(review, {"seen": "night", **shown})

    assert "It starts at night for some recipients: India (IN) 2" in refused
    assert 'id="missing"' in refused
    assert not shown_then
    assert launched == [night.pk]


def test_the_review_says_when_and_not_at_once(admin_client: Client) -> None:
    is_morning = dt.datetime.now(dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=8))).hour < 12
    waits = task(windows=[["20:00", "20:30"] if is_morning else ["04:00", "04:30"]])

    shown = admin_client.get(reverse("admin:voice_grouptask_review", args=[waits.pk])).content.decode()

    assert 'id="waits-for-window"' in shown
    assert f" {waits.windows[0][0]}</dd>" in shown
    assert "Recipients in India (IN)" in shown
    assert GroupTask.objects.get().state == TaskState.DRAFT


def test_a_few_among_thousands_of_beginnings_have_their_clock() -> None:
    areas = [201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229]
    american = [f"1{area}{exchange}0000" for area in areas for exchange in range(220, 980)]
    places = group_hours.places_of([*american, "919876543210"])

    shown = group_start.clocks(places, dt.datetime(2027, 3, 1, 18, tzinfo=dt.UTC))

    assert [(clock.country, clock.recipients) for clock in shown] == [("US", len(american)), ("IN", 1)]


@pytest.mark.parametrize("field", ["text", "sms_text"])
def test_fields_that_nobody_fills_in_are_refused(field: str) -> None:
    messenger = Application.objects.create(app_id="sms12345", channel="sms")
    with_field = task(hang_up_sms=True, sms_application=messenger, sms_text="Bye", sms_on_answer=True)
    setattr(with_field, field, "Hello {{name}}")

    with pytest.raises(ValidationError) as problem:
        group_requests.check(with_field)

    assert "Merge fields are not filled in here" in problem.value.message_dict[field][0]


def test_an_open_page_does_not_read_the_sound(admin_client: Client) -> None:
    sound = AudioFile.objects.create(
        name="hello.wav", audio_type="wav", content=b"x" * 10, seconds=1, digest="d", size=10
    )
    called = task(source=2, audio=sound, state=TaskState.CALLING, key="k", total=2)

    with CaptureQueriesContext(connection) as asked:
        answer = admin_client.get(reverse("admin:voice_grouptask_change", args=[called.pk]))

    assert answer.status_code == 200
    assert not [query["sql"] for query in asked if '"voice_audiofile"."content"' in query["sql"]]
