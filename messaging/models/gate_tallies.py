"""How many messages of a campaign each gate has stopped for good."""

from django.db import models

from messaging.models.campaigns import Campaign


class GateTally(models.Model):
    """Moved in the transaction that stops them, so that no page counts messages."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="gate_tallies", db_index=False)
    gate = models.CharField(max_length=20)  # the name of its kind (services/gates)
    stopped = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["campaign", "gate"], name="gate_tally_once")]

    def __str__(self) -> str:
        return f"{self.gate}: {self.stopped}"
