"""Segments: the boundaries of GSM 03.38, an independent codec and a plain packer as judges."""

import timeit

import pytest
from gsm0338 import Codec
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from laaffic_console.kit.words.plain_text import composed
from messaging.text import segments
from messaging.text.segments import Encoding, count

ESCAPE = "\x1b"  # stands in the standard's table as the way to the extension, and is not a character
codec = Codec()

gsm_texts = st.text(st.sampled_from(segments.BASIC + segments.EXTENSION), max_size=700)
texts = st.one_of(
    gsm_texts,
    st.text(max_size=300),
    st.text(st.sampled_from("aé€^[😀ш’ \n"), max_size=400),
)
without_deadline = hypothesis_settings(deadline=None, database=None)


def replace_forcing(text: str) -> str:
    """The text with all replacements made, as the button of the counter makes them."""
    return composed(text).translate(str.maketrans(segments.REPLACEMENTS))


def can_be_gsm(character: str) -> bool:
    try:
        codec.encode(character)
    except UnicodeEncodeError:
        return False
    return character != ESCAPE


def widths(text: str, encoding: str) -> list[int]:
    if encoding == "GSM-7":
        return [len(codec.encode(character)[0]) for character in text]
    return [len(character.encode("utf-16-be")) // 2 for character in text]


def packed(text: str, encoding: str) -> tuple[int, int]:
    """(segments, units left in the last), one character after the other."""
    sizes = widths(text, encoding)
    single, joined = (160, 153) if encoding == "GSM-7" else (70, 67)
    if sum(sizes) <= single:
        return 1, single - sum(sizes)
    rooms = [joined]
    for size in sizes:
        if size > rooms[-1]:
            rooms.append(joined)
        rooms[-1] -= size
    return len(rooms), rooms[-1]


def short(value: object) -> str:
    return repr(value)[:12]


class AlphabetTests:
    def test_it_is_the_one_of_the_standard(self) -> None:
        whole_plane = map(chr, [*range(0xD800), *range(0xE000, 0x10000)])

        assert {character for character in whole_plane if can_be_gsm(character)} == segments.GSM_7_CHARACTERS

    def test_no_character_stands_twice(self) -> None:
        assert len(segments.BASIC + segments.EXTENSION) == len(segments.GSM_7_CHARACTERS) == 127 + 10

    @pytest.mark.parametrize("character", "^{}\\[~]|€\f")
    def test_an_extension_character_costs_two_septets(self, character: str) -> None:
        assert count(character).units == 2

    @pytest.mark.parametrize("character", ["`", "\t", "ç", "’", "\u00a0", "ш", "\x00", ESCAPE, "😀", "\ue000"])
    def test_another_character_forces_ucs_2(self, character: str) -> None:
        assert count(f"ab{character}").encoding is Encoding.UCS_2


class BoundaryTests:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", (1, 160)),
            ("a" * 160, (1, 0)),
            ("a" * 161, (2, 145)),
            ("a" * 306, (2, 0)),
            ("a" * 307, (3, 152)),
            ("a" * 1024, (7, 47)),
            ("€" * 80, (1, 0)),
            ("€" * 81, (2, 143)),  # 76 of them in the first, whose last septet stays empty
            ("a" * 159 + "€", (2, 145)),
            ("a" * 152 + "€" + "b" * 152, (3, 152)),  # the pair moves whole to the second, which then lacks one
            ("a" * 151 + "€" + "b" * 153, (2, 0)),
            ("a" * 152 + "€" + "b" * 151, (2, 0)),
        ],
        ids=short,
    )
    def test_gsm_7(self, text: str, expected: tuple[int, int]) -> None:
        counted = count(text)

        assert counted.encoding is Encoding.GSM_7
        assert (counted.segments, counted.units_left) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ш" * 70, (1, 0)),
            ("ш" * 71, (2, 63)),
            ("ш" * 134, (2, 0)),
            ("ш" * 135, (3, 66)),
            ("😀" * 35, (1, 0)),
            ("😀" * 36, (2, 61)),  # 33 of them in the first, whose last unit stays empty
            ("ш" * 69 + "😀", (2, 63)),
            ("ш" * 66 + "😀" + "ш" * 65, (2, 0)),
            ("ш" * 66 + "😀" + "ш" * 66, (3, 66)),
            ("ш" * 65 + "😀" + "ш" * 67, (2, 0)),
            ("€" * 69 + "ш", (1, 0)),  # what costs two septets is one unit
        ],
        ids=short,
    )
    def test_ucs_2(self, text: str, expected: tuple[int, int]) -> None:
        counted = count(text)

        assert counted.encoding is Encoding.UCS_2
        assert (counted.segments, counted.units_left) == expected

    @pytest.mark.parametrize("parts", range(2, 8))
    def test_full_segments_and_one_septet_more(self, parts: int) -> None:
        assert count("a" * 153 * parts).segments == parts
        assert count("a" * (153 * parts + 1)).segments == parts + 1

    @pytest.mark.parametrize(
        ("text", "capacity"), [("a", 160), ("a" * 160, 160), ("a" * 161, 153), ("ш", 70), ("ш" * 71, 67)], ids=short
    )
    def test_capacity_of_a_segment_depends_on_there_being_others(self, text: str, capacity: int) -> None:
        assert count(text).units_per_segment == capacity

    def test_characters_are_code_points_and_units_are_not(self) -> None:
        counted = count("😀€")

        assert (counted.characters, counted.units) == (2, 3)


