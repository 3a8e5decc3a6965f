"""People get roles, roles get rights: forms that say what each is for, and nothing that is out of somebody's reach."""

import re

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db
NEW = {
    "username": "ben",
    "email": "ben@example.com",
    "usable_password": "true",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


@pytest.fixture(autouse=True)
def _proved(settings: LazySettings) -> None:
    settings.LAAFFIC_REAUTHENTICATE_MINUTES = 0


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def signed_in(client: Client, *roles: str, is_superuser: bool = False) -> User:
    user = User.objects.create_user("ada", is_staff=True, is_superuser=is_superuser)
    user.groups.set(Group.objects.filter(name__in=roles))
    client.force_login(user)
    return user


def sent(client: Client, address: str, page: str, **given: object) -> dict[str, object]:
    """What the form was shown with, and what somebody types over it."""
    ticked = re.findall(r'name="permissions" value="(\d+)"[^>]*?checked', page, re.DOTALL)
    return {**hidden(client, address), "permissions": ticked, **given}


class PersonTests:
    def test_somebody_new_gets_a_role_and_may_sign_in(self, client: Client) -> None:
        signed_in(client, "Administrator")

        client.post("/admin/auth/user/add/", {**NEW, "role": role("Operator").pk})

        ben = User.objects.get(username="ben")
        assert (ben.is_staff, [str(group) for group in ben.groups.all()]) == (True, ["Operator"])
        assert ben.check_password(NEW["password1"])

    def test_only_ways_to_sign_in_that_there_are_are_named(self, client: Client) -> None:
        signed_in(client, "Administrator")

        page = client.get("/admin/auth/user/add/").content.decode()

        assert "with a password" in page
        assert "by your provider, or after an invitation" in page
        assert "LDAP" not in page

    def test_nobody_is_made_without_a_role(self, client: Client) -> None:
        signed_in(client, "Administrator")

        page = client.post("/admin/auth/user/add/", NEW)

        assert "This field is required." in page.content.decode()
        assert not User.objects.filter(username="ben").exists()

    def test_roles_are_said_with_what_they_are_for(self, client: Client) -> None:
        ada = signed_in(client, "Administrator")

        page = client.get(f"/admin/auth/user/{ada.pk}/change/").content.decode()

        assert "Approver: approves big launches and settles what no evidence could" in page
        assert "selectfilter" not in page

    def test_rights_beside_the_roles_are_shown_and_taken_away(self, client: Client) -> None:
        signed_in(client, "Administrator")
        ben = User.objects.create_user("ben", is_staff=True)
        kept, taken = Permission.objects.filter(codename__in=["add_campaign", "add_contact"]).order_by("pk")
        address = f"/admin/auth/user/{ben.pk}/change/"
        assert "Rights beside the roles" not in client.get(address).content.decode()
        ben.user_permissions.set([kept, taken])
        page = client.get(address).content.decode()
        assert "Rights beside the roles" in page

        client.post(
            address, {**hidden(client, address), "username": "ben", "is_active": "on", "user_permissions": [kept.pk]}
        )

        assert list(ben.user_permissions.all()) == [kept]

    @pytest.mark.parametrize("name", ["o'brien@example.com", "DOM\\anna", "anna smith"])
    def test_a_name_from_elsewhere_can_be_switched_off(self, client: Client, name: str) -> None:
        """An invitation takes every address, and a provider every name."""
        signed_in(client, "Administrator")
        person = User.objects.create_user(name, is_staff=True)
        address = f"/admin/auth/user/{person.pk}/change/"

        client.post(address, {**hidden(client, address), "username": name})

        person.refresh_from_db()
        assert (person.username, person.is_active) == (name, False)

    def test_a_name_that_is_typed_here_is_looked_at(self, client: Client) -> None:
        signed_in(client, "Administrator")
        person = User.objects.create_user("anna smith", is_staff=True)
        address = f"/admin/auth/user/{person.pk}/change/"

        page = client.post(address, {**hidden(client, address), "username": "anna!"})

        assert "Enter a valid username" in page.content.decode()


class ReachTests:
    """An administrator's rights end where a superuser's account begins."""

    def test_only_a_superuser_makes_a_superuser(self, client: Client) -> None:
        ada = signed_in(client, "Administrator")
        address = f"/admin/auth/user/{ada.pk}/change/"
        page = client.get(address).content.decode()
        assert "is_superuser" not in page

        client.post(address, {**hidden(client, address), "username": "ada", "is_active": "on", "is_superuser": "on"})

        assert not User.objects.get(pk=ada.pk).is_superuser

    @pytest.mark.parametrize("act", ["change/", "password/", "delete/"])
    def test_a_superusers_account_is_a_superusers(self, client: Client, act: str) -> None:
        signed_in(client, "Administrator")
        root = User.objects.create_superuser("root", password="root's own")
        address = f"/admin/auth/user/{root.pk}/{act}"

        answer = client.post(address, {"password1": NEW["password1"], "password2": NEW["password1"], "post": "yes"})

        assert answer.status_code == 403
        assert User.objects.get(pk=root.pk).check_password("root's own")

    def test_nor_are_they_deleted_by_the_list(self, client: Client) -> None:
        signed_in(client, "Administrator")
        root = User.objects.create_superuser("root")

        client.post(
            "/admin/auth/user/",
            {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"},
        )

        assert User.objects.filter(pk=root.pk).exists()

    def test_a_superuser_reaches_everybody(self, client: Client) -> None:
        ada = signed_in(client, is_superuser=True)

        assert "is_superuser" in client.get(f"/admin/auth/user/{ada.pk}/change/").content.decode()


class RoleTests:
    def test_a_right_is_taken_and_another_given(self, client: Client) -> None:
        signed_in(client, "Administrator")
        viewer = role("Viewer")
        before = set(viewer.permissions.values_list("codename", flat=True))
        address = f"/admin/auth/group/{viewer.pk}/change/"
        page = client.get(address).content.decode()
        form = sent(client, address, page, name="Viewer")
        ticked = set(map(str, form["permissions"]))  # type: ignore[call-overload]
        view = str(Permission.objects.get(codename="view_campaign").pk)
        export = str(Permission.objects.get(codename="export_message").pk)
        assert view in ticked
        assert export not in ticked

        client.post(address, form | {"permissions": [*(ticked - {view}), export]})

        after = set(viewer.permissions.values_list("codename", flat=True))
        assert (before - after, after - before) == ({"view_campaign"}, {"export_message"})

    def test_what_no_page_shows_is_left_as_it_is(self, client: Client) -> None:
        signed_in(client, "Administrator")
        operator = role("Operator")
        unseen = Permission.objects.get(codename="view_batch")
        assert unseen in operator.permissions.all()

        address = f"/admin/auth/group/{operator.pk}/change/"
        page = client.get(address).content.decode()
        client.post(address, sent(client, address, page, name="Operator", permissions=[]))

        assert "batch" not in page.lower()
        assert unseen in operator.permissions.all()
        assert not operator.permissions.filter(codename="view_campaign").exists()

    @pytest.mark.parametrize(
        ("name", "said"), [("\u200b", "This field is required."), (" \u2800\ufe0f", "Write a name that can be seen.")]
    )
    def test_a_role_that_nobody_could_see_is_refused(self, client: Client, name: str, said: str) -> None:
        signed_in(client, "Administrator")

        page = client.post("/admin/auth/group/add/", {"name": name, "permissions": []}).content.decode()

        assert said in page
        assert not Group.objects.filter(name__in=[name, name.strip()]).exists()

    def test_every_box_says_what_it_lets_somebody_do(self, client: Client) -> None:
        signed_in(client, "Administrator")

        page = client.get("/admin/auth/group/add/").content.decode()

        boxes = re.findall(r'<input type="checkbox" name="permissions".*?>', page, re.DOTALL)
        named = [box for box in boxes if "aria-label=" in box]
        assert len(boxes) - len(named) == page.count('class="c-right"')
        assert "Can see whole phone numbers and email addresses" in page
        assert "Can launch, pause, resume and cancel campaigns" in page


@pytest.mark.parametrize(("password", "said"), [("correct horse", "A password is set."), (None, "No password is set.")])
def test_a_persons_page_shows_nothing_of_how_a_password_is_kept(
    admin_client: Client, password: str | None, said: str
) -> None:
    person = User.objects.create_user("ben", password=password)

    page = admin_client.get(f"/admin/auth/user/{person.pk}/change/").content.decode()

    assert said in page
    assert "salt" not in page
    assert person.password[:6] not in page
