"""The page of tokens: made with a secret that is shown once, rotated, revoked."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from laaffic_console.api import tokens
from laaffic_console.api.models import ApiToken
from laaffic_console.audit.models import AuditEntry
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

MAKE = "admin:api_apitoken_make"


def given(user: User, **changed: object) -> dict[str, object]:
    return {
        "name": "shop",
        "user": user.pk,
        "scopes": ["read"],
        "days": 30,
        "addresses": "",
        "per_minute": 9,
        **changed,
    }


def secret_in(page: str) -> str:
    [found] = re.findall(r"<code[^>]*>(lct_[^<]+)<", page)
    return str(found)


def test_a_secret_is_shown_once_and_works(admin_client: Client, admin_user: User) -> None:
    made = admin_client.post(reverse(MAKE), given(admin_user))
    secret, token = secret_in(made.content.decode()), ApiToken.objects.get()

    assert "no-store" in made["Cache-Control"]
    assert Api(secret)("GET", "messages").status_code == 200
    page = admin_client.get(reverse("admin:api_apitoken_change", args=[token.pk])).content.decode()
    assert "(&#x27;" not in page  # a state is a word, not what the list makes a badge of
    assert secret not in page
    assert token.digest not in page
    assert AuditEntry.objects.filter(object_kind="api.apitoken", kind="added").exists()

    rotated = secret_in(admin_client.post(reverse("admin:api_apitoken_rotate", args=[token.pk])).content.decode())
    assert Api(rotated)("GET", "messages").status_code == Api(secret)("GET", "messages").status_code == 200
    admin_client.post(reverse("admin:api_apitoken_revoke", args=[token.pk]))
    assert [Api(one)("GET", "messages").status_code for one in (secret, rotated)] == [401, 200]


def test_what_is_wrong_is_said_at_its_field(admin_client: Client, admin_user: User) -> None:
    wrong = admin_client.post(reverse(MAKE), given(admin_user, addresses="here", name="<b>"))

    assert "“here” is not an address" in wrong.content.decode()
    assert (
        "Choose at least one scope" in admin_client.post(reverse(MAKE), given(admin_user, scopes=[])).content.decode()
    )
    assert not ApiToken.objects.exists()


def test_only_a_superuser_makes_one_that_acts_for_others(client: Client, admin_user: User) -> None:
    """An administrator who could would be a superuser by it."""
    administrator = User.objects.create_user("anna", is_staff=True)
    administrator.groups.add(Group.objects.get(name="Administrator"))
    client.force_login(administrator)

    client.post(reverse(MAKE), given(admin_user))
    assert not ApiToken.objects.exists()
    client.post(reverse(MAKE), given(administrator))
    assert ApiToken.objects.get().user == administrator
    theirs, _secret = tokens.create("root's", user=admin_user)
    assert client.post(reverse("admin:api_apitoken_rotate", args=[theirs.pk])).status_code == 403


def test_it_goes_with_its_account_and_not_alone(client: Client) -> None:
    administrator = User.objects.create_user("anna", is_staff=True)
    administrator.groups.add(Group.objects.get(name="Administrator"))
    left = User.objects.create_user("left")
    token, _secret = tokens.create("shop", user=left)
    client.force_login(administrator)

    assert client.post(reverse("admin:api_apitoken_delete", args=[token.pk]), {"post": "yes"}).status_code == 403
    client.post(reverse("admin:auth_user_delete", args=[left.pk]), {"post": "yes"})
    assert not User.objects.filter(pk=left.pk).exists()
    assert not ApiToken.objects.exists()


def test_the_usual_address_of_a_new_one_leads_to_the_page_that_makes_it(admin_client: Client, client: Client) -> None:
    assert admin_client.get("/admin/api/apitoken/add/")["Location"] == "/admin/api/apitoken/make/"

    client.force_login(User.objects.create_user("lou", is_staff=True))
    assert client.get("/admin/api/apitoken/add/").status_code == 403
