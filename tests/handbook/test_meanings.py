"""Each state, figure and code says what it means, and leads to a paragraph that is there."""

import itertools

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from laaffic_console.conf import BASE_DIR
from laaffic_console.exporting.models import Export
from laaffic_console.gateway.models import EntryState
from laaffic_console.handbook import pages
from laaffic_console.kit.registers import meanings
from laaffic_console.laaffic.codes import every_table
from laaffic_console.reports.reporting import COLUMNS
from messaging.models import Approval, CampaignState, ContactImport, Conversation, Reply
from messaging.models.emails import Delivery, EmailCampaignState, Submission
from messaging.models.messages import MessageState
from phone_numbers.models import Binding
from voice.models.calls import OUTCOMES
from voice.models.group_tasks import TaskState

CODES = [f"{family.value} {code}" for family, table in every_table().items() for code in table]
WORDS = {
    "message": [state.key for state in MessageState],
    "campaign": CampaignState.values,
    "email campaign": EmailCampaignState.values,
    "submission": Submission.values,
    "delivery": Delivery.values,
    "ledger": EntryState.values,
    "group call": TaskState.values,
    "call": [*OUTCOMES, "ringing"],
    "binding": ["live", "over", *Binding.Ending.values],
    "column": COLUMNS,
    "import": ContactImport.State.values,
    "export": Export.State.values,
    "attachment": ["none", "live", "soon", "lapsed"],
    "conversation": Conversation.State.values,
    "approval": Approval.Outcome.values,
    "pool": ["unknown", "gone", "drifted", "not made", "in step"],
    "code": CODES,
}
ALL = [meaning for words in meanings.everything().values() for meaning in words.values()]


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_has_its_meaning(kind: str) -> None:
    assert {str(word) for word in WORDS[kind]} == set(meanings.everything()[kind])


def test_each_leads_to_a_paragraph_that_is_there() -> None:
    there = {f"{name}#{anchor}" for name in pages.names() for anchor in pages.anchors(name)}

    assert len(ALL) > 100
    assert {meaning.more for meaning in ALL} <= there


def test_each_is_a_short_sentence() -> None:
    said = {str(meaning.says) for meaning in ALL}

    assert [
        sentence for sentence in said if not sentence.endswith(".") or ".." in sentence or len(sentence) > 400
    ] == []


def test_the_page_of_states_says_what_the_console_says() -> None:
    text = (BASE_DIR / "docs" / "states.md").read_text()
    words = [words for kind, words in meanings.everything().items() if kind not in ("code", "column")]

    with override("en"):
        missing = [
            str(meaning.says)
            for meaning in itertools.chain.from_iterable(one.values() for one in words)
            if f"| {meaning.says} |" not in text
        ]
    assert missing == []


def test_a_word_is_drawn_with_what_it_means() -> None:
    drawn = meanings.inline("campaign", "held", "<Held>")

    assert drawn.startswith('<button type="button" class="c-means"')
    assert 'data-more="/admin/help/states/#campaigns"' in drawn
    assert "&lt;Held&gt;" in drawn
    assert "stopped it by itself" in drawn


def test_a_word_that_nobody_explains_stays_plain() -> None:
    assert meanings.inline("campaign", "dancing", "<Dancing>") == "&lt;Dancing&gt;"
    assert meanings.beside("column", "nothing", "Nothing") == ""


@pytest.mark.django_db
def test_each_explained_header_is_over_a_column_of_its_list(admin_client: Client) -> None:
    lists = {str(model._meta.model_name): shown for model, shown in admin.site._registry.items()}
    words = [word.split(".") for word in meanings.everything()["header"]]

    assert [(model, column) for model, column in words if column not in lists[model].list_display] == []
    Reply.objects.create(number="919876543210", content="Yes", at=timezone.now(), received_at=timezone.now())
    shown = admin_client.get("/admin/messaging/reply/").content.decode()
    assert 'data-more="/admin/help/states/#headers-of-lists"' in shown
