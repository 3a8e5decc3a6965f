"""The gateway's ids as our rows keep them."""

import hashlib

LENGTH = 40  # of the columns that hold one; documented ids have 19 or 20 digits (laaffic-api#ids)


def kept(gateway_id: str) -> str:
    """The id itself; of one that is longer than any that is documented, a short form that no other id has."""
    if len(gateway_id) <= LENGTH:
        return gateway_id
    return f"{gateway_id[:23]}~{hashlib.sha256(gateway_id.encode(errors='replace')).hexdigest()[:16]}"


def can_be_asked_for(gateway_id: str) -> bool:
    """Ids go into a comma-separated list: one with a comma, or a short form, would spoil the question for all."""
    return bool(gateway_id.strip()) and "," not in gateway_id and not (len(gateway_id) == LENGTH and "~" in gateway_id)