class OracleTests:
    @given(gsm_texts)
    @without_deadline
    def test_septets_are_those_of_the_codec(self, text: str) -> None:
        assert count(text).units == len(codec.encode(text)[0])

    @given(texts)
    @without_deadline
    def test_units_are_those_of_the_encoding(self, text: str) -> None:
        counted = count(text)

        assert counted.units == sum(widths(text, counted.encoding))

    @given(texts)
    @without_deadline
    def test_splitting_is_that_of_a_plain_packer(self, text: str) -> None:
        counted = count(text)

        assert (counted.segments, counted.units_left) == packed(text, counted.encoding)

    @given(texts)
    @without_deadline
    def test_forcing_characters_are_all_that_the_codec_refuses(self, text: str) -> None:
        refused = tuple((at, character) for at, character in enumerate(text) if not can_be_gsm(character))

        assert count(text).forcing == refused
        assert (count(text).encoding is Encoding.UCS_2) == bool(refused)

    @given(texts, st.data())
    @without_deadline
    def test_a_longer_text_is_never_cheaper(self, text: str, data: st.DataObject) -> None:
        cut = data.draw(st.integers(0, len(text)))

        assert count(text[:cut]).segments <= count(text).segments


class ReplacementTests:
    @pytest.mark.parametrize(
        ("written", "plain"),
        [
            ("’", "'"),
            ("‘", "'"),
            ("`", "'"),
            ("“", '"'),
            ("»", '"'),
            ("–", "-"),
            ("—", "-"),
            ("…", "..."),
            ("\u00a0", " "),
            ("\u202f", " "),
            ("\t", " "),
            ("\u200b", ""),
            ("ç", "c"),
            ("Á", "A"),
            ("ș", "s"),
            ("ş", "s"),
            ("ł", "l"),
            ("ộ", "o"),
            ("œ", "oe"),
            ("é", None),
            ("a", None),
            ("ш", None),
            ("😀", None),
        ],
    )
    def test_replacements(self, written: str, plain: str | None) -> None:
        assert segments.REPLACEMENTS.get(written) == plain

    def test_each_one_replaces_a_character_that_forces_by_some_that_do_not(self) -> None:
        assert all(len(written) == 1 for written in segments.REPLACEMENTS)
        assert not segments.GSM_7_CHARACTERS & segments.REPLACEMENTS.keys()
        assert segments.GSM_7_CHARACTERS.issuperset("".join(segments.REPLACEMENTS.values()))

    def test_all_at_once(self) -> None:
        assert segments.count(replace_forcing("Jose\u0301 Nun\u0303ez")).encoding == segments.Encoding.GSM_7
        replaced = replace_forcing("“Don’t – wait…”\u00a0déjà vu, Łódź 😀")

        assert replaced == '"Don\'t - wait..." déjà vu, Lódz 😀'.replace("ó", "o")

    @given(gsm_texts)
    @without_deadline
    def test_a_gsm_7_text_stays_as_it_is(self, text: str) -> None:
        assert replace_forcing(text) == text

    @pytest.mark.parametrize("text", ["❤️", "👩‍👩‍👧", "می‌خواهم"])
    def test_what_joins_characters_that_stay_is_left_alone(self, text: str) -> None:
        assert replace_forcing(text) == text


class SpeedTests:
    def test_a_million_texts_take_seconds(self) -> None:
        text = "Hello Ann, your order 12345 is on its way and will be with you tomorrow: example.com/t/abcdef"[:100]
        best = min(timeit.repeat(lambda: count(text), number=1000, repeat=20)) / 1000

        assert best < 30e-6  # 2.5 µs on a quiet machine; ten times that is another algorithm
