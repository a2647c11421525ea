"""What REST tells of a key, margin, fees and amendments is read exactly, and a token is never shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from krakenwire.errors import DecodeError, VenueRefusal
from krakenwire.model import AmendRecord, FeeTier, KeyInfo, Permission, PositionRecord, TradeBalance
from krakenwire.protocol import rest_figures as read
from krakenwire.protocol.descriptions import PairTexts
from krakenwire.protocol.rest import error_text, result_text
from krakenwire.protocol.rest_entries import amends_result, key_info_result

PAIR = PairTexts(
    rest_key="XXBTZUSD", altname="XBTUSD", wsname="XBT/USD", price_decimals=1, cost_decimals=5, v1_decimals=5
)
SECOND = 1_000_000_000

TRADE_BALANCE = {
    "eb": "1101.3425", "tb": "392.2264", "m": "7.0354", "uv": "0.0000", "n": "-10.0232", "c": "21.1063",
    "v": "31.1297", "e": "382.2032", "mf": "375.1678", "mfo": "370.0001", "ml": "5432.57",
}  # fmt: skip
POSITION = {
    "ordertxid": "OLWNFG-LLH4R-D6SFFP", "posstatus": "open", "pair": "XXBTZUSD", "time": 1605280097.8294,
    "type": "buy", "ordertype": "limit", "cost": "104610.52842", "fee": "289.06565", "vol": "8.82412861",
    "vol_closed": "0.20200000", "margin": "20922.10568", "value": "258797.5", "net": "+154186.9728",
    "terms": "0.0100% per 4 hours", "rollovertm": "1616672637", "misc": "", "oflags": "",
}  # fmt: skip
TIER = {
    "fee": "0.1000", "minfee": "0.1000", "maxfee": "0.2600", "nextfee": None, "nextvolume": None,
    "tiervolume": "10000000.0000",
}  # fmt: skip


def answer(result: Any) -> str:
    return json.dumps({"error": [], "result": result})


def test_margin_figures_are_read_exactly() -> None:
    found = read.read_trade_balance(answer(TRADE_BALANCE))
    assert (found.equivalent, found.net, found.free) == (Decimal("1101.3425"), Decimal("-10.0232"), Decimal("375.1678"))
    assert (found.free_for_orders, found.level) == (Decimal("370.0001"), Decimal("5432.57"))


def test_figures_that_older_answers_leave_out_are_missing() -> None:
    short = {name: value for name, value in TRADE_BALANCE.items() if name not in ("uv", "mfo", "ml")}
    found = read.read_trade_balance(answer(short))
    assert found == TradeBalance(
        equivalent=Decimal("1101.3425"),
        balance=Decimal("392.2264"),
        used=Decimal("7.0354"),
        net=Decimal("-10.0232"),
        cost=Decimal("21.1063"),
        value=Decimal("31.1297"),
        equity=Decimal("382.2032"),
        free=Decimal("375.1678"),
    )


def test_a_position_is_read_with_and_without_what_it_is_worth() -> None:
    body = answer({"TF5GVO-T7ZZ2-6NBKBI": POSITION})
    (position,) = read.read_open_positions(body)
    assert (position.symbol, position.side, position.net) == ("BTC/USD", "buy", Decimal("154186.9728"))
    assert (position.time_ns, position.rollover_ns) == (1_605_280_097_829_400_000, 1_616_672_637 * SECOND)
    plain = {name: value for name, value in POSITION.items() if name not in ("value", "net")}
    (without,) = read.read_open_positions(answer({"TF5GVO-T7ZZ2-6NBKBI": plain}))
    assert without == PositionRecord(
        position_id="TF5GVO-T7ZZ2-6NBKBI",
        order_id="OLWNFG-LLH4R-D6SFFP",
        symbol="BTC/USD",
        time_ns=position.time_ns,
        side="buy",
        order_type="limit",
        cost=Decimal("104610.52842"),
        fee=Decimal("289.06565"),
        qty=Decimal("8.82412861"),
        closed_qty=Decimal("0.20200000"),
        margin=Decimal("20922.10568"),
        rollover_ns=position.rollover_ns,
        terms="0.0100% per 4 hours",
    )


def test_fees_are_told_by_symbol_and_the_last_tier_has_none_after_it() -> None:
    found = read.read_trade_volume(
        answer({"currency": "ZUSD", "volume": "200709587.4223", "fees": {"XXBTZUSD": TIER}, "fees_maker": {}})
    )
    assert (found.currency, found.volume, found.maker) == ("USD", Decimal("200709587.4223"), {})
    assert found.taker["BTC/USD"] == FeeTier(
        fee=Decimal("0.1000"), fee_min=Decimal("0.1000"), fee_max=Decimal("0.2600"), tier_volume=Decimal(10_000_000)
    )
    assert read.read_trade_volume(answer({"currency": "ZUSD", "volume": "0.0000"})).taker == {}


def test_amendments_come_back_as_the_venue_wrote_them() -> None:
    amends = (
        AmendRecord(
            amend_id="TZ5YQT-DMMO3-7IJ5AV",
            amend_type="original",
            order_qty=Decimal("0.01"),
            remaining_qty=Decimal("0.01"),
            time_ns=1_724_158_070_287_000_000,
            limit_price=Decimal("20000.0"),
        ),
        AmendRecord(
            amend_id="TNWCCU-JDYGQ-M6B4MV",
            amend_type="user",
            order_qty=Decimal("0.02"),
            remaining_qty=Decimal("0.015"),
            time_ns=1_724_158_080_287_000_000,
            display_qty=Decimal("0.01"),
            trigger_price=Decimal("19000.0"),
            reason="User requested",
            post_only=True,
        ),
    )
    assert read.read_order_amends(result_text(amends_result(amends, PAIR))) == amends


def test_what_a_key_may_do_comes_back_as_the_venue_wrote_it() -> None:
    info = KeyInfo(
        name="bot",
        permissions=frozenset({Permission.QUERY_FUNDS, Permission.WEBSOCKET}),
        others=frozenset({"withdraw-funds"}),
        nonce_window=7,
        valid_until_ns=1_800_000_000 * SECOND,
        created_ns=1_700_000_000 * SECOND,
        modified_ns=1_700_000_001 * SECOND,
        last_used_ns=1_700_000_002 * SECOND,
        ip_allowlist=("10.0.0.0/8",),
    )
    written = key_info_result(info, "public text", 5)
    assert isinstance(written, dict)
    assert written["permissions"] == ["query-funds", "create-ws-token", "withdraw-funds"]
    assert read.read_key_info(result_text(written)) == info


def test_a_token_is_read_into_a_secret() -> None:
    token = read.read_websocket_token(answer({"token": "sesame", "expires": 600}))
    assert (token.token.reveal(), token.expires_s) == ("sesame", 600)
    assert "sesame" not in repr(token)


@pytest.mark.parametrize("result", [{"token": 5, "expires": "sesame"}, {"tokens": "sesame"}, ["sesame"], "sesame"])
def test_an_answer_that_may_hold_a_token_is_not_shown(result: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        read.read_websocket_token(answer(result))
    assert "sesame" not in str(caught.value)
    assert caught.value.frame == ""


@pytest.mark.parametrize(
    ("reader", "result"),
    [
        (read.read_trade_balance, {"eb": "1"}),
        (read.read_trade_balance, {**TRADE_BALANCE, "m": "much"}),
        (read.read_open_positions, {"T": {**POSITION, "type": "hold"}}),
        (read.read_open_positions, {"T": {**POSITION, "net": "+"}}),
        (read.read_open_positions, {"T": {**POSITION, "rollovertm": "soon"}}),
        (read.read_trade_volume, {"volume": "1"}),
        (read.read_order_amends, {"amends": [{"amend_id": "T"}]}),
        (read.read_key_info, {"permissions": "all"}),
        (read.read_key_info, {"permissions": [], "validUntil": "never"}),
    ],
)
def test_what_is_no_such_answer_is_an_error_of_the_peers(reader: Callable[[str], object], result: Any) -> None:
    with pytest.raises(DecodeError):
        reader(answer(result))
    with pytest.raises(VenueRefusal, match="EAPI:Invalid key"):
        reader(error_text("EAPI:Invalid key"))
