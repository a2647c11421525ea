"""Private REST answers that were recorded are ours to the letter, and are read as the refusals they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from krakenwire.errors import VenueRefusal
from krakenwire.model import AddOrder, OrderRefused
from krakenwire.protocol.rest import error_text
from krakenwire.protocol.rest_client import rest_reply, rest_result
from krakenwire.protocol.rest_figures import read_websocket_token
from krakenwire.protocol.rest_instruments import read_instruments


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


def test_the_recorded_token_becomes_a_secret_and_the_recorded_pairs_instruments(shared: Path) -> None:
    rows = json.loads((shared / "protocol/vectors/v2-rest-recorded.json").read_text())["replies"]
    (body,) = (row["body"] for row in rows if row["request"].endswith("GetWebSocketsToken"))
    token = read_websocket_token(json.dumps(body))
    assert (token.token.reveal(), token.expires_s) == (body["result"]["token"], body["result"]["expires"])
    asked = [row["body"] for row in rows if "/AssetPairs" in row["request"] and not row["body"]["error"]]
    assert len(asked) >= 2
    for body in asked:
        (pair,) = read_instruments(json.dumps(body).encode()).values()
        (told,) = body["result"].values()
        assert (f"{pair.qty_min:f}", f"{pair.cost_min:f}", f"{pair.price_increment:f}") == (
            told["ordermin"],
            told["costmin"],
            told["tick_size"],
        )
