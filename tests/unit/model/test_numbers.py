"""Exact numbers: text, scaled integers and decimals agree, and nothing is rounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import DecodeError
from krakenwire.model.numbers import (
    decimal_from_text,
    decimals_in,
    fixed_text,
    scaled_from_text,
    scaled_to_decimal,
)


@pytest.mark.parametrize(
    ("text", "decimals", "scaled"),
    [
        ("0.00100000", 8, 100_000),
        ("5.1e-05", 8, 5_100),
        ("1E-8", 8, 1),
        ("28440", 1, 284_400),
        ("-429.3", 1, -4_293),
        ("1e3", 0, 1_000),
        ("18446744073709551615", 0, 2**64 - 1),
        ("92233720368547.75808", 8, 9_223_372_036_854_775_808_000 // 1000 * 1000),
        ("0.00000000", 8, 0),
        (7, 2, 700),
    ],
)
def test_number_text_becomes_the_exact_scaled_integer(text: str | int, decimals: int, scaled: int) -> None:
    assert scaled_from_text(text, decimals) == scaled


@pytest.mark.parametrize(("text", "decimals"), [("0.001", 2), ("1e-9", 8), ("63000.05", 1)])
def test_surplus_decimals_are_reported_and_not_rounded(text: str, decimals: int) -> None:
    assert scaled_from_text(text, decimals) is None


def test_surplus_zeros_fit() -> None:
    assert scaled_from_text("63000.50000", 1) == 630_005


@pytest.mark.parametrize(
    ("text", "count"), [("0.00100000", 8), ("5.1e-05", 6), ("28440", 0), ("1e3", 0), (5, 0), ("-0.17", 2)]
)
def test_decimals_are_counted_as_fixed_point_would_show_them(text: str | int, count: int) -> None:
    assert decimals_in(text) == count


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "1e999", "1e-999", "1" * 65, "0x1", "1_0", " 1", "\uff11", "1.", ".5", "--1"]
)
def test_what_is_no_finite_number_in_range_is_a_decode_error(text: str) -> None:
    with pytest.raises(DecodeError):
        decimal_from_text(text)


@given(st.integers(-(10**30), 10**30), st.integers(0, 18))
def test_scaled_integers_survive_the_way_through_text(value: int, decimals: int) -> None:
    text = fixed_text(value, decimals)
    assert scaled_from_text(text, decimals) == value
    assert decimals_in(text) == decimals
    assert scaled_to_decimal(value, decimals) == Decimal(f"{value}E-{decimals}")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**9), max_value=10**9))
def test_every_decimal_is_kept_whatever_its_spelling(value: Decimal) -> None:
    for text in (f"{value:f}", f"{value:e}", str(value)):
        assert decimal_from_text(text) == value
