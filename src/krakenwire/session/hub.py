"""One session, many consumers: who gets which event, and what has to be subscribed for them.

The hub passes everything on to its `Session`, finds the streams of each event by
one dictionary lookup, and keeps the session's wants equal to what its open
streams need. It is not safe to share between threads: its driver keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from krakenwire import limits
from krakenwire.errors import ConnectionLost, KrakenwireError, UsageError
from krakenwire.model import (
    ACCOUNT_CHANNELS,
    Candles,
    ChecksumFailed,
    Disconnected,
    Event,
    Gap,
    RawFrame,
    Refused,
    Resynced,
    Subscribed,
    Subscription,
    SubscriptionKey,
)
from krakenwire.model.subscription import one_of
from krakenwire.protocol.symbols import to_v2
from krakenwire.session.effects import Close, Effect, Send
from krakenwire.session.listeners import Listener, OnBatch, OnError, OnEvent
from krakenwire.session.lookup import Findings
from krakenwire.session.mailbox import Policy
from krakenwire.session.reading import FrameSink, Sink
from krakenwire.session.session import Session
from krakenwire.session.streams import KINDS, Stream
from krakenwire.session.witness import Witness

if TYPE_CHECKING:
    from krakenwire._native import feed as native_feed

__all__ = ["Hub"]

_STATUS: Final[SubscriptionKey] = ("status", None, None)
_RAW: Final[SubscriptionKey] = ("raw", None, None)
_NORMAL: Final = 1000
_WHOLESALE = ("instrument", *ACCOUNT_CHANNELS)
_STATES = ("spread", "ticker")
"""Channels whose latest message alone is news to a stream that comes later."""


class Hub:
    """Streams over one session.

    Args:
        session: owned by the hub from now on: everything goes through the hub.
        witness: sees everything that passes.
    """

    def __init__(self, session: Session, witness: Witness | None = None) -> None:
        self.session = session
        self._witness = witness
        self._closing: Close | None = None
        self._routes: dict[SubscriptionKey, list[Stream]] = {}
        self._everything: list[Stream] = []
        self._raw: list[Stream] = []
        self._latest: dict[SubscriptionKey, Event] = {}
        self._streams: dict[int, Stream] = {}
        self._batching: list[Listener] = []
        self._kept: set[SubscriptionKey] = set()
        self._sink: native_feed.FeedSink | None = None

    # -- streams -------------------------------------------------------------------

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The open streams, oldest first."""
        return tuple(self._streams.values())

    @property
    def blocked(self) -> bool:
        """Whether a stream that must not lose anything is full: the driver stops reading until it is not."""
        return any(stream.full for stream in self._streams.values())

    def open_stream(
        self,
        kind: str,
        symbols: Iterable[str] = (),
        *,
        now_ns: int,
        depth: int | None = None,
        interval: int | None = None,
        event_trigger: str | None = None,
        snapshot: bool | None = None,
        policy: Policy | str | None = None,
        capacity: int = limits.STREAM_QUEUE_EVENTS,
        freeze: bool | None = None,
        notices: bool = False,
    ) -> Stream:
        """Open a stream and subscribe to what it needs.

        Args:
            kind: one of `KINDS`.
            symbols: any spelling; none for instruments, status, raw and events.
            now_ns: the time.
            depth: price levels a side, for books and level3.
            interval: minutes, for candles.
            event_trigger: ``trades`` or ``bbo``, for v2 tickers.
            snapshot: whether one is wanted; None for the channel's default.
            policy: what a slow consumer gets; ``block`` by default.
            capacity: items that may wait.
            freeze: hand out copies of books, one for each item, instead of the
                live book; by default unless the policy is ``conflate``.
            notices: also yield `Gap`, `Resynced`, `Refused` and `ChecksumFailed`
                of the stream's own subscriptions, in their place.

        Raises:
            UsageError: no such kind, channel or parameter, or one that
                contradicts another open stream.
            SymbolError: a spelling that names no instrument.
        """
        one_of("stream", kind, KINDS)
        subs = self._subscriptions(kind, symbols, depth, interval, event_trigger, snapshot)
        stream = Stream(kind, subs, policy=_policy(policy), capacity=capacity, freeze=freeze, notices=notices)
        self._enter(stream, subs, now_ns)
        return stream

    def open_listener(
        self,
        kind: str,
        symbols: Iterable[str] = (),
        *,
        now_ns: int,
        on_event: OnEvent | None = None,
        on_batch: OnBatch | None = None,
        on_error: OnError,
        depth: int | None = None,
        interval: int | None = None,
        event_trigger: str | None = None,
        snapshot: bool | None = None,
    ) -> Listener:
        """Open a listener and subscribe to what it needs; exactly one of `on_event` and `on_batch` is given.

        Args:
            kind: as for `open_stream`.
            symbols: as for `open_stream`.
            now_ns: the time.
            on_event: called with each event.
            on_batch: called with all events of one read; `flush` ends a read.
            on_error: called with what either raises.
            depth: as for `open_stream`.
            interval: as for `open_stream`.
            event_trigger: as for `open_stream`.
            snapshot: as for `open_stream`.

        Raises:
            UsageError, SymbolError: as `open_stream`.
        """
        one_of("stream", kind, KINDS)
        subs = self._subscriptions(kind, symbols, depth, interval, event_trigger, snapshot)
        listener = Listener(kind, subs, on_event=on_event, on_batch=on_batch, on_error=on_error)
        if on_batch is not None:
            self._batching.append(listener)
        self._enter(listener, subs, now_ns)
        return listener

    def flush(self) -> None:
        """Have the listeners that want it called with all that one read has brought."""
        for listener in tuple(self._batching):
            listener.flush()

    def add_symbols(self, stream: Stream, symbols: Iterable[str], now_ns: int) -> None:
        """Add symbols to an open stream, with the parameters of those it has.

        Raises:
            UsageError: a stream that has ended or has no symbols at all.
            SymbolError: a spelling that names no instrument.
        """
        like = next(iter(stream.subscriptions.values()), None)
        if stream.ended or like is None or like.symbol is None:
            raise UsageError("add symbols", expected="an open stream with symbols", found=stream.kind)
        subs = self._subscriptions(stream.kind, symbols, like.depth, like.interval, like.event_trigger, like.snapshot)
        fresh = [sub for sub in subs if sub.symbol not in stream.subscriptions]
        self._refuse_contradictions(fresh)
        stream.subscriptions |= {sub.symbol: sub for sub in fresh}
        self._join(stream, fresh, now_ns)

    def remove_symbols(self, stream: Stream, symbols: Iterable[str], now_ns: int) -> None:
        """Take symbols out of a stream; what nobody else needs is unsubscribed.

        Raises:
            SymbolError: a spelling that names no instrument.
        """
        names = [to_v2(symbol) for symbol in _several(symbols)]
        gone = [stream.subscriptions.pop(name) for name in names if name in stream.subscriptions]
        for sub in gone:
            stream.refused.pop(sub.symbol, None)
        self._leave(stream, gone, now_ns)

    def close_stream(self, stream: Stream, now_ns: int) -> None:
        """Close a stream: what waits is thrown away, what nobody else needs is unsubscribed."""
        stream.discard()
        self._retire(stream, now_ns)

    def end_stream(self, stream: Stream, error: KrakenwireError | None, now_ns: int) -> None:
        """End a stream with an error: what waits can still be taken, nothing is added, and it blocks nobody."""
        stream.end(error)
        self._retire(stream, now_ns)

    def keep(self, subs: Iterable[Subscription], now_ns: int) -> None:
        """Subscribe for as long as the session lives, whether a stream needs it or not."""
        checked = [self.session.check(sub) for sub in subs]
        self._kept.update(sub.key for sub in checked)
        self.session.subscribe(checked, now_ns)

    # -- the session, passed through -------------------------------------------------

    def start(self, now_ns: int) -> Sequence[Event]:
        """See `Session.start`."""
        return self._dispatched(self.session.start(now_ns), now_ns)

    def stop(self, now_ns: int) -> Sequence[Event]:
        """See `Session.stop`; the streams end once the connection is gone."""
        return self._dispatched(self.session.stop(now_ns), now_ns)

    def feed_opened(self, now_ns: int, token: str | None = None) -> Sequence[Event]:
        """See `Session.feed_opened`."""
        if self._witness is not None:
            self._witness.opened(now_ns)
        return self._dispatched(self.session.feed_opened(now_ns, token), now_ns)

    def token_fetched(self, token: str | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """See `Session.token_fetched`."""
        return self._dispatched(self.session.token_fetched(token, error, now_ns), now_ns)

    def looked_up(self, findings: Findings | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """See `Session.looked_up`."""
        return self._dispatched(self.session.looked_up(findings, error, now_ns), now_ns)

    def feed_frame(self, frame: str | bytes, now_ns: int) -> Sequence[Event]:
        """See `Session.feed_frame`; streams of kind ``raw`` get the frame as it came."""
        if self._witness is not None:
            self._witness.received(frame, now_ns)
        return self._take_frame(frame, now_ns)

    def _take_frame(self, frame: str | bytes, now_ns: int) -> Sequence[Event]:
        if self._raw and self.session.state == "open":
            text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
            raw = RawFrame(frame=text, received_ns=now_ns)
            for stream in self._raw:
                stream.offer(raw, _RAW)
        return self._dispatched(self.session.feed_frame(frame, now_ns), now_ns)

    def feed_unusual(self, frame: bytes, now_ns: int) -> Sequence[Event]:
        """See `Session.feed_unusual`."""
        return self._dispatched(self.session.feed_unusual(frame, now_ns), now_ns)

    def feed_events(self, events: Sequence[Event], size: int, now_ns: int) -> Sequence[Event]:
        """See `Session.feed_events`."""
        return self._dispatched(self.session.feed_events(events, size, now_ns), now_ns)

    def sink(
        self,
        clock: Callable[[], int],
        after_read: Callable[[], object],
        guard: AbstractContextManager[object] | None = None,
    ) -> Sink:
        """Return where the transport of the next connection puts its messages.

        Args:
            clock: nanoseconds now.
            after_read: called after the messages of one read.
            guard: held from the first message of a read to its end.
        """
        fast = self.session.fast
        if fast is None:
            return FrameSink(self.feed_frame, clock, after_read, guard)
        from krakenwire._native import feed as native_feed

        self._sink = native_feed.FeedSink(
            fast,
            clock=clock,
            take_events=self.feed_events,
            take_frame=self._take_frame,
            take_unusual=self.feed_unusual,
            heard=self.session.heard,
            failed=self._sink_failed,
            after_read=after_read,
            frame_bytes_max=self.session.config.frame_bytes_max,
            guard=guard,
            seen=None if self._witness is None else self._witness.received,
        )
        self._sink.direct = not self._raw
        return self._sink

    def feed_closed(self, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """See `Session.feed_closed`."""
        if self._witness is not None:
            self._witness.closed(self._seen_end(error), now_ns)
        return self._dispatched(self.session.feed_closed(error, now_ns), now_ns)

    def _seen_end(self, error: KrakenwireError | None) -> KrakenwireError | None:
        """Return what a witness is told of an end: a transport that we closed only knows that it is gone."""
        closing, self._closing = self._closing, None
        if closing is None:
            return error
        if not closing.reason and closing.code == _NORMAL:
            return None
        reason = f"we closed it: {closing.reason}" if closing.reason else "we closed it"
        return ConnectionLost(self.session.config.url, reason, code=closing.code)

    def poll(self, now_ns: int) -> Sequence[Event]:
        """See `Session.poll`; while the hub is `blocked`, silence is not held against the venue."""
        if self.blocked:
            self.session.hold(now_ns)
        else:
            self.session.release(now_ns)
        return self._dispatched(self.session.poll(now_ns), now_ns)

    def next_deadline_ns(self) -> int | None:
        """See `Session.next_deadline_ns`."""
        return self.session.next_deadline_ns()

    def take_effects(self) -> list[Effect]:
        """See `Session.take_effects`."""
        effects = self.session.take_effects()
        if self._witness is not None:
            for effect in effects:
                if isinstance(effect, Send):
                    self._witness.sent(effect.frame)
                elif isinstance(effect, Close):
                    self._closing = effect
        return effects

    # -- who gets what -----------------------------------------------------------------

    def _dispatched(self, events: Sequence[Event], now_ns: int) -> Sequence[Event]:
        for event in events:
            channel = event.channel
            other = _OTHER.get(channel)
            if other is not None:
                if self._witness is not None:
                    self._witness.noted(event, now_ns)
                other(self, event, now_ns)
            else:
                key = (channel, event.symbol, event.interval if isinstance(event, Candles) else None)
                streams = self._routes.get(key)
                if streams is not None:
                    for stream in tuple(streams):  # a callback may close one
                        stream.offer(event, key)
                    if channel in _STATES:
                        self._latest[key] = event
            for stream in tuple(self._everything):
                stream.offer(event, (channel, event.symbol, None))
        return events

    def _lay(self, keys: Iterable[SubscriptionKey]) -> None:
        """Say where plain data of these subscriptions goes: past the session, unless somebody wants everything."""
        for key in keys:
            lane = self.session.lane(key)
            if lane is None:
                continue
            streams = self._routes.get(key)
            if not streams or self._everything:
                lane.sinks = None
                continue
            sinks = [stream.sink(key) for stream in streams]
            if key[0] in _STATES:
                sinks.append(partial(self._latest.__setitem__, key))
            lane.sinks = tuple(sinks)

    def _lay_all(self) -> None:
        self._lay(tuple(self._routes))
        if self._sink is not None:
            self._sink.direct = not self._raw

    def _sink_failed(self, sink: object, error: Exception) -> None:
        """A callback of a listener raised; anything else that does is a bug."""
        for stream in self._streams.values():
            if isinstance(stream, Listener) and stream.owns(sink):
                stream.failed(error)
                return
        raise error

    def _disconnected(self, event: Event, now_ns: int) -> None:
        """Nothing more will come after the last connection: the streams end, once they know why."""
        del now_ns
        assert isinstance(event, Disconnected)
        if event.retry_in_s is not None:
            return
        for stream in self._everything:
            stream.offer(event, (event.channel, None, None))
        for stream in self._streams.values():
            stream.end(self.session.failure)
        for streams in (self._streams, self._routes, self._latest, self._everything, self._raw):
            streams.clear()
        self.flush()
        self._batching.clear()

    def _notice(self, event: Event, now_ns: int) -> None:
        """Tell the streams of a subscription what happened to it; close those that lost their last one."""
        assert isinstance(event, Gap | Resynced | Refused | ChecksumFailed)
        interval = None if isinstance(event, ChecksumFailed) else event.interval
        key = (event.channel_name or "", event.symbol, interval)
        if isinstance(event, Gap):
            self._latest.pop(key, None)
        for stream in tuple(self._routes.get(key, ())):
            stream.notice(event, key)
            if stream.ended:
                self._retire(stream, now_ns)

    def _confirmed(self, event: Event, now_ns: int) -> None:
        del now_ns
        assert isinstance(event, Subscribed)
        for stream in self._routes.get(event.subscription.key, ()):
            stream.refused.pop(event.symbol, None)

    # -- who needs what ------------------------------------------------------------------

    def _subscriptions(
        self,
        kind: str,
        symbols: Iterable[str],
        depth: int | None,
        interval: int | None,
        event_trigger: str | None,
        snapshot: bool | None,
    ) -> list[Subscription]:
        """What a stream of this kind needs, checked, each symbol once."""
        names: list[str | None] = list(dict.fromkeys(to_v2(symbol) for symbol in _several(symbols)))
        channel = KINDS[kind].channel
        wholesale = channel is None or channel in _WHOLESALE
        if bool(names) == wholesale:
            expected = "no symbols" if wholesale else "at least one symbol"
            raise UsageError(f"stream {kind}", expected=expected, found=", ".join(map(str, names)) or "none")
        if channel is None:
            given = [value for value in (depth, interval, event_trigger, snapshot) if value is not None]
            if given:
                raise UsageError(f"stream {kind}", expected="no parameters", found=given[0])
            return []
        return [
            self.session.check(
                Subscription(
                    channel=channel,
                    symbol=name,
                    depth=depth,
                    interval=interval,
                    event_trigger=event_trigger,
                    snapshot=snapshot,
                )
            )
            for name in names or [None]
        ]

    def _refuse_contradictions(self, subs: Iterable[Subscription]) -> None:
        """One connection carries each channel of a symbol once: two streams cannot want it in two ways."""
        for sub in subs:
            other = self.session.wanted.get(sub.key)
            for name in ("depth", "event_trigger"):
                if other is not None and getattr(other, name) != getattr(sub, name):
                    raise UsageError(
                        f"{sub.channel} {sub.symbol} {name}",
                        expected=f"{getattr(other, name)}, as another open stream has it",
                        found=getattr(sub, name),
                        hint="A second client can have it otherwise",
                    )

    def _enter(self, stream: Stream, subs: Sequence[Subscription], now_ns: int) -> None:
        if self.session.state == "down":
            stream.end(self.session.failure)
            return
        self._refuse_contradictions(subs)
        self._streams[id(stream)] = stream
        if stream.kind in ("raw", "events"):
            (self._raw if stream.kind == "raw" else self._everything).append(stream)
            self._lay_all()
        elif stream.kind == "status":
            self._routes.setdefault(_STATUS, []).append(stream)
            if self.session.status is not None:
                stream.offer(self.session.status, _STATUS)
        self._join(stream, subs, now_ns)

    def _join(self, stream: Stream, subs: Sequence[Subscription], now_ns: int) -> None:
        """Route subscriptions to a stream; give it at once what is known of those that are there already."""
        for sub in subs:
            if sub.key in self._routes:
                self._prime(stream, sub, now_ns)
            self._routes.setdefault(sub.key, []).append(stream)
        self.session.subscribe([sub for sub in subs if sub.key not in self.session.wanted], now_ns)
        self._lay([sub.key for sub in subs])
        for sub in subs:
            refusal = self.session.refusal(sub.key)
            if refusal is not None:
                stream.notice(msgspec.structs.replace(refusal, channel_name=sub.channel), sub.key)
        if stream.ended:
            self._retire(stream, now_ns)

    def _prime(self, stream: Stream, sub: Subscription, now_ns: int) -> None:
        latest = self._latest.get(sub.key)
        if latest is not None:
            stream.offer(latest, sub.key)
        elif sub.channel == "book" and sub.symbol is not None:
            stream.prime_book(self.session.book(sub.symbol))
        elif sub.channel == "level3" and sub.symbol is not None:
            stream.prime_level3(self.session.level3(sub.symbol))
        elif sub.channel == "instrument":
            self.session.renew([sub], now_ns)

    def _leave(self, stream: Stream, subs: Iterable[Subscription], now_ns: int) -> None:
        unneeded = []
        for sub in subs:
            streams = self._routes.get(sub.key, [])
            if stream in streams:
                streams.remove(stream)
            if not streams and self._routes.pop(sub.key, None) is not None:
                self._latest.pop(sub.key, None)
                if sub.key not in self._kept:
                    unneeded.append(sub)
            self._lay([sub.key])
        self.session.unsubscribe(unneeded, now_ns)

    def _retire(self, stream: Stream, now_ns: int) -> None:
        if self._streams.pop(id(stream), None) is None:
            return
        for streams in (self._everything, self._raw, self._routes.get(_STATUS, [])):
            if stream in streams:
                streams.remove(stream)
        if isinstance(stream, Listener) and stream in self._batching:
            self._batching.remove(stream)
        self._lay_all()
        self._leave(stream, stream.subscriptions.values(), now_ns)


_OTHER: Final[Mapping[str, Callable[[Hub, Event, int], None]]] = {
    "checksum_failed": Hub._notice,
    "disconnected": Hub._disconnected,
    "gap": Hub._notice,
    "refused": Hub._notice,
    "resynced": Hub._notice,
    "subscribed": Hub._confirmed,
}
"""Events that are not data: found by what they are about."""


def _several(symbols: Iterable[str]) -> Iterable[str]:
    """Return the symbols; one text alone is one symbol, not its letters."""
    return (symbols,) if isinstance(symbols, str) else symbols


def _policy(policy: Policy | str | None) -> Policy | None:
    if isinstance(policy, str):
        one_of("policy", policy, [member.value for member in Policy])
        return Policy(policy)
    return policy
