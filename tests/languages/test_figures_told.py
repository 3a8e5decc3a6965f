"""Every figure that an operator is told stands as their language writes it: notices, acts, answers of forms."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from laaffic_console.audit.models import AuditEntry
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.words.said import kept
from laaffic_console.notices import kinds
from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.services import taking
from messaging.services.campaigns import drafts
from messaging.services.contacts import pastes, suppression

pytestmark = pytest.mark.django_db


def test_a_notice_of_an_import() -> None:
    told = {"file": "people.csv", "explanation": "", "added": 20000, "updated": 1500, "invalid": 3}
    said = taking._said(Notify.IMPORT, told)

    line = kinds.in_words(Notify.IMPORT, {name: kept(value) for name, value in said.items()})

    assert line == "The import of people.csv is done: 20,000 added, 1,500 updated, 3 invalid"


def test_a_notice_that_came_often() -> None:
    assert kinds.in_words(Notify.WORKER, {"name": "w"}, 1234) == "The worker on w is silent (1,234 times)"
    more = kinds.in_words(Notify.MORE, {"kinds": {Notify.WORKER: 1200}}, 1234)
    assert more == "1,234 more within this hour: 1,200 × A worker is silent"


def test_an_act_that_was_done_to_many(admin_client: Client) -> None:
    numbers = "\n".join(f"9198765{n:05}" for n in range(suppression.CHUNK + 1200))
    given = {"numbers": numbers, "channel": "sms", "reason": "manual"}
    admin_client.post("/admin/messaging/suppressionentry/add/", given)
    entry = AuditEntry.objects.filter(kind=Act.SUPPRESSED).latest("pk")  # the first chunk has one of its own

    assert "1,200" in admin_client.get(f"/admin/audit/auditentry/{entry.pk}/change/").content.decode()


def test_a_paste_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pastes, "MOST_LINES", 1000)
    with pytest.raises(ValidationError, match="More than 1,000 lines"):
        pastes.from_lines(f"9198765{n:05}" for n in range(1001))


def test_a_text_that_is_too_long() -> None:
    assert drafts.problem_with_text("x" * 2025).startswith("The text has 2,025 characters; at most 1,024")
