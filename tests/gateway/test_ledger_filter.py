"""The ledger's filter offers each interface that acts, and asks no entry for them."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway import shown_requests
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.models.ledger import INTERFACES
from laaffic_console.gateway.services.ledger import words
from laaffic_console.gateway.shown_requests import SHOWN
from messaging.services.channels import channels
from messaging.services.email import care as email_care
from messaging.services.email import trial_emails
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state

ROOT = Path(__file__).resolve().parents[2]
LIST = "admin:gateway_ledgerentry_changelist"


def test_each_interface_that_entries_are_written_for_is_offered() -> None:
    services = [path for app in ("messaging", "voice", "numbers") for path in (ROOT / app).rglob("services/**/*.py")]
    written = {name for path in services for name in re.findall(r'interface="([^"]+)"', path.read_text())}
    written |= {email_care.INTERFACE, trial_emails.INTERFACE, group_state.CANCEL, *words.INTERFACES}
    written |= {*group_launching.INTERFACES.values()}
    written |= {channel.interface(texts) for channel in channels._channels.values() for texts in (1, 2)}

    assert written <= set(INTERFACES)
    assert len(written) > 15


@pytest.mark.django_db
def test_the_list_asks_no_entry_which_there_are(admin_client: Client) -> None:
    for name in ("sendSms", "bind"):
        LedgerEntry.objects.create(interface=name, prepared_at=timezone.now())

    with CaptureQueriesContext(connection) as captured:
        shown = admin_client.get(reverse(LIST), {"interface": "bind"})

    assert [entry.interface for entry in shown.context["cl"].result_list] == ["bind"]
    assert "mmsUpload" in shown.content.decode()
    assert not any("DISTINCT" in query["sql"] and "ledgerentry" in query["sql"] for query in captured)


def made(campaign_id: int, n: int) -> None:
    about = {"interface": "sendSms", "about_kind": "campaign", "about_id": campaign_id}
    LedgerEntry.objects.bulk_create(LedgerEntry(**about, prepared_at=timezone.now()) for _ in range(n))


@pytest.mark.django_db
def test_the_page_of_a_thing_leads_to_all_that_was_asked_about_it(admin_client: Client, admin_user: User) -> None:
    made(7, SHOWN + 2)
    made(8, 1)

    shown = shown_requests.about("campaign", 7, admin_user)
    listed = admin_client.get(shown["all_requests"]).context["cl"].result_list

    assert len(shown["requests"]) == SHOWN
    assert {entry.about_id for entry in listed} == {7}
    assert len(listed) == SHOWN + 2


@pytest.mark.django_db
def test_where_all_of_them_are_shown_nothing_leads_on(admin_user: User, django_user_model: Any) -> None:
    made(7, SHOWN + 1)
    made(8, SHOWN)
    nobody = django_user_model.objects.create(username="nobody", is_staff=True)

    assert shown_requests.about("campaign", 8, admin_user)["all_requests"] == ""
    assert shown_requests.about("campaign", 7, nobody)["all_requests"] == ""


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["campaign", "campaign:", "campaign:x", ":", "7"])
def test_what_names_no_thing_is_refused(admin_client: Client, asked: str) -> None:
    made(7, 1)

    answer = admin_client.get("/admin/gateway/ledgerentry/", {"about": asked}, follow=True)

    assert answer.redirect_chain == [("/admin/gateway/ledgerentry/", 302)]
    assert "The filters in the address are not valid" in answer.content.decode()
