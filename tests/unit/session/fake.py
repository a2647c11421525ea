"""A scripted venue and a driver on virtual time: frames are texts, nothing waits for anything."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from decimal import Decimal

from krakenwire.errors import KrakenwireError
from krakenwire.model import Event, OrderRecord, TradeRecord
from krakenwire.protocol import v1, v2
from krakenwire.protocol.symbols import to_v1
from krakenwire.protocol.v1 import trading as trading_v1
from krakenwire.protocol.v2 import trading as trading_v2
from krakenwire.session import Close, Feed, Hub, Open, Send, Session, SessionConfig
from krakenwire.session.effects import FetchToken, LookUp
from krakenwire.session.lookup import Findings, Missing
from krakenwire.session.orders import Orders

SECOND = 1_000_000_000
URL = "ws://127.0.0.1:1/v2"
_ENCODE = {1: trading_v1.encode_request, 2: trading_v2.encode_request}
TIME = "2026-01-02T03:04:05.000006Z"


class Book:
    """What the venue knows of one book: two levels a side, prices with one decimal, quantities with eight."""

    def __init__(self, symbol: str, bid_tenths: int = 1000) -> None:
        self.symbol = symbol
        self.bids = {bid_tenths: 5_0000_0000, bid_tenths - 5: 7_0000_0000}
        self.asks = {bid_tenths + 10: 3_0000_0000, bid_tenths + 15: 9_0000_0000}

    def checksum(self) -> int:
        import zlib

        asks = [(price, self.asks[price]) for price in sorted(self.asks)][:10]
        bids = [(price, self.bids[price]) for price in sorted(self.bids, reverse=True)][:10]
        return zlib.crc32("".join(f"{price}{qty}" for price, qty in asks + bids).encode())

    def snapshot(self, *, spoiled: bool = False) -> str:
        return self._frame("snapshot", self.bids, self.asks, spoiled)

    def update(self, bid_qty: int, *, spoiled: bool = False) -> str:
        """Change the best bid's quantity."""
        best = max(self.bids)
        self.bids[best] = bid_qty
        return self._frame("update", {best: bid_qty}, {}, spoiled)

    def _frame(self, kind: str, bids: dict[int, int], asks: dict[int, int], spoiled: bool) -> str:
        sides = [
            ",".join(
                f'{{"price":{Decimal(price) / 10:.1f},"qty":{Decimal(side[price]).scaleb(-8):.8f}}}'
                for price in sorted(side, reverse=down)
            )
            for side, down in ((bids, True), (asks, False))
        ]
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self.symbol}","bids":[{sides[0]}],'
            f'"asks":[{sides[1]}],"checksum":{self.checksum() ^ spoiled},"timestamp":"{TIME}"}}]}}'
        )


def ticker(symbol: str, bid: str = "100.0", ask: str = "101.0", kind: str = "update") -> str:
    return (
        f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{symbol}","bid":{bid},"bid_qty":1.50000000,'
        f'"ask":{ask},"ask_qty":2.00000000,"last":{bid},"volume":3.00000000,"vwap":100.5,"low":99.0,"high":102.0,'
        f'"change":-0.5,"change_pct":-0.50,"timestamp":"{TIME}"}}]}}'
    )


def trades(symbol: str, *ids: int, kind: str = "update") -> str:
    rows = ",".join(
        f'{{"symbol":"{symbol}","side":"buy","price":100.0,"qty":0.01000000,"ord_type":"limit",'
        f'"trade_id":{trade_id},"timestamp":"{TIME}"}}'
        for trade_id in ids
    )
    return f'{{"channel":"trade","type":"{kind}","data":[{rows}]}}'


def candles(symbol: str, *rows: tuple[int, str], interval: int = 1, kind: str = "update") -> str:
    """Rows are minutes past three and closing prices."""
    texts = ",".join(
        f'{{"symbol":"{symbol}","open":100.0,"high":109.0,"low":99.0,"close":{close},"trades":3,'
        f'"volume":0.50000000,"vwap":100.1,"interval_begin":"2026-01-02T03:{minute:02}:00.000000000Z",'
        f'"interval":{interval},"timestamp":"2026-01-02T03:{minute + 1:02}:00.000000Z"}}'
        for minute, close in rows
    )
    return f'{{"channel":"ohlc","type":"{kind}","timestamp":"2026-01-02T03:04:05.000000006Z","data":[{texts}]}}'


