"""Every spelling of an instrument comes out as the v2 one, or is explained."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import SymbolError
from krakenwire.protocol import explain_refusal, rest_altname, rest_asset, rest_key, to_v1, to_v2


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("BTC/USD", "BTC/USD"),
        ("XBT/USD", "BTC/USD"),
        ("XBTUSD", "BTC/USD"),
        ("XXBTZUSD", "BTC/USD"),
        ("BTCUSD", "BTC/USD"),
        ("DOGEUSD", "DOGE/USD"),
        ("XDG/USD", "DOGE/USD"),
        ("XDGUSD", "DOGE/USD"),
        ("XXDGXXBT", "DOGE/BTC"),
        ("XETHXXBT", "ETH/BTC"),
        ("ETHXBT", "ETH/BTC"),
        ("XETHZEUR", "ETH/EUR"),
        ("ZEURZUSD", "EUR/USD"),
        ("USDTZUSD", "USDT/USD"),
        ("XTZUSD", "XTZ/USD"),
        ("XBTUSDT", "BTC/USDT"),
        ("XBTPYUSD", "BTC/PYUSD"),
        ("USDCUSD", "USDC/USD"),
        ("MERLUSD", "MERL/USD"),
        ("sol/usd", "SOL/USD"),
        ("xbtusd", "BTC/USD"),
        ("  BTC/USD\n", "BTC/USD"),
        ("TSLAx/USD", "TSLAx/USD"),
        ("TSLAxUSD", "TSLAx/USD"),
        ("USDT.M/USD", "USDT.M/USD"),
    ],
)
def test_a_spelling_becomes_the_v2_symbol(written: str, symbol: str) -> None:
    assert to_v2(written) == symbol


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "the symbol is empty"),
        ("   ", "the symbol is empty"),
        ("XBTFOO", "you wrote 'XBTFOO'"),
        ("BTC", "Write BASE/QUOTE with a slash"),
        ("USD", "you wrote 'USD'"),
        ("USD/USD", "you wrote 'USD/USD'"),
        ("XBT/BTC", "you wrote 'XBT/BTC'"),
        ("BTC/USD.d", "Dark pool"),
        ("BTC/USD.D", "Dark pool"),
        ("BTC-USD", "BASE/QUOTE such as BTC/USD"),
        ("A/B/C", "BASE/QUOTE such as BTC/USD"),
        ("/USD", "BASE/QUOTE such as BTC/USD"),
        ("BTC/", "BASE/QUOTE such as BTC/USD"),
        ("BTC/USD\x00", "BASE/QUOTE such as BTC/USD"),
        ("₿/USD", "BASE/QUOTE such as BTC/USD"),
        ("X" * 33, "at most 32 characters, found 33"),
    ],
)
def test_what_names_no_instrument_is_refused_and_explained(written: str, says: str) -> None:
    with pytest.raises(SymbolError) as raised:
        to_v2(written)
    assert says in str(raised.value)


def test_a_list_of_known_symbols_decides() -> None:
    known = ("BTC/USD", "TSLAx/USD", "ME/RLUSD")
    assert to_v2("tslax/usd", known) == "TSLAx/USD"
    assert to_v2("MERLUSD", known) == "ME/RLUSD"
    assert to_v2("XXBTZUSD", known) == "BTC/USD"


def test_a_symbol_the_venue_does_not_list_is_explained_with_near_ones() -> None:
    with pytest.raises(SymbolError, match=r"you wrote 'XBT/GBP', v2 calls it BTC/GBP; .* does list BTC/EUR, BTC/USD"):
        to_v2("XBT/GBP", ("ETH/USD", "BTC/USD", "BTC/EUR"))
    with pytest.raises(SymbolError, match="you wrote 'FOO/USD'; this venue does not list it"):
        to_v2("FOO/USD", ("BTC/USD",))


def test_a_refusal_is_explained_in_the_words_of_the_user() -> None:
    assert explain_refusal("XBT/FOO", "XBT/FOO") == "you wrote XBT/FOO, v2 calls it BTC/FOO"
    assert explain_refusal("XBTUSD", "BTC/USD") == "you wrote XBTUSD, v2 calls it BTC/USD"
    assert "does not list FOO/USD" in explain_refusal("FOO/USD", "FOO/USD")
    assert explain_refusal("?", "not a symbol") == "you wrote ?, v2 calls it not a symbol"


@pytest.mark.parametrize(
    ("symbol", "wsname", "altname", "key"),
    [
        ("BTC/USD", "XBT/USD", "XBTUSD", "XXBTZUSD"),
        ("DOGE/USD", "XDG/USD", "XDGUSD", "XDGUSD"),
        ("DOGE/BTC", "XDG/XBT", "XDGXBT", "XXDGXXBT"),
        ("ETH/BTC", "ETH/XBT", "ETHXBT", "XETHXXBT"),
        ("SOL/USD", "SOL/USD", "SOLUSD", "SOLUSD"),
        ("USDT/USD", "USDT/USD", "USDTUSD", "USDTZUSD"),
        ("BTC/USDT", "XBT/USDT", "XBTUSDT", "XBTUSDT"),
    ],
)
def test_a_v2_symbol_has_its_old_names(symbol: str, wsname: str, altname: str, key: str) -> None:
    assert (to_v1(symbol), rest_altname(symbol), rest_key(symbol)) == (wsname, altname, key)
    assert {to_v2(name) for name in (wsname, altname, key)} == {symbol}


def test_assets_have_their_rest_ids() -> None:
    assert [rest_asset(name) for name in ("BTC", "DOGE", "USD", "ETH", "SOL", "USDT")] == [
        *("XXBT", "XXDG", "ZUSD", "XETH"),
        *("SOL", "USDT"),
    ]


@pytest.mark.parametrize("symbol", ["BTCUSD", "BTC/", "/USD", "A/B/C", ""])
def test_old_names_are_made_of_v2_symbols_only(symbol: str) -> None:
    for make in (to_v1, rest_altname, rest_key):
        with pytest.raises(SymbolError, match="not a v2 symbol"):
            make(symbol)


@given(st.text(max_size=40))
def test_any_text_gives_a_v2_symbol_or_a_symbol_error(text: str) -> None:
    try:
        symbol = to_v2(text)
    except SymbolError:
        return
    assert to_v2(symbol) == symbol
    assert to_v2(to_v1(symbol)) == symbol


def test_every_listed_pair_is_found_under_each_of_its_names(shared: Path) -> None:
    text = gzip.decompress((shared / "data/real/pairs/AssetPairs_2025-09.json.gz").read_bytes())
    pairs = json.loads(text)
    pairs = pairs.get("result", pairs)
    new = {"XBT": "BTC", "XDG": "DOGE"}
    assert len(pairs) == 1218
    for key, pair in pairs.items():
        symbol = "/".join(new.get(half, half) for half in pair["wsname"].split("/"))
        names = (key, pair["altname"], pair["wsname"], symbol)
        assert {to_v2(name) for name in (*names, *map(str.lower, names))} == {symbol}
        assert (to_v1(symbol), rest_altname(symbol), rest_key(symbol)) == (pair["wsname"], pair["altname"], key)
        base, quote = symbol.split("/")
        assert (rest_asset(base), rest_asset(quote)) == (pair["base"], pair["quote"])
