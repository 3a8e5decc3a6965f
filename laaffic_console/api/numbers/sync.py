"""Views that have Laaffic's lists of numbers read again."""

from laaffic_console.api import copied_lists
from laaffic_console.api.models import Scope
from laaffic_console.api.numbers.views import LOOK_AT_BINDINGS, LOOK_AT_OWNED, LOOK_AT_POOLS
from phone_numbers.services import binding_sync, owned_sync, pool_sync
from phone_numbers.services.syncing import COPIES

BINDINGS = copied_lists.view_of(
    "Bindings", COPIES, binding_sync.names, look=LOOK_AT_BINDINGS, sync="numbers.change_binding", scope=Scope.NUMBERS
)
POOLS = copied_lists.view_of(
    "Pools", COPIES, pool_sync.names, look=LOOK_AT_POOLS, sync="numbers.change_numberpool", scope=Scope.NUMBERS
)
OWNED = copied_lists.view_of(
    "Owned", COPIES, owned_sync.names, look=LOOK_AT_OWNED, sync="numbers.change_ownednumber", scope=Scope.NUMBERS
)
