"""A group that a campaign sends to or leaves out stays as long as the campaign is not over."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from messaging.models import Campaign, CampaignState, ContactGroup, ContactImport, GroupMembership
from messaging.models.kept_while_used import using
from messaging.services.audience import audience
from messaging.services.campaigns import campaigns, drafts
from messaging.services.contacts import contacts
from messaging.services.saved_audiences import audiences
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db
LIST = "admin:messaging_contactgroup_changelist"
USES = ("groups", "excluded_groups")


@pytest.fixture
def vips(db: None) -> ContactGroup:
    vips = ContactGroup.objects.create(name="VIPs")
    add_contacts(vips, 5)
    return vips


@pytest.fixture(params=USES)
def campaign(request: pytest.FixtureRequest, application: Application, vips: ContactGroup) -> Campaign:
    given = {request.param: [vips]}
    return drafts.create(name="Autumn", application=application, sender_id="", text="Hi", **given)


def by_form(client: Client, group: ContactGroup) -> str:
    address = reverse("admin:messaging_contactgroup_delete", args=[group.pk])
    return client.post(address, {"post": "yes"}).content.decode()


def by_list_action(client: Client, group: ContactGroup) -> str:
    chosen = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    return client.post(reverse(LIST), chosen).content.decode()


@pytest.mark.parametrize(
    "state", [s for s in CampaignState if s not in (CampaignState.FINISHED, CampaignState.CANCELLED)]
)
class InUseTests:
    @pytest.mark.parametrize("delete", [by_form, by_list_action])
    def test_no_page_deletes_it_and_the_page_names_the_campaign(
        self,
        admin_client: Client,
        campaign: Campaign,
        vips: ContactGroup,
        state: str,
        delete: Callable[[Client, ContactGroup], str],
    ) -> None:
        Campaign.objects.update(state=state)

        said = delete(admin_client, vips)

        assert "Autumn" in said
        assert GroupMembership.objects.filter(group=vips).count() == 5

    @pytest.mark.parametrize(
        "delete",
        [
            lambda group: group.delete(),
            lambda group: ContactGroup.objects.all().delete(),
            lambda group: ContactGroup.objects.filter(pk=group.pk).delete(),
            contacts.delete_group,
        ],
        ids=["row", "all", "filter", "service"],
    )
    def test_no_shell_deletes_it_either(
        self, campaign: Campaign, vips: ContactGroup, state: str, delete: Callable[[ContactGroup], object]
    ) -> None:
        Campaign.objects.update(state=state)

        with pytest.raises(ProtectedError, match=r"VIPs.*Autumn"), transaction.atomic():
            delete(vips)

        assert GroupMembership.objects.filter(group=vips).count() == 5


@pytest.mark.parametrize("delete", [by_form, by_list_action])
def test_a_group_that_an_audience_names_stays_and_the_page_says_so(
    admin_client: Client, vips: ContactGroup, delete: Callable[[Client, ContactGroup], str]
) -> None:
    audiences.create(name="Everybody else", condition='country = IN and not group "VIPs"')

    said = delete(admin_client, vips)

    assert "audience “Everybody else”" in said
    assert GroupMembership.objects.filter(group=vips).count() == 5
    assert not AuditEntry.objects.filter(kind="deleted").exists()


@pytest.mark.parametrize("delete", [by_form, by_list_action])
@pytest.mark.parametrize(
    ("state", "is_kept"), [("preview", True), ("queued", True), ("running", True), ("finished", False)]
)
def test_a_group_that_an_import_fills_stays(
    admin_client: Client,
    vips: ContactGroup,
    delete: Callable[[Client, ContactGroup], str],
    state: str,
    is_kept: bool,
) -> None:
    """The rest of its rows would go into no group, and it would say that it has finished."""
    ContactImport.objects.create(file_name="new.csv", group=vips, state=state)

    said = delete(admin_client, vips)

    assert ContactGroup.objects.filter(pk=vips.pk).exists() == is_kept
    assert ("import “new.csv”" in said) == is_kept


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_campaign_uses_what_its_audience_names(application: Application, vips: ContactGroup, is_edited: bool) -> None:
    """While it is frozen the memberships are asked, by the condition as it was at the launch."""
    other = audiences.create(name="Everybody else", condition='country = IN and not group "VIPs"')
    draft = drafts.create(name="Autumn", application=application, sender_id="", text="Hi", audiences=[other])
    audience.begin(draft)
    Campaign.objects.update(state="running")
    if is_edited:
        other.condition = "country = IN"
        audiences.save(other)

    assert list(using([vips])) == [draft]
    Campaign.objects.update(audience="frozen")
    assert list(using([vips])) == ([] if is_edited else [draft])


def test_once_the_campaign_is_over_it_can_be_deleted(campaign: Campaign, vips: ContactGroup) -> None:
    campaigns.cancel(campaign.pk)

    contacts.delete_group(vips)

    assert not ContactGroup.objects.exists()
