"""Numbers that were pasted for a campaign, or read from a file: never changed once all are there."""

from django.conf import settings
from django.db import models

from laaffic_console.kit.words.figures import number


class Paste(models.Model):
    """Copies of a campaign share it. What no campaign uses is deleted after some days."""

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    is_complete = models.BooleanField(default=False)
    lines = models.PositiveIntegerField(default=0)
    numbers = models.PositiveIntegerField(default=0)  # valid ones, each subscriber once
    duplicates = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)  # of the first: [[line, what is there, why it is invalid], …]
    merged = models.JSONField(default=list)  # of the first: [[line, number], …]

    def __str__(self) -> str:
        return number(self.numbers)


class PastedNumber(models.Model):
    paste = models.ForeignKey(Paste, models.CASCADE, related_name="rows", db_index=False)
    number = models.CharField(max_length=15)
    subscriber = models.CharField(max_length=15)  # the number in its usual spelling

    class Meta:
        constraints = [models.UniqueConstraint(fields=["paste", "subscriber"], name="pasted_once")]
        indexes = [models.Index(fields=["paste", "id"], name="pasted_order")]

    def __str__(self) -> str:
        return f"number {self.pk} of paste {self.paste_id}"
