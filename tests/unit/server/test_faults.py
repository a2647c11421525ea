"""What is still to go wrong: which frames and requests a fault is for, how often, and what it makes of them."""

from __future__ import annotations

import json

import pytest

from krakenwire.errors import ConfigError
from krakenwire.server.faults import Faults, FrameFault, FrameFaultKind, RequestFault, RequestFaultKind, garbled
from krakenwire.server.frames import text_frame, text_of

BOOK_V2 = '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[],"checksum":4294967295}]}'
BOOK_V1 = '[1,{"a":[["1.0","2.0","3.0"]],"c":"17"},"book-25","XBT/USD"]'
BOTH_SIDES = '[1,{"a":[["1.0","2.0","3.0"]]},{"b":[["1.0","2.0","3.0"]],"c":"17"},"book-10","XBT/USD"]'
UPDATES = {
    "book": [BOOK_V2, BOOK_V1, BOTH_SIDES],
    "trade": ['{"channel":"trade","type":"update","data":[]}', '[1,[["1","2","3","s","m",""]],"trade","XBT/USD"]'],
    "ohlc": ['{"channel":"ohlc","type":"update","timestamp":"x","data":[]}', '[3,["1"],"ohlc-5","XBT/USD"]'],
    "executions": ['{"channel":"executions","type":"update","data":[],"sequence":4}'],
    "openOrders": ['[[{"O1":{"status":"open"}}],"openOrders",{"sequence":12}]'],
}
OTHERS = [
    '{"channel":"heartbeat"}',
    '{"event":"heartbeat"}',
    '{"channel":"book","type":"snapshot","data":[{"checksum":5}]}',
    '{"method":"pong"}',
    "[]",
]


def frame_fault(kind: FrameFaultKind, channel: str = "book", count: int = 1) -> FrameFault:
    return FrameFault(kind=kind, channel=channel, count=count)


def request_fault(kind: RequestFaultKind = "lose_ack", method: str | None = None, count: int = 1) -> RequestFault:
    return RequestFault(kind=kind, method=method, count=count)


@pytest.mark.parametrize("channel", UPDATES)
def test_updates_of_the_channel_are_meant_and_no_others(channel: str) -> None:
    faults = Faults()
    for frame in UPDATES[channel]:
        faults.add(frame_fault("drop_updates", channel))
        for other in [*OTHERS, *(each for name, frames in UPDATES.items() if name != channel for each in frames)]:
            assert faults.apply(other) == (other,)
        assert faults.apply(frame) == ()
        assert faults.apply(frame) == (frame,)
        assert not faults.frames


@pytest.mark.parametrize(
    ("frame", "spoiled"),
    [
        (BOOK_V2, BOOK_V2.replace("4294967295", "0")),
        (BOOK_V1, BOOK_V1.replace('"17"', '"18"')),
        (BOTH_SIDES, BOTH_SIDES.replace('"17"', '"18"')),
    ],
)
def test_a_checksum_is_wrong_by_one_and_nothing_else(frame: str, spoiled: str) -> None:
    faults = Faults()
    faults.add(frame_fault("corrupt_checksums"))
    assert faults.apply(frame) == (spoiled,)


def test_a_frame_without_a_checksum_leaves_the_fault_for_the_next() -> None:
    faults = Faults()
    faults.add(frame_fault("corrupt_checksums", "trade"))
    for frame in UPDATES["trade"]:
        assert faults.apply(frame) == (frame,)
    assert faults.frames


def test_a_doubled_update_comes_twice_as_often_as_it_was_set() -> None:
    faults = Faults()
    faults.add(frame_fault("duplicate_updates", count=2))
    assert [len(faults.apply(BOOK_V2)) for _ in range(3)] == [2, 2, 1]


def test_a_fault_set_again_counts_anew_and_zero_ends_it() -> None:
    faults = Faults()
    faults.add(frame_fault("drop_updates", count=5))
    faults.add(frame_fault("drop_updates", count=1))
    assert [fault.count for fault in faults.all] == [1]
    faults.add(frame_fault("drop_updates", count=0))
    assert (faults.all, faults.frames) == ((), False)


@pytest.mark.parametrize("spelling", ["batch_add", "AddOrderBatch", "addorderbatch"])
@pytest.mark.parametrize("asked", ["batch_add", "AddOrderBatch"])
def test_a_method_is_known_by_each_of_its_names(spelling: str, asked: str) -> None:
    faults = Faults()
    faults.add(request_fault(method=spelling))
    assert faults.of_request("add_order") is None
    assert faults.of_request(asked) is not None
    assert faults.of_request(asked) is None


@pytest.mark.parametrize(
    ("frame", "meant"),
    [
        ('{"method":"add_order","params":{}}', True),
        ('{"event":"cancelAll"}', True),
        (b'{"event":"editOrder"}', True),
        ('{"method":"subscribe","params":{"channel":"ticker","event_trigger":"bbo"}}', False),
        ('{"method":"ping"}', False),
        ('{"event":"ping"}', False),
        ('{"method":5}', False),
        ('{"params":{"method":"add_order"}}', False),
        ("[]", False),
        ("", False),
        ("{", False),
        (b"\xff", False),
        ("[" * 10_000, False),
    ],
)
def test_without_a_method_requests_about_orders_are_meant(frame: str | bytes, meant: bool) -> None:
    faults = Faults()
    faults.add(request_fault())
    assert (faults.of_frame(frame) is not None) is meant
    assert faults.requests is not meant


def test_clearing_leaves_a_faithful_venue() -> None:
    faults = Faults()
    faults.add(frame_fault("drop_updates"))
    faults.add(request_fault())
    assert (faults.frames, faults.requests) == (True, True)
    faults.clear()
    assert (faults.all, faults.frames, faults.requests) == ((), False, False)


@pytest.mark.parametrize("size", [3, 125, 126, 65_535, 65_536])
def test_a_garbled_frame_is_a_sound_frame_with_unsound_text(size: int) -> None:
    text = json.dumps("x" * (size - 2))
    assert len(text) == size
    frame = text_frame(text)
    assert text_of(frame) == text
    assert text_of(garbled(frame, "cut")) == text[: size // 2]
    flipped = text_of(garbled(frame, "flip"))
    assert sum(a != b for a, b in zip(flipped, text, strict=True)) == 1
    assert "CloudFlare" in text_of(garbled(frame, "not_json"))
    with pytest.raises(ConfigError, match="one of cut, flip, not_json"):
        garbled(frame, "sing")
