"""A form that comes too late is shown again after signing in, and only a click sends it."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.kit.forms import kept_forms
from laaffic_console.notices.kinds import Notify
from messaging.admin.composing import pasted_numbers
from messaging.models import Campaign, ContactGroup, EmailCampaign
from messaging.services.contacts import pastes
from phone_numbers.models import OwnedNumber
from tests.identity.conftest import add_app
from voice.models import GroupTask

pytestmark = pytest.mark.django_db

ADD = "admin:messaging_contactgroup_add"
LONG = "Everybody who bought in spring,\nand asked for more. “Ünïcode” & <b>"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada", password="sesame-41")


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return unescape(found[1])


def sign_in(client: Client, page: str, password: str = "sesame-41") -> Any:
    sent = {"username": "ada", "password": password, "kept": hidden(page, "kept")}
    return client.post(reverse("admin:login"), sent)


def test_what_was_typed_comes_back_after_signing_in(client: Client, ada: User) -> None:
    turned_away = client.post(reverse(ADD), {"name": "Gold", "description": LONG}).content.decode()

    shown = sign_in(client, turned_away).content.decode()

    assert "What you typed is kept" in turned_away
    assert 'value="Gold"' in shown
    assert LONG in unescape(shown)
    assert f'action="{reverse(ADD)}"' in shown
    assert not ContactGroup.objects.exists()  # nothing is repeated without a click


def test_what_was_ticked_in_a_list_is_shown_once_and_sent_whole(client: Client, ada: User) -> None:
    turned_away = client.post(reverse("my_notices"), {"bell": ["held", "none-such"]}).content.decode()

    shown = sign_in(client, turned_away).content.decode()

    assert shown.count(">Bell<") == 1
    assert f"{Notify.HELD.label}, none-such" in unescape(shown)
    assert re.findall('name="bell" value="([^"]*)"', shown) == ["held", "none-such"]


def test_a_page_of_its_own_names_its_fields_and_choices_to_whoever_may_open_it(client: Client, ada: User) -> None:
    numbers = Application.objects.create(app_id="axbApp", name="Masked", channel="number")
    bind = reverse("admin:numbers_binding_bind")
    typed = {"application": numbers.pk, "phone_a": "919", "kind": "0", "unit": "3600"}

    shown = sign_in(client, client.post(bind, typed).content.decode()).content.decode()
    assert "Masked" in shown
    assert ">hours<" in shown

    User.objects.filter(pk=ada.pk).update(is_superuser=False, is_staff=True)
    client.logout()
    assert "Masked" not in sign_in(client, client.post(bind, typed).content.decode()).content.decode()


def test_what_was_chosen_is_shown_by_its_name(client: Client, ada: User, application: Application) -> None:
    gold = ContactGroup.objects.create(name="Gold customers")
    typed = {
        "name": "Spring",
        "application": str(application.pk),
        "groups": [str(gold.pk), "none-such"],
        "purpose": "marketing",
        "forget_pasted": "on",
        "text": "Hello",
        "latest_end_0": "2027-01-31",
        "calendar": "",
    }
    turned_away = client.post(reverse("admin:messaging_campaign_add"), typed).content.decode()

    shown = sign_in(client, turned_away).content.decode()

    part = shown[shown.index('<section class="c-card">') : shown.index('id="send-kept"')]
    said = " ".join(re.sub("<[^>]+>", " ", part).split())
    assert "Application 4luaKsL2 Send to groups Gold customers, none-such Purpose Marketing " in said
    assert "Take out the numbers that are kept Yes " in said
    assert "Not after" in said
    assert "Calendar" not in said  # which was left empty
    assert f'name="application" value="{application.pk}"' in shown  # and sent as it was


def test_pasted_numbers_that_are_kept_are_told_by_how_many_they_are(client: Client, ada: User) -> None:
    token = pasted_numbers.signed(pastes.from_lines(["+919876543210", "+919876543211"]))
    for pasted, said in ((token, "Numbers 2"), ("made up", "Numbers not kept any more")):
        typed = {"name": "Spring", "pasted": pasted, "text": "Hello"}
        turned_away = client.post(reverse("admin:messaging_campaign_add"), typed).content.decode()

        shown = sign_in(client, turned_away).content.decode()

        part = shown[shown.index('<section class="c-card">') : shown.index('id="send-kept"')]
        assert f"Name {said} Text" in " ".join(re.sub("<[^>]+>", " ", part).split())
        assert f'<input type="hidden" name="pasted" value="{pasted}">' in shown
        client.logout()


def test_what_its_page_had_shown_goes_along_unseen(client: Client, ada: User) -> None:
    number = OwnedNumber.objects.create(number="917860550100")
    typed = {"shown": "0924f5", "_was": "{}", "remark": "Night line", "voicemail": "false", "out_addresses": "10.0.0.9"}
    turned_away = client.post(reverse("admin:numbers_ownednumber_edit", args=[number.pk]), typed).content.decode()

    shown = sign_in(client, turned_away).content.decode()

    part = shown[shown.index('<section class="c-card">') : shown.index('id="send-kept"')]
    said = " ".join(re.sub("<[^>]+>", " ", part).split())
    assert said.startswith("Remark Voicemail No Outbound addresses")
    assert '<input type="hidden" name="shown" value="0924f5">' in shown
    assert '<input type="hidden" name="_was" value="{}">' in shown


def test_a_button_alone_is_pressed_again_on_its_page(client: Client, ada: User) -> None:
    """What it would do nobody could read here."""
    turned_away = client.post("/admin/numbers/binding/1/unbind/", {"seen_pair": "911 – 912"}).content.decode()

    shown = sign_in(client, turned_away).content.decode()

    assert "Nothing was sent or stored." in shown
    assert "Seen pair" not in shown
    assert "send-kept" not in shown


def test_every_hidden_field_of_a_page_is_known_to_be_one() -> None:
    """Those that a form or a person fills too are told apart by the form."""
    typed_elsewhere = {"application", "next", "format", "pool", "show", "kept"}
    root = Path(__file__).parents[2]
    pages = [
        page for room in ("laaffic_console", "messaging", "voice", "numbers") for page in root.glob(f"{room}/**/*.html")
    ]
    names = {
        name
        for page in pages
        for name in re.findall(r'type="hidden" name="([a-z]\w*)"', page.read_text(encoding="utf-8"))
    }
    assert len(names) > 20
    assert names <= kept_forms.MARKS | typed_elsewhere


def test_whoever_may_not_open_a_form_is_not_told_its_choices(client: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_superuser=False, is_staff=True)
    group = ContactGroup.objects.create(name="Gold customers")
    turned_away = client.post(reverse("admin:messaging_campaign_add"), {"groups": str(group.pk)}).content.decode()

    assert "Gold customers" not in sign_in(client, turned_away).content.decode()


def test_a_wrong_password_loses_nothing(client: Client, ada: User) -> None:
    turned_away = client.post(reverse(ADD), {"name": "Gold"}).content.decode()

    again = sign_in(client, turned_away, "wrong").content.decode()

    assert 'value="Gold"' in sign_in(client, again).content.decode()


def test_a_token_from_before_the_last_sign_in_shows_the_form_with_a_fresh_one(strict: Client, ada: User) -> None:
    strict.force_login(ada)
    sent = {"name": "Gold", "csrfmiddlewaretoken": "a" * 64}

    shown = strict.post(reverse(ADD), sent).content.decode()
    stored = strict.post(reverse(ADD), {"name": "Gold", "csrfmiddlewaretoken": hidden(shown, "csrfmiddlewaretoken")})

    assert 'name="name" value="Gold"' in shown
    assert stored.status_code == 302
    assert ContactGroup.objects.get().name == "Gold"


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_REFERER": "https://evil.example/"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
    ],
)
def test_what_another_site_sends_is_refused_and_not_shown(strict: Client, ada: User, headers: dict[str, str]) -> None:
    strict.force_login(ada)

    answer = strict.post(reverse(ADD), {"name": "Gold"}, **headers)  # type: ignore[arg-type]

    assert answer.status_code == 403
    assert "Gold" not in answer.content.decode()


def test_a_password_is_not_kept(client: Client, ada: User) -> None:
    address = reverse("admin:auth_user_password_change", args=[ada.pk])
    turned_away = client.post(address, {"password1": "new-secret-1", "password2": "new-secret-1", "note": "x"})

    shown = sign_in(client, turned_away.content.decode()).content.decode()

    assert "new-secret-1" not in shown


@pytest.mark.parametrize("name", ["secret", "new_token", "api_key", "Client-Secret"])
def test_nor_is_another_secret(client: Client, ada: User, name: str) -> None:
    turned_away = client.post(reverse(ADD), {"name": "Gold", name: "s3same"}).content.decode()

    shown = sign_in(client, turned_away).content.decode()

    assert 'value="Gold"' in shown
    assert "s3same" not in shown


def test_who_begins_anew_does_not_get_what_waited_for_anothers_second_step(client: Client, ada: User) -> None:
    add_app(ada)
    User.objects.create_superuser("ben", password="sesame-42")
    turned_away = client.post(reverse(ADD), {"name": "Gold"}).content.decode()
    assert sign_in(client, turned_away)["Location"].startswith("/account/second-factor/")

    answer = client.post(reverse("admin:login"), {"username": "ben", "password": "sesame-42"})

    assert answer.status_code == 302
    assert "kept" not in client.session


def test_what_was_made_up_elsewhere_is_not_shown(client: Client, ada: User) -> None:
    sent = {"username": "ada", "password": "sesame-41", "kept": "W10:made-up"}

    assert client.post(reverse("admin:login"), sent).status_code == 302


def test_what_two_store_at_the_same_moment_is_shown_again(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(ada)
    ContactGroup.objects.create(name="Gold")
    with monkeypatch.context() as other:
        other.setattr(ContactGroup, "validate_unique", lambda *given, **named: None)  # it was free a moment ago
        other.setattr(ContactGroup, "validate_constraints", lambda *given, **named: None)
        taken = client.post(reverse(ADD), {"name": "Gold", "description": LONG})

    again = client.post(hidden_action(taken), {"name": "Gold", "description": LONG})

    assert taken.status_code == 409
    assert LONG in unescape(taken.content.decode())
    assert "Another group has this name" in again.content.decode()


def hidden_action(page: Any) -> str:
    found = re.search(r'action="([^"]*)" class="c-stack" id="kept"', page.content.decode())
    assert found is not None
    return found[1]


def test_a_scripts_request_is_sent_away_as_ever(client: Client) -> None:
    answer = client.post(reverse(ADD), {"name": "Gold"}, headers={"X-Requested-With": "fetch"})

    assert answer.status_code == 302


@pytest.mark.parametrize("kind", ["campaign", "emailcampaign"])
def test_a_draft_that_was_launched_meanwhile_gives_back_what_was_typed(
    client: Client, ada: User, application: Application, kind: str
) -> None:
    client.force_login(ada)
    if kind == "campaign":
        row: Any = Campaign.objects.create(name="Spring", application=application, text="Hello", state="running")
    else:
        row = EmailCampaign.objects.create(name="Spring", application=application, state="running")
    address = reverse(f"admin:messaging_{kind}_change", args=[row.pk])

    answer = client.post(address, {"name": "Spring", "text": "Better words"})

    assert answer.status_code == 409
    assert "It has been launched in the meantime" in answer.content.decode()
    assert "Better words" in answer.content.decode()
    assert 'id="send-kept"' not in answer.content.decode()


def test_a_group_call_that_was_launched_meanwhile_too(client: Client, ada: User, application: Application) -> None:
    client.force_login(ada)
    task = GroupTask.objects.create(name="Spring", application=application, text="Hello", state="calling")
    address = reverse("admin:voice_grouptask_edit", args=[task.pk])

    answer = client.post(address, {"name": "Spring", "text": "Better words"})

    assert answer.status_code == 409
    assert "Better words" in answer.content.decode()
    assert client.get(address)["Location"] == reverse("admin:voice_grouptask_change", args=[task.pk])
