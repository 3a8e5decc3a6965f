"""What belongs to no app: the account, workers, callbacks, rows of the ledger, webhooks."""

from django.urls import reverse

from laaffic_console.events.models import Webhook
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.pages import page_of
from laaffic_console.notices.subjects import Subject
from laaffic_console.notices.subjects import register as add

OWNER = "gateway.change_application"  # of the installation: who sets it up


def _health(key: str) -> str:
    return reverse("health")


def _balance(key: str) -> str:
    return reverse("admin:gateway_balancereading_changelist")


def _entry(key: str) -> str:
    return page_of(LedgerEntry, key)


def _webhook(key: str) -> str:
    return page_of(Webhook, key)


def register_all() -> None:
    add(Subject("account", "gateway.view_balancereading", _balance, act=OWNER))
    add(Subject("worker", "gateway.view_workerheartbeat", _health, act=OWNER))
    add(Subject("callbacks", "gateway.view_workerheartbeat", _health, act=OWNER))
    add(Subject("ledger", "gateway.view_ledgerentry", _entry, act="gateway.settle_ledgerentry"))
    add(Subject("webhook", "events.view_webhook", _webhook, act="events.change_webhook"))
