"""Bindings, pools and owned numbers as the API shows them; people's numbers are masked."""

from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.kit.masking.masks import masked
from phone_numbers.models import Binding, BindingRequest, NumberPool, OwnedNumber, PoolVersion
from phone_numbers.pool_config import difference
from phone_numbers.services import binding_changes, owned_changes, owned_evidence, pool_changes

VERSIONS_SHOWN = 50


def binding(row: Binding) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.application.app_id,
        "bind_id": row.bind_id,
        "a": masked(row.phone_a),
        "b": masked(row.phone_b),
        "a_sees": row.pns_number_a,
        "b_sees": row.pns_number_b,
        "pool": row.pool_number,
        "expires_at": moment(row.expires_at),
        "ended_at": moment(row.ended_at),
        "ending": row.ending,
        "seen": binding_changes.pair_as_shown(row),
    }


def asked_binding(row: BindingRequest) -> dict[str, Any]:
    return {
        "id": row.pk,
        "verb": row.verb,
        "state": row.entry.state if row.entry else None,
        "binding": binding(row.binding) if row.binding else None,
        "at": moment(row.requested_at),
    }


def version(row: PoolVersion) -> dict[str, Any]:
    return {
        "id": row.pk,
        "pool": row.pool_number,
        "number": row.number,
        "origin": row.origin,
        "state": row.entry.state if row.entry else None,
        "whitelist": list(row.config.addresses),
        "concurrency": row.max_concurrency,
        "numbers": list(row.config.numbers),
        "at": moment(row.created_at),
    }


def listed_pool(row: NumberPool) -> dict[str, Any]:
    held = row.listed
    return {
        "id": row.pk,
        "pool": row.pool_number,
        "version": row.current.number if row.current else None,
        "drifted": row.drifted_at is not None,
        "gone": row.gone_at is not None,
        "whitelist": list(held.addresses) if held else [],
        "concurrency": held.max_concurrency if held else None,
        "numbers": list(held.numbers) if held else [],
        "seen": pool_changes.listed_as_shown(row),
    }


def pool(row: NumberPool) -> dict[str, Any]:
    held, ours = row.listed, row.current
    newest = row.versions.select_related("entry").order_by("-number")[:VERSIONS_SHOWN]
    return {
        **listed_pool(row),
        "difference": difference(ours.config, held).told() if held and ours else {},
        "versions": [version(one) for one in newest],
    }


def owned(row: OwnedNumber) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": row.number,
        "country": row.country,
        "type": row.number_type,
        "state": OwnedNumber.State(row.state).name.lower() if row.state else None,
        "due_date": row.due_date.isoformat() if row.due_date else None,
        "auto_renew": row.auto_renew,
        **{name: getattr(row, name) for name in owned_changes.FIELDS},
        "gone_at": moment(row.gone_at),
        "seen": owned_changes.shown_digest(row),
    }


def changed_owned(row: OwnedNumber) -> dict[str, Any]:
    last = owned_evidence.requests(row).order_by("-pk").first()
    return {**owned(row), "request": last.state if last else None}
