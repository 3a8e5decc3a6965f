"""Segments of messages that something else than their answer has spoken for: each is counted, and once."""

import importlib
from collections.abc import Sequence

import pytest
from django.apps import apps
from django.conf import LazySettings, settings

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import OutcomeUnknown, SendResult, parse_sms_reports
from messaging.models import Batch, BatchState, Campaign, ContactGroup, EarlierAttempt, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling
from messaging.services.campaigns import campaigns, drafts, resolving, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.reports import reports
from messaging.services.tallies import counting
from messaging.wire.order_ids import order_id
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

LONG = 50 * " and on"
SAID = {"fields": "Hello {{first_name|you}}" + LONG, "no fields": "Hello" + LONG}  # three segments each
OF_TWO_LENGTHS = "Hello {{first_name|you}}"
DELIVERED, PENDING = 0, 1


@pytest.fixture(params=SAID)
def claim(
    request: pytest.FixtureRequest, application: Application, group: ContactGroup, settings: LazySettings
) -> Claim:
    return claim_of(application, group, settings, SAID[request.param])


def claim_of(application: Application, group: ContactGroup, settings: LazySettings, text: str) -> Claim:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    add_contacts(group, 10)
    campaign = drafts.create(name="A", application=application, sender_id="", text=text, groups=[group])
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    return claimed()


def the_campaign() -> Campaign:
    return Campaign.objects.select_related("application").get()


def claimed() -> Claim:
    found = claiming.claim(the_campaign(), "token")
    assert isinstance(found, Claim)
    ledger.depart(found.entry_id)
    return found


def lose(claim: Claim) -> None:
    failed_requests.settle_error(the_campaign().pk, claim, OutcomeUnknown("timeout", interface="sendSms"))


def answer_to(claim: Claim, left_out: int = 0) -> SendResult:
    """The last are left out."""
    ids: list[str | None] = [f"9{pk}" for pk in claim.message_ids]
    ids[len(ids) - left_out :] = [None] * left_out
    return SendResult(ids, [], len(ids) - left_out, left_out)


def report(pks: Sequence[int], status: int = DELIVERED, attempt: int = 1, **also: object) -> None:
    numbers = dict(Message.objects.filter(pk__in=pks).values_list("pk", "number"))
    prefix = settings.LAAFFIC_ORDER_PREFIX
    pushed = [
        {"msgid": f"9{pk}", "status": status, "orderId": order_id(prefix, pk, attempt), "mobile": numbers[pk], **also}
        for pk in pks
    ]
    assert all(reports.apply([one for body in pushed for one in parse_sms_reports(body).reports]))


def counted() -> int:
    """What the campaign says, when it is proved."""
    answers.write_all(Batch.objects.all())
    proved = proving.prove(the_campaign())
    said = counting.segments_sent(the_campaign())
    assert (proved["disagreements"], proved["segments"]) == ([], said)
    return said


@pytest.mark.parametrize("status", [DELIVERED, PENDING])
def test_of_what_reports_say_after_a_lost_answer(claim: Claim, status: int) -> None:
    lose(claim)
    assert counted() == 0

    report(claim.message_ids[:4], status)
    report(claim.message_ids[:4])

    assert counted() == 12
    assert set(Message.objects.filter(pk__in=claim.message_ids[:4]).values_list("segments", flat=True)) == {3}


def test_a_late_answer_counts_the_others(claim: Claim) -> None:
    lose(claim)
    report(claim.message_ids[:4])

    settling.settle_answer(the_campaign().pk, claim, answer_to(claim, left_out=2))

    assert counted() == 8 * 3


def test_reports_before_the_answer(claim: Claim) -> None:
    report(claim.message_ids[:4])
    assert counted() == 12

    settling.settle_answers(the_campaign().pk, [(claim, answer_to(claim))])

    assert counted() == 30


def test_reports_before_an_answer_that_leaves_them_out(claim: Claim) -> None:
    report(claim.message_ids[-4:])

    settling.settle_answer(the_campaign().pk, claim, answer_to(claim, left_out=4))

    assert counted() == 30


