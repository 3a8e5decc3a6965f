"""Campaigns from a script, by the same services as on their pages."""

import datetime as dt
from argparse import ArgumentParser
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.api.shapes import DraftRequest
from laaffic_console.gateway.models import Application, BalanceReading
from messaging.management import draft_arguments
from messaging.models import Calendar, Campaign, Contact, ContactGroup, ListPrice, Message, Reply, SuppressionEntry
from messaging.services.figures import campaign_report
from messaging.services.gates import sending_hours
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

MANY = ("groups", "excluded_groups", "audiences")
DRAFT = {"name": "Spring", "application": "4luaKsL2", "text": "Sale", "groups": ["customers"]}


@pytest.fixture
def draft(api: Api, application: Application, group: ContactGroup) -> int:
    add_contacts(group, 3)
    answer = api("POST", "campaigns", DRAFT)
    assert answer.status_code == 201, answer.content
    pk: int = answer.json()["id"]
    return pk


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((path, name) for path in ("campaigns", "mms", "spoken-messages") for name in MANY),
        ("group-calls", "groups"),
    ],
)
def test_more_names_than_a_statement_takes(api: Api, application: Application, path: str, name: str) -> None:
    asked = DRAFT | {name: [f"group {n}" for n in range(1001)]}

    refused = api("POST", path, asked)

    told = [one for one in refused.json()["errors"] if one["field"] == name]
    assert (refused.status_code, told[0]["detail"][:25]) == (400, "At most 1000 can be named"), refused.content


def test_more_names_in_a_draft_that_is_edited(api: Api, draft: int) -> None:
    asked = {"seen": api("GET", f"campaigns/{draft}").json()["seen"], "groups": ["customers"] * 1001}

    assert api("PATCH", f"campaigns/{draft}", asked).json()["errors"][0]["field"] == "groups"


