"""Saved reports as the API shows them."""

from typing import Any

from django.contrib.auth.models import User

from laaffic_console.api.documents import moment
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.reports.models import Report, Sending
from laaffic_console.reports.services import saving

AS_THEY_ARE = ("name", "query", "is_shared", "schedule", "weekday", "month_day", "hour", "format")


def report(row: Report, reader: User) -> dict[str, Any]:
    """A report; addresses, which a problem may name too, only for its owner and readers who may send to any address."""
    sees_addresses = row.owner_id == reader.pk or reader.has_perm(saving.ADDRESS)
    last = _last(row)
    return {
        "id": row.pk,
        "owner": row.owner.get_username(),
        **{name: getattr(row, name) for name in AS_THEY_ARE},
        "users": sorted(user.get_username() for user in row.users.all()),
        "addresses": saving.addresses_of(row) if sees_addresses else [],
        "next_at": moment(row.next_at),
        "last_sending": sending(last, sees_problem=sees_addresses) if last else None,
    }


def _last(row: Report) -> Sending | None:
    """The last sending: the one that was read along with a list, or one read now."""
    read = getattr(row, "last_sendings", None)
    return row.sendings.first() if read is None else next(iter(read), None)


def sending(row: Sending, *, sees_problem: bool) -> dict[str, Any]:
    return {
        "state": row.state,
        "made_at": moment(row.made_at),
        "ended_at": moment(row.ended_at),
        "recipients": row.recipients,
        "problem": in_text(row.problem) if sees_problem else "",
    }
