"""How long a text takes: an estimate, but one that grows as it should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice import spoken_length

SENTENCE = "Your parcel has arrived and can be collected until Friday at the counter in the market hall."  # 17 words


def test_a_sentence_takes_as_long_as_people_take() -> None:
    words_a_minute = 17 / spoken_length.seconds(SENTENCE) * 60
    assert 120 < words_a_minute < 180


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0.0),
        ("  \n", 0.0),
        ("1 2 6 4", 4 * 0.35 + 3 / 15),
        ("您好", 0.44),
        ("안녕", 0.44),
        ("é", 1 / 15),
        ("e\u0301", 1 / 15),
    ],
)
def test_each_script_counts_in_its_own_way(text: str, seconds: float) -> None:
    assert spoken_length.seconds(text) == pytest.approx(seconds)


@given(st.text(max_size=50), st.text(max_size=50))
def test_more_text_is_never_shorter(first: str, second: str) -> None:
    assert spoken_length.seconds(first.strip() + second) >= spoken_length.seconds(first) - 1e-9


def test_twice_as_fast_and_twice_is_the_same() -> None:
    assert spoken_length.seconds(SENTENCE, rate=2, times=2) == pytest.approx(spoken_length.seconds(SENTENCE))
