"""Saved templates: their page and versions, and campaigns that take a text from one."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, CampaignState, ContactGroup, MessageTemplate, TemplateVersion
from messaging.services.campaigns import drafts, follow_ups, templates
from messaging.services.campaigns.templates import ADDED, REMOVED, SAME

pytestmark = pytest.mark.django_db
ADD, LIST = "admin:messaging_messagetemplate_add", "admin:messaging_messagetemplate_changelist"
CHANGE, DELETE = "admin:messaging_messagetemplate_change", "admin:messaging_messagetemplate_delete"


@pytest.fixture
def template() -> MessageTemplate:
    made = MessageTemplate(name="Parcel", text="Your parcel is here.")
    templates.save(made)
    return made


def draft_from(template: MessageTemplate, application: Application, group: ContactGroup) -> Campaign:
    version = templates.latest(template)
    assert version is not None
    return drafts.create(
        name="Today",
        application=application,
        sender_id="",
        text=version.text,
        template_version=version,
        groups=[group],
    )


def test_each_new_text_begins_a_version(admin_client: Client) -> None:
    admin_client.post(reverse(ADD), {"name": "Parcel", "text": "Your parcel is here."})
    made = MessageTemplate.objects.get()
    page = reverse(CHANGE, args=[made.pk])

    admin_client.post(page, {"name": "Parcels", "text": "Your parcel is here.", "note": ""})
    admin_client.post(page, {"name": "Parcels", "text": "Your letter is here.", "note": "letters too"})

    versions = list(made.versions.order_by("number").values_list("number", "name", "note", "by__username"))
    assert versions == [(1, "Parcel", "", "admin"), (2, "Parcels", "letters too", "admin")]
    shown = admin_client.get(page).content.decode()
    assert "<del>parcel</del><ins>letter</ins>" in shown
    assert "letters too" in shown
    assert len(re.findall(r">\s*versions\s*<", shown, re.IGNORECASE)) == 1


def test_a_text_in_it_is_escaped(admin_client: Client, template: MessageTemplate) -> None:
    template.text = "Your <b>parcel</b> is here."
    templates.save(template)

    assert "<b>parcel</b>" not in admin_client.get(reverse(CHANGE, args=[template.pk])).content.decode()


def test_what_changed_is_told_word_by_word() -> None:
    assert templates.compare("one two", "one three") == [(SAME, "one "), (REMOVED, "two"), (ADDED, "three")]
    assert templates.compare("", "one") == [(SAME, "one")]


def test_a_field_that_nobody_has_is_refused_and_the_text_stays(admin_client: Client) -> None:
    page = admin_client.post(reverse(ADD), {"name": "Parcel", "text": "Dear {{title}}"}).content.decode()

    assert "No contact has a field called {{title}}" in page
    assert "Dear {{title}}" in page
    assert not MessageTemplate.objects.exists()


def test_a_word_instead_of_a_missing_value_has_to_be_seen(admin_client: Client) -> None:
    page = admin_client.post(reverse(ADD), {"name": "New", "text": "Hi {{name|\u200b\u2800}}"}).content.decode()

    assert "has nothing behind the | that can be seen" in page
    assert not MessageTemplate.objects.filter(name="New").exists()


def test_an_edit_is_compared_with_what_another_has_saved(admin_client: Client, template: MessageTemplate) -> None:
    page = reverse(CHANGE, args=[template.pk])
    seen = admin_client.get(page).context["adminform"].form.seen_token
    MessageTemplate.objects.update(text="Theirs")

    said = admin_client.post(page, {"name": "Parcel", "text": "Mine", "note": "", "_seen": seen}).content.decode()

    assert "stored is “Theirs”, yours is “Mine”" in said
    assert MessageTemplate.objects.get().text == "Theirs"


def test_the_list_leads_to_a_campaign_with_its_text(admin_client: Client, template: MessageTemplate) -> None:
    address = f"{reverse('admin:messaging_campaign_add')}?template={template.pk}"
    assert address in admin_client.get(reverse(LIST)).content.decode()

    form = admin_client.get(address).context["adminform"].form

    assert form["text"].value() == "Your parcel is here."
    assert form["template_version"].value() == TemplateVersion.objects.get().pk


@pytest.mark.parametrize("asked", ["", "no", "99999999999999999999", "7"])
def test_a_template_that_there_is_not_begins_an_empty_form(admin_client: Client, asked: str) -> None:
    answer = admin_client.get(f"{reverse('admin:messaging_campaign_add')}?template={asked}")

    assert answer.status_code == 200
    assert not answer.context["adminform"].form["text"].value()


@pytest.mark.parametrize(("typed", "sent"), [("", "Your parcel is here."), ("Other words", "Other words")])
def test_an_empty_text_is_the_templates(
    admin_client: Client,
    template: MessageTemplate,
    application: Application,
    group: ContactGroup,
    typed: str,
    sent: str,
) -> None:
    given = {"name": "Today", "application": application.pk, "text": typed, "groups": [group.pk]}
    given |= {"template_version": TemplateVersion.objects.get().pk}

    admin_client.post(reverse("admin:messaging_campaign_add"), given)

    made = Campaign.objects.get()
    assert made.text == sent
    assert made.template_version is not None


def test_a_text_is_wanted_where_no_template_is_chosen(
    admin_client: Client, application: Application, group: ContactGroup
) -> None:
    given = {"name": "Today", "application": application.pk, "text": "", "groups": [group.pk]}

    page = admin_client.post(reverse("admin:messaging_campaign_add"), given).content.decode()

    assert "Write a text: it is empty." in page
    assert not Campaign.objects.exists()


def test_a_campaign_keeps_its_version_and_a_copy_too(
    admin_client: Client, template: MessageTemplate, application: Application, group: ContactGroup
) -> None:
    campaign = draft_from(template, application, group)
    Campaign.objects.update(state=CampaignState.FINISHED)
    template.text = "Your parcel waits."
    templates.save(template)

    page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

    assert "Text: template “Parcel”, version 1." in page
    assert follow_ups.copy(campaign.pk).template_version == campaign.template_version


def test_a_template_that_a_draft_uses_is_not_deleted(
    admin_client: Client, template: MessageTemplate, application: Application, group: ContactGroup
) -> None:
    draft_from(template, application, group)

    page = admin_client.post(reverse(DELETE, args=[template.pk]), {"post": "yes"})

    assert "draft “Today”" in page.content.decode()
    with pytest.raises(ProtectedError, match="is used by the draft “Today”"):
        template.delete()


def test_its_versions_stay_when_it_is_deleted(
    admin_client: Client, template: MessageTemplate, application: Application, group: ContactGroup
) -> None:
    campaign = draft_from(template, application, group)
    Campaign.objects.update(state=CampaignState.FINISHED)

    admin_client.post(reverse(DELETE, args=[template.pk]), {"post": "yes"})

    assert not MessageTemplate.objects.exists()
    campaign.refresh_from_db()
    assert campaign.template_version is not None


def test_the_command_takes_the_text_of_a_template(
    template: MessageTemplate, application: Application, group: ContactGroup
) -> None:
    call_command(
        *("campaign", "create", "--name", "Today", "--app", application.app_id),
        *("--template", "Parcel", "--group", group.name),
    )

    made = Campaign.objects.get()
    assert (made.text, made.template_version) == ("Your parcel is here.", templates.latest(template))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--template", "Parcel", "--text", "Hello"), "not both"),
        ((), "--template NAME"),
        (("--template", "Letter"), "no template “Letter”"),
    ],
)
def test_the_command_refuses_what_is_unclear(
    template: MessageTemplate, application: Application, group: ContactGroup, given: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        call_command(
            *("campaign", "create", "--name", "Today", "--app", application.app_id, "--group", group.name), *given
        )


def test_a_fault_in_the_text_is_named_by_what_gave_it(
    template: MessageTemplate, application: Application, group: ContactGroup
) -> None:
    TemplateVersion.objects.update(text="Your {{parcel")
    named = ("campaign", "create", "--name", "Today", "--app", application.app_id, "--group", group.name)

    for given in (["--template", "Parcel"], ["--text", "Your {{parcel"]):
        with pytest.raises(CommandError, match=f"^{given[0]}: "):
            call_command(*named, *given)


def test_a_text_says_where_it_comes_from(template: MessageTemplate) -> None:
    version = templates.latest(template)

    assert templates.said_of(None, "Hi") == ""
    assert templates.said_of(version, "Your parcel is here.") == "Text: template “Parcel”, version 1."
    assert templates.said_of(version, "Hi") == "Text: template “Parcel”, version 1, changed for this campaign."
