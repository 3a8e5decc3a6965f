"""Campaigns side by side: from tallies, the best and the worst in a word, and a sentence for what makes no sense."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from messaging.admin.campaigns import campaign_comparison
from messaging.models import (
    ActivityTally,
    Campaign,
    CampaignState,
    DeliveryTimeTally,
    MessageState,
    Reply,
    SentTally,
)
from messaging.services.figures import comparing
from tests.messaging.campaigns.test_recipient_exports import AT, add_campaign

pytestmark = pytest.mark.django_db

PAGE = "/admin/messaging/campaign/compare/"
LIST = "/admin/messaging/campaign/"


def sent(
    application: Application, delivered: int, undelivered: int, currency: str = "USD", bucket: int = 5
) -> Campaign:
    campaign = add_campaign(application)
    ends = {"first_sent_at": AT, "finished_at": AT + dt.timedelta(seconds=100), "total": delivered + undelivered + 1}
    Campaign.objects.filter(pk=campaign.pk).update(**ends)
    told: list[tuple[int, str, int, int]] = [
        (MessageState.DELIVERED, "", delivered, 2_000_000 * delivered),
        (MessageState.UNDELIVERED, "absent", undelivered, 0),
        (MessageState.UNKNOWN, "", 1, 0),
    ]
    for state, reason, n, micros in told:
        SentTally.objects.create(
            hour=AT,
            campaign=campaign,
            state=state,
            reason=reason,
            currency=currency if micros else "",
            messages=n,
            billed_segments=n if micros else 0,
            pay_micros=micros,
        )
    DeliveryTimeTally.objects.create(hour=AT, campaign=campaign, bucket=bucket, messages=delivered)
    return campaign


def cells(compared: list[comparing.Compared]) -> dict[str, list[tuple[list[str], str]]]:
    return {
        str(row.label): [(cell.lines, cell.mark) for cell in row.cells] for row in campaign_comparison.rows(compared)
    }


class CancelledTests:
    """Cancelling says nothing of when the last message left, and reports come for days."""

    def cancelled(self, application: Application) -> Campaign:
        campaign = sent(application, 90, 10)
        Campaign.objects.filter(pk=campaign.pk).update(finished_at=None, state=CampaignState.CANCELLED)
        return campaign

    def test_it_took_until_its_last_message_was_accepted(self, application: Application) -> None:
        campaign = self.cancelled(application)
        for minutes, state in ((2, MessageState.ACCEPTED), (300, MessageState.DELIVERED)):
            at = AT + dt.timedelta(minutes=minutes)
            ActivityTally.objects.create(campaign=campaign, minute=at, state=state, messages=5)

        [one] = comparing.of([campaign.pk])

        assert one.seconds == 180
        assert cells([one, one])["Took"][0][0] == ["3 min"]

    def test_where_that_is_not_known_it_says_nothing(self, application: Application) -> None:
        [one] = comparing.of([self.cancelled(application).pk])

        assert (one.seconds, one.rate) == (None, None)


class FiguresTests:
    def test_each_row_says_which_is_best_and_which_is_worst(self, application: Application) -> None:
        good, bad, idle = sent(application, 90, 10), sent(application, 50, 50, bucket=9), add_campaign(application)
        for number, opt_out in (("1", ""), ("2", "STOP")):
            Reply.objects.create(key=number, number=number, at=AT, received_at=AT, campaign=good, opt_out=opt_out)

        found = cells(comparing.of([bad.pk, good.pk, idle.pk]))

        assert found["Recipients"] == [(["101"], ""), (["101"], ""), (["0"], "")]
        assert found["Delivered"] == [(["50.0%", "50"], "worst"), (["90.0%", "90"], "best"), (["0"], "")]
        assert found["Failed"] == [(["49.5%", "50"], "worst"), (["9.9%", "10"], "best"), (["0"], "")]
        assert found["Failed by reason"] == [(["absent: 50"], ""), (["absent: 10"], ""), ([], "")]
        assert found["Cost"] == [(["100.00 USD"], ""), (["180.00 USD"], ""), ([], "")]
        assert found["Cost per delivered"] == [(["2.00 USD"], ""), (["2.00 USD"], ""), ([], "")]  # the same is neither
        assert found["Half delivered within"] == [(["30 s"], "worst"), (["7 s"], "best"), ([], "")]
        assert found["Replies"] == [(["0.00%", "0"], "worst"), (["2.22%", "2"], "best"), (["0"], "")]
        assert found["Opt-outs"] == [(["0.00%", "0"], "best"), (["1.11%", "1"], "worst"), (["0"], "")]
        assert found["Messages a second"] == [(["1"], ""), (["1"], ""), ([], "")]
        assert found["Took"] == [(["2 min"], ""), (["2 min"], ""), ([], "")]

    def test_amounts_of_two_currencies_are_not_compared(self, application: Application) -> None:
        compared = comparing.of([sent(application, 9, 1).pk, sent(application, 9, 1, currency="EUR").pk])

        assert comparing.prices(compared) == [None, None]
        assert [one.price for one in compared] == [("USD", Decimal(2)), ("EUR", Decimal(2))]

    def test_there_are_as_many_queries_for_five_as_for_two(self, application: Application) -> None:
        five = [sent(application, 5, 5).pk for _one in range(5)]

        asked = []
        for ids in (five[:2], five):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                comparing.of(ids)
            asked.append(len(queries))

        assert asked[0] == asked[1] <= 6
        assert not any('"messaging_message"' in query["sql"] for query in queries.captured_queries)


class PageTests:
    @pytest.mark.parametrize(
        ("ids", "sentence"),
        [
            ("", "at least two"),
            ("1", "at least two"),
            ("1,1", "at least two"),
            ("1,2,3,4,5,6", "At most five"),
            ("1,-2", "“-2” is not the number of a campaign"),
            ("1,<b>x", "“&lt;b&gt;x” is not the number of a campaign"),
            ("1,9999999999999999999", "is not the number of a campaign"),
            ("1,²", "is not the number of a campaign"),
            ("999999,888888", "There is no campaign 999999, 888888"),
        ],
    )
    def test_what_cannot_be_compared_is_said_in_a_sentence(self, admin_client: Client, ids: str, sentence: str) -> None:
        answer = admin_client.get(PAGE, {"ids": ids}, follow=True)

        assert answer.redirect_chain == [(LIST, 302)]
        assert sentence in answer.content.decode()

    def test_the_ticked_ones_of_the_list_are_compared(self, admin_client: Client, application: Application) -> None:
        ticked = [sent(application, 9, 1), sent(application, 5, 5)]
        Campaign.objects.filter(pk=ticked[0].pk).update(name="<i>Spring</i>")
        chosen: dict[str, Any] = {"action": "compare", "_selected_action": [one.pk for one in ticked]}

        page = admin_client.post(LIST, chosen, follow=True)

        assert page.redirect_chain == [(f"{PAGE}?ids={ticked[0].pk},{ticked[1].pk}", 302)]
        shown = page.content.decode()
        assert "&lt;i&gt;Spring&lt;/i&gt;" in shown
        assert '<strong class="c-mark best">best</strong>' in shown

    def test_it_is_for_who_sees_campaigns(self, client: Client, application: Application) -> None:
        client.force_login(User.objects.create_user("nobody", is_staff=True))

        assert client.get(PAGE, {"ids": "1,2"}).status_code == 403
