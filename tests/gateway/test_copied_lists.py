"""One way of copying Laaffic's lists: voice and numbers use the same service and the same panel."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.exceptions import TimeoutException

from laaffic_console.gateway.copied_lists import CopiedListAdmin
from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.lists.list_copies import Copied, Copies, Reading, SyncFailed
from laaffic_console.gateway.services.work import bell, leases
from laaffic_console.laaffic import NotSent, Refused, lookup
from laaffic_console.laaffic.codes import Code, Family
from phone_numbers.services import syncing as number_lists
from voice.services import syncing as voice_lists

pytestmark = pytest.mark.django_db

BOTH = [number_lists.COPIES, voice_lists.COPIES]
# Of each list page: what belongs to it.
PAGES = [
    ("numbers_binding", Channel.NUMBER),
    ("numbers_numberpool", Channel.NUMBER),
    ("numbers_ownednumber", Channel.NUMBER),
    ("voice_sipphone", Channel.VOICE),
    ("voice_callrecord", Channel.VOICE),
    ("voice_grouptask", Channel.VOICE),
]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    heard: list[Any] = []
    monkeypatch.setattr(bell, "ring", lambda *given: heard.append(given))
    return heard


def reading(came: Copied | Exception) -> Callable[[Reading[Any]], Copied]:
    def read(_reading: Reading[Any]) -> Copied:
        if isinstance(came, Exception):
            raise came
        return came

    return read


@pytest.mark.parametrize("copies", BOTH, ids=["numbers", "voice"])
class CopyingTests:
    def test_how_it_went_is_kept(self, copies: Copies[Any]) -> None:
        assert copies.run("x", reading(Copied(5, added=2, gone=1))).rows == 5

        (kept,) = copies.named(["x"])
        assert (kept.rows, kept.problem, kept.is_running) == (5, "", False)
        assert kept.succeeded_at == kept.finished_at
        assert [getattr(kept, name) for name in kept.counted] == [5, 2, 1][: len(kept.counted)]

    def test_what_ends_its_process_leaves_none_that_runs_for_ever(self, copies: Copies[Any]) -> None:
        def killed(_reading: Reading[Any]) -> Copied:
            raise TimeoutException("Task exceeded maximum timeout value")

        with pytest.raises(TimeoutException):
            copies.run("x", killed)

        (kept,) = copies.named(["x"])
        assert (kept.is_running, kept.problem) == (
            False,
            "It was ended before everything was read: it took too long, or was stopped.",
        )

    def test_its_task_may_take_an_hour(self, copies: Copies[Any]) -> None:
        assert bell.options_of(copies.job) == {"timeout": 3600}

    @pytest.mark.parametrize(
        ("problem", "said"),
        [
            (NotSent("nobody answers", interface="x"), "No usable answer from Laaffic (nobody answers). The next"),
            (
                Refused(interface="x", entry=lookup(Family.VOICE, Code.NO_FUNDS), reason="", http_status=200),
                "Laaffic refused with -10: insufficient balance.",
            ),
            (SyncFailed("There is no list."), "There is no list."),
        ],
    )
    def test_why_it_failed_is_kept(self, copies: Copies[Any], problem: Exception, said: str) -> None:
        copies.run("x", reading(Copied(5)))
        with pytest.raises(SyncFailed) as failed:
            copies.run("x", reading(problem))

        (kept,) = copies.named(["x"])
        assert str(failed.value).startswith(said)
        assert kept.problem == str(failed.value)
        assert (kept.rows, kept.succeeded_at == kept.finished_at) == (5, False)

    def test_one_reads_at_a_time(self, copies: Copies[Any]) -> None:
        with leases.lease(f"{copies.lease} x", 60), pytest.raises(SyncFailed, match="right now"):
            copies.run("x", reading(Copied(1)))

    def test_it_is_due_when_old_or_asked_for(self, copies: Copies[Any], rung: list[Any]) -> None:
        assert copies.is_due("x")
        copies.run("x", reading(Copied(1)))
        assert not copies.is_due("x")
        copies.request("x")
        assert copies.is_due("x")
        assert copies.is_asked_for("x")
        assert not copies.is_due("x", forgotten=timezone.now() - dt.timedelta(minutes=1))
        copies.model.objects.update(requested_at=None, started_at=timezone.now() - dt.timedelta(hours=1))
        copies.ring_due(["x"])
        assert rung == [(copies.job, "x")] * 2

    def test_rows_that_were_not_seen_are_said(self, copies: Copies[Any]) -> None:
        copies.run("x", reading(Copied(5, is_complete=False, unreadable=2)))

        (kept,) = copies.named(["x"])
        assert kept.problem.startswith("2 rows of Laaffic's list could not be read")
        assert kept.succeeded_at == kept.finished_at


class PanelTests:
    def test_every_copied_list_has_the_panel(self) -> None:
        ours = {
            f"{model._meta.app_label}_{model._meta.model_name}": one
            for model, one in admin.site._registry.items()
            if isinstance(one, CopiedListAdmin)
        }

        assert {name: one.copies.channel for name, one in ours.items()} == dict(PAGES)

    @pytest.mark.parametrize(("page", "channel"), PAGES)
    def test_it_asks_and_shows_how_it_stands(
        self, admin_client: Client, rung: list[Any], page: str, channel: Channel
    ) -> None:
        address = reverse(f"admin:{page}_changelist")
        needed = f"Register an application of the channel {channel.label} first"
        assert needed in admin_client.get(address).content.decode()
        assert needed in admin_client.post(reverse(f"admin:{page}_sync"), follow=True).content.decode()
        assert not rung
        Application.objects.create(app_id="ours", channel=channel)

        said = admin_client.post(reverse(f"admin:{page}_sync"), follow=True).content.decode()

        assert rung
        assert "Asked for. The list moves when a worker has read it." in said
        assert '<span class="c-state queued-now">Asked for</span>' in said
        long_ago = timezone.now() - dt.timedelta(hours=1)
        for copies in BOTH:
            copies.model.objects.update(
                requested_at=None, started_at=long_ago, finished_at=long_ago, succeeded_at=long_ago
            )
        assert "Out of date" in admin_client.get(address).content.decode()
