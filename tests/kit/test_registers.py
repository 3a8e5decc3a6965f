"""What apps register with the dashboard: cards, lines of the menu, signs of health, figures for monitoring."""

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.http import HttpRequest
from django.test import RequestFactory

from laaffic_console.dashboard import theme
from laaffic_console.dashboard.health import health
from laaffic_console.kit.registers import front_page, gauges, health_signs, menu
from laaffic_console.kit.registers.front_page import Card, Place, Step
from laaffic_console.kit.registers.menu import Group, Line

HERE = "tests.kit.test_registers."
TEMPLATE = "console/front/low_balance.html"


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/admin/")
    request.user = AnonymousUser()
    return request


def one(request: HttpRequest) -> dict[str, object]:
    return {"balance": {"reading": "<b>one</b>", "alert": 1}}


def two(request: HttpRequest) -> dict[str, object]:
    return {"balance": {"reading": "two", "alert": 1}}


def nothing(request: HttpRequest) -> None:
    return None


def register(monkeypatch: pytest.MonkeyPatch, *cards: Card) -> None:
    monkeypatch.setattr(front_page, "_cards", [])
    front_page.register(*cards)


class CardTests:
    def test_they_stand_in_their_place_by_their_order_once(
        self, monkeypatch: pytest.MonkeyPatch, request_: HttpRequest
    ) -> None:
        first, second = Card(Place.WIDE, 1, TEMPLATE, HERE + "one"), Card(Place.WIDE, 2, TEMPLATE, HERE + "two")
        register(monkeypatch, second, first)
        front_page.register(first)

        drawn = front_page.drawn(request_)

        assert ["two" in card for card in drawn["wide"]] == [False, True]
        assert drawn["narrow"] == []
        assert "&lt;b&gt;one" in drawn["wide"][0]

    def test_one_with_nothing_to_show_is_left_out(self, monkeypatch: pytest.MonkeyPatch, request_: HttpRequest) -> None:
        register(monkeypatch, Card(Place.WIDE, 1, TEMPLATE, HERE + "nothing"))

        assert front_page.drawn(request_)["wide"] == []

    @pytest.mark.django_db
    def test_one_is_for_who_has_its_permission(self, monkeypatch: pytest.MonkeyPatch, request_: HttpRequest) -> None:
        register(monkeypatch, Card(Place.WIDE, 1, TEMPLATE, HERE + "one", "voice.view_grouptask"))
        request_.user = User.objects.create_user("ada")
        assert front_page.drawn(request_)["wide"] == []

        request_.user.user_permissions.add(Permission.objects.get(codename="view_grouptask"))
        request_.user = User.objects.get(username="ada")

        assert len(front_page.drawn(request_)["wide"]) == 1


class StepTests:
    def test_they_come_by_their_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(front_page, "_steps", [])
        last, first = (Step(order, order, "", "", "health", "", bool) for order in (20, 10))

        front_page.register_steps(last)
        front_page.register_steps(first)

        assert [step.says for step in front_page.steps()] == [10, 20]


class MenuTests:
    def test_the_lines_of_an_app_stand_where_the_group_has_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(menu, "_lines", {group: [] for group in Group})
        menu.register(Group.SETTINGS, Line("Ours", "x", "index", "a.b"), Line("And ours", "x", "index", "a.b"))

        settings = [str(item["title"]) for item in theme.groups()[-1]["items"]]

        at = settings.index("Ours")
        assert settings[at - 1 : at + 3] == ["Health", "Ours", "And ours", "Workers"]


class SignTests:
    def test_what_falls_due_in_an_app_is_told(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        monkeypatch.setattr(health_signs, "_due", [])
        assert health.due() is None

        health_signs.due_with(lambda now: [("a thing", long_ago)])

        due = health.due()
        assert due is not None
        assert not due.is_well
        assert due.says.startswith("a thing, for")

    def test_a_gauge_is_asked_with_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gauges, "_measures", [])
        now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        gauges.register(lambda at: [gauges.Gauge("year", "The year", [], {(): at.year})])

        assert [gauge.rows for gauge in gauges.of_apps(now)] == [{(): 2026}]
