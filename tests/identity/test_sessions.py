"""Sessions are listed with where they began, and ended: one's own, and everybody's by an administrator."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.identity.services import sessions
from laaffic_console.kit.audit.acts import Act
from tests.identity.conftest import PASSWORD, give_password
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/141.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def two(ada: User) -> tuple[Client, Client]:
    """ada is signed in twice."""
    here = Client(headers={"user-agent": FIREFOX})
    there = Client(headers={"user-agent": EDGE}, REMOTE_ADDR="203.0.113.9")
    for client in (here, there):
        give_password(client)
    return here, there


def test_both_are_listed_with_address_and_browser(two: tuple[Client, Client]) -> None:
    page = two[0].get("/account/").content.decode()

    assert "Firefox 140, Linux" in page
    assert "Edge 141, Windows" in page
    assert "203.0.113.9" in page
    assert sessions.browser(IPHONE) == "Safari 18, iPhone"
    assert sessions.browser("curl/8") == "curl/8"


def test_one_is_ended_by_the_other(two: tuple[Client, Client]) -> None:
    here, there = two
    other = UserSession.objects.get(ip="203.0.113.9")

    here.post(reverse("end_session", args=[other.pk]))

    assert there.get("/admin/").status_code == 302
    assert here.get("/admin/").status_code == 200
    assert AuditEntry.objects.filter(kind=Act.SESSIONS_ENDED).count() == 1


def test_all_others_are_ended(two: tuple[Client, Client]) -> None:
    two[0].post(reverse("end_other_sessions"))

    assert [client.get("/admin/").status_code for client in two] == [200, 302]


def test_nobody_ends_somebody_elses(two: tuple[Client, Client]) -> None:
    User.objects.create_user("ben", password=PASSWORD, is_staff=True)
    stranger = Client()
    give_password(stranger, name="ben")

    for session in UserSession.objects.filter(user__username="ada"):
        assert stranger.post(reverse("end_session", args=[session.pk])).status_code == 404
    assert [client.get("/admin/").status_code for client in two] == [200, 200]


def test_a_new_password_leaves_this_session_listed_and_ends_the_other(two: tuple[Client, Client]) -> None:
    here, there = two
    new = "another-password-of-a-test"
    given = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", given).status_code == 302

    here.get("/admin/")

    assert there.get("/admin/").status_code == 302
    assert "this one" in here.get("/account/").content.decode()


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
@pytest.mark.parametrize("only", [True, False])
def test_an_account_that_is_switched_off_has_no_session_when_it_is_on_again(
    ada: User, two: tuple[Client, Client], field: str, only: bool
) -> None:
    for value in (False, True):
        setattr(ada, field, value)
        ada.save(update_fields=[field] if only else None)

    assert [client.get("/admin/").status_code for client in two] == [302, 302]
    assert not sessions.going_on().exists()
    assert AuditEntry.objects.filter(kind=Act.SESSIONS_ENDED).count() == 0  # nobody did it: neither page nor command


def test_who_switches_somebody_off_is_recorded(ada: User, two: tuple[Client, Client]) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    client = Client()
    give_password(client, name="root")
    address = f"/admin/auth/user/{ada.pk}/change/"

    client.post(address, {**hidden(client, address), "username": "ada"})

    ada.refresh_from_db()
    assert not ada.is_active
    assert not UserSession.objects.filter(user=ada).exists()
    [ended] = AuditEntry.objects.filter(kind=Act.SESSIONS_ENDED)
    assert ended.person == root.username


def test_who_switches_themselves_off_is_signed_out(two: tuple[Client, Client]) -> None:
    here, _there = two
    address = f"/admin/auth/user/{User.objects.get(username='ada').pk}/change/"

    answer = here.post(address, {**hidden(here, address), "username": "ada"})

    assert answer.status_code == 302
    assert here.get("/admin/").status_code == 302


def test_sessions_of_one_that_an_update_switched_off_are_not_listed(ada: User, two: tuple[Client, Client]) -> None:
    User.objects.update(is_active=False)

    assert not sessions.going_on().exists()


def test_what_a_new_password_ended_is_not_listed(ada: User, two: tuple[Client, Client]) -> None:
    ada.set_password("another-password-of-a-test")
    ada.save()

    assert not sessions.going_on().exists()


def test_what_is_saved_beside_the_password_ends_nothing(ada: User, two: tuple[Client, Client]) -> None:
    ada.first_name = "Ada"
    ada.save()

    assert sessions.going_on().count() == 2
    assert [client.get("/admin/").status_code for client in two] == [200, 200]


def test_entries_of_sessions_that_are_over_are_forgotten(two: tuple[Client, Client]) -> None:
    two[1].post("/admin/logout/")

    assert sessions.forget_ended() == 1
    assert UserSession.objects.count() == 1


def test_sessions_that_ran_out_are_forgotten_themselves(two: tuple[Client, Client]) -> None:
    Session.objects.filter(session_key=two[1].session.session_key).update(expire_date=timezone.now())

    assert sessions.forget_ended() == 1
    assert Session.objects.get().session_key == two[0].session.session_key


def test_an_administrator_resets_factors_which_ends_the_sessions(two: tuple[Client, Client], secret: str) -> None:
    ada = User.objects.get()
    boss = User.objects.create_superuser("boss")
    client = Client()
    client.force_login(boss)
    page = reverse("admin:auth_user_sign_in", args=[ada.pk])
    assert "Authenticator app" in client.get(page).content.decode()

    client.post(page, {"act": "reset"})

    assert not Authenticator.objects.exists()
    assert [each.get("/admin/").status_code for each in two] == [302, 302]
    entry = AuditEntry.objects.get(kind=Act.FACTORS_RESET)
    assert (entry.person, entry.object_label) == ("boss", "ada")


def test_only_a_superuser_resets_a_superusers(two: tuple[Client, Client], secret: str) -> None:
    cy = User.objects.create_user("cy", is_staff=True)
    cy.groups.add(Group.objects.get(name="Administrator"))
    client = Client()
    client.force_login(cy)

    answer = client.post(
        reverse("admin:auth_user_sign_in", args=[User.objects.get(username="ada").pk]), {"act": "reset"}
    )

    assert answer.status_code == 403
    assert Authenticator.objects.exists()


def test_everybodys_are_listed_for_administrators(two: tuple[Client, Client]) -> None:
    shown = two[0].get("/admin/usersessions/usersession/").content.decode()

    assert "203.0.113.9" in shown
    to_end_them = reverse("admin:auth_user_sign_in", args=[User.objects.get(username="ada").pk])
    assert f'href="{to_end_them}"' in shown


@pytest.mark.parametrize("has_token", [True, False])
def test_a_profile_that_was_typed_is_kept_when_the_session_is_over(has_token: bool) -> None:
    client = Client(enforce_csrf_checks=not has_token)

    page = client.post(reverse("own_profile"), {"number": "+919876543210", "time_zone": "Europe/Berlin"})

    assert page.status_code == 403
    assert "What you typed is kept" in page.content.decode()


def test_a_button_of_my_sign_in_leads_back_to_its_page_when_the_session_is_over(client: Client) -> None:
    on = {"Referer": "http://testserver/account/"}

    for button in (reverse("end_other_sessions"), reverse("end_session", args=[1])):
        assert client.post(button, headers=on)["Location"] == "/admin/login/?next=%2Faccount%2F"


@pytest.mark.parametrize("path", ["/account/second-factor/", "/account/app/", "/account/saml/login/"])
def test_a_page_of_signing_in_with_an_old_token_is_opened_again(signed_in: Client, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    assert client.post(path, {"code": "1"}).status_code == 403  # a browser that keeps no cookies would go round
    client.cookies[settings.CSRF_COOKIE_NAME] = "x" * 32

    answer = client.post(path, {"code": "123456"}, headers={"Referer": f"http://testserver{path}?x=1"})

    assert answer["Location"] == f"{path}?x=1"
    said = [str(one) for one in get_messages(client.get("/account/").wsgi_request)]
    assert said == ["The page was older than your last sign-in, so nothing was done. Do it once more."]
    other_site = client.post(path, {"code": "123456"}, headers={"Origin": "https://evil.example"})
    assert other_site.status_code == 403
