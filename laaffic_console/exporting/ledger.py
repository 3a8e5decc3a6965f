"""The ledger as a file: the gateway, on which this app stands, cannot register its own."""

from laaffic_console.exporting import columns, kinds, lists
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.masking.masks import Typed

COLUMNS = {name: name for name in ("id", "interface")} | {"application": "application__app_id"}
COLUMNS |= {"asked_by": "requested_by__username"}
COLUMNS |= {name: name for name in ("about_kind", "about_id", "summary", "attempt", "state", "worker")}
COLUMNS |= {name: name for name in ("prepared_at", "left_at", "settled_at", "http_status", "code")}
COLUMNS |= {Typed(name): name for name in ("reason", "evidence")}
COLUMNS |= {"evidence_kind": "evidence_kind"}


def register() -> None:
    told = ("reason", "evidence")
    kinds.register(lists.kind_of(LedgerEntry, lambda shown, user: columns.rows(shown, COLUMNS, told=told)))
