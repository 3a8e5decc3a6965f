"""Reports under a name: whose they are, that each is sent once for each time, and what people are told."""

import datetime as dt
import smtplib
import threading
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F
from django.test import Client
from django.utils import timezone, translation

from laaffic_console import conf
from laaffic_console.checks.console import check_email
from laaffic_console.dashboard.health import health_page
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.ledger import restored
from laaffic_console.gateway.services.work import leases, long_jobs, workers
from laaffic_console.reports import asking, asking_form, jobs, report_keys
from laaffic_console.reports.models import Report, Sending
from laaffic_console.reports.report_form import ReportForm
from laaffic_console.reports.services import mailing, saving, schedule
from messaging.models import Campaign, SentTally
from tests.messaging.conftest import run_jobs
from tests.reports.conftest import Sent

__all__ = ["run_jobs"]
pytestmark = [pytest.mark.django_db, pytest.mark.pages]
LIST = "/admin/reports/report/"
NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)  # a Tuesday


def person(name: str, role: str = "Operator") -> User:
    made = User.objects.create_user(name, email=f"{name}@example.org", is_staff=True)
    made.groups.add(Group.objects.get(name=role))
    return made


@pytest.fixture
def grace() -> User:
    return person("grace")


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.EMAIL_IS_SET, settings.DEFAULT_FROM_EMAIL = True, "console@example.org"


def kept(owner: User, name: str = "India", **fields: Any) -> Report:
    made = Report(owner=owner, name=name, query="period=last_month&by=country", **fields)
    saving.plan(made)
    made.save()
    made.users.add(owner)
    return made


def test_it_follows_people_whose_names_change_and_not_the_names(grace: User) -> None:
    anna, other = person("anna"), person("anna.berg")
    made = Report(owner=grace, name="Anna's", query="period=last_month&person=anna&person=grace")
    saving.keep(made, [])

    anna.username = "anna.smith"
    anna.save()
    other.username = "anna"
    other.save()
    made.refresh_from_db()
    assert asking.read(made.query).only == {"person": ("anna.smith", "grace")}

    anna.delete()
    person("anna.smith")
    made.refresh_from_db()
    with pytest.raises(ValidationError, match=r"anna.smith \(account deleted\)”"):
        asking.read(made.query).run()


