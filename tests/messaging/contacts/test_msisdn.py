"""Numbers as people write them; the table of patterns against the library it was made from."""

import random
import time
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers import timezone as phone_time_zones

from messaging import msisdn
from messaging.msisdn import InvalidNumber, Msisdn, calling_codes, national

INDIAN = Msisdn("919876543210", "IN", ("Asia/Calcutta",), is_valid=True)


class WrittenByPeopleTests:
    @pytest.mark.parametrize(
        "text",
        [
            "919876543210",
            "+919876543210",
            "+91 98765-43210",
            "0091 98765 43210",
            "00 91 9876543210",
            "(+91) 98765 43210",
            "+91 (0)98765 43210",
            "+91.98765.43210",
            "'919876543210",
            '"+919876543210"',
            "tel:+91-98765-43210",
            "+91\u00a098765\u00a043210",
            "\u202a+919876543210\u202c",
            "\ufeff919876543210",
            "+91\u200b98765\u200d43210",
            "＋９１ ９８７６５ ４３２１０",
            "٩١٩٨٧٦٥٤٣٢١٠",
            "۹۱۹۸۷۶۵۴۳۲۱۰",
            "+९१ ९८७६५ ४३२१०",
            "91–98765—43210",
            "919876543210.0",
            "919876543210,00",
            "+919876543210.0",
            "+919876543210,00",
            "'+919876543210.0",
            "00919876543210.0",
            "  919876543210\t",
        ],
    )
    def test_one_number_in_many_writings(self, text: str) -> None:
        assert msisdn.parse(text) == INDIAN

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "The number is missing"),
            (" ' ", "The number is missing"),
            ("( )", "The number is missing"),
            ("9.19877E+11", "Format the column as text"),
            ("9,19877e11", "Format the column as text"),
            ("9E+11", "Format the column as text"),
            ("919876543210.5", "decimal number"),
            ("+919876543210.5", "decimal number"),
            ("+9.19877E+11", "Format the column as text"),
            ("9198765432.10", "decimal number"),
            ("call the office", "not a phone number"),
            ("n/d", "not a phone number"),
            ("+91 98765 4321O", "not a phone number"),
            ("+1 212 555 0100 ext 4", "not a phone number"),
            ("++919876543210", "not a phone number"),
            ("12345", "too short"),
            ("+91 98765", "too short for its country code"),
            ("+1 212 555 0123 98", "too long for its country code"),
            ("919876543210 / 919876543211", "a row of its own"),
            ("+99 12 345 678", "does not begin with a country code"),
            ("0000000000", "does not begin with a country code"),
            ("09876543210", "does not begin with a country code. Write it like"),
        ],
    )
    def test_what_is_no_number_says_what_to_do(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidNumber, match=reason.replace("+", r"\+")):
            msisdn.parse(text)

    @pytest.mark.parametrize(
        ("text", "where_it_is_chosen", "elsewhere"),
        [
            ("13800138", "choose its country.", "begin with + and its country's code."),
            ("09876543210", "Or choose the country these numbers belong to.", "Write it like +91 98765 43210."),
        ],
    )
    def test_a_country_is_asked_for_only_where_one_can_be_chosen(
        self, text: str, where_it_is_chosen: str, elsewhere: str
    ) -> None:
        for region, ending in (("", where_it_is_chosen), (None, elsewhere)):
            with pytest.raises(InvalidNumber) as refused:
                msisdn.parse(text, region)
            assert str(refused.value).endswith(ending)

    def test_a_possible_number_is_kept_and_marked(self) -> None:
        assert msisdn.parse("+91 5555 5555") == Msisdn("9155555555", "IN", (), is_valid=False)

    @pytest.mark.parametrize("text", ["+80012345678", "+883510012345", "+870773111632"])
    def test_a_number_of_the_whole_world_has_no_country(self, text: str) -> None:
        assert msisdn.parse(text).country == ""

    @pytest.mark.parametrize(
        ("text", "country"),
        [
            ("+12125550123", "US"),
            ("+14165550123", "CA"),
            ("+18765550123", "JM"),
            ("+79161234567", "RU"),
            ("+77071234567", "KZ"),
            ("+447400123456", "GB"),
            ("+447781123456", "GG"),
            ("+447797123456", "JE"),
            ("+390669812345", "VA"),
            ("+4779123456", "SJ"),
        ],
    )
    def test_countries_that_share_a_calling_code_are_told_apart(self, text: str, country: str) -> None:
        assert msisdn.parse(text).country == country


