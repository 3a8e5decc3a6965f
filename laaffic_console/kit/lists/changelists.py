"""The list that an admin's page of rows is about to show."""

from typing import Any


def changelist_of(response: Any) -> Any:
    """The ChangeList of what `changelist_view` answers; None where it leads elsewhere or shows something else."""
    return (getattr(response, "context_data", None) or {}).get("cl")
