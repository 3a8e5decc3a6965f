"""What nobody can see is no text, no name and no reason."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.plain_text import capitals, is_blank
from messaging.models import Calendar, Campaign, ContactGroup, MessageTemplate
from messaging.services.campaigns import drafts, templates
from messaging.services.email import drafts as email_drafts
from messaging.services.saved_audiences import audiences
from tests.messaging.conftest import APP_ID

pytestmark = pytest.mark.django_db

UNSEEN = {
    "spaces": " \n\t\u3000\xa0",
    "zero width": "\u200b\u200c\u200d\ufeff",
    "word joiner": "\u2060",
    "soft hyphen": "\xad",
    "direction": "\u202e\u2066",
    "hangul filler": "\u3164\uffa0\u115f\u1160",
    "braille": "\u2800",
    "variation selector": "\ufe0f\U000e0100",
    "tag": "\U000e0041",
}


@pytest.mark.parametrize("text", ["a", "\u200ba", "，", "\u2801", "❤\ufe0f", "नमस्ते"])
def test_what_can_be_seen_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_no_campaign_or_template_says_it(application: Application, group: ContactGroup, text: str) -> None:
    common: dict[str, Any] = {"application": application, "sender_id": "", "groups": [group]}

    assert email_drafts.problem_with_subject(text) == "Write a subject: it is empty."
    with pytest.raises(ValidationError, match="Write a text: it is empty"):
        drafts.create(name="A", text=text, **common)
    with pytest.raises(ValidationError, match="name"):
        drafts.create(name=text, text="Hi", **common)
    with pytest.raises(CommandError, match=r"Write a text: it is empty|--text is empty"):
        call_command("campaign", "create", "--name", "A", "--app", APP_ID, "--group", group.name, "--text", text)
    with pytest.raises(ValidationError, match="Write a text: it is empty"):
        templates.save(MessageTemplate(name="A", text=text))
    with pytest.raises(ValidationError):
        templates.save(MessageTemplate(name=text, text="Hi"))
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_nothing_is_called_so(text: str) -> None:
    with pytest.raises(ValidationError):
        ContactGroup(name=text).full_clean()
    with pytest.raises(ValidationError):
        Calendar(name=text, hours="mon 09:00-10:00").full_clean()
    with pytest.raises(ValidationError):
        audiences.create(name=text, condition="city = Pune")


@pytest.mark.parametrize(
    ("typed", "code"), [("in", "IN"), ("Usd", "USD"), ("ß", "ß"), ("ın", "ın"), ("ﬀ", "ﬀ"), ("", "")]
)
def test_a_code_in_capitals_is_no_other_code(typed: str, code: str) -> None:
    assert capitals(typed) == code