class SecondNumberTests:
    @pytest.mark.parametrize("region", [None, "IN"])
    @pytest.mark.parametrize(
        "text",
        [
            *("98765 43210/11", "98765-43210/11", "9876543210/1", "9876543210 / 9876543211", "9876543210/9876543211"),
            *("2345678/2345679", "2345678 / 79", "022-2345678/79", "2345678 · 2345679", "2345678\n2345679"),
            *("2345678\t2345679", "2345678   2345679", "2345678-2345679", "98765 43210 (11)", "9876543210 [2]"),
            *("98765 43210-11", "9876543210 - 1", "98765 43210.11", "+91 98765 43210-1", "+91 98765/43210/11"),
            *("98765 43210 or 11", "98765 43210, 11", "98765 43210;11", "98765 43210 & 11", "98765 43210 x12"),
            *("98765 43210 ext. 5", "98765 43210#5", "98765 43210 (ext 5)", "9876543210+9876543211", "9876543210~11"),
            *("98765 43210 \u2044 11", "９８７６５４３２１０／１１", "98765 43210 \\ 11", "98765 43210 | 11"),
        ],
    )
    def test_it_is_refused_and_never_more_digits_of_the_first(self, text: str, region: str | None) -> None:
        with pytest.raises(InvalidNumber):
            msisdn.parse(text, region)

    @pytest.mark.parametrize(
        ("text", "region", "number"),
        [
            ("030/123456", "DE", "4930123456"),
            ("0049 151 / 20000021", "DE", "4915120000021"),
            ("0049 151 / 20000021", "", "4915120000021"),
            ("+49/151/20009007", "DE", "4915120009007"),
            ("0049/30/123456", "", "4930123456"),
            ("0171 / 1234567", "DE", "491711234567"),
            ("+49 171/1234567", None, "491711234567"),
            ("0475/12.34.56", "BE", "32475123456"),
            ("0475/12/34/56", "BE", "32475123456"),
            ("06/12/34/56/78", "FR", "33612345678"),
            ("+7 916 123-45-67", None, "79161234567"),
            ("8-916-123-45-67", "RU", "79161234567"),
            ("030 12345678-90", "DE", "49301234567890"),
            ("+49 30 123456-78", None, "493012345678"),
            ("06.12.34.56.78", "FR", "33612345678"),
            ("(+91) (98765) 43210", None, "919876543210"),
            ("p:+919876543210", None, "919876543210"),
        ],
    )
    def test_marks_inside_one_number_are_read(self, text: str, region: str | None, number: str) -> None:
        assert msisdn.parse(text, region).number == number


