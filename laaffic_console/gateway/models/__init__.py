from laaffic_console.gateway.models.account import AccountHold, BalanceReading
from laaffic_console.gateway.models.applications import Application, Channel
from laaffic_console.gateway.models.inbox import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.models.ledger import CallState, GatewayCall
from laaffic_console.gateway.models.workers import Lease, RatePacer, Trouble, WorkerHeartbeat

__all__ = [
    "AccountHold",
    "Application",
    "BalanceReading",
    "CallState",
    "Channel",
    "GatewayCall",
    "Lease",
    "OrphanReport",
    "PushKind",
    "PushedBody",
    "RatePacer",
    "Trouble",
    "WorkerHeartbeat",
]