def status(system: str = "online") -> str:
    return (
        f'{{"channel":"status","type":"update","data":[{{"version":"2.0.10","system":"{system}",'
        f'"api_version":"v2","connection_id":18446744073709551615}}]}}'
    )


HEARTBEAT = '{"channel":"heartbeat"}'
INSTRUMENTS = '{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[]}}'


def accepted(request: dict[str, object], symbol: str | None, *, with_id: bool = True) -> str:
    """The reply to one symbol of a v2 request."""
    params = request["params"]
    assert isinstance(params, dict)
    result = {name: value for name, value in params.items() if name not in ("symbol", "token")}
    if symbol is not None:
        result["symbol"] = symbol
    reply = {"method": request["method"], "result": result, "success": True, "time_in": TIME, "time_out": TIME}
    if with_id:
        reply["req_id"] = request["req_id"]
    return json.dumps(reply, separators=(",", ":"), sort_keys=True)


def refused(
    error: str,
    *,
    method: str = "subscribe",
    symbol: str | None = None,
    req_id: int | None = None,
) -> str:
    reply: dict[str, object] = {
        "error": error,
        "method": method,
        "success": False,
        "time_in": TIME,
        "time_out": TIME,
    }
    if symbol is not None:
        reply["symbol"] = symbol
    if req_id is not None:
        reply["req_id"] = req_id
    return json.dumps(reply, separators=(",", ":"), sort_keys=True)


def v1_accepted(request: dict[str, object], pair: str) -> str:
    asked = request["subscription"]
    assert isinstance(asked, dict)
    name = asked["name"]
    suffix = asked.get("depth") or asked.get("interval")
    done = {"subscribe": "subscribed", "unsubscribe": "unsubscribed"}[str(request["event"])]
    reply = {
        "channelID": 1,
        "channelName": f"{name}-{suffix}" if suffix else name,
        "event": "subscriptionStatus",
        "pair": pair,
        "reqid": request["reqid"],
        "status": done,
        "subscription": asked,
    }
    return json.dumps(reply, separators=(",", ":"), sort_keys=True)