def test_nobody_is_asked_for_whom_the_console_does_not_know(grace: User) -> None:
    with pytest.raises(ValidationError, match="does not know the user name “nosuch”"):
        saving.keep(Report(owner=grace, name="Nobody's", query="person=nosuch"), [])
    asking.read("person=-").run()


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ({"schedule": "weekly", "weekday": 1, "hour": 13}, "2026-03-10 12:30", "2026-03-10 13:00"),
        ({"schedule": "weekly", "weekday": 1, "hour": 12}, "2026-03-10 12:00", "2026-03-17 12:00"),
        ({"schedule": "monthly", "month_day": 28, "hour": 0}, "2026-02-28 00:00", "2026-03-28 00:00"),
        ({"schedule": "monthly", "month_day": 1, "hour": 7}, "2026-12-31 23:59", "2027-01-01 07:00"),
        (
            {"schedule": "weekly", "weekday": 6, "hour": 2},
            "2026-03-28 23:00",
            "2026-03-29 03:00",
        ),  # no 02:00 that night
        ({"schedule": "weekly", "weekday": 6, "hour": 2}, "2026-10-25 02:30", "2026-11-01 02:00"),  # 02:00 came twice
    ],
)
def test_the_next_time_is_by_the_consoles_clock(fields: dict[str, Any], after: str, expected: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with timezone.override(berlin):
        found = schedule.next_time(Report(**fields), dt.datetime.fromisoformat(after).replace(tzinfo=berlin))

    assert found is not None
    assert f"{found.astimezone(berlin):%Y-%m-%d %H:%M}" == expected


def test_it_is_sent_once_for_each_time(grace: User, sent: Sent) -> None:
    report = kept(grace, schedule="weekly", weekday=1, hour=7)
    Report.objects.update(next_at=NOW - dt.timedelta(days=21))  # no worker ran for three weeks

    schedule.take_due(NOW)
    schedule.take_due(NOW)

    sending = report.sendings.get()
    report.refresh_from_db()
    assert (sending.due_at, report.next_at) == (NOW - dt.timedelta(days=21), dt.datetime(2026, 3, 17, 7, tzinfo=dt.UTC))
    mailing.send(sending.pk)
    mailing.send(sending.pk)
    sending.refresh_from_db()
    assert (sending.state, sending.recipients, sending.problem) == ("sent", 1, "")
    assert [message.to for message in mail.outbox] == [["grace@example.org"]]
    assert mail.outbox[0].subject == "India: 1 Jan 2026 to 31 Jan 2026"  # the month before the time that was meant


def test_what_is_due_outlives_an_edit(grace: User, sent: Sent) -> None:
    report = kept(grace, schedule="weekly", weekday=0, hour=7)
    planned, due = report.next_at, timezone.now() - dt.timedelta(minutes=5)
    Report.objects.update(next_at=due)
    report.refresh_from_db()

    report.name = "Renamed"
    saving.keep(report, None)
    schedule.take_due()

    assert list(Sending.objects.values_list("due_at", flat=True)) == [due]
    assert Report.objects.get().next_at == planned


def test_one_whose_filter_is_gone_can_still_be_renamed_and_ended(grace: User) -> None:
    campaign = Campaign.objects.create(name="A", application=Application.objects.create(app_id="a", channel="sms"))
    report = Report(owner=grace, name="Mine", query=f"period=last_month&campaign={campaign.pk}")
    saving.keep(report, [])
    campaign.delete()

    report.name = "Ours"
    saving.keep(report, [])
    report.query += "&country=IN"
    with pytest.raises(ValidationError, match="campaign"):
        saving.keep(report, [])


def test_only_another_schedule_is_planned_anew(grace: User) -> None:
    report = kept(grace, schedule="weekly", weekday=0, hour=7)
    soon = timezone.now() + dt.timedelta(seconds=30)
    Report.objects.update(next_at=soon)

    for name in ("A", "B"):
        report.name = name  # its time is what the page has read, which may be past
        saving.keep(report, None)
        assert Report.objects.get().next_at == soon

    report.schedule, report.month_day = "monthly", 3
    saving.keep(report, None)
    assert report.next_at == schedule.next_time(report, timezone.now())
    Report.objects.update(next_at=timezone.now() - dt.timedelta(minutes=5))
    report.schedule = "none"
    saving.keep(report, None)
    assert (report.next_at, Sending.objects.count()) == (None, 0)


@pytest.mark.parametrize("query", ["campaign=campaign%3A999", "application=nosuch", "country=UK", "channel=fax"])
def test_what_nobody_knows_is_not_asked_about(grace: User, query: str) -> None:
    with pytest.raises(ValidationError, match=r"not a|does not know") as refused:
        saving.keep(Report(owner=grace, name="x", query=f"period=last_month&{query}"), [])

    assert list(refused.value.message_dict) == ["query"]


@pytest.mark.parametrize("name", ["channel", "country"])
def test_what_the_page_offers_can_be_kept(name: str) -> None:
    [offered] = [one for one in asking_form.context(asking.read(""))["filters"] if one["name"] == name]

    for key, _label, _is_chosen in offered["options"]:
        report_keys.require_known(asking.read(f"{name}={key}").only)


def test_no_value_is_left_out_in_silence(grace: User) -> None:
    query = "&".join(f"sender=S{n}" for n in range(asking.MOST_VALUES + 1))

    with pytest.raises(ValidationError, match=r"at most 50 values of “.+”\. Remove 1\."):
        saving.keep(Report(owner=grace, name="x", query=query), [])


def test_why_nothing_was_sent_is_said_in_its_readers_language(grace: User, settings: Any) -> None:
    settings.EMAIL_IS_SET = False
    mailing.send(schedule.send_now(kept(grace)).pk)

    assert Sending.objects.get().problem.startswith("The console has no mail server.")
    with translation.override("zh-hans"):
        assert Sending.objects.get().problem.startswith("控制台没有邮件服务器")


def test_the_form_says_that_there_is_no_mail_server_before_it_is_saved(grace: User, settings: Any) -> None:
    client = Client()
    client.force_login(grace)
    pages = [
        f"{LIST}add/",
        f"{LIST}{kept(grace).pk}/change/",
        f"{LIST}{kept(grace, 'Weekly', schedule='weekly').pk}/change/",
    ]
    says = "This console has no mail server yet."

    assert [client.get(page).content.decode().count(says) for page in pages] == [0, 0, 0]
    settings.EMAIL_IS_SET = False
    assert [client.get(page).content.decode().count(says) for page in pages] == [1, 1, 1]


def test_a_worker_that_dies_repeats_no_mail(grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sending = schedule.send_now(kept(grace))

    def die(*_given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mailing, "_send", die)
    with pytest.raises(KeyboardInterrupt):
        mailing.send(sending.pk)
    monkeypatch.undo()
    Sending.objects.update(began_at=timezone.now() - dt.timedelta(hours=2))
    jobs.sweep()
    mailing.send(sending.pk)

    sending.refresh_from_db()
    assert (sending.state, mail.outbox) == ("broken_off", [])
    assert "send it again by hand" in sending.problem


def test_a_restore_sends_nothing_that_may_have_been_sent_since_its_backup(client: Client, grace: User) -> None:
    weekly = kept(grace, "Weekly", schedule="weekly", weekday=1, hour=7)
    past = timezone.now() - dt.timedelta(minutes=1)  # to come at the backup
    Report.objects.update(next_at=past)
    by_hand = schedule.send_now(kept(grace, "By hand"))

    restored.put_others_right()
    jobs.sweep()
    for sending in Sending.objects.all():
        mailing.send(sending.pk)

    weekly.refresh_from_db()
    assert weekly.next_at is not None
    assert weekly.next_at > timezone.now()
    missed = weekly.sendings.get()
    by_hand.refresh_from_db()
    assert (missed.due_at, mail.outbox) == (past, [])
    assert {missed.state, by_hand.state} == {"broken_off"}
    client.force_login(grace)
    assert "this may have been sent since" in client.get(f"{LIST}{weekly.pk}/change/").content.decode()


def test_the_figures_stand_in_the_text_and_all_is_attached(grace: User, sent: Sent) -> None:
    report = kept(grace, format="csv")
    Report.objects.update(query="period=this_month&by=country&compare=on")
    sending = schedule.send_now(report)
    Sending.objects.update(due_at=sending.due_at + dt.timedelta(days=1))  # a mail has days that are over
    mailing.send(sending.pk)

    message = mail.outbox[0]
    name, content, kind = message.attachments[0]
    body = str(message.body)
    assert "Sent: 123 (–)" in body
    assert "Cost, INR: 1.18" in body
    assert "- India (IN): Sent 118; " in body
    assert f"/admin/reports/report/show/?period=custom&from={timezone.localdate():%Y-%m}-01" in body
    assert (kind, str(name).endswith(".csv"), "Total,123" in str(content)) == ("text/csv", True, True)


def refuse(problem: Exception) -> Callable[..., int]:
    def send(self: EmailBackend, messages: Any) -> int:
        raise problem

    return send


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (smtplib.SMTPAuthenticationError(535, b"no"), "Correct EMAIL_URL"),
        (smtplib.SMTPRecipientsRefused({}), "refuses this address"),
        (smtplib.SMTPSenderRefused(550, b"no", "x"), "Correct EMAIL_FROM"),
        (smtplib.SMTPDataError(552, b"too big"), "552: too big"),
        (TimeoutError(), "did not answer (TimeoutError)"),
    ],
)
def test_what_the_mail_server_refuses_is_said_with_what_to_do(
    grace: User, admin_client: Client, monkeypatch: pytest.MonkeyPatch, problem: Exception, says: str
) -> None:
    report = kept(grace)
    monkeypatch.setattr(EmailBackend, "send_messages", refuse(problem))
    mailing.send(schedule.send_now(report).pk)

    assert report.sendings.get().state == "failed"
    assert says in admin_client.get(f"{LIST}{report.pk}/change/").content.decode()


