"""A pool's whitelist: what is an address, and what an operator reads when something is none."""

import pytest

from phone_numbers import addresses


class ReadTests:
    def test_however_they_are_separated(self) -> None:
        read = addresses.read("192.168.10.17, 192.168.10.18\n10.0.0.30;10.0.0.31，10.0.0.32")

        assert read.addresses == ("192.168.10.17", "192.168.10.18", "10.0.0.30", "10.0.0.31", "10.0.0.32")

    def test_the_same_one_twice_is_left_out_and_named(self) -> None:
        read = addresses.read("10.0.0.1,10.0.0.2,10.0.0.1,10.0.0.1")

        assert read == (("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.1"))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("10.0.0.300", "four numbers from 0 to 255"),
            ("10.0.0", "four numbers from 0 to 255"),
            ("010.0.0.1", "without leading zeros"),
            ("10.0.0.0/24", "is a range"),
            ("10.0.0.1-9", "is a range"),
            ("2001:db8::1", "not an IPv4 address"),
            ("sip.example.com", "is not an address"),
            ("", "There is no address"),
            (" , ;\n", "There is no address"),
        ],
    )
    def test_what_is_none_says_why(self, text: str, why: str) -> None:
        with pytest.raises(addresses.InvalidAddresses, match=why):
            addresses.read(text)

    def test_each_bad_one_is_named(self) -> None:
        with pytest.raises(addresses.InvalidAddresses) as caught:
            addresses.read("10.0.0.300,10.0.0.1,nonsense,10.0.0.300")

        assert len(caught.value.problems) == 2

    def test_two_hundred_and_one(self) -> None:
        whole = [f"10.10.1{n:02d}.10" for n in range(15)]  # 15 × 12 + 14 = 194
        exactly, too_long = [*whole[:14], "10.1.1.1", "1.1.1.10"], [*whole[:14], "10.10.1.1", "1.1.1.10"]

        assert len(",".join(addresses.read(",".join(exactly)).addresses)) == 199
        assert len(",".join(addresses.read(",".join(too_long)).addresses)) == 200
        with pytest.raises(addresses.InvalidAddresses, match="201 characters"):
            addresses.read(",".join([*whole[:14], "10.10.1.11", "1.1.1.10"]))

    def test_doubles_do_not_count(self) -> None:
        assert len(addresses.read(",".join(["10.10.100.100"] * 50)).addresses) == 1
