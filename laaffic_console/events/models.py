"""What happened, written in the transaction that did it; who is told of it, and how far that is."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from laaffic_console.events import outcomes
from laaffic_console.events.kinds import Kind


class Event(models.Model):
    """One thing that happened; kept for some days, so that it can be delivered and read again."""

    kind = models.CharField(_("event"), max_length=40, choices=Kind)
    about = models.CharField(_("about"), max_length=60)  # "message:12"
    order_key = models.CharField(max_length=60)  # events of the same key are delivered in order
    data = models.TextField(_("data"))  # JSON as it leaves
    at = models.DateTimeField(_("happened"))
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    told: Mapping[str, Any]  # while it is written: `data` as it came, its sentences with their words

    mark = models.CharField(max_length=12)  # keys are reused by a database that was restored

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        default_permissions = ()

    def __str__(self) -> str:
        return self.webhook_id

    @property
    def webhook_id(self) -> str:
        """The event's id for its receivers: the same at each attempt, and never another event's."""
        return f"evt_{self.pk}_{self.mark}"

    @property
    def body(self) -> str:
        """The JSON that receivers are sent."""
        return f'{{"type":{json.dumps(self.kind)},"timestamp":{json.dumps(iso(self.at))},"data":{self.data}}}'

    @property
    def facts(self) -> Any:
        return json.loads(self.data)


def iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Webhook(models.Model):
    """An address that is told of some kinds of events; its secret is sealed with the console's SECRET_KEY."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")  # its events wait
        DISABLED = "disabled", _("Disabled")  # nothing is kept for it any more

    url = models.CharField(_("address"), max_length=500)
    kinds = models.JSONField(_("events"), default=list)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    secret = models.TextField(editable=False)  # sealed
    old_secret = models.TextField(
        blank=True, editable=False
    )  # “until:sealed” (seconds since 1970), by spaces: sign too until then
    old_secret_until = models.DateTimeField(null=True, editable=False)
    made_at = models.DateTimeField(_("created"), default=timezone.now)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("created by")
    )
    last_ok_at = models.DateTimeField(_("last took an event"), null=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)  # nothing has succeeded since
    failures = models.PositiveIntegerField(default=0)  # rounds in a row in which nothing succeeded
    rests_until = models.DateTimeField(null=True)  # nothing is tried before, because nothing succeeds
    problem = models.CharField(max_length=20, blank=True)  # a code of `outcomes`: of the last failure
    detail = models.CharField(max_length=200, blank=True)
    disabled_at = models.DateTimeField(_("disabled"), null=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["id"]
        default_permissions = ("add", "change", "delete", "view")

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """An event on its way to a webhook: the log, and what is still to be done."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    order_key = models.CharField(max_length=60)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next try"))
    first_tried_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(_("last tried"), null=True)
    status = models.PositiveSmallIntegerField(_("answer"), null=True)  # of HTTP
    ms = models.PositiveIntegerField(_("took"), null=True)
    problem = models.CharField(max_length=20, blank=True)  # a code of `outcomes`
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        default_permissions = ("change", "view")
        indexes = [
            models.Index(fields=["webhook", "id"], name="delivery_waiting", condition=models.Q(state="waiting")),
            models.Index(
                fields=["webhook", "order_key", "id"], name="delivery_in_order", condition=models.Q(state="waiting")
            ),
            models.Index(  # past all that waits for a later try
                fields=["webhook", "next_at", "id"], name="delivery_due", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["webhook", "id"], name="delivery_failed", condition=models.Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.event.webhook_id} → {self.webhook}"

    @property
    def why(self) -> str:
        return outcomes.in_words(self.problem, self.detail)
