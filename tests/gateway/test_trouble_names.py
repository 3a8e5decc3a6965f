"""What failed alone is named in English for scripts, and in the reader's language on pages."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.dashboard.health import health_page
from laaffic_console.gateway.models import Trouble
from laaffic_console.gateway.services.database import isolation
from laaffic_console.kit.words import stored_words

ROOT = Path(__file__).parents[2]
GIVEN = re.compile(r'isolation\.(?:guarded|note|each)\(.*?"([^"]*\{[^"]*)"')


def names() -> list[str]:
    """As services write them, the gaps filled in."""
    apps = ("messaging", "voice", "numbers", "laaffic_console")
    sources = [path for app in apps for path in (ROOT / app).rglob("*.py")]
    written = [name for path in sources for name in GIVEN.findall(path.read_text())]
    return sorted(re.sub(r"\{[^}]*\}", "12", name) for name in written)


def test_each_can_be_translated() -> None:
    found = names()
    assert len(found) > 15
    patterns = [stored_words._pattern(words)[1] for words in stored_words.KEPT]
    assert [name for name in found if not any(pattern.fullmatch(name) for pattern in patterns)] == []


@pytest.mark.django_db
def test_pages_say_it_in_the_readers_language(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    Trouble.objects.create(name="group call 12", problem="x", first_at=now, last_at=now)
    monkeypatch.setattr(stored_words, "KEPT_IN", "another language than the reader's")
    monkeypatch.setattr(stored_words, "gettext", lambda words: words.replace("group call", "Gruppenanruf"))

    for address in (reverse("admin:gateway_trouble_changelist"), reverse("health")):
        assert "Gruppenanruf 12" in admin_client.get(address).content.decode()


@pytest.mark.django_db
def test_what_waits_for_a_person_hides_no_fault() -> None:
    """Anybody can send STOPs of numbers without a country code."""
    for n in range(12):
        now = timezone.now()
        Trouble.objects.create(name=f"reply from 98{n}", problem="STOP", is_persons=True, first_at=now, last_at=now)
    isolation.note("the sweep of budgets", RuntimeError("broken now"))

    said = [str(sign.says) for sign in health_page.troubles()]

    assert any("broken now" in one for one in said)
    assert len(said) == health_page.SHOWN_OF_PERSONS + 1
