"""Email and MMS campaigns from a script, by the same services as on their pages."""

import datetime as dt
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Calendar, Campaign, ContactGroup, EmailCampaign, EmailMessage, MmsAttachment
from messaging.models.emails import Delivery, Submission
from messaging.services.email import counting as email_counting
from messaging.services.gates import sending_hours
from tests.api.conftest import Api
from tests.api.files import sent
from tests.messaging.conftest import add_contacts, point_at
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = {
    "application": "fKFtblIy",
    "from_address": "shop@example.com",
    "receiver_id": "12",
    "template_id": "34",
    "subject": "Spring",
}


@pytest.fixture
def mail_app(db: None, settings: LazySettings) -> Application:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    return Application.objects.create(app_id="fKFtblIy", channel="email")


class EmailTests:
    DAY = f"{timezone.localdate() + dt.timedelta(days=60)}"

    def test_drafted_checked_launched_and_cancelled(self, api: Api, mail_app: Application) -> None:
        made = api("POST", "email-campaigns", MAIL, Idempotency_Key="a")
        assert (made.status_code, made.json()["state"], made.json()["name"]) == (201, "draft", "Spring"), made.content
        pk = made.json()["id"]
        check = api("GET", f"email-campaigns/{pk}/check").json()
        assert dt.datetime.fromisoformat(check["starts_at"]) <= timezone.now()  # at once: it has no hours
        seen = {"shown": check["shown"], "seen": [one["key"] for one in check["checks"]]}

        launched = [api("POST", f"email-campaigns/{pk}/launch", seen, Idempotency_Key=key) for key in ("b", "b", "c")]
        assert [answer.json() for answer in launched] == [{"id": pk, "state": "sending"}] * 3
        assert [api("POST", f"email-campaigns/{pk}/cancel").json()["state"] for _time in range(2)] == ["cancelled"] * 2
        assert api("GET", f"email-campaigns/{pk}/check").status_code == 409
        assert api("POST", f"email-campaigns/{pk}/resume").status_code == 409
        assert [row["id"] for row in api("GET", "email-campaigns?state=cancelled").json()["items"]] == [pk]

    def test_a_moment_long_past_is_not_taken_for_at_once(self, api: Api, mail_app: Application) -> None:
        pk = api("POST", "email-campaigns", {**MAIL, "scheduled_at": "2020-01-01T09:00:00Z"}).json()["id"]

        refused = api("POST", f"email-campaigns/{pk}/launch", {})

        assert (refused.status_code, EmailCampaign.objects.get().state) == (409, "draft")
        assert "This moment has passed" in refused.json()["detail"]

    def test_a_latest_end_that_has_come_is_lifted_only_by_name(self, api: Api, mail_app: Application) -> None:
        pk = api("POST", "email-campaigns", MAIL).json()["id"]
        api("POST", f"email-campaigns/{pk}/launch", {})
        end = timezone.now() - dt.timedelta(seconds=1)
        EmailCampaign.objects.update(state="held", latest_end=end, hold_reason=sending_hours.after_its_end(end))

        refused = api("POST", f"email-campaigns/{pk}/resume")
        assert refused.status_code == 409
        assert "“past_end”: true" in refused.json()["detail"]

        assert api("POST", f"email-campaigns/{pk}/resume", {"past_end": True}).json()["state"] == "sending"

    @pytest.mark.parametrize("state", ["held", "unknown", "finished"])
    def test_a_launch_is_repeated_though_it_has_moved_on(self, api: Api, mail_app: Application, state: str) -> None:
        pk = api("POST", "email-campaigns", MAIL).json()["id"]
        assert api("POST", f"email-campaigns/{pk}/launch", {}).status_code == 200
        EmailCampaign.objects.update(state=state)

        answer = api("POST", f"email-campaigns/{pk}/launch", {})

        assert (answer.status_code, answer.json()) == (200, {"id": pk, "state": state})

    def test_what_was_changed_since_is_not_launched(self, api: Api, mail_app: Application) -> None:
        pk = api("POST", "email-campaigns", MAIL).json()["id"]
        shown = api("GET", f"email-campaigns/{pk}/check").json()["shown"]
        EmailCampaign.objects.update(subject="Other")

        assert api("POST", f"email-campaigns/{pk}/launch", {"shown": shown}).status_code == 409
        assert EmailCampaign.objects.get().state == "draft"

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"from_address": "nobody"}, "is not an email address"),
            ({"subject": "a\nb"}, "one line"),
            ({"receiver_id": "1 2"}, "no spaces"),
            ({"application": "nobody"}, "--channel email"),
            ({"ad_flag": 7}, "ad_flag"),
            ({"calendar": "No such"}, "There is no calendar"),
            ({"purpose": "fun"}, "purpose"),
        ],
    )
    def test_bad_input_is_told(self, api: Api, mail_app: Application, changed: dict[str, Any], said: str) -> None:
        answer = api("POST", "email-campaigns", {**MAIL, **changed})

        assert answer.status_code == 400
        assert said in str(answer.json())
        assert not EmailCampaign.objects.exists()

    def test_hours_and_purpose(self, api: Api, mail_app: Application, settings: LazySettings) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
        Calendar.objects.create(name="Days", hours="mon-sun 00:00-24:00")
        care = {"calendar": "Days", "not_after": f"{self.DAY}T10:00:00Z", "purpose": "marketing"}
        made = api("POST", "email-campaigns", MAIL | care).json()
        vouched = api("POST", "email-campaigns", MAIL | care | {"consent_known_by": "a form"}).json()

        assert {name: made[name] for name in care} == care | {"not_after": made["not_after"]}
        assert made["not_after"].startswith(f"{self.DAY}T10:00")
        keys = [
            {one["key"] for one in api("GET", f"email-campaigns/{one['id']}/check").json()["checks"]}
            for one in (made, vouched)
        ]
        assert ["consent" in found for found in keys] == [True, False]
        assert api("POST", f"email-campaigns/{made['id']}/launch", {}).status_code == 409
        report = api("GET", f"email-campaigns/{vouched['id']}/report").json()
        assert (report["purpose"], report["consent_known_by"]) == ("marketing", "a form")

    def test_it_cannot_end_before_it_starts(self, api: Api, mail_app: Application) -> None:
        times = {"scheduled_at": f"{self.DAY}T10:00:01Z", "not_after": f"{self.DAY}T10:00:00Z"}

        answer = api("POST", "email-campaigns", MAIL | times)

        assert answer.status_code == 400
        assert [one["field"] for one in answer.json()["errors"]] == ["not_after"]

    def test_its_report_and_its_recipients(self, api: Api, mail_app: Application) -> None:
        pk = api("POST", "email-campaigns", MAIL).json()["id"]
        campaign = EmailCampaign.objects.get(pk=pk)
        told = {"campaign": campaign, "told_at": timezone.now(), "submission": Submission.SUBMITTED}
        EmailMessage.objects.create(key="1", address="ann@example.com", delivery=Delivery.DELIVERED, **told)
        EmailMessage.objects.create(key="2", address="bob@example.com", delivery=Delivery.PENDING, **told)

        assert api("GET", f"email-campaigns/{pk}/report").json() == email_counting.report(campaign)
        [row] = api("GET", f"email-campaigns/{pk}/recipients?delivery=delivered").json()["items"]
        assert (row["address"], row["submission"]) == ("ann@example.com", "submitted")
        assert api("GET", "email-choices?kind=template").json()["items"] == []


