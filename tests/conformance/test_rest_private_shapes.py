"""Private REST answers that were recorded are ours to the letter, and are read as the refusals they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from krakenwire.errors import VenueRefusal
from krakenwire.model import AddOrder, OrderRefused
from krakenwire.protocol.rest import error_text
from krakenwire.protocol.rest_client import rest_reply, rest_result


def test_recorded_refusals_are_written_and_read(shared: Path) -> None:
    rows = json.loads((shared / "protocol/vectors/v2-rest-recorded.json").read_text())["replies"]
    refused = [row["body"] for row in rows if "private" in row["request"] and row["body"]["error"]]
    assert len(refused) >= 2
    for body in refused:
        text = json.dumps(body, separators=(",", ":"))
        (error,) = body["error"]
        assert error_text(error) == text
        with pytest.raises(VenueRefusal) as refusal:
            rest_result(text, dict[str, str])
        assert refusal.value.error == error
        order = AddOrder(symbol="BTC/USD", side="buy", order_type="market")
        assert rest_reply(order, text).answer == OrderRefused(error)


def test_the_recorded_token_is_read(shared: Path) -> None:
    rows = json.loads((shared / "protocol/vectors/v2-rest-recorded.json").read_text())["replies"]
    (body,) = (row["body"] for row in rows if row["request"].endswith("GetWebSocketsToken"))
    assert rest_result(json.dumps(body), dict[str, str | int]) == body["result"]
