"""The ledger's filter offers each interface that acts, and asks no entry for them."""

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.models.ledger import INTERFACES
from laaffic_console.gateway.services.ledger import words
from messaging.services.channels import channels
from messaging.services.email import care as email_care
from messaging.services.email import trial_emails as email_tests
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import states as group_state

ROOT = Path(__file__).resolve().parents[2]
LIST = "admin:gateway_ledgerentry_changelist"


def test_each_interface_that_entries_are_written_for_is_offered() -> None:
    services = [path for app in ("messaging", "voice", "numbers") for path in (ROOT / app).rglob("services/**/*.py")]
    written = {name for path in services for name in re.findall(r'interface="([^"]+)"', path.read_text())}
    written |= {email_care.INTERFACE, email_tests.INTERFACE, group_state.CANCEL, *words.INTERFACES}
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
