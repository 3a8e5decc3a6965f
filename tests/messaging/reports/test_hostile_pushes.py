"""One entry that cannot be applied holds up nobody: it is marked, shown, and can be tried again."""

import dataclasses
import datetime as dt
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.sql.compiler import SQLInsertCompiler
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind, Trouble
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.inbox import draining, inbox
from messaging.models import EmailCampaign, EmailMessage, Reply, SuppressionEntry
from messaging.services.email import callbacks as email_callbacks
from messaging.services.replies import replies, reply_pushes
from messaging.services.reports import report_pushes
from tests.messaging.email import test_email_reports

pytestmark = pytest.mark.django_db

campaign = test_email_reports.campaign


def stored(kind: str, body: Any, mark: str = "") -> PushedBody:
    inbox.store(kind=kind, body=body if isinstance(body, str) else json.dumps(body), source=None, mark=mark)
    return PushedBody.objects.latest("id")


def reply(number: str = "919876500001", **given: Any) -> dict[str, Any]:
    return {"mobile": number, "content": "STOP", "reply_time": "2026-01-02 10:00:00", "sendid": "SHOP"} | given


def drain(*inboxes: draining.Inbox[Any]) -> None:
    for one in inboxes:
        for _round in range(50):
            if not one.apply_some():
                break
        else:
            raise AssertionError(f"{one.kind} never comes to its end")


class RepliesTests:
    @pytest.mark.parametrize(
        "bad",
        [
            reply(reply_time="9999-12-31 23:59:59"),
            reply(reply_time="0001-01-01 00:00:00"),
            reply(reply_time="9999-12-31T23:59:59-12:00"),
            reply(reply_time=99_999_999_999_999),
            reply(mobile="9" * 300),
            reply(mobile="+"),
            reply(content="a\0b"),
            reply(content="\ud800 half"),
            reply(msgid="x" * 500, operator="o" * 500, sendid="s" * 500),
            reply(pricedetail={"pay": "NaN", "chargeCnt": 10**40, "price": "1e999999"}),
            reply(reply_time=float("nan")),
        ],
    )
    def test_what_is_hostile_never_holds_up_a_stop(self, bad: dict[str, Any]) -> None:
        stored("sms-reply", [bad])
        stored("sms-reply", reply("919876500002"))

        drain(reply_pushes.INBOX)

        assert not PushedBody.objects.filter(applied_at=None).exists()
        assert SuppressionEntry.objects.filter(number="919876500002").exists()

    def test_a_time_that_cannot_be_is_not_taken_for_one(self) -> None:
        stored("sms-reply", reply(reply_time="9999-12-31 00:00:00", msgid="1"))

        drain(reply_pushes.INBOX)

        assert abs(Reply.objects.get().at - timezone.now()) < dt.timedelta(minutes=1)


