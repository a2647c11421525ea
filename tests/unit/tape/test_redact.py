from __future__ import annotations

import json

import pytest

from krakenwire.tape.redact import redacted

CANARY = "CANARY-0123456789abcdefghij"


@pytest.mark.parametrize(
    "frame",
    [
        b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[]}]}',
        b'[0,{"b":[["1.0","2.0","3.0"]],"c":"1"},"book-10","XBT/USD"]',
        b'{"channel":"instrument","data":{"assets":[{"id":"TOKEN"}]}}',
        b'{"method":"subscribe","params":{"channel":"trade","token":"***"}}',
        b"",
        b"\xff\xfe",
    ],
)
def test_a_frame_without_a_secret_is_the_same_bytes(frame: bytes) -> None:
    assert redacted(frame) is frame


@pytest.mark.parametrize(
    "frame",
    [
        '{"method":"subscribe","params":{"channel":"executions","token":"%s"},"req_id":1}',
        '{"event":"subscribe","subscription":{"name":"ownTrades","token":"%s"}}',
        '{"event":"addOrder","token" : "%s","pair":"XBT/USD"}',
        '{"Token":"%s"}',
        '[{"a":[{"API-Key":"%s"}]}]',
        '{"errorMessage":"no such token: %s","subscription":{"token":"%s"}}',
        '{"API-Sign":"%s","nonce":1}',
    ],
)
def test_only_the_secret_of_a_frame_is_replaced(frame: str) -> None:
    clean = redacted(frame.replace("%s", CANARY).encode())
    assert clean == frame.replace("%s", "***").encode()


@pytest.mark.parametrize(
    "frame",
    [
        b'{"token":"%s' % CANARY.encode(),
        b'{"to\\u006ben":"%s"}' % CANARY.replace("C", "\\u0043").encode(),
        b'{"token":"%s\\n"}' % CANARY.encode(),
        b'{"token":"\xff%s"}' % CANARY.encode(),
    ],
)
def test_a_frame_whose_secret_cannot_be_told_apart_is_given_up(frame: bytes) -> None:
    clean = redacted(frame)
    assert "ANARY" not in clean.decode()
    assert "redacted" in json.loads(clean)


def test_a_short_secret_changes_nothing_but_its_own_member() -> None:
    frame = b'{"token":"1","price":11.1,"note":"1 of 1"}'
    assert redacted(frame) == b'{"token":"***","price":11.1,"note":"1 of 1"}'
