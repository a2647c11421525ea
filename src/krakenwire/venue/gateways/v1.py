"""One client of the local Kraken that speaks WebSocket API version 1, public side.

Takes frames and the time, returns frames; who gets which market data is
decided through the shared publisher, so each frame is written once for all. It
closes nobody for a mistake. The frames are in `protocol.v1.venue`, the
channels in `topics_v1.py`. Source: v1 reference, sections 4, 6 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from krakenwire.errors import SymbolError
from krakenwire.limits import BOOK_DEPTHS, OHLC_INTERVALS
from krakenwire.protocol.symbols import to_v1
from krakenwire.protocol.v1 import venue as wire
from krakenwire.venue.access.pace import MESSAGE_RATE_EXCEEDED, MessagePace
from krakenwire.venue.front import Front, Told, answers_due
from krakenwire.venue.gateways.hosts import ELSEWHERE, SERVED, Half
from krakenwire.venue.gateways.line import LineFacts, LineRules
from krakenwire.venue.gateways.private_v1 import PrivateHalf
from krakenwire.venue.gateways.publisher import Publisher, TopicKey
from krakenwire.venue.gateways.pulse import HEARTBEAT_NS, Pulse
from krakenwire.venue.gateways.topics_v1 import ChannelName, channel_id, make_topic, topic_key
from krakenwire.venue.market.market import Market

__all__ = ["Gateway"]

_RULES: Final = LineRules()
_DEFAULTS: Final = {"book": BOOK_DEPTHS[0], "ohlc": OHLC_INTERVALS[0]}

_Subscription = tuple[str, ChannelName]
"""v2 symbol and channel: what a connection is subscribed to."""


class _StatusTopic:
    """Tells everybody when the trading mode changes."""

    key: TopicKey = ("v1", "status")
    symbol = None

    def __init__(self, status: Callable[[], str], version: str) -> None:
        self._status, self._version = status, version
        self._seen = status()

    def snapshot(self, now_ns: int) -> list[str]:
        del now_ns
        return []

    def advance(self, now_ns: int) -> list[str]:
        del now_ns
        if self._seen == self._status():
            return []
        self._seen = self._status()
        return [wire.system_status(self._seen, self._version)]


class Gateway:
    """One connection as the venue sees it.

    Args:
        markets: by v2 symbol, in listing order.
        publisher: shared by all connections; this object is the connection it knows.
        status: tells the venue's trading mode.
        connection_id: told to the client, below 2**53.
        version: of the service, told to the client.
        front: where accounts are; None for an address that knows of none.
        trade_snapshot: whether a trade subscription starts with the latest 50 trades. The
            documentation says so since 2026, no recording shows it.
        rules: its address, how fast it may ask, how long it may be idle.
    """

    def __init__(
        self,
        markets: Mapping[str, Market],
        publisher: Publisher[Gateway],
        status: Callable[[], str],
        connection_id: int,
        version: str = wire.VERSION,
        trade_snapshot: bool = False,
        front: Front | None = None,
        rules: LineRules = _RULES,
    ) -> None:
        self._publisher, self._status, self._version = publisher, status, version
        self._connection_id, self._trade_snapshot = connection_id, trade_snapshot
        self._markets = {market.instrument.wsname: (number, market) for number, market in enumerate(markets.values())}
        self._subscriptions: dict[_Subscription, None] = {}
        self._opened_ns = 0
        self._rules = rules
        self._pulse, self._pace = Pulse(rules.idle_close_ns), MessagePace(rules.message_rate)
        self._private = None if front is None else PrivateHalf(front, self)
        self._served = SERVED[rules.host] if front is not None else SERVED[rules.host] - {"private"}
        self._answers: dict[type, Callable[[Any, int], list[str]]] = {
            wire.Refusal: lambda request, _: list(request.frames),
            wire.Ping: lambda request, _: [wire.pong(request.req_id)],
            wire.Subscribe: self._subscribe,
            wire.Unsubscribe: lambda request, _: self._unsubscribe(request),
            wire.UnsubscribeId: lambda request, _: self._unsubscribe_id(request),
            wire.TradingCall: self._ask,
            wire.PrivateSubscribe: self._ask,
            wire.PrivateUnsubscribe: self._ask,
        }

    # -- what happens to the connection --------------------------------------

    def feed_open(self, now_ns: int, heard_ns: int | None = None) -> list[str]:
        """Take note that the connection is open; return the first frame.

        Args:
            now_ns: the venue's time.
            heard_ns: the time of the line, which `poll` counts in; None where it is the same.
        """
        self._opened_ns = now_ns if heard_ns is None else heard_ns
        self._pulse.hear(self._opened_ns)
        self._publisher.subscribe(_StatusTopic.key, lambda: _StatusTopic(self._status, self._version), self)
        return [wire.system_status(self._status(), self._version, self._connection_id)]

    def feed_frame(self, frame: str | bytes, now_ns: int, heard_ns: int | None = None) -> list[str]:
        """Answer a frame of the client, all statuses first, then the snapshots; times as for `feed_open`."""
        heard_ns = now_ns if heard_ns is None else heard_ns
        self._pulse.hear(heard_ns)
        if not self._pace.admits(heard_ns):
            return [wire.refuse_rate(frame, MESSAGE_RATE_EXCEEDED)]
        request = wire.parse_request(frame, now_ns)
        half = _half(request)
        if half is not None and half not in self._served:
            return _refused(request, ELSEWHERE[half])
        return self._answers[request.__class__](request, now_ns)

    def feed_close(self) -> None:
        """Take note that the connection has ended."""
        self._publisher.drop(self)
        self._subscriptions.clear()
        if self._private is not None:
            self._private.close()
        self._pulse.rest()

    def tell(self, told: Told) -> list[str]:
        """Return the frames about something that happened to an account this connection follows."""
        return [] if self._private is None else self._private.tell(told)

    def poll(self, now_ns: int) -> list[str]:
        """Return the heartbeat if one is due; note when the client has been idle too long."""
        return [wire.HEARTBEAT] if self._pulse.poll(now_ns) else []

    def next_deadline_ns(self) -> int:
        """Return when `poll` wants to be called next."""
        return self._pulse.next_deadline_ns()

    @property
    def should_close(self) -> str | None:
        """Why the connection is to be ended, None while it is not."""
        return self._pulse.should_close

    @property
    def facts(self) -> LineFacts:
        """What whoever runs the venue may know."""
        subscriptions = [
            " ".join(str(part) for part in (name, symbol, parameter) if part is not None)
            for symbol, (name, parameter) in self._subscriptions
        ]
        private = self._private
        return LineFacts(
            connection_id=self._connection_id,
            version=1,
            host=self._rules.host,
            subscriptions=(*subscriptions, *(() if private is None else private.channels)),
            accounts=() if private is None else private.accounts,
        )

    def refuse(self, frame: str | bytes, error: str, now_ns: int) -> list[str]:
        """Return what refuses a frame with a text, whatever it asks for; nothing is done."""
        request = wire.parse_request(frame, now_ns)
        if isinstance(request, wire.Ping):
            return [wire.refuse_ping(request, error)]
        if isinstance(request, wire.Refusal) and request.private is None:
            return list(request.frames)
        return _refused(request, error)

    # -- private ---------------------------------------------------------------

    def _ask(self, request: wire.PrivateRequest, now_ns: int) -> list[str]:
        assert self._private is not None
        frames = self._private.answer(request, now_ns)
        self._pace_heartbeat()
        return frames

    # -- subscribe -------------------------------------------------------------

    def _subscribe(self, request: wire.Subscribe, now_ns: int) -> list[str]:
        statuses: list[str] = []
        snapshots: list[str] = []
        for pair in request.pairs:
            found = self._find(pair)
            if isinstance(found, str):
                statuses.append(wire.refuse_pair(request, pair, found))
                continue
            number, market = found
            for channel in _channels(request):
                statuses.append(_status(wire.subscribed, number, market, channel, request.req_id))
                snapshots += self._join(number, market, channel, now_ns)
        self._pace_heartbeat()
        return statuses + snapshots

    def _find(self, pair: str) -> tuple[int, Market] | str:
        """The pair's number and market, or why there is none. ``BTC/USD`` is taken for ``XBT/USD``."""
        try:
            wsname = to_v1(pair)
        except SymbolError:
            return f"Currency pair not in ISO 4217-A3 format {pair}"
        return self._markets.get(wsname) or f"Currency pair not supported {pair}"

    def _join(self, number: int, market: Market, channel: ChannelName, now_ns: int) -> list[str]:
        """Follow a topic and return its snapshot; nothing when it is followed already."""
        subscription = (market.symbol, channel)
        if subscription in self._subscriptions:
            return []
        self._subscriptions[subscription] = None
        key = topic_key(*subscription)
        topic = self._publisher.subscribe(key, lambda: make_topic(market, number, channel), self)
        return [] if channel[0] == "trade" and not self._trade_snapshot else topic.snapshot(now_ns)

    @property
    def _follows(self) -> bool:
        """Whether anything is subscribed."""
        return bool(self._subscriptions) or (self._private is not None and self._private.subscribed)

    def _pace_heartbeat(self) -> None:
        """Beat on whole seconds since the connection opened, as long as something is subscribed."""
        if self._follows:
            now_ns = self._pulse.heard_ns
            self._pulse.beat_from(now_ns + HEARTBEAT_NS - (now_ns - self._opened_ns) % HEARTBEAT_NS)
        else:
            self._pulse.rest()

    # -- unsubscribe -------------------------------------------------------------

    def _unsubscribe(self, request: wire.Unsubscribe) -> list[str]:
        statuses: list[str] = []
        for pair in request.pairs:
            found = self._find(pair)
            if isinstance(found, str):
                statuses.append(wire.refuse_pair(request, pair, found))
                continue
            number, market = found
            ended = list(self._matching(market.symbol, request))
            for channel in ended:
                self._leave((market.symbol, channel))
                statuses.append(_status(wire.unsubscribed, number, market, channel, request.req_id))
            if not ended:
                statuses.append(wire.refuse_pair(request, pair, _NOT_FOUND))
        return statuses

    def _unsubscribe_id(self, request: wire.UnsubscribeId) -> list[str]:
        for number, market in self._markets.values():
            for symbol, channel in self._subscriptions:
                if symbol == market.symbol and channel_id(number, channel) == request.channel_id:
                    self._leave((symbol, channel))
                    return [_status(wire.unsubscribed, number, market, channel, request.req_id)]
        return [wire.refuse_id(request, _NOT_FOUND)]

    def _matching(self, symbol: str, request: wire.Unsubscribe) -> Iterator[ChannelName]:
        """What an unsubscribe means: without a parameter the default one, or all if that is not there."""
        ours = [channel for known, channel in self._subscriptions if known == symbol]
        if request.channel == "*":
            yield from ours
            return
        parameter = request.depth if request.channel == "book" else request.interval
        exact = (request.channel, parameter or _DEFAULTS.get(request.channel))
        if exact in ours:
            yield exact
        elif parameter is None:
            yield from (channel for channel in ours if channel[0] == request.channel)

    def _leave(self, subscription: _Subscription) -> None:
        del self._subscriptions[subscription]
        self._publisher.unsubscribe(topic_key(*subscription), self)
        if not self._follows:
            self._pulse.rest()


