from __future__ import annotations

import pytest

from krakenwire.tape.sniff import Seen, seen


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b'{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD"}]}', Seen("book", "BTC/USD", True)),
        (b'{"channel":"trade","type":"update","data":[{"symbol":"ETH/USD"}]}', Seen("trade", "ETH/USD")),
        (
            b'{"channel":"level3","type":"update","data":[{"symbol":"BTC/USD","bids":[{"event":"add"}],"asks":[]}]}',
            Seen("level3", "BTC/USD"),
        ),
        (b'{"channel":"heartbeat"}', Seen("heartbeat")),
        (b'{"method":"subscribe","result":{"channel":"book","symbol":"BTC/USD"}}', Seen(event="subscribe")),
        (b'{"event":"systemStatus","status":"online"}', Seen(event="systemStatus")),
        (b'[0,{"as":[],"bs":[]},"book-10","XBT/USD"]', Seen("book-10", "XBT/USD", True)),
        (b'[0,{"a":[["1","2","3"]]},{"b":[],"c":"1"},"book-10","XBT/USD"]', Seen("book-10", "XBT/USD")),
        (b'[[{"x":1}],"ownTrades",{"sequence":2}]', Seen("ownTrades")),
        (b"[]", Seen()),
        (b"nonsense", Seen()),
    ],
)
def test_a_frame_is_told_by_its_channel_and_symbol(frame: bytes, expected: Seen) -> None:
    assert seen(frame) == expected
