"""Webhooks: made, given another secret, paused, resumed, tested, deleted."""

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from laaffic_console.events import addresses, outcomes, sealed, signing
from laaffic_console.events.addresses import NotReachable
from laaffic_console.events.kinds import CHOICES, Kind
from laaffic_console.events.models import Delivery, Event, Webhook
from laaffic_console.events.services import delivery_writes, fan_out, outbox
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.audit.acts import CONSOLE, Act, record
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import with_words

OVERLAP = dt.timedelta(hours=24)
OLD_SECRETS = 3  # how many may sign beside the new one
AT_ONCE = 1000

State = Webhook.State


def create(url: str, kinds: Sequence[str], *, by: User | None = None) -> tuple[Webhook, str]:
    """The webhook and its secret, which nobody sees again; ValidationError names the field that is wrong."""
    check_address(url)
    secret = signing.new_secret()
    with transaction.atomic():
        webhook = Webhook.objects.create(
            url=url.strip(), kinds=checked_kinds(kinds), secret=sealed.seal(secret), made_by=by
        )
        record(Act.ADDED, webhook, event=with_words(webhook.kinds, dict(CHOICES)))
    return webhook, secret


def check_address(url: str) -> None:
    """Refuse an address that leads inwards at once; a name that nobody knows yet is not refused, but without TLS."""
    if len(url) > 500:
        raise ValidationError({"url": _("It is longer than 500 characters.")})
    target = addresses.parse(url.strip())
    try:
        addresses.resolve(target)
    except NotReachable as problem:
        if problem.code not in ("name", "lookup"):
            raise ValidationError({"url": str(problem)}) from problem
        if not target.is_https:
            said = _("It is http and not https, and nobody knows yet where its name leads. Give an https address.")
            raise ValidationError({"url": said}) from problem


def checked_kinds(kinds: Sequence[str]) -> list[str]:
    known = [kind for kind, _label in CHOICES]
    if unknown := sorted(set(kinds) - set(known)):
        said = _("Unknown event: %(unknown)s. Known events: %(known)s.")
        raise ValidationError({"kinds": said % {"unknown": ", ".join(unknown), "known": ", ".join(known)}})
    if not kinds:
        raise ValidationError({"kinds": _("Choose at least one event.")})
    return [kind for kind in known if kind in kinds]


def change_kinds(webhook: Webhook, kinds: Sequence[str]) -> None:
    """From now on it gets these; what waits of the others is not sent any more."""
    chosen = checked_kinds(kinds)
    with transaction.atomic():
        Webhook.objects.filter(pk=webhook.pk).update(kinds=chosen)
        record(Act.CHANGED, webhook, event=with_words(chosen, dict(CHOICES)))
    delivery_writes.end_unwanted(webhook.pk, chosen)


def rotate(webhook: Webhook) -> str:
    """Make another secret; for a day the old one signs too, so that the receiver can be changed in between.

    So do those before it until their own day is over: which of them the receiver has, nobody here knows.
    """
    secret = signing.new_secret()
    with transaction.atomic():
        row = locked(webhook.pk)
        now = timezone.now()
        still_good = [_until(until, secret) for until, secret in _old_secrets(row, now)]
        row.old_secret_until = now + OVERLAP
        row.old_secret = " ".join([_until(row.old_secret_until, row.secret), *still_good][:OLD_SECRETS])
        row.secret = sealed.seal(secret)
        row.rests_until = None
        row.save(update_fields=["secret", "old_secret", "old_secret_until", "rests_until"])
        record(Act.CHANGED, row, event=_("another secret; the old one signs too for 24 hours"))
    delivery_writes.try_now(webhook.pk)  # it may have been refused for its signature
    bell.ring(fan_out.JOB)
    return secret


def signers(webhook: Webhook, now: dt.datetime) -> list[Signer]:
    """The new one first; CannotOpen where SECRET_KEY has changed."""
    opened = [Signer(sealed.opened(webhook.secret))]
    for _until_when, secret in _old_secrets(webhook, now):
        try:
            opened.append(Signer(sealed.opened(secret)))
        except sealed.CannotOpen:  # sealed before SECRET_KEY was changed; the new one is good
            continue
    return opened


def _old_secrets(webhook: Webhook, now: dt.datetime) -> list[tuple[dt.datetime, str]]:
    """(until when, sealed) of the old secrets that are still good, the newest first."""
    if webhook.old_secret_until is None:
        return []
    found = []
    for one in webhook.old_secret.split():
        ends, is_its_own, secret = one.rpartition(":")  # earlier versions kept one end for all
        until = dt.datetime.fromtimestamp(int(ends), dt.UTC) if is_its_own else webhook.old_secret_until
        found.append((until, secret))
    return [(until, secret) for until, secret in found if now < until]


def _until(ends: dt.datetime, secret: str) -> str:
    return f"{ends.timestamp():.0f}:{secret}"


