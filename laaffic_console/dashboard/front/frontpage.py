"""The front page: what the apps have to show (kit/registers/front_page.py), and how the console itself stands."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from laaffic_console.dashboard.front import first_steps, tour
from laaffic_console.dashboard.health import health, health_page
from laaffic_console.gateway import shown_holds
from laaffic_console.gateway.services.account import balance_history
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.registers import front_page
from laaffic_console.kit.registers.front_page import Card, Place
from laaffic_console.kit.registers.health_signs import age
from laaffic_console.kit.words.people import signed_in


def register_all() -> None:
    see_balance = "gateway.view_balancereading"
    shown = "laaffic_console.dashboard.front.frontpage."
    front_page.register(
        Card(Place.NOTICES, 0, "console/front/low_balance.html", f"{shown}low_balance", see_balance),
        Card(Place.FIGURES, 20, "console/front/balance.html", f"{shown}balance", see_balance),
    )
    front_page.register_steps(*first_steps.OWN_STEPS)


def context(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("messaging.view_campaign"):
        return given
    return {
        **given,
        "title": _("Today"),
        "cards": front_page.drawn(request),
        "health": health.parts(),
        "account_holds": shown_holds.open_ones(request),
        "skewed": [health_page.skew_sentence(worker.host, worker.clock_skew or 0.0) for worker in workers.skewed()],
        "clock": health_page.clock_sign(),
        "last_push": health.last_push_at(),
        "tour": tour.is_due(request),
        "steps": first_steps.of(signed_in(request)),
    }


def balance(request: HttpRequest) -> dict[str, Any] | None:
    """The latest reading with its age; None before there is one."""
    reading = balance_history.latest()
    if reading is None:
        return None
    return {
        "balance": {
            "reading": reading,
            "age": age(reading.at),
            "is_low": balance_history.is_low(reading),
            "is_old": balance_history.is_old(reading),
            "alert": settings.LAAFFIC_BALANCE_ALERT,
        }
    }


def low_balance(request: HttpRequest) -> dict[str, Any] | None:
    found = balance(request)
    return found if found and found["balance"]["is_low"] else None