class DefaultCountryTests:
    @pytest.mark.parametrize(
        ("text", "region", "number"),
        [
            ("9876543210", "IN", "919876543210"),
            ("098765 43210", "IN", "919876543210"),
            ("919876543210", "IN", "919876543210"),
            ("+44 7911 123456", "IN", "447911123456"),
            ("07911 123456", "GB", "447911123456"),
            ("7911 123456", "GB", "447911123456"),
            ("(212) 555-0123", "US", "12125550123"),
            ("1 212 555 0123", "US", "12125550123"),
            ("011 91 98765 43210", "US", "919876543210"),
            ("8 916 123-45-67", "RU", "79161234567"),
            ("06 12345678", "IT", "390612345678"),
            ("0151 12345678", "DE", "4915112345678"),
        ],
    )
    def test_national_if_that_is_valid_else_with_its_country_code(self, text: str, region: str, number: str) -> None:
        assert msisdn.parse(text, region).number == number

    @pytest.mark.parametrize(
        ("text", "region", "number"),
        [
            ("001 65 9423 4567", "HK", "6594234567"),
            ("00 1 659 423 4567", "HK", "16594234567"),
            ("0011 44 7911 123456", "AU", "447911123456"),
            ("0011 61 412 345 678", "AU", "61412345678"),
            ("010 1 212 555 0123", "JP", "12125550123"),
            ("010-82-10-1234-5678", "JP", "821012345678"),
            ("001 82 10 1234 5678", "SG", "821012345678"),
            ("002 81 90 1234 5678", "TW", "819012345678"),
            ("00700 81 90 1234 5678", "KR", "819012345678"),
            ("8~10 44 7911 123456", "RU", "447911123456"),
            ("8 10 44 7911 123456", "KZ", "447911123456"),
            ("119 1 212 555 0123", "CU", "12125550123"),
            ("000 91 98765 43210", "KE", "919876543210"),
            ("0015 1 212 555 0123", "BR", "12125550123"),
            ("00 1 212 555 0123", "BR", "12125550123"),
            ("0055 48 91234-5678", "BR", "5548912345678"),  # carrier 55 and Poland, had anyone said so
            ("0044 7911 123456", "US", "447911123456"),
            ("0091 98765 43210", "IN", "919876543210"),
        ],
    )
    def test_what_is_dialled_for_abroad_there(self, text: str, region: str, number: str) -> None:
        assert msisdn.parse(text, region).number == number

    @pytest.mark.parametrize(("text", "region"), [("0016594234567", "HK"), ("0081 90 1234 5678", "KR")])
    def test_dialled_digits_of_two_readings_are_refused(self, text: str, region: str) -> None:
        with pytest.raises(InvalidNumber, match=r"can be \+\d+ or \+\d+. Write it with \+"):
            msisdn.parse(text, region)

    @pytest.mark.parametrize(
        ("text", "region"),
        [("447911123456", "IN"), ("6594234567", "BD"), ("4915112345678", "FR"), ("79161234567", "US")],
    )
    def test_a_foreign_number_without_plus_is_refused_unless_there_are_such(self, text: str, region: str) -> None:
        with pytest.raises(InvalidNumber, match=f"of {region}. .*with \\+ and its country code"):
            msisdn.parse(text, region)

        assert msisdn.parse(text, region, foreign_without_plus=True) == msisdn.parse(f"+{text}")

    @pytest.mark.parametrize("region", ["BD", "NG", "KE", "PK", "GB", "SG"])
    def test_a_mobile_with_a_digit_too_many_becomes_nobody_abroad(self, region: str) -> None:
        mobile = phonenumbers.national_significant_number(
            phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        )
        code = str(phonenumbers.country_code_for_region(region))

        for at in range(len(mobile)):
            for extra in "0123456789":
                try:
                    found = msisdn.parse(mobile[:at] + extra + mobile[at:], region)
                except InvalidNumber:
                    continue
                assert found.number.startswith(code)

    def test_a_mobile_number_of_the_country_wins_over_one_abroad(self) -> None:
        assert msisdn.parse("6281234567").country == "ID"
        assert msisdn.parse("6281234567", "IN").number == "916281234567"

    def test_two_readings_are_refused_where_neither_is_a_mobile_of_the_country(self) -> None:
        with pytest.raises(InvalidNumber, match=r"\+49919876543210 or \+919876543210. Write it with \+"):
            msisdn.parse("919876543210", "DE")

    @pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
    def test_a_mobile_of_the_country_may_have_its_code_without_plus(self, region: str) -> None:
        example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        if example is not None:
            digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
            assert msisdn.parse(digits, region).number == digits

    def test_a_leading_zero_leaves_one_reading(self) -> None:
        assert msisdn.parse("030 123456", "DE").number == "4930123456"

    def test_where_neither_is_valid_it_is_not_somebody_abroad(self) -> None:
        found = msisdn.parse("391 234 5678", "US")

        assert (found.number, found.is_valid) == ("13912345678", False)

    def test_too_short_names_the_country(self) -> None:
        with pytest.raises(InvalidNumber, match="too short for IN"):
            msisdn.parse("98765", "IN")


