"""Numbers that are pasted, or read from a file: taken in by lines, counted, frozen in chunks."""

import io
import json
import time
from pathlib import Path

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.files import pasted_lines
from messaging.models import Campaign, Contact, ContactGroup, GroupMembership, Message, Paste, SuppressionEntry
from messaging.msisdn import Msisdn
from messaging.services.audience import audience, audience_counting, audience_counts
from messaging.services.campaigns import drafts, follow_ups, previews
from messaging.services.contacts import pastes
from messaging.services.figures import campaign_report
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db
ONE, TWO, THREE = "919876500001", "919876500002", "919876500003"


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        (ONE, [ONE]),
        ("+91 98765 00001", [ONE]),
        (f"{ONE}, {TWO};{THREE}", [ONE, TWO, THREE]),
        (f"Ravi,{ONE},Pune", [ONE]),
        (f'"Rao, Ravi","{ONE}",{TWO}', [ONE]),
        (f"{ONE},25", [ONE]),
        (f"Ravi,1234567,{ONE}", [ONE]),
        (f"INV-20261130;{ONE};{TWO}", [ONE]),
        (f"{ONE}，{TWO}；{THREE}、{ONE}", [ONE, TWO, THREE, ONE]),
        (f"{ONE} {TWO}", [ONE, TWO]),
        ("+91 98765 00001  +91 98765 00002", ["919876500001", "919876500002"]),
        ("+49 1512 3456789", ["4915123456789"]),
        ("+4915123 456789", ["4915123456789"]),
        ("0091 9876500001", ["919876500001"]),
        ("", []),
        (" , ;", []),
    ],
)
def test_a_line_is_read_as_it_is_meant(line: str, numbers: list[str]) -> None:
    found = list(pasted_lines.read(line))

    assert [one.number for one in found if isinstance(one, Msisdn)] == numbers
    assert len(found) == len(numbers)


@pytest.mark.parametrize(
    "written",
    [
        "\u202a+91 98765 43210\u202c, \u202a+91 98765 43211\u202c",  # as phones copy them
        "919876543210\u200b;919876543211",
        "\ufeff919876543210,919876543211",
        "+91\u201198765\u201143210;+91\u201198765\u201143211",
        "\uff0b919876543210,\uff0b919876543211",
        "tel:+919876543210, sms:+919876543211",
        "[+91] 98765·43210\t+91 98765 43211",
    ],
)
def test_marks_and_schemes_around_numbers_cost_none_of_them(written: str) -> None:
    assert [getattr(one, "number", one) for one in pasted_lines.read(written)] == ["919876543210", "919876543211"]


def test_a_misspelt_number_among_others_is_reported_and_they_count() -> None:
    first, wrong, last = pasted_lines.read("+919876543210, +91 98765 4321x, +919876543212")

    assert (getattr(first, "number", ""), getattr(last, "number", "")) == ("919876543210", "919876543212")
    assert isinstance(wrong, pasted_lines.Problem)
    assert wrong.text == "+91 98765 4321x"


def test_titles_are_no_invalid_number_but_other_words_are() -> None:
    assert pastes.from_lines(["name,number", ONE]).invalid == 0
    [problem] = pasted_lines.read("hello")
    assert isinstance(problem, pasted_lines.Problem)
    assert problem.why


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [
        (["account,name,phone", f"4915112345678,Anna,{ONE}"], [ONE]),
        (["id,phone", f"4915112345678,{ONE}"], [ONE]),
        (["phone,order", f"{ONE},447400123456", f"{TWO},10000000045"], [ONE, TWO]),
        (["phone;mobile_2;customer", f"{TWO};{ONE};{THREE}"], [ONE]),
        (["phone;mobile_2;customer", f"{TWO};;{THREE}"], [TWO]),  # the others stand in where it is empty
        (["Nummer\tKunde\tTelefon", f"447400123456\t7\t{ONE}"], [ONE]),
        (['"Customer, whole","Phone"', f'"Rao, 4915112345678","{ONE}"'], [ONE]),
        (["", "sep=;", "account;phone", f"4915112345678;{ONE}"], [ONE]),
        (["\ufeffphone,order", f"{ONE},447400123456"], [ONE]),
        (["phone 1", ONE, TWO], [ONE, TWO]),
        (["Phone:", f"+{ONE}, +{TWO}"], [ONE, TWO]),  # a title alone names no columns
        (["account,phone", ONE, f"{TWO};{THREE}"], [ONE, TWO, THREE]),  # lines of another kind are read as ever
        (["account,name,city", f"x,Anna,{ONE}"], [ONE]),  # titles that name no number
    ],
)
@pytest.mark.parametrize("at_once", [1, 5000])
def test_the_column_that_its_header_names_is_read_alone(
    monkeypatch: pytest.MonkeyPatch, lines: list[str], numbers: list[str], at_once: int
) -> None:
    monkeypatch.setattr(pastes, "LINES_AT_ONCE", at_once)

    paste = pastes.from_lines(lines)

    assert list(paste.rows.order_by("pk").values_list("number", flat=True)) == numbers
    assert paste.invalid == 0


