"""Recorded REST bodies and ours: same members, same order, same kind of number and time text."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from krakenwire.venue.gateways.public_rest import RestGateway
from krakenwire.venue.market.instruments import instruments
from krakenwire.venue.market.market import Market

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND + 123_456_789

_KINDS = (
    (re.compile(r"-?\d+"), lambda text: "digits" if len(text) < 19 else "nanoseconds"),
    (re.compile(r"-?\d+\.\d+"), lambda text: f"{len(text.partition('.')[2])} decimals"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), lambda _: "time"),
    (re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \+0000"), lambda _: "time"),
)
"""What matters of a text: its form, not its figures."""

FREE_TEXT = {"ordermin", "costmin", "tick_size", "margin_rate", "base", "quote"}
"""Members whose text differs from one instrument to the next."""

PRECISIONS = ("altname", "wsname", "base", "quote", "cost_decimals", "pair_decimals", "lot_decimals", "ordermin")


@pytest.fixture(scope="module")
def gateway() -> RestGateway:
    """BTC/USD with the precisions of the recorded pairs, a few trades and levels, and a quiet minute."""
    (instrument,) = instruments(["BTC/USD"])
    market = Market(instrument, first_trade_id=1)
    for step in range(3):
        market.place("sell", 12_300_000, 640_000 + step, NOW - 120 * SECOND)
        market.place("buy", 12_300_000, None if step else 640_000, NOW - 120 * SECOND)
        market.place("buy", 50_000_000, 639_900 - step, NOW)
        market.place("sell", 50_000_000, 640_100 + step, NOW)
    return RestGateway({"BTC/USD": market}, lambda: "online")


def text_kind(text: str) -> str:
    return next((kind(text) for form, kind in _KINDS if form.fullmatch(text)), "words" if text else "empty")


def shape(value: Any, name: str = "") -> Any:
    """Reduce a JSON value to what must agree; a list is described by the shapes that occur in it."""
    match value:
        case dict():
            return [(key, shape(member, key)) for key, member in value.items()]
        case list() if any(isinstance(row, list | dict) for row in value):
            return {json.dumps(shape(row)) for row in value}
        case list():
            return [shape(member) for member in value]
        case str():
            return "text" if name in FREE_TEXT else text_kind(value)
        case _:
            return type(value).__name__


def renamed(body: Any, was: str) -> Any:
    """Key the recorded answer like ours: the pairs differ, their precisions do not."""
    return json.loads(json.dumps(body).replace(f'"{was}":', '"XXBTZUSD":'))


def recorded(shared: Path, request: str) -> Any:
    rows = json.loads((shared / "protocol/vectors/v2-rest-recorded.json").read_text())["replies"]
    return next(row["body"] for row in rows if row["request"] == request)


def ours(gateway: RestGateway, method: str, **params: str) -> Any:
    return json.loads(gateway.answer(method, params, NOW))


@pytest.mark.parametrize(
    ("request_text", "method", "params"),
    [
        ("GET /0/public/SystemStatus", "SystemStatus", {}),
        ("GET /0/public/Time", "Time", {}),
        ("GET /0/public/Assets?asset=XBT", "Assets", {"asset": "XBT"}),
        ("GET /0/public/Depth?pair=XBTUSDT", "Depth", {"pair": "XBTUSD"}),
        ("GET /0/public/Depth?pair=NOPE", "Depth", {"pair": "NOPE"}),
    ],
)
def test_answer_has_the_recorded_shape(
    gateway: RestGateway, shared: Path, request_text: str, method: str, params: dict[str, str]
) -> None:
    expected = renamed(recorded(shared, request_text), "XBTUSDT")
    assert shape(ours(gateway, method, **params)) == shape(expected)


def test_refusals_are_the_recorded_texts(gateway: RestGateway, shared: Path) -> None:
    assert ours(gateway, "Depth", pair="NOPE") == recorded(shared, "GET /0/public/Depth?pair=NOPE")


def test_asset_pairs_have_the_recorded_members_in_order(gateway: RestGateway, shared: Path) -> None:
    found = ours(gateway, "AssetPairs", pair="XBTUSD")["result"]["XXBTZUSD"]
    expected = recorded(shared, "GET /0/public/AssetPairs?pair=XBTUSD")["result"]["XXBTZUSD"]
    assert list(found) == list(expected)
    for name in ("fees", "fees_maker"):  # empty in 2026, full in 2025: see the next test
        del found[name], expected[name]
    assert shape(found) == shape(expected)


def test_fees_have_the_recorded_figures(gateway: RestGateway, shared: Path) -> None:
    found = ours(gateway, "AssetPairs")["result"]["XXBTZUSD"]
    expected = recorded(shared, "GET /0/public/AssetPairs")["result"]["XBTUSDT"]
    for name in ("fees", "fees_maker"):
        assert found[name] == expected[name]
        assert shape(found[name]) == shape(expected[name])


def test_trades_have_the_recorded_shape(gateway: RestGateway, shared: Path) -> None:
    expected = renamed(json.loads((shared / "data/real/rest/Trades_XBTUSDT_2025-11-10.json").read_text()), "XBTUSDT")
    found = ours(gateway, "Trades", pair="XBTUSD")
    theirs = dict(shape(expected["result"]))
    mine = dict(shape(found["result"]))
    assert list(mine) == list(theirs)
    assert mine["XXBTZUSD"] == theirs["XXBTZUSD"]
    assert mine["last"] == theirs["last"] == "nanoseconds"
    assert {row[3] for row in found["result"]["XXBTZUSD"]} <= {row[3] for row in expected["result"]["XXBTZUSD"]}
    assert {row[4] for row in found["result"]["XXBTZUSD"]} == {row[4] for row in expected["result"]["XXBTZUSD"]}


def test_candles_have_the_recorded_shape(gateway: RestGateway, shared: Path) -> None:
    expected = renamed(json.loads((shared / "data/real/rest/OHLC_XBTUSDT_2025-11-10.json").read_text()), "XBTUSDT")
    found = ours(gateway, "OHLC", pair="XBTUSD", interval="1")
    assert shape(found) == shape(expected)
    rows = expected["result"]["XXBTZUSD"]
    assert expected["result"]["last"] == rows[-2][0]
    assert found["result"]["last"] == found["result"]["XXBTZUSD"][-2][0]


def test_every_recorded_instrument_of_ours_has_the_recorded_precisions(shared: Path) -> None:
    recorded_pairs = json.loads(gzip.decompress((shared / "data/real/pairs/AssetPairs_2025-09.json.gz").read_bytes()))
    everything = RestGateway({pair.symbol: Market(pair) for pair in instruments()}, lambda: "online")
    for key, entry in ours(everything, "AssetPairs")["result"].items():
        expected = recorded_pairs["result"][key]
        for name in (
            "altname",
            "wsname",
            "base",
            "quote",
            "cost_decimals",
            "pair_decimals",
            "lot_decimals",
            "ordermin",
        ):
            assert entry[name] == expected[name], f"{key} {name}"
        assert entry["tick_size"] == expected["tick_size"], key
