"""What was asked for and has no known outcome is not repeated by accident: bindings and pools."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from laaffic_console.dashboard.health import health_page
from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from phone_numbers.models import BindingRequest
from phone_numbers.services import binding_changes, binding_sync
from tests.numbers.conftest import long_ago
from tests.numbers.test_admin_changes import BIND, terms

pytestmark = pytest.mark.django_db(transaction=True)

PAIR = ("bind", "+919876543210", "+919876543211", "--pool", "918885")


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    out = io.StringIO()
    try:
        call_command("numbers", *arguments, "--json", stdout=out)
    except CommandError as problem:
        return problem.returncode, json.loads(out.getvalue() or "{}"), str(problem)
    return 0, json.loads(out.getvalue()), ""


def lose_request(sandbox: RunningSandbox) -> None:
    sandbox.set_faults(next_fault="reset_before", next_calls=1)


def test_a_bind_is_refused_until_a_reason_is_given(sandbox: RunningSandbox, application: Application) -> None:
    lose_request(sandbox)
    code, document, said = run(*PAIR)
    assert (code, document["state"]) == (3, "unknown")
    assert "manage.py numbers sync bindings" in said

    code, _document, said = run(*PAIR)
    assert code == 1
    assert f"ledger row {LedgerEntry.objects.get().pk}" in said
    assert BindingRequest.objects.count() == 1
    assert run("bind", "+919876543211", "+919876543210", "--pool", "918885")[0] == 1  # the same two

    code, document, _said = run(*PAIR, "--again", "they cannot talk")
    assert (code, document["state"]) == (0, "accepted")
    assert LedgerEntry.objects.latest("pk").summary["all the same"] == "they cannot talk"


def test_an_unbind_too(sandbox: RunningSandbox, application: Application, admin_client: Client) -> None:
    made = run(*PAIR)[1]
    lose_request(sandbox)
    assert run("unbind", made["bind_id"])[0] == 3
    assert run("unbind", made["bind_id"])[0] == 1
    binding = BindingRequest.objects.first().binding
    page = reverse("admin:numbers_binding_change", args=[binding.pk])
    assert 'name="again"' in admin_client.get(page).content.decode()
    unbind = page.replace("/change/", "/unbind/")

    said = admin_client.post(
        unbind, {"seen_pair": binding_changes.pair_as_shown(binding)}, follow=True
    ).content.decode()
    assert "not known yet" in said
    assert run("unbind", made["bind_id"], "--again", "it is still listed")[0] == 0


def test_the_page_asks_why(sandbox: RunningSandbox, application: Application, admin_client: Client) -> None:
    lose_request(sandbox)
    admin_client.post(BIND, terms(application))

    asked = admin_client.post(BIND, terms(application)).content.decode()
    assert "not known yet" in asked
    assert 'name="again"' in asked
    admin_client.post(BIND, terms(application, again="they cannot talk"))

    assert BindingRequest.objects.filter(entry__state="accepted").count() == 1


def test_another_pair_is_no_repeat(sandbox: RunningSandbox, application: Application) -> None:
    lose_request(sandbox)
    run(*PAIR)
    other = {"phone_a": "+919876543220", "phone_b": "+919876543221", "pool_number": "918885", "seconds": 60}

    assert binding_changes.bind(application=application, **other).binding is not None


def test_a_pool_whose_answer_was_lost_is_unknown(sandbox: RunningSandbox, application: Application) -> None:
    lose_request(sandbox)
    create = ("pool", "create", "918999", "--numbers", "919876500001", "--whitelist", "1.2.3.4", "--concurrency", "1")

    code, document, said = run(*create, "--confirm", "918999")

    assert (code, document["state"]) == (3, "unknown")
    assert "numbers sync pools" in said


def test_a_bind_that_would_have_run_out_ends(sandbox: RunningSandbox, application: Application) -> None:
    """Health does not warn for ever of what nobody can find out any more."""
    lose_request(sandbox)
    run(*PAIR, "--seconds", "120")
    long_ago()

    binding_sync.sync(application)

    entry = LedgerEntry.objects.get()
    assert (entry.state, entry.evidence) == ("lapsed", "by now it would have run out; no list showed it")
    assert health_page.unknown_calls().tone == "good"