def test_reports_before_an_answer_that_is_lost(claim: Claim) -> None:
    report(claim.message_ids)
    lose(claim)

    assert counted() == 30


def test_reports_before_an_answer_to_texts_of_several_lengths(
    application: Application, group: ContactGroup, settings: LazySettings
) -> None:
    names = iter(["x" * 100, "x" * 110, "Ada"])
    add_contacts(group, 3, first=919876600000)
    for contact in group.contacts.all():
        contact.name = next(names)
        contact.save(update_fields=["name"])
    claim = claim_of(application, group, settings, "Hello {{name|you}}" + 10 * " and on")
    assert {text.segments for text in claim.texts} == {1, 2}
    longest = max(claim.texts, key=lambda text: text.segments)

    report([claim.message_ids[longest.positions[0]]])
    settling.settle_answers(the_campaign().pk, [(claim, answer_to(claim))])

    assert counted() == sum(text.segments * len(text.positions) for text in claim.texts)


def test_what_a_person_writes_off_stays_counted(claim: Claim) -> None:
    lose(claim)
    report(claim.message_ids[:4])

    resolving.write_off(the_campaign().pk, reason="no report")
    assert counted() == 30
    report(claim.message_ids)

    assert counted() == 30


def test_what_is_sent_again_counts_once(claim: Claim) -> None:
    lose(claim)
    report(claim.message_ids[:4])
    resolving.send_again(the_campaign().pk, reason="nobody got it")
    report(claim.message_ids[4:5])  # the first sending, while the second waits

    again = claimed()
    settling.settle_answers(the_campaign().pk, [(again, answer_to(again))])

    assert len(again.message_ids) == 5
    assert counted() == 30


def test_what_an_earlier_sending_cost(claim: Claim) -> None:
    lose(claim)
    resolving.send_again(the_campaign().pk, reason="nobody got it")

    report(claim.message_ids[:1], pricedetail={"pay": "0.06", "currency": "USD"})

    assert EarlierAttempt.objects.get().billed_segments == 3
    assert counted() == 3


def test_what_is_cancelled_before_it_is_sent_again(claim: Claim) -> None:
    lose(claim)
    resolving.send_again(the_campaign().pk, reason="nobody got it")

    campaigns.cancel_all_waiting(the_campaign().pk)

    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.EXPIRED}
    assert counted() == 30


def test_delivered_though_the_answer_had_left_it_out(claim: Claim) -> None:
    settling.settle_answer(the_campaign().pk, claim, answer_to(claim, left_out=4))
    assert counted() == 18

    report(claim.message_ids[-1:])

    assert counted() == 21


def test_another_sum_is_named(claim: Claim) -> None:
    settling.settle_answers(the_campaign().pk, [(claim, answer_to(claim))])
    Batch.objects.update(segments=29)

    [sentence] = proving.prove(the_campaign())["disagreements"]

    assert sentence == f"batch {claim.batch_id}: segments is 29 in its tally, 30 among its messages"


past = importlib.import_module("messaging.migrations.0071_segments_without_answers")


def test_the_migration_counts_what_was_settled_before(claim: Claim) -> None:
    lose(claim)
    report(claim.message_ids[:4])
    resolving.send_again(the_campaign().pk, reason="nobody got it")
    again = claimed()
    lose(again)
    report(again.message_ids[:2], attempt=2)
    Batch.objects.update(segments=0)
    Message.objects.filter(merge_values__isnull=False).update(segments=1)

    past.count_again(apps, None)

    assert counted() == 18


def test_the_migration_leaves_what_answers_say(claim: Claim) -> None:
    report(claim.message_ids[:4])
    settling.settle_answer(the_campaign().pk, claim, answer_to(claim, left_out=2))
    Message.objects.filter(merge_values__isnull=False).update(segments=1)
    Batch.objects.update(state=BatchState.UNKNOWN)

    past.count_again(apps, None)

    Batch.objects.update(state=BatchState.SETTLED)
    assert counted() == 24
