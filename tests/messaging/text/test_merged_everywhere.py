"""Merge fields in every text that goes out: filled in for each recipient, or refused before anything leaves."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import LaafficClient
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, Contact, ContactGroup, Message, MmsAttachment
from messaging.services.campaigns import drafts, starting
from messaging.services.email import drafts as email_drafts
from messaging.services.figures import proving
from messaging.services.mms import attachments
from messaging.services.mms.mms_channel import RANDOM_TITLE, MmsOptions
from tests.messaging.conftest import add_contacts
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def picture(db: None) -> MmsAttachment:
    return attachments.add(samples.picture(), "beach.png")[0]


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, list[str]]]:
    """(title, text, numbers) of each call that left."""
    sent: list[tuple[str, str, list[str]]] = []
    mms = type(LaafficClient(base_url="http://127.0.0.1", api_key="k", api_secret="s").mms)
    send = mms.send

    def spy(self: Any, **given: Any) -> Any:
        sent.append((given["title"], given["content"], list(given["numbers"])))
        return send(self, **given)

    monkeypatch.setattr(mms, "send", spy)
    return sent


def write(
    application: Application, group: ContactGroup, picture: MmsAttachment, title: str, text: str = "Hi", **options: Any
) -> Campaign:
    return drafts.create(
        name="A",
        application=application,
        sender_id="",
        text=text,
        groups=[group],
        channel="mms",
        channel_options=MmsOptions(title=title, attachments=(picture.pk,), **options).as_json(),
    )


def test_a_title_is_merged_for_each_recipient(
    sandbox: RunningSandbox,
    application: Application,
    group: ContactGroup,
    picture: MmsAttachment,
    run_jobs: Callable[[], int],
    titles: list[Any],
) -> None:
    add_contacts(group, 2, name="Ann Lee")
    add_contacts(group, 1, first=919876600000, name="Bo")
    add_contacts(group, 1, first=919876700000)
    campaign = write(application, group, picture, "Sale for {{first_name|you}}")

    starting.launch(campaign.pk)
    run_jobs()

    assert sorted((title, len(numbers)) for title, _text, numbers in titles) == [
        *(("Sale for Ann", 2), ("Sale for Bo", 1), ("Sale for you", 1))
    ]
    assert proving.prove(Campaign.objects.get())["disagreements"] == []


def test_equal_texts_under_different_titles_are_told_apart(
    sandbox: RunningSandbox,
    application: Application,
    group: ContactGroup,
    picture: MmsAttachment,
    run_jobs: Callable[[], int],
    titles: list[Any],
) -> None:
    add_contacts(group, 1, name="Ann", language="en")
    add_contacts(group, 1, first=919876600000, name="Ann", language="hi")
    campaign = write(application, group, picture, "{{language}} sale", "Hi {{name}}")

    starting.launch(campaign.pk)
    run_jobs()

    assert {(title, text) for title, text, _numbers in titles} == {("en sale", "Hi Ann"), ("hi sale", "Hi Ann")}


def test_a_title_that_grows_too_long_is_cut(
    sandbox: RunningSandbox,
    application: Application,
    group: ContactGroup,
    picture: MmsAttachment,
    run_jobs: Callable[[], int],
    titles: list[Any],
) -> None:
    add_contacts(group, 1, name="A" * 100)
    campaign = write(application, group, picture, "For {{name}}")

    starting.launch(campaign.pk)
    run_jobs()

    assert [title for title, _text, _numbers in titles] == ["For " + "A" * 75 + "…"]
    assert Message.objects.get().gateway_id


def test_a_title_of_values_that_nobody_sees_is_sent_without_them(
    sandbox: RunningSandbox,
    application: Application,
    group: ContactGroup,
    picture: MmsAttachment,
    run_jobs: Callable[[], int],
    titles: list[Any],
) -> None:
    add_contacts(group, 1, attributes={"city": " \u200b"})
    campaign = write(application, group, picture, "{{city|Sale}}")

    starting.launch(campaign.pk)
    run_jobs()

    assert [title for title, _text, _numbers in titles] == ["Sale"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        *(("Sale for {{name", "is not closed"), ("Sale for {{shoe_size}}", "No contact has a field called")),
        *(("{{name}}", "would be empty"), ("Sale }} now", "closes no merge field"), ("Sale {{}}", "merge field")),
    ],
)
def test_a_title_that_cannot_be_merged_is_refused(
    application: Application, group: ContactGroup, picture: MmsAttachment, title: str, said: str
) -> None:
    with pytest.raises(ValidationError) as problem:
        write(application, group, picture, title)

    assert said in problem.value.message_dict["title"][0]


def test_a_title_that_laaffic_varies_takes_no_fields(
    application: Application, group: ContactGroup, picture: MmsAttachment
) -> None:
    with pytest.raises(ValidationError, match="varies a title for everybody alike"):
        write(application, group, picture, "For {{name|you}}", mms_type=RANDOM_TITLE)


def test_the_preview_shows_the_title_as_it_is_read(
    admin_client: Client, application: Application, group: ContactGroup, picture: MmsAttachment
) -> None:
    add_contacts(group, 1, name="Ann")
    campaign = write(application, group, picture, "Sale for {{name|you}}")

    page = admin_client.get(reverse("admin:messaging_campaign_review", args=[campaign.pk])).content.decode()

    assert "Sale for Ann" in page
    assert Campaign.objects.get().channel_options["title"] == "Sale for {{name|you}}"
    assert Contact.objects.exists()


@pytest.mark.parametrize("subject", ["Sale for {{name}}", "Sale {{", "Sale }}"])
def test_a_subject_of_an_email_campaign_with_fields_is_refused(subject: str) -> None:
    assert "Merge fields are not filled in here" in email_drafts.problem_with_subject(subject)
