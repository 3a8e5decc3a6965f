"""Whatever is pushed: answered, applied to the end, and every body accounted for. In full: see CONTRIBUTING."""

import logging

import pytest
from django.conf import LazySettings

from tests import fuzzed_pushes

pytestmark = pytest.mark.django_db

TOKEN = "a-token-that-nobody-guesses"
BODIES = 60  # of each seed; the full number is a command


@pytest.fixture(autouse=True)
def _hooks(settings: LazySettings) -> None:
    settings.LAAFFIC_PUSH_TOKENS, settings.LAAFFIC_PUSH_SOURCES = [TOKEN], []


@pytest.mark.parametrize("seed", range(1, 5))
def test_hostile_bodies_neither_stall_nor_get_lost(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    verdict = fuzzed_pushes.play(seed, BODIES, TOKEN)

    assert verdict.is_clean, verdict
    assert verdict.failed * 20 <= BODIES, "what is merely odd is applied, not given up"


def test_the_same_seed_makes_the_same_bodies() -> None:
    assert list(fuzzed_pushes.bodies(7, 50)) == list(fuzzed_pushes.bodies(7, 50))
