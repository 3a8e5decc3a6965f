"""Signing in by a real OpenID Connect provider: who gets in, as whom, with which roles, and what happens without it."""

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from laaffic_console import environment
from laaffic_console.audit.models import AuditEntry
from laaffic_console.identity.services import admission
from laaffic_console.identity.services.admission import ProviderAdapter
from laaffic_console.kit.audit.acts import Act
from tests.identity.conftest import PASSWORD, code_of, give_password, set_up_for, sign_in_as

pytestmark = pytest.mark.django_db


def roles_of(user: User) -> list[str]:
    return list(user.groups.order_by("name").values_list("name", flat=True))


def said(client: Client) -> str:
    return str(client.get("/admin/login/").content.decode())


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_person_is_made_with_the_roles_of_their_groups(client: Client, provider: Any) -> None:
    assert "Sign in with Example ID" in said(client)
    answer = sign_in_as(client, "s-ben")

    ben = User.objects.get()
    assert answer["Location"] == "/admin/"
    assert (ben.username, ben.email, ben.is_staff, ben.is_superuser) == ("ben", "ben@example.com", True, False)
    assert roles_of(ben) == ["Operator"]
    assert not ben.has_usable_password()
    assert client.get("/admin/").status_code == 200
    assert AuditEntry.objects.filter(kind=Act.SIGN_IN, person="ben").count() == 1


