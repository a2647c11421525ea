"""One client's connection to the local Kraken, API version 2: frames in, frames out.

A gateway knows what its client is subscribed to and answers every mistake
with the documented text; a mistake never ends the connection. Updates do not
pass through here: the driver sends what the publisher returns. It reads no
clock. Source: v2 reference, sections 3, 5, 12 and 14.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from krakenwire.model import Pong, Refused, Subscribed, Subscription, Unsubscribed
from krakenwire.protocol.v2 import encode
from krakenwire.protocol.v2.venue import (
    PRIVATE_CHANNELS,
    PRIVATE_METHODS,
    PUBLIC_CHANNELS,
    PingRequest,
    PrivateSubscribe,
    PrivateUnsubscribe,
    Refusal,
    SubscribeRequest,
    TradingCall,
    UnsubscribeRequest,
    VenueRequest,
    parse_request,
)
from krakenwire.venue.access.pace import MESSAGE_RATE_EXCEEDED, MessagePace
from krakenwire.venue.front import Front, Told, answers_due
from krakenwire.venue.gateways.hosts import ELSEWHERE, SERVED, Half
from krakenwire.venue.gateways.level3_v2 import Level3Half
from krakenwire.venue.gateways.line import LineFacts, LineRules
from krakenwire.venue.gateways.listing_v2 import instrument_topic, status_event, status_topic
from krakenwire.venue.gateways.private_v2 import PrivateHalf
from krakenwire.venue.gateways.publisher import Publisher, Topic
from krakenwire.venue.gateways.pulse import HEARTBEAT_NS, Pulse
from krakenwire.venue.gateways.topics_v2 import make_topic, topic_key
from krakenwire.venue.venue import Venue

__all__ = ["Gateway"]

_RequestT = TypeVar("_RequestT")
_RULES: Final = LineRules()
_STATUS: Final = Subscription(channel="status")

_Key = tuple[str, str | None, int | None]
"""Channel, symbol, interval: a book counts once whatever its depth. Source: v2 reference, section 5.3."""


class Gateway:
    """Speaks v2 as the venue to one client.

    The object itself is the connection the publisher knows.

    Args:
        venue: whose markets are told.
        publisher: shared by all v2 gateways of a driver.
        connection_id: told to the client; at most 2**53 - 1, since some clients read it as a double.
        front: where accounts are; None for an address that knows of none.
        rules: its address, how fast it may ask, how long it may be idle.
    """

    def __init__(
        self,
        venue: Venue,
        publisher: Publisher[Gateway],
        connection_id: int,
        front: Front | None = None,
        rules: LineRules = _RULES,
    ) -> None:
        assert 0 <= connection_id < 1 << 53
        self._venue = venue
        self._publisher = publisher
        self._connection_id = connection_id
        self._subscriptions: dict[_Key, Subscription] = {}
        self._rules = rules
        self._pulse, self._pace = Pulse(rules.idle_close_ns), MessagePace(rules.message_rate)
        self._private = None if front is None else PrivateHalf(front, self)
        self._level3 = None if front is None else Level3Half(front, self)
        self._served = SERVED[rules.host] if front is not None else SERVED[rules.host] - {"private"}
        self._serves_all = len(self._served) == len(ELSEWHERE)
        self._answers: dict[type, Callable[[Any, int], list[str]]] = {
            Refusal: self._refuse,
            PingRequest: _pong,
            SubscribeRequest: self._subscribe,
            UnsubscribeRequest: self._unsubscribe,
        }
        if self._private is not None:
            self._answers[TradingCall] = self._private.call
            self._answers[PrivateSubscribe] = self._paced(self._private.subscribe)
            self._answers[PrivateUnsubscribe] = self._paced(self._private.unsubscribe)

    # -- what a driver calls -------------------------------------------------

    def feed_open(self, now_ns: int, heard_ns: int | None = None) -> list[str]:
        """Return what a new client is told: the trading mode, before it asks.

        Args:
            now_ns: the venue's time.
            heard_ns: the time of the line, which `poll` counts in; None where it is the same.
        """
        self._pulse.hear(now_ns if heard_ns is None else heard_ns)
        self._publisher.subscribe(topic_key(_STATUS), lambda: status_topic(self._venue), self)
        return [encode.status(status_event(self._venue, self._connection_id))]

    def feed_frame(self, frame: str | bytes, now_ns: int, heard_ns: int | None = None) -> list[str]:
        """Return the answers to a client's frame, replies first, then snapshots; times as for `feed_open`."""
        heard_ns = now_ns if heard_ns is None else heard_ns
        self._pulse.hear(heard_ns)
        if not self._pace.admits(heard_ns):
            return self.refuse(frame, MESSAGE_RATE_EXCEEDED, now_ns)
        request = parse_request(frame, now_ns)
        if not self._serves_all:
            request = self._or_elsewhere(request)
        answer = self._answers[request.__class__]
        return answer(request, now_ns)

    def feed_close(self) -> None:
        """Let go of everything the client followed."""
        self._publisher.drop(self)
        self._subscriptions.clear()
        if self._private is not None and self._level3 is not None:
            self._private.close()
            self._level3.close()
        self._pulse.rest()

    def tell(self, told: Told) -> list[str]:
        """Return the frames about something that happened to an account this connection follows."""
        return [] if self._private is None else self._private.tell(told)

    def poll(self, now_ns: int) -> list[str]:
        """Return the heartbeat when it is due; note when the client was idle for too long."""
        return [encode.HEARTBEAT] if self._pulse.poll(now_ns) else []

    def next_deadline_ns(self) -> int:
        """Return when `poll` wants to be called."""
        return self._pulse.next_deadline_ns()

    @property
    def should_close(self) -> str | None:
        """Why the driver should close the connection, None while it should not."""
        return self._pulse.should_close

    @property
    def facts(self) -> LineFacts:
        """What whoever runs the venue may know."""
        subscriptions = [_words(subscription) for subscription in self._subscriptions.values()]
        accounts: dict[str, None] = {}
        if self._private is not None and self._level3 is not None:
            subscriptions += self._private.channels
            accounts = dict.fromkeys([*self._private.accounts, *self._level3.accounts])
        return LineFacts(
            connection_id=self._connection_id,
            version=2,
            host=self._rules.host,
            subscriptions=tuple(subscriptions),
            accounts=tuple(accounts),
        )

    def refuse(self, frame: str | bytes, error: str, now_ns: int) -> list[str]:
        """Return what refuses a frame with a text, whatever it asks for; nothing is done."""
        request = parse_request(frame, now_ns)
        method = "ping" if isinstance(request, PingRequest) else request.method
        channel: str | None = None
        symbols: tuple[str | None, ...] = (None,)
        if isinstance(request, SubscribeRequest | Refusal):
            symbols = request.symbols or symbols
        elif isinstance(request, PrivateSubscribe | PrivateUnsubscribe):
            channel = request.channel
        elif isinstance(request, TradingCall):
            symbols *= answers_due(request.request)
        refusals = [
            Refused(method=method, error=error, symbol=symbol, req_id=request.req_id, channel_name=channel)
            for symbol in symbols
        ]
        return [encode.refused(refusal, now_ns, now_ns) for refusal in refusals]

    # -- requests ------------------------------------------------------------

    def _or_elsewhere(self, request: VenueRequest) -> VenueRequest:
        """The request, or the refusal of one that belongs to another host."""
        half = _half(request)
        if half is None or half in self._served:
            return request
        assert not isinstance(request, PingRequest)
        return Refusal(error=ELSEWHERE[half], method=request.method, req_id=request.req_id)

    def _refuse(self, refusal: Refusal, now_ns: int) -> list[str]:
        first = [encode.status(status_event(self._venue, self._connection_id))] if refusal.channel == "status" else []
        symbols: tuple[str | None, ...] = refusal.symbols or (None,)
        return first + [
            self._refusal(refusal.error, refusal.method, symbol, refusal.req_id, now_ns) for symbol in symbols
        ]

    def _subscribe(self, request: SubscribeRequest, now_ns: int) -> list[str]:
        replies: list[str] = []
        snapshots: list[str] = []
        for subscription in _subscriptions(request):
            error = self._why_not(subscription) or self._level3_refusal(subscription, request.token, now_ns)
            if error is not None:
                replies.append(self._refusal(error, "subscribe", subscription.symbol, request.req_id, now_ns))
                continue
            topic = self._join(subscription)
            warnings = encode.WARNINGS.get(subscription.channel, ())
            reply = Subscribed(subscription=subscription, req_id=request.req_id, warnings=warnings)
            replies.append(encode.subscribed(reply, now_ns, now_ns))
            if subscription.snapshot:
                snapshots += topic.snapshot(now_ns)
        self._pace_heartbeat()
        return replies + snapshots

    def _why_not(self, subscription: Subscription) -> str | None:
        if subscription.symbol is not None and self._venue.market(subscription.symbol) is None:
            return f"Currency pair not supported {subscription.symbol}"
        return "Already subscribed" if subscription.key in self._subscriptions else None

    def _level3_refusal(self, subscription: Subscription, token: str | None, now_ns: int) -> str | None:
        if self._level3 is None or subscription.channel != "level3":
            return None
        return self._level3.take(token or "", subscription, now_ns, self._pulse.heard_ns)

    def _join(self, subscription: Subscription) -> Topic:
        market = self._venue.market(subscription.symbol) if subscription.symbol is not None else None

        def make() -> Topic:
            return instrument_topic(self._venue) if market is None else make_topic(subscription, market)

        self._subscriptions[subscription.key] = subscription
        return self._publisher.subscribe(topic_key(subscription), make, self)

    def _unsubscribe(self, request: UnsubscribeRequest, now_ns: int) -> list[str]:
        stranger = None
        if self._level3 is not None and request.channel == "level3":
            stranger = self._level3.token_refusal(request.token or "", now_ns)
        if stranger is not None:
            return [self._refusal(stranger, "unsubscribe", None, request.req_id, now_ns)]
        replies: list[str] = []
        for asked in _subscriptions(request):
            held = self._subscriptions.get(asked.key)
            if held is None or not _meant(asked, held):
                error = "Subscription Not Found"
                if asked.symbol is not None and self._venue.market(asked.symbol) is None:
                    error = f"Currency pair not supported {asked.symbol}"
                # The venue calls this method `subscribe`, whatever was asked. Source: v2 reference, section 5.5.
                replies.append(self._refusal(error, "subscribe", asked.symbol, request.req_id, now_ns))
                continue
            del self._subscriptions[asked.key]
            if self._level3 is not None and held.channel == "level3":
                self._level3.leave(held)
            self._publisher.unsubscribe(topic_key(held), self)
            reply = Unsubscribed(subscription=held, req_id=request.req_id)
            replies.append(encode.unsubscribed(reply, now_ns, now_ns))
        self._pace_heartbeat()
        return replies

    def _paced(self, answer: Callable[[_RequestT, int], list[str]]) -> Callable[[_RequestT, int], list[str]]:
        """An answer after which there may be more or fewer subscriptions than before."""

        def paced(request: _RequestT, now_ns: int) -> list[str]:
            frames = answer(request, now_ns)
            self._pace_heartbeat()
            return frames

        return paced

    def _pace_heartbeat(self) -> None:
        """Heartbeats run from the first subscription until none is left."""
        if self._subscriptions or (self._private is not None and self._private.subscribed):
            self._pulse.beat_from(self._pulse.heard_ns + HEARTBEAT_NS)
        else:
            self._pulse.rest()

    def _refusal(self, error: str, method: str, symbol: str | None, req_id: int | None, now_ns: int) -> str:
        return encode.refused(Refused(method=method, error=error, symbol=symbol, req_id=req_id), now_ns, now_ns)