_NOT_FOUND: Final = "Subscription Not Found"


def _half(request: wire.Request) -> Half | None:
    """What a request is about, well made or not; None for one that is about nothing in particular."""
    if isinstance(request, wire.PrivateRequest):
        return "private"
    if isinstance(request, wire.Refusal):
        return None if request.private is None else "private"
    return None if isinstance(request, wire.Ping) else "public"


def _refused(request: wire.Request, error: str) -> list[str]:
    """The statuses that refuse a request with a text: one for each pair it names."""
    private = request.private if isinstance(request, wire.Refusal) else request
    if isinstance(private, wire.PrivateRequest):
        answers = answers_due(private.request) if isinstance(private, wire.TradingCall) else 1
        return [wire.refuse_private(private, error)] * answers
    if isinstance(request, wire.UnsubscribeId):
        return [wire.refuse_id(request, error)]
    assert isinstance(request, wire.Subscribe | wire.Unsubscribe)
    return [wire.refuse_pair(request, pair, error) for pair in request.pairs]


def _channels(request: wire.Subscribe) -> Iterable[ChannelName]:
    if request.channel == "*":
        return [(name, _DEFAULTS.get(name)) for name in wire.PUBLIC_CHANNELS]
    return [(request.channel, request.depth or request.interval)]


def _status(
    write: Callable[[int, str, str, int | None, int | None, int | None], str],
    number: int,
    market: Market,
    channel: ChannelName,
    req_id: int | None,
) -> str:
    name, parameter = channel
    depth = parameter if name == "book" else None
    interval = parameter if name == "ohlc" else None
    return write(channel_id(number, channel), name, market.instrument.wsname, req_id, depth, interval)
