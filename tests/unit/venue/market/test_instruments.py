from __future__ import annotations

from decimal import Decimal

import pytest

from krakenwire.errors import SymbolError
from krakenwire.venue.market.instruments import ASSETS, INSTRUMENTS, assets, instruments

PRECISIONS = {
    "BTC/USD": (1, 5),
    "ETH/USD": (2, 5),
    "SOL/USD": (2, 5),
    "XRP/USD": (5, 8),
    "DOGE/USD": (7, 9),
    "ADA/USD": (6, 6),
    "LTC/USD": (2, 5),
    "BTC/EUR": (1, 5),
    "ETH/BTC": (5, 6),
    "USDT/USD": (5, 8),
}


@pytest.mark.parametrize(("symbol", "precisions"), PRECISIONS.items())
def test_prices_have_krakens_decimals_on_both_versions(symbol: str, precisions: tuple[int, int]) -> None:
    instrument = INSTRUMENTS[symbol]
    assert (instrument.price_precision, instrument.v1_price_decimals) == precisions
    assert instrument.qty_precision == 8
    assert instrument.price_increment == Decimal(10) ** -precisions[0]
    assert instrument.qty_increment == Decimal("0.00000001")


def test_an_instrument_has_all_the_names_the_interfaces_use() -> None:
    doge, bitcoin = INSTRUMENTS["DOGE/USD"], INSTRUMENTS["BTC/USD"]
    assert (bitcoin.rest_key, bitcoin.altname, bitcoin.wsname) == ("XXBTZUSD", "XBTUSD", "XBT/USD")
    assert (bitcoin.rest_base, bitcoin.rest_quote) == ("XXBT", "ZUSD")
    assert (doge.rest_key, doge.altname, doge.wsname) == ("XDGUSD", "XDGUSD", "XDG/USD")
    assert ASSETS["DOGE"].rest_id == "XXDG"
    assert (ASSETS["BTC"].rest_id, ASSETS["BTC"].altname) == ("XXBT", "XBT")


def test_every_asset_of_a_listed_instrument_is_described() -> None:
    named = {name for instrument in INSTRUMENTS.values() for name in (instrument.base, instrument.quote)}
    assert named == set(ASSETS)
    assert [asset.id for asset in assets(instruments(["ETH/BTC", "BTC/USD"]))] == ["ETH", "BTC", "USD"]


def test_any_spelling_selects_an_instrument_once() -> None:
    chosen = instruments(["xbt/usd", "XXBTZUSD", "BTC/USD", "XDGUSD"])
    assert [instrument.symbol for instrument in chosen] == ["BTC/USD", "DOGE/USD"]


@pytest.mark.parametrize("symbols", [["BTC/USD", "FOO/USD"], ["nonsense"], []])
def test_a_symbol_that_is_not_listed_is_refused_naming_what_is(symbols: list[str]) -> None:
    with pytest.raises(SymbolError, match="BTC/USD, ETH/USD"):
        instruments(symbols)


def test_an_opening_price_leaves_room_for_a_full_book_below_it() -> None:
    for instrument in INSTRUMENTS.values():
        reach = 1_180 * instrument.level_gap * 3 // 2
        assert instrument.start_price * (1_000 - instrument.wander_permille) // 1_000 - reach > 0, instrument.symbol


def test_an_order_at_the_minimum_is_worth_more_than_nothing() -> None:
    for instrument in INSTRUMENTS.values():
        price = Decimal(instrument.start_price).scaleb(-instrument.price_precision)
        assert instrument.qty_min * price > instrument.cost_min / 3
        assert Decimal(instrument.typical_qty).scaleb(-8) > 10 * instrument.qty_min