class IsolationTests:
    @pytest.fixture(autouse=True)
    def _breaks_on_666(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = replies._row

        def row(found: Any, source: str, now: Any) -> Reply:
            if found.content == "666":
                raise OverflowError("no row has room for this")
            return real(found, source, now)

        monkeypatch.setattr(replies, "_row", row)

    def test_the_others_of_its_body_and_batch_are_applied(self) -> None:
        first = stored("sms-reply", [reply(f"9198765000{n:02}", content="666" if n == 13 else "hi") for n in range(40)])
        second = stored("sms-reply", reply("919876599999"))

        drain(reply_pushes.INBOX)

        first.refresh_from_db()
        second.refresh_from_db()
        assert Reply.objects.count() == 40
        assert (first.failed, first.entries, first.position) == (1, 40, 40)
        assert first.problems == ["OverflowError: no row has room for this"]
        assert (second.failed, second.problems) == (0, [])

    def test_health_and_inbox_show_it(self, admin_client: Client) -> None:
        body = stored("sms-reply", reply(content="666"))
        drain(reply_pushes.INBOX)

        shown = admin_client.get(reverse("admin:gateway_pushedbody_changelist"), {"failed": "yes"})

        assert "OverflowError" in shown.content.decode()
        assert "1 could not be applied" in admin_client.get("/admin/health/").content.decode()
        assert str(body.pk) in shown.content.decode()

    def test_its_page_says_problems_in_words(self, admin_client: Client) -> None:
        bodies = [stored("sms-reply", reply(content=content)) for content in ("666", "hi")]
        drain(reply_pushes.INBOX)

        troubled, fine = (
            admin_client.get(reverse("admin:gateway_pushedbody_change", args=[body.pk])).content.decode()
            for body in bodies
        )

        assert "OverflowError: no row has room for this" in troubled
        assert "&quot;OverflowError" not in troubled
        assert not re.search(r">\s*\[\s*\]\s*<", fine)

    def test_it_can_be_tried_again_and_what_was_applied_stays_once(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = stored("sms-reply", [reply(content="666"), reply(content="hi")])
        drain(reply_pushes.INBOX)
        monkeypatch.undo()
        page = reverse("admin:gateway_pushedbody_try_again", args=[body.pk])

        admin_client.get(page)
        untouched = PushedBody.objects.get(pk=body.pk).failed
        admin_client.post(page)
        drain(reply_pushes.INBOX)

        body.refresh_from_db()
        assert (untouched, body.failed, body.problems) == (1, 0, [])
        assert Reply.objects.count() == 2

    def test_who_may_only_look_cannot_try_again(self, client: Client) -> None:
        from django.contrib.auth.models import Permission

        body = stored("sms-reply", reply(content="666"))
        drain(reply_pushes.INBOX)
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_pushedbody"))
        client.force_login(viewer)

        answer = client.post(reverse("admin:gateway_pushedbody_try_again", args=[body.pk]))

        assert answer.status_code == 403
        assert PushedBody.objects.get(pk=body.pk).failed == 1

    def test_an_orphan_that_cannot_be_applied_holds_up_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stored("sms-report", [{"msgid": str(n), "mobile": "919876500001", "status": 0} for n in (1, 2, 3)])
        drain(report_pushes.INBOX)
        OrphanReport.objects.update(next_try_at=timezone.now())
        OrphanReport.objects.filter(gateway_id="2").update(report={"not": "a report"})

        report_pushes.INBOX.retry_orphans()

        assert OrphanReport.objects.get(gateway_id="2").problem
        assert OrphanReport.objects.exclude(gateway_id="2").filter(tries=1).count() == 2


class BodyTests:
    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "9" * 5000, "[" + "9" * 5000 + "]", "{"])
    def test_a_body_that_cannot_be_read_is_marked(self, text: str) -> None:
        body = stored("sms-report", text)

        drain(report_pushes.INBOX)

        body.refresh_from_db()
        assert body.applied_at is not None
        assert body.failed == 1 or body.problems

    def test_one_is_stored_by_a_statement_that_was_written_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """While Laaffic waits: the ORM takes longer to write the statement than the database to run it."""
        stored("sms-report", {})
        monkeypatch.setattr(SQLInsertCompiler, "as_sql", None)

        body = stored("sms-report", [{"msgid": "m1"}])

        assert (json.loads(body.body), body.size, body.source, body.position, body.problems) == (
            [{"msgid": "m1"}],
            len(body.body),
            None,
            0,
            [],
        )

    def test_an_empty_list_is_done_at_once(self) -> None:
        body = stored("sms-report", [])

        drain(report_pushes.INBOX)

        body.refresh_from_db()
        assert (body.entries, body.failed) == (0, 0)
        assert body.applied_at is not None

    def test_a_large_body_keeps_its_position_and_lets_others_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(draining, "ENTRIES_A_ROUND", 300)
        monkeypatch.setattr(draining, "LARGE", 10_000)
        large = stored("sms-report", [{"msgid": str(n), "mobile": "919876500001", "status": 0} for n in range(700)])
        small = stored("sms-report", {"msgid": "x", "mobile": "919876500001", "status": 0})

        report_pushes.INBOX.apply_some()

        large.refresh_from_db()
        small.refresh_from_db()
        assert (large.position, large.applied_at) == (300, None)
        assert small.applied_at is not None
        drain(report_pushes.INBOX)
        large.refresh_from_db()
        assert (large.position, large.entries) == (700, 700)
        assert OrphanReport.objects.count() == 701

    def test_a_round_looks_at_the_first_alone(
        self, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        """Of a million that wait, each round would else go through all: the longer the inbox, the slower."""
        monkeypatch.setattr(draining, "BODIES_AT_ONCE", 3)
        for n in range(7):
            stored("sms-report", {"msgid": str(n), "status": 0})

        with django_assert_max_num_queries(3) as asked:
            first = draining._next_bodies(PushKind.SMS_REPORT)

        assert [json.loads(body.body)["msgid"] for body in first] == ["0", "1", "2"]
        assert ["LIMIT" in query["sql"] for query in asked.captured_queries] == [True, True, False]
        assert not any("size" in query["sql"].partition("WHERE")[2] for query in asked.captured_queries)

    def test_large_ones_before_all_others_hold_up_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(draining, "BODIES_AT_ONCE", 2)
        monkeypatch.setattr(draining, "LARGE", 1000)
        large = [stored("sms-report", [{"msgid": f"{n}-{at}", "status": 0} for at in range(50)]) for n in range(3)]
        small = stored("sms-report", {"msgid": "x", "status": 0})

        first = draining._next_bodies(PushKind.SMS_REPORT)

        assert [body.pk for body in first] == [large[0].pk, small.pk]

    def test_who_is_told_to_stop_goes_on_where_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(draining._Pace, "size", 100)
        body = stored("sms-reply", [reply(f"9198765{n:05}", content="hi") for n in range(250)])
        answers = iter([True, False])

        reply_pushes.INBOX.apply_some(lambda: next(answers))

        body.refresh_from_db()
        assert (body.position, Reply.objects.count()) == (100, 100)
        drain(reply_pushes.INBOX)
        assert Reply.objects.count() == 250

    def test_entries_are_read_when_their_turn_comes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(draining._Pace, "size", 50)
        monkeypatch.setattr(draining, "LARGEST", 50)
        stored("sms-reply", [reply(f"9198765{n:05}", content="hi") for n in range(250)])
        read: list[object] = []
        inbox = dataclasses.replace(
            reply_pushes.INBOX, read=lambda body, raw: read.append(raw) or reply_pushes.INBOX.read(body, raw)
        )
        answers = iter([True, False])

        inbox.apply_some(lambda: next(answers))

        assert (len(read), Reply.objects.count()) == (100, 50)

    def test_two_at_once_apply_nothing_twice(self) -> None:
        body = stored("sms-reply", [reply(content="hi")])
        stale = list(reply_pushes.INBOX._entries([body]))
        drain(reply_pushes.INBOX)

        reply_pushes.INBOX._apply_piece(stale)

        assert Reply.objects.count() == 1


class EmailTests:
    def said(self, **given: Any) -> dict[str, Any]:
        return {"taskId": "t1", "emailId": "", "toAddress": "a@b.example", "emailState": "success"} | given

    @pytest.mark.parametrize(
        "entries",
        [
            [{"toAddress": "İ" * 250 + "@x.example"}],
            [{"emailId": "A"}, {"emailId": "B"}, {}, {"emailId": "C"}, {}],
            [{}, {"emailId": "A"}, {}, {"emailId": "B"}, {}, {}],
            [{"emailId": "A,B"}],
            [{"emailId": "y" * 300}, {"emailId": "y" * 299 + "z"}],
            [{"emailId": "A", "toAddress": ""}, {"toAddress": "a@b.example"}, {"emailId": "A"}],
            [{"emailId": "@a@b.example"}, {}, {}],
            [{"remark": "r\0" * 500, "emailState": "s" * 500}],
            [{"emailId": "\ud800", "toAddress": "\udfff@x.example"}],
        ],
    )
    def test_mails_of_every_shape_are_applied(self, campaign: EmailCampaign, entries: list[dict[str, Any]]) -> None:
        body = stored("email-report", [self.said()], mark=campaign.mark)
        more = stored("email-report", [self.said(**entry) for entry in entries], mark=campaign.mark)

        drain(email_callbacks.INBOX)

        body.refresh_from_db()
        more.refresh_from_db()
        assert (body.failed, more.failed, more.problems) == (0, 0, [])
        assert EmailMessage.objects.filter(campaign=campaign).exists()


class SweepTests:
    def test_a_step_that_fails_skips_none(self) -> None:
        done: list[str] = []

        def bad() -> None:
            raise ValueError("no such thing")

        isolation.run_all(lambda: done.append("a"), bad, lambda: done.append("b"))
        isolation.run_all(bad)

        trouble = Trouble.objects.get()
        assert done == ["a", "b"]
        assert (trouble.problem, trouble.times) == ("ValueError: no such thing", 2)
        with isolation.guarded(trouble.name):
            pass
        assert not Trouble.objects.exists()

    def test_a_database_that_is_locked_is_no_fault_of_a_row(self) -> None:
        from django.db import OperationalError

        with pytest.raises(OperationalError):
            isolation.in_pieces([1, 2], _locked, lambda item, problem: None)

    def test_what_fails_alone_is_found_by_halves(self) -> None:
        kept: list[int] = []
        left: list[int] = []

        def work(some: Any) -> None:
            if {7, 300} & set(some):
                raise ValueError
            kept.extend(some)

        isolation.in_pieces(range(500), work, lambda item, problem: left.append(item))

        assert left == [7, 300]
        assert kept == [n for n in range(500) if n not in left]


def _locked(items: Any) -> None:
    import sqlite3

    from django.db import OperationalError

    raise OperationalError("database is locked") from sqlite3.OperationalError("database is locked")