def test_the_rest_of_a_row_with_a_line_break_in_a_cell_is_still_read() -> None:
    paste = pastes.from_lines(["name,note,phone", '"Anna","gate 2', f'ring twice",{ONE}', f"Bob,,{TWO}"])

    assert list(paste.rows.order_by("pk").values_list("number", flat=True)) == [ONE, TWO]


def test_a_row_whose_column_is_empty_or_missing_is_told_and_nobody_gets_its_other_numbers() -> None:
    paste = pastes.from_lines(["account,name,phone", "4915112345678,Anna,", "4915112345679,Bo", f"1,Cy,{ONE}", ",,"])

    assert (paste.numbers, paste.invalid) == (1, 2)
    assert [line for line, _text, _why in paste.problems] == [2, 3]


def test_a_row_of_more_cells_than_the_header_has_is_told() -> None:
    """Nobody knows which of its columns is which, as where a program writes line numbers without a title."""
    paste = pastes.from_lines(["phone,order", f"4915112345678,{ONE},7", f"{TWO},7,"])

    assert (paste.numbers, paste.invalid) == (1, 1)
    assert "more cells than the header's 2" in paste.problems[0][2]


@pytest.mark.parametrize("line", [f"{ONE[:-1]}\0{ONE[-1]}", f"+{ONE}\0", "\0"])
def test_a_hole_in_a_number_is_shown_and_kept_by_every_database(line: str) -> None:
    paste = pastes.from_lines([TWO, line])

    assert (paste.numbers, paste.invalid) == (1, 1)
    assert "\ufffd" in str(paste.problems)
    assert "\0" not in "".join(map(str, paste.problems[0]))


LINES = ["name;number", f"Ravi;{ONE}", TWO, "123", ONE, "", f"{THREE},{TWO}", "12345678901234567890"]


