"""What to do on a console on which little has been done: a list that ticks itself and goes away."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from laaffic_console.dashboard.health import health
from laaffic_console.dashboard.models import FirstStepsPutAway
from laaffic_console.gateway.models import Application
from laaffic_console.kit.registers import front_page
from laaffic_console.kit.registers.front_page import Step
from laaffic_console.kit.words.people import signed_in


def _has_credentials() -> bool:
    return bool(settings.LAAFFIC_API_KEY and settings.LAAFFIC_API_SECRET)


def _has_seen_a_callback() -> bool:
    return health.last_push_at() is not None


OWN_STEPS = [
    Step(
        10,
        _("Give the console its credentials"),
        _("LAAFFIC_API_KEY and LAAFFIC_API_SECRET in the environment or .env, then a restart."),
        _("See the health page"),
        "health",
        "gateway.add_application",  # nobody else has to do with credentials
        _has_credentials,
    ),
    Step(
        20,
        _("Register an application"),
        _("Find its appId in Laaffic's own console."),
        _("Register it"),
        "admin:gateway_application_add",
        "gateway.add_application",
        Application.objects.exists,
    ),
    Step(
        30,
        _("See a callback arrive"),
        _("Each application shows the addresses that Laaffic has to be given. A test message brings the first."),
        _("Show the addresses"),
        "admin:gateway_application_changelist",
        "gateway.add_application",  # who registers one gives its addresses to Laaffic
        _has_seen_a_callback,
    ),
]


def of(user: User) -> list[dict[str, Any]]:
    """The first steps that somebody may take; [] when they have put the list away, or when all of these are done."""
    steps = [step for step in front_page.steps() if user.has_perm(step.permission)]
    if not steps or FirstStepsPutAway.objects.filter(user=user).exists():
        return []
    shown = [_shown(step) for step in steps]
    return [] if all(step["done"] for step in shown) else shown


def _shown(step: Step) -> dict[str, Any]:
    link = reverse(step.page)
    return {"says": step.says, "why": step.why, "button": step.button, "link": link, "done": step.is_done()}


@require_POST
def put_away(request: HttpRequest) -> HttpResponse:
    """Hide the list of first steps from this person, on whatever machine."""
    FirstStepsPutAway.objects.get_or_create(user=signed_in(request))
    return HttpResponseRedirect(reverse("admin:index"))
