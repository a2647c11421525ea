"""What a client may do how often, over real sockets: messages, connections, keys, silence, level3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import websocket
from tests.e2e.peers import peer, signed

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.testing import local_kraken

Configured = Callable[[str], LocalVenue]
EXCEEDED = "Exceeded msg rate"
SESSION = "ESession:Invalid session"


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Configured]:
    """Start venues with a configuration; they are stopped at the end."""
    started: list[LocalVenue] = []

    def start(text: str) -> LocalVenue:
        config = tmp_path / "venue.toml"
        config.write_text(text)
        started.append(LocalVenue(config=config).start())
        return started[-1]

    yield start
    for venue in started:
        venue.stop()


SLOW = '[venue]\nsymbols = ["BTC/USD"]\nmessage_rate = { threshold = 3, decay_per_s = "0.000001" }\n'


def test_too_many_messages_are_refused_and_the_connection_lives(configured: Configured) -> None:
    venue = configured(SLOW)
    with peer(venue.ws_v2) as client:
        for _ in range(3):
            assert client.ask(method="ping")["method"] == "pong"
        refused = client.call("subscribe", channel="book", symbol=["BTC/USD"])
        assert (refused["error"], refused["method"], refused["success"]) == (EXCEEDED, "subscribe", False)
        client.ws.send("{")
        assert json.loads(client.text())["method"] == "error"
        assert client.ask(method="ping")["error"] == EXCEEDED
    with peer(venue.ws_v1) as old:
        for _ in range(3):
            assert old.ask(event="ping")["event"] == "pong"
        refused = old.ask(event="subscribe", pair=["XBT/USD"], subscription={"name": "book"})
        assert refused == {"errorMessage": EXCEEDED, "event": "error", "reqid": refused["reqid"]}
        old.ws.send("[" * 5_000)
        assert json.loads(old.text()) == {"errorMessage": EXCEEDED, "event": "error"}


def test_an_order_that_came_too_fast_has_not_been_placed(configured: Configured) -> None:
    venue = configured(SLOW)
    with peer(venue.ws_v2) as client:
        for _ in range(3):
            client.ask(method="ping")
        order = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01}
        assert client.call("add_order", token=venue.token().reveal(), **order)["error"] == EXCEEDED
    assert signed(venue, "TradesHistory")["result"]["count"] == 0


def test_an_address_that_connects_too_often_is_banned(configured: Configured) -> None:
    venue = configured(
        '[venue]\nsymbols = ["BTC/USD"]\nconnection_attempts = { threshold = 2, decay_per_s = "0.000001", ban_s = 600 }'
    )
    for _ in range(2):
        with peer(venue.ws_v2) as client:
            client.of("status")
    for _ in range(2):
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            websocket.create_connection(venue.ws_v1)
        assert caught.value.status_code == 429
        assert b"1015" in (caught.value.resp_body or b"")
    assert signed(venue, "Balance")["error"] == []


def test_by_default_a_machine_may_connect_as_often_as_it_likes() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue:
        for _ in range(200):
            with peer(venue.ws_v2) as client:
                client.of("status")


def test_wrong_signatures_lock_an_address_out(configured: Configured) -> None:
    venue = configured(
        '[venue]\nsymbols = ["BTC/USD"]\nlockout = { threshold = 2, decay_per_s = "0.000001", ban_s = 900 }'
    )
    errors = [signed(venue, "Balance", secret="bm90IGl0")["error"] for _ in range(3)]
    assert errors == [["EAPI:Invalid signature"], ["EAPI:Invalid signature"], ["EGeneral:Temporary lockout"]]
    assert signed(venue, "Balance")["error"] == [], "who signs right is never turned away for others"
    venue.advance(901)
    assert signed(venue, "Balance", secret="bm90IGl0")["error"] == ["EAPI:Invalid signature"]


def test_an_idle_connection_is_closed_after_the_configured_time(configured: Configured) -> None:
    venue = configured('[venue]\nsymbols = ["BTC/USD"]\nidle_close_s = 1')
    with peer(venue.ws_v2) as idle:
        idle.of("status")
        assert idle.ws.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE


# -- level3 -------------------------------------------------------------------------


def test_level3_wants_a_token_that_is_valid() -> None:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"]) as venue, peer(venue.ws_v2) as client:
        asked = {"channel": "level3", "symbol": ["BTC/USD", "ETH/USD"], "token": "made up"}
        client.send(method="subscribe", params=asked)
        refusals = [client.until(lambda frame: "error" in frame) for _ in range(2)]
        assert [(frame["error"], frame["symbol"]) for frame in refusals] == [
            (SESSION, "BTC/USD"),
            (SESSION, "ETH/USD"),
        ]
        token = venue.token().reveal()
        assert client.call("subscribe", channel="level3", symbol=["BTC/USD"], token=token)["success"]
        assert client.call("unsubscribe", channel="level3", symbol=["BTC/USD"], token="x")["error"] == SESSION


def test_a_level3_subscription_keeps_its_token_alive_until_it_ends() -> None:
    with local_kraken(symbols=["BTC/USD"]) as venue, peer(venue.ws_v2) as client:
        token = venue.token().reveal()
        level3 = {"channel": "level3", "symbol": ["BTC/USD"], "token": token}
        assert client.call("subscribe", **level3)["success"]
        venue.advance(2_000)
        assert client.call("cancel_all", token=token)["success"]
        venue.advance(2_000)
        assert client.call("unsubscribe", **level3)["success"]
        assert client.call("subscribe", **level3)["error"] == SESSION


@pytest.mark.parametrize(
    ("tier", "depth", "accepted"), [("starter", 1000, 2), ("intermediate", 100, 8), ("pro", 1000, 5), ("pro", 10, 99)]
)
def test_level3_subscriptions_have_the_budget_of_the_tier(
    configured: Configured, tier: str, depth: int, accepted: int
) -> None:
    venue = configured(f'[venue]\nrate = 1\n[[accounts]]\nname = "reader"\ntier = "{tier}"\nkeys = [{{}}]')
    symbols = sorted(instrument.symbol for instrument in venue._config.listed)
    with peer(venue.ws_v2) as client:
        asked = {"channel": "level3", "symbol": symbols, "token": venue.token().reveal(), "depth": depth}
        client.send(method="subscribe", params=asked)
        replies = [client.until(lambda frame: frame.get("method") == "subscribe") for _ in symbols]
        assert [reply["success"] for reply in replies] == [place < accepted for place in range(len(symbols))]
        assert {reply["error"] for reply in replies if not reply["success"]} <= {EXCEEDED}


def test_an_account_without_limits_has_no_level3_budget(configured: Configured) -> None:
    venue = configured('[venue]\nrate = 1\n[[accounts]]\nname = "reader"\nlimits = false\nkeys = [{}]')
    symbols = [instrument.symbol for instrument in venue._config.listed]
    with peer(venue.ws_v2) as client:
        asked = {"channel": "level3", "symbol": symbols, "token": venue.token().reveal(), "depth": 1000}
        client.send(method="subscribe", params=asked)
        assert all(client.until(lambda frame: frame.get("method") == "subscribe")["success"] for _ in symbols)
