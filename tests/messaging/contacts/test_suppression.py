"""The suppression list: what goes on it, what is said about it, and how a number leaves it."""

import datetime as dt
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from laaffic_console.audit.models import AuditEntry
from laaffic_console.events.kinds import Kind
from laaffic_console.events.models import Event
from laaffic_console.events.services import webhooks
from laaffic_console.kit.audit.acts import Actor, acting
from messaging.models import Contact, ContactGroup, SuppressionEntry, SuppressionRelease
from messaging.services.contacts import suppression
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/suppressionentry/"
PASTED = "+91 98765 43210\n00919876543211; 919876543212\nnobody\n\n919876543210\n"


def workbook(*rows: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def upload(content: bytes, name: str = "numbers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


class ReadTests:
    def test_pasted_lines_are_read_as_people_write_them(self) -> None:
        read = suppression.read_pasted(PASTED)

        assert read.good == ["919876543210", "919876543211", "919876543212"]
        assert [(bad.line, bad.value) for bad in read.invalid] == [(3, "nobody")]

    @pytest.mark.parametrize(("text", "n_invalid"), [("phone\n+919876543210", 0), ("nobody\n+919876543210", 1)])
    def test_the_name_of_their_column_is_no_number_that_is_wrong(self, text: str, n_invalid: int) -> None:
        read = suppression.read_pasted(text)

        assert (read.good, len(read.invalid)) == (["919876543210"], n_invalid)

    @pytest.mark.parametrize(
        "content",
        [
            b"919876543210\n919876543211\n",
            b"Name,Phone number\nAnn,+91 98765 43210\nBo,919876543211\n",
            b"Ann;919876543210\nBo;919876543211\n",
            "手机\n919876543210\n919876543211\n".encode("gb18030"),
            "Phone\n919876543210\n919876543211\n".encode("utf-16"),
            workbook(["Ann", 919876543210], ["Bo", "919876543211"]),
            workbook(["Customer", "Mobile"], ["Ann", 919876543210], ["Bo", "919876543211"]),
        ],
        ids=["plain list", "header", "no header", "GB18030", "UTF-16", "workbook", "workbook with header"],
    )
    def test_a_file_with_a_header_or_without(self, content: bytes) -> None:
        for read in (suppression.read_upload(upload(content)), suppression.read_opt_outs(upload(content))):
            assert (read.good, read.invalid) == (["919876543210", "919876543211"], [])

    @pytest.mark.parametrize("content", [b"", b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n\0\0"], ids=["empty", "PDF", "PNG"])
    def test_what_is_no_list_is_said(self, content: bytes) -> None:
        with pytest.raises(ValidationError):
            suppression.read_upload(upload(content))

    def test_national_numbers_need_a_country(self) -> None:
        assert suppression.read_upload(upload(b"9876543210\n"), "IN").good == ["919876543210"]


TWO = ["919876543210", "919876543211", "919876543212"]


class SeveralColumnsTests:
    @pytest.mark.parametrize(
        "content",
        [
            b"name,phone,phone2\nAnn,+91 98765 43210,919876543211\nBo,919876543212,\n",
            b"Mobile;Home phone;Work phone\n919876543210;;919876543211\nn/a;919876543212;N/A\n",
            b"phone,phone\n919876543210,919876543211\n919876543212,\n",
            b"Ann;919876543210;919876543211\nBo;919876543212;\n",
            workbook(["Phone", "Joined", "Phone 2"], [919876543210, "2026-05-04", 919876543211], ["", "", TWO[2]]),
        ],
        ids=["phone2", "mobile, home and work", "the same name", "no header", "workbook"],
    )
    def test_who_opts_out_gets_nothing_on_any_number(self, content: bytes) -> None:
        read = suppression.read_opt_outs(upload(content))

        assert (sorted(read.good), read.invalid) == (TWO, [])

    def test_who_is_called_is_called_once(self) -> None:
        """The same file names the numbers of a group call."""
        assert suppression.read_upload(upload(b"phone,phone2\n919876543210,919876543211\n")).good == TWO[:1]

    def test_a_second_number_that_is_none_is_told(self) -> None:
        read = suppression.read_opt_outs(upload(b"phone,phone2\n919876543210,9198\n"))

        assert [(bad.line, bad.value) for bad in read.invalid] == [(2, "9198")]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"phone,backup\n919876543210,919876543211\n919876543212,\n", "column “backup” seems to hold numbers too"),
            (b"name,handset\nAnn,919876543211\n", "column 2 holds numbers too, and without a header only column 1"),
            (b"919876543210;\n919876543212;919876543211\n", "column 2 holds numbers too"),
            (b"phone\n919876543210,919876543211\n", "column “2” seems to hold numbers too"),
        ],
        ids=["another name", "no known name", "later in a list", "longer than its header"],
    )
    def test_numbers_that_would_be_passed_over_are_told_before_anything_is_done(
        self, admin_client: Client, content: bytes, said: str
    ) -> None:
        answer = admin_client.post(
            f"{LIST}add/", {"file": upload(content), "channel": "sms", "reason": "complaint", "region": ""}
        )

        assert f"Nothing was suppressed: {said}" in answer.content.decode()
        assert not SuppressionEntry.objects.exists()

    @pytest.mark.parametrize("region", ["", "IN", "US", "DE", "EG", "BR", "CN"])
    def test_dates_and_ids_are_no_numbers(self, region: str) -> None:
        days = [dt.datetime(2020, 1, 3, tzinfo=dt.UTC) + dt.timedelta(days=23 * n) for n in range(100)]
        rows = [f"+{TWO[0]},{day:%j},{day:%Y-%m-%d},{day:%Y%m%d},{day:%d.%m.%Y}" for day in days]
        content = "\n".join(["phone,customer,joined,day,left", *rows]).encode()

        assert suppression.read_opt_outs(upload(content), region).good == TWO[:1]

    def test_a_workbook_of_several_sheets_names_them(self) -> None:
        book = openpyxl.Workbook()
        book.active.append([919876543210])
        book.create_sheet("May").append([919876543211])
        book.create_sheet("Empty")
        written = io.BytesIO()
        book.save(written)

        with pytest.raises(ValidationError, match="several sheets: Sheet, May"):
            suppression.read_opt_outs(upload(written.getvalue()))
        with pytest.raises(ValidationError, match="several sheets: Sheet, May"):
            suppression.read_upload(upload(written.getvalue()))


@pytest.mark.parametrize(("n", "told"), [(100, "add them again"), (250, "first 100 of 250: none of the 250 is suppr")])
def test_how_many_could_not_be_read_is_told(admin_client: Client, n: int, told: str) -> None:
    numbers = "\n".join(f"nobody {place}" for place in range(n))

    page = admin_client.post(f"{LIST}add/", {"numbers": numbers, "channel": "all", "reason": "opt_out"})

    shown = " ".join(page.content.decode().split())
    assert told in shown
    assert ("add them again: they are not suppressed" in shown) == (n == 100)


class RegionTests:
    @pytest.mark.parametrize(
        ("written", "region", "number"),
        [
            ("(22) 99812-3456", "BR", "5522998123456"),  # not an old number of Benin
            ("241 412 3456", "MX", "522414123456"),  # nor of Gabon
            ("22541234567", "DE", "4922541234567"),  # nor of Ivory Coast
            ("22541234567", "", "22541234567"),
            ("+22541234567", "DE", "22541234567"),
            ("5215512345678", "MX", "5215512345678"),
            ("24106123456", "GA", "24106123456"),
            ("972591234567", "PS", "972591234567"),
        ],
    )
    def test_a_number_of_the_region_is_no_old_one_of_another_country(
        self, written: str, region: str, number: str
    ) -> None:
        assert suppression.read_pasted(written, region).good == [number]

    @pytest.mark.parametrize(
        ("written", "region", "why"),
        [("2416123456", "DE", r"can be \+492416123456 or \+2416123456"), ("5215512345678", "BR", "too long for BR")],
    )
    def test_a_foreign_one_without_plus_is_refused(self, written: str, region: str, why: str) -> None:
        [bad] = suppression.read_pasted(written, region).invalid

        assert re.search(why, bad.reason)


class ListTests:
    def test_each_is_counted_once_and_the_older_entry_stays(self) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="complaint", note="by telephone")
        entry = {"channel": "sms", "reason": "complaint", "note": ""}

        outcome = suppression.suppress_written(suppression.read_pasted(PASTED), **entry)

        assert (outcome.added, outcome.already_there, outcome.invalid) == (2, 1, 1)
        assert SuppressionEntry.objects.get(number="919876543210").note == "by telephone"

    def test_another_reason_is_another_entry(self) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="invalid")

        assert suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out").added == 1
        assert suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out").already_there == 1
        assert sorted(SuppressionEntry.objects.values_list("reason", flat=True)) == ["invalid", "opt_out"]

    def test_channels_are_apart(self) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out")

        assert suppression.suppress_numbers(["919876543210"], channel="voice", reason="opt_out").added == 1

    def test_the_contacts_are_taken_in_chunks(self, group: ContactGroup) -> None:
        add_contacts(group, 1203)

        outcome = suppression.suppress_contacts(Contact.objects.all(), channel="all", reason="manual")

        assert (outcome.added, SuppressionEntry.objects.count()) == (1203, 1203)

    def test_allowed_again_says_who_and_why(self) -> None:
        ada = User.objects.create_user("ada")
        suppression.suppress_numbers(["919876543210", "919876543211"], channel="sms", reason="opt_out")

        released = suppression.allow_again(
            SuppressionEntry.objects.filter(number="919876543210"), why=" asked by mail ", by=ada
        )

        assert released == (1, 0)
        assert SuppressionEntry.objects.get().number == "919876543211"
        kept = SuppressionRelease.objects.get()
        assert (kept.number, kept.channel, kept.reason, kept.why, kept.released_by) == (
            "919876543210",
            "sms",
            "opt_out",
            "asked by mail",
            ada,
        )

    def test_what_somebody_else_has_just_put_there_is_neither_counted_nor_told_of(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        webhooks.create("https://hooks.invalid/", [Kind.CONTACT_OPTED_OUT])
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out", source=suppression.BY_REPLY)
        monkeypatch.setattr(suppression, "_subscribers_in", lambda *_given: set())  # it came after the look

        both = ["919876543210", "919876543211"]
        outcome = suppression.suppress_numbers(both, channel="sms", reason="opt_out")

        assert (outcome.added, outcome.already_there) == (1, 1)
        assert [event.facts["number"] for event in Event.objects.order_by("pk")] == both
        assert not SuppressionEntry.objects.filter(source=suppression.BY_REPLY).exists()  # a person has said it too

    def test_a_file_called_reply_is_no_stop(self) -> None:
        numbers = suppression.read_pasted("+919876543210")

        suppression.suppress_written(numbers, channel="sms", reason="opt_out", source="reply")

        assert not suppression.hold_stops(numbers.good)

    def test_who_did_it_is_kept_with_the_first_of_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        numbers = [f"9198765{n:05d}" for n in range(suppression.CHUNK + 1)]

        def killed_after_the_first_chunk() -> Iterator[str]:
            yield from numbers[: suppression.CHUNK]
            raise SystemExit

        acts = AuditEntry.objects.order_by("pk")
        with acting(lambda: Actor(None, "ada", "")):
            with pytest.raises(SystemExit):
                suppression.suppress_numbers(killed_after_the_first_chunk(), channel="sms", reason="manual")
            assert [act.details["numbers"] for act in acts.all()] == [suppression.CHUNK]
            suppression.suppress_numbers(numbers, channel="sms", reason="manual")
            release, n = suppression._release, itertools.count()

            def kills(*given: Any) -> None:
                if next(n):
                    raise SystemExit
                release(*given)

            monkeypatch.setattr(suppression, "_release", kills)
            with pytest.raises(SystemExit):
                suppression.allow_again(SuppressionEntry.objects.all(), why="by mistake", by=None)
            assert [act.details["numbers"] for act in acts.all()] == [suppression.CHUNK, 1, suppression.CHUNK]

    def test_without_a_why_it_stays(self) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out")

        with pytest.raises(ValidationError):
            suppression.allow_again(SuppressionEntry.objects.all(), why="  ", by=None)

        assert SuppressionEntry.objects.exists()


class PageTests:
    def test_pasted_and_uploaded_in_one(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="complaint")

        answer = admin_client.post(
            f"{LIST}add/",
            {"numbers": PASTED, "file": upload(b"919876543219\n"), "channel": "sms", "reason": "complaint"},
        )

        outcome = answer.context["outcome"]
        assert (outcome.added, outcome.already_there, outcome.invalid) == (3, 1, 1)
        assert "nobody" in answer.content.decode()
        kept = SuppressionEntry.objects.get(number="919876543219")
        assert (kept.reason, kept.source, kept.created_by.username) == ("complaint", "numbers.csv", "admin")

    def test_numbers_of_no_country_are_said_to_suppress_perhaps_nobody(self, admin_client: Client) -> None:
        """138 0013 8000 is of Beijing, and can be read as a number behind +1 that nobody has."""
        given = {"numbers": "13800138000、15912345678 +919876543210", "channel": "sms", "reason": "manual"}

        said = " ".join(admin_client.post(f"{LIST}add/", given).content.decode().split())
        assert "2 numbers are of no country, the first is 13800138000." in said

        given |= {"region": "CN", "numbers": "13800138000"}
        assert "no country" not in admin_client.post(f"{LIST}add/", given).content.decode()
        assert SuppressionEntry.objects.filter(number="8613800138000").exists()

    @pytest.mark.parametrize(
        ("given", "field"), [({}, "numbers"), ({"file": upload(b"%PDF-1.7")}, "file")], ids=["nothing", "PDF"]
    )
    def test_an_error_stands_at_its_field(self, admin_client: Client, given: dict[str, object], field: str) -> None:
        answer = admin_client.post(f"{LIST}add/", {"channel": "sms", "reason": "manual", "note": "kept", **given})

        assert list(answer.context["form"].errors) == [field]
        assert answer.context["form"]["note"].value() == "kept"
        assert not SuppressionEntry.objects.exists()

    def test_no_channel_is_offered_on_which_it_would_stop_nothing(self, admin_client: Client) -> None:
        offered = admin_client.get(f"{LIST}add/").context["form"].fields["channel"].choices

        assert [value for value, _label in offered] == ["sms", "mms", "voice", "all"]

    def test_one_is_allowed_again_from_its_page(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out")
        page = f"{LIST}{SuppressionEntry.objects.get().pk}/change/"

        refused = admin_client.post(page, {"why": ""})
        assert list(refused.context["form"].errors) == ["why"]
        admin_client.post(page, {"why": "asked"})

        assert not SuppressionEntry.objects.exists()
        assert SuppressionRelease.objects.get().released_by.username == "admin"

    def test_who_stays_on_the_list_for_another_reason_is_told(self, admin_client: Client) -> None:
        for reason in ("invalid", "opt_out"):
            suppression.suppress_numbers(["919876543210"], channel="sms", reason=reason)
        page = f"{LIST}{SuppressionEntry.objects.get(reason='invalid').pk}/change/"

        answer = admin_client.post(page, {"why": "in use again"}, follow=True).content.decode()

        assert "1 number is allowed again. 1 number is still on the list" in answer
        assert SuppressionEntry.objects.get().reason == "opt_out"

    def test_many_are_allowed_again_from_the_list(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["919876543210", "919876543211"], channel="sms", reason="opt_out")
        chosen = {"action": "allow_again", "_selected_action": [SuppressionEntry.objects.first().pk]}
        asked = admin_client.post(LIST, {**chosen, "select_across": "1"})
        given = {"select_across": "1", "_shown": asked.context["shown"], "_confirmed": "1", "why": "asked"}

        admin_client.post(LIST, {**chosen, **given})

        assert (SuppressionEntry.objects.count(), SuppressionRelease.objects.count()) == (0, 2)

    def test_a_reason_that_nobody_can_read_is_asked_for_again(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out")
        chosen = {"action": "allow_again", "_selected_action": [SuppressionEntry.objects.get().pk]}

        answer = admin_client.post(LIST, {**chosen, "_confirmed": "1", "why": "\u200b"})

        assert list(answer.context["form"].errors) == ["why"]
        assert SuppressionEntry.objects.exists()

    def test_who_may_only_add_allows_nobody_again(self, client: Client) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out")
        user = User.objects.create_user("bo", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(codename__in=["add_suppressionentry", "view_suppressionentry"])
        )
        client.force_login(user)
        page = f"{LIST}{SuppressionEntry.objects.get().pk}/change/"

        assert "allow-again" not in client.get(page).content.decode()
        assert client.post(page, {"why": "asked"}).status_code == 403
        assert SuppressionEntry.objects.exists()

    def test_nothing_is_deleted_without_a_word(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out")
        entry = SuppressionEntry.objects.get()

        assert admin_client.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        assert SuppressionEntry.objects.exists()

    def test_the_list_is_searched_by_the_beginning(self, admin_client: Client) -> None:
        suppression.suppress_numbers(["919876543210", "4915123456789"], channel="sms", reason="opt_out")

        found = admin_client.get(f"{LIST}?q=%2B49 15").context["cl"].result_list

        assert [entry.number for entry in found] == ["4915123456789"]


def test_the_templates_name_no_removed_view() -> None:
    folder = Path(__file__).resolve().parents[3] / "messaging" / "templates" / "messaging"

    assert "suppressionentry_delete" not in "".join(path.read_text() for path in folder.glob("*.html"))


class OddFileTests:
    def test_a_file_that_is_too_large_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(suppression, "MAX_BYTES", 1 << 20)

        with pytest.raises(ValidationError, match="larger than 1 MB"):
            suppression.read_upload(upload(b"9" * ((1 << 20) + 1)))

    def test_rows_without_a_number_are_passed_over(self) -> None:
        read = suppression.read_upload(upload(b"name,phone\nAnn,919876543210\nBob\nCyd, \n"))

        assert (read.good, read.invalid) == (["919876543210"], [])

    @pytest.mark.parametrize(
        ("content", "good", "lost"),
        [
            (
                b'number,name\n919876543210,Ann\n919876543211,"Bo" B\n919876543212,Cyd\n',
                ["0", "2"],
                (3, "919876543211"),
            ),
            (b'number,name\n919876543210,Ann\n919876543211,"Bo\n919876543212,Cyd\n', ["0"], (3, "919876543211")),
            (b'"919876543210" x\n919876543211\n', ["1"], (1, '"919876543210" x')),
        ],
        ids=["quotation mark within", "left open", "first row"],
    )
    def test_rows_that_cannot_be_read_are_told(self, content: bytes, good: list[str], lost: tuple[int, str]) -> None:
        """Whoever stands in one goes on getting messages otherwise, and nobody knows."""
        read = suppression.read_upload(upload(content))

        assert read.good == [f"91987654321{end}" for end in good]
        assert [(bad.line, bad.value[: len(lost[1])]) for bad in read.invalid] == [lost]
        assert "quotation mark" in read.invalid[0].reason

    def test_nobody_to_allow_is_no_act(self) -> None:
        with acting(lambda: Actor(1, "ada", "")):
            assert suppression.allow_again(SuppressionEntry.objects.none(), why="asked", by=None) == (0, 0)

        assert not AuditEntry.objects.exists()
