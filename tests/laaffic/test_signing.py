"""The four headers, against the vendor's own sample."""

import pytest

from laaffic_console.laaffic import signing

KEY, SECRET, TIMESTAMP = "bDqJFiq9", "7bz1lzh9", "1630468800"
SIGN = "05d7a50893e22a5c4bb3216ae3396c7c"


class SignTests:
    def test_it_makes_the_vendors_sample(self) -> None:
        assert signing.sign(KEY, SECRET, TIMESTAMP) == SIGN

    @pytest.mark.parametrize(
        ("key", "secret", "timestamp"),
        [
            ("bDqJFiq8", SECRET, TIMESTAMP),
            (KEY, "7bz1lzh8", TIMESTAMP),
            (KEY, SECRET, "1630468801"),
        ],
    )
    def test_it_depends_on_each_part(self, key: str, secret: str, timestamp: str) -> None:
        assert signing.sign(key, secret, timestamp) != SIGN

    def test_a_secret_beyond_ascii_is_signed_as_utf8(self) -> None:
        sign = signing.sign("k", "sécret", "1")

        assert sign == "e5633c75c67c0edba9480d55506531cd"


class HeadersTests:
    def test_they_are_exactly_the_documented_four(self) -> None:
        assert signing.headers(KEY, SECRET, 1630468800.0) == {
            "Content-Type": "application/json;charset=UTF-8",
            "Api-Key": KEY,
            "Timestamp": TIMESTAMP,
            "Sign": SIGN,
        }

    def test_the_timestamp_is_whole_seconds(self) -> None:
        headers = signing.headers(KEY, SECRET, 1630468800.999)

        assert (headers["Timestamp"], headers["Sign"]) == (TIMESTAMP, SIGN)