def _pong(request: PingRequest, now_ns: int) -> list[str]:
    return [encode.pong(Pong(req_id=request.req_id, time_in_ns=now_ns, time_out_ns=now_ns))]


def _half(request: VenueRequest) -> Half | None:
    """What a request is about, well made or not; None for one that is about nothing in particular."""
    if isinstance(request, TradingCall | PrivateSubscribe | PrivateUnsubscribe):
        return "private"
    if isinstance(request, PingRequest):
        return None
    if request.method in PRIVATE_METHODS or request.channel in PRIVATE_CHANNELS:
        return "private"
    if request.channel == "level3":
        return "level3"
    return "public" if request.channel in PUBLIC_CHANNELS else None


def _words(subscription: Subscription) -> str:
    parts = (subscription.channel, subscription.symbol, subscription.depth, subscription.interval)
    return " ".join(str(part) for part in parts if part is not None)


def _subscriptions(request: SubscribeRequest) -> Iterator[Subscription]:
    """One subscription per symbol asked for, as the reply will name it."""
    symbols: tuple[str | None, ...] = request.symbols or (None,)
    for symbol in symbols:
        yield Subscription(
            channel=request.channel,
            symbol=symbol,
            depth=request.depth,
            interval=request.interval,
            event_trigger=request.event_trigger,
            snapshot=request.snapshot,
        )


def _meant(asked: Subscription, held: Subscription) -> bool:
    """Whether an unsubscribe means what is held: parameters it names must be the same."""
    return asked.depth in (None, held.depth) and asked.event_trigger in (None, held.event_trigger)
