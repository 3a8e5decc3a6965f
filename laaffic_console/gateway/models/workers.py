"""What several workers on several machines share: leases, the pace of sending, signs of life."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


def _usual_seconds() -> float:
    return float(settings.LAAFFIC_LEASE_SECONDS)


class Lease(models.Model):
    """At most one holder of a name until a time. Who finds it taken goes away; who finds it stale takes it."""

    name = models.CharField(max_length=80, primary_key=True)
    token = models.CharField(max_length=36, blank=True)
    until = models.DateTimeField()
    seconds = models.FloatField(default=_usual_seconds)  # how long it is: an end further ahead is not believed

    def __str__(self) -> str:
        return self.name


class RatePacer(models.Model):
    """When the next recipient of a campaign or an application may leave; moved in the transaction of the claim."""

    name = models.CharField(max_length=80, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class WorkerHeartbeat(models.Model):
    """Written by a task that ran inside the worker: a frozen cluster looks alive from outside."""

    worker = models.CharField(_("worker"), max_length=80, primary_key=True)
    host = models.CharField(_("machine"), max_length=80)
    pid = models.PositiveIntegerField(_("process"))
    started_at = models.DateTimeField(_("started"))
    beat_at = models.DateTimeField(_("last heartbeat"), null=True)
    restarts = models.PositiveIntegerField(_("restarts"), default=0)
    # Seconds that the clock of the worker's machine is behind the gateway's, by the dates of the gateway's answers.
    clock_skew = models.FloatField(_("clock skew"), null=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        permissions = [("make_support_bundle", _("Can download the support bundle"))]

    def __str__(self) -> str:
        return self.worker


class Trouble(models.Model):
    """What failed in a sweep or in a reading and was left behind, so that the others go on; gone when it succeeds."""

    name = models.CharField(_("what"), max_length=120, primary_key=True)
    problem = models.CharField(_("problem"), max_length=300)
    first_at = models.DateTimeField(_("since"))
    last_at = models.DateTimeField(_("last"))
    times = models.PositiveIntegerField(_("times"), default=1)
    # What only a person can put right stays until one has deleted it; anything else goes when it did not come again.
    is_persons = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("trouble")
        verbose_name_plural = _("troubles")
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return self.name
