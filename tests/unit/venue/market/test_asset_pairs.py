"""Instruments of somebody's AssetPairs: taken as they stand, with a market that fits them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from krakenwire.errors import ConfigError, SymbolError
from krakenwire.venue.config.local_config import config_from, listing
from krakenwire.venue.gateways.public_rest import RestGateway
from krakenwire.venue.market.asset_pairs import START_TICKS_MIN, assets_of, instruments_from
from krakenwire.venue.market.instruments import FEES_MAKER, FEES_TAKER, INSTRUMENTS, VenueInstrument
from krakenwire.venue.market.market import Market
from krakenwire.venue.market.traders import Traders
from krakenwire.venue.trading import Exchange, Hand, Ledger

START_NS = 1_800_000_000_000_000_000


def entry(**members: object) -> dict[str, Any]:
    return {
        "altname": "FOOEUR",
        "wsname": "FOO/EUR",
        "tick_size": "0.001",
        "ordermin": "2",
        "costmin": "0.5",
        **members,
    }


def one(*, start_prices: dict[str, Decimal] | None = None, **members: object) -> VenueInstrument:
    (found,) = instruments_from({"FOOEUR": entry(**members)}, start_prices=start_prices)
    return found


def refusal(**members: object) -> str:
    with pytest.raises(ConfigError) as refused:
        one(**members)
    return str(refused.value)


def test_our_own_answer_gives_our_own_instruments_back() -> None:
    markets = {symbol: Market(instrument) for symbol, instrument in INSTRUMENTS.items()}
    answer = RestGateway(markets, lambda: "online").answer("AssetPairs", {}, START_NS)
    found = instruments_from(json.loads(answer, parse_float=Decimal))
    behaviour = ("typical_qty", "span_permille")
    for ours, theirs in zip(INSTRUMENTS.values(), found, strict=True):
        same = {name: getattr(ours, name) for name in behaviour}
        assert msgspec.structs.replace(theirs, **same) == ours


def row(**members: object) -> dict[str, Any]:
    return {
        "symbol": "FOO/EUR",
        "price_precision": 3,
        "price_increment": Decimal("0.001"),
        "qty_precision": 6,
        "qty_min": Decimal(2),
        "cost_min": Decimal("0.5"),
        "cost_precision": 7,
        "status": "online",
        "marginable": False,
        **members,
    }


@pytest.mark.parametrize("whole", [True, False])
def test_a_snapshot_of_the_instrument_channel_lists_instruments_too(whole: bool) -> None:
    data = {"assets": [], "pairs": [row()]}
    (found,) = instruments_from({"channel": "instrument", "type": "snapshot", "data": data} if whole else data)
    assert (found.symbol, found.rest_key, found.wsname, found.rest_quote) == ("FOO/EUR", "FOOEUR", "FOO/EUR", "ZEUR")
    assert (found.price_precision, found.qty_precision, found.cost_precision) == (3, 6, 7)
    assert (found.qty_min, found.cost_min, found.leverage) == (2, Decimal("0.5"), ())


def test_a_marginable_row_has_the_leverage_that_its_margin_allows() -> None:
    margin = {"marginable": True, "margin_initial": Decimal("0.2"), "position_limit_long": 40}
    (found,) = instruments_from({"pairs": [row(**margin)]})
    assert (found.leverage, found.position_limit_long) == ((2, 3, 4, 5), 40)


@pytest.mark.parametrize(
    ("members", "told"),
    [({"symbol": "?"}, "symbol"), ({"price_precision": -1}, "price_precision"), ({"qty_min": "much"}, "qty_min")],
)
def test_a_row_that_cannot_be_is_named(members: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=rf"my file\.pairs\[0\]\.{told}"):
        instruments_from({"pairs": [row(**members)]}, source="my file")


def test_recorded_answers_are_read(shared: Path) -> None:
    recorded = json.loads(
        (shared / "protocol/vectors/v2-rest-recorded.json").read_text(encoding="utf-8"), parse_float=Decimal
    )
    bodies = [reply["body"] for reply in recorded["replies"] if "AssetPairs" in reply["request"]]
    found = [instrument for body in bodies if body.get("result") for instrument in instruments_from(body)]
    assert {instrument.symbol for instrument in found} >= {"BTC/USDT", "BTC/USD"}
    for instrument in found:
        assert instrument.price_increment == Decimal("0.1")
        assert instrument.margin_initial == Decimal("0.10")


def test_names_precisions_and_limits_are_those_of_the_answer() -> None:
    foo = one(
        base="FOO",
        quote="ZEUR",
        lot_decimals=5,
        cost_decimals=6,
        leverage_buy=[2, 3],
        long_position_limit=10,
        short_position_limit=5,
        fees=[[0, Decimal("0.3")], [1000, "0.2"]],
        fees_maker=[[0, 0]],
    )
    assert (foo.symbol, foo.base, foo.quote, foo.rest_key) == ("FOO/EUR", "FOO", "EUR", "FOOEUR")
    assert (foo.rest_base, foo.rest_quote, foo.altname, foo.wsname) == ("FOO", "ZEUR", "FOOEUR", "FOO/EUR")
    assert (foo.price_precision, foo.qty_precision, foo.cost_precision) == (3, 5, 6)
    assert (foo.qty_min, foo.cost_min) == (Decimal(2), Decimal("0.5"))
    assert (foo.leverage, foo.margin_initial) == ((2, 3), Decimal("0.33"))
    assert (foo.position_limit_long, foo.position_limit_short) == (10, 5)
    assert foo.fees_taker == ((0, Decimal("0.3")), (1_000, Decimal("0.2")))
    assert foo.fees_maker == ((0, Decimal(0)),)


def test_empty_fees_are_the_usual_schedule_and_no_leverage_is_no_margin() -> None:
    foo = one(fees=[], fees_maker=[], leverage_buy=[])
    assert (foo.fees_taker, foo.fees_maker) == (FEES_TAKER, FEES_MAKER)
    assert not foo.marginable


def test_price_begins_where_it_is_told_or_has_six_digits() -> None:
    assert one().start_price == 100_000
    assert one(start_prices={"FOO/EUR": Decimal("7.5")}).start_price == 7_500
    assert one(tick_size="0.00001", start_prices={"OTHER/EUR": Decimal(1)}).start_price == 100_000


def test_start_price_must_leave_room_for_a_book() -> None:
    assert "from 2.360 to" in refusal(start_prices={"FOO/EUR": Decimal("2.359")})
    assert one(start_prices={"FOO/EUR": Decimal("2.36")}).start_price == START_TICKS_MIN


def test_only_the_symbols_asked_for_are_read() -> None:
    document = {"FOOEUR": entry(), "BAREUR": entry(altname="BAREUR", wsname="BAR/EUR", tick_size="0.5")}
    assert [found.symbol for found in instruments_from(document, symbols=["FOOEUR"])] == ["FOO/EUR"]
    with pytest.raises(ConfigError, match=r"AssetPairs\.BAREUR\.tick_size: expected a power of ten, found \"0\.5\""):
        instruments_from(document)
    with pytest.raises(SymbolError):
        instruments_from(document, symbols=["BTC/USD"])


def test_dark_pools_are_passed_over() -> None:
    assert len(instruments_from({"FOOEUR": entry(), "FOOEUR.d": {"altname": "FOOEUR.d"}})) == 1


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"wsname": None}, "wsname"),
        ({"wsname": "?"}, "wsname"),
        ({"altname": 5}, "altname"),
        ({"tick_size": "0.5"}, "tick_size"),
        ({"tick_size": 0}, "tick_size"),
        ({"tick_size": 0.1}, "tick_size"),
        ({"lot_decimals": 13}, "lot_decimals"),
        ({"ordermin": "-1"}, "ordermin"),
        ({"ordermin": "much"}, "ordermin"),
        ({"ordermin": "10000001"}, "ordermin"),
        ({"costmin": []}, "costmin"),
        ({"leverage_buy": 2}, "leverage_buy"),
        ({"leverage_buy": [2, "3"]}, "leverage_buy.1"),
        ({"fees": {"0": 1}}, "fees"),
        ({"fees": [[0]]}, "fees"),
        ({"fees": [[0, 0.4]]}, "fees[0].percent"),
        ({"fees": [[0, 1], [0, 1]]}, "fees"),
        ({"fees": [[5, 1]]}, "fees"),
        ({"fees_maker": [[0, "0.00001"]]}, "fees_maker[0].percent"),
    ],
)
def test_wrong_entry_is_named(members: dict[str, object], path: str) -> None:
    assert refusal(**members).startswith(f"AssetPairs.FOOEUR.{path}:")


@pytest.mark.parametrize("document", [[], None, "x", {}, {"error": [], "result": {}}, {"error": [], "result": 5}])
def test_document_without_instruments_is_refused(document: object) -> None:
    with pytest.raises(ConfigError, match="AssetPairs"):
        instruments_from(document)


def test_instrument_that_comes_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"AssetPairs\.FOOX: .*FOO/EUR again"):
        instruments_from({"FOOEUR": entry(), "FOOX": entry()})


def test_unlisted_assets_are_made_up_and_fine_enough_for_their_quantities() -> None:
    pair = one(altname="EURCHF", wsname="EUR/CHF", base="ZEUR", quote="CHF")
    euro, franc = assets_of([pair])
    assert (euro.id, euro.rest_id, euro.decimals) == ("EUR", "ZEUR", 8)
    assert (franc.id, franc.altname, franc.decimals, franc.margin_rate) == ("CHF", "CHF", 10, None)
    assert assets_of([one()])[1].decimals == 4


def test_configuration_lists_what_a_file_says() -> None:
    config = config_from(
        {
            "venue": {"symbols": ["FOO/EUR"]},
            "accounts": [{"name": "a", "balances": {"FOO": "1.5", "SOL": 3}}],
            "instruments": {"file": "pairs.json", "start_prices": {"FOO/EUR": "7.5"}},
        }
    )
    found = listing(config, {"result": {"FOOEUR": entry()}})
    assert [(i.symbol, i.start_price) for i in found.instruments] == [("FOO/EUR", 7_500)]
    assert {asset.id for asset in found.assets} == {"FOO", "EUR", "SOL"}
    with pytest.raises(ConfigError, match=r"pairs\.json\.result\.FOOEUR\.ordermin"):
        listing(config, {"result": {"FOOEUR": entry(ordermin="x")}})
    with pytest.raises(ConfigError, match=r"venue\.symbols"):
        listing(config, {"result": {"BAREUR": entry(altname="BAREUR", wsname="BAR/EUR")}})


def test_start_price_of_an_unlisted_symbol_is_refused() -> None:
    config = config_from({"instruments": {"file": "x", "start_prices": {"BAR/EUR": 1}}})
    with pytest.raises(ConfigError, match=r"instruments\.start_prices: .*BAR/EUR"):
        listing(config, {"FOOEUR": entry()})


@pytest.mark.parametrize(
    ("members", "price"),
    [
        ({}, None),
        ({"tick_size": "1", "ordermin": "0.0001"}, None),
        ({"tick_size": "0.00000001", "ordermin": "160000"}, "0.00002360"),
        ({"tick_size": "0.000000000001", "ordermin": "10000000"}, "1"),
        ({"lot_decimals": 0, "ordermin": "1"}, None),
    ],
)
def test_market_of_an_unlisted_instrument_opens_and_lives(members: dict[str, object], price: str | None) -> None:
    pair = one(start_prices={"FOO/EUR": Decimal(price)} if price else None, **members)
    ledger = Ledger({asset.id: asset.decimals for asset in assets_of([pair])})
    exchange, market = Exchange(ledger, lambda: "online"), Market(pair)
    exchange.open_desk(market)
    hands = []
    for who in ("makers", "takers"):
        account = ledger.open(who, keeps_history=False)
        account.fixed_fees = (0, 0)
        for asset in ("FOO", "EUR"):
            exchange.deposit(account, asset, 10 ** (15 + ledger.decimals[asset]), START_NS)
        hands.append(Hand(exchange, account, market.symbol))
    traders = Traders(*hands, Random(1), pair.actions_per_s)
    traders.open(START_NS)
    for _ in range(300):
        traders.act(START_NS + traders.next_offset_ns)
    assert 0 < market.quote.bid < market.quote.ask
    assert market.trade_revision > 10