class LifeTests:
    def test_launched_paused_and_reported(self, api: Api, draft: int) -> None:
        def standing(verb: str) -> str:
            answer = api("POST", f"campaigns/{draft}/{verb}", {} if verb == "launch" else None)
            assert answer.status_code == 200, answer.content
            state: str = answer.json()["state"]
            return state

        assert api("GET", f"campaigns/{draft}").json()["state"] == "draft"
        assert [standing(verb) for verb in ("launch", "launch", "pause", "pause", "resume", "cancel", "cancel")] == [
            *("running", "running", "paused", "paused", "running", "cancelled", "cancelled")
        ]
        report = api("GET", f"campaigns/{draft}/report").json()
        assert report == campaign_report.document(Campaign.objects.get(pk=draft))
        refused = api("POST", f"campaigns/{draft}/pause")
        assert refused.status_code == 409
        assert "cannot be paused" in refused.json()["detail"]
        assert api("GET", f"campaigns/{draft}/check").status_code == 409

    @pytest.mark.parametrize("body", [{}, {"shown": "x"}])
    @pytest.mark.parametrize("state", ["held", "paused", "finished"])
    def test_a_launch_is_repeated_though_it_has_moved_on(
        self, api: Api, draft: int, state: str, body: dict[str, str]
    ) -> None:
        """Its answer was lost: a refusal would be read as if nothing had been sent."""
        assert api("POST", f"campaigns/{draft}/launch", {}).status_code == 200
        Campaign.objects.update(state=state)

        answer = api("POST", f"campaigns/{draft}/launch", body)

        assert (answer.status_code, answer.json()) == (200, {"id": draft, "state": state})

    def test_what_was_cancelled_as_a_draft_is_not_launched(self, api: Api, draft: int) -> None:
        assert api("POST", f"campaigns/{draft}/cancel").status_code == 200

        assert api("POST", f"campaigns/{draft}/launch", {}).status_code == 409

    def test_resumed_before_its_time_it_may_be_resumed_again(self, api: Api, draft: int) -> None:
        Campaign.objects.update(scheduled_at=timezone.now() + dt.timedelta(days=1))

        stands = [
            api("POST", f"campaigns/{draft}/{verb}", {} if verb == "launch" else None).json().get("state")
            for verb in ("launch", "pause", "resume", "resume")
        ]

        assert stands == ["scheduled", "paused", "scheduled", "scheduled"]

    def test_a_latest_end_that_has_come_is_lifted_only_by_name(self, api: Api, draft: int) -> None:
        api("POST", f"campaigns/{draft}/launch", {})
        end = timezone.now() - dt.timedelta(seconds=1)
        Campaign.objects.update(state="held", latest_end=end, hold_reason=sending_hours.after_its_end(end))

        refused = api("POST", f"campaigns/{draft}/resume")
        assert refused.status_code == 409
        assert "“past_end”: true" in refused.json()["detail"]
        assert Campaign.objects.get().latest_end == end

        assert api("POST", f"campaigns/{draft}/resume", {"past_end": True}).json()["state"] == "running"
        assert Campaign.objects.get().latest_end is None

    def test_a_new_cost_is_agreed_to_by_its_amount(self, api: Api, draft: int) -> None:
        ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")
        shown = api("GET", f"campaigns/{draft}/check").json()["shown"]
        api("POST", f"campaigns/{draft}/launch", {"undo_seconds": 60, "shown": shown})
        ListPrice.objects.update(price=Decimal("0.02"))
        Campaign.objects.update(state="held", undo_until=None)

        refused = api("POST", f"campaigns/{draft}/resume", {"cost": {"USD": "0.001"}})
        assert refused.status_code == 409
        assert "0.06 USD now" in refused.json()["detail"]

        assert api("POST", f"campaigns/{draft}/resume", {"cost": {"usd": "0.06"}}).json()["state"] == "running"

    def test_a_moment_long_past_is_not_taken_for_at_once(self, api: Api, draft: int) -> None:
        Campaign.objects.update(scheduled_at=timezone.now() - dt.timedelta(days=365))

        refused = api("POST", f"campaigns/{draft}/launch", {})
        assert (refused.status_code, Campaign.objects.get().state) == (409, "draft")
        assert "This moment has passed" in refused.json()["detail"]

        check = api("GET", f"campaigns/{draft}/check").json()
        seen = {"shown": check["shown"], "seen": [one["key"] for one in check["checks"]]}
        assert "late" in seen["seen"]
        assert api("POST", f"campaigns/{draft}/launch", seen).json()["state"] == "running"

    def test_a_few_minutes_late_it_starts_at_once(self, api: Api, draft: int) -> None:
        Campaign.objects.update(scheduled_at=timezone.now() - dt.timedelta(minutes=2))

        assert api("POST", f"campaigns/{draft}/launch", {}).json()["state"] == "running"

    def test_it_says_when_it_begins(self, api: Api, draft: int) -> None:
        Contact.objects.update(country="IN", time_zones="Asia/Kolkata")
        day = (timezone.now() + dt.timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
        Campaign.objects.update(scheduled_at=day)
        assert api("GET", f"campaigns/{draft}/check").json()["starts_at"] == day.isoformat()

        Campaign.objects.update(calendar=Calendar.objects.create(name="Days", hours="mon-sun 12:00-20:00"))

        opens = (day + dt.timedelta(hours=6, minutes=30)).isoformat()  # noon in India
        assert api("GET", f"campaigns/{draft}/check").json()["starts_at"] == opens

    def test_what_check_shows_is_what_is_launched(self, api: Api, draft: int, group: ContactGroup) -> None:
        shown = api("GET", f"campaigns/{draft}/check").json()
        assert (shown["recipients"], shown["is_counted"]) == (3, True)
        seen = [check["key"] for check in shown["checks"]]

        add_contacts(group, 1, first=919800000000)
        changed = api("POST", f"campaigns/{draft}/launch", {"shown": shown["shown"], "seen": seen})
        assert changed.status_code == 409
        assert "has changed since it was shown" in changed.json()["detail"]
        assert Campaign.objects.get().state == "draft"

        shown = api("GET", f"campaigns/{draft}/check").json()
        answer = api("POST", f"campaigns/{draft}/launch", {"shown": shown["shown"], "seen": seen})
        assert answer.json() == {"id": draft, "state": "running"}

    def test_a_token_of_another_campaign_is_refused(self, api: Api, draft: int) -> None:
        assert api("POST", f"campaigns/{draft}/launch", {"shown": "x"}).status_code == 400

    def test_recipients_page_by_page(self, api: Api, application: Application) -> None:
        numbers = [str(919876500000 + n) for n in range(5)]
        asked = {"application": "4luaKsL2", "text": "hi", "to": numbers}
        pk = api("POST", "messages", asked).json()["campaign"]
        found, cursor = [], ""
        while cursor is not None:
            page = api("GET", f"campaigns/{pk}/recipients?limit=2{cursor and '&cursor=' + cursor}").json()
            found += [row["number"] for row in page["items"]]
            cursor = page["next"]

        assert found == numbers
        assert api("GET", f"campaigns/{pk}/recipients?state=delivered").json()["items"] == []

    @pytest.mark.parametrize("address", ["campaigns/{pk}/recipients", "messages?campaign={pk}"])
    def test_recipients_are_looked_for_where_they_lie(self, api: Api, application: Application, address: str) -> None:
        """And not in the whole table, to its end or from its beginning."""
        asked = {"application": "4luaKsL2", "text": "hi", "to": ["919876500000", "919876500001"]}
        pk = api("POST", "messages", asked).json()["campaign"]
        first, last = Message.objects.order_by("pk").values_list("pk", flat=True)

        with CaptureQueriesContext(connection) as captured:
            found = api("GET", address.format(pk=pk)).json()["items"]

        assert len(found) == 2
        [sql] = [one["sql"] for one in captured if 'ORDER BY "messaging_message"' in one["sql"]]
        assert f'"id" >= {first}' in sql
        assert f'"id" <= {last}' in sql

    def test_a_draft_is_made_once_for_a_key(self, api: Api, application: Application, group: ContactGroup) -> None:
        made = [api("POST", "campaigns", DRAFT, Idempotency_Key="a").json()["id"] for _n in range(2)]

        assert len(set(made)) == Campaign.objects.count() == 1

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"groups": ["nobody"]}, "There is no group “nobody”"),
            ({"to": ["12"]}, "Number 1 of “to” is invalid"),
            ({"name": ""}, "name: This field may not be blank"),
            ({"scheduled_at": "tomorrow"}, "scheduled_at"),
            ({"scheduled_at": "2040-01-01"}, "scheduled_at: A day alone leaves open when"),
            ({"not_after": "2040-01-01"}, "not_after: A day alone leaves open when"),
            ({"rate_per_second": 0}, "rate_per_second"),
            ({"sender_id": "SH\u200bOP"}, "invisible character"),
            ({"sender_id": "SH\nOP"}, "line break"),
        ],
    )
    def test_bad_input_is_told(
        self, api: Api, application: Application, group: ContactGroup, changed: Any, said: str
    ) -> None:
        answer = api("POST", "campaigns", {**DRAFT, **changed})

        assert answer.status_code == 400
        assert said in answer.json()["detail"]

    def test_pausing_wants_scope_and_right(self, api_with: Callable[..., Api], draft: int) -> None:
        viewer = User.objects.create_user("viewer")
        viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "add_campaign"]))

        assert api_with(scopes=["read"])("POST", f"campaigns/{draft}/launch", {}).status_code == 403
        assert api_with(user=viewer)("POST", f"campaigns/{draft}/launch", {}).status_code == 403
        assert Campaign.objects.get().state == "draft"


