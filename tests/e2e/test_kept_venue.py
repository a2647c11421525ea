"""A local Kraken with a folder: killed at any moment it has lost nothing that anybody was told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec
import pytest
from websocket import WebSocketException, create_connection

from krakenwire.apps.kept_venue import KeptVenue
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import ConfigError, JournalBusy
from krakenwire.protocol.rest_sign import sign
from krakenwire.venue import VenueConfig
from krakenwire.venue.inputs import Reached

SECOND = 1_000_000_000
VENUE = [sys.executable, "-m", "krakenwire", "venue", "--port", "0", "--json", "--symbols", "BTC/USD", "--rate", "20"]


CONFIG = """
[[accounts]]
name = "fast"
balances = { USD = 1000000, BTC = 100 }
limits = false
keys = [{ nonce_window = 1000000 }]
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    folder.mkdir(exist_ok=True)
    config = folder / "venue.toml"
    config.write_text(CONFIG)
    command = [*VENUE, "--data", str(folder), "--config", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe


@dataclass
class Told:
    """What the client knows for sure."""

    open: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    fills: dict[str, Decimal] = field(default_factory=dict)
    nonce: int = 0

    def read(self, frame: dict[str, Any]) -> None:
        for row in frame["data"] if frame.get("channel") == "executions" else ():
            if row["exec_type"] == "trade":
                sign_of = 1 if row["side"] == "buy" else -1
                self.fills[row["exec_id"]] = sign_of * Decimal(str(row["last_qty"]))
            if row["exec_type"] in ("filled", "canceled"):
                self.ended.add(row["order_id"])


def signed_call(ready: dict[str, Any], method: str, nonce: int, **params: Any) -> Any:
    """Return what a life of the venue answers to a signed call; the same arguments are the same call."""
    path, body = f"/0/private/{method}", urlencode({"nonce": nonce, **params}).encode()
    signature = sign(path, str(nonce), body, ready["secret"])
    request = Request(ready["rest"] + path, body, {"API-Key": ready["key"], "API-Sign": signature})
    with urlopen(request) as answer:
        return json.loads(answer.read())


class Client:
    """Speaks to one life of the venue, and writes down what it is told."""

    def __init__(self, ready: dict[str, Any], told: Told) -> None:
        self.ready, self.told = ready, told
        token = self.rest("GetWebSocketsToken")["token"]
        self.socket = create_connection(ready["ws_v2"], timeout=20)
        self.token = token

    def rest(self, method: str) -> Any:
        self.told.nonce += 1
        return signed_call(self.ready, method, self.told.nonce)["result"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self.socket.send(json.dumps({"method": method, "params": {**params, "token": self.token}, "req_id": 1}))
        while True:
            frame = json.loads(self.socket.recv())
            if frame.get("req_id") == 1:
                assert isinstance(frame, dict)
                return frame
            self.told.read(frame)

    def follow(self) -> set[str]:
        """Subscribe, and return the open orders."""
        assert self.ask("subscribe", channel="executions")["success"]
        while True:
            frame = json.loads(self.socket.recv())
            if frame.get("channel") == "executions":
                return {row["order_id"] for row in frame["data"]}

    def trade(self, random: Random) -> None:
        """Place, cancel and take until the venue is gone."""
        while True:
            kind = random.random()
            if kind < 0.3 and self.told.open:
                order_id = random.choice(sorted(self.told.open))
                self.told.open.discard(order_id)  # unless it is refused, it may be gone from here on
                assert self.ask("cancel_order", order_id=[order_id])["success"]
                self.told.ended.add(order_id)
            elif kind < 0.4:
                side = random.choice(("buy", "sell"))
                self.ask("add_order", order_type="market", side=side, symbol="BTC/USD", order_qty=0.001)
            else:
                price = random.randrange(1_000, 2_000)
                answer = self.ask(
                    "add_order", order_type="limit", side="buy", symbol="BTC/USD", order_qty=0.001, limit_price=price
                )
                if answer["success"]:
                    self.told.open.add(answer["result"]["order_id"])


def test_nothing_that_was_told_is_lost_however_often_it_is_killed(tmp_path: Path, nightly: bool) -> None:
    random, told = Random(4), Told()
    first: Decimal | None = None
    for _ in range(100 if nightly else 4):
        with running(tmp_path / "venue") as (process, ready):
            client = Client(ready, told)
            balance = Decimal(client.rest("Balance")["XXBT"])
            first = balance if first is None else first
            unseen = balance - first - sum(told.fills.values())
            assert unseen in (0, Decimal("0.001"), Decimal("-0.001")), "but for one order that was never answered"
            first += unseen
            still_open = client.follow()
            assert told.open <= still_open
            assert not told.ended & still_open
            told.open = still_open - told.ended
            killer = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"import time, os; time.sleep({random.uniform(0.05, 0.6)}); os.kill({process.pid}, 9)",
                ]
            )
            with pytest.raises((OSError, WebSocketException)):
                client.trade(random)
            killer.wait()
            client.socket.shutdown()
    assert len(told.ended) > 20
    assert told.fills