def test_rights_are_asked_for_when_it_is_sent(grace: User, settings: Any) -> None:
    report = kept(grace, addresses="boss@example.com")
    report.users.add(User.objects.create_user("idle", email="idle@example.org", is_staff=True))

    def outcome() -> tuple[str, str]:
        sending = schedule.send_now(report)
        mailing.send(sending.pk)
        sending.refresh_from_db()
        return sending.state, sending.problem

    state, problem = outcome()
    assert (state, [message.to for message in mail.outbox]) == ("partly", [["grace@example.org"]])
    assert "idle may not see reports" in problem
    assert "may not send reports to other addresses" in problem
    grace.groups.clear()
    assert "may no longer export reports" in outcome()[1]
    settings.EMAIL_IS_SET = False
    assert "Set EMAIL_URL" in outcome()[1]
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("fields", "at", "says"),
    [
        ({"addresses": "a@example.org"}, "addresses", "people of this console only"),
        ({"schedule": "weekly"}, "schedule", "needs recipients"),
    ],
)
def test_what_may_not_be_kept_is_said_at_its_field(grace: User, fields: Any, at: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        saving.check(Report(owner=grace, name="x", query="", **fields), [])

    assert says in refused.value.message_dict[at][0]


def test_what_is_too_much_to_keep_is_said(grace: User, admin_user: User) -> None:
    many = "\n".join(f"a{n}@example.org" for n in range(saving.MOST_RECIPIENTS + 1))
    for report, says in [
        (Report(owner=grace, name="x", query="x" * (saving.LONGEST_QUERY + 1)), "too many things"),
        (Report(owner=admin_user, name="x", query="", addresses=many), "at most 50 addresses"),
    ]:
        with pytest.raises(ValidationError, match=says):
            saving.check(report, [])


@pytest.mark.parametrize(
    ("changed", "says"), [({"email": ""}, "has no email address"), ({"is_active": False}, "may not see reports")]
)
def test_whom_nothing_can_be_sent_to_is_not_chosen(grace: User, changed: dict[str, Any], says: str) -> None:
    User.objects.filter(pk=grace.pk).update(**changed)
    grace.refresh_from_db()

    with pytest.raises(ValidationError, match=says):
        saving.check(Report(owner=grace, name="x", query=""), [grace])


def test_who_may_not_export_has_nothing_sent() -> None:
    vera = person("vera", "Viewer")

    with pytest.raises(ValidationError, match="may not export reports"):
        saving.check(Report(owner=vera, name="x", query="", schedule="weekly"), [])


def test_addresses_are_read_one_a_line(admin_user: User) -> None:
    report = Report(owner=admin_user, name="x", query="", addresses="a@example.org\r\n\r\nnonsense\n")

    with pytest.raises(ValidationError, match="“nonsense” is not an email address"):
        saving.check(report, [])
    assert saving.addresses_of(report) == ["a@example.org", "nonsense"]


def test_a_report_is_kept_from_its_page_and_asked_again(client: Client, grace: User, sent: Sent) -> None:
    client.force_login(grace)
    query = "period=last_month&by=sender&country=IN"
    form = {"name": "India", "query": query, "schedule": "monthly", "weekday": 0, "month_day": 2, "hour": 7}
    add = client.get(f"{LIST}add/", {"query": query})
    assert "period=last_month&amp;by=sender" in add.content.decode()

    client.post(f"{LIST}add/", {**form, "format": "csv", "users": [grace.pk]})
    report = Report.objects.get()
    assert (report.owner, report.query) == (grace, query)
    assert report.next_at is not None
    client.post(f"{LIST}keep/", {"report": report.pk, "query": "period=7_days&by=day"})
    report.refresh_from_db()

    assert report.query == "period=7_days&by=day"
    page = client.get(f"{LIST}{report.pk}/change/").content.decode()
    assert "The last 7 days" in page
    assert "addresses" not in page
    again = client.post(f"{LIST}add/", {**form, "format": "csv", "users": [grace.pk]})
    assert "of this name already" in again.content.decode()


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ({}, []),
        ({"schedule": "weekly", "weekday": "6", "hour": "9"}, []),
        ({"schedule": "weekly", "weekday": "6"}, ["hour"]),
        ({"schedule": "monthly", "weekday": "6", "hour": "0"}, ["month_day"]),
        ({"schedule": "none", "month_day": "99"}, ["month_day"]),
    ],
)
def test_only_the_schedule_that_needs_a_day_asks_for_one(
    grace: User, asked: dict[str, str], missing: list[str]
) -> None:
    class Form(ReportForm):
        owner = grace

    empty = {"name": "India", "schedule": "none", "weekday": "", "month_day": "", "hour": "", "format": "csv"}
    form = Form({**empty, "users": [grace.pk], **asked})

    assert list(form.errors) == missing
    if not missing:
        made = form.save()
        assert (made.month_day, made.hour) == (1, int(asked.get("hour", 7)))