class OtherTests:
    def test_contacts_and_groups(self, api: Api) -> None:
        assert api("POST", "groups", {"name": "Friends"}).status_code == 201
        assert api("POST", "groups", {"name": "Friends"}).status_code == 400
        asked = {"number": "+91 98765 43210", "name": "Asha", "attributes": {"city": "Pune"}, "group": "Friends"}
        made = api("POST", "contacts", asked)
        assert (made.status_code, made.json()["number"], made.json()["country"]) == (201, "919876543210", "IN")
        api("POST", "contacts", {"number": "919876543210", "email": "a@example.com"})

        contact = Contact.objects.get()
        assert (contact.name, contact.email, contact.attributes) == ("Asha", "a@example.com", {"city": "Pune"})
        assert [row["id"] for row in api("GET", "contacts?group=Friends").json()["items"]] == [contact.pk]
        assert api("GET", f"contacts/{contact.pk}").json()["name"] == "Asha"

    def test_what_a_form_shows_on_one_line_is_kept_so(self, api: Api) -> None:
        asked = {"name": "Mary\nAnn\u2028X", "language": "x\ny", "attributes": {"city": "A\u202eB\u0007"}}
        api("POST", "contacts", {"number": "919876543210", **asked})
        assert api("POST", "groups", {"name": "Two\nlines"}).status_code == 201

        contact = Contact.objects.get()
        assert (contact.name, contact.language, contact.attributes) == ("Mary Ann X", "x y", {"city": "AB"})
        assert ContactGroup.objects.get().name == "Two lines"

    def test_an_accent_is_in_one_piece_with_its_letter(self, api: Api) -> None:
        api(
            "POST",
            "contacts",
            {"number": "919876543210", "name": "Jose\u0301", "attributes": {"city": "Co\u0301rdoba"}},
        )

        contact = Contact.objects.get()
        assert (contact.name, contact.attributes) == ("José", {"city": "Córdoba"})

    @pytest.mark.parametrize(
        ("attributes", "said"),
        [
            ({"a b": "x"}, "not a name of an attribute"),
            ({"number": "000"}, "has a key of its own"),
            ({"city": "x" * 501}, "no more than 500"),
            ({f"a{n}": "x" for n in range(201)}, "at most 200 attributes"),
        ],
    )
    def test_attributes_are_as_an_import_takes_them(self, api: Api, attributes: dict[str, str], said: str) -> None:
        answer = api("POST", "contacts", {"number": "919876543210", "attributes": attributes})

        assert (answer.status_code, Contact.objects.count()) == (400, 0)
        assert said in answer.json()["detail"]

    def test_an_address_is_as_long_as_it_can_be_kept(self, api: Api) -> None:
        email = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com"

        answer = api("POST", "contacts", {"number": "919876543210", "email": email})

        assert (answer.status_code, Contact.objects.count()) == (400, 0)

    def test_the_suppression_list(self, api: Api) -> None:
        said = api("POST", "suppression", {"to": ["919876543210", "x"], "channel": "sms"}).json()

        assert (said["added"], said["already_there"], [one["position"] for one in said["invalid"]]) == (1, 0, [1])
        assert SuppressionEntry.objects.get().number == "919876543210"
        assert len(api("GET", "suppression?number=919876543210").json()["items"]) == 1

    def test_replies_balance_and_health(self, api: Api) -> None:
        assert api("GET", "balance").json() == {"at": None, "balance": None, "currency": ""}
        from django.utils import timezone

        now = timezone.now()
        BalanceReading.objects.create(at=now, balance="12.5", currency="USD")
        Reply.objects.create(key="k", number="919876543210", content="yes", at=now, received_at=now, source="push")

        assert api("GET", "balance").json()["balance"] == "12.500000"
        assert [row["text"] for row in api("GET", "replies").json()["items"]] == ["yes"]
        assert api("GET", "health").json()["status"] == "not ready"


