"""What a server lacks on purpose says so, and how it is got."""

import sys

import pytest
from django.conf import LazySettings

from laaffic_console import __main__ as program


@pytest.mark.parametrize("command", ["sandbox", "rehearse"])
def test_what_make_production_leaves_out_is_named(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    settings.CAN_TRY = False
    monkeypatch.setattr(sys, "argv", ["laaffic-console", command])

    with pytest.raises(SystemExit, match=r"pip install 'laaffic-console\[sandbox\]'"):
        program.main()