def test_others_see_what_is_shared_and_change_nothing(client: Client, grace: User) -> None:
    own, shared = kept(grace, "Own"), kept(grace, "Everybody's", is_shared=True)
    client.force_login(person("ben"))

    listed = client.get(LIST).content.decode()
    assert ("Everybody&#x27;s" in listed, ">Own<" in listed) == (True, False)
    assert client.get(f"{LIST}{shared.pk}/change/").status_code == 200
    assert client.get(f"{LIST}{own.pk}/change/").status_code == 302
    acts = [client.post(f"{LIST}{pk}/{act}/").status_code for pk in (own.pk, shared.pk) for act in ("send", "link")]
    assert acts == [404, 404, 403, 403]
    assert client.post(f"{LIST}keep/", {"report": shared.pk, "query": "by=day"}).status_code == 403
    assert client.post(f"{LIST}{shared.pk}/unlink/").status_code == 403
    assert client.post(f"{LIST}{shared.pk}/change/", {"name": "Mine"}).status_code == 403


def test_addresses_that_were_refused_are_told_to_its_owner(
    client: Client, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace.user_permissions.add(Permission.objects.get(codename="address_report"))
    shared = kept(grace, "Everybody's", is_shared=True, addresses="boss@example.com")
    monkeypatch.setattr(EmailBackend, "send_messages", refuse(smtplib.SMTPRecipientsRefused({})))
    mailing.send(schedule.send_now(shared).pk)

    page = f"{LIST}{shared.pk}/change/"
    seen = {}
    for who in (grace, person("ben")):
        client.force_login(who)
        seen[who.username] = "boss@example.com: " in client.get(page).content.decode()
    assert seen == {"grace": True, "ben": False}


def test_the_mail_names_a_currency_that_only_the_period_before_had(grace: User, sent: Sent) -> None:
    SentTally.objects.update(hour=F("hour") - dt.timedelta(days=9))
    report = kept(grace, format="csv")
    Report.objects.update(query="period=7_days&by=country&compare=on")
    mailing.send(schedule.send_now(report).pk)

    assert "Cost, INR: – (1.18" in str(mail.outbox[0].body)


def test_send_now_is_done_by_a_worker(client: Client, grace: User, run_jobs: Callable[[], int]) -> None:
    client.force_login(grace)
    report = kept(grace)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "laaffic_console.gateway.services.work.bell.transaction.on_commit", lambda ring, **_given: ring()
        )
        client.post(f"{LIST}{report.pk}/send/")

    assert run_jobs() == 1
    assert "Sent" in client.get(f"{LIST}{report.pk}/change/").content.decode()
    assert len(mail.outbox) == 1


