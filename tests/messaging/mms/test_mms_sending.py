"""MMS campaigns: one door out, ids matched by number, attachments uploaded again before they lapse."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, EntryState, Lease, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Batch,
    Campaign,
    CampaignState,
    ContactGroup,
    Message,
    MessageState,
    MmsAttachment,
    SuppressionEntry,
)
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.figures import proving
from messaging.services.mms import attachments
from messaging.services.mms.mms_channel import RANDOM_TITLE, MmsOptions
from messaging.services.reports import report_pulls
from messaging.services.sending import forgotten
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:messaging_mmscampaign_add"
ESTIMATE = reverse("admin:messaging_mmscampaign_estimate")


@pytest.fixture
def picture(db: None) -> MmsAttachment:
    return attachments.add(samples.picture(), "beach.png")[0]


def draft(application: Application, group: ContactGroup, *chosen: MmsAttachment, **fields: Any) -> Campaign:
    options = MmsOptions(
        title=fields.pop("title", "Beach"),
        mms_type=fields.pop("mms_type", "1"),
        attachments=tuple(one.pk for one in chosen),
    )
    given = {"name": "A", "application": application, "sender_id": "", "text": "Hi {{name|there}}", "groups": [group]}
    return drafts.create(**{**given, **fields}, channel="mms", channel_options=options.as_json())


def settled(campaign: Campaign) -> dict[str, int]:
    assert proving.prove(Campaign.objects.get(pk=campaign.pk))["disagreements"] == []
    return {state: n for state, n in counting.state_counts(campaign).items() if n}


class SendTests:
    def test_a_campaign_with_a_picture(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 5)
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()

        picture.refresh_from_db()
        entries = list(LedgerEntry.objects.order_by("pk").values_list("interface", "state"))
        assert entries == [("mmsUpload", EntryState.ACCEPTED), ("mmsSend", EntryState.ACCEPTED)]
        assert len(sandbox.messages()) == 5
        assert settled(campaign) == {"accepted": 5}
        by_number = {m["number"]: m["msg_id"] for m in sandbox.messages()}
        assert dict(Message.objects.values_list("number", "gateway_id")) == by_number

    def test_reports_come_as_for_sms(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        sandbox.sandbox.options.delivery_rate = 1.0
        add_contacts(group, 3)
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()
        Batch.objects.update(next_check_at=timezone.now())
        report_pulls.pull_due()

        assert settled(campaign) == {"delivered": 3}

    def test_a_number_left_out_of_the_answer_is_rejected(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        sandbox.sandbox.options.dialect = "vendor"
        add_contacts(group, 3)
        sandbox.set_faults(leave_out=["919876500001"])
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()

        assert settled(campaign) == {"accepted": 2, "rejected": 1}
        assert Message.objects.get(number="919876500001").state == MessageState.REJECTED

    def test_a_lost_answer_is_unknown_and_settled_by_the_records_by_number(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 4)
        sandbox.set_faults(next_fault="reset_after", next_calls=1, paths=["/mmsSend"])
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()
        assert settled(campaign) == {"unknown": 4}
        assert len(sandbox.messages()) == 4

        Batch.objects.update(next_check_at=timezone.now())
        report_pulls.pull_due()
        counts = settled(campaign)
        assert counts.get("unknown", 0) == 0
        assert sum(counts.values()) == 4
        assert len(sandbox.messages()) == 4

    def test_what_lapses_is_uploaded_again_before_a_batch_leaves(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 2)
        attachments.upload(picture.pk)
        sandbox.sandbox.options.clock_shift = 4 * 86400.0  # the gateway has forgotten it
        MmsAttachment.objects.update(lapses_at=timezone.now() - dt.timedelta(days=1))
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()

        assert settled(campaign) == {"accepted": 2}
        uploads = LedgerEntry.objects.filter(interface="mmsUpload")
        assert sorted(uploads.values_list("attempt", flat=True)) == [1, 2]

    def test_what_laaffic_forgets_before_its_time_is_uploaded_again_and_nobody_is_rejected(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 5)
        attachments.upload(picture.pk)
        sandbox.sandbox.options.clock_shift = 4 * 86400.0  # and the console counts on it for hours to come
        MmsAttachment.objects.update(uploaded_at=timezone.now() - dt.timedelta(hours=1))
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()
        Batch.objects.update(not_before=None)
        forgotten.sweep()
        run_jobs()

        assert settled(campaign) == {"accepted": 5}
        assert len(sandbox.messages()) == 5
        entries = list(LedgerEntry.objects.order_by("pk").values_list("interface", "state"))
        refused, accepted = EntryState.REFUSED, EntryState.ACCEPTED
        assert entries == [
            *(("mmsUpload", accepted), ("mmsSend", refused)),
            *(("mmsUpload", accepted), ("mmsSend", accepted)),
        ]

    def test_what_another_campaign_has_uploaded_meanwhile_is_tried_and_holds_nothing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Its poster took the old id before the upload, and its request left after it."""
        add_contacts(group, 5)
        attachments.upload(picture.pk)
        (forgotten_id,) = attachments.live_ids([picture.pk])
        sandbox.sandbox.options.clock_shift = 4 * 86400.0
        MmsAttachment.objects.update(lapses_at=timezone.now())
        attachments.upload(picture.pk)
        campaign = starting.launch(draft(application, group, picture).pk)
        with monkeypatch.context() as patched:
            patched.setattr(attachments, "live_ids", lambda pks: [forgotten_id])
            run_jobs()
        campaign.refresh_from_db()
        assert (campaign.state, settled(campaign)) == (CampaignState.RUNNING, {"queued": 5})

        Batch.objects.update(not_before=None)
        forgotten.sweep()
        run_jobs()

        assert settled(campaign) == {"accepted": 5}
        assert LedgerEntry.objects.filter(interface="mmsUpload").count() == 2

    def test_an_id_that_is_unknown_as_soon_as_it_is_given_holds_and_rejects_nobody(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        """It would be uploaded and refused for ever."""
        add_contacts(group, 5)
        sandbox.set_faults(status="-24", status_calls=1, paths=["/mmsSend"])
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert "Nothing was rejected" in campaign.hold_reason
        assert settled(campaign) == {"queued": 5}

        campaigns.resume(campaign.pk)
        run_jobs()
        assert settled(campaign) == {"accepted": 5}

    def test_an_upload_that_fails_holds_with_its_sentence_and_resuming_tries_again(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 2)
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=3, paths=["/mmsUpload"])
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert "The answer to the upload of “beach.png” was lost" in campaign.hold_reason
        assert sandbox.messages() == []

        campaigns.resume(campaign.pk)
        run_jobs()
        assert settled(campaign) == {"accepted": 2}

    @pytest.mark.parametrize("status", ["-10", "-1"])
    def test_an_upload_that_the_account_is_refused_goes_on_with_the_account(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
        status: str,
    ) -> None:
        add_contacts(group, 2)
        sandbox.set_faults(status=status, status_calls=1, paths=["/mmsUpload"])
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()
        campaign.refresh_from_db()
        hold = AccountHold.objects.get()
        assert (campaign.state, campaign.account_hold) == (CampaignState.HELD, hold)

        account_hold.release(hold.pk, because="paid")
        run_jobs()

        assert settled(campaign) == {"accepted": 2}

    def test_a_file_that_another_worker_uploads_holds_nothing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(attachments, "WAIT_FOR_OTHER", 0.1)
        add_contacts(group, 2)
        campaign = starting.launch(draft(application, group, picture).pk)
        with leases.lease(f"mms-upload:{picture.pk}"):
            run_jobs()
        campaign.refresh_from_db()
        assert (campaign.state, sandbox.messages()) == (CampaignState.RUNNING, [])

        forgotten.sweep()
        run_jobs()

        assert settled(campaign) == {"accepted": 2}

    def test_no_other_worker_takes_a_campaign_whose_files_are_being_uploaded(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 2)
        campaign = starting.launch(draft(application, group, picture).pk)
        really = attachments.live_ids

        def slow(ids: Sequence[int]) -> list[str]:
            mine = Lease.objects.filter(name=f"send:{campaign.pk}")
            first = mine.get().until
            for _n in range(3000):
                if mine.filter(until__gt=first).exists():
                    return really(ids)
                time.sleep(0.01)
            raise AssertionError("nobody renewed the lease")

        monkeypatch.setattr(workers, "BEAT_EVERY", 0.01)
        monkeypatch.setattr(attachments, "live_ids", slow)
        run_jobs()

        assert settled(campaign) == {"accepted": 2}

    def test_an_upload_whose_answer_was_lost_is_asked_for_again_by_itself(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 2)
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1, paths=["/mmsUpload"])
        campaign = starting.launch(draft(application, group, picture).pk)
        run_jobs()

        assert settled(campaign) == {"accepted": 2}
        uploads = LedgerEntry.objects.filter(interface="mmsUpload").order_by("attempt")
        assert list(uploads.values_list("state", flat=True)) == ["lapsed", "accepted"]

    def test_a_test_message_carries_the_attachments_too(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        test = starting.launch_test(draft(application, group, picture), "+91 98765 43210", by=None)
        run_jobs()

        assert (test.channel, MmsOptions.of(test).attachments) == ("mms", (picture.pk,))
        assert [m["number"] for m in sandbox.messages()] == ["919876543210"]

    def test_who_stopped_sms_gets_no_mms_either(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 4)
        SuppressionEntry.objects.create(number="919876500000", channel="sms")
        SuppressionEntry.objects.create(number="919876500001", channel="voice")
        campaign = starting.launch(draft(application, group, picture).pk)
        SuppressionEntry.objects.create(number="919876500002", channel="mms")
        run_jobs()

        assert sorted(m["number"] for m in sandbox.messages()) == ["919876500001", "919876500003"]
        settled(campaign)


class CheckTests:
    @pytest.mark.parametrize(
        ("fields", "field", "said"),
        [
            ({"title": ""}, "title", "Write a title"),
            ({"title": "x" * 81}, "title", "81 characters; at most 80"),
            ({"mms_type": "3"}, "title", "Choose how the title is used"),
            ({"mms_type": RANDOM_TITLE}, "text", "one segment only and hold no merge fields"),
            ({"mms_type": RANDOM_TITLE, "text": "x" * 161}, "text", "one segment only"),
            ({"text": "x" * 1025}, "text", "1,025 characters"),
        ],
    )
    def test_bad_input_is_named_at_its_field(
        self,
        application: Application,
        group: ContactGroup,
        picture: MmsAttachment,
        fields: dict[str, str],
        field: str,
        said: str,
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            draft(application, group, picture, **fields)

        assert said in caught.value.message_dict[field][0]

    def test_attachments_are_one_to_three_different_ones(
        self, application: Application, group: ContactGroup, picture: MmsAttachment
    ) -> None:
        for chosen, said in [
            ([], "Choose at least one"),
            ([picture, picture], "chosen twice"),
            ([MmsAttachment(pk=99)], "no attachment 99"),
            ([MmsAttachment(pk=n) for n in range(4)], "4 attachments are chosen; an MMS carries at most 3"),
        ]:
            with pytest.raises(ValidationError, match=said):
                draft(application, group, *chosen)


class FormTests:
    def post(self, client: Client, application: Application, group: ContactGroup, **fields: Any) -> Any:
        given = {
            "name": "Autumn",
            "application": application.pk,
            "title": "Beach",
            "mms_type": "1",
            "text": "Hello",
            "groups": [group.pk],
        }
        return client.post(reverse(ADD), {**given, **fields})

    def test_it_leads_to_the_review_and_shows_the_picture(
        self, admin_client: Client, application: Application, group: ContactGroup, picture: MmsAttachment
    ) -> None:
        add_contacts(group, 2)
        Application.objects.update(sender_id="SHOP")
        answer = self.post(admin_client, application, group, attachments=[picture.pk])

        campaign = Campaign.objects.get()
        assert (campaign.channel, MmsOptions.of(campaign)) == ("mms", MmsOptions("Beach", "1", (picture.pk,)))
        assert answer["Location"] == reverse("admin:messaging_campaign_review", args=[campaign.pk])
        review = admin_client.get(answer["Location"]).content.decode()
        assert reverse("admin:messaging_mmsattachment_content", args=[picture.pk]) in review
        assert "sender ID" not in review
        picture.refresh_from_db()
        assert picture.used_at

    def test_nobody_is_asked_for_a_sender_id_which_no_mms_takes(
        self, admin_client: Client, application: Application
    ) -> None:
        Application.objects.update(sender_id="SHOP")

        assert "sender_id" not in admin_client.get(reverse(ADD)).content.decode()

    def test_a_fourth_attachment_is_an_error_at_its_field_and_nothing_is_lost(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        made = [attachments.add(f"text {n}".encode(), f"{n}.txt")[0].pk for n in range(4)]

        answer = self.post(admin_client, application, group, attachments=made)

        assert "at most 3" in answer.context["adminform"].form.errors["attachments"][0]
        page = answer.content.decode()
        assert page.count(" checked") >= 4
        assert 'value="Beach"' in page
        assert Campaign.objects.count() == 0

    def test_attachments_stay_in_the_order_of_the_draft_and_new_ones_follow_as_they_were_posted(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        one, two, three = (attachments.add(f"text {n}".encode(), f"{n}.txt")[0] for n in range(3))
        self.post(admin_client, application, group, attachments=[three.pk, one.pk])
        campaign = Campaign.objects.get()
        assert MmsOptions.of(campaign).attachments == (three.pk, one.pk)

        change = reverse("admin:messaging_mmscampaign_change", args=[campaign.pk])
        page = admin_client.get(change).context["adminform"].form
        assert [attachment.pk for attachment in page.fields["attachments"].queryset] == [three.pk, one.pk, two.pk]
        given = {name: value for name, value in page.initial.items() if value is not None}
        chosen = [one.pk, two.pk, three.pk]  # as a browser posts boxes: in the order of the page
        admin_client.post(change, given | {"groups": [group.pk], "attachments": chosen})

        assert MmsOptions.of(Campaign.objects.get()).attachments == (three.pk, one.pk, two.pk)

    def test_a_draft_is_edited_on_its_own_form_with_what_it_had(
        self, admin_client: Client, application: Application, group: ContactGroup, picture: MmsAttachment
    ) -> None:
        campaign = draft(application, group, picture)

        answer = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk]), follow=True)

        assert answer.redirect_chain[0][0] == reverse("admin:messaging_mmscampaign_change", args=[campaign.pk])
        form = answer.context["adminform"].form
        assert form["title"].value() == "Beach"
        assert f'value="{picture.pk}" checked' in " ".join(answer.content.decode().split())

    def test_the_phone_shows_title_picture_and_clock_while_it_is_written(
        self, admin_client: Client, application: Application, group: ContactGroup, picture: MmsAttachment
    ) -> None:
        add_contacts(group, 1, name="Ann")
        given = {"application": application.pk, "groups": [group.pk], "text": "Hi {{name}}", "mms_type": "1"}

        answer = admin_client.post(ESTIMATE, {**given, "title": "For {{name}}", "attachments": [picture.pk]})

        assert (answer.context["shown_text"], answer.context["beside"].shown.title) == ("Hi Ann", "For Ann")
        page = answer.content.decode()
        assert reverse("admin:messaging_mmsattachment_content", args=[picture.pk]) in page
        assert "not uploaded" in page
        assert "GSM-7" not in page
        assert not Campaign.objects.exists()

    def test_what_is_wrong_with_a_half_written_one_is_said_beside_it(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        made = [attachments.add(f"text {n}".encode(), f"{n}.txt")[0].pk for n in range(4)]
        given = {"application": application.pk, "groups": [group.pk], "text": "", "title": "For {{name"}

        answer = admin_client.post(ESTIMATE, {**given, "attachments": made})

        assert answer.context["forecast"].recipients == 2
        title, files = answer.context["problems"]
        assert "is a merge field that is not closed" in title
        assert "an MMS carries at most 3" in files

    def test_a_launched_one_has_every_campaigns_page(
        self, sandbox: RunningSandbox, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        card = attachments.add(samples.CARD, "ann.vcf")[0]
        campaign = starting.launch(draft(application, group, card).pk)

        answer = admin_client.get(reverse("admin:messaging_mmscampaign_change", args=[campaign.pk]), follow=True)

        assert answer.redirect_chain[0][0] == reverse("admin:messaging_campaign_change", args=[campaign.pk])
        assert "FN:Ann Lee" in answer.content.decode()
        assert admin_client.get(reverse("admin:messaging_mmscampaign_changelist")).status_code == 200

    def test_a_campaigns_permissions_count(self, client: Client) -> None:
        user = User.objects.create_user("staff", is_staff=True)
        client.force_login(user)
        assert client.get(reverse(ADD)).status_code == 403

        user.user_permissions.set(Permission.objects.filter(codename__in=["add_campaign", "view_campaign"]))
        assert client.get(reverse(ADD)).status_code == 200
