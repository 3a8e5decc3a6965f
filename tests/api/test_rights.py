"""Each address with each scope and each role: what the table of rights says, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from laaffic_console.api import tokens, urls
from laaffic_console.api.models import Scope
from laaffic_console.kit.words.people import ADMINISTRATOR, APPROVER, OPERATOR, VIEWER
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def doors() -> Iterator[tuple[str, str, Any]]:
    """(method, address, view) of all that wants a token."""
    for one in urls.urlpatterns:
        view = getattr(one.callback, "view_class", None)
        if view is not None and hasattr(view, "scopes"):
            for method in view.scopes:
                yield method, re.sub(r"<int:pk>", "4711", str(one.pattern)).removeprefix("v1/"), view


DOORS = [pytest.param(*door, id=f"{door[0]} {door[1]}") for door in doors()]


def test_every_address_is_of_one_kind() -> None:
    assert len(DOORS) > 90
    assert {scope for _method, _path, view in doors() for scope in view.scopes.values()} == set(Scope.values)
    taking = {path for method, path, view in doors() if method == "GET" and view.scopes[method] != Scope.READ}
    assert taking == {"imports/4711/bad-rows/file", "exports/4711/file"}


def test_a_method_that_names_no_scope_is_not_there() -> None:
    """It would be open to every token: rights are asked for by the method."""
    for view in {view for _method, _path, view in doors()}:
        methods = {name.upper() for name in view.http_method_names if hasattr(view, name)}
        assert methods - {"OPTIONS"} == {*view.scopes}, view


@pytest.fixture
def people(db: None) -> dict[str, User]:
    made = {}
    for role in ("", VIEWER, OPERATOR, APPROVER, ADMINISTRATOR):
        made[role] = User.objects.create_user(f"one {role}")
        if role:
            made[role].groups.add(Group.objects.get(name=role))
    return made


def test_roles_open_what_their_rights_say(people: dict[str, User]) -> None:
    """A missing right is 403 before anything is looked at: nobody learns by it what is there."""
    cache.clear()
    for role, user in people.items():
        api = Api(tokens.create("x", user=user)[1])
        for method, path, view in doors():
            may = all(user.has_perm(right) for right in view.rights.get(method, ()))
            status = api(method, path, "" if method == "GET" else {}).status_code
            assert (status != 403) == may or (path == "exports" and method == "POST"), (role, method, path, status)
            assert status < 500, (role, method, path)
            if role == VIEWER and method != "GET" and path != "exports" and not path.endswith(("cancel", "proofs")):
                assert status == 403, path


def test_one_scope_opens_nothing_of_another(people: dict[str, User]) -> None:
    cache.clear()
    admin = User.objects.create_superuser("root")
    for scope in Scope.values:
        api = Api(tokens.create("x", user=admin, scopes=[scope])[1])
        for method, path, view in doors():
            status = api(method, path, "" if method == "GET" else {}).status_code
            assert (status == 403) == (view.scopes[method] != scope), (scope, method, path, status)


def test_head_wants_what_get_wants(people: dict[str, User]) -> None:
    """A length and an ETag tell what is there, too."""
    cache.clear()
    for options in ({"user": people[""]}, {"user": User.objects.create_superuser("root"), "scopes": [Scope.SEND]}):
        api = Api(tokens.create("x", **options)[1])
        for method, path, _view in doors():
            if method == "GET":
                answers = [api(asked, path) for asked in ("HEAD", "GET")]
                assert answers[0].status_code == answers[1].status_code, path
                assert answers[0].headers.get("ETag") == answers[1].headers.get("ETag"), path


def test_rights_are_those_that_django_finds(people: dict[str, User]) -> None:
    own = Permission.objects.get(codename="launch_campaign")
    people[VIEWER].user_permissions.add(own)
    people[OPERATOR].user_permissions.add(own)  # by the role as well
    people[APPROVER].groups.add(Group.objects.get(name=VIEWER))
    for user in people.values():
        asked, found = User.objects.get(pk=user.pk), User.objects.get(pk=user.pk).get_all_permissions()
        tokens.know_rights(asked)
        assert vars(asked)["_perm_cache"] == found == asked.get_all_permissions()
    assert people[VIEWER].has_perm("messaging.launch_campaign")


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_superuser": True}])
def test_of_whom_nothing_is_asked(
    state: dict[str, bool], people: dict[str, User], django_assert_num_queries: Any
) -> None:
    user = people[OPERATOR]
    vars(user).update(state)
    with django_assert_num_queries(0):
        tokens.know_rights(user)
        assert user.has_perm("messaging.launch_campaign") == user.is_active


def test_rights_are_asked_for_once_in_a_request(people: dict[str, User]) -> None:
    cache.clear()
    api = Api(tokens.create("x", user=people[OPERATOR])[1])
    with CaptureQueriesContext(connection) as statements:
        assert api("GET", "contacts").status_code == 200
    assert sum("auth_permission" in one["sql"] for one in statements) == 1
