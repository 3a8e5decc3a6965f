"""Each person chooses the columns of a list; moments are said as distances, and whole numbers can be copied."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard.models import HiddenColumns
from laaffic_console.gateway.models import Application, WorkerHeartbeat
from laaffic_console.kit.words import dates
from messaging.models import Contact, ContactGroup

pytestmark = pytest.mark.django_db
PAGE = "/admin/messaging/contact/"
ALL = ["name", "country", "shown_validity", "language", "in_groups", "created_at"]


def somebody(name: str, *rights: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ann() -> Client:
    contact = Contact.objects.create(number="919876500001", name="Asha", country="IN")
    contact.groups.add(ContactGroup.objects.create(name="Staff"))
    return somebody("ann", "view_contact", "see_numbers")


def choose(client: Client, *shown: str, **more: str) -> int:
    given = {"list": "messaging.contact", "column": shown, **more}
    return client.post(reverse("choose_columns"), given).status_code


def page_of(client: Client, query: str = "") -> str:
    return client.get(PAGE + query).content.decode()


def test_hidden_columns_are_hidden_from_one_person_alone(ann: Client) -> None:
    choose(ann, *(name for name in ALL if name != "in_groups"))

    assert 'class="field-in_groups' not in page_of(ann)
    assert 'class="field-name' in page_of(ann)
    assert 'class="field-in_groups' in page_of(somebody("bo", "view_contact"))


def test_a_moment_can_be_sorted_by(ann: Client) -> None:
    Contact.objects.create(number="919876500002", name="Bina", created_at=timezone.now())

    heading = re.search(r'<a href="\?o=(\d+)"[^>]*>\s*Created', page_of(ann))

    assert heading
    newest_last = page_of(ann, f"?o={heading[1]}")
    assert newest_last.index("Asha") < newest_last.index("Bina")


def test_what_leads_to_the_row_stays(ann: Client) -> None:
    choose(ann)

    assert 'class="field-shown_number' in page_of(ann)
    assert 'value="shown_number"' not in page_of(ann)


def group_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        page_of(client)
    return sum('"messaging_contactgroup"' in one["sql"] for one in asked.captured_queries)


def test_a_hidden_column_costs_no_query(ann: Client) -> None:
    before = group_queries(ann)
    choose(ann, "name", "country")

    assert group_queries(ann) == before - 1


def test_all_columns_come_back(ann: Client) -> None:
    choose(ann, "name")
    choose(ann, "name", reset="yes")

    assert 'class="field-in_groups' in page_of(ann)
    assert not HiddenColumns.objects.exists()


def test_an_address_sorts_by_the_same_column_whatever_is_hidden(ann: Client) -> None:
    Contact.objects.create(number="919876500002", name="Zara", country="BD")
    by_country = "?o=2"  # number, name, country
    assert page_of(ann, by_country).index("Zara") < page_of(ann, by_country).index("Asha")
    choose(ann, "country", "created_at")

    assert page_of(ann, by_country).index("919876500002") < page_of(ann, by_country).index("919876500001")
    assert "o=-2" in page_of(ann, by_country)  # the heading turns the same one round


def test_nobody_chooses_for_a_list_that_they_may_not_see() -> None:
    assert choose(somebody("cy", "view_message"), "name") == 403


def test_the_address_is_kept(ann: Client) -> None:
    answer = ann.post(
        reverse("choose_columns"), {"list": "messaging.contact", "column": ALL, "query": "country=IN&p=2"}
    )

    assert answer.headers["Location"] == f"{PAGE}?country=IN"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "just now"),
        (-5, "just now"),
        (185, "3 min ago"),
        (7300, "2 h ago"),
        (3 * 86400 + 9, "3 d ago"),
        (-3700, "in 1 h"),
    ],
)
def test_moments_are_distances_with_the_exact_one_beside(seconds: int, said: str) -> None:
    at = timezone.now() - dt.timedelta(seconds=seconds)

    assert f'title="{dates.exact(at)}" data-ago>{said}<' in dates.ago(at)


def test_what_is_long_ago_is_a_date() -> None:
    at = timezone.now() - dt.timedelta(days=40)

    assert dates.ago(at).endswith(f">{dates.day(at)}</time>")


def test_lists_say_them(ann: Client) -> None:
    assert "data-ago>just now</time>" in page_of(ann)


def test_counts_are_parted_by_thousands_and_no_process_is_a_count() -> None:
    Application.objects.create(app_id="texts", channel="sms", rate_per_second=12_500)
    WorkerHeartbeat.objects.create(worker="w-1", host="here", pid=54321, started_at=timezone.now())
    client = somebody("eve", "view_application", "view_workerheartbeat")

    assert ">12,500<" in re.sub(r"\s*\n\s*", "", client.get("/admin/gateway/application/").content.decode())
    assert "54321" in client.get("/admin/gateway/workerheartbeat/").content.decode()


def test_only_whole_numbers_can_be_copied(ann: Client) -> None:
    assert 'data-copied="Copied">919876500001<' in page_of(ann)
    masked = page_of(somebody("dee", "view_contact"))
    assert "9198•••••001" in masked
    assert "data-copy=" not in masked