class MmsTests:
    @pytest.fixture
    def api(self, api: Api, sandbox: RunningSandbox, settings: LazySettings) -> Api:
        point_at(settings, sandbox)
        return api

    def test_a_file_is_kept_once_and_uploaded_once(self, api: Api) -> None:
        made = [sent(api, "attachments", "beach.png", samples.picture()) for _time in range(2)]
        assert [answer.status_code for answer in made] == [201, 200], made[0].content
        pk = MmsAttachment.objects.get().pk

        up = [api("POST", f"attachments/{pk}/upload", Idempotency_Key="a") for _time in range(2)]
        assert [answer.status_code for answer in up] == [200, 200], up[0].content
        assert up[0].json()["gateway_id"] == up[1].json()["gateway_id"] != ""
        assert LedgerEntry.objects.count() == 1
        assert api("GET", f"attachments/{pk}").json()["type"] == "png"

    def test_a_lost_answer_is_told_to_be_repeated(self, api: Api, sandbox: RunningSandbox) -> None:
        pk = sent(api, "attachments", "beach.png", samples.picture()).json()["id"]
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=3)
        answer = api("POST", f"attachments/{pk}/upload", Idempotency_Key="a")

        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert api("POST", f"attachments/{pk}/upload", Idempotency_Key="a").status_code == 200

    @pytest.mark.parametrize("content", [b"", b"MZ", b"x" * 60_000])
    def test_an_unfit_file_is_refused(self, api: Api, content: bytes) -> None:
        assert sent(api, "attachments", "x.svg", content).status_code == 400
        assert not MmsAttachment.objects.exists()

    def test_a_file_that_is_too_large_is_told_its_size(self, api: Api) -> None:
        refused = sent(api, "attachments", "x.png", bytes(3 * 1024 * 1024))

        assert (refused.status_code, "The file has 3,072.0 KB" in refused.json()["detail"]) == (400, True)

    def test_a_draft_that_is_launched_as_any_campaign(
        self, api: Api, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        pk = sent(api, "attachments", "beach.png", samples.picture()).json()["id"]
        asked = {"name": "Beach", "application": "4luaKsL2", "title": "Hi", "text": "Look", "groups": ["customers"]}
        made = api("POST", "mms", {**asked, "attachments": [pk]}, Idempotency_Key="a")

        assert (made.status_code, made.json()["channel"]) == (201, "mms"), made.content
        assert api("POST", f"campaigns/{made.json()['id']}/launch", {}).json()["state"] == "running"
        refused = api("POST", "mms", {**asked, "attachments": [pk + 1]})
        assert refused.status_code == 400
        assert Campaign.objects.count() == 1

    @pytest.mark.parametrize(("title", "status"), [("Hello " + "{{name}}" * 10, 201), ("x" * 81, 400), ("", 400)])
    def test_a_title_is_counted_with_its_fields_empty(
        self, api: Api, application: Application, group: ContactGroup, title: str, status: int
    ) -> None:
        pk = sent(api, "attachments", "beach.png", samples.picture()).json()["id"]
        asked = {"name": "Beach", "application": "4luaKsL2", "title": title, "text": "Look", "groups": ["customers"]}

        answer = api("POST", "mms", {**asked, "attachments": [pk]})

        assert answer.status_code == status, answer.content
        assert Campaign.objects.count() == (status == 201)
        assert status == 201 or "title" in str(answer.json()["errors"])