def test_roles_follow_the_groups_and_others_are_left_alone(
    client: Client, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_as(client, "s-ben")
    ben = User.objects.get()
    ben.groups.set(Group.objects.filter(name__in=["Administrator", "Viewer"]))

    sign_in_as(Client(), "s-ben")

    assert roles_of(ben) == ["Operator", "Viewer"]
    changes = AuditEntry.objects.filter(kind=Act.CHANGED).latest("pk").summary["changes"]
    assert changes == [["groups", "Administrator, Viewer", "Operator, Viewer"]]


def test_nobody_gets_in_without_a_role_and_who_had_one_loses_it(
    client: Client, provider: Any, settings: LazySettings
) -> None:
    sign_in_as(client, "s-cy")
    assert not is_in(client)
    assert not User.objects.exists()
    assert "None of your groups at Example ID has a role here" in said(client)

    sign_in_as(client, "s-ben")
    settings.OIDC_ROLES = {"elsewhere": "Operator"}
    again = Client()
    sign_in_as(again, "s-ben")
    assert not is_in(again)
    assert roles_of(User.objects.get()) == []


@pytest.mark.parametrize("sub", ["s-ada", "s-ada-unverified"])
def test_an_account_that_is_here_is_not_taken_over(client: Client, provider: Any, ada: User, sub: str) -> None:
    sign_in_as(client, sub)

    assert not is_in(client)
    assert "is here already and not linked to Example ID" in said(client)
    assert not SocialAccount.objects.exists()


def test_a_name_that_is_given_to_somebody_in_the_same_second_is_said(
    client: Client, provider: Any, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=ada.pk).update(email="other@example.com")
    monkeypatch.setattr(admission, "_is_taken", lambda user: False)
    monkeypatch.setattr(ProviderAdapter.__mro__[1], "save_user", lambda *given: User.objects.create(username="ada"))

    sign_in_as(client, "s-ada")

    assert not is_in(client)
    assert "is here already and not linked to Example ID" in said(client)


def test_nor_by_an_address_that_nobody_has_verified(
    client: Client, provider: Any, ada: User, settings: LazySettings
) -> None:
    settings.OIDC_MATCH_EMAIL = True

    sign_in_as(client, "s-ada-unverified")

    assert not is_in(client)


def test_a_verified_address_links_it_where_the_settings_say_so(
    client: Client, provider: Any, ada: User, settings: LazySettings
) -> None:
    settings.OIDC_MATCH_EMAIL = True
    sign_in_as(client, "s-ada")
    settings.OIDC_MATCH_EMAIL = False
    again = Client()
    sign_in_as(again, "s-ada")

    assert is_in(client)
    assert is_in(again)
    assert User.objects.count() == 1
    assert ada.check_password(PASSWORD)
    changed = AuditEntry.objects.filter(kind="changed", object_kind="auth.user", object_id=str(ada.pk))
    linked = [one.person for one in changed if one.details.get("event") == "linked to Example ID"]
    assert linked == ["ada"]  # once


def test_who_is_refused_stays_who_they_were(client: Client, provider: Any, ada: User, settings: LazySettings) -> None:
    settings.OIDC_MATCH_EMAIL = True
    settings.OIDC_ROLES = {"elsewhere": "Operator"}
    User.objects.update(is_superuser=False)
    ada.groups.set(Group.objects.filter(name="Operator"))

    sign_in_as(client, "s-ada")

    assert not is_in(client)
    assert "None of your groups" in said(client)
    assert [group.name for group in ada.groups.all()] == ["Operator"]
    assert not SocialAccount.objects.exists()


def test_an_address_that_somebody_else_got_later_does_not(
    client: Client, provider: Any, ada: User, settings: LazySettings
) -> None:
    settings.OIDC_MATCH_EMAIL = True
    sign_in_as(Client(), "s-ada")

    sign_in_as(client, "s-ada-again")

    assert not is_in(client)


def test_a_superuser_comes_by_the_provider_as_an_administrator_alone(
    client: Client, provider: Any, ada: User, settings: LazySettings
) -> None:
    settings.OIDC_MATCH_EMAIL = True
    settings.OIDC_ROLES = {"console-admins": "Viewer"}

    sign_in_as(client, "s-ada")

    assert not is_in(client)
    assert "signs in with its password" in said(client)


def test_a_second_factor_is_asked_for_all_the_same(
    client: Client, provider: Any, ada: User, secret: str, settings: LazySettings
) -> None:
    settings.OIDC_MATCH_EMAIL = True

    answer = sign_in_as(client, "s-ada")
    assert answer["Location"] == "/account/second-factor/"
    assert not is_in(client)
    client.post("/account/second-factor/", {"code": code_of(secret)})
    assert is_in(client)


def test_a_provider_that_is_down_leaves_the_password(client: Client, ada: User, settings: LazySettings) -> None:
    set_up_for(settings, "http://localhost:9")

    answer = client.post("/account/provider/")

    assert answer["Location"] == "/admin/login/"
    assert "Example ID cannot be reached" in said(client)
    give_password(client)
    assert is_in(client)


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"authorization_endpoint": 5}'])
def test_nor_does_one_that_answers_nonsense(
    client: Client, ada: User, settings: LazySettings, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import responses

    set_up_for(settings, "https://id.example.com")
    with responses.RequestsMock() as answers:
        answers.get("https://id.example.com/.well-known/openid-configuration", body=body)
        answer = client.post("/account/provider/")

    assert answer.status_code in (200, 302)
    assert "Example ID" in said(client)


def test_it_comes_back_with_a_question_of_ours_or_not_at_all(client: Client, provider: Any) -> None:
    for query in ("code=1&state=made-up", "error=access_denied", "", "code=1"):
        answer = client.get(f"/account/provider/callback/?{query}")
        assert answer["Location"] == "/admin/login/"
    assert not is_in(client)


def test_nobody_links_an_account_by_the_address_alone(signed_in: Client, provider: Any, ada: User) -> None:
    sign_in_as(signed_in, "s-ben", process="connect")

    assert not SocialAccount.objects.exists()


def test_without_a_provider_there_is_none(client: Client) -> None:
    assert client.post("/account/provider/").status_code == 404
    assert client.get("/account/provider/callback/").status_code == 404
    assert "Sign in with" not in said(client)


def test_the_mapping_is_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ROLES", "cn=a = Operator,b=Viewer,")
    assert environment.pairs("OIDC_ROLES", "x") == {"cn=a": "Operator", "b": "Viewer"}
    for wrong in ("a", "a=", "=b"):
        monkeypatch.setenv("OIDC_ROLES", wrong)
        with pytest.raises(ImproperlyConfigured, match="OIDC_ROLES"):
            environment.pairs("OIDC_ROLES", "x")
