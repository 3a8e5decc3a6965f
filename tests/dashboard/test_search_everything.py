"""Search from everywhere: a number however it is written, names, ids; nobody finds what they may not see."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.dashboard import search
from laaffic_console.gateway.models import Application
from laaffic_console.handbook import searching
from laaffic_console.kit.registers.search_kinds import Query
from messaging.models import Batch, Campaign, Contact, ContactGroup, EmailCampaign, Message, Reply, SuppressionEntry
from messaging.services.contacts import people_search
from phone_numbers.models import Binding, NumberPool, OwnedNumber
from voice.models import AudioFile, CallRecord, SipCall

pytestmark = pytest.mark.django_db

PAGE = "/admin/search/"
NUMBER, NAME = "919876543210", "Asha Verma"


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root")


def message(number: str = NUMBER, **fields: Any) -> Message:
    application = Application.objects.get_or_create(app_id="a", defaults={"channel": "sms", "name": "Shop"})[0]
    campaign = Campaign.objects.create(name=fields.pop("campaign", "Diwali"), application=application, text="Hi")
    batch = Batch.objects.create(campaign=campaign, first_message_id=0, last_message_id=0, size=1)
    return Message.objects.create(campaign=campaign, batch=batch, number=number, **fields)


def titles(user: User, typed: str, kind: str = "people") -> list[str]:
    return [one.title for part in search.find(user, typed).parts if part.kind.name == kind for one in part.results]


@pytest.mark.parametrize(
    "typed",
    [
        *("919876543210", "+91 98765 43210", "0091-98765-43210", "09876543210", "098765 43210", "9876543210"),
        *(
            "3210",
            "43210",
            "98765",
            "09876 5",
            "+9198",
            "7654",
            "87 65-43",
            "٩٨٧٦٥٤٣٢١٠",
            "\u202a+91 98765 43210\u202c",
        ),
        *("Asha", "ASHA V", "verma", "Verma, Asha", "verma as", "asha@exa"),
    ],
)
def test_a_person_is_found_by(root: User, typed: str) -> None:
    Contact.objects.create(number=NUMBER, name=NAME, email="asha@example.org")
    Contact.objects.create(number="4915112345678", name="Ben Ott", email="ben@example.org")

    assert titles(root, typed) == [NAME]


@pytest.mark.parametrize(("typed", "n"), [("żak", 1), ("ŻAK", 1), ("z\u0307ak", 1), ("ЖАК", 0), ("łukasz ż", 1)])
def test_the_last_word_is_found_in_any_alphabet(root: User, typed: str, n: int) -> None:
    Contact.objects.create(number=NUMBER, name="Łukasz Żak")

    assert len(titles(root, typed)) == n


@pytest.mark.parametrize("typed", ["", " ", "a", "%", "😀", "\0", "x" * 3000, "9" * 3000, "%%", "__", "' OR 1=1 --"])
def test_odd_searches_find_nothing_and_say_why(admin_client: Client, typed: str) -> None:
    Contact.objects.create(number=NUMBER, name=NAME)
    message()

    page = admin_client.get(PAGE, {"q": typed})
    palette = admin_client.get(PAGE, {"s": typed, "extended": "1"})

    assert (page.status_code, palette.status_code) == (200, 200)
    assert page.context["found"].parts == []
    assert NAME not in palette.content.decode()
    if typed.strip(" \0"):
        assert (
            "type at least two" in page.content.decode()
            or "Nothing that you" in page.content.decode()
            or ("at most 200 characters" in page.content.decode())
        )


def test_what_was_typed_is_escaped(admin_client: Client) -> None:
    shown = admin_client.get(PAGE, {"q": '"><script>alert(1)</script>'}).content.decode()

    assert "<script>alert(1)" not in shown


def test_everything_is_found_by_what_one_has_at_hand(root: User) -> None:
    now = timezone.now()
    sent = message(gateway_id="g-77")
    application = sent.campaign.application
    ContactGroup.objects.create(name="Diwali buyers")
    EmailCampaign.objects.create(name="Diwali letter", application=application, from_address="a", receiver_id="1")
    Reply.objects.create(number=NUMBER, content="Yes", at=now, received_at=now)
    SuppressionEntry.objects.create(number=NUMBER, channel="all")
    CallRecord.objects.create(voice_id="v-1", callee=NUMBER, at=now, first_seen_at=now, outcome="answered")
    SipCall.objects.create(application=application, account="100", callee=NUMBER, called_info="m")
    AudioFile.objects.create(name="diwali.mp3", audio_type="mp3", content=b"x", size=1, digest="d", seconds=1)
    Binding.objects.create(application=application, bind_id="b-9", phone_a="1", phone_b=NUMBER)
    NumberPool.objects.create(pool_number="7000")
    OwnedNumber.objects.create(number="4930123456")

    def kinds(typed: str) -> set[str]:
        return {part.kind.name for part in search.find(root, typed).parts}

    of_number = {"messages", "replies", "suppressed", "call-records", "calls", "bindings"}
    assert kinds("+91 98765 43210") >= of_number | {"people"}
    assert kinds("3210") == set()  # strangers have no index by the end of their number
    Contact.objects.create(number=NUMBER, name=NAME)
    assert kinds("3210") == kinds("43210") == {"people", "messages"}
    assert kinds("diwali") == {"campaigns", "groups", "email-campaigns", "audio-files"}
    assert kinds(f"{settings.LAAFFIC_ORDER_PREFIX}-{sent.pk}") == {"messages"}
    assert kinds("g-77") == {"messages"}
    assert kinds("b-9") == {"bindings"}
    assert "pools" in kinds("7000")
    assert "owned-numbers" in kinds("123456")
    assert kinds("v-1") == {"call-records"}
    assert kinds("Shop") - {"help"} == {"applications"}


def test_a_number_that_is_no_contact_any_more_has_a_page(root: User) -> None:
    message()

    assert titles(root, "+91 98765 43210") == [NUMBER]
    assert titles(root, "+91 98765 43211") == []


def test_nobody_finds_what_they_may_not_see(client: Client) -> None:
    Contact.objects.create(number=NUMBER, name=NAME)
    message()
    user = User.objects.create_user("bo", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(user)

    found = client.get(PAGE, {"q": NUMBER}).context["found"]

    assert [part.kind.name for part in found.parts] == ["messages"]
    assert NAME not in client.get(PAGE, {"s": "Asha", "extended": "1"}).content.decode()


def test_more_than_eight_lead_to_all_of_them(root: User) -> None:
    Contact.objects.bulk_create(Contact(number=str(919876543000 + n), name=f"Asha {n}") for n in range(12))

    people = search.find(root, "asha").parts[0]
    alone = search.find(root, "asha", only="people").parts[0]

    assert (len(people.results), people.more) == (8, "/admin/search/?q=asha&kind=people")
    assert (len(alone.results), alone.more, alone.is_cut) == (12, "", False)


def test_it_asks_as_much_for_many_as_for_one(root: User) -> None:
    def queries(typed: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            search.find(User.objects.get(pk=root.pk), typed)
        return len(captured)

    Contact.objects.create(number=NUMBER, name=NAME)
    one = {typed: queries(typed) for typed in ("asha", "3210", "9198")}
    Contact.objects.bulk_create(Contact(number=str(919876553210 + 10000 * n), name="Asha V") for n in range(30))

    assert all(queries(typed) <= n for typed, n in one.items())


class IndexTests:
    @pytest.fixture(autouse=True)
    def _many(self) -> None:
        Contact.objects.bulk_create(
            Contact(number=str(919000000000 + n * 7), name=f"Name{n} Other{n}") for n in range(3000)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messaging_contact")

    @pytest.mark.parametrize(
        ("typed", "index"),
        [("Other77", "contact_last_word"), ("0539", "contact_last_digits"), ("ŻAK", "contact_last_word")],
    )
    def test_an_index_answers(self, typed: str, index: str) -> None:
        with CaptureQueriesContext(connection) as captured:
            people_search.find(Query.read(typed), 9)

        plans = [explained(query["sql"]) for query in captured]
        assert any(index in plan for plan in plans)
        assert not [
            plan for plan in plans if "SCAN messaging_contact" in plan.replace("SCAN codes", "") and "USING" not in plan
        ]

    @pytest.mark.parametrize(
        "typed", ["+919000000539", "0091 90000 00539", "09000000539", "447700900999", "07700900999"]
    )
    def test_a_whole_number_is_not_looked_for_in_the_middle_of_all(self, typed: str) -> None:
        with CaptureQueriesContext(connection) as captured:
            people_search.find(Query.read(typed), 9, anywhere=True)

        asked = [query["sql"] for query in captured]
        assert len(asked) >= 3
        assert not [sql for sql in asked if "WHERE number LIKE" in sql or "contact_numbers" in sql]

    def test_digits_in_the_middle_are_found_however_many(self) -> None:
        number = "281234567890125"  # as long as any, and of no country
        Contact.objects.create(number=number)

        def finds(digits: str) -> bool:
            return number in [contact.number for contact in people_search.find(Query(digits, digits), 9, anywhere=True)]

        typed = [number[begins : begins + length] for begins in range(1, 5) for length in range(4, 14)]
        assert [digits for digits in typed if not finds(digits)] == []

    def test_no_kind_reads_all_messages(self, root: User) -> None:
        sent = message(gateway_id="g")
        Message.objects.bulk_create(
            Message(campaign=sent.campaign, batch=sent.batch, number=str(919100000000 + n), gateway_id=f"g{n}")
            for n in range(1000)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE messaging_message")
        with CaptureQueriesContext(connection) as captured:
            for typed in (NUMBER, "g", "g-7", "3210", "Asha", f"{settings.LAAFFIC_ORDER_PREFIX}-7"):
                search.find(root, typed)

        asked = [query["sql"] for query in captured if 'FROM "messaging_message"' in query["sql"]]
        assert len(asked) >= 6
        never_by_choice()
        assert [sql for sql in asked if reads_all(explained(sql), "messaging_message")] == []

    def test_a_plan_that_reads_all_messages_is_told(self) -> None:
        message()
        asked = ["gateway_id LIKE '%x'", "id + 1 = 7", "gateway_id = 'x'"]
        never_by_choice()
        plans = [explained(f"SELECT number FROM messaging_message WHERE {where}") for where in asked]

        assert [reads_all(plan, "messaging_message") for plan in plans] == [True, True, False]


def never_by_choice() -> None:
    """PostgreSQL rightly reads a thousand rows from end to end: from now on only where no index can answer."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


def reads_all(plan: str, table: str) -> bool:
    """Whether a plan goes through a whole table, or through one of its indexes without a condition."""
    lines = plan.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.search(rf"Seq Scan on {table}\b|\bSCAN {table}\b", line):
            return True
        if re.search(rf"Index (Only )?Scan.* on {table}\b", line) and "Index Cond" not in below:
            return True
    return False


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + sql)
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())


def test_a_question_finds_three_passages_of_the_help_behind_everything_else(client: Client) -> None:
    Contact.objects.create(number=NUMBER, name="Import Ann")
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_contact"))
    client.force_login(user)

    searching.find("import")  # else its index is made meanwhile
    named = client.get(PAGE, {"s": "import", "extended": "1"}).context["results"]
    asked = client.get(PAGE, {"s": "How do I take an import back?", "extended": "1"}).context["results"]
    page = client.get(PAGE, {"q": "import"}).content.decode()

    assert named[0]["title"] == "Import Ann"
    assert [one["icon"] for one in named].count("help") == 3
    assert asked[0]["link"].startswith("/admin/help/contacts/#whom-an-import")
    assert "mark>" not in str(asked)
    assert 'href="/admin/help/?q=import"' in page
