"""SMS: up to a thousand recipients a request, several texts in one where the application takes them."""

import datetime as dt

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.work.patience import Patience
from laaffic_console.laaffic import LaafficClient, SendResult, SmsItem
from messaging.models import Batch, Campaign
from messaging.services.channels.channels import Post, SendingChannel
from messaging.services.channels.outgoing import Claim
from messaging.services.reports import report_pulls
from messaging.text import segments


class SmsChannel(SendingChannel):
    key = Channel.SMS.value
    application_channel = Channel.SMS

    def segments(self, text: str) -> int:
        return segments.count(text).segments

    def takes_several_texts(self, campaign: Campaign) -> bool:
        return campaign.application.several_texts_per_call

    def interface(self, texts: int) -> str:
        return "sendSms" if texts == 1 else "sendSms/batch"

    def poster(self, campaign: Campaign) -> Post:
        app_id, sender_id = campaign.application.app_id, campaign.sender_id

        def post(client: LaafficClient, claimed: Claim) -> SendResult:
            if len(claimed.texts) == 1:
                return client.send_sms(
                    app_id=app_id,
                    numbers=claimed.numbers,
                    content=claimed.texts[0].text,
                    sender_id=sender_id,
                    order_ids=claimed.order_ids,
                )
            result = client.send_sms_batch(app_id=app_id, items=items_of(claimed, sender_id))
            return in_batch_order(claimed, result)

        return post

    def look_for_reports(self, client: LaafficClient, batch: Batch, asking: Patience) -> None:
        report_pulls.look_for_reports(client, batch, asking)

    def reconcile(self, application: Application, start: dt.datetime, end: dt.datetime) -> int:
        return report_pulls.reconcile(application, start, end)


def items_of(claimed: Claim, sender_id: str) -> list[SmsItem]:
    return [
        SmsItem(
            numbers=[claimed.numbers[p] for p in text.positions],
            content=text.text,
            sender_id=sender_id,
            order_ids=[claimed.order_ids[p] for p in text.positions],
        )
        for text in claimed.texts
    ]


def in_batch_order(claimed: Claim, result: SendResult) -> SendResult:
    """The answer is by text; the batch is by message."""
    order = [position for text in claimed.texts for position in text.positions]
    msg_ids: list[str | None] = [None] * len(order)
    for index, position in enumerate(order):
        msg_ids[position] = result.msg_ids[index]
    return result.reordered(msg_ids, [order[index] for index in result.unknown_positions])
