"""A role without the right to see contacts learns nobody's name or data by another page."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import (
    Campaign,
    Contact,
    ContactGroup,
    ContactImport,
    GroupMembership,
    Reply,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.services.campaigns import drafts
from phone_numbers.models import Binding
from voice.models import SipCall

pytestmark = pytest.mark.django_db

NUMBER, NAME, CITY = "919876543210", "Asha Secretname", "Secretville"
EVERYTHING_ELSE = ("messaging", "voice", "numbers", "gateway")


@pytest.fixture(autouse=True)
def _person() -> Contact:
    person = Contact.objects.create(number=NUMBER, country="IN", name=NAME, attributes={"city": CITY})
    group = ContactGroup.objects.create(name="customers")
    GroupMembership.objects.create(group=group, contact=person)
    return person


@pytest.fixture
def almost(client: Client) -> Client:
    """May do everything but see contacts."""
    user = User.objects.create_user("almost", is_staff=True)
    of_apps = Permission.objects.filter(content_type__app_label__in=EVERYTHING_ELSE)
    user.user_permissions.set(of_apps.exclude(codename="view_contact").exclude(codename="change_contact"))
    client.force_login(user)
    return client


@pytest.fixture
def draft() -> Campaign:
    return drafts.create(
        name="A",
        application=Application.objects.create(app_id="app", channel="sms"),
        sender_id="S",
        text="Hi {name} in {city|town}",
        groups=list(ContactGroup.objects.all()),
    )


def said(client: Client, name: str, *arguments: Any, **query: str) -> str:
    answer = client.get(reverse(f"admin:{name}", args=arguments), query)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return f"{answer.status_code} {content.decode(errors='replace')}"


def is_told(page: str) -> bool:
    return NAME in page or CITY in page


@pytest.mark.parametrize("asked", [{}, {"contact": NUMBER}, {"contact": f"+{NUMBER}"}])
def test_the_preview_is_nobodys(almost: Client, admin_client: Client, draft: Campaign, asked: dict[str, str]) -> None:
    assert is_told(said(admin_client, "messaging_campaign_review", draft.pk, **asked))

    shown = said(almost, "messaging_campaign_review", draft.pk, **asked)

    assert shown.startswith("403" if asked else "200")
    assert not is_told(shown)


def test_a_test_message_would_fill_in_the_persons_data(almost: Client, draft: Campaign) -> None:
    answer = almost.post(reverse("admin:messaging_campaign_test", args=[draft.pk]), {"number": NUMBER})

    assert answer.status_code == 403
    assert not Campaign.objects.filter(kind=Campaign.Kind.TEST).exists()


def test_lists_pages_and_exports_name_nobody(almost: Client, admin_client: Client, draft: Campaign) -> None:
    Campaign.objects.filter(pk=draft.pk).update(state="running")
    Reply.objects.create(
        number=NUMBER, content="Yes", at=timezone.now(), received_at=timezone.now(), campaign=draft, key="k"
    )
    suppressed = SuppressionEntry.objects.create(number=NUMBER, channel="sms")
    call = SipCall.objects.create(
        application=draft.application, account="100", callee=NUMBER, contact=Contact.objects.get()
    )
    binding(draft.application)
    pages: list[tuple[Any, ...]] = [
        ("messaging_reply_changelist",),
        ("messaging_reply_export", "csv"),
        ("messaging_campaign_change", draft.pk),
        ("messaging_suppressionentry_change", suppressed.pk),
        ("voice_sipcall_changelist",),
        ("voice_sipcall_change", call.pk),
        ("numbers_binding_export", "csv"),
    ]

    assert [page[0] for page in pages if not is_told(said(admin_client, *page))] == []
    assert [
        page[0] for page in pages if is_told(said(almost, *page)) or not said(almost, *page).startswith("200")
    ] == []


def binding(application: Application) -> Binding:
    return Binding.objects.create(application=application, bind_id="b", phone_a=NUMBER, phone_b="2")


def test_an_imports_rows_are_people(almost: Client) -> None:
    job = ContactImport.objects.create(file_name="a.csv")

    assert said(almost, "messaging_contactimport_change", job.pk).startswith("403")
    assert said(almost, "messaging_contactimport_bad_rows", job.pk).startswith("403")


@pytest.mark.parametrize("sees_suppression", [False, True])
def test_the_suppression_list_is_for_who_may_see_it_on_a_contacts_page_too(
    client: Client, sees_suppression: bool
) -> None:
    user = User.objects.create_user("looks", is_staff=True)
    rights = ["view_contact", *["view_suppressionentry"] * sees_suppression]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)
    SuppressionEntry.objects.create(number=NUMBER, channel="sms", reason="complaint", note="rang twice")
    SuppressionRelease.objects.create(
        number=NUMBER, channel="mms", reason="manual", why="asked for it", suppressed_at=timezone.now()
    )

    page = said(client, "messaging_contact_change", Contact.objects.get().pk)

    assert ("rang twice" in page, "asked for it" in page) == (sees_suppression, sees_suppression)
    assert "Yes, on every channel" not in page
