"""Instruments as REST tells them are those of the instrument channel."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from krakenwire.errors import DecodeError, VenueRefusal
from krakenwire.model import Instrument
from krakenwire.protocol.rest_instruments import read_instruments

PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "base": "XXBT",
    "quote": "ZUSD",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "cost_decimals": 5,
    "tick_size": "0.1",
    "ordermin": "0.00005",
    "costmin": "0.5",
    "leverage_buy": [2, 3],
    "status": "online",
    "something_new": [],
}


def body(**pairs: dict[str, object]) -> bytes:
    return json.dumps({"error": [], "result": pairs}).encode()


def test_a_pair_becomes_an_instrument_under_its_v2_symbol() -> None:
    assert read_instruments(body(XXBTZUSD=PAIR)) == {
        "BTC/USD": Instrument(
            symbol="BTC/USD",
            base="BTC",
            quote="USD",
            status="online",
            price_precision=1,
            qty_precision=8,
            cost_precision=5,
            price_increment=Decimal("0.1"),
            qty_increment=Decimal("1E-8"),
            qty_min=Decimal("0.00005"),
            cost_min=Decimal("0.5"),
            marginable=True,
            has_index=True,
        )
    }, "whether there is an index is not told here, and so nothing is ruled out"


def test_what_old_answers_lack_follows_from_the_decimals() -> None:
    old = {
        name: value for name, value in PAIR.items() if name not in ("tick_size", "costmin", "cost_decimals", "wsname")
    }
    instrument = read_instruments(body(XXBTZUSD=old | {"pair_decimals": 2}))["BTC/USD"]
    assert (instrument.price_increment, instrument.cost_min, instrument.cost_precision) == (Decimal("0.01"), None, 2)


def test_a_name_we_cannot_read_spoils_no_other() -> None:
    odd = PAIR | {"wsname": "", "altname": "?"}
    assert list(read_instruments(body(**{"?": odd, "XXBTZUSD": PAIR}))) == ["BTC/USD"]


def test_a_refusal_and_another_shape_are_told_apart() -> None:
    with pytest.raises(VenueRefusal, match="EService:Unavailable"):
        read_instruments(b'{"error":["EService:Unavailable"]}')
    with pytest.raises(DecodeError):
        read_instruments(b'{"error":[],"result":{"XXBTZUSD":{"base":1}}}')
    with pytest.raises(DecodeError):
        read_instruments(body(XXBTZUSD=PAIR | {"ordermin": "much"}))


@pytest.mark.parametrize("member", ["pair_decimals", "lot_decimals"])
@pytest.mark.parametrize("decimals", [-1, 41, 10**9])
def test_decimals_beyond_all_reason_are_the_peers_mistake(member: str, decimals: int) -> None:
    with pytest.raises(DecodeError, match="out of range"):
        read_instruments(body(XXBTZUSD=PAIR | {member: decimals}))