def pause(webhook: Webhook) -> bool:
    """Let nothing leave; the events wait. False where the webhook is not active."""
    return _move(webhook, State.PAUSED, [State.ACTIVE], _("paused"))


def resume(webhook: Webhook) -> bool:
    """Send what waits now, and try it for as long as what is new. False where the webhook is active already."""
    if not Webhook.objects.filter(pk=webhook.pk).exclude(state=State.ACTIVE).exists():
        return False
    delivery_writes.end_unwanted(webhook.pk, Webhook.objects.values_list("kinds", flat=True).get(pk=webhook.pk))
    delivery_writes.count_anew(webhook.pk)  # first: a process that dies in between leaves it as it was, to be resumed
    moved = _move(webhook, State.ACTIVE, [State.PAUSED, State.DISABLED], _("resumed"), problem="", detail="")
    if moved:
        bell.ring(fan_out.JOB)
    return moved


@transaction.atomic
def _move(webhook: Webhook, state: str, of: Sequence[str], said: str, **more: str) -> bool:
    moved = Webhook.objects.filter(pk=webhook.pk, state__in=of).update(
        state=state, failing_since=None, failures=0, rests_until=None, disabled_at=None, **more
    )
    if moved:
        record(Act.CHANGED, webhook, event=said)
    return bool(moved)


def disable(webhook_id: int, problem: str, detail: str = "") -> None:
    """Disable a webhook in the console's own name, which people see, and all other webhooks get as an event.

    One that somebody has paused in the meantime stays so: its events wait.
    """
    with transaction.atomic():
        row = locked(webhook_id)
        if row.state != State.ACTIVE:
            return
        row.state, row.disabled_at, row.problem, row.detail = State.DISABLED, timezone.now(), problem, detail
        row.save(update_fields=["state", "disabled_at", "problem", "detail"])
        record(Act.CHANGED, row, by=CONSOLE, event=_("disabled: %(why)s") % {"why": outcomes.in_words(problem, detail)})
        said = {"id": row.pk, "url": row.url, "problem": problem, "failing_since": row.failing_since}
        outbox.record(Kind.WEBHOOK_DISABLED, f"webhook:{row.pk}", said)


def test(webhook: Webhook) -> Delivery:
    """An event for this webhook alone, delivered like every other one."""
    with transaction.atomic():
        event = Event.objects.create(
            kind=Kind.WEBHOOK_TEST,
            about=f"webhook:{webhook.pk}",
            order_key=f"webhook:{webhook.pk}",
            data=f'{{"id":{webhook.pk}}}',
            at=timezone.now(),
            mark=outbox.new_mark(),
        )
        fan_out.deliver_to(webhook.pk, [event], [Kind.WEBHOOK_TEST])
        record(Act.CHANGED, webhook, event=_("tested"))
        return Delivery.objects.get(webhook=webhook, event=event)


def when_it_leaves(webhook: Webhook) -> str:
    """One sentence: when what waits for this webhook is sent."""
    if webhook.state == State.ACTIVE:
        return _("It leaves as soon as a worker runs.")
    return _("The webhook is %(state)s: it waits until the webhook is resumed.") % {
        "state": webhook.get_state_display().lower()
    }


@transaction.atomic
def redeliver(delivery: Delivery) -> bool:
    """Deliver it once more, with the same webhook-id; False where it waits anyway."""
    again = Delivery.objects.filter(pk=delivery.pk).exclude(state=Delivery.State.WAITING)
    moved = again.update(
        state=Delivery.State.WAITING,
        next_at=database_clock.in_statement(),
        problem="",
        detail="",
        **delivery_writes.NOT_TRIED_YET,
    )
    if moved:
        record(Act.CHANGED, delivery.webhook, event=_("%(id)s again") % {"id": delivery.event.webhook_id})
        bell.ring(fan_out.JOB)
    return bool(moved)


def delete(webhook: Webhook) -> None:
    """Delete the webhook, and its log a piece at a time."""
    Webhook.objects.filter(pk=webhook.pk).update(state=State.DISABLED)
    while _deletes_some(webhook):
        pass
    with transaction.atomic():
        # Transactions that have just written an event for it are awaited (fan_out.deliver_to); their deliveries go too.
        list(Webhook.objects.select_for_update().filter(pk=webhook.pk).values_list("pk"))
        while _deletes_some(webhook):
            pass
        record(Act.DELETED, webhook)
        Webhook.objects.filter(pk=webhook.pk).delete()


def _deletes_some(webhook: Webhook) -> bool:
    some = list(Delivery.objects.filter(webhook=webhook).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    Delivery.objects.filter(pk__in=some).delete()
    return bool(some)


def locked(webhook_id: int) -> Webhook:
    return Webhook.objects.select_for_update(no_key=True).get(pk=webhook_id)
