"""What each hour added, over all campaigns: the front page's figures, however many campaigns there have been."""

from django.db import models

from laaffic_console.gateway.models import Application
from messaging.models.campaigns import Campaign
from messaging.models.messages import MessageState


class HourTally(models.Model):
    """How much one hour changed the outcomes of an application's campaigns (folded by tallies/hour_tallies.py).

    A late report takes a message out of one outcome and puts it into another, so an hour can be negative. The sums over
    all hours are the outcomes as they stand.
    """

    hour = models.DateTimeField()
    application = models.ForeignKey(Application, models.CASCADE, related_name="+", db_index=False)
    country = models.CharField(max_length=2, blank=True)
    state = models.PositiveSmallIntegerField(choices=MessageState)
    reason = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    messages = models.BigIntegerField(default=0)
    pay_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "application", "country", "state", "reason", "currency"], name="hour_tally_once"
            )
        ]
        indexes = [models.Index(fields=["state", "hour"], name="hour_tally_state")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.country} {self.get_state_display()} {self.reason}"


class SentTally(models.Model):
    """What happened to the messages that the gateway answered for in an hour, as it stands now.

    Its hour stays when reports come days later, so a day's figures are about the messages of that day. Moved wherever
    messages move (services/tallies/sent_tallies.py), and derivable from them exactly.
    """

    hour = models.DateTimeField()  # tallies/hour_tallies.hour_of: also where a day begins at half past of UTC
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="sent_tallies", db_index=False)
    country = models.CharField(max_length=2, blank=True)
    network = models.PositiveIntegerField(default=0)  # messaging/wire/networks.py; 0: no report has said it
    state = models.PositiveSmallIntegerField(choices=MessageState)
    reason = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    messages = models.IntegerField(default=0)
    billed_segments = models.BigIntegerField(default=0)
    pay_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "hour", "country", "network", "state", "reason", "currency"], name="sent_tally_once"
            )
        ]
        indexes = [models.Index(fields=["hour"], name="sent_tally_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.country} {self.get_state_display()} {self.reason}"


class DeliveryTimeTally(models.Model):
    """How many of the messages of an hour were delivered how long after the gateway took them.

    The hour is the one in which the gateway answered for them, as in SentTally; both move together and can be derived.
    """

    hour = models.DateTimeField()
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="delivery_times", db_index=False)
    country = models.CharField(max_length=2, blank=True)
    network = models.PositiveIntegerField(default=0)
    bucket = models.PositiveSmallIntegerField()  # a place in laaffic_console/kit/delivery_buckets.py BOUNDS
    messages = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "campaign", "country", "network", "bucket"], name="delivery_time_once"
            )
        ]
        indexes = [models.Index(fields=["campaign", "bucket"], name="delivery_time_campaign")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h bucket {self.bucket}"
