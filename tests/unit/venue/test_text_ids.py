from __future__ import annotations

import re

import pytest

from krakenwire.errors import DecodeError
from krakenwire.venue.text_ids import TextIds

FORM = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")


def test_an_order_id_has_the_documented_form_and_can_be_read_back() -> None:
    ids = TextIds("O", "BTC/USD")
    for number in (0, 1, 2, 12_345_678, (1 << 34) - 1):
        text = ids.text(number)
        assert FORM.fullmatch(text)
        assert ids.number(text) == number


def test_order_ids_differ_within_and_between_instruments() -> None:
    texts = {TextIds("O", symbol).text(number) for symbol in ("BTC/USD", "ETH/USD") for number in range(2_000)}
    assert len(texts) == 4_000


def test_neighbouring_orders_do_not_look_alike() -> None:
    ids = TextIds("O", "BTC/USD")
    assert len({ids.text(number)[:4] for number in range(100)}) > 90


@pytest.mark.parametrize(
    "text",
    [
        "",
        "O",
        "OABCDE-ABCDE-ABCDE",
        "TABCDE-ABCDE-ABCDEF",
        "OABCDE_ABCDE-ABCDEF",
        "OABCD!-ABCDE-ABCDEF",
        "Oabcde-ABCDE-ABCDEF",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        TextIds("O", "BTC/USD").number(text)


def test_an_id_of_another_instrument_is_refused() -> None:
    with pytest.raises(DecodeError, match="something else"):
        TextIds("O", "BTC/USD").number(TextIds("O", "ETH/USD").text(7))
