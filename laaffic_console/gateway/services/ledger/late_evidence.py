"""Late evidence in a copied list or an answer: a request was done, although an earlier list did not show it."""

import datetime as dt

from django.db.models import Q

from laaffic_console.gateway.services.ledger import known_by, ledger

# What a list did not show may still turn up in a later one. After this time somebody else may have done the same.
SHOWS_WITHIN = dt.timedelta(days=1)


def denied_lately(began: dt.datetime, way: str = "") -> Q:
    """Refused as a list did not show it, and not long ago: one that was read since `began` may.

    Of entries, or of what `way` leads to them from: whose recent rows are to be found by an index, as the ledger's are
    not.
    """
    left = {f"{way}left_at__gte": began - SHOWS_WITHIN, f"{way}left_at__lt": began}
    return ledger.denied_by_evidence(way) & Q(**left)


def accepted(entry_id: int) -> None:
    """The answer says so, also where a list did not show it before the answer came."""
    if not ledger.settle_accepted(entry_id):
        ledger.was_done_after_all(entry_id, evidence=known_by.answer())
