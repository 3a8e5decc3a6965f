"""A step whose request died behind it: repeated by its key it is not taken again, for somebody may have undone it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from laaffic_console.api.handling import idempotency
from laaffic_console.api.models import ApiToken, RepeatableRequest
from laaffic_console.gateway.models import Application
from messaging.models import Approval, Campaign, Contact, ContactGroup, EmailCampaign, HoldKind, MmsAttachment
from messaging.services.campaigns import campaigns, starting, states
from messaging.services.email import starting as email_starting
from tests.api.conftest import Killed
from tests.api.email.test_email_acts import drafted
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

DRAFT = {"name": "Spring", "application": "4luaKsL2", "text": "Sale", "groups": ["customers"]}
LATER = "2040-01-01T00:00:00Z"
Api = Callable[..., Any]


@pytest.fixture
def draft(api: Api, application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 3)
    return Campaign.objects.get(pk=api("POST", "campaigns", DRAFT).json()["id"])


def state_of(draft: Campaign | EmailCampaign) -> str:
    draft.refresh_from_db()
    return draft.state


class CampaignTests:
    @pytest.mark.parametrize("is_sealed", [False, True], ids=["blindly", "as shown"])
    def test_a_launch_that_was_taken_back(
        self, api: Api, dies: Callable[..., None], draft: Campaign, person: User, is_sealed: bool
    ) -> None:
        body: dict[str, Any] = {"undo_seconds": 60}
        if is_sealed:
            shown = api("GET", f"campaigns/{draft.pk}/check").json()
            body |= {"shown": shown["shown"], "seen": [check["key"] for check in shown["checks"]]}
        dies("POST", f"campaigns/{draft.pk}/launch", body)
        starting.take_back(draft.pk, by=person)

        answers = [api("POST", f"campaigns/{draft.pk}/launch", body, idempotency_key="k") for _n in range(2)]

        assert [(one.status_code, one.json()) for one in answers] == [(200, {"id": draft.pk, "state": "draft"})] * 2
        assert state_of(draft) == "draft"

    def test_a_resume_after_which_the_console_held_it(
        self, api: Api, dies: Callable[..., None], draft: Campaign
    ) -> None:
        api("POST", f"campaigns/{draft.pk}/launch", {})
        campaigns.pause(draft.pk)
        dies("POST", f"campaigns/{draft.pk}/resume", {})
        states.hold(draft.pk, "500 recipients were rejected.", HoldKind.OTHER)

        answer = api("POST", f"campaigns/{draft.pk}/resume", {}, idempotency_key="k")

        assert (answer.status_code, answer.json()["state"], state_of(draft)) == (200, "held", "held")

    def test_one_that_is_over_by_then_is_no_fault(self, api: Api, dies: Callable[..., None], draft: Campaign) -> None:
        api("POST", f"campaigns/{draft.pk}/launch", {})
        campaigns.pause(draft.pk)
        dies("POST", f"campaigns/{draft.pk}/resume", {})
        Campaign.objects.update(state="finished")

        answer = api("POST", f"campaigns/{draft.pk}/resume", {}, idempotency_key="k")

        assert (answer.status_code, answer.json()["state"]) == (200, "finished")

    def test_a_take_back_after_which_it_was_launched_again(
        self, api: Api, dies: Callable[..., None], draft: Campaign, person: User
    ) -> None:
        Campaign.objects.update(scheduled_at=LATER)
        api("POST", f"campaigns/{draft.pk}/launch", {})
        dies("POST", f"campaigns/{draft.pk}/take-back")
        starting.launch(draft.pk, by=person)

        answer = api("POST", f"campaigns/{draft.pk}/take-back", idempotency_key="k")

        assert (answer.status_code, answer.json()["state"], state_of(draft)) == (200, "scheduled", "scheduled")

    def test_one_that_died_before_its_step_is_taken(self, api: Api, draft: Campaign, monkeypatch: Any) -> None:
        def kill(*_args: Any, **_given: Any) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(starting, "launch", kill)
            patch.setattr(idempotency, "_give_back", lambda *_args, **_given: None)
            with pytest.raises(Killed):
                api("POST", f"campaigns/{draft.pk}/launch", {}, idempotency_key="k")
        RepeatableRequest.objects.update(held_until=timezone.now() - dt.timedelta(seconds=5))

        answer = api("POST", f"campaigns/{draft.pk}/launch", {}, idempotency_key="k")

        assert (answer.status_code, answer.json()["state"]) == (200, "running")


class AtOnceTests:
    """Two people press the same button: both are told that it is done, and it is done once."""

    @pytest.mark.parametrize("headers", [{}, {"idempotency_key": "second"}], ids=["without a key", "with a key"])
    @pytest.mark.parametrize(
        ("before", "step", "state"),
        [
            ([], "pause", "paused"),
            (["pause"], "resume", "running"),
            ([], "cancel", "cancelled"),
            (["take-back", "launch"], "take-back", "draft"),
        ],
    )
    def test_a_step_of_a_campaign(
        self,
        api: Api,
        beside: Callable[..., list[Any]],
        draft: Campaign,
        before: list[str],
        step: str,
        state: str,
        headers: dict[str, str],
    ) -> None:
        for earlier in ["launch", *before]:
            assert api("POST", f"campaigns/{draft.pk}/{earlier}", {"undo_seconds": 60} if earlier == "launch" else None)
        events = draft.events.count()

        answers = beside("POST", f"campaigns/{draft.pk}/{step}", None, **headers)

        expected = (200, {"id": draft.pk, "state": state})
        assert [(one.status_code, one.json()) for one in answers] == [expected, expected]
        assert draft.events.count() == events + 1

    def test_an_approval_that_is_asked_for_and_withdrawn(
        self, api: Api, beside: Callable[..., list[Any]], draft: Campaign, settings: Any
    ) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 2
        api("POST", f"campaigns/{draft.pk}/approval/ask", {})

        answers = beside("POST", f"campaigns/{draft.pk}/approval/withdraw", {})

        assert [(one.status_code, one.json()["outcome"]) for one in answers] == [(200, "withdrawn")] * 2

    def test_what_cannot_be_done_is_refused_as_ever(
        self, api: Api, beside: Callable[..., list[Any]], draft: Campaign
    ) -> None:
        answers = beside("POST", f"campaigns/{draft.pk}/pause", None)

        assert [one.status_code for one in answers] == [409, 409]


def test_a_launch_of_emails_that_was_taken_back(
    api: Api, dies: Callable[..., None], person: User, settings: Any
) -> None:
    settings.LAAFFIC_PUSH_TOKENS, settings.CONSOLE_URL = ["a-token-that-nobody-guesses"], "http://127.0.0.1:9"
    Application.objects.create(app_id="fKFtblIy", channel="email")
    mail = EmailCampaign.objects.get(pk=drafted(api))
    dies("POST", f"email-campaigns/{mail.pk}/launch", {"undo_seconds": 60})
    email_starting.take_back(mail.pk, by=person)

    answer = api("POST", f"email-campaigns/{mail.pk}/launch", {"undo_seconds": 60}, idempotency_key="k")

    assert (answer.status_code, answer.json()["state"], state_of(mail)) == (200, "draft", "draft")


def test_an_approval_that_was_withdrawn(api: Api, dies: Callable[..., None], draft: Campaign, settings: Any) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2
    dies("POST", f"campaigns/{draft.pk}/approval/ask", {})
    api("POST", f"campaigns/{draft.pk}/approval/withdraw", {})

    answer = api("POST", f"campaigns/{draft.pk}/approval/ask", {}, idempotency_key="k")

    assert (answer.status_code, answer.json()["outcome"]) == (200, "withdrawn")
    assert Approval.objects.count() == 1


def test_a_file_that_is_deleted(api: Api, dies: Callable[..., None]) -> None:
    file = MmsAttachment.objects.create(name="a.png", content=b"1", size=1, digest="d", file_type="png")
    dies("DELETE", f"attachments/{file.pk}")

    answers = [api("DELETE", f"attachments/{file.pk}", idempotency_key="k") for _n in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]


def test_a_token_that_is_revoked_while_its_step_is_taken_has_taken_it(
    api: Api, draft: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 says that nothing was done."""
    launch = starting.launch

    def revoked_behind_it(*args: Any, **given: Any) -> Campaign:
        launched = launch(*args, **given)
        ApiToken.objects.update(revoked_at=timezone.now())
        return launched

    monkeypatch.setattr(starting, "launch", revoked_behind_it)

    answer = api("POST", f"campaigns/{draft.pk}/launch", {}, idempotency_key="k")

    assert (answer.status_code, answer.json()["state"]) == (200, "running")
    assert api("GET", f"campaigns/{draft.pk}").status_code == 401


def test_what_was_deleted_since_was_made_all_the_same(api: Api) -> None:
    made = api("POST", "contacts", {"number": "+919876543210"}, idempotency_key="k")
    api("DELETE", f"contacts/{made.json()['id']}")

    again = api("POST", "contacts", {"number": "+919876543210"}, idempotency_key="k")

    assert (again.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert "deleted since" in again.json()["note"]
    assert not Contact.objects.exists()


def test_what_was_launched_and_deleted_since_was_launched_all_the_same(api: Api, draft: Campaign, person: User) -> None:
    launched = api("POST", f"campaigns/{draft.pk}/launch", {"undo_seconds": 60}, idempotency_key="k")
    api("POST", f"campaigns/{draft.pk}/take-back")
    api("DELETE", f"campaigns/{draft.pk}")

    again = api("POST", f"campaigns/{draft.pk}/launch", {"undo_seconds": 60}, idempotency_key="k")

    assert not Campaign.objects.exists()
    assert (again.status_code, again.json()) == (200, launched.json())
