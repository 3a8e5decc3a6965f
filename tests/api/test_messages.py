"""Messages from a script: sent once, whatever is repeated, and known by their ids when it is answered."""

import datetime as dt
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, TestCase
from django.utils import timezone

from laaffic_console.api import shapes
from laaffic_console.api.handling import idempotency
from laaffic_console.api.messages import sending
from laaffic_console.api.models import ApiToken, RepeatableRequest
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.ledger import restored
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, Contact, Message, MessageState, SuppressionEntry
from messaging.services.figures import campaign_report
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

NUMBERS = ["+91 98765 43210", "919876543211"]


def body(**changed: Any) -> dict[str, Any]:
    return {"application": "4luaKsL2", "sender_id": "SHOP", "text": "Your code is 1234", "to": NUMBERS, **changed}


@pytest.fixture(autouse=True)
def _application(application: Application) -> None:
    pass


class SendingTests:
    def test_each_message_is_named_when_it_is_answered(self, api: Api) -> None:
        answer = api("POST", "messages", body())

        assert answer.status_code == 202, answer.content
        said = answer.json()
        assert said["id"] == said["campaign"] == Campaign.objects.get().pk
        assert said["state"] == "running"
        assert [one["number"] for one in said["messages"]] == ["919876543210", "919876543211"]
        assert {one["id"] for one in said["messages"]} == set(Message.objects.values_list("pk", flat=True))
        assert "without an Idempotency-Key" in said["note"]

    def test_while_its_application_is_switched_off_nothing_is_kept(self, api: Api, application: Application) -> None:
        Application.objects.filter(pk=application.pk).update(is_active=False)
        refused = api("POST", "messages", body(), Idempotency_Key="k1")
        assert (refused.status_code, Campaign.objects.count()) == (409, 0)
        assert "switched off" in refused.json()["detail"]

        Application.objects.filter(pk=application.pk).update(is_active=True)

        assert api("POST", "messages", body(), Idempotency_Key="k1").status_code == 202

    def test_what_is_no_number_and_who_opted_out_are_left_out_and_told(self, api: Api) -> None:
        SuppressionEntry.objects.create(number="919876543211", channel="sms")
        said = api("POST", "messages", body(to=[*NUMBERS, "12", "919876543210"])).json()

        assert [one["number"] for one in said["messages"]] == ["919876543210"]
        assert said["left_out"] == {
            "suppressed": 1,
            "excluded": 0,
            "invalid": 0,
            "capped": 0,
            "no_consent": 0,
            "duplicates": 1,
        }
        assert [one["position"] for one in said["invalid"]] == [2]

    def test_fields_are_copied_for_the_first_request_alone(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        assert api("POST", "messages", body()).status_code == 202
        copied: list[Any] = []
        monkeypatch.setattr(shapes.MessagesRequest, "get_fields", copied.append)

        assert api("POST", "messages", body(to=["919876543299"])).status_code == 202
        assert "name" in str(api("POST", "messages", body(name="x" * 121)).json())
        assert not copied

    def test_a_text_that_nobody_can_see_is_refused(self, api: Api) -> None:
        answer = api("POST", "messages", body(text="\u3164\u200b"))

        assert (answer.status_code, Campaign.objects.count()) == (400, 0)

    def test_two_thousand_go_in_one_request(self, api: Api) -> None:
        said = api("POST", "messages", body(to=[str(919876500000 + n) for n in range(2000)])).json()

        assert len(said["messages"]) == 2000
        assert Campaign.objects.get().audience == Campaign.Audience.FROZEN

    def test_a_template_is_filled_in(self, api: Api) -> None:
        asked = body(template="Hello {{name}}, {{code}}", values={"name": "Asha", "code": "1"})
        del asked["text"]

        assert api("POST", "messages", asked).status_code == 202
        assert Campaign.objects.get().text == "Hello Asha, 1"

    def test_it_leaves_as_any_campaign_does(
        self, sandbox: RunningSandbox, api_with: Callable[..., Api], run_jobs: Callable[[], int]
    ) -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):
            api = api_with()
            said = api("POST", "messages", body()).json()
        run_jobs()

        report = api("GET", f"campaigns/{said['campaign']}/report").json()
        assert report == json.loads(json.dumps(campaign_report.document(Campaign.objects.get())))
        assert (report["state"], report["total"], report["counts"]["queued"]) == ("finished", 2, 0)

    def test_where_a_second_person_is_needed_the_draft_is_kept(self, api: Api, settings: LazySettings) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
        answers = [api("POST", "messages", body(), Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in answers] == [409, 409]
        draft = Campaign.objects.get()
        assert draft.state == "draft"
        assert answers[1].json()["campaign"] == draft.pk
        assert not Message.objects.exists()

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"to": [str(919800000000 + n) for n in range(10_001)]}, "10,001 numbers are too many"),
            ({"to": []}, "a list of one number or more"),
            ({"to": "919876543210"}, "a list of one number or more"),
            ({"to": [None]}, "is a text of at most 60"),
            ({"to": ["12"]}, "None of these is a valid number"),
            ({"application": "nobody"}, "does not know the appId nobody"),
            ({"text": "hello {{"}, "merge field that is not closed"),
            ({"text": " "}, "Write a text: it is empty."),
            ({"text": "a\0b"}, "Null characters"),
            ({"template": "x"}, "either “text”, or “template”"),
            ({"sender_id": "S" * 33}, "sender_id"),
        ],
    )
    def test_bad_input_is_told_and_makes_nothing(self, api: Api, changed: dict[str, Any], said: str) -> None:
        answer = api("POST", "messages", body(**changed))

        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert said in answer.json()["detail"]
        assert not Campaign.objects.exists()

    @pytest.mark.parametrize(
        "raw",
        [
            '{"application": "4lua',
            "[" * 100_000,
            "",
            "[]",
            "1",
            '"\ud800"'.encode("utf-8", "surrogatepass").decode("latin1"),
        ],
    )
    def test_a_body_that_is_cut_or_no_json_is_refused(self, api: Api, raw: str) -> None:
        assert api("POST", "messages", raw).status_code == 400

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ('"text": "b"', "“text” is given twice in the body"),
            ('"values": {"a": 1, "a": 2}', "“a” is given twice"),
            ('"to": ["+91987650\\ud8000001"]', "an incomplete character"),
            ('"\\udfff": 1', "an incomplete character"),
        ],
    )
    def test_what_can_be_read_in_two_ways_or_by_no_database_is_refused(self, api: Api, changed: str, said: str) -> None:
        asked = body()
        if '"to"' in changed:
            del asked["to"]

        answer = api("POST", "messages", json.dumps(asked).replace("{", "{" + changed + ", ", 1))

        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert not Campaign.objects.exists()

    @pytest.mark.parametrize(("a", "b"), [("{", "{name}"), ("{", "{no name}"), ("{{name", "}}")])
    def test_values_do_not_make_a_field_that_the_template_has_not(self, api: Api, a: str, b: str) -> None:
        """What strangers have typed would read a contact's own values."""
        asked = {**body(), "template": "Code {{a}}{{b}}}", "values": {"a": a, "b": b}}
        del asked["text"]

        answer = api("POST", "messages", asked)

        assert (answer.status_code, Campaign.objects.exists()) == (400, False)
        assert "braces" in answer.json()["detail"] or "{{ or }}" in answer.json()["detail"]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
    def test_any_unicode_is_read(self, api: Api, encoding: str) -> None:
        raw = json.dumps(body(text="José 😀"), ensure_ascii=False).encode(encoding)

        answer = api("POST", "messages", raw)

        assert answer.status_code == 202
        assert Campaign.objects.get().text == "José 😀"

    def test_a_character_of_two_halves_is_whole(self, api: Api) -> None:
        answer = api("POST", "messages", json.dumps(body(text="\U0001f600")))

        assert answer.status_code == 202
        assert Campaign.objects.get().text == "\U0001f600"

    def test_a_compressed_body_is_refused(self, api: Api) -> None:
        answer = api("POST", "messages", json.dumps(body()), Content_Encoding="gzip")

        assert answer.status_code == 415
        assert "compressed" in answer.json()["detail"]


