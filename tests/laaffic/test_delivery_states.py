"""What a status says by its source."""

import pytest

from laaffic_console.laaffic import DeliveryState, Source
from laaffic_console.laaffic.delivery_states import delivery_state


class DeliveryStateTests:
    @pytest.mark.parametrize(
        ("source", "status", "state"),
        [
            (Source.GET_REPORT, "0", DeliveryState.DELIVERED),
            (Source.GET_REPORT, "-1", DeliveryState.PENDING),
            (Source.GET_REPORT, "1", DeliveryState.FAILED),
            (Source.GET_REPORT, "2", DeliveryState.UNKNOWN),
            (Source.GET_REPORT, "", DeliveryState.UNKNOWN),
            (Source.GET_SENT_RCD, "0", DeliveryState.DELIVERED),
            (Source.GET_SENT_RCD, "-1", DeliveryState.PENDING),
            (Source.GET_SENT_RCD, "1", DeliveryState.FAILED),
            (Source.GET_SENT_RCD, "2", DeliveryState.FAILED),
            (Source.GET_SENT_RCD, "3", DeliveryState.UNKNOWN),
            (Source.PUSH, "0", DeliveryState.DELIVERED),
            (Source.PUSH, "1", DeliveryState.FAILED),
            (Source.PUSH, "-1", DeliveryState.FAILED),
            (Source.PUSH, "7", DeliveryState.FAILED),
        ],
    )
    def test_a_status_by_its_source(self, source: Source, status: str, state: DeliveryState) -> None:
        assert delivery_state(source, status) is state
