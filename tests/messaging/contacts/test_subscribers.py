"""Which numbers are one subscriber."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata

from messaging import msisdn
from messaging.subscribers import spellings, subscriber

SAME = [
    ("525512345678", ["5215512345678"]),
    ("5491123456789", ["541123456789", "54111523456789", "549111523456789"]),
    ("5492214567890", ["542214567890", "54221154567890"]),
    ("5492202567890", ["542202567890", "54220215567890"]),
    ("5511987654321", ["551187654321"]),
    ("84771234567", ["841221234567"]),
    ("84391234567", ["841691234567"]),
    ("2250707123456", ["22507123456"]),
    ("2250544123456", []),
    ("2250546123456", ["22546123456"]),
    ("2290197123456", ["22997123456"]),
    ("237677123456", ["23777123456"]),
    ("24177123456", ["24107123456", "2417123456"]),
    ("970591234567", ["972591234567"]),
]
APART = [
    ("551131234567", "a landline: eight digits from 2 to 5 never had a ninth"),
    ("5511941234567", "without its 9 it would be somebody's landline"),
    ("390612345678", "the zero of Italy is a part of the number"),
    ("919876543210", "one spelling only"),
    ("972541234567", "an Israeli mobile"),
    ("2302101234", "Mauritius: old and new lengths overlap"),
]


class SpellingTests:
    @pytest.mark.parametrize(("usual", "others"), SAME)
    def test_all_of_them_are_one_subscriber(self, usual: str, others: list[str]) -> None:
        assert {subscriber(number) for number in [usual, *others]} == {usual}
        assert set(others) <= set(spellings(usual))
        assert all(set(spellings(other)) == set(spellings(usual)) for other in others)

    @pytest.mark.parametrize(("number", "why"), APART)
    def test_a_number_without_another_spelling_stays_alone(self, number: str, why: str) -> None:
        assert spellings(number) == (number,), why

    @given(st.sampled_from(["52", "54", "55", "84", "225", "229", "237", "241", "970", "972", "1", "44"]), st.data())
    def test_every_spelling_leads_back_to_the_same_subscriber(self, code: str, data: st.DataObject) -> None:
        number = code + data.draw(st.text("0123456789", min_size=7, max_size=15 - len(code)))

        found = spellings(number)

        assert found[0] == number
        assert len(set(found)) == len(found)
        assert {subscriber(other) for other in found} == {subscriber(number)}
        assert all(set(spellings(other)) == set(found) for other in found)

    @given(st.sampled_from(["11", "221", "223", "2202", "2954", "351", "3541"]), st.data())
    def test_argentinas_15_is_read_as_the_library_reads_it(self, area: str, data: st.DataObject) -> None:
        rest = data.draw(st.text("23456789", min_size=10 - len(area), max_size=10 - len(area)))
        metadata = PhoneMetadata.metadata_for_region("AR")
        assert metadata is not None
        home = re.compile(metadata.national_prefix_for_parsing or "").match(f"{area}15{rest}")

        if home is not None and home.group(1) == area:
            assert subscriber(f"54{area}15{rest}") == f"549{area}{rest}"

    @pytest.mark.parametrize("usual", [usual for usual, others in SAME if others])
    def test_the_usual_one_is_what_the_library_calls_valid(self, usual: str) -> None:
        assert msisdn.parse(usual).is_valid
