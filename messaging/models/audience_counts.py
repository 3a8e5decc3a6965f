"""How many a draft would reach, counted before its launch, a stretch of contacts at a time."""

from django.db import models

from messaging.models.campaigns import Campaign


class AudienceCount(models.Model):
    """The count of one draft, finished or on its way; made again when what it was counted for has changed."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, related_name="audience_count")
    counted_for = models.CharField(max_length=64)  # digest of what decides who is reached
    cursor = models.BigIntegerField(default=0)  # the last contact id that has been looked at
    end = models.BigIntegerField(default=0)
    member_end = models.BigIntegerField(default=0)  # the last membership when it began: who joined later is not counted
    # Digests of id, number and merge values, a row after the other: of all who are not excluded, and of the recipients.
    people = models.CharField(max_length=64, blank=True)
    reached_people = models.CharField(max_length=64, blank=True)
    reached = models.JSONField(default=list)  # [[country, "zone,zone", recipients], …]
    suppressed = models.PositiveIntegerField(default=0)
    excluded = models.PositiveIntegerField(default=0)
    no_consent = models.PositiveIntegerField(default=0, db_default=0)
    # Had enough messages when they were counted. They are among the recipients: by the launch it may be otherwise.
    capped = models.PositiveIntegerField(default=0, db_default=0)
    # Left out, since the text cannot be sent to them with its fields filled in: too long, or nothing left of it.
    too_long = models.PositiveIntegerField(default=0)
    blank = models.PositiveIntegerField(default=0, db_default=0)
    paste_cursor = models.BigIntegerField(default=0)  # the last pasted number that has been looked at
    # Numbers that are there more than once, or belong to a contact who is in the audience anyway: one message each.
    merged = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)  # of the numbers that were given one by one, or twice
    # Messages by how many segments they have: [[segments, messages], …]; empty where the text says the same to all.
    segments = models.JSONField(default=list)
    repeated = models.PositiveIntegerField(default=0)  # had the same text from a campaign of the last day
    started_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"count for campaign {self.campaign_id}"

    @property
    def is_done(self) -> bool:
        return self.counted_at is not None

    @property
    def recipients(self) -> int:
        return sum(int(n) for _country, _zones, n in self.reached)

    @property
    def percent(self) -> int:
        return 100 if self.is_done else min(99, 100 * self.cursor // max(self.end, 1))
