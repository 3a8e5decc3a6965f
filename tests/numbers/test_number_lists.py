"""A pool's numbers, pasted or from a CSV file: duplicates removed and said, bad ones named with their row."""

import pytest

from phone_numbers import number_lists
from phone_numbers.number_lists import InvalidNumbers, NumberList


class PastedTests:
    def test_however_they_are_separated(self) -> None:
        read = number_lists.read_pasted("9178605501\n+91 786-055 02, 9178605503;9178605504\t9178605505 9178605506")

        assert read.numbers == tuple(f"917860550{n}" for n in range(1, 7))

    @pytest.mark.parametrize("header", ["number", "\nPhone number", "手机"])
    def test_the_name_of_their_column_is_none_of_them(self, header: str) -> None:
        assert number_lists.read_pasted(f"{header}\n9178605501").numbers == ("9178605501",)

    @pytest.mark.parametrize(
        "text",
        ["9178605501.0", "+9178605501.00", "009178605501.0", "００９１７８６０５５０１", "＋９１ ７８６０５５０１"],
    )
    def test_a_figure_of_a_spreadsheet_is_the_number_before_its_point(self, text: str) -> None:
        assert number_lists.read_pasted(text).numbers == ("9178605501",)

    def test_the_same_number_twice_is_left_out_and_said(self) -> None:
        assert number_lists.read_pasted("9178605501\n+9178605501\n009178605501\n9178605502") == (
            ("9178605501", "9178605502"),
            ("9178605501", "9178605501"),
        )

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("123456", "6 digits; a number has 7 to 15"),
            ("1234567890123456", "16 digits; a number has 7 to 15"),
            ("91786055o1", "is not a number"),
            ("9178605501.5", "is a decimal number"),
            ("9.17E+9", "Format the column as text"),
            ("９１７８６０５５０１x", "is not a number"),
        ],
    )
    def test_what_is_none_says_why(self, text: str, why: str) -> None:
        with pytest.raises(InvalidNumbers, match=why):
            number_lists.read_pasted(text)

    def test_it_is_told_by_its_line(self) -> None:
        with pytest.raises(InvalidNumbers, match="Line 3: “abc” is not"):
            number_lists.read_pasted("phone\n9178605501\nabc, 9178605502")

    def test_the_lengths_at_the_limits(self) -> None:
        assert number_lists.read_pasted("1234567 123456789012345").numbers == ("1234567", "123456789012345")

    def test_many_bad_ones_are_shortened(self) -> None:
        with pytest.raises(InvalidNumbers) as caught:
            number_lists.read_pasted("\n".join(f"bad{n}" for n in range(40)))

        assert (len(caught.value.problems), caught.value.problems[-1]) == (11, "And 30 more like these.")

    def test_nothing_is_an_empty_list(self) -> None:
        assert number_lists.read_pasted(" \n ") == NumberList((), ())


class CsvTests:
    @pytest.mark.parametrize(
        "raw",
        [
            b"9178605501\n9178605502\n",
            b"Number\r\n9178605501\r\n9178605502\r\n",
            "\ufeffid;phone;note\n1;+91 7860 5501;x\n2;9178605502;\n".encode(),
            "phone\n9178605501\n9178605502\n".encode("utf-16"),
            b'"name","Mobile No."\n"a, b","9178605501"\n\n"c","9178605502"\n',
        ],
    )
    def test_as_programs_write_it(self, raw: bytes) -> None:
        assert number_lists.read_csv(raw).numbers == ("9178605501", "9178605502")

    def test_what_laaffic_holds_stays_as_it_is(self) -> None:
        raw = b"number\n1258\n9178605501\n1258\n"

        read = number_lists.read_csv(raw, held=("1258",))

        assert (read.numbers, read.duplicates) == (("1258", "9178605501"), ("1258",))
        with pytest.raises(number_lists.InvalidNumbers, match="has 4 digits"):
            number_lists.read_csv(raw)

    def test_a_bad_cell_names_its_row(self) -> None:
        with pytest.raises(InvalidNumbers, match=r"Row 3: “9\.17E\+09”: A spreadsheet has shortened this number"):
            number_lists.read_csv(b"number\n9178605501\n9.17E+09\n")

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"", "empty"),
            (b"PK\x03\x04rest", "workbook"),
            (b"\x89PNG\r\n\x1a\n\x00\xff", "not a text file"),
            (b"a,b\n1234567,7654321\n", "No column is called number"),
            (b"1" * (1024 * 1024 + 1), "larger than 1 MB"),
        ],
    )
    def test_what_is_no_list_says_why(self, raw: bytes, why: str) -> None:
        with pytest.raises(InvalidNumbers, match=why):
            number_lists.read_csv(raw)

    def test_a_number_both_pasted_and_in_the_file_is_a_double(self) -> None:
        joined = number_lists.join(
            number_lists.read_pasted("9178605501"), number_lists.read_csv(b"9178605501\n1234567")
        )

        assert joined == (("9178605501", "1234567"), ("9178605501",))


@pytest.mark.parametrize("below", [1, 20_000])
def test_an_open_quotation_mark_swallows_no_number(below: int) -> None:
    raw = b'number,name\n9178605501,Ann\n9178605502,"Ben\n' + b"9178605503,Cy\n" * below

    with pytest.raises(InvalidNumbers, match="Row 3: a quotation mark is left open"):
        number_lists.read_csv(raw)
