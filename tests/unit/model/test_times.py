"""Wire time text and nanoseconds are two spellings of one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import DecodeError
from krakenwire.model.times import ns_from_rfc3339, ns_from_unix_text, rfc3339_from_ns, unix_text_from_ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("2026-08-01T02:53:53.398143Z", 1_785_552_833_398_143_000),
        ("2024-05-19T18:55:20.910159752Z", 1_716_144_920_910_159_752),
        ("2024-02-29T00:00:00.000000Z", 1_709_164_800_000_000_000),
    ],
)
def test_rfc3339_of_any_fraction_is_read(text: str, ns: int) -> None:
    assert ns_from_rfc3339(text) == ns


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_nanoseconds_survive_both_spellings(ns: int) -> None:
    assert ns_from_rfc3339(rfc3339_from_ns(ns, 9)) == ns
    assert ns_from_unix_text(unix_text_from_ns(ns, 9)) == ns
    assert ns_from_rfc3339(rfc3339_from_ns(ns)) == ns // 1000 * 1000
    assert ns_from_unix_text(unix_text_from_ns(ns)) == ns // 1000 * 1000


@pytest.mark.parametrize("digits", [0, 3, 6, 9])
def test_the_fraction_has_the_digits_asked_for(digits: int) -> None:
    text = rfc3339_from_ns(1_700_000_000_123_456_789, digits)
    assert text == "2023-11-14T22:13:20" + (f".{'123456789'[:digits]}" if digits else "") + "Z"


@pytest.mark.parametrize(
    "text", ["", "now", "2026-13-01T00:00:00Z", "2026-08-01T02:53:53.398143", "2026-08-01 02:53:53Z", "-1"]
)
def test_other_text_is_a_decode_error(text: str) -> None:
    with pytest.raises(DecodeError):
        ns_from_rfc3339(text)


@pytest.mark.parametrize("text", ["", "x", "-1.5", "1.2.3", "1" * 13, "1.0000000000", "1_0", "\uff11"])
def test_other_unix_text_is_a_decode_error(text: str) -> None:
    with pytest.raises(DecodeError):
        ns_from_unix_text(text)