AS_ASKED = {
    "app": "application",
    "group": "groups",
    "audience": "audiences",
    "exclude_group": "excluded_groups",
    "rate": "rate_per_second",
    "transactional": "purpose",
    "marketing": "purpose",
}  # {an option of `campaign create`: the key of a request}


class CareTests:
    def test_a_draft_takes_what_the_command_takes(self) -> None:
        parser = ArgumentParser()
        draft_arguments.add(parser)
        taken = {action.dest for action in parser._actions} - {"help", "json"}

        assert {AS_ASKED.get(name, name) for name in taken} <= set(DraftRequest().fields) | {"application"}

    @pytest.mark.parametrize("path", ["campaigns", "spoken-messages"])
    def test_careful_ones_are_kept_and_shown(
        self, api: Api, application: Application, group: ContactGroup, path: str
    ) -> None:
        Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00")
        Application.objects.create(app_id="voiceApp", channel="voice")
        care = {
            "purpose": "marketing",
            "calendar": "Days",
            "not_after": "2027-05-01T10:00:00+00:00",
            "local_time": "2027-04-01 09:00",
            "canary": "1%",
            "canary_wait": 30,
            "canary_least": 90,
        }
        own = {"application": "voiceApp", "language": "EN"} if path == "spoken-messages" else {}

        answer = api("POST", path, {**DRAFT, **own, **care})

        assert answer.status_code == 201, answer.content
        shown = {name: answer.json()[name] for name in care if not name.startswith("canary_")}
        assert shown == {name: value for name, value in care.items() if not name.startswith("canary_")}
        draft = Campaign.objects.get()
        assert (draft.canary_wait, draft.canary_least) == (30, 90)
        assert api("GET", f"campaigns/{draft.pk}").json()["calendar"] == "Days"

    def test_marketing_reaches_only_who_has_agreed(
        self, api: Api, application: Application, group: ContactGroup, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
        body = {"application": "4luaKsL2", "text": "Sale", "to": ["+919876543210"], "purpose": "marketing"}

        answer = api("POST", "messages", body, Idempotency_Key="sale").json()

        assert answer["left_out"]["no_consent"] == 1
        assert answer["messages"] == []

    @pytest.mark.parametrize(
        ("care", "says"),
        [
            ({"canary_wait": 30}, "belongs to “canary”"),
            ({"canary": "many"}, "canary"),
            ({"local_time": "tomorrow"}, "local_time"),
            ({"scheduled_at": "2027-04-01T09:00:00Z", "not_after": "2027-03-01T00:00:00Z"}, "not_after"),
            ({"purpose": "fun"}, "purpose"),
            ({"calendar": "Nights"}, "Nights"),
        ],
    )
    def test_what_is_wrong_names_its_key(
        self, api: Api, application: Application, group: ContactGroup, care: dict[str, Any], says: str
    ) -> None:
        answer = api("POST", "campaigns", {**DRAFT, **care})

        assert answer.status_code == 400, answer.content
        assert says in answer.content.decode()
        assert not Campaign.objects.exists()