@pytest.mark.parametrize("at_once", [1, 3, 5000])
def test_it_counts_the_same_however_it_arrives(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(pastes, "LINES_AT_ONCE", at_once)

    paste = pastes.from_lines(LINES)

    assert (paste.lines, paste.numbers, paste.duplicates, paste.invalid) == (8, 3, 2, 2)
    assert [line for line, _text, _why in paste.problems] == [4, 8]
    assert paste.merged == [[5, ONE], [7, TWO]]
    assert paste.is_complete
    assert list(paste.rows.order_by("pk").values_list("number", flat=True)) == [ONE, TWO, THREE]


def test_lines_that_come_twice_change_nothing_and_a_gap_is_refused() -> None:
    paste = pastes.begin()
    pastes.add(paste.pk, [ONE, TWO], after=0, is_last=False)

    again = pastes.add(paste.pk, [ONE, TWO], after=0, is_last=False)
    with pytest.raises(ValidationError, match="Paste them once more"):
        pastes.add(paste.pk, [THREE], after=5, is_last=True)

    assert (again.lines, again.numbers, again.duplicates) == (2, 2, 0)


def test_a_subscriber_is_there_once_by_whichever_spelling() -> None:
    paste = pastes.from_lines(["5491123456789", "541123456789"])

    assert (paste.numbers, paste.duplicates) == (1, 1)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CHUNK", 2)
    monkeypatch.setattr(audience_counting, "PASTED", 2)


def test_everybody_is_counted_and_frozen_once_and_each_reason_is_told(
    application: Application, group: ContactGroup, small_chunks: None
) -> None:
    staff = ContactGroup.objects.create(name="Staff")
    _in_group, in_staff = add_contacts(group, 2, first=919876500001)
    GroupMembership.objects.create(contact=in_staff, group=staff)
    GroupMembership.objects.filter(contact=in_staff, group=group).delete()
    SuppressionEntry.objects.create(number=THREE, channel="sms")
    others = [str(919876500010 + n) for n in range(5)]
    paste = pastes.from_lines([ONE, TWO, THREE, *others, others[0], "12"])
    campaign = drafts.create(
        name="A",
        application=application,
        sender_id="",
        text="Hi {{name}}",
        groups=[group],
        excluded_groups=[staff],
        paste=paste,
    )

    counted = audience_counts.complete(campaign)
    audience.begin(campaign)
    while audience.freeze_chunk(campaign.pk):
        pass

    campaign.refresh_from_db()
    assert sorted(Message.objects.values_list("number", flat=True)) == [ONE, *others]
    left_out = (campaign.total, campaign.dropped_suppressed, campaign.dropped_excluded, campaign.dropped_invalid)
    assert left_out == (6, 1, 1, 3)  # a contact of the group, a number twice, and one that is none
    told = campaign_report.left_out(campaign)
    assert (told["invalid"], told["duplicates"]) == (1, 2)
    assert (counted.recipients, counted.suppressed, counted.excluded) == (6, 1, 1)
    assert (counted.merged, counted.invalid) == (2, 1)


def test_a_killed_freeze_goes_on_where_it_stood(application: Application, small_chunks: None) -> None:
    numbers = [str(919876500000 + n) for n in range(7)]
    campaign = drafts.create(
        name="A", application=application, sender_id="", text="Hi", paste=pastes.from_lines(numbers)
    )
    audience.begin(campaign)
    cursors = [Campaign.objects.get().paste_cursor]

    while audience.freeze_chunk(campaign.pk):
        cursors.append(Campaign.objects.get().paste_cursor)

    assert cursors == sorted(set(cursors))
    assert len(cursors) == 5
    assert sorted(Message.objects.values_list("number", flat=True)) == numbers


def test_a_copy_shares_what_was_pasted_and_a_paste_without_a_campaign_goes(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, unused = pastes.from_lines([ONE]), pastes.from_lines([TWO])
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", paste=used)
    copied = follow_ups.copy(campaign.pk)
    monkeypatch.setattr(pastes, "KEPT", -pastes.KEPT)

    pastes.forget_unused()

    assert copied.paste == used
    assert not Paste.objects.filter(pk=unused.pk).exists()
    assert used.rows.count() == 1


def test_a_paste_that_has_not_arrived_whole_is_not_saved(application: Application) -> None:
    paste = pastes.add(pastes.begin().pk, [ONE], after=0, is_last=False)

    with pytest.raises(ValidationError, match="Not all of the pasted lines"):
        drafts.create(name="A", application=application, sender_id="", text="Hi", paste=paste)


def test_suppressed_ones_are_counted_by_whichever_spelling(application: Application) -> None:
    SuppressionEntry.objects.create(number="5215512345678", channel="sms")

    assert pastes.suppressed(pastes.from_lines(["525512345678", ONE]), ["sms", "all"]) == 1


def test_the_preview_knows_who_was_pasted(application: Application) -> None:
    paste = pastes.from_lines([ONE])
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", paste=paste)

    assert not previews.why_not(campaign, Contact.objects.create(number=ONE))
    assert previews.why_not(campaign, Contact.objects.create(number=TWO))


def created(application: Application, to: str) -> dict[str, object]:
    said = io.StringIO()
    words = ["--name", "A", "--app", application.app_id, "--text", "Hi", "--to", to, "--json"]
    call_command("campaign", "create", *words, stdout=said)
    document: dict[str, object] = json.loads(said.getvalue())
    return document


def test_a_file_of_numbers_becomes_a_draft(application: Application, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("\n".join(LINES), encoding="utf-8-sig")

    made = created(application, str(file))

    assert (made["numbers"], made["duplicates"], made["invalid"]) == (3, 2, 2)
    paste = Campaign.objects.get(pk=made["id"]).paste
    assert paste is not None
    assert paste.rows.count() == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
def test_a_file_is_read_in_its_own_encoding(application: Application, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "numbers.txt"
    file.write_text(f"Müller;+{ONE}\nJosé;+{TWO}\n", encoding=encoding)

    assert created(application, str(file))["numbers"] == 2


def test_a_person_is_told_which_numbers_are_invalid(application: Application, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(f"{ONE}\n12345678\n")
    said = io.StringIO()

    words = ["--name", "A", "--app", application.app_id, "--text", "Hi", "--to", str(file)]
    call_command("campaign", "create", *words, stdout=said)

    assert "  line 2, “12345678”: " in said.getvalue()


def test_a_workbook_of_numbers_is_said(application: Application, tmp_path: Path) -> None:
    file = tmp_path / "numbers.xlsx"
    openpyxl.Workbook().save(file)

    with pytest.raises(CommandError, match="This is a workbook"):
        created(application, str(file))


def test_standard_input_is_read_too(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ONE}\n{TWO}\n"))

    assert created(application, "-")["numbers"] == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "cp1252"])
def test_so_it_is_in_its_own_encoding(application: Application, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    written = f"Müller;+{ONE}\nJosé;+{TWO}\n".encode(encoding)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(written), encoding="utf-8"))

    assert created(application, "-")["numbers"] == 2


@pytest.mark.parametrize("written", [b"", b"\xff\xfe", b"\xff\xff\xfe\x81" * 9, b"%PDF-1.7"])
def test_what_is_no_text_there_is_said(
    application: Application, monkeypatch: pytest.MonkeyPatch, written: bytes
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(written), encoding="utf-8"))

    with pytest.raises(CommandError, match=r"^-: "):
        created(application, "-")


def test_a_file_without_a_number_and_no_file_are_said(application: Application, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("1\n")

    with pytest.raises(CommandError, match=r"no valid number in .*Line 1: “1”"):
        created(application, str(file))
    with pytest.raises(CommandError, match="No such file"):
        created(application, str(tmp_path / "gone.csv"))
    assert not Campaign.objects.exists()


def test_one_word_is_no_line_of_titles(application: Application, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("hello\n")

    with pytest.raises(CommandError, match=r"no valid number in .*Line 1: “hello”"):
        created(application, str(file))


def test_a_file_s_header_says_which_column_is_sent_to(application: Application, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(f"account,name,phone\n4915112345678,Anna,{ONE}\n", encoding="utf-16")

    paste = Campaign.objects.get(pk=created(application, str(file))["id"]).paste

    assert paste is not None
    assert list(paste.rows.values_list("number", flat=True)) == [ONE]


def test_too_many_lines_are_imported_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pastes, "MOST_LINES", 2)
    paste = Paste.objects.create()

    with pytest.raises(ValidationError, match="More than 2 lines are too many"):
        pastes.add(paste.pk, [ONE, TWO, THREE], after=0, is_last=True)

    paste.refresh_from_db()
    assert (paste.lines, paste.is_complete) == (0, False)


def test_a_long_line_of_numbers_is_no_header() -> None:
    """It is told at once: naming each of so many columns takes minutes."""
    line = ",".join(f"+9198{n:08}" for n in range(50_000))
    begun = time.process_time()

    assert pasted_lines.titles_of([line]) is None
    assert time.process_time() - begun < 5


def test_the_form_says_which_lines_are_invalid_and_why(admin_client: Client, application: Application) -> None:
    given = {
        "name": "A",
        "application": application.pk,
        "text": "Hi",
        "numbers": "\n".join(str(n) for n in range(10, 18)),
    }
    page = reverse("admin:messaging_campaign_add")

    [none, *errors] = admin_client.post(page, given).context["adminform"].form.errors["numbers"]
    assert none.startswith("There is no valid number in it")
    assert errors[0].startswith("Line 1: “10”: 2 digits")
    assert errors[5:] == ["And 3 more invalid numbers."]

    kept = pastes.from_lines([ONE, "12", "abc"])
    draft = Campaign.objects.create(name="B", application=application, text="Hi", paste=kept)
    said = admin_client.get(reverse("admin:messaging_campaign_change", args=[draft.pk])).content.decode()
    assert "2 invalid lines are left out:<br>Line 2: “12”: 2 digits" in said
    assert "Line 3: “abc” is not a phone number" in said
