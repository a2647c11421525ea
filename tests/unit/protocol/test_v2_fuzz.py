"""Whatever comes in as a v2 frame gives events or a typed error, never anything else."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import DecodeError
from krakenwire.model import BookUpdate, Level3Update
from krakenwire.protocol.v2 import ClientCodec

TIME = "2031-02-03T04:05:06.789012Z"
SEEDS = (
    (
        '{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[{"price":7.10,"qty":5.1e-05}],'
        f'"asks":[{{"price":7.20,"qty":0.00000000}}],"checksum":4294967295,"timestamp":"{TIME}"}}]}}'
    ),
    (
        '{"channel":"ticker","type":"snapshot","data":[{"symbol":"A/B","bid":1.5,"bid_qty":2,"ask":1.6,"ask_qty":0.3,'
        '"last":1.5,"volume":1e3,"vwap":1.5,"low":1.4,"high":1.7,"change":-0.1,"change_pct":-3.60}]}'
    ),
    (
        '{"channel":"trade","type":"update","data":[{"symbol":"A/B","side":"sell","price":1.50,"qty":2.5,'
        f'"ord_type":"market","trade_id":9,"timestamp":"{TIME}"}}]}}'
    ),
    (
        f'{{"channel":"ohlc","type":"update","timestamp":"{TIME}","data":[{{"symbol":"A/B","open":1.0,"high":2.0,'
        '"low":0.5,"close":1.5,"trades":3,"volume":4.25,"vwap":1.2,"interval_begin":"2031-02-03T04:00:00.000000000Z",'
        '"interval":5}]}'
    ),
    (
        '{"channel":"level3","type":"update","data":[{"checksum":9,"symbol":"A/B","bids":[{"event":"add","order_id":"O1",'
        f'"limit_price":1.5,"order_qty":2.5,"timestamp":"{TIME}"}}],"asks":[]}}]}}'
    ),
    (
        '{"channel":"instrument","type":"update","data":{"assets":[{"id":"B","status":"enabled","precision":4,'
        '"precision_display":2}],"pairs":[]}}'
    ),
    '{"channel":"status","type":"update","data":[{"system":"online","connection_id":18446744073709551615}]}',
    '{"channel":"heartbeat"}',
    '{"method":"subscribe","req_id":1,"result":{"channel":"book","depth":10,"symbol":"A/B"},"success":true}',
    '{"error":"Currency pair not supported XBT/USD","method":"subscribe","success":false,"symbol":"XBT/USD"}',
    f'{{"method":"pong","req_id":3,"time_in":"{TIME}","time_out":"{TIME}"}}',
    (
        '{"channel":"executions","type":"update","data":[{"order_id":"O1","symbol":"A/B","order_qty":1.50,"cum_cost":0,'
        '"time_in_force":"GTC","exec_type":"pending_new","side":"buy","order_type":"stop-loss","order_userref":7,'
        '"limit_price_type":"static","triggers":{"price":1.5,"price_type":"pct","reference":"index",'
        '"status":"untriggered"},"trigger":"index","order_status":"pending_new","fee_ccy_pref":"fciq",'
        f'"timestamp":"{TIME}"}}],"sequence":2}}'
    ),
    (
        '{"channel":"executions","type":"snapshot","data":[{"order_id":"O1","exec_id":"T1","exec_type":"trade",'
        '"trade_id":3,"symbol":"A/B","side":"sell","last_qty":5.1e-05,"last_price":7,"liquidity_ind":"t","cost":1.5,'
        f'"order_status":"filled","timestamp":"{TIME}","fees":[{{"asset":"USD","qty":0.1}}]}}],"sequence":1}}'
    ),
    (
        '{"channel":"balances","type":"snapshot","data":[{"asset":"USD","asset_class":"currency","wallets":[{"type":'
        '"spot","id":"main","balance":1.50}],"balance":1.50}],"sequence":1}'
    ),
    (
        f'{{"channel":"balances","type":"update","data":[{{"ledger_id":"L1","ref_id":"T1","timestamp":"{TIME}",'
        '"type":"trade","asset":"USD","amount":-1.5,"fee":0.01,"balance":2}],"sequence":2}'
    ),
    '{"method":"add_order","req_id":7,"result":{"order_id":"O1","warnings":["w"]},"success":true}',
    '{"method":"batch_add","result":[{"order_id":"O1"},{"error":"EOrder:Insufficient funds"}],"success":false}',
    (
        '{"method":"cancel_all_orders_after","result":{"currentTime":"2031-02-03T04:05:06Z",'
        '"triggerTime":"2031-02-03T04:06:06Z"},"success":true}'
    ),
)
PIECES = (
    *(b"null", b"true", b"-1", b"1e999", b"1e-999", b"9" * 400, b"0.1", b'"x"', b'""', b"[]", b"{}", b"[[]]"),
    *(b'{"a":1}', b"\xff", b"\\ud800", b"NaN", b"Infinity", b"\x00", b",", b"}", b'"method":7,', b'"channel":"x",'),
)


def outcome(frame: bytes | str) -> str:
    """Decode, read everything that is read lazily, and tell what came of it."""
    try:
        for event in ClientCodec().decode(frame):
            repr(event)
            if isinstance(event, BookUpdate):
                _ = (event.bids, event.asks, event.time_ns)
            elif isinstance(event, Level3Update):
                _ = [(order.price, order.qty) for order in event.bids + event.asks]
    except DecodeError:
        return "error"
    return "events"


def mutated(rng: random.Random) -> bytes:
    frame = bytearray(rng.choice(SEEDS), "utf-8")
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(frame) + 1), rng.choice((0, 1, 1, 3, 8))
        frame[at : at + length] = rng.choice(PIECES) if rng.random() < 0.5 else rng.randbytes(rng.randint(0, 2))
    return bytes(frame)


def test_mutated_frames_give_events_or_decode_errors(nightly: bool) -> None:
    rng = random.Random(20310203)
    outcomes = Counter(outcome(mutated(rng)) for _ in range(1_000_000 if nightly else 20_000))
    assert outcomes["events"] > 100
    assert outcomes["error"] > 100


def test_frames_cut_anywhere_give_decode_errors() -> None:
    for frame in SEEDS:
        assert outcome(frame) == "events"
        assert {outcome(frame[:end]) for end in range(len(frame))} == {"error"}


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_arbitrary_frames_give_events_or_decode_errors(frame: bytes | str) -> None:
    assert outcome(frame) in ("events", "error")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(SEEDS), st.data())
def test_a_value_of_any_type_in_any_place_gives_events_or_a_decode_error(frame: str, data: st.DataObject) -> None:
    value = msgspec.json.decode(frame)
    place = value
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(_VALUES)
    assert outcome(msgspec.json.encode(value)) in ("events", "error")
