"""The models of numbers, to be imported from here."""

from phone_numbers.models.bindings import Binding, BindingKind, BindingRequest
from phone_numbers.models.owned import OwnedNumber
from phone_numbers.models.pools import NumberPool, PoolVersion
from phone_numbers.models.syncs import SyncStatus

__all__ = [
    "Binding",
    "BindingKind",
    "BindingRequest",
    "NumberPool",
    "OwnedNumber",
    "PoolVersion",
    "SyncStatus",
]