class AnyTextTests:
    @given(st.text(max_size=30), st.sampled_from([None, "IN", "US", "DE", "AR"]))
    @example("+" * 20, None)
    @example("²" * 12, "IN")
    @example("𝟗𝟏𝟗𝟖𝟕𝟔𝟓𝟒𝟑𝟐𝟏𝟎", None)
    @settings(max_examples=300, deadline=None)
    def test_a_number_or_a_sentence(self, text: str, region: str | None) -> None:
        try:
            found = msisdn.parse(text, region)
        except InvalidNumber as reason:
            assert str(reason).endswith(".")  # noqa: PT017 - either outcome is right
        else:
            assert found.number.isdecimal()
            assert found.number.isascii()
            assert 7 <= len(found.number) <= 15
            assert len(found.country) in (0, 2)

    @given(st.integers(10**6, 10**15 - 1))
    @example(2_640_000_000_000)  # a zero behind the calling code, and behind it another
    @example(4_300_000_000)
    @settings(max_examples=300, deadline=None)
    def test_a_number_that_was_read_reads_as_itself(self, number: int) -> None:
        try:
            once = msisdn.parse(str(number))
        except InvalidNumber:
            return
        assert msisdn.parse(once.number) == once
        assert msisdn.parse(f"+{once.number}") == once


@pytest.mark.thorough
class AgainstTheLibraryTests:
    """A yes of the table must be the library's yes, with the same country and time zones."""

    def test_the_table_and_the_library_agree(self) -> None:
        seen = accepted = 0
        for digits in candidates(random.Random(7), tails=34):
            seen += 1
            quick = calling_codes.in_table(digits)
            if quick is not None:
                accepted += 1
                assert quick == by_library(digits), digits
        assert seen >= 20_000
        assert accepted >= 10_000

    def test_parse_gives_what_the_library_gives(self) -> None:
        for digits in candidates(random.Random(8), tails=6):
            try:
                found = msisdn.parse(digits)
            except InvalidNumber:
                found = None
            assert found == by_library(digits), digits

    def test_national_numbers_too(self) -> None:
        chance = random.Random(9)
        compared = 0
        for region in sorted(phonenumbers.SUPPORTED_REGIONS):
            for digits in nationals(chance, region, tails=4):
                parsed = phonenumbers.parse(digits, region)
                if phonenumbers.is_valid_number(parsed):
                    found = national.read_national(digits, region)
                    assert found == of_library(parsed), (digits, region)
                    compared += 1
        assert compared > 1000

    @pytest.mark.reliability
    def test_it_is_much_faster(self) -> None:
        numbers = [digits for digits in candidates(random.Random(10), tails=2) if calling_codes.in_table(digits)]

        ours = fastest(lambda: [msisdn.parse(digits) for digits in numbers])
        library = fastest(lambda: [by_library(digits) for digits in numbers])

        assert library / ours > 4


def candidates(chance: random.Random, tails: int) -> Iterator[str]:
    """Numbers around every example number of every country, most of them valid or nearly."""
    kinds = [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE, PhoneNumberType.VOIP]
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in kinds:
            found = phonenumbers.example_number_for_type(region, kind)
            if found is None:
                continue
            digits = phonenumbers.format_number(found, PhoneNumberFormat.E164)[1:]
            yield digits
            for _ in range(tails):
                changed = chance.randint(1, 7)
                yield digits[:-changed] + "".join(
                    chance.choices("0123456789", k=changed + chance.choice((-1, 0, 0, 1)))
                )


def nationals(chance: random.Random, region: str, tails: int) -> Iterator[str]:
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
        found = phonenumbers.example_number_for_type(region, kind)
        if found is None:
            continue
        digits = phonenumbers.national_significant_number(found)
        prefix = PhoneMetadata.metadata_for_region(region).national_prefix or ""
        for _ in range(tails):
            tail = "".join(chance.choices("0123456789", k=3))
            yield digits[:-3] + tail
            yield prefix + digits[:-3] + tail


def by_library(digits: str) -> Msisdn | None:
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    return of_library(parsed)


def of_library(parsed: phonenumbers.PhoneNumber) -> Msisdn | None:
    number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)[1:]
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != ValidationResult.IS_POSSIBLE or not 7 <= len(number) <= 15:
        return None
    country = phonenumbers.region_code_for_number(parsed)
    if not country:
        regions = phonenumbers.region_codes_for_country_code(parsed.country_code)
        country = regions[0] if len(regions) == 1 else ""
    zones = tuple(zone for zone in phone_time_zones.time_zones_for_number(parsed) if zone != "Etc/Unknown")
    return Msisdn(number, country.replace("001", ""), zones, phonenumbers.is_valid_number(parsed))


def fastest(work: object) -> float:
    times = []
    for _ in range(3):
        started = time.thread_time()
        work()  # type: ignore[operator]
        times.append(time.thread_time() - started)
    return min(times)
