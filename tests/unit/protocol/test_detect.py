"""Telling versions and directions apart by the frame alone."""

from __future__ import annotations

import pytest

from krakenwire.protocol.detect import origin_of


@pytest.mark.parametrize(
    ("frame", "origin"),
    [
        (b'[336,{"as":[],"bs":[]},"book-10","XBT/USD"]', "v1"),
        (b'{"event":"heartbeat"}', "v1"),
        (b'{"connectionID":1,"event":"systemStatus","status":"online"}', "v1"),
        (b'{"channelID":1,"event":"subscriptionStatus","status":"subscribed"}', "v1"),
        (b'{"errorMessage":"Exceeded msg rate"}', "v1"),
        (b'{"event":"pong","reqid":1}', "v1"),
        (b'{"channel":"heartbeat"}', "v2"),
        (b'{"type":"update", "channel":"book","data":[]}', "v2"),
        (b'{"method":"pong","req_id":1}', "v2"),
        (b'{"error":"no","method":"subscribe","success":false}', "v2"),
        (b'{"method":"subscribe","result":{},"success":true}', "v2"),
        (b'{"method":"subscribe","params":{"channel":"book"}}', "client"),
        (b'{"method":"ping"}', "client"),
        (b'{"event":"subscribe","pair":["XBT/USD"]}', "client"),
        (b'{"event":"ping"}', "client"),
        (b"{}", "unknown"),
        (b"12", "unknown"),
        (b"not json", "unknown"),
        (b"\xff\xfe", "unknown"),
        (b'{"a":' * 5_000, "unknown"),
        (b"", "unknown"),
    ],
)
def test_a_frame_tells_its_version_and_its_sender(frame: bytes, origin: str) -> None:
    assert origin_of(frame) == origin
