"""The gateway's models, to be imported from here."""

from laaffic_console.gateway.models.account import AccountHold, BalanceReading
from laaffic_console.gateway.models.applications import Application
from laaffic_console.gateway.models.channels import (
    APPLICATION_CHANNELS,
    CAMPAIGN_CHANNELS,
    SUPPRESSION_CHANNELS,
    Channel,
)
from laaffic_console.gateway.models.inbox import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.models.ledger import IS_OPEN_ENTRY, EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.models.workers import Lease, RatePacer, Trouble, WorkerHeartbeat

__all__ = [
    "APPLICATION_CHANNELS",
    "CAMPAIGN_CHANNELS",
    "IS_OPEN_ENTRY",
    "SUPPRESSION_CHANNELS",
    "AccountHold",
    "Application",
    "BalanceReading",
    "Channel",
    "EntryState",
    "EvidenceKind",
    "Lease",
    "LedgerEntry",
    "OrphanReport",
    "PushKind",
    "PushedBody",
    "RatePacer",
    "Trouble",
    "WorkerHeartbeat",
]
