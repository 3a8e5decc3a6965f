"""A console with many messages and contacts, to see how fast its pages answer: scripts/fill.py --messages 2000000.

Fills the empty database of DATABASE_URL by SQL; the figures (batches, tallies, hours) are derived from the messages it
makes, so pages and `reports` agree. The ledger has no requests for them, as nothing was sent.
"""

import argparse
import datetime as dt
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laaffic_console.gateway.models import Application
    from messaging.models import Campaign, ContactGroup

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PER_BATCH = 1000
MINUTES = 18  # duration of a campaign's sending
SOON, LATER, LATE = 3, 20, 400  # seconds to deliver

CONTACTS = """
INSERT INTO messaging_contact (number, validity, name, email, country, language, attributes, source, created_at,
    updated_at, time_zones)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {contacts} - 1)
SELECT CAST(919800000000 + i AS text), 'valid', 'Contact ' || i, '',
    CASE i % 7 WHEN 0 THEN 'GB' WHEN 1 THEN 'BR' ELSE 'IN' END, 'en', '{{}}', 'fill', {now}, {now}, 'Asia/Kolkata'
FROM n
"""
MEMBERS = "INSERT INTO messaging_groupmembership (contact_id, group_id) SELECT id, {group} FROM messaging_contact"
# Of a hundred: 89 delivered, 6 undelivered, 2 rejected, 3 without a report yet. In the campaign that is still running,
# the answer to one batch of twenty was lost, and recipients from {waiting_from} on wait.
MESSAGES = """
INSERT INTO messaging_message (number, country, state, segments, attempt, gateway_id, settled_at, reported_at,
    report_source, reason, evidence, billed_segments, pay_micros, currency, batch_id, campaign_id, contact_id)
WITH numbered AS (SELECT id, number, country, id - {first_contact} AS i FROM messaging_contact
    WHERE id >= {first_contact} AND id < {first_contact} + {size}),
fate AS (SELECT 0 AS lowest, 88 AS highest, 70 AS state UNION ALL SELECT 89, 94, 60 UNION ALL SELECT 95, 96, 30
    UNION ALL SELECT 97, 99, 40),
s AS (SELECT numbered.*, CASE WHEN i >= {waiting_from} THEN 0
    WHEN {is_running} AND i / {per_batch} % 20 = 9 THEN 20 ELSE fate.state END AS state
    FROM numbered JOIN fate ON (i * 37) % 100 BETWEEN lowest AND highest)
SELECT number, country, s.state, 1, 1, CASE WHEN s.state > 30 THEN 'g' || {campaign} || '-' || i END,
    CASE WHEN s.state > 0 THEN {sent} END, CASE WHEN s.state > 50 THEN
    CASE i % 10 WHEN 0 THEN {late} WHEN 1 THEN {later} WHEN 2 THEN {later} ELSE {soon} END END,
    CASE WHEN s.state > 50 THEN 'push' ELSE '' END,
    CASE s.state WHEN 60 THEN CASE i % 3 WHEN 0 THEN 'absent subscriber' WHEN 1 THEN 'unknown subscriber'
        ELSE 'handset error' END WHEN 30 THEN 'not accepted by the provider' ELSE '' END,
    CASE WHEN s.state IN (20, 30) THEN 'filled' ELSE '' END, CASE WHEN s.state > 50 THEN 1 END,
    CASE WHEN s.state > 50 THEN 3100 END, CASE WHEN s.state > 50 THEN 'USD' ELSE '' END,
    {first_batch} + i / {per_batch}, {campaign}, s.id
FROM s ORDER BY s.id
"""
BATCH_TALLIES = """
UPDATE messaging_batch SET (first_message_id, last_message_id, size, queued, unknown, rejected, accepted, undelivered,
    delivered, segments, state) = (SELECT MIN(id), MAX(id), COUNT(*),
    SUM(CASE state WHEN 0 THEN 1 ELSE 0 END), SUM(CASE state WHEN 20 THEN 1 ELSE 0 END),
    SUM(CASE state WHEN 30 THEN 1 ELSE 0 END), SUM(CASE state WHEN 40 THEN 1 ELSE 0 END),
    SUM(CASE state WHEN 60 THEN 1 ELSE 0 END), SUM(CASE state WHEN 70 THEN 1 ELSE 0 END),
    SUM(CASE WHEN state > 30 THEN 1 ELSE 0 END),
    CASE MIN(state) WHEN 0 THEN 'queued' WHEN 20 THEN 'unknown' ELSE 'settled' END
    FROM messaging_message AS m WHERE m.campaign_id = {campaign} AND m.batch_id = messaging_batch.id)
WHERE campaign_id = {campaign}
"""
OUTCOMES = """
INSERT INTO messaging_outcometally (campaign_id, country, state, reason, currency, messages, billed_segments,
    pay_micros)
SELECT campaign_id, country, state, reason, currency, COUNT(*), COALESCE(SUM(billed_segments), 0),
    COALESCE(SUM(pay_micros), 0) FROM messaging_message WHERE campaign_id = {campaign} AND state IN (30, 50, 60, 70)
GROUP BY campaign_id, country, state, reason, currency
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--campaign", type=int, default=100_000, help="recipients of each campaign")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.monotonic()
    fill(options.messages, options.contacts, min(options.campaign, options.contacts))
    print(f"{options.messages:,} messages and {options.contacts:,} contacts in {time.monotonic() - began:.0f} s")


def fill(messages: int, contacts: int, size: int) -> None:
    from django.utils import timezone

    from laaffic_console.gateway.models import Application
    from messaging.models import Contact, ContactGroup

    if Contact.objects.exists():
        sys.exit("This database has contacts already; give an empty one in DATABASE_URL.")
    now = timezone.now()
    application = Application.objects.create(app_id="filled", channel="sms", name="Filled", sender_id="SHOP")
    group = ContactGroup.objects.create(name="everyone")
    run(CONTACTS, contacts=contacts, now=moment(now))
    run(MEMBERS, group=group.pk)
    lowest = Contact.objects.order_by("pk").values_list("pk", flat=True)[0]
    count = -(-messages // size)
    for number in range(count):
        ago = dt.timedelta(hours=40) * (count - number - 1) / count + dt.timedelta(minutes=20)
        start = lowest + (number * size) % (contacts - size + 1)
        add_campaign(
            number, application, group, start, min(size, messages - number * size), now - ago, number == count - 1
        )
    run("ANALYZE")


def add_campaign(
    number: int,
    application: "Application",
    group: "ContactGroup",
    first_contact: int,
    size: int,
    at: dt.datetime,
    is_running: bool,
) -> None:
    from messaging.models import Batch, Campaign, CampaignState
    from messaging.services import steps
    from messaging.services.tallies import hour_tallies, sent_tallies

    campaign = Campaign.objects.create(
        name=f"Filled {number + 1}",
        application=application,
        sender_id="SHOP",
        text="Your parcel has arrived.",
        state=CampaignState.RUNNING if is_running else CampaignState.FINISHED,
        finished_at=None if is_running else at + dt.timedelta(minutes=MINUTES),
        audience=Campaign.Audience.FROZEN,
        total=size,
        launched_at=at,
        first_sent_at=at,
    )
    campaign.groups.add(group)
    steps.note(campaign, "Filled for a look at the pages", None)
    batches = [
        Batch(campaign=campaign, first_message_id=0, last_message_id=0, size=0) for _ in range(-(-size // PER_BATCH))
    ]
    first_batch = Batch.objects.bulk_create(batches)[0].pk
    run(
        MESSAGES,
        campaign=campaign.pk,
        first_contact=first_contact,
        size=size,
        first_batch=first_batch,
        per_batch=PER_BATCH,
        is_running="1 = 1" if is_running else "1 = 0",
        waiting_from=size * 7 // 10 // PER_BATCH * PER_BATCH if is_running else size,
        sent=moment(at),
        soon=moment(at + dt.timedelta(seconds=SOON)),
        later=moment(at + dt.timedelta(seconds=LATER)),
        late=moment(at + dt.timedelta(seconds=LATE)),
    )
    run(BATCH_TALLIES, campaign=campaign.pk)
    run(OUTCOMES, campaign=campaign.pk)
    hour_tallies.fold(at)
    add_activity(campaign, at)
    sent_tallies.write_again([campaign.pk])


def add_activity(campaign: "Campaign", at: dt.datetime) -> None:
    from messaging.models import ActivityTally, MessageState
    from messaging.services.tallies import counting

    counts = counting.state_counts(campaign)
    ends = {state: counts[state.key] for state in (MessageState.DELIVERED, MessageState.UNDELIVERED)}
    happened = {MessageState.ACCEPTED: counts["accepted"] + sum(ends.values()), **ends}
    minute = at.replace(second=0, microsecond=0)
    ActivityTally.objects.bulk_create(
        ActivityTally(campaign=campaign, minute=minute + dt.timedelta(minutes=later), state=state, messages=part)
        for state, n in happened.items()
        for later, part in enumerate(spread(n, MINUTES))
    )


def spread(total: int, minutes: int) -> list[int]:
    """The part of `total` for each minute: slow at first, faster later."""
    steps = [total * (minute + 1) ** 2 // minutes**2 for minute in range(minutes)]
    return [after - before for before, after in zip([0, *steps], steps, strict=False)]


def moment(at: dt.datetime) -> str:
    """A typed literal, for use inside a CASE, where PostgreSQL takes an untyped one for text."""
    from django.db import connection

    bare = f"'{connection.ops.adapt_datetimefield_value(at)}'"
    return f"TIMESTAMPTZ {bare}" if connection.vendor == "postgresql" else bare


def run(sql: str, **given: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql.format(**given))


if __name__ == "__main__":
    main()
