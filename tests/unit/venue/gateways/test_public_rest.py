"""Public REST answers: names, keys, digits, paging, and what a mistake gets."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from krakenwire.venue.gateways.public_rest import RestGateway
from krakenwire.venue.market.instruments import instruments
from krakenwire.venue.market.market import Market

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND + 30 * SECOND
ALL = tuple(instruments())


def traded_market(symbol: str = "BTC/USD") -> Market:
    """Ten trades two seconds apart, the last a moment ago, and a few levels a side."""
    (instrument,) = instruments([symbol])
    market = Market(instrument, first_trade_id=501, time_ns=NOW - 100 * SECOND)
    for step in range(10):
        at = NOW - (20 - 2 * step) * SECOND
        market.place("sell", 12_345_678, 640_000 + step, at)
        market.place("buy", 12_345_678, 640_000 + step if step % 2 else None, at)
    for step in range(3):
        market.place("buy", 250_000_000 + step, 639_990 - step, NOW)
        market.place("sell", 49_000 + step, 640_100 + step, NOW)
    return market


@pytest.fixture(scope="module")
def gateway() -> RestGateway:
    return RestGateway({"BTC/USD": traded_market(), "ETH/USD": traded_market("ETH/USD")}, lambda: "online")


@pytest.fixture(scope="module")
def listing() -> RestGateway:
    return RestGateway({instrument.symbol: Market(instrument) for instrument in ALL}, lambda: "post_only")


def ask(gateway: RestGateway, method: str, **params: str) -> Any:
    return json.loads(gateway.answer(method, params, NOW))


def result(gateway: RestGateway, method: str, **params: str) -> Any:
    answer = ask(gateway, method, **params)
    assert answer["error"] == []
    return answer["result"]


def test_time_is_told_as_a_number_and_as_text(gateway: RestGateway) -> None:
    assert result(gateway, "Time") == {"unixtime": NOW // SECOND, "rfc1123": "Fri, 15 Jan 27 08:00:30 +0000"}


def test_system_status_tells_the_trading_mode(listing: RestGateway) -> None:
    assert result(listing, "SystemStatus") == {"status": "post_only", "timestamp": "2027-01-15T08:00:30Z"}


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("Nope", {}, "EGeneral:Unknown method"),
        ("time", {}, "EGeneral:Unknown method"),
        ("Depth", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("Depth", {"pair": "XBTUSD,ETHUSD"}, "EQuery:Unknown asset pair"),
        ("Depth", {}, "EGeneral:Invalid arguments"),
        ("Depth", {"pair": "XBTUSD", "count": "0"}, "EGeneral:Invalid arguments"),
        ("Depth", {"pair": "XBTUSD", "count": "-1"}, "EGeneral:Invalid arguments"),
        ("Depth", {"pair": "XBTUSD", "count": "9" * 400}, "EGeneral:Invalid arguments"),
        ("Trades", {"pair": "XBTUSD", "since": "yesterday"}, "EGeneral:Invalid arguments"),
        ("Trades", {"pair": "XBTUSD", "since": "-5"}, "EGeneral:Invalid arguments"),
        ("Trades", {"pair": "XBTUSD", "count": "²"}, "EGeneral:Invalid arguments"),
        ("OHLC", {"pair": "XBTUSD", "interval": "7"}, "EGeneral:Invalid arguments"),
        ("OHLC", {"pair": "XBTUSD", "interval": "one"}, "EGeneral:Invalid arguments"),
        ("Spread", {"pair": "XBTUSD", "since": "1e99"}, "EGeneral:Invalid arguments"),
        ("Ticker", {"pair": "XBTUSD,NOPE"}, "EQuery:Unknown asset pair"),
        ("AssetPairs", {"pair": "XBTUSD,"}, "EQuery:Unknown asset pair"),
        ("AssetPairs", {"info": "everything"}, "EGeneral:Invalid arguments"),
        ("AssetPairs", {"aclass_base": "shares"}, "EGeneral:Invalid arguments"),
        ("Assets", {"asset": "XBT,NOPE"}, "EQuery:Unknown asset"),
    ],
)
def test_a_mistake_gets_its_error_text_and_no_result(
    gateway: RestGateway, method: str, params: dict[str, str], error: str
) -> None:
    assert ask(gateway, method, **params) == {"error": [error]}


def test_assets_are_keyed_by_their_old_ids(listing: RestGateway) -> None:
    found = result(listing, "Assets")
    assert {"XXBT", "ZUSD", "ZEUR", "XETH", "XXRP", "XXDG", "SOL", "USDT"} <= set(found)
    assert found["XXBT"]["altname"] == "XBT"
    assert found["XXDG"]["altname"] == "XDG"


@pytest.mark.parametrize("name", ["XBT", "XXBT", "BTC", "btc"])
def test_an_asset_is_found_by_any_of_its_names(listing: RestGateway, name: str) -> None:
    assert list(result(listing, "Assets", asset=f"{name},ZUSD")) == ["XXBT", "ZUSD"]


def test_asset_pairs_list_every_instrument_under_its_rest_id(listing: RestGateway) -> None:
    found = result(listing, "AssetPairs")
    assert list(found) == [instrument.rest_key for instrument in ALL]
    assert {"XXBTZUSD", "XETHZUSD", "SOLUSD", "XXRPZUSD", "XDGUSD", "XETHXXBT", "USDTZUSD"} <= set(found)
    for instrument in ALL:
        entry = found[instrument.rest_key]
        assert entry["wsname"] == instrument.wsname
        assert Decimal(entry["tick_size"]) == Decimal(1).scaleb(-entry["pair_decimals"])
        assert all(isinstance(entry[name], str) for name in ("ordermin", "costmin", "tick_size"))


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("XXBTZUSD", "XXBTZUSD"),
        ("XBTUSD", "XXBTZUSD"),
        ("BTCUSD", "XXBTZUSD"),
        ("BTC/USD", "BTC/USD"),
        ("XBT/USD", "XBT/USD"),
        ("XDG/USD", "XDG/USD"),
        ("DOGEUSD", "XDGUSD"),
    ],
)
@pytest.mark.parametrize("method", ["AssetPairs", "Ticker", "Depth", "Trades", "OHLC", "Spread"])
def test_a_slashed_name_keys_the_answer_and_others_give_the_rest_id(
    listing: RestGateway, method: str, asked: str, key: str
) -> None:
    assert next(iter(result(listing, method, pair=asked))) == key


def test_several_pairs_come_in_the_order_asked(listing: RestGateway) -> None:
    assert list(result(listing, "AssetPairs", pair="ETHUSD,XBT/USD")) == ["XETHZUSD", "XBT/USD"]
    assert list(result(listing, "Ticker", pair="ETHUSD,XXBTZUSD")) == ["XETHZUSD", "XXBTZUSD"]


def test_tokenised_equities_are_an_empty_list(listing: RestGateway) -> None:
    assert result(listing, "AssetPairs", aclass_base="tokenized_asset") == {}
    assert len(result(listing, "AssetPairs", aclass_base="currency")) == len(ALL)


@pytest.mark.parametrize(
    ("info", "members"),
    [
        ("leverage", ["leverage_buy", "leverage_sell"]),
        ("fees", ["fees", "fees_maker", "fee_volume_currency"]),
        ("margin", ["margin_call", "margin_stop"]),
    ],
)
def test_asset_pairs_can_be_asked_for_a_part(listing: RestGateway, info: str, members: list[str]) -> None:
    assert list(result(listing, "AssetPairs", pair="XBTUSD", info=info)["XXBTZUSD"]) == members


def test_ticker_without_a_pair_tells_all(gateway: RestGateway) -> None:
    assert list(result(gateway, "Ticker")) == ["XXBTZUSD", "XETHZUSD"]


def test_ticker_figures_are_exact_texts(gateway: RestGateway) -> None:
    entry = result(gateway, "Ticker", pair="XBTUSD")["XXBTZUSD"]
    assert entry["a"] == ["64010.00000", "0", "0.001"]
    assert entry["b"] == ["63999.00000", "2", "2.500"]
    assert entry["c"] == ["64000.90000", "0.12345678"]
    assert entry["v"] == ["1.23456780", "1.23456780"]
    assert entry["p"] == ["64000.45000", "64000.45000"]
    assert entry["t"] == [10, 10]
    assert (entry["l"], entry["h"]) == (["64000.00000"] * 2, ["64000.90000"] * 2)
    assert entry["o"] == "64000.00000"


def test_depth_is_best_first_padded_and_never_shows_a_level_as_empty(gateway: RestGateway) -> None:
    sides = result(gateway, "Depth", pair="XBTUSD")["XXBTZUSD"]
    assert list(sides) == ["asks", "bids"]
    assert sides["asks"] == [[f"640{10 + n / 10:.1f}0000", "0.001", NOW // SECOND] for n in range(3)]
    assert [row[0] for row in sides["bids"]] == ["63999.00000", "63998.90000", "63998.80000"]
    assert {row[1] for row in sides["bids"]} == {"2.500"}


def test_depth_honours_count_and_its_maximum(gateway: RestGateway) -> None:
    assert len(result(gateway, "Depth", pair="XBTUSD", count="2")["XXBTZUSD"]["bids"]) == 2
    (instrument,) = instruments(["BTC/USD"])
    deep = Market(instrument)
    for price in range(1, 700):
        deep.place("buy", 1, price, NOW)
    gateway = RestGateway({"BTC/USD": deep}, lambda: "online")
    assert [
        len(result(gateway, "Depth", pair="XBTUSD", **count)["XXBTZUSD"]["bids"])
        for count in ({}, {"count": "500"}, {"count": "1000"})
    ] == [100, 500, 500]


def test_trades_have_seven_members_with_the_id_last(gateway: RestGateway) -> None:
    found = result(gateway, "Trades", pair="XBTUSD")
    first = found["XXBTZUSD"][0]
    assert first == ["64000.00000", "0.12345678", pytest.approx(NOW / SECOND - 20, abs=1e-3), "b", "m", "", 501]
    assert found["XXBTZUSD"][1][4] == "l"
    assert isinstance(found["last"], str)


def test_trades_since_last_lose_and_repeat_nothing(gateway: RestGateway) -> None:
    ids: list[int] = []
    since = "0"
    while page := (answer := result(gateway, "Trades", pair="XBTUSD", since=since, count="3"))["XXBTZUSD"]:
        ids += [row[6] for row in page]
        since = answer["last"]
    assert ids == list(range(501, 511))
    assert answer["last"] == since


def test_trades_since_takes_seconds_too(gateway: RestGateway) -> None:
    since = f"{NOW // SECOND - 9}.5"
    found = result(gateway, "Trades", pair="XBTUSD", since=since)["XXBTZUSD"]
    assert [row[6] for row in found] == [507, 508, 509, 510]


def test_trades_without_since_are_the_latest(gateway: RestGateway) -> None:
    found = result(gateway, "Trades", pair="XBTUSD", count="2")["XXBTZUSD"]
    assert [row[6] for row in found] == [509, 510]


def test_candles_fill_empty_intervals_and_last_is_the_committed_one(gateway: RestGateway) -> None:
    later = NOW + 180 * SECOND
    answer = json.loads(gateway.answer("OHLC", {"pair": "XBTUSD", "interval": "1"}, later))["result"]
    rows = answer["XXBTZUSD"]
    assert [row[0] for row in rows] == [NOW // SECOND - 30 + 60 * n for n in range(4)]
    assert rows[0][1:] == [
        "64000.0",
        "64000.9",
        "64000.0",
        "64000.9",
        "64000.5",
        "1.23456780",
        10,
    ]
    assert rows[-1][1:] == ["64000.9"] * 4 + ["0.0", "0.00000000", 0]
    assert answer["last"] == rows[-2][0]


def test_candles_honour_since(gateway: RestGateway) -> None:
    later = NOW + 180 * SECOND
    last = json.loads(gateway.answer("OHLC", {"pair": "XBTUSD"}, later))["result"]["last"]
    rows = json.loads(gateway.answer("OHLC", {"pair": "XBTUSD", "since": str(last)}, later))["result"]["XXBTZUSD"]
    assert [row[0] for row in rows] == [last + 60]


def test_spread_rows_are_when_bid_ask_and_since_is_inclusive(gateway: RestGateway) -> None:
    answer = result(gateway, "Spread", pair="XBTUSD")
    rows = answer["XXBTZUSD"]
    assert rows[-1] == [NOW // SECOND, "63999.00000", "64010.00000"]
    assert answer["last"] == NOW // SECOND
    assert result(gateway, "Spread", pair="XBTUSD", since=str(answer["last"]))["XXBTZUSD"][-1] == rows[-1]
    assert result(gateway, "Spread", pair="XBTUSD", since=str(answer["last"] + 1))["XXBTZUSD"] == []


def test_a_grouped_book_adds_levels_up_away_from_the_other_side(gateway: RestGateway) -> None:
    book = result(gateway, "GroupedBook", pair="XBT/USD", grouping="25")
    assert (book["pair"], book["grouping"]) == ("XBT/USD", 25)
    assert book["bids"] == [{"price": "63997.50000", "qty": "7.50000003"}]
    assert book["asks"][-1] == {"price": "64012.50000", "qty": "0.00098003"}
    levels = result(gateway, "GroupedBook", pair="XBTUSD")
    depth = result(gateway, "Depth", pair="XBTUSD", count="10")["XXBTZUSD"]
    assert [level["price"] for level in levels["bids"]] == [row[0] for row in depth["bids"]]


def test_pre_trade_counts_the_orders_of_each_level(gateway: RestGateway) -> None:
    book = result(gateway, "PreTrade", symbol="BTC/USD")
    assert (book["symbol"], book["base_asset"], book["quote_asset"]) == ("BTC/USD", "BTC", "USD")
    assert book["bids"][0] == {
        "side": "BUY",
        "price": "63999.0",
        "qty": "2.50000000",
        "count": 1,
        "publication_ts": "2027-01-15T08:00:30.000000Z",
    }
    assert {level["side"] for level in book["asks"]} == {"SELL"}


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("GroupedBook", {}, "EGeneral:Invalid arguments"),
        ("GroupedBook", {"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ("GroupedBook", {"pair": "XBTUSD", "depth": "11"}, "EGeneral:Invalid arguments"),
        ("GroupedBook", {"pair": "XBTUSD", "grouping": "2"}, "EGeneral:Invalid arguments"),
        ("PreTrade", {}, "EGeneral:Invalid arguments"),
        ("PreTrade", {"symbol": "NO/PE"}, "EQuery:Unknown asset pair"),
    ],
)
def test_other_views_of_the_book_refuse_what_they_do_not_know(
    gateway: RestGateway, method: str, params: dict[str, str], error: str
) -> None:
    assert ask(gateway, method, **params) == {"error": [error]}
