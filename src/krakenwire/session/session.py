"""A session with the venue: everything wanted subscribed on a connection that is kept alive.

A pure state machine: `feed_*` and `poll` take what happened and the time, and
return events; `take_effects` says what the driver has to do; `next_deadline_ns`
when to call `poll`. It opens nothing, waits for nothing and reads no clock.
Next: `intake` for what comes in, `subscriptions` for what is asked for,
`connection` for when one is given up and tried again, `private` for orders.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, cast

from krakenwire.errors import (
    ConnectionBudgetError,
    FrameTooBig,
    KrakenwireError,
    ProtocolViolation,
    SilenceError,
    UsageError,
)
from krakenwire.model import (
    Event,
    Latency,
    Malformed,
    Outcome,
    Pong,
    Refused,
    Subscription,
    SubscriptionKey,
    TradingRequest,
)
from krakenwire.session.config import SessionConfig
from krakenwire.session.connection import LIVENESS, RETRY, Connection, SessionState
from krakenwire.session.counters import SessionCounters
from krakenwire.session.effects import Effect
from krakenwire.session.feed import Feed
from krakenwire.session.intake import Intake
from krakenwire.session.lookup import Findings
from krakenwire.session.orders import Orders, Pending
from krakenwire.session.ports import Codec
from krakenwire.session.private import ORDERS, PrivateHalf
from krakenwire.session.reconnect import ConnectionBudget
from krakenwire.session.subscriptions import Entry, Ledger
from krakenwire.session.switch import DeadMansSwitch
from krakenwire.session.views import SessionViews
from krakenwire.session.wants import Wants

__all__ = ["Session", "SessionState"]

_NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_GOING_AWAY: Final = 1001
_OUTAGE = ("maintenance", "cancel_only")


class Session(SessionViews):
    """One connection, kept alive, with everything wanted subscribed on it.

    Args:
        config: address, version, time limits.
        source: a `Feed`, or the codec to make one of.
        jitter: returns numbers from 0 to 1; spreads reconnects of many clients apart.
        budget: to share among sessions of one address; its own by default.
        orders: for a connection on which orders are placed.
        req_ids: numbers of requests, shared with `orders`; its own by default.

    Attributes:
        counters: everything unusual, counted.
    """

    def __init__(
        self,
        config: SessionConfig,
        source: Feed | Codec,
        jitter: Callable[[], float],
        budget: ConnectionBudget | None = None,
        orders: Orders | None = None,
        req_ids: Iterator[int] | None = None,
    ) -> None:
        self.config = config
        self.orders = orders
        self.counters = SessionCounters()
        feed = source if isinstance(source, Feed) else Feed(source)
        self._codec = cast("Codec", feed.codec)
        ledger = Ledger(config.resyncs_per_minute, feed.lane)
        super().__init__(
            Connection(config, feed, self.counters, budget, jitter),
            Wants(config.version),
            ledger,
            Intake(config, ledger, self.counters, self._drop_book),
            feed,
        )
        self._rows = dict(self._intake.rows)
        self._rows[Pong] = self._take_pong
        self._rows[Refused] = self._take_refused
        self._private: PrivateHalf | None = None
        if orders is not None:
            self._private = PrivateHalf(self._connection, orders, self._ledger)
            self._rows |= orders.rows(self._rows)
        self._req_ids = itertools.count(1) if req_ids is None else req_ids

    @property
    def heard_ns(self) -> int:
        """When the open connection was last heard of, its heartbeats included; 0 while none is open."""
        return self._connection.liveness.heard_ns if self.state == "open" else 0

    # -- what the user wants -------------------------------------------------------

    def start(self, now_ns: int) -> Sequence[Event]:
        """Begin to connect; a session that was started before is left alone."""
        return self._connect(now_ns) if self.state == "idle" else ()

    def stop(self, now_ns: int) -> Sequence[Event]:
        """End the connection and stay down. Nothing is sent any more."""
        connection = self._connection
        connection.stopping = True
        if connection.state in ("opening", "open"):
            self._close(_NORMAL, "", None)
            return ()
        return () if connection.state in ("closing", "down") else (self._go_down(None, now_ns),)

    def check(self, sub: Subscription) -> Subscription:
        """Return a subscription with its defaults filled in, without subscribing to it.

        Raises:
            UsageError: one that cannot be had in this version.
        """
        return self._wants.check(sub)

    def subscribe(self, subs: Iterable[Subscription], now_ns: int) -> Sequence[Event]:
        """Want subscriptions; one already wanted gets the new parameters.

        Raises:
            UsageError: one that cannot be had in this version; then none is taken.
        """
        for sub in [self._wants.check(sub) for sub in subs]:
            for plan in self._wants.add(sub):
                self._ledger.want(*plan)
        self._settle(now_ns)
        return ()

    def unsubscribe(self, subs: Iterable[Subscription], now_ns: int) -> Sequence[Event]:
        """Want subscriptions no longer; parameters other than the key do not matter."""
        for sub in subs:
            for plan in self._wants.remove(sub.key):
                self._ledger.want(*plan)
            self._intake.forget(sub.key)
        self._settle(now_ns)
        return ()

    def renew(self, subs: Iterable[Subscription], now_ns: int) -> Sequence[Event]:
        """Subscribe confirmed ones again, for their snapshot; rate limited like a resync."""
        for sub in subs:
            for entry in self._entries(sub.key):
                self._intake.renew(entry, now_ns)
        self._settle(now_ns)
        return ()

    def ping(self, now_ns: int) -> int | None:
        """Send a ping; return its `req_id`, None when no connection is open. The answer is a `Latency` event."""
        if self.state != "open":
            return None
        req_id = next(self._req_ids)
        self._connection.pinged(req_id, self._codec.ping(req_id), now_ns)
        return req_id

    def ask(
        self,
        request: TradingRequest,
        now_ns: int,
        timeout_s: float,
        on_outcome: Callable[[Outcome], object] | None = None,
    ) -> Pending:
        """Ask for something about orders; see `Orders.ask`. It is sent at once when it can be.

        Raises:
            UsageError: this connection is not for orders, or the request cannot be sent.
        """
        if self._private is None:
            raise UsageError("a request about orders", expected="a connection with an account", found=self.config.name)
        return self._private.ask(request, now_ns, timeout_s, on_outcome)

    def serve(self, switch: DeadMansSwitch | None, now_ns: int) -> None:
        """Work a dead man's switch from now on, None for none; also to be called when its owner has touched it."""
        if self._private is not None:
            self._private.serve(switch, now_ns)

    def look_again(self, now_ns: int) -> None:
        """Have REST asked now for what of the account is missing, if anything is."""
        if self._private is not None:
            self._private.look_again(now_ns)

    # -- what happened ---------------------------------------------------------------

    def feed_opened(self, now_ns: int, token: str | None = None) -> Sequence[Event]:
        """The connection is open. A `token` is used on this connection only."""
        if self.state != "opening":
            return ()
        connected = self._connection.opened(token, now_ns)
        self._settle_all(now_ns)
        return self._counted((connected,))

    def token_fetched(self, token: str | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """There is another token for the open connection; without one it is renewed.

        Args:
            token: the new one, None when there is an error.
            error: why there is none.
            now_ns: the time.
        """
        if self.state != "open" or not self._connection.token_due:
            return ()
        if token is None:
            self._close(_GOING_AWAY, "", error)
            return ()
        self._connection.renewed(token, now_ns)
        self._settle_all(now_ns)
        return ()

    def looked_up(self, findings: Findings | None, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """REST has answered what a `LookUp` asked for.

        Args:
            findings: what it says, None when there is an error.
            error: why there are none.
            now_ns: the time.
        """
        return () if self._private is None else self._counted(self._private.looked_up(findings, error, now_ns))

    def feed_frame(self, frame: str | bytes, now_ns: int) -> Sequence[Event]:
        """A frame has come. **Cost**: under a microsecond more than the feed's own work."""
        return self._decoded(self._feed.feed, frame, now_ns)

    def feed_unusual(self, frame: bytes, now_ns: int) -> Sequence[Event]:
        """A frame has come that the compiled pass did not take."""
        return self._decoded(self._feed.feed_exactly, frame, now_ns)

    def feed_events(self, events: Sequence[Event], size: int, now_ns: int) -> Sequence[Event]:
        """A frame of `size` bytes has come and is decoded already."""
        if not self._hears(size, now_ns):
            return ()
        return self._judged(events, now_ns)

    def heard(self, frames: int, size: int, events: int, now_ns: int) -> None:
        """Frames of calm subscriptions went by: `events` were handed out."""
        counters = self.counters
        counters.frames += frames
        counters.bytes += size
        counters.events += events
        if self._connection.held_since_ns is not None:
            self.release(now_ns)
        self._connection.liveness.heard_ns = now_ns

    def _hears(self, size: int, now_ns: int) -> bool:
        """Note a sign of life; return whether its frame counts."""
        connection, counters = self._connection, self.counters
        if connection.state != "open":
            counters.frames_ignored += 1
            return False
        if connection.held_since_ns is not None:
            self.release(now_ns)
        counters.frames += 1
        counters.bytes += size
        connection.liveness.heard_ns = now_ns
        return True

    def _decoded(
        self, decode: Callable[[str | bytes], Sequence[Event]], frame: str | bytes, now_ns: int
    ) -> Sequence[Event]:
        if not self._hears(len(frame), now_ns):
            return ()
        try:
            if len(frame) > self.config.frame_bytes_max:
                raise FrameTooBig(len(frame), self.config.frame_bytes_max)
            events = decode(frame)
        except ProtocolViolation as error:
            return self._malformed(error)
        return self._judged(events, now_ns)

    def _judged(self, events: Sequence[Event], now_ns: int) -> Sequence[Event]:
        """Have the events of one frame pass the intake; send what they ask for."""
        try:
            if len(events) == 1:
                row = self._rows.get(events[0].__class__)
                if row is not None:
                    events = row(events[0], now_ns)
            else:
                events = [out for event in events for out in self._through(event, now_ns)]
        except ProtocolViolation as error:
            return self._malformed(error)
        if self._ledger.changed:
            self._settle(now_ns)
        if self._private is not None:
            self._private.settle(now_ns)
        self.counters.events += len(events)
        return events

    def feed_closed(self, error: KrakenwireError | None, now_ns: int) -> Sequence[Event]:
        """The connection is gone, or could not be opened.

        Args:
            error: why; None for a close without a fault.
            now_ns: the time.
        """
        connection = self._connection
        if connection.state not in ("opening", "open", "closing"):
            return ()
        error, lived_s = connection.closed(error, now_ns)
        if self.orders is not None:
            self.orders.lost(str(error), now_ns)
        heard_ns = connection.liveness.heard_ns
        out = [] if connection.stopping else self._intake.disconnected(_gap_reason(error), heard_ns)
        self._ledger.restart()
        out.append(self._after(error, lived_s, now_ns))
        if self._private is not None:
            self._private.settle(now_ns)
        return self._counted(out)

    def poll(self, now_ns: int) -> Sequence[Event]:
        """Do what is due by now."""
        out: list[Event] = []
        due = tuple(self._connection.timers.due(now_ns))
        for name in due:
            if name == RETRY:
                out += self._connect(now_ns)
            elif name == ORDERS and self.orders is not None:
                out += self.orders.poll(now_ns)
            elif name == LIVENESS:
                self._check_liveness(now_ns)
            else:
                out += self._check_entry(cast("SubscriptionKey", name), now_ns)
        self._settle_all(now_ns)
        if self.state == "open" and self._connection.held_since_ns is None:
            self._arm_entries(cast("Iterable[SubscriptionKey]", due))
        return self._counted(out)

    def next_deadline_ns(self) -> int | None:
        """Return when to `poll` at the latest, None when only input can change anything."""
        return self._connection.timers.next_ns()

    def take_effects(self) -> list[Effect]:
        """Return what the driver has to do, in order, and forget it."""
        return self._connection.take_effects()

    def hold(self, now_ns: int) -> None:
        """The driver reads no frames for now: what is silent meanwhile is not the venue's fault."""
        self._connection.hold(now_ns)

    def release(self, now_ns: int) -> None:
        """The driver reads again: every limit on silence is prolonged by the time it did not."""
        if self._connection.held_since_ns is None:
            return
        held_ns = self._connection.release(now_ns)
        for entry in self._ledger.entries.values():
            entry.sent_ns = min(entry.sent_ns + held_ns, now_ns)
            entry.confirmed_ns = min(entry.confirmed_ns + held_ns, now_ns)
            entry.heard_ns = min(entry.heard_ns + held_ns, now_ns)
        self._arm_entries(self._ledger.entries)
        self._connection.arm_liveness()

    # -- connection life ---------------------------------------------------------------

    def _connect(self, now_ns: int) -> Sequence[Event]:
        """Try to connect, now or when the budget allows it."""
        try:
            self._connection.attempt(now_ns)
        except ConnectionBudgetError as error:
            return (self._go_down(error, now_ns),)
        return ()

    def _close(self, code: int, reason: str, error: KrakenwireError | None) -> None:
        """Ask for the end of the connection; `error` is what it will have ended with."""
        self._ledger.ruffle()
        self._connection.close(code, reason, error)

    def _after(self, error: KrakenwireError, lived_s: float, now_ns: int) -> Event:
        """Wait for the next attempt, or stay down."""
        connection = self._connection
        if connection.stopping:
            return self._go_down(None, now_ns)
        outage = lived_s > 0 and self.status is not None and self.status.system in _OUTAGE
        try:
            return connection.retry(error, lived_s, outage, now_ns)
        except KrakenwireError as failure:
            return self._go_down(failure, now_ns)

    def _go_down(self, failure: KrakenwireError | None, now_ns: int) -> Event:
        disconnected = self._connection.down(failure)
        if self._private is not None:
            self._private.give_up(now_ns)
        return disconnected

    def _malformed(self, error: ProtocolViolation) -> Sequence[Event]:
        self.counters.malformed += 1
        self._close(_PROTOCOL_ERROR, "undecodable frame", error)
        return self._counted((Malformed(error=error),))

    # -- what is due -----------------------------------------------------------------

    def _check_liveness(self, now_ns: int) -> None:
        verdict = self._connection.verdict(now_ns)
        if verdict == "dead":
            self._close(_GOING_AWAY, "silence", self._connection.silence(now_ns))
        elif verdict == "ping":
            self.ping(now_ns)

    def _check_entry(self, key: SubscriptionKey, now_ns: int) -> Sequence[Event]:
        entry = self._ledger.entries.get(key)
        if entry is None or self.state != "open" or self._connection.held_since_ns is not None:
            return ()
        due_ns = self._intake.deadline_ns(entry)
        return self._intake.check(entry, now_ns) if due_ns is not None and due_ns <= now_ns else ()

    def _arm_entries(self, keys: Iterable[SubscriptionKey]) -> None:
        for key in keys:
            entry = self._ledger.entries.get(key)
            if entry is not None:
                self._connection.timers.arm(key, self._intake.deadline_ns(entry))

    def _take_pong(self, event: Event, now_ns: int) -> Sequence[Event]:
        round_trip_ns = self._connection.liveness.pong(event.req_id, now_ns) if isinstance(event, Pong) else None
        return (event,) if round_trip_ns is None else (event, Latency(round_trip_ns=round_trip_ns))

    def _through(self, event: Event, now_ns: int) -> Sequence[Event]:
        row = self._rows.get(event.__class__)
        return (event,) if row is None else row(event, now_ns)

    # -- requests ----------------------------------------------------------------------

    def _settle(self, now_ns: int) -> None:
        """Send what brings the venue closer to what is wanted; arm the deadlines that moved."""
        changed, connection = self._ledger.changed, self._connection
        if not changed or not connection.asks:
            return
        subscribe, unsubscribe = self._ledger.to_send(now_ns)
        for sub in subscribe:
            self._expect_book(sub)
        requests = self._codec.unsubscribe(unsubscribe, self._req_ids, connection.token) if unsubscribe else []
        requests += self._codec.subscribe(subscribe, self._req_ids, connection.token) if subscribe else []
        for request in requests:
            connection.send(request.frame)
            self._ledger.sent(request, now_ns)
        self._arm_entries(changed)
        connection.liveness.expect_heartbeats(now_ns, self._ledger.any_active)
        connection.arm_liveness()

    def _settle_all(self, now_ns: int) -> None:
        self._settle(now_ns)
        if self._private is not None:
            self._private.settle(now_ns)

    def _take_refused(self, event: Event, now_ns: int) -> Sequence[Event]:
        assert isinstance(event, Refused)
        if self._private is not None and self._private.asks_again(event, now_ns):
            return ()
        return self._intake.rows[Refused](event, now_ns)

    def _expect_book(self, sub: Subscription) -> None:
        expect = {"book": self._feed.expect_book, "level3": self._feed.expect_level3}.get(sub.channel)
        if expect is not None and sub.symbol is not None and sub.depth is not None:
            expect(sub.symbol, sub.depth)

    def _drop_book(self, entry: Entry) -> None:
        channel, symbol, _ = entry.key
        if channel == "book" and symbol is not None:
            self._feed.drop_book(symbol)
        elif channel == "level3" and symbol is not None:
            self._feed.drop_level3(symbol)

    def _counted(self, events: Sequence[Event]) -> Sequence[Event]:
        self.counters.events += len(events)
        return events


def _gap_reason(error: KrakenwireError) -> str:
    if isinstance(error, SilenceError):
        return "silence"
    return "malformed" if isinstance(error, ProtocolViolation) else "disconnected"