class Driver:
    """Drives a session or hub by hand: `now` moves only when told, and what is sent is kept.

    Attributes:
        events: everything that came out, in order.
        sent: requests since `take_sent`, parsed.
        opens: times of connection attempts, in seconds.
        closes: close codes asked for.
        tokens_asked: how often another token was asked for.
        looked_up: what REST was asked for.

    Args:
        token: with one, the connection is an account's.
    """

    def __init__(
        self,
        *,
        hub: bool = False,
        chance: float = 0.5,
        native: bool | None = None,
        token: str | None = None,
        **config: object,
    ) -> None:
        config.setdefault("url", URL)
        self.config = SessionConfig(**config)  # type: ignore[arg-type]
        codec = v1.ClientCodec() if self.config.version == 1 else v2.ClientCodec()
        self.chance = chance
        self.token = token
        req_ids = itertools.count(1)
        orders = None if token is None else Orders(self.config.version, _ENCODE[self.config.version], req_ids)
        self.session = Session(
            self.config, Feed(codec, native=native), lambda: self.chance, orders=orders, req_ids=req_ids
        )
        self.hub = Hub(self.session) if hub else None
        self.machine: Hub | Session = self.hub or self.session
        self.now_ns = 0
        self.events: list[Event] = []
        self.sent: list[dict[str, object]] = []
        self.opens: list[float] = []
        self.closes: list[int] = []
        self.tokens_asked = 0
        self.looked_up: list[Missing] = []

    @property
    def now_s(self) -> float:
        return self.now_ns / SECOND

    # -- input -----------------------------------------------------------------

    def start(self) -> Driver:
        self._took(self.machine.start(self.now_ns))
        return self

    def open(self) -> Driver:
        """Start if need be, and let the attempt succeed."""
        if self.session.state == "idle":
            self.start()
        self._took(self.machine.feed_opened(self.now_ns, self.token))
        return self

    def frame(self, *frames: str | bytes) -> list[Event]:
        """Let frames come; return the events they caused."""
        before = len(self.events)
        for frame in frames:
            self._took(self.machine.feed_frame(frame, self.now_ns))
        return self.events[before:]

    def read(self, *frames: str) -> None:
        """Let frames come as one read of a transport, through the hub's sink."""
        assert self.hub is not None
        sink = self.hub.sink(lambda: self.now_ns, self.hub.flush)
        for frame in frames:
            sink.feed(frame.encode(), frame is frames[-1])

    def cut(self, error: KrakenwireError | None = None) -> list[Event]:
        before = len(self.events)
        self._took(self.machine.feed_closed(error, self.now_ns))
        return self.events[before:]

    def poll(self) -> None:
        self._took(self.machine.poll(self.now_ns))

    def wait(self, seconds: float, heartbeats: bool = False) -> list[Event]:
        """Let time pass, waking at each deadline; with heartbeats the venue is heard each second."""
        before = len(self.events)
        end_ns = self.now_ns + int(seconds * SECOND)
        turns = 0
        while True:
            turns += 1
            assert turns < 100_000, "the session asks to be woken without end"
            next_ns = min(self.machine.next_deadline_ns() or end_ns, end_ns)
            if heartbeats:
                next_ns = min(next_ns, self.now_ns - self.now_ns % SECOND + SECOND)
            self.now_ns = max(self.now_ns, next_ns)
            if heartbeats and self.now_ns % SECOND == 0 and self.session.state == "open":
                self.frame(HEARTBEAT)
            self.poll()
            if self.now_ns >= end_ns:
                return self.events[before:]

    def found(self, *orders: OrderRecord, trades: Sequence[TradeRecord] | None = None) -> list[Event]:
        """Let REST answer; return the events."""
        before = len(self.events)
        self._took(self.machine.looked_up(Findings(orders, trades), None, self.now_ns))
        return self.events[before:]

    def subscribe(self, *subs: object) -> None:
        self._took(self.session.subscribe(subs, self.now_ns))  # type: ignore[arg-type]

    def unsubscribe(self, *subs: object) -> None:
        self._took(self.session.unsubscribe(subs, self.now_ns))  # type: ignore[arg-type]

    # -- output ----------------------------------------------------------------

    def take_sent(self) -> list[dict[str, object]]:
        self._effects()
        sent, self.sent = self.sent, []
        return sent

    def accept(self) -> list[Event]:
        """Let the venue accept everything asked for; return the events."""
        before = len(self.events)
        self.accept_all()
        return self.events[before:]

    def accept_all(self) -> list[dict[str, object]]:
        """Let the venue accept everything asked for; return the requests."""
        requests = self.take_sent()
        for request in requests:
            if request.get("method") in ("subscribe", "unsubscribe"):
                params = request["params"]
                assert isinstance(params, dict)
                for symbol in params.get("symbol", [None]):
                    self.frame(accepted(request, symbol))
            elif request.get("event") in ("subscribe", "unsubscribe"):
                for pair in request.get("pair", [""]):  # type: ignore[attr-defined]
                    self.frame(v1_accepted(request, pair))
        return requests

    def of(self, *channels: str) -> list[Event]:
        """All events of some channels so far."""
        return [event for event in self.events if event.channel in channels]

    def _took(self, events: Sequence[Event]) -> None:
        self.events += events
        self._effects()

    def _effects(self) -> None:
        for effect in self.machine.take_effects():
            if isinstance(effect, Open):
                self.opens.append(self.now_s)
            elif isinstance(effect, Send):
                assert self.session.state == "open", "something was sent without an open connection"
                self.sent.append(json.loads(effect.frame))
            elif isinstance(effect, FetchToken):
                self.tokens_asked += 1
            elif isinstance(effect, LookUp):
                self.looked_up.append(effect.missing)
            elif isinstance(effect, Close):
                self.closes.append(effect.code)


def asked(requests: Sequence[dict[str, object]], method: str) -> list[tuple[str, str | None]]:
    """Channel and symbol of everything asked for with a method, v2."""
    found = []
    for request in requests:
        if request.get("method") == method:
            params = request["params"]
            assert isinstance(params, dict)
            found += [(params["channel"], symbol) for symbol in params.get("symbol", [None])]
    return found


def v1_name(symbol: str) -> str:
    return to_v1(symbol)
