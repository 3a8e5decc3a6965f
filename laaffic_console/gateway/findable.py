"""The kinds of the gateway's rows that can be found from everywhere."""

from django.db.models import Q
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.rights import LEDGER_ACTS
from laaffic_console.kit.registers.search_kinds import Kind, Query, listed, named, register, rows_of


def register_all() -> None:
    register(
        Kind(
            "applications",
            gettext_lazy("Applications"),
            "apps",
            "gateway.view_application",
            rows_of(
                Application.objects.all(),
                named("app_id", "name"),
                "gateway_application_change",
                subtitle=lambda row: row.get_channel_display(),
            ),
            listed("gateway_application_changelist"),
            place=60,
        )
    )
    register(
        Kind(
            "ledger",
            gettext_lazy("Ledger"),
            "receipt_long",
            "gateway.view_ledgerentry",
            rows_of(
                LedgerEntry.objects.all(),
                _entry,
                "gateway_ledgerentry_change",
                subtitle=lambda row: row.get_state_display(),
            ),
            acts=LEDGER_ACTS,
            place=70,
        )
    )


def _entry(query: Query) -> Q | None:
    return None if query.row_id is None else Q(pk=query.row_id)