def test_the_health_page_says_which_settings_are_missing(grace: User, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = ""
    assert [problem.id for problem in check_email()] == ["laaffic.E154"]
    settings.EMAIL_IS_SET = False
    assert (check_email(), health_page.emails_sign()) == ([], [])
    kept(grace, schedule="weekly")
    assert "set EMAIL_URL" in health_page.emails_sign()[0].says


@pytest.mark.parametrize(
    "given", ["mail.example.com", "smtp+tls://", "http://me:hidden@mail", "smtp://me:hidden@mail:x"]
)
def test_a_wrong_mail_server_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("EMAIL_URL", given)

    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is not the address") as refused:
        conf.email_server()
    assert "hidden" not in str(refused.value)


def test_a_mail_server_is_read_from_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://me%40example.org:a%2Fb%3Ac@mail.example.com:587")

    found = conf.email_server()

    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == ("mail.example.com", 587, True)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("me@example.org", "a/b:c")
    monkeypatch.setenv("EMAIL_URL", "")
    assert conf.email_server() == {}


def test_they_are_sent_one_after_the_other(grace: User) -> None:
    for name in ("Spring", "Autumn"):
        schedule.send_now(kept(grace, name))

    with leases.lease(long_jobs.LEASE):
        jobs.send_next()
    assert not mail.outbox
    jobs.send_next()
    assert [sending.state for sending in Sending.objects.order_by("pk")] == ["sent", "queued"]
    jobs.send(0)  # as the version before rang
    assert [sent.subject.partition(":")[0] for sent in mail.outbox] == ["Spring", "Autumn"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_thought_alive_while_the_mail_server_hangs(grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule.send_now(kept(grace))
    beaten = threading.Event()
    monkeypatch.setattr(workers, "BEAT_EVERY", 0.01)
    monkeypatch.setattr(workers, "beat", beaten.set)
    monkeypatch.setattr(mailing, "_send", lambda sending: (int(beaten.wait(60)), []))

    jobs.send_next()

    assert Sending.objects.get().recipients == 1


def test_a_lost_bell_is_rung_again(grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    Sending.objects.create(report=kept(grace), due_at=NOW, made_at=timezone.now())
    rung: list[str] = []
    monkeypatch.setattr(long_jobs, "ring", rung.append)

    with leases.lease(long_jobs.LEASE):
        long_jobs.ring_for_waiting()
    assert rung == []
    long_jobs.ring_for_waiting()

    assert rung == [schedule.JOB]


def test_the_page_says_in_our_words_what_was_saved_and_deleted(grace: User, client: Client) -> None:
    client.force_login(grace)
    weekly = {"name": "Weekly", "query": "period=last_month&by=country", "schedule": "weekly", "weekday": "1"}
    form = {**weekly, "month_day": "1", "hour": "7", "format": "csv", "users": [str(grace.pk)]}
    refused = client.post(f"{LIST}add/", {**form, "users": []}).content.decode()
    assert "Nothing is saved yet: correct what is marked below." in refused
    assert "errors below" not in refused
    listed = client.post(f"{LIST}add/", form, follow=True).content.decode()
    made = Report.objects.get()
    assert f'“<a href="{LIST}{made.pk}/change/">Weekly</a>” is saved. It is sent next on ' in listed
    own = client.post(
        f"{LIST}{made.pk}/change/", {**form, "schedule": "none", "_continue": "1"}, follow=True
    ).content.decode()
    assert "“Weekly” is saved." in own
    assert "successfully" not in own
    gone = client.post(f"{LIST}{made.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "“Weekly” is deleted." in gone
    assert "successfully" not in gone


@pytest.mark.parametrize(
    ("name", "file_name"),
    [("📈", "report"), ("€/$", "report"), ("..", "report"), ("--", "report"), ("Q1 📈 costs/day", "Q1__costsday")],
)
def test_a_report_of_any_name_is_mailed(grace: User, name: str, file_name: str) -> None:
    mailing.send(schedule.send_now(kept(grace, name)).pk)

    assert Sending.objects.get().state == Sending.State.SENT
    assert mail.outbox[0].attachments[0][0].partition("-20")[0] == file_name


@pytest.mark.parametrize(
    ("period", "on", "days"),
    [
        ("7_days", "2026-03-16", ("2026-03-09", "2026-03-15")),
        ("7_days", "2026-03-23", ("2026-03-16", "2026-03-22")),  # of the next week: no hour is in neither
        ("30_days", "2026-03-31", ("2026-03-01", "2026-03-30")),
        ("this_month", "2026-03-16", ("2026-03-01", "2026-03-15")),
        ("this_month", "2026-04-01", ("2026-03-01", "2026-03-31")),
        ("last_month", "2026-04-01", ("2026-03-01", "2026-03-31")),
        ("custom&from=2026-03-02&to=2026-03-16", "2026-03-16", ("2026-03-02", "2026-03-16")),
    ],
)
def test_a_mail_has_whole_days_and_leaves_out_none(grace: User, period: str, on: str, days: tuple[str, str]) -> None:
    report = kept(grace)
    report.query = f"period={period}&by=country"

    _subject, text, attached = mailing.written(report, dt.datetime.fromisoformat(f"{on}T07:00+00:00"))

    assert attached[0] == f"India-{days[0]}-{days[1]}.xlsx"
    assert f"from={days[0]}&to={days[1]}" in text


def test_the_form_says_which_days_a_mail_has(grace: User) -> None:
    client = Client()
    client.force_login(grace)

    assert "A mail has whole days" in client.get(f"{LIST}{kept(grace).pk}/change/").content.decode()