def test_a_venue_that_is_stopped_in_good_order_is_the_same_when_it_is_started_again(tmp_path: Path) -> None:
    told = Told()
    with running(tmp_path / "venue") as (process, ready):
        assert "restored" not in ready
        client = Client(ready, told)
        client.ask("add_order", order_type="limit", side="buy", symbol="BTC/USD", order_qty=0.5, limit_price=20_000)
        before = client.rest("BalanceEx")
        client.socket.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with running(tmp_path / "venue") as (_, ready):
        assert ready["restored"] > 0
        client = Client(ready, told)
        assert client.rest("BalanceEx") == before
        client.socket.close()


ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "20000", "volume": "0.01"}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_signed_call_that_was_recorded_cannot_be_sent_again_in_another_life(
    tmp_path: Path, end: signal.Signals
) -> None:
    with running(tmp_path / "venue") as (process, ready):
        assert signed_call(ready, "AddOrder", 5_000_000, **ORDER)["error"] == []
        assert signed_call(ready, "Balance", 4_999_999)["error"] == []
        process.send_signal(end)
        process.wait(20)
    with running(tmp_path / "venue") as (_, ready):
        for nonce, method, params in ((5_000_000, "AddOrder", ORDER), (4_999_999, "Balance", {})):
            assert signed_call(ready, method, nonce, **params) == {"error": ["EAPI:Invalid nonce"]}
        assert len(signed_call(ready, "OpenOrders", 4_999_998)["result"]["open"]) == 1, "its window is kept as well"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_token_is_good_in_another_life_and_is_not_in_the_folder(tmp_path: Path, end: signal.Signals) -> None:
    told = Told()
    with running(tmp_path / "venue") as (process, ready):
        client = Client(ready, told)
        token = client.token
        client.socket.close()
        process.send_signal(end)
        process.wait(20)
    for file in (tmp_path / "venue").iterdir():
        assert token.encode() not in file.read_bytes()
    with running(tmp_path / "venue") as (_, ready):
        client = Client(ready, told)
        assert client.token != token
        client.token = token
        order = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 1, "limit_price": 1}
        assert client.ask("add_order", **order)["success"]
        assert client.follow()
        client.socket.close()


def cancel_all(venue: LocalVenue, token: str) -> dict[str, Any]:
    """Return the answer to a request with a token."""
    with closing(create_connection(venue.ws_v2_private, timeout=20)) as socket:
        socket.send(json.dumps({"method": "cancel_all", "params": {"token": token}, "req_id": 1}))
        while True:
            frame = json.loads(socket.recv())
            if frame.get("req_id") == 1:
                assert isinstance(frame, dict)
                return frame


@pytest.mark.parametrize("end", ["time", "operation"])
def test_a_token_that_has_ended_is_not_good_in_another_life(tmp_path: Path, end: str) -> None:
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
        old = venue.token().reveal()
        if end == "time":
            venue.advance(901)
        else:
            venue.expire_tokens()
        new = venue.token().reveal()
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
        answers = [cancel_all(venue, token) for token in (old, new)]
    assert answers[0]["error"] == "ESession:Invalid session"
    assert answers[1]["success"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_long_restart_says_so_on_stderr_and_can_be_stopped(tmp_path: Path, number: signal.Signals) -> None:
    config = VenueConfig(symbols=["BTC/USD"], rate=20, start_ns=1_790_000_000 * SECOND)
    with closing(KeptVenue(tmp_path, config)) as kept:
        kept.write(msgspec.msgpack.encode(Reached(config.start_ns + 366 * 86_400 * SECOND)))
    size = (tmp_path / "venue.journal").stat().st_size
    command = [*VENUE, "--data", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.send_signal(number)
        out, more = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (said, out, more) == ("krakenwire: doing again what the folder holds\n", "", "")
    assert process.returncode == 0
    assert (tmp_path / "venue.journal").stat().st_size == size


def test_a_folder_in_use_or_of_other_settings_is_refused(tmp_path: Path) -> None:
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path), pytest.raises(JournalBusy):
        LocalVenue(symbols=["BTC/USD"], data=tmp_path).start()
    with pytest.raises(ConfigError, match="symbols as it began, BTC/USD, found ETH/USD"):
        LocalVenue(symbols=["ETH/USD"], data=tmp_path).start()
    with pytest.raises(ConfigError, match="seed"):
        LocalVenue(symbols=["BTC/USD"], seed=2, data=tmp_path).start()
    with LocalVenue(symbols=["BTC/USD"], data=tmp_path) as venue:
        assert venue.port