class RepeatingTests:
    def test_the_same_key_and_body_send_once(self, api: Api) -> None:
        answers = [api("POST", "messages", body(), Idempotency_Key="order-7") for _time in range(3)]

        assert [answer.status_code for answer in answers] == [202] * 3
        assert len({answer.content for answer in answers}) == 1
        assert Campaign.objects.count() == 1
        assert Message.objects.count() == 2

    def test_the_same_key_with_another_body_is_refused(self, api: Api) -> None:
        api("POST", "messages", body(), Idempotency_Key="order-7")
        answer = api("POST", "messages", body(text="other"), Idempotency_Key="order-7")

        assert answer.status_code == 409
        assert "another request" in answer.json()["detail"]
        assert Campaign.objects.count() == 1

    def test_who_dies_before_the_commit_leaves_nothing_and_the_next_one_sends(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed within the transaction: its row is there and says that it runs; its campaign is not."""

        class KilledError(BaseException):
            pass

        real, keep = sending.send, RepeatableRequest.objects.filter

        def killed(*args: Any) -> Any:
            real(*args)
            raise KilledError

        monkeypatch.setattr(sending, "send", killed)
        monkeypatch.setattr(idempotency, "_give_back", lambda *args: None)  # a killed process tidies nothing up
        with pytest.raises(KilledError):
            api("POST", "messages", body(), Idempotency_Key="order-7")
        monkeypatch.setattr(sending, "send", real)
        assert not Campaign.objects.exists()

        waits = api("POST", "messages", body(), Idempotency_Key="order-7")
        assert (waits.status_code, waits["Retry-After"]) == (409, "2")
        assert keep().update(held_until=timezone.now()) == 1
        assert api("POST", "messages", body(), Idempotency_Key="order-7").status_code == 202
        assert Campaign.objects.count() == 1

    def test_who_dies_between_commit_and_answer_is_answered_the_same_again(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(answer: Any) -> Any:
            raise ConnectionError("killed")

        real = sending.messages_of
        monkeypatch.setattr(sending, "messages_of", lost)
        failed = api("POST", "messages", body(), Idempotency_Key="order-7")
        assert (failed.status_code, "the same Idempotency-Key" in failed.json()["detail"]) == (500, True)
        monkeypatch.setattr(sending, "messages_of", real)

        answer = api("POST", "messages", body(), Idempotency_Key="order-7")
        assert answer.status_code == 202
        assert len(answer.json()["messages"]) == 2
        assert Campaign.objects.count() == 1

    def test_who_sent_no_key_is_not_told_to_repeat_it(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "messages_of", None)

        failed = api("POST", "messages", body())

        assert failed.status_code == 500
        assert "Look at what is there before you repeat" in failed.json()["detail"]

    def test_another_secret_of_the_same_token_repeats_too(self, api: Api) -> None:
        from laaffic_console.api import tokens

        first = api("POST", "messages", body(), Idempotency_Key="order-7")
        _made, secret = tokens.rotate(ApiToken.objects.get())
        again = Api(secret)("POST", "messages", body(), Idempotency_Key="order-7")

        assert again.content == first.content
        assert Campaign.objects.count() == 1

    @pytest.mark.parametrize("key", ["k" * 300, " ", "ключ"])
    def test_a_key_that_cannot_be_kept_is_refused(self, api: Api, key: str) -> None:
        assert api("POST", "messages", body(), Idempotency_Key=key).status_code == 400
        assert not Campaign.objects.exists()

    def test_what_was_refused_may_be_corrected_under_the_same_key(self, api: Api) -> None:
        assert api("POST", "messages", body(text="{{"), Idempotency_Key="a").status_code == 400
        assert api("POST", "messages", body(), Idempotency_Key="a").status_code == 202

    def test_after_seven_days_a_key_is_new(self, api: Api) -> None:
        api("POST", "messages", body(), Idempotency_Key="a")
        RepeatableRequest.objects.update(created_at=timezone.now() - idempotency.KEPT)

        assert api("POST", "messages", body(text="other"), Idempotency_Key="a").status_code == 202
        assert Campaign.objects.count() == 2
        RepeatableRequest.objects.update(created_at=timezone.now() - idempotency.KEPT)
        assert (idempotency.forget_old(), idempotency.forget_old()) == (1, 0)

    def test_seven_days_begin_anew_where_another_takes_over(self, api: Api) -> None:
        """Its answer would be forgotten a moment later, and what is repeated sent again."""
        api("POST", "messages", body(), Idempotency_Key="a")
        almost = timezone.now() - idempotency.KEPT + dt.timedelta(seconds=30)
        died = {"holder": "dead", "held_until": timezone.now(), "status": None, "answer": ""}
        RepeatableRequest.objects.update(created_at=almost, **died)

        assert api("POST", "messages", body(), Idempotency_Key="a").status_code == 202
        assert RepeatableRequest.objects.get().created_at > timezone.now() - dt.timedelta(minutes=1)

    def test_what_ran_at_a_backup_is_not_done_again_after_its_restore(self, api: Api) -> None:
        """It may have been done a moment after the backup."""
        api("POST", "messages", body(), Idempotency_Key="a")
        api("POST", "messages", body(), Idempotency_Key="b")
        ran = {"holder": "dead", "held_until": timezone.now(), "status": None, "answer": ""}
        RepeatableRequest.objects.filter(key="a").update(**ran)

        restored.put_others_right()

        answer = api("POST", "messages", body(), Idempotency_Key="a")
        assert (answer.status_code, "its outcome is unknown" in answer.json()["detail"]) == (409, True)
        assert api("POST", "messages", body(), Idempotency_Key="b").status_code == 202
        assert Campaign.objects.count() == 2

    def test_no_number_and_no_text_is_kept_with_the_key(self, api: Api) -> None:
        api("POST", "messages", body(), Idempotency_Key="a")

        kept = str(RepeatableRequest.objects.values().get())
        assert "9876543210" not in kept
        assert "1234" not in kept.replace(str(RepeatableRequest.objects.get().digest), "")


class LookingTests:
    def test_one_and_a_page_of_them(self, api: Api) -> None:
        made = api("POST", "messages", body()).json()
        first, second = (one["id"] for one in made["messages"])
        one = api("GET", f"messages/{first}")

        assert one.json()["state"] == "queued"
        assert api("GET", f"messages/{first}", If_None_Match=one["ETag"]).status_code == 304
        page = api("GET", "messages?limit=1").json()
        assert [row["id"] for row in page["items"]] == [second]
        assert [row["id"] for row in api("GET", f"messages?cursor={page['next']}").json()["items"]] == [first]
        found = api("GET", "messages?number=%2B919876543211&state=queued").json()["items"]
        assert [row["id"] for row in found] == [second]

    @pytest.mark.parametrize(
        "path", ["messages/0", "messages/99999999999999999999999", "campaigns/7/report", "nothing", "../v2/x"]
    )
    def test_what_is_not_there_is_a_problem_in_json(self, api: Api, path: str) -> None:
        strict = Client(enforce_csrf_checks=True)
        for answer in (api("GET", path), strict.post(f"/api/v1/{path}/x", headers={"Authorization": "Bearer x"})):
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    @pytest.mark.parametrize("query", ["number=", "cursor=abc", "limit=0", "limit=9999", "state=queued", "campaign=x"])
    def test_a_query_that_cannot_be_answered_is_told(self, api: Api, query: str) -> None:
        assert api("GET", f"messages?{query}").status_code == 400

    def test_numbers_are_masked_for_who_may_not_see_them(self, api: Api, api_with: Callable[..., Api]) -> None:
        from django.contrib.auth.models import Permission

        api("POST", "messages", body())
        viewer = User.objects.create_user("viewer")
        viewer.user_permissions.add(Permission.objects.get(codename="view_message"))
        rows = api_with(user=viewer)("GET", "messages").json()["items"]

        assert [row["number"] for row in rows] == ["9198•••••211", "9198•••••210"]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_send_once(api: Api) -> None:
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(api("POST", "messages", body(), Idempotency_Key="order-7").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _n in range(4)]
    [thread.start() for thread in threads]  # type: ignore[func-returns-value]
    [thread.join() for thread in threads]  # type: ignore[func-returns-value]

    assert set(answers) <= {202, 409}
    assert 202 in answers
    assert Campaign.objects.count() == 1
    assert Message.objects.filter(state=MessageState.QUEUED).count() == 2
    assert not Contact.objects.exists()
